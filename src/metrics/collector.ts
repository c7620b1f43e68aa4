import type { Config } from '../config/config.js';
import { DEFAULT_HOST } from '../domain/target.js';
import { PACKAGE_VERSION } from '../package-version.js';
import type { Runtime } from '../runtime.js';
import type { Service } from '../worker/service.js';
import type { Attempts } from './attempts.js';
import type { Sample } from './definitions.js';
import { lastKnown } from './last-known.js';
import { historyKey } from './run-history.js';
import { RunReader } from './run-reader.js';
import { attemptSamples, runSamples, scheduleSamples, targetSamples, type ShownTarget } from './samples.js';
import { scheduleFacts } from './schedule-facts.js';
import { verificationFacts } from './verification-facts.js';
import type { WatchedWorkers } from './worker-health.js';

/** A scrape answers within these times together, whatever hangs. */
const PATIENCE_MS = 2_000;
/** Schedules are asked about less often than whoever scrapes asks. */
const SCHEDULES_FRESH_MS = 30_000;

export interface CollectorInput extends WatchedWorkers {
  service: Service;
  attempts: Attempts;
  /** Why the worker is not well; empty: it is. */
  reasons: () => Promise<string[]>;
}

/** What a worker knows, collected when asked. Runs and schedules are told by orchestrators alone, attempts by whoever made them. */
export function createCollector({ client, service, attempts, reasons }: CollectorInput): () => Promise<Sample[]> {
  const configuration = lastKnown(() => service.deps.runtime(), { patienceMs: PATIENCE_MS });
  const { orchestrates, directoryId } = service;
  const ofOrchestrator =
    orchestrates === undefined ? undefined : orchestratorCollector(client, { name: orchestrates, directoryId });
  return async () => {
    const [{ value: runtime, isUp }, unhealthy] = await Promise.all([configuration(), reasons()]);
    const targets = runtime === undefined ? [] : shownTargets(runtime.config);
    return [
      { name: 'backup_build_info', labels: { version: PACKAGE_VERSION }, value: 1 },
      { name: 'backup_worker_healthy', labels: {}, value: unhealthy.length === 0 ? 1 : 0 },
      up('configuration', isUp),
      ...attemptSamples(
        targets.filter(({ host }) => host === service.host),
        attempts,
      ),
      ...((await ofOrchestrator?.(runtime, targets)) ?? []),
    ];
  };
}

interface Orchestrated extends Pick<Service, 'directoryId'> {
  /** Of the service. */
  name: string;
}

function orchestratorCollector(client: WatchedWorkers['client'], { name, directoryId }: Orchestrated) {
  const reader = new RunReader();
  let asked: { runtime: Runtime; keys: string[] } | undefined;
  const directory = lastKnown(
    async () => {
      if (asked === undefined) throw new Error('no configuration yet');
      const { local } = asked.runtime;
      await reader.read({ local, service: name, directoryId, keys: asked.keys });
      const { history, ended } = reader;
      return { history, ended, verifications: await verificationFacts(local, history, asked.keys) };
    },
    { patienceMs: PATIENCE_MS },
  );
  const schedules = lastKnown(() => scheduleFacts(client, name), {
    patienceMs: PATIENCE_MS,
    freshMs: SCHEDULES_FRESH_MS,
  });
  return async (runtime: Runtime | undefined, targets: ShownTarget[]): Promise<Sample[]> => {
    if (runtime !== undefined) asked = { runtime, keys: targets.map(historyKey) };
    const [runs, planned] = await Promise.all([directory(), schedules()]);
    return [
      up('directory', runs.isUp),
      up('schedules', planned.isUp),
      ...(runs.value === undefined
        ? []
        : [
            ...targetSamples(targets, runs.value.history, runs.value.verifications),
            ...runSamples(name, runs.value.history, runs.value.ended),
          ]),
      ...scheduleSamples(planned.value ?? []),
    ];
  };
}

function shownTargets({ targets, globals, refused }: Config): ShownTarget[] {
  return [
    ...[...targets, ...globals].map(({ name: target, kind, host }) => ({ target, kind, host })),
    ...refused.map(({ target, kind, onHost = DEFAULT_HOST }) => ({ target, kind, host: onHost })),
  ];
}

function up(source: string, isUp: boolean): Sample {
  return { name: 'backup_metrics_up', labels: { source }, value: isUp ? 1 : 0 };
}

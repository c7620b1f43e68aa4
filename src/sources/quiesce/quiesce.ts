import { BackupError } from '../../domain/errors.js';
import type { Quiesced } from '../../domain/manifest.js';
import type { QuiescePolicy } from '../../domain/target.js';
import { claimContainers, type Claim } from './claim.js';
import { DowntimeClock } from './clock.js';
import { inspectContainer, nameOf, recordOf, type InspectedContainer } from './container.js';
import { bringAllBack, requireDown, takeAllDown, type Begun } from './down.js';
import { currentBootId, type QuiesceRecord } from './record.js';
import { selectContainers } from './selection.js';

export interface QuiesceInput {
  target: string;
  run: string;
  policy: QuiescePolicy;
  /** The backup directory: the record lies there. */
  root: string;
  signal: AbortSignal;
  onProgress: (bytesDone: number) => void;
  log: (line: string) => void;
}

/** What is done to a volume while its users are at rest. */
export type Quiesce = <T>(
  work: (rest: Rest) => Promise<T>,
) => Promise<{ result: T; quiesced?: Quiesced; warnings: string[] }>;

export interface Rest {
  /** Aborts with the capture, and once the containers were down for too long. */
  signal: AbortSignal;
  /** The containers of the entry that do not run now. */
  containers: readonly InspectedContainer[];
}

/** Nothing is brought to rest. */
export function hot(signal: AbortSignal): Quiesce {
  return async (work) => ({ result: await work({ signal, containers: [] }), warnings: [] });
}

/**
 * Runs `work` while the containers that the entry names, and that run, are down. They are recorded on the host before, and brought
 * back before anything else, whatever happens; where that cannot be, the record stays and `recoverQuiesced` tries on. Throws where one
 * of them was started meanwhile, and where they were down for longer than `maxDowntimeMs`, which is not retried.
 */
export function quiescing(input: QuiesceInput): Quiesce {
  const what = `archive ${input.target}`;
  return async (work) => {
    const { containers, warnings } = await selected(what, input.policy);
    const bootId = await currentBootId();
    const record = () => recordFor(input, containers, bootId);
    const claim = await claimFor(what, input, record);
    return { ...(await whileClaimed({ what, input, containers, record: record(), claim }, work)), warnings };
  };
}

/** Without an engine there is nothing to ask: a mounted volume needs none otherwise. */
async function selected(what: string, policy: QuiescePolicy) {
  try {
    return await selectContainers(what, policy);
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    if (error.code !== 'ServerUnreachable' && error.code !== 'ProgramMissing') throw error;
    const message = `cannot ${what}: because ${policy.how}_containers needs a Docker engine: ${error.message}`;
    const hint = `give the worker the docker program and the socket of the engine, or leave ${policy.how}_containers out`;
    throw new BackupError(error.code, message, { hint, cause: error, retryable: error.retryable });
  }
}

function recordFor(
  { target, run, policy }: QuiesceInput,
  containers: readonly InspectedContainer[],
  bootId: string,
): QuiesceRecord {
  const claimed = containers.map((container) => ({ id: container.Id, name: nameOf(container) }));
  const { how, maxDowntimeMs } = policy;
  return { format: 'quiesced/1', target, run, how, claimed, containers: [], ...fromNow(maxDowntimeMs), bootId };
}

function fromNow(durationMs: number) {
  return { at: new Date().toISOString(), until: new Date(Date.now() + durationMs).toISOString() };
}

function claimFor(what: string, input: QuiesceInput, record: () => QuiesceRecord): Promise<Claim> {
  const { target, root, signal, log, onProgress } = input;
  let isTold = false;
  const onWaiting = (other: string) => {
    if (!isTold) log(`${target}: waits for containers that the capture of ${other} has down`);
    isTold = true;
    onProgress(0); // to wait is no stall: the other one has a limit of its own
  };
  return claimContainers({ what, root, record, signal, onWaiting });
}

interface Claimed {
  what: string;
  input: QuiesceInput;
  containers: readonly InspectedContainer[];
  /** Nothing is down by it yet. */
  record: QuiesceRecord;
  claim: Claim;
}

async function whileClaimed<T>(
  { what, input, containers, claim, ...claimed }: Claimed,
  work: (rest: Rest) => Promise<T>,
): Promise<{ result: T; quiesced: Quiesced }> {
  const { target, policy, log } = input;
  const { how, maxDowntimeMs } = policy;
  const scene = { what, target, policy, claim, log };
  const begun: Begun[] = [];
  const clock = new DowntimeClock(what, input.signal, maxDowntimeMs);
  let { record } = claimed;
  const outcome = await settled(async () => {
    const found = await inspectAll(containers);
    record = { ...record, containers: withStatus(found, 'running').map(recordOf), ...fromNow(maxDowntimeMs) };
    await claim.write(record);
    if (record.containers.length > 0) clock.start();
    const down = await takeAllDown({ ...scene, record }, clock.signal, begun);
    const restarting = withStatus(found, 'restarting');
    const result = await work({ signal: clock.signal, containers: found.filter((each) => !restarting.includes(each)) });
    await requireDown(what, how, down);
    return result;
  });
  clock.stop();
  const trouble = await bringAllBack({ ...scene, record }, begun);
  const downMs = clock.elapsedMs;
  if (clock.hasPassed) throw clock.passed;
  if ('error' in outcome) throw outcome.error;
  if (trouble !== undefined) throw trouble;
  return { result: outcome.value, quiesced: { how, containers: begun.map(({ name }) => name), downMs } };
}

async function settled<T>(work: () => Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

/** As they are now, that nobody else has them. */
async function inspectAll(containers: readonly InspectedContainer[]): Promise<InspectedContainer[]> {
  const found = await Promise.all(containers.map(({ Id }) => inspectContainer(Id)));
  return found.filter((container) => container !== undefined);
}

/** One that is paused, stopped or restarting already is left as it is: it does not run. */
function withStatus(containers: readonly InspectedContainer[], status: string): InspectedContainer[] {
  return containers.filter(({ State }) => State.Status === status);
}

import { BackupError } from '../domain/errors.js';
import {
  planPrune,
  withDrillsElsewhere,
  type CatalogEntry,
  type PruneDecision,
  type PruneLine,
  type PrunePlan,
} from '../domain/retention.js';
import type { Destination } from '../destinations/destination.js';
import { readIdentity } from '../directory-identity.js';
import type { RunRecord } from '../domain/run.js';
import { listRunRecords } from '../run-records.js';
import type { BaseRuntime } from '../runtime.js';
import { createCatalog } from '../catalog.js';
import { currentLines, whyNotCounted } from './current-lines.js';
import { failing } from './failure.js';
import { ownService } from './own-service.js';

export interface DestinationPlan {
  destination: Destination;
  service: string;
  plan: PrunePlan;
}

export interface PlannedPrune {
  /** Of each destination that answered. */
  plans: DestinationPlan[];
  unreachable: { destination: Destination; error: BackupError }[];
}

/**
 * What a person's prune would remove: of each enabled target what its retention does not hold, of its current
 * source only, in each destination. Artifacts of a run that has no end in its record stay, since it may still need them;
 * no Temporal server is asked. Throws where the backup directory does not answer, for then nothing is known of runs.
 */
export async function planPruneByHand(runtime: BaseRuntime): Promise<PlannedPrune> {
  const { destinations, local } = runtime;
  const records = await failing(() => listRunRecords(local));
  await requireDirectoryOf(local.root, records);
  const running = new Set(records.filter(({ outcome }) => outcome === 'running').map(({ run }) => run));
  const listed: { destination: Destination; entries: CatalogEntry[] }[] = [];
  const unreachable: PlannedPrune['unreachable'] = [];
  for (const destination of destinations) {
    try {
      listed.push({ destination, entries: (await createCatalog(destination).list()).entries });
    } catch (error) {
      if (!(error instanceof BackupError) || destination === local) throw error;
      unreachable.push({ destination, error });
    }
  }
  const catalogs = listed.map(({ destination, entries }) => {
    const elsewhere = listed.filter((other) => other.destination !== destination).flatMap((other) => other.entries);
    return { destination, entries: withDrillsElsewhere(entries, elsewhere) };
  });
  const all = catalogs.flatMap(({ entries }) => entries);
  if (all.length === 0) return { plans: [], unreachable };
  const service = await requireService(runtime, all);
  const lines = currentLines({ config: runtime.config, service, entries: all });
  const plans = catalogs.map(({ destination, entries }) => {
    const plan = planPrune({ service, now: new Date(), entries, lines });
    return { destination, service, plan: explain(keepRunning(plan, running), { runtime, service, lines }) };
  });
  return { plans, unreachable };
}

/** On the disk of something else, nobody knows what other places may lose. */
async function requireDirectoryOf(root: string, records: readonly RunRecord[]): Promise<void> {
  const recordedIds = records.map(({ directoryId }) => directoryId).filter((id) => id !== '');
  const identity = await failing(() => readIdentity(root));
  if (recordedIds.length === 0 || (identity !== undefined && recordedIds.includes(identity.id))) return;
  const found = identity === undefined ? 'it has no identity' : `its id is ${identity.id}`;
  const message = `cannot prune: because ${root} is not the directory of its runs: ${found}, and they name ${recordedIds[0] ?? ''}`;
  const hint = 'mount the right disk, or, if this is the right directory, run: backupctl doctor --init-dir';
  throw new BackupError('DirectoryUnknown', message, { hint });
}

async function requireService(runtime: BaseRuntime, entries: readonly CatalogEntry[]): Promise<string> {
  const known = await ownService(runtime);
  const names = [...new Set(entries.map(({ manifest }) => manifest.service))];
  const service = known ?? (names.length === 1 ? names[0] : undefined);
  if (service !== undefined) return service;
  throw new BackupError(
    'DirectoryUnknown',
    `cannot prune: because ${runtime.local.root} does not tell which service this is, and there are artifacts of ${names.join(', ')}`,
    { hint: 'set backup_config.service' },
  );
}

function keepRunning({ keep, remove, warnings }: PrunePlan, running: ReadonlySet<string>): PrunePlan {
  const isInUse = ({ entry }: PruneDecision) => running.has(entry.manifest.run);
  const reason = 'its run has no end in its record: it may be going on';
  return {
    keep: [...keep, ...remove.filter(isInUse).map(({ entry }) => ({ entry, reason }))],
    remove: remove.filter((decision) => !isInUse(decision)),
    warnings,
  };
}

interface ExplainInput {
  runtime: BaseRuntime;
  service: string;
  lines: readonly PruneLine[];
}

/** `planPrune` speaks of the run that prunes: here it was a person. */
function explain({ keep, ...plan }: PrunePlan, { runtime: { config }, service, lines }: ExplainInput): PrunePlan {
  const explained = keep.map((decision) => {
    const { entry } = decision;
    const why = entry.manifest.service === service ? whyNotCounted(entry, { config, lines }) : undefined;
    if (why === undefined) return decision;
    return { ...decision, reason: why.isOrphan ? `orphaned: ${why.reason}` : why.reason };
  });
  return { ...plan, keep: explained };
}

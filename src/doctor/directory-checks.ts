import { statfs } from 'node:fs/promises';
import { readIdentity } from '../directory-identity.js';
import type { LocalDestination } from '../destinations/local.js';
import { naming } from '../destinations/local-errors.js';
import { BackupError } from '../domain/errors.js';
import { DIRECTORY_IDENTITY_NAME } from '../domain/names.js';
import type { Target } from '../domain/target.js';
import { listRunRecords } from '../run-records.js';
import type { Runtime } from '../runtime.js';
import { listArtifacts } from '../steps/list-artifacts.js';
import { findOldDownloads } from '../steps/retrieve.js';
import type { Check } from './check.js';
import { quiescedCheck } from './quiesced-check.js';

const GIB = 1024 ** 3;
const DAY_MS = 24 * 60 * 60 * 1000;

export interface DirectoryChecksInput {
  runtime: Runtime;
  /** The id that the schedules of this service know; undefined where none does, or Temporal cannot be asked. */
  expectedId: Promise<string | undefined>;
}

/** Whether the backup directory is there, is the right one, can be written to, and has room for the next run. */
export function directoryChecks({ runtime, expectedId }: DirectoryChecksInput): Check[] {
  const { local, config } = runtime;
  return [
    { check: 'destination', subject: 'local', run: () => local.check().then(() => `${local.root} can be written to`) },
    { check: 'identity', subject: local.root, run: async () => checkIdentity(local, await expectedId) },
    { check: 'leftovers', subject: local.root, run: () => checkLeftovers(local.root) },
    quiescedCheck(local.root),
    { check: 'space', subject: local.root, run: () => checkSpace(local, config.targets) },
  ];
}

async function checkIdentity(local: LocalDestination, expectedId: string | undefined): Promise<string> {
  const identity = await readIdentity(local.root);
  if (identity === undefined) return checkUnknown(local, expectedId);
  if (expectedId === undefined || identity.id === expectedId)
    return `${identity.id} of the service ${identity.service}`;
  throw untrusted(local, `its id is ${identity.id}, and the schedule knows the id ${expectedId}`);
}

/** A directory without identity is new, unless somebody knows one that should be there. */
async function checkUnknown(local: LocalDestination, expectedId: string | undefined): Promise<string> {
  const without = `it has no ${DIRECTORY_IDENTITY_NAME}`;
  if (expectedId !== undefined) throw untrusted(local, `${without}, and the schedule knows the id ${expectedId}`);
  const recorded = (await listRunRecords(local)).find(({ directoryId }) => directoryId !== '');
  if (recorded !== undefined)
    throw untrusted(local, `${without}, and run ${recorded.run} knows the id ${recorded.directoryId}`);
  return 'new: it gets its identity from the first worker or run';
}

function untrusted({ root }: LocalDestination, because: string): BackupError {
  return new BackupError('DirectoryUnknown', `cannot trust ${root}: because ${because}`, {
    hint: 'mount the right disk, or, if this is the right directory, run: backupctl doctor --init-dir',
  });
}

/** What a restore fetched and could not remove since it was killed. */
async function checkLeftovers(root: string): Promise<string> {
  const left = await naming(`look through ${root}`, () => findOldDownloads(root, Date.now() - DAY_MS));
  if (left.length === 0) return 'none of killed restores';
  throw new BackupError(
    'Conflict',
    `cannot use all of ${root}: because killed restores left ${left.join(', ')} there`,
    {
      hint: `where no restore is going on: rm -r ${left.join(' ')}`,
    },
  );
}

/** The next run needs about what the last artifacts took, before anything is pruned. */
async function checkSpace(local: LocalDestination, targets: readonly Target[]): Promise<string> {
  const { bavail, bsize } = await naming(`measure ${local.root}`, () => statfs(local.root));
  const freeBytes = bavail * bsize;
  const neededBytes = await lastSizeBytes(local, targets);
  const found = `${inGib(freeBytes)} free, the newest artifacts take ${inGib(neededBytes)}`;
  if (freeBytes > neededBytes) return found;
  throw new BackupError('DiskFull', `cannot keep another run in ${local.root}: because of ${found}`, {
    hint: 'free some space there, lower retention_count and run `backupctl prune`, or give backup_dir a larger disk',
  });
}

async function lastSizeBytes(local: LocalDestination, targets: readonly Target[]): Promise<number> {
  const { artifacts } = await listArtifacts({ destinations: [local] });
  return targets
    .map(({ name, kind }) => artifacts.find(({ entry: { manifest: m } }) => m.target === name && m.kind === kind))
    .reduce((sum, newest) => sum + (newest?.entry.manifest.artifact.sizeBytes ?? 0), 0);
}

function inGib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

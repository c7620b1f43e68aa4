import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createCatalog } from '../catalog.js';
import { assertFacts } from '../destinations/content-digest.js';
import type { Destination } from '../destinations/destination.js';
import { commitArtifact } from '../destinations/local-commit.js';
import { naming } from '../destinations/local-errors.js';
import { makeDirectory, syncFile } from '../destinations/local-files.js';
import { publish } from '../destinations/local-publish.js';
import type { LocalDestination } from '../destinations/local.js';
import { readIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import { inRun, partName } from '../domain/names.js';
import { isGood, type CatalogEntry } from '../domain/retention.js';
import { verificationName } from '../domain/verification.js';
import { leaveLateRecords } from '../late-records.js';
import { readPin, writePin } from '../pins.js';
import { digestFile } from '../pipeline/digest.js';
import type { BaseRuntime } from '../runtime.js';
import { failing } from './failure.js';
import { whyNotGood } from './list-artifacts.js';
import type { StepContext } from './step.js';

export interface PullInput {
  /** Where artifacts come from. */
  from: Destination;
  /** Default: all. */
  target?: string;
  /** Default: all. */
  run?: string;
  /** Told each artifact that is here now. */
  onPulled: (entry: CatalogEntry) => void;
}

export interface Pulled {
  pulled: CatalogEntry[];
  /** What is damaged there, or lies here under that name with other bytes, or failed its verification here: left as it is. */
  refused: { path: string; reason: string }[];
  /** Those that were here already, as far as is known. */
  presentCount: number;
}

/**
 * Brings what this host's directory lacks of its own service's good artifacts back from another destination, newest first, each byte checked,
 * the manifest last; then the records of their runs. What is here stays as it is, so a pull that was broken off goes on. Errors:
 * DirectoryUnknown where the directory has no identity; those of a destination or disk.
 */
export async function pullArtifacts(runtime: BaseRuntime, input: PullInput, step: StepContext): Promise<Pulled> {
  const { local, config } = runtime;
  const { from, target, run, onPulled } = input;
  const service = await serviceOf(local);
  const filter = { ...(target !== undefined && { target }), ...(run !== undefined && { run }) };
  const { there, here } = await failing(async () => ({
    there: await createCatalog(from).list(filter),
    here: await createCatalog(local).list(filter),
  }));
  for (const { path, reason } of there.unreadable) step.log(`passing over ${from.location}/${path}: ${reason}`);
  const present = new Map(here.entries.filter(({ whole }) => whole).map((entry) => [entry.path, entry]));
  const ours = there.entries.filter((e) => e.manifest.service === service && e.manifest.host === config.host);
  const missing = ours.filter((e) => !present.has(e.path));
  for (const entry of missing.filter((e) => !isGood(e))) {
    step.log(`passing over ${from.location}/${entry.path}: ${whyNotGood(entry)}`);
  }
  const pulled: CatalogEntry[] = [];
  const refused: Pulled['refused'] = ours.filter(isGood).flatMap(({ path }) => {
    const own = present.get(path);
    return own === undefined || isGood(own) ? [] : [{ path, reason: `what is here is no good: ${whyNotGood(own)}` }];
  });
  const presentCount = ours.length - missing.length - refused.length;
  for (const entry of missing.filter(isGood)) {
    try {
      await failing(() => naming(`write ${local.pathOf(entry.path)}`, () => pullOne(local, from, entry, step)));
      pulled.push(entry);
      onPulled(entry);
    } catch (error) {
      if (!(error instanceof BackupError) || (error.code !== 'Damaged' && error.code !== 'Conflict')) throw error;
      refused.push({ path: entry.path, reason: error.message });
    }
  }
  if (pulled.length > 0) await leaveLateRecords({ destination: local, local: from, service });
  return { pulled, refused, presentCount };
}

async function serviceOf({ root }: LocalDestination): Promise<string> {
  const identity = await readIdentity(root);
  if (identity !== undefined) return identity.service;
  throw new BackupError('DirectoryUnknown', `cannot pull into ${root}: because it is no backup directory yet`, {
    hint: 'mount the right disk; a new one becomes the backup directory by `backupctl doctor --init-dir`',
  });
}

async function pullOne(
  local: LocalDestination,
  from: Destination,
  { manifest, path }: CatalogEntry,
  step: StepContext,
): Promise<void> {
  const { run, artifact } = manifest;
  const token = randomBytes(6).toString('hex');
  const part = { path: local.pathOf(inRun(run, partName(artifact.name, token))), token };
  step.log(`fetching ${from.location}/${path}`);
  await makeDirectory(dirname(part.path));
  try {
    await from.fetchFile(path, part.path, artifact, step);
    const pin = await readPin(from, path);
    if (pin !== undefined) await writePin(local, path, pin); // before the manifest: no prune sees one without the other
    const prove = async (file: string) => {
      const facts = await digestFile(file, step);
      assertFacts(file, facts, artifact);
      return facts;
    };
    // What is known of bytes that have gone says nothing about these.
    if ((await local.stat(path)) === undefined) await local.remove(verificationName(path));
    await completeArtifact(local, part.path, { manifest, path }, prove);
    const place = { root: local.root, run, artifact: artifact.name };
    await commitArtifact({ ...place, part, prove, describe: () => manifest });
  } finally {
    await rm(part.path, { force: true });
  }
}

/** A manifest whose artifact has gone gets those bytes back; where nothing has gone, this does nothing. */
async function completeArtifact(
  local: LocalDestination,
  part: string,
  { manifest: { run, artifact }, path }: Pick<CatalogEntry, 'manifest' | 'path'>,
  prove: (file: string) => Promise<unknown>,
): Promise<void> {
  const own = await createCatalog(local).get(run, artifact.name);
  if (own?.artifact.sha256 !== artifact.sha256 || (await local.stat(path)) !== undefined) return;
  await syncFile(part);
  await prove(part);
  await publish({ part, final: local.pathOf(path) });
}

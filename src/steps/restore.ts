import { randomBytes } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { BackupError } from '../domain/errors.js';
import type { Manifest } from '../domain/manifest.js';
import type { RestoreParts } from '../domain/restore-plan.js';
import { isMountedVolume, isNamedVolume, type DestinationKind, type TargetKind } from '../domain/target.js';
import { orAborted } from '../pipeline/abort.js';
import type { Runtime } from '../runtime.js';
import { findConfigured, type ConfiguredTarget } from './configured-target.js';
import { failing } from './failure.js';
import { databaseRestorer } from './database-restorer.js';
import { directoryRestorer } from './directory-restorer.js';
import { findArtifact } from './find-artifact.js';
import { locationOf, type FoundArtifact } from './list-artifacts.js';
import { ownService } from './own-service.js';
import { placeNamedNow, requireFittingParts } from './restore-choice.js';
import type { Restored, Restorer, RestorerInput, RestoreTokens } from './restorer.js';
import { withArtifactFile } from './retrieve.js';
import type { StepContext } from './step.js';
import { volumeRestorer } from './volume-restorer.js';

export interface RestoreInput {
  target: string;
  /** Default: the newest. */
  run?: string;
  /** Default: `local`, and the others where it has no such artifact. */
  from?: DestinationKind;
  /** The new database, volume or directory (absolute, or for a mounted volume relative to here). Default: the name of the one that was backed up. */
  into?: string;
  /** Replaces what is there, which stays under another name. Default: false. */
  inPlace?: boolean;
  parts?: RestoreParts;
  /** Of a database: everything belongs to the user who restores, and missing roles go without their privileges. */
  noOwner: boolean;
  /** Of a database: roles that the server lacks are made from its globals. Default: false. */
  withRoles?: boolean;
  /** At once, of a dump in custom format. Default: as many as there are cores, up to 4. */
  jobs?: number;
  /** Names this restore in each of its attempts: 8 hexadecimal digits. Default: random. */
  restoreToken?: string;
  /** Told which artifact it is, before anything is read or fetched. */
  onChosen?: (manifest: Manifest) => void;
}

export interface RestoredTarget extends Restored {
  target: string;
  kind: TargetKind;
  run: string;
  destination: DestinationKind;
  location: string;
  into: string;
  sizeBytes: number;
  sha256: string;
}

/**
 * Makes a new database, volume or directory out of an artifact whose every byte was checked; after any failure, or when `step.signal`
 * aborts, what was made is gone. Errors: NotFound (no such artifact), Damaged, Conflict (the new name exists),
 * ConfigInvalid (no connection), and those of the server or engine.
 */
export async function restoreTarget(runtime: Runtime, input: RestoreInput, step: StepContext): Promise<RestoredTarget> {
  const { config, destinations, local } = runtime;
  const configured = findConfigured(config, input.target);
  const service = await ownService(runtime);
  const find = () =>
    findArtifact({
      target: configured?.name ?? input.target,
      destinations: input.from === undefined ? destinations : [runtime.destination(input.from)],
      log: step.log,
      ...(input.run !== undefined && { run: input.run }),
      ...(service !== undefined && { service }),
      ...(configured !== undefined && { kind: configured.kind }),
    });
  const found = await orAborted(step.signal, find);
  const { manifest } = found.entry;
  requireRestorableKind(found);
  input.onChosen?.(manifest);
  const { inPlace = false, parts = {} } = input;
  requireFittingParts(manifest, parts, inPlace);
  const into = inPlace ? placeNamedNow(manifest, configured) : placeOf(manifest, configured, input.into);
  const { noOwner, withRoles = false, jobs } = input;
  if (withRoles && manifest.kind !== 'database') throw noRoles(manifest);
  const from = input.from === undefined ? destinations : [runtime.destination(input.from)];
  const restorer = openRestorer(runtime, {
    ...{ manifest, into, inPlace, parts, noOwner, withRoles, jobs, destinations: from, configured },
    ...tokensOf(input.restoreToken),
  });
  const restored = await failing(async () => {
    await orAborted(step.signal, () => restorer.plan(step));
    return withArtifactFile({ found, local }, step, (path) => {
      const word = placeWord({ kind: manifest.kind, into });
      step.log(`restoring ${manifest.target} ${inPlace ? 'in place of the' : 'into the new'} ${word} ${into}`);
      return restorer.restore(path, step);
    });
  });
  const { target, kind, run, artifact } = manifest;
  const place = { destination: found.destination.kind, location: locationOf(found) };
  return { target, kind, run, ...place, into, sizeBytes: artifact.sizeBytes, sha256: artifact.sha256, ...restored };
}

function tokensOf(restoreToken = randomBytes(4).toString('hex')): RestoreTokens {
  return { restoreToken, attemptToken: restoreToken + randomBytes(2).toString('hex') };
}

function noRoles({ target, kind }: Manifest): BackupError {
  const hint = 'leave out `--with-roles`';
  return new BackupError('ConfigInvalid', `cannot restore ${target} with roles: because it is a ${kind}`, { hint });
}

/** Roles are made along with a database: to apply all of them is nobody's usual wish, and needs nothing of ours. */
function requireRestorableKind(found: FoundArtifact): void {
  const { kind, target } = found.entry.manifest;
  if (kind !== 'globals') return;
  const { compression } = found.entry.manifest.artifact;
  const reader = compression === 'zstd' ? 'zstd -dc' : 'gunzip -c';
  throw new BackupError('ConfigInvalid', `cannot restore ${target}: because roles are no database and no volume`, {
    hint: `restore a database with \`--with-roles\`, which makes the roles that it needs; all of them by hand: ${reader} ${locationOf(found)} | psql -d postgres (errors about roles that exist are to be expected)`,
  });
}

/** How a volume is reached now counts, else how it was when it was backed up. Directories are absolute. */
function placeOf({ source }: Manifest, configured: ConfiguredTarget | undefined, into: string | undefined): string {
  if (source.kind === 'database') return into ?? source.database;
  if (source.kind === 'globals') return into ?? 'postgres';
  const target = configured?.state.is === 'enabled' ? configured.state.target : undefined;
  const isMounted = target === undefined ? 'path' in source : isMountedVolume(target);
  if (into !== undefined) return isMounted || isAbsolute(into) ? resolve(into) : into;
  if (target !== undefined && isMountedVolume(target)) return target.path;
  if ('volume' in source) return source.volume;
  return target !== undefined && isNamedVolume(target) ? target.volumeName : source.path;
}

/** What a restore makes; no volume has a name that begins with a slash. */
export function placeWord({ kind, into }: Pick<RestoredTarget, 'kind' | 'into'>): string {
  return kind === 'volume' && isAbsolute(into) ? 'directory' : kind;
}

function openRestorer(runtime: Runtime, input: RestorerInput): Restorer {
  const { manifest, into } = input;
  if (manifest.kind === 'database') return databaseRestorer(runtime, input);
  return isAbsolute(into) ? directoryRestorer(runtime, input) : volumeRestorer(runtime, input);
}

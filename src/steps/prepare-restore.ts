import { randomBytes } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { BackupError } from '../domain/errors.js';
import type { Manifest } from '../domain/manifest.js';
import type { RestorePlan, RestoreRequest } from '../domain/restore-plan.js';
import type { Runtime } from '../runtime.js';
import { orAborted } from '../pipeline/abort.js';
import type { Config } from '../config/config.js';
import { findConfigured, type ConfiguredTarget } from './configured-target.js';
import { databaseRestorer } from './database-restorer.js';
import { directoryRestorer } from './directory-restorer.js';
import { failing } from './failure.js';
import { findArtifact, type ChosenArtifact } from './find-artifact.js';
import { locationOf, type FoundArtifact } from './list-artifacts.js';
import { ownService } from './own-service.js';
import { placeNamedNow, requireFittingParts } from './restore-choice.js';
import { placeOf } from './restore-into.js';
import type { RestoreJournal } from './restore-journal.js';
import { warningsOf, expectedMsOf } from './restore-expectations.js';
import type { Restorer, RestorerInput, RestoreTokens } from './restorer.js';
import type { StepContext } from './step.js';
import { volumeRestorer } from './volume-restorer.js';

export interface RestoreInput extends RestoreRequest {
  /** Where `into` begins, if it is a relative directory. Absent: that is refused. */
  cwd?: string;
  /** Names this restore in each of its attempts: 8 hexadecimal digits. Default: random. */
  restoreToken?: string;
  /** RFC 3339: when it began. Default: now. */
  startedAt?: string;
  /** Whose artifacts come first, where neither the configuration nor the directory tells. */
  service?: string;
  /** Told what will be done, before anything is touched. */
  onPlanned?: (plan: RestorePlan) => void;
}

/** An artifact, and what makes something of it. Nothing was refused or touched yet. */
export interface ChosenRestore {
  found: ChosenArtifact;
  restorer: Restorer;
  /** What is known before the server or engine was asked. */
  outline: RestorePlan;
}

/** Errors: NotFound (no such artifact), Damaged, Conflict (of several services), ConfigInvalid, and those of destinations. */
export async function chooseRestore(
  runtime: Runtime,
  input: RestoreInput,
  journal: RestoreJournal,
  step: StepContext,
): Promise<ChosenRestore> {
  const { config, destinations } = runtime;
  const configured = findConfigured(config, input.target);
  const service = (await ownService(runtime)) ?? input.service;
  const from = input.from === undefined ? destinations : [runtime.destination(input.from)];
  const find = () =>
    findArtifact({
      target: configured?.name ?? input.target,
      destinations: from,
      log: step.log,
      ...(input.run !== undefined && { run: input.run }),
      ...(service !== undefined && { service }),
      ...(configured !== undefined && { kind: configured.kind }),
    });
  const found = await orAborted(step.signal, find);
  const { manifest } = found.entry;
  requireRestorableKind(found);
  const { inPlace = false, parts = {}, noOwner, withRoles = false, jobs, cwd } = input;
  requireFittingParts(manifest, parts, inPlace);
  if (inPlace && input.toServer !== undefined) throw notBoth(manifest);
  const into = inPlace ? placeNamedNow(manifest, configured) : placeOf({ manifest, configured, into: input.into, cwd });
  if (withRoles && manifest.kind !== 'database') throw noRoles(manifest);
  const restorer = openRestorer(runtime, {
    ...{ manifest, into, inPlace, parts, noOwner, withRoles, jobs, destinations: from, journal },
    configured: input.toServer === undefined ? configured : serverEntry(config, manifest, input.toServer),
    ...tokensOf(input.restoreToken),
    startedAt: new Date(input.startedAt ?? Date.now()),
  });
  return { found, restorer, outline: outlineOf(found, { into, parts }) };
}

/** The whole plan. Refuses what is certain to fail: Conflict (the new name exists), Failed, and the errors of the server or engine. */
export async function completePlan(
  { found, restorer, outline }: ChosenRestore,
  step: StepContext,
): Promise<RestorePlan> {
  const facts = await failing(() => orAborted(step.signal, () => restorer.plan(step)));
  return { ...outline, ...facts, warnings: [...warningsOf(found), ...facts.warnings] };
}

function outlineOf(found: ChosenArtifact, { into, parts }: Pick<RestorePlan, 'into' | 'parts'>): RestorePlan {
  const { target, kind, run, captureStartedAt, artifact } = found.entry.manifest;
  const expectedMs = expectedMsOf(found);
  return {
    ...{ target, kind, run, capturedAt: captureStartedAt, into },
    ...{ destination: found.destination.kind, location: locationOf(found), sizeBytes: artifact.sizeBytes },
    ...(expectedMs !== undefined && { expectedMs }),
    ...(parts !== undefined && Object.keys(parts).length > 0 && { parts }),
    warnings: [],
  };
}

function tokensOf(restoreToken = randomBytes(4).toString('hex')): RestoreTokens {
  return { restoreToken, attemptToken: restoreToken + randomBytes(2).toString('hex') };
}

/** The entry whose server takes the database. */
function serverEntry(config: Config, { target, kind }: Manifest, name: string): ConfiguredTarget {
  const cannot = (reason: string, hint: string) =>
    new BackupError('ConfigInvalid', `cannot restore ${target} to the server of ${name}: because ${reason}`, { hint });
  if (kind !== 'database') throw cannot(`it is a ${kind}`, 'leave out `--to-server`');
  const databases = config.targets.filter((t) => t.kind === 'database').map((t) => t.name);
  const entry = findConfigured(config, name);
  if (entry?.kind === 'database' && entry.state.is === 'enabled') return entry;
  const hint = `name one of ${databases.join(', ') || 'them, once there are some'}`;
  throw cannot(`${config.file} has no such enabled database`, hint);
}

function notBoth({ target }: Manifest): BackupError {
  const message = `cannot restore ${target} in place on another server: because it is not there`;
  return new BackupError('ConfigInvalid', message, { hint: 'leave out `--in-place` or `--to-server`' });
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

function openRestorer(runtime: Runtime, input: RestorerInput): Restorer {
  const { manifest, into } = input;
  if (manifest.kind === 'database') return databaseRestorer(runtime, input);
  return isAbsolute(into) ? directoryRestorer(runtime, input) : volumeRestorer(runtime, input);
}

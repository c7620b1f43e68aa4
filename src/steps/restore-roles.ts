import type { Destination } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import type { Manifest } from '../domain/manifest.js';
import type { Runtime } from '../runtime.js';
import type { DatabaseLogin } from '../sources/postgres/connection.js';
import { afterUndoing, makeRoles, readGlobalsFile } from '../sources/postgres/make-roles.js';
import { theRoles } from '../sources/postgres/preparation.js';
import type { Restorable } from '../sources/postgres/restore.js';
import { planRoles, type RoleScript } from '../sources/postgres/role-script.js';
import { findGlobals } from './find-globals.js';
import { locationOf } from './list-artifacts.js';
import { withArtifactFile } from './retrieve.js';
import type { StepContext } from './step.js';

export interface MissingRolesInput {
  /** Of the database that is restored. */
  manifest: Manifest;
  /** The server that it is restored to. */
  server: Restorable;
  destinations: readonly Destination[];
}

/**
 * How the roles that a restore needs and the server lacks are made, from globals whose every byte was checked; undefined where none are
 * missing. Nothing is touched. Errors: Failed where no globals hold them, Damaged.
 */
export async function planMissingRoles(
  { tools, local }: Pick<Runtime, 'tools' | 'local'>,
  { manifest, server, destinations }: MissingRolesInput,
  step: StepContext,
): Promise<RoleScript | undefined> {
  const missing = (manifest.roles ?? []).filter((role) => !server.roles.has(role));
  if (missing.length === 0) return undefined;
  const found = await findGlobals({ manifest, roles: missing, destinations, log: step.log });
  const { compression } = found.entry.manifest.artifact;
  const { signal } = step;
  const dump = await withArtifactFile({ found, local }, step, (path) =>
    readGlobalsFile({ path, compression, tools, signal }),
  );
  const { roles: existing, versionNumber: serverVersionNumber } = server;
  const script = planRoles({ dump, wanted: missing, existing, serverVersionNumber });
  if (script.unknown.length === 0) return script;
  const reason = `${locationOf(found)} does not hold ${theRoles(script.unknown)}, which its manifest names`;
  throw new BackupError('Damaged', `cannot make the roles that ${manifest.target} needs: because ${reason}`);
}

/** Makes roles, then does what needs them; where that fails they are taken away again. */
export async function makingRoles<T>(
  login: DatabaseLogin,
  script: RoleScript | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (script === undefined) return work();
  await makeRoles(login, script);
  try {
    return await work();
  } catch (error) {
    throw await afterUndoing(login, script, error);
  }
}

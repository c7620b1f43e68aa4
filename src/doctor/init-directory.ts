import { createCatalog } from '../catalog.js';
import { establishIdentity, type DirectoryIdentity } from '../directory-identity.js';
import { BackupError } from '../domain/errors.js';
import type { Runtime } from '../runtime.js';
import { accessTemporal } from './temporal-access.js';

export interface InitDirectoryInput {
  runtime: Runtime;
  /** Told what could not be asked. */
  say: (text: string) => void;
}

/**
 * Makes the backup directory the one that is expected: with the id that the schedule knows; else, where Temporal does not
 * answer or knows none, the one that the runs in it name; else a new one.
 */
export async function initDirectory({ runtime, say }: InitDirectoryInput): Promise<DirectoryIdentity> {
  const { config, local } = runtime;
  const temporal = accessTemporal(runtime);
  try {
    const [expectedId, scheduled] = await orNothing(
      Promise.all([temporal.expectedDirectoryId, temporal.service]),
      'whether a schedule knows this directory',
      say,
    );
    const knownService = scheduled ?? (await serviceOfManifests(runtime, say));
    const { service } = config.backup;
    return await establishIdentity({
      root: local.root,
      initialise: true,
      ...(service !== undefined && { service }),
      ...(knownService !== undefined && { knownService }),
      ...(expectedId !== undefined && { expectedId }),
    });
  } finally {
    await temporal.close();
  }
}

async function orNothing<T extends unknown[]>(
  asked: Promise<T>,
  what: string,
  say: (text: string) => void,
): Promise<T | []> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    say(`cannot tell ${what}: ${error.message}`);
    return [];
  }
}

/** The one service that the manifests of all destinations name. */
async function serviceOfManifests({ destinations }: Runtime, say: (text: string) => void): Promise<string | undefined> {
  const names = new Set<string>();
  for (const destination of destinations) {
    const listing = await createCatalog(destination)
      .list()
      .catch((error: unknown) => {
        if (!(error instanceof BackupError)) throw error;
        if (error.code !== 'NotFound') say(`cannot tell whose artifacts are there: ${error.message}`);
        return undefined;
      });
    for (const { manifest } of listing?.entries ?? []) names.add(manifest.service);
  }
  return names.size === 1 ? [...names][0] : undefined;
}

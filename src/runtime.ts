import { isDeepStrictEqual } from 'node:util';
import { createRedactor } from './config/secrets.js';
import { loadConfig, type Config } from './config/config.js';
import { applyEnvironment, loadEnvironment, realEnvironment } from './config/environment.js';
import type { ConfigPaths } from './config/options.js';
import type { Destination } from './destinations/destination.js';
import { createLocalDestination, type LocalDestination } from './destinations/local.js';
import { createS3Destination } from './destinations/s3.js';
import type { DestinationKind } from './domain/target.js';
import { BackupError } from './domain/errors.js';
import { findTools, type Tools } from './pipeline/tools.js';

/** The adapters that a configuration asks for; shared by the worker and the commands. */
export interface Runtime {
  config: Config;
  tools: Tools;
  local: LocalDestination;
  /** In the order in which they are filled; `local` first. */
  destinations: Destination[];
  /** Throws ConfigInvalid where the configuration names no such destination. */
  destination(kind: DestinationKind): Destination;
  /** Replaces every secret that the configuration knows. */
  redact: (text: string) => string;
}

/** Reads the environment file, whose variables this process then has, and the configuration. Throws ConfigInvalid. */
export async function readConfiguration(paths: ConfigPaths): Promise<Config> {
  return (await readAnew(paths)).config;
}

async function readAnew({ configFile: file, envFile }: ConfigPaths): Promise<{ config: Config; isSameEnv: boolean }> {
  const env = await loadEnvironment({ processEnv: realEnvironment(), ...(envFile !== undefined && { envFile }) });
  const isSameEnv = !applyEnvironment(env); // the AWS SDK's and Temporal's own look-ups read it
  return { config: await loadConfig({ file, env }), isSameEnv };
}

/**
 * Reads the configuration anew and opens what it names; nothing is connected yet. Where it and the environment say what they said to
 * `last`, the adapters of `last` go on: their connections are worth keeping, and programs are looked for once.
 */
export async function loadRuntime(paths: ConfigPaths, last?: Runtime): Promise<Runtime> {
  const { config, isSameEnv } = await readAnew(paths);
  const isSame = isSameEnv && isDeepStrictEqual(last?.config.backup, config.backup);
  if (last !== undefined && isSame) return createRuntime(config, last);
  const { backupDir, s3 } = config.backup;
  const local = createLocalDestination({ root: backupDir });
  const destinations: Destination[] = s3 === undefined ? [local] : [local, createS3Destination(s3)];
  return createRuntime(config, { local, destinations, tools: last?.tools ?? (await findTools()) });
}

function createRuntime(config: Config, adapters: Pick<Runtime, 'local' | 'destinations' | 'tools'>): Runtime {
  const { local, destinations, tools } = adapters;
  return {
    ...{ config, tools, local, destinations },
    destination(kind) {
      const found = destinations.find((d) => d.kind === kind);
      if (found !== undefined) return found;
      const hint = 'set backup_config.s3_bucket';
      throw new BackupError('ConfigInvalid', `cannot use ${kind}: because ${config.file} names no such destination`, {
        hint,
      });
    },
    redact: createRedactor(
      () => config.secrets(),
      () => config.names,
    ),
  };
}

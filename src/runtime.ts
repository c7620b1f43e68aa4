import { isDeepStrictEqual } from 'node:util';
import { createRedactor } from './config/secrets.js';
import { loadConfig, type Config, type S3Settings } from './config/config.js';
import { applyEnvironment, loadEnvironment, realEnvironment } from './config/environment.js';
import type { ConfigPaths } from './config/options.js';
import type { Destination } from './destinations/destination.js';
import { Throttle } from './destinations/throttle.js';
import { createLocalDestination, type LocalDestination } from './destinations/local.js';
import type { DestinationKind } from './domain/target.js';
import { BackupError } from './domain/errors.js';
import { findTools, type Tools } from './pipeline/tools.js';

/** What a configuration names; shared by the worker and the commands. */
export interface BaseRuntime {
  config: Config;
  local: LocalDestination;
  /** In the order in which they are filled; `local` first. */
  destinations: Destination[];
  /** What all copies to S3 go through, those of earlier readings too. */
  throttle: Throttle;
  /** Throws ConfigInvalid where the configuration names no such destination. */
  destination(kind: DestinationKind): Destination;
  /** Replaces every secret that the configuration knows. */
  redact: (text: string) => string;
}

/** With the programs of this machine, for what captures and restores: to ask each for its version takes longer than most commands. */
export interface Runtime extends BaseRuntime {
  tools: Tools;
}

/** Reads the environment file, whose variables this process then has, and the configuration. Throws ConfigInvalid. */
export async function readConfiguration(paths: ConfigPaths): Promise<Config> {
  return (await readAnew(paths)).config;
}

async function readAnew(
  { configFile: file, envFile }: ConfigPaths,
  last?: Config,
): Promise<{ config: Config; isSameEnv: boolean }> {
  const env = await loadEnvironment({ processEnv: realEnvironment(), ...(envFile !== undefined && { envFile }) });
  const isSameEnv = !applyEnvironment(env); // the AWS SDK's and Temporal's own look-ups read it
  return { config: await loadConfig({ file, env, last }), isSameEnv };
}

/** See `loadBaseRuntime`; programs are looked for once. */
export async function loadRuntime(paths: ConfigPaths, last?: Runtime): Promise<Runtime> {
  const base = await loadBaseRuntime(paths, last);
  if (last !== undefined && base === last) return last;
  return last === undefined ? withTools(base) : { ...base, tools: last.tools };
}

export async function withTools(base: BaseRuntime): Promise<Runtime> {
  return { ...base, tools: await findTools() };
}

/**
 * Reads the configuration anew and opens what it names; nothing is connected yet. Where it and the environment say what they said to
 * `last`, the adapters of `last` go on: their connections are worth keeping.
 */
export async function loadBaseRuntime(paths: ConfigPaths, last?: BaseRuntime): Promise<BaseRuntime> {
  const { config, isSameEnv } = await readAnew(paths, last?.config);
  if (last !== undefined && isSameEnv && config === last.config) return last;
  const isSame = isSameEnv && isDeepStrictEqual(last?.config.backup, config.backup);
  if (last !== undefined && isSame) return openRuntime(config, last);
  const { backupDir, s3, limits } = config.backup;
  const throttle = last?.throttle ?? new Throttle();
  throttle.bytesPerSecond = limits.maxBytesPerSecond;
  const local = createLocalDestination({ root: backupDir });
  const destinations: Destination[] = s3 === undefined ? [local] : [local, await openS3(s3, throttle)];
  return openRuntime(config, { local, destinations, throttle });
}

/** The SDK is loaded where it is needed, since it takes a while. */
async function openS3(settings: S3Settings, throttle: Throttle): Promise<Destination> {
  const { createS3Destination } = await import('./destinations/s3.js');
  return createS3Destination({ ...settings, throttle });
}

function openRuntime(config: Config, adapters: Pick<BaseRuntime, 'local' | 'destinations' | 'throttle'>): BaseRuntime {
  const { local, destinations, throttle } = adapters;
  return {
    ...{ config, local, destinations, throttle },
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

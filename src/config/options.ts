import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { loadConfig, type Config } from './config.js';
import { loadEnvironment, type Environment } from './environment.js';

export interface ConfigOptions {
  /** `--config`. */
  configFlag?: string | undefined;
  /** `--env-file`. */
  envFileFlag?: string | undefined;
  processEnv: Environment;
  /** Where relative paths begin. */
  cwd: string;
}

export interface ConfigPaths {
  /** Absolute. */
  configFile: string;
  /** Absolute; absent where none was named and no `stack.env` lies beside the configuration. */
  envFile?: string;
}

/** The flags, else `BACKUPS_FILE` (an empty one counts as none), else `backups.yml` here and `stack.env` beside it. */
export function resolveConfigPaths({ configFlag, envFileFlag, processEnv, cwd }: ConfigOptions): ConfigPaths {
  const configFile = resolve(cwd, configFlag ?? (processEnv['BACKUPS_FILE'] || 'backups.yml'));
  if (envFileFlag !== undefined) return { configFile, envFile: resolve(cwd, envFileFlag) };
  const beside = join(dirname(configFile), 'stack.env');
  return existsSync(beside) ? { configFile, envFile: beside } : { configFile };
}

/** Environment and configuration together. Throws a BackupError (`ConfigInvalid`). */
export async function loadAll(options: ConfigOptions): Promise<{ env: Environment; config: Config }> {
  const { configFile, envFile } = resolveConfigPaths(options);
  const env = await loadEnvironment({ envFile, processEnv: options.processEnv });
  return { env, config: await loadConfig({ file: configFile, env }) };
}

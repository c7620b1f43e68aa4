import { Command } from 'commander';
import { resolveConfigPaths, type ConfigPaths } from '../config/options.js';

/** `--config FILE`, `--env-file FILE`; exits with 2 on any other argument. */
export function parseWorkerArguments(argv: readonly string[]): ConfigPaths {
  const command = new Command('worker')
    .description('Runs the backup service: takes runs from Temporal and does them.')
    .option('--config <file>', 'configuration (default: BACKUPS_FILE, else backups.yml here)')
    .option('--env-file <file>', 'environment (default: stack.env beside the configuration, where it exists)')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse(argv, { from: 'user' });
  const { config, envFile } = command.opts<{ config?: string; envFile?: string }>();
  return resolveConfigPaths({
    processEnv: process.env,
    cwd: process.cwd(),
    ...(config !== undefined && { configFlag: config }),
    ...(envFile !== undefined && { envFileFlag: envFile }),
  });
}

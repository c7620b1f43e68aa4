import { stringify } from 'yaml';
import type { Config } from '../config/config.js';
import { configJsonSchema } from '../config/json-schema.js';
import { ConfigError } from '../config/problem.js';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import { rulesOf, rulesText } from '../domain/retention-rules.js';
import { readConfiguration } from '../runtime.js';
import { effectiveConfig } from './effective-config.js';
import type { AddCommand, CommandContext } from './context.js';

interface JsonOption {
  json?: boolean;
}

export const addConfigCommand: AddCommand = (program, context) => {
  const config = program.command('config').description('checks and shows the configuration');
  config
    .command('check')
    .description('says everything that is wrong with the configuration; connects to nothing')
    .option('--json', 'print JSON: {file, ok, problems}')
    .action(({ json }: JsonOption) => check(context, json === true));
  config
    .command('show')
    .description('prints the configuration with every default, secrets masked')
    .option('--json', 'print JSON instead of YAML')
    .action(({ json }: JsonOption) => show(context, json === true));
  config
    .command('schema')
    .description('prints the JSON Schema of backups.yml, for editors')
    .action(() => context.printJson(configJsonSchema()));
};

/** A row of `config check --json`. */
interface ConfigProblem {
  /** Where it is an entry's own. */
  target?: string;
  line?: number;
  message: string;
  hint?: string;
}

async function check(context: CommandContext, json: boolean): Promise<void> {
  const { configFile: file } = context.paths;
  const result = await readConfiguration(context.paths).catch((error: unknown) => {
    if (error instanceof BackupError && error.code === 'ConfigInvalid') return error;
    throw error;
  });
  const problems = result instanceof BackupError ? problemsOfFile(result) : problemsOfEntries(result);
  if (problems.length > 0) context.exitCode = EXIT.usage;
  if (json) return context.printJson({ file, ok: problems.length === 0, problems });
  if (result instanceof BackupError) return context.say(result.text);
  for (const { message } of problems) context.say(message);
  if (problems.length === 0) for (const line of summary(result)) context.print(`ok  ${line}`);
  for (const warning of result.warnings) context.say(`warning: ${warning}`);
}

function problemsOfFile(error: BackupError): ConfigProblem[] {
  if (error instanceof ConfigError) return error.problems.map(({ line, message, hint }) => ({ line, message, hint }));
  return [{ message: error.message, ...(error.hint !== undefined && { hint: error.hint }) }];
}

function problemsOfEntries({ refused }: Config): ConfigProblem[] {
  return refused.map(({ target, line, error }) => ({ target, line, message: error }));
}

function summary({ file, targets, disabled, backup }: Config): string[] {
  const count = (kind: string) => String(targets.filter((target) => target.kind === kind).length);
  const { schedule, timezone, backupDir, s3 } = backup;
  return [
    file,
    `targets: databases ${count('database')}, volumes ${count('volume')}, disabled ${String(disabled.length)}`,
    `destinations: ${backupDir}${s3 === undefined ? '' : `, s3://${[s3.bucket, s3.prefix].filter(Boolean).join('/')}`}`,
    `schedule: ${schedule === undefined ? 'none, runs are started by hand' : `${schedule} (${timezone})`}`,
    `retention: ${rulesText(rulesOf(backup))} of each target in each destination`,
  ];
}

async function show(context: CommandContext, json: boolean): Promise<void> {
  const config = await readConfiguration(context.paths);
  const shown = effectiveConfig(config);
  if (json) context.printJson(shown);
  else context.print(stringify(shown).trimEnd());
  for (const { error } of config.refused) context.say(`not shown: ${error}`);
}

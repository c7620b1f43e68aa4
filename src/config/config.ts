import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { nameInFiles } from '../domain/names.js';
import type { RefusedTarget } from '../domain/run.js';
import type { GlobalsTarget, ServerLogin, Target, TargetKind } from '../domain/target.js';
import { readSettings, TARGET_DEFAULTS, type BackupSettings } from './backup-settings.js';
import { readEntries } from './entries.js';
import { fileProblems } from './file-shape.js';
import { globalsTargets } from './globals.js';
import { sortEntries, type RefusedEntry } from './sorted-entries.js';
import { hostOf } from './host.js';
import type { Environment } from './environment.js';
import { Passwords } from './passwords.js';
import { ConfigError, problemText } from './problem.js';
import { readSecretFiles } from './references.js';
import { readTextFile } from './text-file.js';
import { YamlSource } from './yaml-source.js';

export type { BackupSettings, S3Settings } from './backup-settings.js';

export interface Config {
  /** Absolute path. */
  file: string;
  /** Of the file, references unexpanded; may hold passwords that are written there. */
  text: string;
  /** What references were resolved by: variables, and the files that some of them name. */
  resolvedBy: { env: Environment; secretFiles: ReturnType<typeof readSecretFiles> };
  /** That this process works for. */
  host: string;
  backup: BackupSettings;
  /** Enabled and resolved. */
  targets: Target[];
  /** Of the servers of all that is enabled; they have no entries. */
  globals: GlobalsTarget[];
  /** Enabled entries with an error of their own; `error` holds all of an entry's problems, `line` is where it begins. */
  refused: (RefusedTarget & RefusedEntry)[];
  disabled: { target: string; kind: TargetKind }[];
  warnings: string[];
  /** Resolved when called. Throws a BackupError (`ConfigInvalid`) where its variable is no longer set. */
  passwordOf(target: ServerLogin): string | undefined;
  /** Whether the file names one; it may be another host's to resolve. */
  hasPassword(target: ServerLogin): boolean;
  /** Every secret text known so far, to be kept out of what is shown. */
  secrets(): readonly string[];
  /** What targets are called: parts of file names, and no secret whatever a password is. */
  names: string[];
}

export interface ConfigInput {
  file: string;
  env: Environment;
  /** Is returned as it is where all that it was made of says the same: to read thousands of entries takes a second. */
  last?: Config | undefined;
}

/** Reads `backups.yml`. Throws a ConfigError with every problem of the file; where only entries have some, those are refused. */
export async function loadConfig({ file: path, env, last }: ConfigInput): Promise<Config> {
  const file = resolve(path);
  const host = hostOf(env);
  const text = await readTextFile({ file, hint: 'name your backups.yml with --config FILE or BACKUPS_FILE' });
  const resolvedBy = { env, secretFiles: readSecretFiles(text, env) };
  if (last?.file === file && last.text === text && isDeepStrictEqual(last.resolvedBy, resolvedBy)) return last;
  const source = new YamlSource(file, text);
  const { entries, problems } = readEntries({ source, env });
  const { settings, problems: settingsProblems } = readSettings(source, env);
  const sorted = sortEntries({ source, env, entries, settings: settings ?? TARGET_DEFAULTS, host });
  const ofFile = [...fileProblems(source), ...problems, ...settingsProblems];
  if (settings === undefined || ofFile.length > 0) {
    throw new ConfigError(file, [...ofFile, ...sorted.refused.flatMap((refused) => refused.problems)]);
  }
  const globals = settings.globals ? globalsTargets({ targets: sorted.targets, settings }) : [];
  const passwords = new Passwords({ env, written: sorted.passwords });
  return {
    file,
    text,
    resolvedBy,
    host,
    backup: settings,
    targets: sorted.targets,
    globals,
    refused: sorted.refused.map(({ problems: own, ...refused }) => ({
      ...refused,
      error: own.map((problem) => problemText(file, problem)).join('\n'),
    })),
    disabled: sorted.disabled,
    warnings: sorted.targets.length + sorted.refused.length === 0 ? [`${file}: no target is enabled`] : [],
    passwordOf: (target) => passwords.passwordOf(target),
    hasPassword: (target) => passwords.hasPassword(target),
    secrets: () => passwords.secrets(),
    names: [...entries, ...globals].flatMap(({ name }) => [...new Set([name, nameInFiles(name)])]),
  };
}

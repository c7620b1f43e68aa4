import { dirname, join } from 'node:path';
import { parseEnvFile } from './env-file.js';
import { readTextFile } from './text-file.js';

/** Variables by name, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentInput {
  /** A file that must exist; without it, `stack.env` beside `besideFile` is read where there is one. */
  envFile?: string | undefined;
  /** The path of `backups.yml`. */
  besideFile?: string | undefined;
  /** The real environment: it wins over the file. */
  processEnv: Environment;
}

/** The real environment and, below it, what the env file says. Throws a BackupError (`ConfigInvalid`). */
export async function loadEnvironment(input: EnvironmentInput): Promise<Environment> {
  const fromFile = await readEnvironmentFile(input);
  const known = Object.entries(input.processEnv).filter(([, value]) => value !== undefined);
  return { ...fromFile, ...Object.fromEntries(known) };
}

/** What this process has from an env file: that is read anew for each run, and a corrected password has to count. */
const applied = new Map<string, string>();

/** The environment that this process was given: without what `applyEnvironment` has set. */
export function realEnvironment(): Environment {
  return Object.fromEntries(Object.entries(process.env).filter(([name, value]) => applied.get(name) !== value));
}

/**
 * Sets in this process what it was not given, so that the AWS SDK's and Temporal's own look-ups see the env file too.
 * Returns whether that changed anything.
 */
export function applyEnvironment(env: Environment): boolean {
  const real = realEnvironment();
  const lacking = Object.entries(env).filter(
    ([name, value]) => real[name] === undefined && process.env[name] !== value,
  );
  for (const [name, value] of lacking) {
    if (value === undefined) continue;
    process.env[name] = value;
    applied.set(name, value);
  }
  return lacking.length > 0;
}

async function readEnvironmentFile({
  envFile,
  besideFile,
  processEnv,
}: EnvironmentInput): Promise<Record<string, string>> {
  const file = envFile ?? (besideFile === undefined ? undefined : join(dirname(besideFile), 'stack.env'));
  if (file === undefined) return {};
  const text = await readTextFile({
    file,
    otherwise: envFile === undefined ? '' : undefined,
    hint: 'name the file with --env-file FILE, and let this user read it',
  });
  return parseEnvFile({ file, text, lookup: (name) => processEnv[name] });
}

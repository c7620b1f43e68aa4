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

/** Sets in this process what it lacks, so that the AWS SDK's and Temporal's own look-ups see the env file too. */
export function applyEnvironment(env: Environment): void {
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && process.env[name] === undefined) process.env[name] = value;
  }
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

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BackupError } from '../domain/errors.js';
import { parseEnvFile } from './env-file.js';

/** Variables by name, as `process.env` holds them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentInput {
  /** A file that must exist; without it, `stack.env` beside `besideFile` is read where there is one. */
  envFile?: string;
  /** The path of `backups.yml`. */
  besideFile?: string;
  /** The real environment: it wins over the file. */
  processEnv: Environment;
}

/** The real environment and, below it, what the env file says. Throws a BackupError (`ConfigInvalid`). */
export async function loadEnvironment({ envFile, besideFile, processEnv }: EnvironmentInput): Promise<Environment> {
  const fromFile = await readEnvironmentFile({ envFile, besideFile, processEnv });
  const known = Object.entries(processEnv).filter(([, value]) => value !== undefined);
  return { ...fromFile, ...Object.fromEntries(known) };
}

/** Sets in this process what it lacks, so that the AWS SDK's and Temporal's own look-ups see the env file too. */
export function applyEnvironment(env: Environment): void {
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && process.env[name] === undefined) process.env[name] = value;
  }
}

interface FileInput {
  envFile: string | undefined;
  besideFile: string | undefined;
  processEnv: Environment;
}

async function readEnvironmentFile({ envFile, besideFile, processEnv }: FileInput): Promise<Record<string, string>> {
  const file = envFile ?? (besideFile === undefined ? undefined : join(dirname(besideFile), 'stack.env'));
  if (file === undefined) return {};
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && envFile === undefined) return '';
    throw unreadable(file, code ?? String(error), error);
  });
  return parseEnvFile({ file, text, lookup: (name) => processEnv[name] });
}

function unreadable(file: string, why: string, cause: unknown): BackupError {
  const hint = 'name the file with --env-file FILE, and let this user read it';
  return new BackupError('ConfigInvalid', `cannot read ${file}: because of ${why}`, { hint, cause });
}

import { accessSync, constants, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { BackupError } from '../domain/errors.js';
import { priorityWords, type Priority } from '../domain/priority.js';

export interface Program {
  /** A name to look for in PATH, or a path. */
  file: string;
  args: readonly string[];
  /** Added to PATH, HOME, LANG, LC_ALL and TZ; nothing else is inherited. */
  env?: Record<string, string>;
  cwd?: string;
  /** What it gets when this process dies. Default: KILL; TERM for one that then ends children of its own, which get nothing. */
  deathSignal?: 'KILL' | 'TERM';
  /** Default: that of this process. */
  priority?: Priority | undefined;
}

/** A program of a pipeline. */
export interface Stage extends Program {
  /** Told each piece of its stderr, of which a `StageResult` keeps the end alone. */
  onStderr?: (piece: Buffer) => void;
}

/** A program as it is started: found, and wrapped so that it dies with this process. */
export interface Launch {
  file: string;
  args: string[];
  env: Record<string, string>;
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The Debian packages of the programs that a message may miss. */
const PACKAGES: Record<string, string> = {
  age: 'age',
  bgzip: 'tabix',
  docker: 'docker.io',
  gzip: 'gzip',
  ionice: 'util-linux',
  nice: 'coreutils',
  pg_dump: 'postgresql-client',
  pigz: 'pigz',
  psql: 'postgresql-client',
  setpriv: 'util-linux',
  tail: 'coreutils',
  tar: 'tar',
  zstd: 'zstd',
};

/** The directories of PATH, as programs are looked for. */
export function pathDirectories(path = process.env['PATH'] ?? DEFAULT_PATH): string[] {
  return path.split(':').filter((directory) => directory !== '');
}

/** The path of the program `file`, or undefined. */
export function findProgram(file: string, path?: string): string | undefined {
  if (file.includes('/')) return isExecutable(file) ? file : undefined;
  return pathDirectories(path)
    .map((directory) => join(directory, file))
    .find(isExecutable);
}

export function missingProgram(file: string, packageName = PACKAGES[basename(file)]): BackupError {
  const hint =
    packageName === undefined ? 'install it, or bring it into PATH' : `install the package: apt install ${packageName}`;
  return new BackupError('ProgramMissing', `cannot run ${file}: because it is not installed`, { hint });
}

/** Finds the program and what ends it when this process is killed; throws ProgramMissing. */
export function launch({ file, args, env = {}, deathSignal = 'KILL', priority }: Program): Launch {
  const clean = { ...baseEnvironment(), ...env };
  const found = findProgram(file, clean['PATH']);
  if (found === undefined) throw missingProgram(file);
  // PR_SET_PDEATHSIG is Linux' own; elsewhere children outlive a `kill -9`.
  if (process.platform !== 'linux') return { file: found, args: [...args], env: clean };
  // Each of these becomes the next one: the process stays the same.
  const words = priority === undefined ? [] : priorityWords(priority).map(foundWord);
  return { file: foundWord('setpriv'), args: ['--pdeathsig', deathSignal, '--', ...words, found, ...args], env: clean };
}

/** Programs by their paths, options as they are. */
function foundWord(word: string): string {
  if (!/^[a-z]/.test(word)) return word;
  const path = findProgram(word);
  if (path === undefined) throw missingProgram(word);
  return path;
}

/** Nothing of PG*, AWS_* and the like: what a program is to know, its caller says. */
function baseEnvironment(): Record<string, string> {
  const { PATH = DEFAULT_PATH, HOME = '/', TZ } = process.env;
  return { PATH, HOME, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', ...(TZ === undefined ? {} : { TZ }) };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

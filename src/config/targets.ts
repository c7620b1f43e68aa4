import { isScalar } from 'yaml';
import type { Retention } from '../domain/retention-rules.js';
import { DEFAULT_HOST, type DatabaseTarget, type Target, type VolumeTarget } from '../domain/target.js';
import type { BackupSettings } from './backup-settings.js';
import { chooseCompression, formatProblem, jobsProblem, levelProblem } from './compression.js';
import type { Entry } from './entries.js';
import type { Environment } from './environment.js';
import type { Problem } from './problem.js';
import { quiescePolicy, quiesceProblems } from './quiesce-schema.js';
import { isReferencesAlone } from './references.js';
import { chooseRetention, retentionProblems } from './retention.js';
import { checkSection, readSection } from './section.js';
import { sizeLimitsOf } from './size-limits.js';
import { databaseSchema, volumeSchema, type DatabaseInput, type VolumeInput } from './target-schema.js';
import { verifyFromProblem, verifyPolicy } from './verify-schema.js';
import { pathProblems, placeOf, placeProblems } from './volume-place.js';
import type { Path, YamlSource } from './yaml-source.js';

/** What a target takes over where it says nothing itself. */
export type TargetDefaults = Pick<
  BackupSettings,
  | 'compression'
  | 'compressionLevel'
  | 'dumpFormat'
  | 'dumpJobs'
  | 'retentionCount'
  | 'retention'
  | 'minSizeBytes'
  | 'maxShrinkPercent'
  | 'timeoutMs'
  | 'timezone'
  | 'verify'
> & { backupDir?: string; s3?: object };

export interface TargetInput {
  source: YamlSource;
  env: Environment;
  entry: Entry;
  settings: TargetDefaults;
  /** That this process works for. Passwords of another host's targets are that worker's to know. */
  host: string;
}

export type ReadTarget = { target: Target } | { problems: Problem[] };

/** Resolves an enabled entry, or says everything that is wrong with it. */
export function readTarget({ source, env, entry, settings, host }: TargetInput): ReadTarget {
  const isElsewhere = (entry.onHost ?? DEFAULT_HOST) !== host;
  const staysWritten = (path: Path) => isElsewhere && path.join('.') === 'config.password';
  const section = readSection({ source, node: entry.node, prefix: '', env, staysWritten });
  const retention = retentionProblems(source, entry.node, '');
  if (entry.kind === 'database') {
    const { data, problems } = checkSection(section, databaseSchema);
    if (data === undefined || retention.length > 0) return { problems: [...problems, ...retention] };
    return checked({ source, entry, data, settings }, databaseTarget(data, settings, writtenPassword(source, entry)));
  }
  const { data, problems } = checkSection(section, volumeSchema);
  const places = [...placeProblems(source, entry), ...quiesceProblems(source, entry), ...retention];
  if (data === undefined || places.length > 0) return { problems: [...problems, ...places] };
  const wrongPath = pathProblems(source, entry, data, settings.backupDir);
  if (wrongPath.length > 0) return { problems: wrongPath };
  return checked({ source, entry, data, settings }, volumeTarget(data, settings));
}

/** The password as the file has it, references unexpanded; undefined where there is none, or no text. */
export function writtenPassword(source: YamlSource, entry: Entry): string | undefined {
  const password = source.valueOf(source.valueOf(entry.node, 'config'), 'password');
  return isScalar(password) && typeof password.value === 'string' ? password.value : undefined;
}

function databaseTarget(data: DatabaseInput, settings: TargetDefaults, password: string | undefined): DatabaseTarget {
  const { host, port, user, database, sslmode } = data.config;
  const travels = password !== undefined && isReferencesAlone(password);
  const dumpFormat = data.dump_format ?? settings.dumpFormat;
  const dumpJobs = data.dump_jobs ?? settings.dumpJobs;
  return {
    kind: 'database',
    ...commonOf(data, settings),
    ...(dumpFormat === 'custom' && { dumpFormat }),
    ...(dumpJobs > 1 && { dumpJobs }),
    connection: {
      host,
      port: port ?? 5432,
      user,
      database,
      ...(sslmode === undefined ? {} : { sslmode }),
      ...(travels ? { passwordTemplate: password } : {}),
    },
  };
}

function volumeTarget(data: VolumeInput, settings: TargetDefaults): VolumeTarget {
  const description = data.description === undefined ? {} : { description: data.description };
  const quiesce = quiescePolicy(data);
  const rest = { ...description, ...(quiesce !== undefined && { quiesce }) };
  return { kind: 'volume', ...commonOf(data, settings), ...placeOf(data), ...rest };
}

function commonOf(data: DatabaseInput | VolumeInput, settings: TargetDefaults) {
  const verify = verifyPolicy(data, settings.verify);
  return {
    name: data.name,
    host: data.on_host ?? DEFAULT_HOST,
    ...(data.schedule === undefined ? {} : { schedule: data.schedule }),
    ...chooseCompression(data, settings),
    ...chooseRetention(data, inherited(settings), settings.timezone),
    ...sizeLimitsOf(data, settings),
    timeoutMs: data.timeout ?? settings.timeoutMs,
    ...(verify !== undefined && { verify }),
  };
}

function inherited({ retentionCount, retention }: TargetDefaults): Retention {
  return { retentionCount, ...(retention !== undefined && { retention }) };
}

interface ReadEntry extends Pick<TargetInput, 'source' | 'entry' | 'settings'> {
  data: DatabaseInput | VolumeInput;
}

/** What no key can be said to be wrong about by itself. */
function checked({ source, entry, data, settings }: ReadEntry, target: Target): ReadTarget {
  const problems: Problem[] = [];
  const wrong = (key: string, text: string | undefined, hint: string) => {
    if (text !== undefined)
      problems.push(source.problem(source.valueOf(entry.node, key) ?? entry.node, `${key}: ${text}`, hint));
  };
  const levelHint =
    'the level belongs to the compression beside it, else to that of backup_config; leave it out for the usual one';
  wrong('compression_level', levelProblem(target), levelHint);
  const formatHint = 'write `compression: gzip` beside it, or take `dump_format: plain`';
  wrong('dump_format', formatProblem(target), formatHint);
  const jobsHint = 'write `dump_jobs: 1` beside it, or take `dump_format: plain`';
  wrong('dump_jobs', jobsProblem(target), jobsHint);
  const placeHint = 'set backup_config.s3_bucket, or take local';
  wrong('verify_from', verifyFromProblem(data, settings.s3 !== undefined), placeHint);
  return problems.length > 0 ? { problems } : { target };
}

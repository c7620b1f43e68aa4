import { isMap } from 'yaml';
import type { Priority } from '../domain/priority.js';
import type { Compression, DumpFormat } from '../domain/target.js';
import type { Retention } from '../domain/retention-rules.js';
import type { RunSettings } from '../domain/run.js';
import { backupConfigSchema, type BackupConfigInput } from './backup-config-schema.js';
import { chooseCompression, DEFAULT_COMPRESSION, levelProblem } from './compression.js';
import type { Environment } from './environment.js';
import { DEFAULT_MAX_PARALLEL, limitsOf, priorityOf, type Limits } from './limits.js';
import { sizeLimitsOf } from './size-limits.js';
import { normalPath } from './paths.js';
import type { Problem } from './problem.js';
import { chooseRetention, DEFAULT_RETENTION, retentionProblems } from './retention.js';
import { checkSection, readSection } from './section.js';
import { verifyFromProblem, type VerifyInput } from './verify-schema.js';
import type { YamlSource } from './yaml-source.js';

/** Where copies go in S3. */
export interface S3Settings {
  bucket: string;
  region?: string;
  endpoint?: string;
  /** Empty, or without slash at either end. */
  prefix: string;
  forcePathStyle: boolean;
}

/** `backup_config`, with its defaults. */
export interface BackupSettings extends Retention {
  service?: string;
  /** Absolute. */
  backupDir: string;
  /** Cron, as written. */
  schedule?: string;
  /** IANA. */
  timezone: string;
  minSizeBytes?: number;
  maxShrinkPercent?: number;
  compression: Compression;
  compressionLevel: number;
  /** The longest one attempt of a capture may take, where the target says nothing else. */
  timeoutMs: number;
  /** Of databases. */
  dumpFormat: DumpFormat;
  /** How many tables of a database are dumped at once. */
  dumpJobs: number;
  /** Whether the roles of servers are backed up too. */
  globals: boolean;
  /** As written; targets take it over key by key. */
  verify: VerifyInput;
  helperImage?: string;
  /** Absent: local only. */
  s3?: S3Settings;
  limits: Limits;
  /** Of the programs of captures. */
  priority: Priority;
  /** Without a deadline it follows from the schedule. */
  run: Omit<RunSettings, 'deadlineMs'> & { deadlineMs?: number };
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** What targets take over where nobody says otherwise. */
export const TARGET_DEFAULTS = {
  ...DEFAULT_COMPRESSION,
  ...DEFAULT_RETENTION,
  timezone: 'UTC',
  dumpFormat: 'plain' as const,
  dumpJobs: 1,
  timeoutMs: 12 * HOUR_MS,
  verify: {},
};

/** Reads `backup_config`; undefined where it is missing or has problems. */
export function readSettings(source: YamlSource, env: Environment): { settings?: BackupSettings; problems: Problem[] } {
  const node = source.valueOf(source.root, 'backup_config');
  if (!isMap(node)) return { problems: [] }; // the check of the whole file says so
  const { data, problems: ofKeys } = checkSection(
    readSection({ source, node, prefix: 'backup_config.', env }),
    backupConfigSchema,
  );
  const noPlace = data && verifyFromProblem(data, Boolean(data.s3_bucket));
  const problems = [
    ...ofKeys,
    ...retentionProblems(source, node, 'backup_config.'),
    ...(noPlace === undefined ? [] : [placeProblem(source, node, noPlace)]),
  ];
  if (data === undefined || problems.length > 0) return { problems };
  const wrongLevel = levelProblem(chooseCompression(data, DEFAULT_COMPRESSION));
  if (wrongLevel === undefined) return { settings: settingsOf(data), problems };
  const level = source.valueOf(node, 'compression_level');
  const hint = 'the level belongs to the compression beside it; leave it out for the usual one';
  return { problems: [source.problem(level, `backup_config.compression_level: ${wrongLevel}`, hint)] };
}

function placeProblem(source: YamlSource, node: unknown, noPlace: string): Problem {
  const hint = 'set backup_config.s3_bucket, or take local';
  return source.problem(source.valueOf(node, 'verify_from'), `backup_config.verify_from: ${noPlace}`, hint);
}

function settingsOf(data: BackupConfigInput): BackupSettings {
  const s3 = s3Of(data);
  const timezone = data.timezone ?? TARGET_DEFAULTS.timezone;
  return {
    ...(data.service === undefined ? {} : { service: data.service }),
    backupDir: normalPath(data.backup_dir),
    ...(data.schedule === undefined ? {} : { schedule: data.schedule }),
    timezone,
    ...chooseRetention(data, DEFAULT_RETENTION, timezone),
    ...sizeLimitsOf(data, {}),
    ...chooseCompression(data, DEFAULT_COMPRESSION),
    timeoutMs: data.timeout ?? TARGET_DEFAULTS.timeoutMs,
    dumpFormat: data.dump_format ?? TARGET_DEFAULTS.dumpFormat,
    dumpJobs: data.dump_jobs ?? TARGET_DEFAULTS.dumpJobs,
    globals: data.globals ?? true,
    verify: { verify: data.verify, verify_method: data.verify_method, verify_from: data.verify_from },
    ...(data.helper_image === undefined ? {} : { helperImage: data.helper_image }),
    ...(s3 === undefined ? {} : { s3 }),
    limits: limitsOf(data),
    priority: priorityOf(data),
    run: runOf(data),
  };
}

function s3Of(data: BackupConfigInput): S3Settings | undefined {
  if (!data.s3_bucket) return undefined;
  return {
    bucket: data.s3_bucket,
    ...(data.s3_region ? { region: data.s3_region } : {}),
    ...(data.s3_endpoint ? { endpoint: data.s3_endpoint } : {}),
    prefix: (data.s3_prefix ?? '').replace(/^\/+|\/+$/g, ''),
    forcePathStyle: data.s3_force_path_style ?? false,
  };
}

function runOf(data: BackupConfigInput): BackupSettings['run'] {
  return {
    maxParallel: data.max_parallel ?? DEFAULT_MAX_PARALLEL,
    attempts: data.attempts ?? 5,
    retryDelayMs: data.retry_delay ?? 30 * SECOND_MS,
    heartbeatTimeoutMs: data.heartbeat_timeout ?? 60 * SECOND_MS,
    stallTimeoutMs: data.stall_timeout ?? 15 * MINUTE_MS,
    unpolledTimeoutMs: data.unpolled_timeout ?? 30 * MINUTE_MS,
    copyRetryForMs: data.copy_retry_for ?? 30 * MINUTE_MS,
    ...(data.deadline === undefined ? {} : { deadlineMs: data.deadline }),
  };
}

import { ioniceText } from '../config/limits.js';
import type { BackupSettings, Config } from '../config/config.js';
import { durationText, sizeText } from '../domain/quantities.js';
import type { Retention } from '../domain/retention-rules.js';
import type { DatabaseTarget, QuiescePolicy, Target, VolumeTarget } from '../domain/target.js';

const MASK = '***';

/** The configuration with every default, by the keys of `backups.yml`; passwords are masked. Entries with errors are left out. */
export function effectiveConfig(config: Config) {
  const disabled = (kind: Target['kind']) =>
    config.disabled.filter((entry) => entry.kind === kind).map(({ target }) => ({ name: target, enabled: false }));
  const databases = config.targets.filter((target) => target.kind === 'database');
  const volumes = config.targets.filter((target) => target.kind === 'volume');
  return {
    backup_targets: [...databases.map((target) => databaseEntry(target, config)), ...disabled('database')],
    volume_backups: [...volumes.map(volumeEntry), ...disabled('volume')],
    backup_config: settingsEntry(config.backup),
  };
}

function databaseEntry(target: DatabaseTarget, config: Config) {
  const { host, port, user, database, sslmode } = target.connection;
  const hasPassword = config.hasPassword(target);
  return {
    name: target.name,
    type: 'database',
    ...commonOf(target),
    dump_format: target.dumpFormat ?? 'plain',
    dump_jobs: target.dumpJobs ?? 1,
    config: defined({ host, port, user, password: hasPassword ? MASK : undefined, database, sslmode }),
  };
}

function volumeEntry(target: VolumeTarget) {
  const { name, description, quiesce } = target;
  const place = 'path' in target ? { path: target.path } : { volume_name: target.volumeName };
  return defined({ name, ...commonOf(target), ...place, ...quiesceOf(quiesce), description });
}

function quiesceOf(policy: QuiescePolicy | undefined) {
  if (policy === undefined) return {};
  return { [`${policy.how}_containers`]: policy.containers, max_downtime: durationText(policy.maxDowntimeMs) };
}

function commonOf({ host, schedule, compression, compressionLevel, timeoutMs, ...target }: Target) {
  return {
    enabled: true,
    on_host: host,
    ...(schedule === undefined ? {} : { schedule }),
    compression,
    compression_level: compressionLevel,
    ...retentionOf(target),
    ...sizeLimitsOf(target),
    timeout: durationText(timeoutMs),
  };
}

function settingsEntry({ s3, run, limits, priority, ...settings }: BackupSettings) {
  return defined({
    service: settings.service,
    backup_dir: settings.backupDir,
    schedule: settings.schedule,
    timezone: settings.timezone,
    ...retentionOf(settings),
    ...sizeLimitsOf(settings),
    compression: settings.compression,
    compression_level: settings.compressionLevel,
    dump_format: settings.dumpFormat,
    dump_jobs: settings.dumpJobs,
    globals: settings.globals,
    s3_bucket: s3?.bucket,
    s3_region: s3?.region,
    s3_endpoint: s3?.endpoint,
    s3_prefix: s3?.prefix,
    s3_force_path_style: s3?.forcePathStyle,
    helper_image: settings.helperImage,
    max_parallel: run.maxParallel,
    capture_slots: limits.captureSlots,
    server_slots: limits.serverSlots,
    copy_slots: limits.copySlots,
    max_bandwidth: limits.maxBytesPerSecond === undefined ? undefined : sizeText(limits.maxBytesPerSecond),
    nice: priority.nice,
    ionice: priority.ionice === undefined ? undefined : ioniceText(priority.ionice),
    attempts: run.attempts,
    retry_delay: durationText(run.retryDelayMs),
    heartbeat_timeout: durationText(run.heartbeatTimeoutMs),
    stall_timeout: durationText(run.stallTimeoutMs),
    unpolled_timeout: durationText(run.unpolledTimeoutMs),
    copy_retry_for: durationText(run.copyRetryForMs),
    deadline: run.deadlineMs === undefined ? undefined : durationText(run.deadlineMs),
    timeout: durationText(settings.timeoutMs),
  });
}

function retentionOf({ retentionCount, retention }: Retention) {
  if (retention === undefined) return { retention_count: retentionCount };
  const { minAgeMs, timezone: _timezone, ...counts } = retention;
  return { retention: { ...counts, ...(minAgeMs !== undefined && { min_age: durationText(minAgeMs) }) } };
}

function sizeLimitsOf({ minSizeBytes, maxShrinkPercent }: Pick<Target, 'minSizeBytes' | 'maxShrinkPercent'>) {
  return {
    ...(minSizeBytes !== undefined && { min_size: sizeText(minSizeBytes) }),
    ...(maxShrinkPercent !== undefined && { max_shrink_percent: maxShrinkPercent }),
  };
}

/** Without the keys that have no value. */
function defined(entry: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

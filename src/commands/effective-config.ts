import type { BackupSettings, Config } from '../config/config.js';
import type { DatabaseTarget, Target, VolumeTarget } from '../domain/target.js';

const MASK = '***';
const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

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
    config: defined({ host, port, user, password: hasPassword ? MASK : undefined, database, sslmode }),
  };
}

function volumeEntry(target: VolumeTarget) {
  const { name, description } = target;
  const place = 'path' in target ? { path: target.path } : { volume_name: target.volumeName };
  return defined({ name, ...commonOf(target), ...place, description });
}

function commonOf({ host, schedule, compression, compressionLevel, retentionCount, timeoutMs }: Target) {
  return {
    enabled: true,
    on_host: host,
    ...(schedule === undefined ? {} : { schedule }),
    compression,
    compression_level: compressionLevel,
    retention_count: retentionCount,
    timeout: durationText(timeoutMs),
  };
}

function settingsEntry({ s3, run, ...settings }: BackupSettings) {
  return defined({
    service: settings.service,
    backup_dir: settings.backupDir,
    schedule: settings.schedule,
    timezone: settings.timezone,
    retention_count: settings.retentionCount,
    compression: settings.compression,
    compression_level: settings.compressionLevel,
    globals: settings.globals,
    s3_bucket: s3?.bucket,
    s3_region: s3?.region,
    s3_endpoint: s3?.endpoint,
    s3_prefix: s3?.prefix,
    s3_force_path_style: s3?.forcePathStyle,
    helper_image: settings.helperImage,
    max_parallel: run.maxParallel,
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

/** As the file takes it, in the largest unit that shows it exactly: `90s`, `15m`, `12h`. */
function durationText(ms: number): string {
  const [unit, unitMs] = DURATION_UNITS.find(([, size]) => ms > 0 && ms % size === 0) ?? ['ms', 1];
  return `${String(ms / unitMs)}${unit}`;
}

/** Without the keys that have no value. */
function defined(entry: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

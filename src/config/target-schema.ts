import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { TARGET_NAME_PATTERN } from '../domain/names.js';
import { parseSchedule } from './cron.js';
import { normalPath } from './paths.js';
import { quiesceKeys } from './quiesce-schema.js';
import { retentionSchema } from './retention.js';
import { choice, compressionLevel, duration, line, parsed, size, text, truth, wholeNumber } from './schema-leaves.js';
import { verifyKeys } from './verify-schema.js';

const SSL_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** Keys that databases and volumes share. */
export const ofEveryTarget = {
  name: line(
    {
      description:
        'The name of the target: part of its file names. Unique over databases and volumes, ignoring case; not `logs`, not `globals…`.',
      expects: 'up to 63 letters, digits, dots, underscores and hyphens, beginning with a letter or digit',
      example: 'mordor',
    },
    (value) => TARGET_NAME_PATTERN.test(value),
  ),
  enabled: truth({
    description: 'Whether it is backed up. Of a disabled entry nothing else is looked at.',
    default: true,
    example: false,
  }).optional(),
  on_host: line(
    {
      description:
        "The host whose worker captures it: the `BACKUP_HOST` of that worker. Its copies, and what is kept there, are that host's too.",
      expects: 'up to 63 letters, digits, dots, underscores and hyphens, beginning with a letter or digit',
      default: 'default',
      example: 'db-2',
    },
    (value) => TARGET_NAME_PATTERN.test(value),
  ).optional(),
  schedule: parsed(
    {
      description: 'When this target is backed up, instead of with the others; written as that of `backup_config`.',
      expects: 'a cron expression',
      default: '(that of `backup_config`)',
      example: '0 * * * *',
    },
    parseSchedule,
  ).optional(),
  compression: choice(['gzip', 'zstd'], {
    description: 'Compression of this target alone.',
    default: '(that of `backup_config`)',
    example: 'zstd',
  }).optional(),
  compression_level: compressionLevel({
    description: '0 to 9 for gzip, 1 to 19 for zstd; belongs to the `compression` beside it.',
    default: '(that of `backup_config`; 6 or 3 where the target names its own `compression`)',
  }).optional(),
  retention_count: wholeNumber({
    lowest: 1,
    highest: 100_000,
    description:
      'How many good copies of this target each destination keeps: short for `retention: {count: …}`, and not beside it.',
    default: '(what `backup_config` says)',
    example: 14,
  }).optional(),
  retention: retentionSchema.optional(),
  min_size: size({
    description: 'The size below which a new artifact of this target is suspicious. 0B: none.',
    default: '(that of `backup_config`)',
    example: '20MB',
  }).optional(),
  max_shrink_percent: wholeNumber({
    lowest: 1,
    highest: 100,
    description: 'By how much less than the last good one a new artifact of this target may have. 100: by all.',
    default: '(that of `backup_config`)',
    example: 50,
  }).optional(),
  timeout: duration({
    description: 'The longest that one attempt to capture this target may take.',
    default: '(that of `backup_config`)',
    example: '2h',
  }).optional(),
  ...verifyKeys({
    verify: '(that of `backup_config`)',
    verify_method: '(that of `backup_config`)',
    verify_from: '(that of `backup_config`)',
  }),
};

/** `config` of an entry of `backup_targets`. */
export const connectionSchema = z.strictObject({
  host: line({
    description: 'The name or address of the server, or the directory of its socket.',
    example: 'postgres',
  }),
  port: wholeNumber({
    lowest: 1,
    highest: 65_535,
    description: 'The TCP port of the server.',
    default: 5432,
    example: 5433,
  }).optional(),
  user: line({ description: 'The role to log in as.', example: '${POSTGRES_USER}' }),
  password: text(
    {
      description:
        'Its password. It reaches `pg_dump` by a file that only this user may read; it is shown and stored nowhere.',
      expects: 'text without line breaks',
      default: '(none)',
      example: '${POSTGRES_PASSWORD}',
      isHidden: true,
    },
    (value) => !/[\r\n]/.test(value),
  ).optional(),
  database: text(
    { description: 'The database to back up.', expects: 'text, not empty', example: 'mordor' },
    (value) => value !== '',
  ),
  sslmode: choice(SSL_MODES, {
    description: "libpq's `sslmode`.",
    default: "(libpq's own: prefer)",
    example: 'verify-full',
  }).optional(),
});

/** An entry of `backup_targets`. */
export const databaseSchema = z.strictObject({
  ...ofEveryTarget,
  type: choice(['database'], {
    description: 'The kind of the target.',
    default: 'database',
    example: 'database',
  }).optional(),
  dump_format: choice(['plain', 'custom'], {
    description: 'How this database is dumped; `custom` goes with `compression: gzip` alone.',
    default: '(that of `backup_config`)',
    example: 'custom',
  }).optional(),
  dump_jobs: wholeNumber({
    lowest: 1,
    highest: 16,
    description:
      'How many tables of this database are dumped at once; more than 1 goes with `dump_format: plain` alone.',
    default: '(that of `backup_config`)',
    example: 4,
  }).optional(),
  config: connectionSchema,
});

/** An entry of `volume_backups`. */
export const volumeSchema = z.strictObject({
  ...ofEveryTarget,
  volume_name: line({
    description: 'The Docker volume, as `docker volume ls` shows it.',
    default: '(none: then `path` says where it is mounted)',
    example: 'financer-services_postgres_data',
  }).optional(),
  path: line(
    {
      description:
        'Instead of `volume_name`: the directory where the worker has the volume mounted. The worker reads it itself, without Docker.',
      expects: 'an absolute path, not / itself',
      default: '(none: then `volume_name` names it)',
      example: '/volumes/uploads',
    },
    (value) => isAbsolute(value) && normalPath(value) !== '/',
  ).optional(),
  ...quiesceKeys,
  description: text({
    description: 'A note for people.',
    default: '(none)',
    example: 'PostgreSQL data directory',
  }).optional(),
});

export type DatabaseInput = z.output<typeof databaseSchema>;
export type VolumeInput = z.output<typeof volumeSchema>;

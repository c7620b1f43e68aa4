import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { TARGET_NAME_PATTERN } from '../domain/names.js';
import { parseSchedule } from './cron.js';
import { limitKeys } from './limits.js';
import { retentionSchema } from './retention.js';
import { runKeys } from './run-schema.js';
import { s3Keys } from './s3-schema.js';
import { choice, compressionLevel, line, parsed, size, truth, wholeNumber } from './schema-leaves.js';
import { checkTimezone } from './timezone.js';
import { verifyKeys } from './verify-schema.js';

/** `backup_config`. */
export const backupConfigSchema = z.strictObject({
  backup_dir: line(
    { description: 'The directory that keeps the artifacts.', expects: 'an absolute path', example: '/backups' },
    isAbsolute,
  ),
  retention_count: wholeNumber({
    lowest: 1,
    highest: 100_000,
    description:
      'How many good copies of each target each destination keeps: short for `retention: {count: …}`, and not beside it.',
    default: 5,
    example: 14,
  }).optional(),
  retention: retentionSchema.optional(),
  min_size: size({
    description:
      'A new artifact that is smaller than this is suspicious: it is kept, with a warning, and pushes none out.',
    default: '(none)',
    example: '20MB',
  }).optional(),
  max_shrink_percent: wholeNumber({
    lowest: 1,
    highest: 100,
    description:
      'A new artifact that is smaller by more than this than the last good one of its target is suspicious. 100: none is.',
    default: '(100)',
    example: 50,
  }).optional(),
  schedule: parsed(
    {
      description:
        'When a run starts, in `timezone`: five cron fields, seven (seconds before, year behind), or `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly`, `@annually`.',
      expects: 'a cron expression',
      default: '(none: runs are started by hand)',
      example: '0 3 * * *',
    },
    parseSchedule,
  ).optional(),
  timezone: parsed(
    {
      description: 'The IANA time zone of `schedule` and of run ids.',
      expects: 'an IANA time zone',
      default: 'UTC',
      example: 'America/Sao_Paulo',
    },
    checkTimezone,
  ).optional(),
  service: line(
    {
      description: 'The name of this service in its manifests: it keeps apart several services that share a bucket.',
      expects: 'up to 63 letters, digits, dots, underscores and hyphens, beginning with a letter or digit',
      default: '(what the destinations know; else a new random one)',
      example: 'home',
    },
    (value) => TARGET_NAME_PATTERN.test(value),
  ).optional(),
  compression: choice(['gzip', 'zstd'], {
    description: 'How artifacts are compressed.',
    default: 'gzip',
    example: 'zstd',
  }).optional(),
  compression_level: compressionLevel({
    description: '0 to 9 for gzip, 1 to 19 for zstd.',
    default: '(6 for gzip, 3 for zstd)',
  }).optional(),
  dump_format: choice(['plain', 'custom'], {
    description:
      'How databases are dumped: `plain` SQL, which `psql` reads, or `custom`, an archive (`.dump`) which `pg_restore` reads with several jobs at once; `pg_dump` compresses that itself, on one core, and with gzip alone.',
    default: 'plain',
    example: 'custom',
  }).optional(),
  dump_jobs: wholeNumber({
    lowest: 1,
    highest: 16,
    description:
      'How many tables of a database are dumped, and compressed, at once. The SQL is that of one job, byte by byte; each job is a session on the server more, and the disk holds the compressed rows twice for a moment. Not with `dump_format: custom`.',
    default: 1,
    example: 4,
  }).optional(),
  globals: truth({
    description:
      'Whether the roles of each server of the databases are backed up along with them, as the target `globals:<host>-<port>`: `restore --with-roles` makes missing ones from it.',
    default: true,
    example: false,
  }).optional(),
  ...s3Keys,
  helper_image: line({
    description: 'The Docker image that reads volumes; it needs GNU tar and the compressor.',
    default: "(the worker's own image, or one made from this host's programs)",
    example: 'debian:bookworm-slim',
  }).optional(),
  ...verifyKeys({ verify: 'never', verify_method: 'drill', verify_from: 'local' }),
  ...limitKeys,
  ...runKeys,
});

export type BackupConfigInput = z.output<typeof backupConfigSchema>;

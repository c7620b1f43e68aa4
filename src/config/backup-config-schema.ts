import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { TARGET_NAME_PATTERN } from '../domain/names.js';
import { parseSchedule } from './cron.js';
import { choice, compressionLevel, duration, line, parsed, text, truth, wholeNumber } from './schema-leaves.js';
import { checkTimezone } from './timezone.js';

/** `backup_config`. */
export const backupConfigSchema = z.strictObject({
  backup_dir: line(
    { description: 'The directory that keeps the artifacts.', expects: 'an absolute path', example: '/backups' },
    isAbsolute,
  ),
  retention_count: wholeNumber({
    lowest: 1,
    highest: 100_000,
    description: 'How many good copies of each target each destination keeps.',
    default: 5,
    example: 14,
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
      expects: 'a name of letters, digits, dot, underscore and hyphen, at most 63, the first a letter or digit',
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
  s3_bucket: text(
    {
      description: 'The bucket that gets a copy of every artifact. Absent or empty: local only.',
      expects: 'the name of a bucket alone, without s3:// and slashes',
      default: '(local only)',
      example: '${S3_BUCKET}',
    },
    (value) => /^[A-Za-z0-9._-]{0,255}$/.test(value),
  ).nullish(),
  s3_region: text(
    {
      description: 'The region of the bucket.',
      expects: 'a region',
      default: "(the AWS SDK's own)",
      example: '${AWS_DEFAULT_REGION}',
    },
    (value) => !/\s/.test(value),
  ).nullish(),
  s3_endpoint: text(
    {
      description: 'The address of an S3 server other than AWS.',
      expects: 'an address such as https://s3.example.org, without user and password',
      default: '(AWS)',
      example: 'https://s3.example.org',
    },
    isEndpoint,
  ).nullish(),
  s3_prefix: text(
    {
      description: 'What the keys of all objects begin with. Slashes around it count for nothing.',
      expects: 'a path without empty, . and .. parts',
      default: '(none)',
      example: 'backups/home',
    },
    isPrefix,
  ).nullish(),
  s3_force_path_style: truth({
    description:
      'Whether the bucket stands in the path rather than in the host name; most servers other than AWS want it.',
    default: false,
    example: true,
  }).optional(),
  helper_image: line({
    description: 'The Docker image that reads volumes; it needs GNU tar and the compressor.',
    default: "(the worker's own image, or one made from this host's programs)",
    example: 'debian:bookworm-slim',
  }).optional(),
  max_parallel: wholeNumber({
    lowest: 1,
    highest: 50,
    description: 'How many targets are worked on at once.',
    default: 4,
    example: 2,
  }).optional(),
  attempts: wholeNumber({
    lowest: 1,
    highest: 1000,
    description: 'How often a step is tried in a run.',
    default: 5,
    example: 3,
  }).optional(),
  retry_delay: duration({
    description: 'The wait before the second attempt at a capture; it doubles up to ten times itself.',
    default: '30s',
    example: '1m',
  }).optional(),
  heartbeat_timeout: duration({
    description: 'After how long without a sign of life a worker counts as dead.',
    default: '60s',
    example: '2m',
  }).optional(),
  stall_timeout: duration({
    description: 'After how long without a byte moved an attempt is ended and tried again.',
    default: '15m',
    example: '1h',
  }).optional(),
  unpolled_timeout: duration({
    description: 'How long a step waits for a worker where nobody polls its task queue.',
    default: '30m',
    example: '10m',
  }).optional(),
  copy_retry_for: duration({
    description: 'How long a copy is tried again while the destination accepts nothing.',
    default: '30m',
    example: '2h',
  }).optional(),
  deadline: duration({
    description: 'The longest that a run may take; what is left then is cancelled and reported.',
    default: '(0.9 of the shortest gap between fires of its schedule, at most 20h; by hand 20h)',
    example: '6h',
  }).optional(),
  timeout: duration({
    description: 'The longest that one attempt to capture a target may take.',
    default: '12h',
    example: '2h',
  }).optional(),
});

export type BackupConfigInput = z.output<typeof backupConfigSchema>;

function isEndpoint(value: string): boolean {
  if (value === '') return true;
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return ['http:', 'https:'].includes(protocol) && `${username}${password}${search}${hash}` === '';
}

function isPrefix(value: string): boolean {
  const trimmed = value.replace(/^\/+|\/+$/g, '');
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return (
    !/[\x00-\x1f]/.test(trimmed) &&
    (trimmed === '' || !trimmed.split('/').some((part) => ['', '.', '..'].includes(part)))
  );
}

import { text, truth } from './schema-leaves.js';

/** The keys of `backup_config` that say where copies go. Null or empty counts as absent. */
export const s3Keys = {
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
      isHidden: true,
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
};

function isEndpoint(value: string): boolean {
  if (value === '') return true;
  if (!URL.canParse(value)) return false;
  const { protocol, username, password, search, hash } = new URL(value);
  return ['http:', 'https:'].includes(protocol) && `${username}${password}${search}${hash}` === '';
}

function isPrefix(value: string): boolean {
  const trimmed = value.replace(/^\/+|\/+$/g, '');
  return (
    !/[\x00-\x1f]/.test(trimmed) &&
    (trimmed === '' || !trimmed.split('/').some((part) => ['', '.', '..'].includes(part)))
  );
}

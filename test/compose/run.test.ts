import { beforeAll, describe, expect, inject, it } from 'vitest';
import { startedRun } from '../support/compose-run.js';
import { ComposeStack } from '../support/compose-stack.js';

const stack = new ComposeStack(inject('stack'));
const TARGETS = ['mordor', 'temporal', 'temporal_visibility', 'transactions', 'uploads'];
/** Of the servers of its databases. */
const GLOBALS = ['postgres-5432', 'transactions-5433', 'temporal-postgresql-5432'];

describe('/backup.sh', () => {
  let run = '';
  beforeAll(async () => {
    const { code, output } = await startedRun(stack).ended;
    expect(output).toMatch(/^run \d{8}_\d{6}: succeeded \(8 succeeded\)$/m);
    expect(code).toBe(0);
    run = /^run (\d{8}_\d{6})/.exec(output)?.[1] ?? '';
  });

  it('leaves an artifact and a manifest of each target, in the directory as in the bucket', async () => {
    const artifacts = [...TARGETS, ...GLOBALS.map((server) => `globals_${server}`)].map((target) =>
      target === 'uploads' ? `${target}_volume_${run}.tar.gz` : `${target}_${run}.sql.gz`,
    );
    const names = [...artifacts.flatMap((name) => [name, `${name}.manifest.json`]), 'SHA256SUMS', 'run.json'].sort();
    expect(await filesInDirectory(run)).toEqual(names);
    expect(await objectsInBucket(run)).toEqual(names);
  });

  it('leaves files that the sha256sum program takes', async () => {
    const checked = await stack.exec(
      'backup-orchestrator',
      'sh',
      '-c',
      `cd /backups/${run} && sha256sum -c SHA256SUMS`,
    );
    expect(checked.match(/: OK$/gm)?.length).toBe(TARGETS.length + GLOBALS.length);
  });

  it('leaves a database that is restored as it was', async () => {
    await stack.backupctl('restore', 'mordor', '--run', run, '--into', 'mordor_check');
    try {
      const content = 'SELECT count(*), md5(string_agg(rings::text, chr(10) ORDER BY id)) FROM rings';
      const restored = await stack.sql('mordor_check', content);
      expect(restored).toMatch(/^20000\|[0-9a-f]{32}$/);
      expect(restored).toBe(await stack.sql('mordor', content));
    } finally {
      await stack.sql('mordor', 'DROP DATABASE mordor_check');
    }
  });

  it('leaves nothing that a drill in the container, which nobody is root in, does not restore and find the same', async () => {
    const output = await stack.backupctl('verify', '--drill', '--run', run, '--json');
    const verified = JSON.parse(output) as { location: string; outcome: string; reason?: string }[];
    expect(verified.map(({ outcome, reason }) => reason ?? outcome)).toEqual(
      [...TARGETS, ...GLOBALS].map(() => 'verified'),
    );
  });

  it('passes its arguments on', async () => {
    expect((await startedRun(stack, ['nobody']).ended).code).toBe(4);
    const { code, output } = await startedRun(stack, ['mordor', 'uploads']).ended;
    expect({ code, outcome: output.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      outcome: expect.stringContaining('succeeded (3 succeeded)') as string,
    });
  });
});

async function filesInDirectory(run: string): Promise<string[]> {
  const found = await stack.exec('backup-orchestrator', 'find', `/backups/${run}`, '-type', 'f', '-printf', '%f\\n');
  return found.trim().split('\n').sort();
}

/** Asked of the store itself, by a program that knows nothing of ours. */
async function objectsInBucket(run: string): Promise<string[]> {
  const script = `
    import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
    const client = new S3Client({ endpoint: process.env.S3_ENDPOINT, forcePathStyle: true });
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: process.env.S3_BUCKET, Prefix: '${run}/' }));
    for (const { Key, Size } of Contents) if (Size > 0) console.log(Key.slice(${String(run.length + 1)}));`;
  const found = await stack.exec(
    ...(['backup-orchestrator', 'env', 'AWS_REGION=us-east-1', 'node', '--input-type=module', '-e', script] as const),
  );
  return found.trim().split('\n').sort();
}

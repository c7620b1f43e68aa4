import { Client, Connection } from '@temporalio/client';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, inject, onTestFinished, test } from 'vitest';
import '../support/provided.js';
import { startPostgres } from '../support/postgres-server.js';
import { startS3, type S3Server } from '../support/s3-server.js';
import { createNamespace } from '../support/temporal-namespace.js';
import { startTemporal } from '../support/temporal-server.js';

test('a Temporal server that is killed and started again knows its runs', async () => {
  const server = await startTemporal();
  onTestFinished(() => server.stop());
  await createNamespace(server.address, 'kept', { searchAttributes: { BackupTarget: 'KEYWORD' } });
  const connection = await Connection.connect({ address: server.address });
  onTestFinished(() => connection.close());
  const client = new Client({ connection, namespace: 'kept' });
  await client.workflow.start('Anything', {
    taskQueue: 'nobody',
    workflowId: 'one',
    searchAttributes: { BackupTarget: ['mordor'] },
  });

  for (const stop of [() => server.kill(), () => Promise.resolve()]) {
    await stop();
    await server.restart();
    expect((await client.workflow.getHandle('one').describe()).status.name).toBe('RUNNING');
  }
});

test('an S3 server that is killed and started again has its objects', async () => {
  const server = await startS3();
  onTestFinished(() => server.stop());
  await server.createBucket('kept');
  await putText(server, 'before', 'the first');

  for (const [key, stop] of [
    ['killed', () => server.kill()],
    ['ended', () => Promise.resolve()],
  ] as const) {
    await stop();
    await server.restart();
    expect(await getText(server, 'before')).toBe('the first');
    await putText(server, key, key);
    expect(await getText(server, key)).toBe(key);
  }
});

async function putText(server: S3Server, key: string, text: string): Promise<void> {
  const client = server.client();
  await client.send(new PutObjectCommand({ Bucket: 'kept', Key: key, Body: text })).finally(() => {
    client.destroy();
  });
}

async function getText(server: S3Server, key: string): Promise<string | undefined> {
  const client = server.client();
  const object = await client.send(new GetObjectCommand({ Bucket: 'kept', Key: key }));
  return await object.Body?.transformToString().finally(() => {
    client.destroy();
  });
}

test.each([undefined, 16, 18])(
  'a PostgreSQL server (major %s) that is killed and started again has its rows',
  async (major) => {
    const server = await startPostgres({
      ...(major === undefined ? {} : { major }),
      user: 'o"wner',
      password: `p'a\\ss`,
    });
    onTestFinished(() => server.stop());
    expect(await server.psql('postgres', 'SHOW server_version_num')).toMatch(new RegExp(`^${String(server.major)}`));
    await server.psql('postgres', "CREATE TABLE kept AS SELECT 'the first' AS text");

    for (const stop of [() => server.kill(), () => Promise.resolve()]) {
      await stop();
      await server.restart();
      expect(await server.psql('postgres', 'TABLE kept')).toBe('the first');
    }
    await expect(server.psql('postgres', 'SELECT 1/0')).rejects.toThrow('division by zero');
  },
);

test('the servers of the run are there', async () => {
  const { address } = inject('temporal');
  const connection = await Connection.connect({ address });
  onTestFinished(() => connection.close());
  await connection.ensureConnected();
  expect((await fetch(inject('s3').endpoint)).status).toBe(403);
  expect(inject('postgres').major).toBeGreaterThan(13);
});

import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { deploy, type Deployment } from '../support/deployment.js';
import { watchProcessList } from '../support/process-list.js';
import { createBucket, newClient } from '../support/s3-server.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { psql } from '../support/shared-postgres.js';

const { History } = proto.temporal.api.history.v1;
const id = randomBytes(4).toString('hex');
const bucket = `secrets-${id}`;
const role = `canary_${id}`;
/** Of every kind that a user may have; `Canary` is what is looked for where quoting changes the rest. */
const referenced = `Canary-${id} $HOME %41 #@:/?'"\\ x`;
const literal = `Canary-literal-${id}`;
const refused = `Canary-refused-${id}`;
const inFile = `Canary-file-${id}`;

let database: SharedDatabase;
let deployment: Deployment;
const messages: string[] = [];
let processes = new Set<string>();

function item(name: string, password: string): string {
  const { host, port } = inject('postgres');
  return `  - name: ${name}\n    config: ${JSON.stringify({ host, port, user: role, password, database: database.name })}`;
}

beforeAll(async () => {
  database = await createSharedDatabase();
  const quoted = referenced.replaceAll("'", "''");
  await psql(
    'postgres',
    `CREATE ROLE ${role} LOGIN PASSWORD '${quoted}'; CREATE ROLE ${role}_l LOGIN PASSWORD '${literal}'`,
  );
  await psql(database.name, `GRANT SELECT ON rings TO ${role}, ${role}_l`);
  await createBucket(inject('s3').endpoint, bucket);
  deployment = await deploy({
    databases: [
      item('referenced', '${CANARY}'),
      item('literal', literal).replace(`"${role}"`, `"${role}_l"`),
      item('refused', refused),
      item('default', `\${NO_SUCH_VARIABLE:-${inFile}}`),
    ].join('\n'),
    s3: { bucket },
    schedules: true,
    settings: { schedule: '0 3 * * *', attempts: 2 },
    env: { CANARY: referenced },
  });
  const watch = watchProcessList();
  await deployment.startWorker({ LOG_LEVEL: 'trace' });
  for (const args of [
    ['run'],
    ['run', 'refused', '--json'],
    ['restore', 'referenced', '--into', `restored_${id}`, '--no-owner'],
    ['restore', 'refused'],
    ['doctor', '--json'],
    ['config', 'show'],
    ['config', 'show', '--json'],
    ['config', 'check'],
    ['list', '--json'],
    ['status', '--json'],
    ['logs'],
    ['schedule', 'show', '--json'],
  ]) {
    const { stdout, stderr } = await deployment.backupctl(args);
    messages.push(`${args.join(' ')}: ${stdout}${stderr}`);
  }
  processes = watch.stop();
});
afterAll(async () => {
  await deployment.close();
  await database.drop();
});

const CANARIES = [`Canary-${id}`, literal, refused, inFile];
const keyOfS3 = () => inject('s3').secretAccessKey;

function expectNoSecret(texts: Iterable<string>): void {
  for (const text of texts) for (const secret of [...CANARIES, keyOfS3()]) expect(text).not.toContain(secret);
}

describe('secrets', () => {
  it('were used: what a right password opens succeeded, what a wrong one does not failed', () => {
    expect(messages[0]).toMatch(/referenced: succeeded/);
    expect(messages[0]).toMatch(/literal: succeeded/);
    expect(messages[0]).toMatch(/refused: failed[^]*password[^]*HINT: /);
    expect(messages[0]).toMatch(/default: failed/);
  });

  it('are in no message of any command', () => {
    expectNoSecret(messages);
  });

  it('are in no argument list of any process', () => {
    expect([...processes].some((args) => args.includes('pg_dump'))).toBe(true); // it did look
    expectNoSecret(processes);
  });

  it('are in no workflow history, schedule or memo', async () => {
    let count = 0;
    for await (const { workflowId, runId } of deployment.client.workflow.list()) {
      const history = await deployment.client.workflow.getHandle(workflowId, runId).fetchHistory();
      const bytes = Buffer.from(History.encode(History.create(history)).finish());
      expect(bytes.includes(database.name) || bytes.includes('BackupRun')).toBe(true); // payloads are readable here
      expectNoSecret([bytes.toString('latin1')]);
      count += 1;
    }
    expect(count).toBeGreaterThanOrEqual(6);
    for await (const schedule of deployment.client.schedule.list()) {
      const described = await deployment.client.schedule.getHandle(schedule.scheduleId).describe();
      expectNoSecret([JSON.stringify(described.raw), JSON.stringify(described.memo)]);
    }
  });

  it('are in no log, manifest or record on the disk', async () => {
    const names = await readdir(deployment.directory, { recursive: true, withFileTypes: true });
    const files = names.filter((n) => n.isFile() && !['backups.yml', 'stack.env'].includes(n.name));
    expect(files.map((f) => f.name)).toEqual(expect.arrayContaining(['worker-0.log', 'run.json', 'SHA256SUMS']));
    expectNoSecret(await Promise.all(files.map((f) => readFile(join(f.parentPath, f.name), 'latin1'))));
  });

  it('are in no object of the bucket', async () => {
    const client = newClient(inject('s3').endpoint);
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(Contents.length).toBeGreaterThan(4);
    for (const { Key } of Contents) {
      const { Body, Metadata } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      expectNoSecret([(await Body?.transformToString('latin1')) ?? '', JSON.stringify(Metadata)]);
    }
    client.destroy();
  });
});

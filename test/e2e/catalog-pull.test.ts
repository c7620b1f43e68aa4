import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { databaseItem, deploy, type Deployment } from '../support/deployment.js';
import { freePort } from '../support/free-port.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { createNamespace } from '../support/temporal-namespace.js';
import { psql } from '../support/shared-postgres.js';
import { createBucket } from '../support/s3-server.js';

const run = promisify(execFile);
const bucket = `pull-${randomBytes(4).toString('hex')}`;
let database: SharedDatabase;
let deployment: Deployment;
const CONTENT = "SELECT count(*), md5(string_agg(name, ',' ORDER BY id)) FROM rings";
/** Oldest first. */
const runs: string[] = [];

beforeAll(async () => {
  await createBucket(inject('s3').endpoint, bucket);
  database = await createSharedDatabase();
  deployment = await deploy({ databases: databaseItem('mordor', database.name), s3: { bucket } });
  const worker = await deployment.startWorker();
  for (let night = 0; night < 2; night += 1) {
    const { json } = await deployment.backupctl(['run', '--json']);
    runs.push((json as RunReport).run);
  }
  expect((await deployment.backupctl(['pin', runs[0] ?? ''])).code).toBe(0);
  await worker.stop();
});
afterAll(async () => {
  await deployment.close();
  await database.drop();
});

const fileOf = (id: string) => join(deployment.backupDir, id, `mordor_${id}.sql.gz`);
const rows = async (from: string) =>
  ((await deployment.backupctl(['list', '--from', from, '--json'])).json as Record<string, unknown>[]).map(
    ({ run: id, sha256, pinned }) => ({ id, sha256, pinned }),
  );

/** What commands find where the Temporal server is gone with its database. */
const withoutTemporal = async () => ({ TEMPORAL_ADDRESS: `127.0.0.1:${String(await freePort())}` });

/** Each command of a rescue, on what is left. */
async function expectRescue(env: Record<string, string> = {}): Promise<void> {
  const into = `pulled_${randomBytes(4).toString('hex')}`;
  const commands = [['list', '--json'], ['verify'], ['restore', 'mordor', '--run', runs[0] ?? '', '--into', into]];
  const [list, ...others] = await Promise.all(commands.map((args) => deployment.backupctl(args, env)));
  expect(new Set((list?.json as { run: string }[]).map(({ run: id }) => id))).toEqual(new Set(runs));
  expect(others.map(({ code, stderr }) => (code === 0 ? code : stderr))).toEqual([0, 0]);
  expect(await psql(into, CONTENT)).toBe(await psql(database.name, CONTENT));
  await psql('postgres', `DROP DATABASE ${into}`);
}

async function loseDirectory(): Promise<void> {
  await rm(deployment.backupDir, { recursive: true });
  await mkdir(deployment.backupDir);
}

describe("after Temporal's database was lost", () => {
  it('list, verify and restore work', async () => expectRescue(await withoutTemporal()));
});

describe('after the backup directory was lost', () => {
  it('list, verify and restore work from the bucket, and pull wants a directory that is known', async () => {
    await loseDirectory();
    await expectRescue();
    const { stderr, code } = await deployment.backupctl(['catalog', 'pull']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('HINT: ') as string });
    expect(await readdir(deployment.backupDir)).toEqual([]);
  });

  it("so they do where Temporal's database is lost with it, and catalog pull brings everything back as it was: artifacts, manifests, pins, records and checksums", async () => {
    await expectRescue(await withoutTemporal());
    const env = { TEMPORAL_NAMESPACE: `empty-${randomBytes(4).toString('hex')}` }; // a new server knows nothing
    await createNamespace(inject('temporal').address, env.TEMPORAL_NAMESPACE);
    await deployment.backupctl(['doctor', '--init-dir'], env);
    const { stdout, stderr, code } = await deployment.backupctl(['catalog', 'pull'], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('2 pulled, 0 were here') as string });
    expect(stdout.match(/^pulled .*\.sql\.gz, /gm)).toHaveLength(2);
    expect(await rows('local')).toEqual(await rows('s3'));
    expect((await deployment.backupctl(['verify', '--from', 'local'])).code).toBe(0);
    for (const id of runs) await run('sha256sum', ['-c', 'SHA256SUMS'], { cwd: join(deployment.backupDir, id) });
    expect((await deployment.backupctl(['status', runs[0] ?? ''])).stdout).toContain('mordor: succeeded');
    expect((await deployment.backupctl(['catalog', 'pull'])).stderr).toContain('0 pulled, 2 were here');
  });

  it('replaces nothing that lies there, and brings the rest', async () => {
    const [first = '', second = ''] = runs;
    await truncate(fileOf(first), 100);
    await rm(`${fileOf(second)}.manifest.json`);
    await writeFile(fileOf(second), 'of somebody else');
    const { stderr, code } = await deployment.backupctl(['catalog', 'pull']);
    expect(code).toBe(1);
    expect(stderr.match(/^not pulled: .*$/gm)).toHaveLength(2);
    expect(stderr).toContain('HINT: move');
    expect(await readFile(fileOf(second), 'utf8')).toBe('of somebody else');
    await rm(join(deployment.backupDir, second), { recursive: true });
    expect((await deployment.backupctl(['catalog', 'pull', 'mordor', '--run', second])).stderr).toContain('1 pulled');
    expect((await deployment.backupctl(['catalog', 'pull', 'gondor'])).code).toBe(4);
    expect((await readdir(join(deployment.backupDir, second))).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

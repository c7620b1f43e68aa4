import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Manifest } from '../../src/domain/manifest.js';
import { sweepDrills } from '../../src/drill/drill-directory.js';
import type { Tools } from '../../src/pipeline/tools.js';
import { changedArtifact, drill, drillInput, drillPlace } from '../support/drills.js';
import { captureArtifact, loginTo, type Artifact } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { failureOf } from '../support/postgres-trouble.js';
import { mountSmallDisk } from '../support/small-disk.js';
import { waitFor } from '../support/wait-for.js';

let origin: PostgresServer;
let tools: Tools;
let scratchDir: string;
let artifact: Artifact;
/** Its restore never ends. */
let endless: Artifact;

const END = '--\n-- PostgreSQL database dump complete';

beforeAll(async () => {
  scratchDir = await drillPlace();
  origin = await startPostgres();
  await origin.psql('postgres', 'CREATE DATABASE small');
  await origin.psql('small', 'CREATE TABLE t AS SELECT 1 AS one');
  const login = await loginTo(origin, 'small');
  artifact = await captureArtifact(login, { directory: scratchDir });
  endless = await changedArtifact(artifact, (sql) => sql.replace(END, `SELECT pg_sleep(10000);\n${END}`));
  ({ tools } = login);
});
afterAll(async () => {
  await origin.stop();
  await rm(scratchDir, { recursive: true });
});
afterEach(async () => {
  expect(await drillsIn(scratchDir)).toEqual([]);
});

async function drillsIn(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith('.drill-'));
}

/** The id of the server of the drill that goes on, once it restores. */
async function serverOf(directory: string): Promise<number> {
  let pid = 0;
  await waitFor('a drill that restores', async () => {
    const [name = ''] = await drillsIn(directory);
    const file = await readFile(join(directory, name, 'data/postmaster.pid'), 'utf8').catch(() => '');
    pid = Number(file.split('\n')[0]);
    const children = await readFile(`/proc/${String(pid)}/task/${String(pid)}/children`, 'utf8').catch(() => '');
    const titles = children.split(' ').map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => ''));
    return (await Promise.all(titles)).some((title) => title.includes('SELECT'));
  });
  return pid;
}

function isThere(pid: number): boolean {
  return existsSync(`/proc/${String(pid)}`);
}

test('an aborted drill leaves neither server nor directory; while it lives, nobody else removes it', async () => {
  const controller = new AbortController();
  const failure = failureOf(drill(endless, tools, { scratchDir, signal: controller.signal }));
  const server = await serverOf(scratchDir);
  await sweepDrills(scratchDir);
  expect(await drillsIn(scratchDir)).toHaveLength(1);
  controller.abort();
  expect((await failure).code).toBe('Cancelled');
  expect(isThere(server)).toBe(false);
});

test('the server dies with the process that drills, and the next drill removes what is left', async () => {
  const { path, manifest } = drillInput(endless, tools);
  const input = JSON.stringify({ path, manifest, tools, scratchDir });
  const args = ['--import', 'tsx', 'test/fixtures/drill-database.ts', input];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const server = await serverOf(scratchDir);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await waitFor('the end of the server', () => Promise.resolve(!isThere(server)));
  expect(await drillsIn(scratchDir)).toHaveLength(1);
  expect(await drill(artifact, tools, { scratchDir })).toMatchObject({ outcome: 'verified' });
});

test.for([
  ['the server is made', 10],
  ['it restores', 60],
] as const)('a disk that is full while %s is no verdict', async ([, sizeMiB], context) => {
  const disk = join(scratchDir, `disk-${String(sizeMiB)}`);
  await mkdir(disk);
  await mountSmallDisk(context, disk, sizeMiB);
  const large = await changedArtifact(artifact, (sql) =>
    sql.replace(END, `CREATE TABLE public.large AS SELECT repeat('x', 1000) FROM generate_series(1, 100000);\n${END}`),
  );
  const failure = await failureOf(drill(large, tools, { scratchDir: disk }));
  expect(failure).toMatchObject({ code: 'DiskFull', hint: 'a drill needs room for the whole database' });
  expect(await readdir(disk)).toEqual([]);
});

test('a long path is no hindrance', async () => {
  const deep = join(scratchDir, 'a-directory-with-a-name/'.repeat(6));
  await mkdir(deep, { recursive: true });
  expect(await drill(artifact, tools, { scratchDir: deep })).toMatchObject({ outcome: 'verified' });
});

test.each(['postgres', 'template1', `odd "name"; \\ $x 'quoted' ü`])('a database named %s is drilled', async (name) => {
  const { manifest, artifactPath } = artifact;
  const source = { ...manifest.source, kind: 'database', database: name } as Manifest['source'];
  const settings = [{ name: 'work_mem', value: '8MB' }];
  const database = { ...manifest.database, allowConnections: false, isTemplate: true, settings };
  const named = { artifactPath, manifest: { ...manifest, source, database } as Manifest };
  expect(await drill(named, tools, { scratchDir })).toMatchObject({ outcome: 'verified' });
});

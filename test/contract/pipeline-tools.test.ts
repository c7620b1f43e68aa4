import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { choosePgDump, findTools, requireGnuTar, type PostgresClient, type Tools } from '../../src/pipeline/tools.js';

function client(major: number, path = `/usr/lib/postgresql/${String(major)}/bin/pg_dump`): PostgresClient {
  return { path, version: `${String(major)}.2`, major };
}

async function programInPath(name: string, script: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tools-'));
  const path = join(directory, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  vi.stubEnv('PATH', [directory, process.env['PATH']].join(delimiter));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });
  return path;
}

test.each([
  [140_009, 15],
  [150_000, 15],
  [160_014, 18],
  [180_004, 18],
  [90_624, 15],
])('for server %i the oldest client that is not older is chosen', (serverVersionNumber, major) => {
  const tools: Tools = { pgDumps: [client(18), client(15)] };
  expect(choosePgDump(tools, serverVersionNumber).major).toBe(major);
});

test('of one major the first in PATH is chosen', () => {
  expect(choosePgDump({ pgDumps: [client(15, '/first'), client(15, '/second')] }, 150_000).path).toBe('/first');
});

test('a server newer than every client names the package to install', () => {
  expect(() => choosePgDump({ pgDumps: [client(15), client(16)] }, 180_004)).toThrow(
    expect.objectContaining({
      code: 'ProgramMissing',
      message: 'cannot dump a server of PostgreSQL 18: because the newest pg_dump here is 16.2',
      hint: expect.stringContaining('postgresql-client-18') as string,
    }) as Error,
  );
  expect(() => choosePgDump({ pgDumps: [] }, 150_000)).toThrow('because no pg_dump is installed');
});

test('the programs of this machine are found with their versions, a PATH entry first', async () => {
  const path = await programInPath('pg_dump', 'echo "pg_dump (PostgreSQL) 99.1"');
  const tools = await findTools();
  expect(tools.pgDumps[0]).toEqual({ path, version: '99.1', major: 99 });
  expect(tools.pgDumps.length).toBeGreaterThan(1);
  expect(tools.pgDumps.map((tool) => tool.path)).not.toContain('/usr/bin/pg_dump'); // Debian's wrapper
  for (const name of ['bgzip', 'zstd', 'gzip', 'tar', 'setpriv'] as const) {
    expect(tools[name]).toMatchObject({ version: expect.stringMatching(/^\d/) as string });
  }
  expect(tools.psql?.major).toBeLessThan(99); // found on its own: no psql lies beside that pg_dump
});

test('a program that does not run is as good as none', async () => {
  const path = await programInPath('pg_dump', 'echo "error while loading shared libraries" >&2; exit 127');
  expect((await findTools()).pgDumps.map((tool) => tool.path)).not.toContain(path);
});

test('the version of zstd is not the 64 of 64-bit', async () => {
  const path = await programInPath('zstd', 'echo "*** Zstandard CLI (64-bit) v1.5.4, by Yann Collet ***"');
  expect((await findTools()).zstd).toEqual({ path, version: '1.5.4' });
});

test('the tar of BusyBox is found, and refused where an archive is to be made', async () => {
  const path = await programInPath('tar', 'echo "tar (busybox) 1.37.0"');
  const tools = await findTools();
  expect(tools.tar).toEqual({ path, version: '1.37.0', isGnu: false });
  expect(() => requireGnuTar(tools)).toThrow(`cannot archive with ${path}: because it is not GNU tar`);
  expect(() => requireGnuTar({ pgDumps: [] })).toThrow('cannot run tar: because it is not installed');
});

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import type { Compression } from '../../src/domain/target.js';
import { compressor } from '../../src/pipeline/compression.js';
import { proveArtifact } from '../../src/pipeline/prove.js';
import { findTools, type Tools } from '../../src/pipeline/tools.js';
import { captureMounted } from '../../src/sources/directory/capture.js';
import { restoreDirectory } from '../../src/sources/directory/restore.js';
import { restoreDatabase } from '../../src/sources/postgres/restore.js';
import { filledDirectory, mountedAttempt } from '../support/mounted-attempt.js';
import { captureArtifact, restoreInput } from '../support/postgres-artifact.js';
import { createSharedDatabase } from '../support/shared-database.js';
import { psql } from '../support/shared-postgres.js';
import { testDirectory } from '../support/volume-attempt.js';
import { ODD_CONTENT } from '../support/volume-content.js';
import { walk } from '../support/walk.js';

const run = promisify(execFile);
const ROWS_SQL = `SELECT count(*), md5(string_agg(rings::text, '' ORDER BY id)) FROM rings`;

interface Way {
  compression: Compression;
  /** The levels that its tool takes: the least, the most. */
  levels: readonly [number, number];
}

const GZIP = { compression: 'gzip', levels: [0, 9] } as const satisfies Way;
const ZSTD = { compression: 'zstd', levels: [1, 19] } as const satisfies Way;

/** Without bgzip gzip is written by pigz. */
async function toolsFor(program: 'bgzip' | 'pigz' | 'zstd', { compression }: Way): Promise<Tools> {
  const { bgzip, ...others } = await findTools();
  const tools = program === 'bgzip' && bgzip !== undefined ? { ...others, bgzip } : others;
  expect(compressor(tools, compression, 1).file).toMatch(new RegExp(`/${program}$`));
  return tools;
}

/** Nothing is compressed at level 0 of gzip, and at the most more than at the least. */
async function expectSizes({ compression }: Way, [least = '', most = '']: string[]): Promise<void> {
  const [leastBytes, mostBytes] = [(await stat(least)).size, (await stat(most)).size];
  expect(mostBytes).toBeLessThan(leastBytes);
  if (compression === 'zstd') return;
  const { stdout } = await run('sh', ['-c', 'gunzip -c <"$0" | wc -c', least]);
  expect(leastBytes).toBeGreaterThan(Number(stdout));
}

test.each([
  ['bgzip', GZIP],
  ['pigz', GZIP],
  ['zstd', ZSTD],
] as const)('a database by %s goes out and comes back at the least level and at the most', async (program, way) => {
  const tools = await toolsFor(program, way);
  const { name: database, drop } = await createSharedDatabase(5_000);
  onTestFinished(drop);
  const { password, ...server } = inject('postgres');
  const login = { target: 'rings', connection: { ...server, database }, password, tools };
  const expected = await psql(database, ROWS_SQL);
  const paths: string[] = [];
  for (const level of way.levels) {
    const artifact = await captureArtifact(login, { compression: way.compression, level });
    const into = `back_${randomBytes(4).toString('hex')}`;
    onTestFinished(async () => void (await psql('postgres', `DROP DATABASE IF EXISTS ${into}`)));
    await restoreDatabase(restoreInput(login, artifact, { into }));
    expect(await psql(into, ROWS_SQL), `level ${String(level)}`).toBe(expected);
    paths.push(artifact.artifactPath);
  }
  await expectSizes(way, paths);
});

test.each([
  ['bgzip', GZIP],
  ['pigz', GZIP],
  ['zstd', ZSTD],
] as const)('a directory by %s goes out and comes back at the least level and at the most', async (program, way) => {
  const { compression } = way;
  const tools = await toolsFor(program, way);
  const path = await filledDirectory(`${ODD_CONTENT}\nseq 200000 >numbers`);
  const paths: string[] = [];
  for (const level of way.levels) {
    const attempt = await mountedAttempt(path, { compression, level, tools });
    await captureMounted(attempt);
    const { partPath: artifactPath } = attempt;
    for (const entryByEntry of [false, true])
      await proveArtifact({ path: artifactPath, kind: 'volume', compression, tools, entryByEntry });
    const into = join(await testDirectory(), 'restored');
    await restoreDirectory({ ...attempt, into, artifactPath });
    expect(await walk(into), `level ${String(level)}`).toEqual(await walk(path));
    paths.push(artifactPath);
  }
  await expectSizes(way, paths);
});

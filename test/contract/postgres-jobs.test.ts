import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { BGZF_END } from '../../src/pipeline/bgzf.js';
import type { CaptureDatabaseInput } from '../../src/sources/postgres/capture.js';
import type { DatabaseLogin } from '../../src/sources/postgres/connection.js';
import { makeEveryKind } from '../support/drills.js';
import { captureArtifact, loginTo, type Artifact } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';

const run = promisify(execFile);
const PARTS = `
CREATE TABLE large AS SELECT i, md5(i::text) AS text, E'\\\\.\\n' AS hostile FROM generate_series(1, 40000) i;
CREATE TABLE "Large; ""also"
 (id serial PRIMARY KEY, "a
COPY x FROM stdin;" text);
INSERT INTO "Large; ""also" SELECT i, repeat('x', i % 100) FROM generate_series(1, 40000) i;
CREATE TABLE "Odd ""Schema""".large AS SELECT * FROM large;
CREATE TABLE emptied AS SELECT * FROM large; ALTER TABLE emptied REPLICA IDENTITY FULL; DELETE FROM emptied;
CREATE TABLE wide AS SELECT i, repeat(md5(i::text), 3) AS text FROM generate_series(1, 40000) i;
`;

/** The text of a dump; keys of psql's restricted mode are new in each. */
function readable(sql: Buffer): string {
  return sql.toString('latin1').replaceAll(/^(\\(?:un)?restrict) .*$/gm, '$1');
}

async function serialDump({ bin, host, port, user, password }: PostgresServer, database: string): Promise<string> {
  const login = { PGHOST: host, PGPORT: String(port), PGUSER: user, PGPASSWORD: password, PGDATABASE: database };
  const options = { env: { ...process.env, ...login }, encoding: 'buffer' as const, maxBuffer: 1e9 };
  return readable((await run(join(bin, 'pg_dump'), [], options)).stdout);
}

async function contentOf({ artifactPath, manifest }: Artifact): Promise<string> {
  const program = manifest.artifact.compression === 'zstd' ? 'zstd' : 'gzip';
  const options = { encoding: 'buffer' as const, maxBuffer: 1e9 };
  return readable((await run('sh', ['-c', `exec ${program} -dc < "$0"`, artifactPath], options)).stdout);
}

const capture = (login: DatabaseLogin, changes: Partial<CaptureDatabaseInput> = {}) =>
  captureArtifact(login, { jobs: 3, ...changes });

/** How many compressed files follow each other in an artifact of zstd. */
async function countFrames({ artifactPath }: Artifact): Promise<number> {
  const bytes = await readFile(artifactPath);
  let count = 0;
  const magic = Buffer.from('28b52ffd', 'hex');
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 4)) count += 1;
  return count;
}

/** Where the first end mark of bgzip is, from the end. */
async function endMarkOf({ artifactPath }: Artifact): Promise<number> {
  const bytes = await readFile(artifactPath);
  return bytes.indexOf(BGZF_END) - bytes.length;
}

test.each([15, 16, 17, 18])('a dump of PostgreSQL %i by jobs is that of one job, byte by byte', async (major) => {
  const server = await startPostgres({ major, settings: { allow_in_place_tablespaces: 'on', timezone: 'Asia/Tokyo' } });
  onTestFinished(() => server.stop());
  await makeEveryKind(server);
  await server.psql('every', PARTS);
  const login = await loginTo(server, 'every');
  const serial = await serialDump(server, 'every');
  for (const compression of ['gzip', 'zstd'] as const) {
    const artifact = await capture(login, { compression });
    expect((await contentOf(artifact)) === serial, compression).toBe(true);
    if (compression === 'zstd') expect(await countFrames(artifact)).toBeGreaterThan(9);
    else expect(await endMarkOf(artifact)).toBe(-BGZF_END.length);
    expect(artifact.manifest.warnings).toEqual([]);
    expect(await readdir(dirname(artifact.artifactPath))).toEqual(['target.sql.gz.part']);
  }
});

import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { findTools } from '../../src/pipeline/tools.js';
import { captureDatabase } from '../../src/sources/postgres/capture.js';
import { captureArtifact, captureInput, loginTo } from '../support/postgres-artifact.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { failureOf, fakePgDump } from '../support/postgres-trouble.js';
import { waitFor } from '../support/wait-for.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
  await server.psql('postgres', 'CREATE DATABASE data');
  await server.psql('data', `CREATE TABLE noise AS SELECT i, md5(i::text) AS text FROM generate_series(1, 200000) i`);
});
afterAll(() => server.stop());

test.each([
  ['exits 1 after all of its output', '"$REAL" "$@"; echo "pg_dump: error: oops" >&2; exit 1', /because oops$/],
  ['is killed after all of its output', '"$REAL" "$@"; kill -KILL $$', /because pg_dump was ended by SIGKILL/],
  ['exits 0 over half a dump', '"$REAL" "$@" | head -c 500000; exit 0', /end marker of pg_dump is missing/],
  ['exits 0 over nothing', 'exit 0', /it holds nothing/],
  ['exits 1 at once', 'echo "pg_dump: error: oops" >&2; exit 1', /because oops$/],
])('a pg_dump that %s is no success', async (_what, script, message) => {
  await fakePgDump(server, script);
  const login = { ...(await loginTo(server, 'data')), tools: await findTools() };
  const error = await failureOf(captureArtifact(login));
  expect(error.message).toMatch(message);
});

test('a capture whose server ends in mid-dump fails', async () => {
  const halt = 'head -c 100000; touch halfway; until [ -e go ]; do sleep 0.05; done; cat';
  const stop = `cd "$(dirname "$0")"; "$REAL" "$@" | { ${halt}; }; exit "\${PIPESTATUS[0]}"`;
  const directory = await fakePgDump(server, stop);
  const own = await startPostgres();
  onTestFinished(() => own.stop());
  await own.psql('postgres', `CREATE DATABASE large`);
  await own.psql(
    'large',
    `CREATE TABLE noise AS SELECT i, repeat(md5(i::text), 10) AS text FROM generate_series(1, 50000) i`,
  );
  const login = { ...(await loginTo(own, 'large')), tools: await findTools() };
  const capture = failureOf(captureDatabase({ ...(await captureInput(login)) }));
  await waitFor('half a dump', async () => (await readdir(directory)).includes('halfway'));
  await own.kill();
  await writeFile(join(directory, 'go'), '');
  const error = await capture;
  expect(error.retryable).toBe(true);
  expect(error.message).toMatch(
    /^cannot dump target .* because .*(server closed the connection|terminating connection)/,
  );
});

test('the warnings of pg_dump are kept', async () => {
  const warning = `echo "pg_dump: warning: there are circular foreign-key constraints" >&2; echo "pg_dump: detail: t" >&2`;
  await fakePgDump(server, `${warning}; echo "pg_dump: warning: second" >&2; exec "$REAL" "$@"`);
  const { manifest } = await captureArtifact({ ...(await loginTo(server, 'data')), tools: await findTools() });
  expect(manifest.warnings).toEqual([
    'pg_dump: there are circular foreign-key constraints pg_dump: detail: t',
    'pg_dump: second',
  ]);
});

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { attemptsOf } from '../support/attempts.js';
import { ownDeployment } from '../support/own-parts.js';
import { holdDumpsOf, ownPostgres, serverItem } from '../support/own-postgres.js';
import { CANARY, HOSTILE_PASSWORD } from '../support/postgres-trouble.js';
import { filesIn } from '../support/snapshot.js';
import { waitFor } from '../support/wait-for.js';
import { expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';

const run = promisify(execFile);

describe.concurrent('a PostgreSQL server', () => {
  it('that is killed in mid-dump is dumped anew when it is back', async (test) => {
    const server = await ownPostgres(test);
    await server.psql('postgres', 'CREATE DATABASE data');
    await server.psql('data', `CREATE TABLE rings AS SELECT n, md5(n::text) FROM generate_series(1, 100000) n`);
    const deployment = await ownDeployment(test, {
      databases: serverItem(server, 'mordor', 'data'),
      env: { SERVER_PASSWORD: server.password },
      settings: { attempts: 30 },
    });
    const hold = await holdDumpsOf(server, 'data');
    const worker = await startWatchedWorker(deployment);
    const { id, directory, ...following } = await startRun(deployment);
    await hold.reached();
    await server.kill();
    const log = () => readFile(worker.logFile, 'utf8');
    await waitFor('the end of the dump', async () =>
      /cannot dump mordor .*server closed the connection/.test(await log()),
    );
    await waitFor('another attempt', async () => /cannot connect to mordor .*Connection refused/.test(await log()));
    expect((await filesIn(directory)).filter((name) => !name.endsWith('.part'))).toEqual(['run.json']);
    await server.restart();
    await expectSuccess({ id, directory, ...following });

    expect((await attemptsOf(deployment, 'mordor'))['captureTarget']).toBeGreaterThanOrEqual(3);
    const artifacts = (await filesIn(deployment.backupDir)).filter((path) => path.endsWith('.gz'));
    expect(artifacts).toEqual([`${id}/mordor_${id}.sql.gz`]);
    const { stdout } = await run('gunzip', ['-c', join(directory, `mordor_${id}.sql.gz`)], { maxBuffer: 64_000_000 });
    expect(stdout.slice(-200)).toContain('\n-- PostgreSQL database dump complete\n');
    await expectNothingLeft(deployment);
  });

  it('with odd names and every sign in its password is backed up and restored', async (test) => {
    const server = await ownPostgres(test, { user: `us'er "x" @:/`, password: HOSTILE_PASSWORD });
    const databases = { option: '-h evil', quotes: `a'b"c`, conninfo: 'x=1 dbname=postgres' };
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
    for (const [target, name] of Object.entries(databases)) {
      await server.psql('postgres', `CREATE DATABASE ${quoted(name)}`);
      await server.psql(name, `CREATE TABLE of_${target} AS SELECT n FROM generate_series(1, 100) n`);
    }
    const items = Object.entries(databases).map(([target, name]) => serverItem(server, target, name));
    const deployment = await ownDeployment(test, {
      databases: items.join('\n'),
      env: { SERVER_PASSWORD: HOSTILE_PASSWORD },
    });
    const worker = await startWatchedWorker(deployment);
    const { code, json, stderr } = await deployment.backupctl(['run', '--json']);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect((json as RunReport).targets.map(({ target }) => target)).toEqual(Object.keys(databases));

    for (const [target, name] of Object.entries(databases)) {
      await server.psql('postgres', `DROP DATABASE ${quoted(name)}`);
      const restored = await deployment.backupctl(['restore', target]);
      expect({ target, code: restored.code, stderr: restored.code === 0 ? '' : restored.stderr }).toEqual({
        ...{ target, code: 0, stderr: '' },
      });
      expect(await server.psql(name, `SELECT count(*), sum(n) FROM of_${target}`)).toBe('100|5050');
    }
    expect(await readFile(worker.logFile, 'utf8')).not.toContain(CANARY);
  });
});

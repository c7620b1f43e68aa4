import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readDatabase } from '../../scripts/demo/database-portrait.js';
import { differencesBetween } from '../../scripts/demo/comparison.js';
import type { RunReport } from '../../src/domain/run.js';
import { deploy, volumeItem, type Deployment } from '../support/deployment.js';
import { createVolume, insideVolume, removeVolume } from '../support/docker-volume.js';
import { RICH_ROLES_SQL, RICH_SQL } from '../support/postgres-content.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { ODD_CONTENT } from '../support/volume-content.js';
import { walk } from '../support/walk.js';

const run = promisify(execFile);
const id = randomBytes(4).toString('hex');
const database = 'rich';
const byHand = 'by_hand';
const volume = `odd-${id}`;

let server: PostgresServer; // of its own: the database's roles are the server's
let deployment: Deployment;
let artifacts: Record<string, string>;

/** What one run of the service leaves, in both compressions; nothing of the service is used after this. */
beforeAll(async () => {
  server = await startPostgres();
  await server.psql('postgres', RICH_ROLES_SQL);
  await server.psql('postgres', `CREATE DATABASE ${database} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' OWNER lord`);
  await server.psql(database, RICH_SQL);
  await createVolume(volume, ODD_CONTENT);
  deployment = await deploy({
    databases: [item('rich', 'gzip'), item('rich-zstd', 'zstd')].join('\n'),
    env: { DB_PASSWORD: server.password },
    volumes: [volumeItem('odd', volume), volumeItem('odd-zstd', volume, 'compression: zstd')].join('\n'),
  });
  await deployment.startWorker();
  const { json } = await deployment.backupctl(['run', '--json']);
  const report = json as RunReport;
  expect(report.outcome).toBe('succeeded');
  const place = (name = '') => join(deployment.backupDir, report.run, name);
  artifacts = Object.fromEntries(report.targets.map((t) => [t.target, place(t.artifact)]));
});
afterAll(async () => {
  await deployment.close();
  await removeVolume(volume);
  await server.stop();
});

function item(name: string, compression: string): string {
  const { host, port, user } = server;
  const connection = { host, port, user, password: '${DB_PASSWORD}', database };
  return `  - name: ${name}\n    compression: ${compression}\n    config: ${JSON.stringify(connection)}`;
}

async function restored(sql: string): Promise<string[]> {
  await server.psql('postgres', `DROP DATABASE IF EXISTS ${byHand}`);
  await server.psql('postgres', `CREATE DATABASE ${byHand} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' OWNER lord`);
  await server.psql(byHand, sql);
  return differencesBetween(await readDatabase(server.psql, database), await readDatabase(server.psql, byHand));
}

describe('stock tools alone restore', () => {
  it('a database: gunzip, psql', async () => {
    expect(await restored(gunzipSync(await readFile(artifacts['rich']!)).toString())).toEqual([]);
    const { stdout } = await run('gunzip', ['-c', artifacts['rich']!], { maxBuffer: 1e9 });
    expect(await restored(stdout)).toEqual([]);
    await server.psql(byHand, 'CREATE TABLE one_more (n int)');
    expect(
      differencesBetween(await readDatabase(server.psql, database), await readDatabase(server.psql, byHand)),
    ).not.toEqual([]);
  });

  it('a database: zstd, psql', async () => {
    const { stdout } = await run('zstd', ['-dc', artifacts['rich-zstd']!], { maxBuffer: 1e9 });
    expect(await restored(stdout)).toEqual([]);
  });

  for (const [target, options] of [
    ['odd', ['xzpf']],
    ['odd-zstd', ['--zstd', '-xpf']],
  ] as const) {
    it(`a volume, owners, modes, links, sparse files and odd names included: tar ${options.join(' ')}`, async () => {
      const directory = join(deployment.directory, `extracted-${target}`);
      await mkdir(directory);
      await run('tar', [...options, artifacts[target]!, '--xattrs', '--xattrs-include=*', '-C', directory]);
      expect(await walk(directory)).toEqual(await walk(await insideVolume(volume)));
    });
  }
});

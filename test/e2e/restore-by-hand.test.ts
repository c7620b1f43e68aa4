import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { differencesBetween, type Portrait } from '../../scripts/demo/comparison.js';
import { readDatabase } from '../../scripts/demo/database-portrait.js';
import type { RunReport } from '../../src/domain/run.js';
import { ensureHelperImage } from '../../src/sources/docker/helper-image.js';
import { deploy, volumeItem, type Deployment } from '../support/deployment.js';
import { createVolume, insideVolume, removeVolume } from '../support/docker-volume.js';
import { serverItem } from '../support/own-postgres.js';
import { RICH_ROLES_SQL, RICH_SQL } from '../support/postgres-content.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { createBucket } from '../support/s3-server.js';
import { exportedNames, readShellBlocks, runBlock, type Surroundings } from '../support/shell-blocks.js';
import { ODD_CONTENT, ODD_RIGHTS } from '../support/volume-content.js';
import { walk, type WalkedFile } from '../support/walk.js';

const DOCUMENT = new URL('../../docs/restore.md', import.meta.url);
const CLIENT = fileURLToPath(new URL('../../dist/client.js', import.meta.url));
const id = randomBytes(4).toString('hex');
const bucket = `by-hand-${id}`;
const volume = `odd-${id}`;
const newVolume = `by-hand-${id}`;
const NEW_PASSWORD = 'set after the backup';

const blocks = readShellBlocks(await readFile(DOCUMENT, 'utf8'));
const isOurs = ({ heading }: { heading: string }) => heading === 'With backupctl';
const [variables, ...byHand] = blocks.filter((block) => !isOurs(block));

/** Older than 17, for what a dump by newer clients needs; of its own, since roles are the server's. */
let server: PostgresServer;
let newest: PostgresServer;
let deployment: Deployment;
let surroundings: Surroundings;
let work: string;
const origins = new Map<string, Portrait>();
let files: WalkedFile[];

const ORDERS = `
CREATE TABLE orders (id int PRIMARY KEY, what text); COMMENT ON TABLE orders IS 'of rings';
CREATE INDEX orders_what ON orders (what);
INSERT INTO orders SELECT i, E'order\\t' || i || E'\\nCOPY public.orders (id, what) FROM stdin;' FROM generate_series(1, 500) i;
GRANT SELECT ON orders TO minstrel;
`;

async function fillServer(): Promise<void> {
  await server.psql('postgres', RICH_ROLES_SQL);
  const create = (name: string, options: string) =>
    server.psql('postgres', `CREATE DATABASE ${name} TEMPLATE template0 LOCALE 'C' OWNER lord ${options}`);
  await create('mordor', `ENCODING 'UTF8'`);
  await create('gondor', `ENCODING 'UTF8' CONNECTION LIMIT 7`);
  await create('rohan', `ENCODING 'LATIN1'`);
  for (const name of ['mordor', 'gondor', 'rohan']) await server.psql(name, RICH_SQL + ORDERS);
  await server.psql(
    'gondor',
    `COMMENT ON DATABASE gondor IS 'its ''white'' city'; ALTER DATABASE gondor SET search_path TO "$user", "Odd ""Schema""", public;
     ALTER DATABASE gondor SET my.setting TO 'it''s'; ALTER ROLE minstrel IN DATABASE gondor SET work_mem TO '8MB';
     REVOKE ALL ON DATABASE gondor FROM PUBLIC; GRANT CONNECT, CREATE ON DATABASE gondor TO "Steward of ""Gondor""" WITH GRANT OPTION;
     ALTER DATABASE gondor IS_TEMPLATE true`,
  );
  for (const name of ['shire', 'bree']) {
    await newest.psql('postgres', `CREATE DATABASE ${name} TEMPLATE template0 LOCALE 'C'`);
    await newest.psql(name, 'CREATE TABLE hobbits AS SELECT i, md5(i::text) FROM generate_series(1, 100) i');
  }
}

function items(): { databases: string; volumes: string } {
  const custom = '\n    dump_format: custom';
  const databases = [
    serverItem(server, 'mordor', 'mordor'),
    serverItem(server, 'gondor', 'gondor') + '\n    compression: zstd',
    serverItem(server, 'rohan', 'rohan') + custom,
    serverItem(newest, 'shire', 'shire'),
    serverItem(newest, 'bree', 'bree') + custom,
  ];
  const volumes = [volumeItem('uploads', volume), volumeItem('media', volume, 'compression: zstd')];
  return { databases: databases.join('\n'), volumes: volumes.join('\n') };
}

/** What the document names at its top; a program `backupctl` where it can be found. */
async function surroundingsFor(run: string): Promise<Surroundings> {
  const place = (name: string) => join(deployment.directory, name);
  work = place('work');
  await mkdir(place('bin'));
  await writeFile(place('bin/backupctl'), `#!/bin/sh\nexec "${process.execPath}" "${CLIENT}" "$@"\n`, { mode: 0o755 });
  await writeFile(place('.pgpass'), `*:*:*:*:${server.password}\n*:*:*:*:${NEW_PASSWORD}\n`, { mode: 0o600 });
  const s3 = inject('s3');
  await writeFile(place('.s3-keys'), `user = "${s3.accessKeyId}:${s3.secretAccessKey}"\n`, { mode: 0o600 });
  const values = {
    ...{ BACKUP_DIR: deployment.backupDir, RUN: run, WORK: work },
    ...{ PGHOST: server.host, PGPORT: String(server.port), PGUSER: server.user, PGPASSFILE: place('.pgpass') },
    ...{ NEWEST_BIN: newest.bin, GLOBALS: `globals_127.0.0.1-${String(server.port)}` },
    ...{ NEW_VOLUME: newVolume, IMAGE: await ensureHelperImage({ signal: new AbortController().signal }) },
    ...{ S3_ENDPOINT: s3.endpoint, S3_REGION: s3.region, S3_BUCKET: bucket, S3_PREFIX: 'night/ly/' },
    S3_KEYS: place('.s3-keys'),
  };
  expect(exportedNames(variables!).sort()).toEqual(Object.keys(values).sort());
  const path = [place('bin'), server.bin, process.env['PATH'], newest.bin].join(':');
  return { cwd: deployment.directory, env: { ...deployment.env, ...values, PATH: path } };
}

beforeAll(async () => {
  [server, newest] = await Promise.all([startPostgres({ major: 16 }), startPostgres({ major: 18 })]);
  await Promise.all([
    fillServer(),
    createVolume(volume, ODD_CONTENT + ODD_RIGHTS),
    createBucket(inject('s3').endpoint, bucket),
  ]);
  for (const name of ['mordor', 'gondor', 'rohan']) origins.set(name, await readDatabase(server.psql, name));
  for (const name of ['shire', 'bree']) origins.set(name, await readDatabase(newest.psql, name));
  files = await walk(await insideVolume(volume));
  const settings = { globals: true };
  const s3 = { bucket, prefix: 'night/ly' };
  deployment = await deploy({ ...items(), env: { SERVER_PASSWORD: server.password }, settings, s3 });
  const worker = await deployment.startWorker({ PATH: `${server.bin}:${newest.bin}:${String(process.env['PATH'])}` });
  const { json, stderr, code } = await deployment.backupctl(['run', '--json']);
  expect(code, stderr).toBe(0);
  await worker.stop();
  surroundings = await surroundingsFor((json as RunReport).run);
});
afterAll(async () => {
  await deployment.close();
  await Promise.all([volume, newVolume, `${newVolume}_copy`].map(removeVolume));
  await Promise.all([server.stop(), newest.stop()]);
});

describe('each command of docs/restore.md works: with backupctl', () => {
  for (const block of blocks.filter(isOurs)) {
    it(block.script.split(/ *#|\n/)[0] ?? '', () => runBlock(block, surroundings));
  }
  it('and what was restored is what was backed up', async () => {
    const restored = await readDatabase(server.psql, 'mordor_check');
    expect(differencesBetween(origins.get('mordor')!, restored)).toEqual([]);
    expect(await walk(join(deployment.directory, 'uploads_check'))).toEqual(files);
  });
});

/** Databases and a role are gone, rows of another one too, and the server has another password. */
async function loseMuch(): Promise<void> {
  await server.psql('postgres', 'ALTER DATABASE gondor IS_TEMPLATE false');
  for (const name of ['mordor_check', 'gondor', 'rohan']) await server.psql('postgres', `DROP DATABASE ${name}`);
  await server.psql('mordor', 'DROP OWNED BY minstrel; DROP ROLE minstrel; TRUNCATE orders');
  await server.psql('postgres', `ALTER ROLE ${server.user} PASSWORD '${NEW_PASSWORD}'`);
  await writeFile(surroundings.env['PGPASSFILE']!, `*:*:*:*:${NEW_PASSWORD}\n`);
}

/** Since PostgreSQL 17 an owner may also maintain a table, `m`. */
function isNotOfMajors(difference: string): boolean {
  return !/rights is "postgres=arwdDxt\/postgres" instead of "postgres=arwdDxtm\/postgres"$/.test(difference);
}

describe('each command of docs/restore.md works: without anything of ours', () => {
  const said = new Map<string, string>();

  beforeAll(loseMuch);
  it('sets variables, and these alone', () => runBlock(variables!, surroundings));
  for (const [index, block] of byHand.entries()) {
    it(`${String(index + 1)}. ${block.heading}`, async () => {
      said.set(block.heading, (said.get(block.heading) ?? '') + (await runBlock(block, surroundings)));
    });
  }

  it('tells what there is', () => {
    const run = surroundings.env['RUN']!;
    const under = (heading: string) => said.get(`Without anything of ours > ${heading}`)?.trimEnd().split('\n') ?? [];
    expect(under('The newest good run')).toHaveLength(9);
    expect(under('The newest good run')).toContainEqual(
      expect.stringMatching(new RegExp(`^\\S+\\t${run}\\tuploads\\tuploads_volume_${run}\\.tar\\.gz$`)),
    );
    expect(under('From S3')).toContain(`<Prefix>night/ly/${run}/`);
    expect(under('From S3').filter((line) => line.endsWith(': OK'))).toHaveLength(9);
    expect(under('Is it whole?').filter((line) => line.endsWith(': OK'))).toHaveLength(18);
  });

  it('brings single tables back', async () => {
    const rowsOf = (table: string) => `SELECT count(*), md5(string_agg(o::text, ',' ORDER BY id)) FROM ${table} o`;
    const rows = await server.psql('mordor', rowsOf('orders'));
    expect(rows).toMatch(/^500\|/);
    expect(await server.psql('rohan_table', rowsOf('orders'))).toBe(rows);
    const before = 'SELECT count(*) FROM (TABLE orders INTERSECT TABLE orders_before) same; DROP TABLE orders_before';
    expect(await server.psql('mordor', before)).toBe('500');
    const chosen = await readDatabase(server.psql, 'rohan_chosen');
    expect([...chosen.keys()].filter((key) => key.includes('orders')).length).toBeGreaterThan(3);
    expect(await server.psql('rohan_chosen', rowsOf('orders'))).toBe(rows);
  });

  const restored = { mordor: 'mordor', gondor: 'gondor_new', rohan: 'rohan_new', shire: 'shire_new', bree: 'bree_new' };
  for (const [name, into] of Object.entries(restored)) {
    it(`brings ${name} back, with its properties`, async () => {
      const differences = differencesBetween(origins.get(name)!, await readDatabase(server.psql, into));
      expect(differences.filter(isNotOfMajors)).toEqual([]);
    });
  }

  it('closes and marks databases as they were', async () => {
    const properties = `SELECT datname FROM pg_database WHERE datistemplate AND datname LIKE 'gondor%' OR NOT datallowconn ORDER BY 1`;
    expect(await server.psql('postgres', properties)).toBe('gondor_new\nmordor_old\ntemplate0');
  });

  it('brings volumes back with owners, modes, links, attributes, holes and odd names', async () => {
    for (const name of [newVolume, `${newVolume}_copy`])
      expect(await walk(await insideVolume(name)), name).toEqual(files);
    expect(await walk(join(work, 'media'))).toEqual(files);
    const some = files.filter(({ path }) => path === 'noise' || /^deep(\/|$)/.test(path));
    const found = await walk(join(work, 'files'));
    expect(found.filter(({ path }) => path !== '.')).toEqual(some);
  });
});

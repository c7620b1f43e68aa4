import { randomBytes } from 'node:crypto';
import { open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import type { RestoredTarget } from '../../src/domain/restore-plan.js';
import type { RunReport } from '../../src/domain/run.js';
import { databaseItem, deploy, volumeItem, type Deployment } from '../support/deployment.js';
import { createVolume, insideVolume, removeVolume, volumeExists } from '../support/docker-volume.js';
import { serviceOf } from '../support/leftovers.js';
import { runScript } from '../support/run-script.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { s3Destination, useProvidedS3 } from '../support/s3-place.js';
import { createBucket } from '../support/s3-server.js';
import { startSilentServer } from '../support/silent-server.js';
import { psql } from '../support/shared-postgres.js';
import { dockerLines } from '../support/volume-attempt.js';
import { ODD_CONTENT } from '../support/volume-content.js';
import { waitFor } from '../support/wait-for.js';
import { walk } from '../support/walk.js';

const id = randomBytes(4).toString('hex');
const mordor = `mordor_${id}`;
const slow = `slow_${id}`;
const owner = `sauron_${id}`;
const volume = `data-${id}`;
const bucket = `restore-${id}`;
const databases = `${databaseItem('mordor', mordor)}\n${databaseItem('slow', slow)}`;
const volumes = volumeItem('data', volume);
/** Nobody has to answer there: a restore asks no Temporal server. */
const NO_TEMPORAL = { TEMPORAL_ADDRESS: '127.0.0.1:1' };

let deployment: Deployment;
let first: string;
let second: string;

beforeAll(async () => {
  await psql('postgres', `CREATE ROLE ${owner}; CREATE DATABASE ${mordor} OWNER ${owner}; CREATE DATABASE ${slow}`);
  await psql(
    mordor,
    `CREATE TABLE rings AS SELECT n FROM generate_series(1, 1000) n; ALTER TABLE rings OWNER TO ${owner}`,
  );
  await psql(slow, NEVER_RESTORED);
  await createVolume(volume, ODD_CONTENT);
  await createBucket(inject('s3').endpoint, bucket);
  deployment = await deploy({ databases, volumes, s3: { bucket } });
  const worker = await deployment.startWorker();
  first = await backUp();
  await psql(mordor, 'DELETE FROM rings WHERE n > 9');
  second = await backUp();
  await worker.stop();
  await useProvidedS3();
});
afterAll(async () => {
  await deployment.close();
  await removeVolume(volume);
  const made = await psql('postgres', `SELECT quote_ident(datname) FROM pg_database WHERE datname LIKE '%${id}%'`);
  for (const name of made.split('\n').filter(Boolean)) await psql('postgres', `DROP DATABASE ${name} WITH (FORCE)`);
  await psql('postgres', `DROP ROLE IF EXISTS ${owner}`);
});

/** Content whose restore stops in the middle of a table and goes on in no test's lifetime. */
const NEVER_RESTORED = `
  CREATE FUNCTION pause(n int) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN IF current_database() LIKE '%restoring%' THEN PERFORM pg_sleep(86400); END IF; RETURN true; END $$;
  CREATE TABLE kept (n int CHECK (pause(n)));
  INSERT INTO kept VALUES (1);`;

async function backUp(): Promise<string> {
  const { json, stderr } = await deployment.backupctl(['run', '--json']);
  expect(json, stderr).toMatchObject({ outcome: 'succeeded' });
  return (json as RunReport).run;
}

function restore(...args: string[]) {
  return deployment.backupctl(['restore', ...args], NO_TEMPORAL);
}

async function allDatabases(): Promise<string[]> {
  return (await psql('postgres', `SELECT datname FROM pg_database WHERE datname LIKE '%${id}%' ORDER BY 1`)).split(
    '\n',
  );
}

const scratch = async () => (await readdir(deployment.backupDir)).filter((name) => name.startsWith('.restore-'));

describe('backupctl restore of a database', () => {
  it('makes a new one out of the newest artifact, and says what it does', async () => {
    const into = `a'b"c ${id}`;
    const { code, stderr, json } = await restore('MORDOR', '--into', into, '--json');
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(new RegExp(`taking run ${second} .* in ${deployment.backupDir}\n`));
    expect(stderr).toMatch(new RegExp(`\nchecking ${deployment.backupDir}/${second}/mordor_${second}.sql.gz\n`));
    expect(stderr).toMatch(/\nrestored mordor of run \S+ into the database a'b"c \S+ \(.+ in .+\)\n$/);
    expect(json).toEqual({
      target: 'mordor',
      kind: 'database',
      run: second,
      destination: 'local',
      location: join(deployment.backupDir, second, `mordor_${second}.sql.gz`),
      into,
      sizeBytes: expect.any(Number) as number,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      warnings: [],
    });
    expect(await psql(into, 'SELECT count(*), max(n) FROM rings')).toBe('9|9');
    expect(await psql(into, "SELECT tableowner FROM pg_tables WHERE tablename = 'rings'")).toBe(owner);
  });

  it('takes another run and another destination where they are named, and leaves no file behind', async () => {
    const into = `first_${id}`;
    const { code, stderr, stdout } = await restore('mordor', '--run', first, '--from', 's3', '--into', into);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toContain(`fetching s3://${bucket}/${first}/mordor_${first}.sql.gz\n`);
    expect(await psql(into, 'SELECT count(*), max(n) FROM rings')).toBe('1000|1000');
    expect(await scratch()).toEqual([]);
  });

  it('goes to the bucket where the directory lacks the artifact, also where there is no directory at all', async () => {
    const aside = `${deployment.backupDir}.away`;
    await rename(deployment.backupDir, aside);
    onTestFinished(() => rename(aside, deployment.backupDir));
    const { code, stderr } = await restore('mordor', '--into', `elsewhere_${id}`);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      `cannot use ${deployment.backupDir}: because there is no such directory; looking further\n`,
    );
    expect(stderr).toContain(`fetching s3://${bucket}/${second}/`);
  });

  it('refuses a name that is taken, before it reads a byte', async () => {
    const before = await allDatabases();
    const { code, stderr } = await restore('mordor');
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`because that database exists on .*\nHINT: .*--into`));
    expect(stderr).not.toContain('checking');
    expect(await allDatabases()).toEqual(before);
  });

  it('refuses bytes that are not those of the manifest, and touches nothing', async () => {
    const path = join(deployment.backupDir, second, `mordor_${second}.sql.gz`);
    await flipByte(path);
    onTestFinished(() => flipByte(path));
    const before = await allDatabases();
    const { code, stderr } = await restore('mordor', '--into', `damaged_${id}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/because its SHA-256 is [0-9a-f]{64}, and its manifest names [0-9a-f]{64}\nHINT: .*--from/);
    expect(await allDatabases()).toEqual(before);
  });

  it('never takes an older one in silence because the newest is missing', async () => {
    const path = join(deployment.backupDir, second, `mordor_${second}.sql.gz`);
    await rename(path, `${path}.away`);
    onTestFinished(() => rename(`${path}.away`, path));
    const { code, stderr } = await restore('mordor', '--from', 'local', '--into', `older_${id}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/because it is missing, or has another size .*\nHINT: .*--run/);
    // Its copy in the bucket is as good.
    const copy = await restore('mordor', '--into', `copy_${id}`);
    expect(copy.code, copy.stderr).toBe(0);
    expect(copy.stderr).toContain(`fetching s3://${bucket}/${second}/mordor_${second}.sql.gz\n`);
  });

  it('replaces the one that is there where its name is said twice, and says how to go back', async () => {
    const before = await allDatabases();
    for (const confirm of [[], ['--confirm', 'slow']]) {
      const refused = await restore('mordor', '--in-place', ...confirm);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(/it replaces the database mordor_\S+ on .*--confirm mordor/);
    }
    expect(await allDatabases()).toEqual(before);
    const { code, stderr, json } = await restore(
      'mordor',
      '--run',
      first,
      '--in-place',
      '--confirm',
      'mordor',
      '--json',
    );
    expect(code, stderr).toBe(0);
    const { keptAs, keptCommands } = json as Required<RestoredTarget>;
    expect(keptAs).toMatch(new RegExp(`^${mordor}_before_\\d{8}_\\d{6}$`));
    expect(stderr).toContain(`is kept as ${keptAs}\n  to remove it:     ${keptCommands.remove}\n`);
    expect(await psql(mordor, 'SELECT count(*) FROM rings')).toBe('1000');
    await psql('postgres', keptCommands.goBack);
    expect(await psql(mordor, 'SELECT count(*) FROM rings')).toBe('9');
  });

  it('brings the rows of the tables that are named', async () => {
    const { code, stderr } = await restore('mordor', '--tables', 'rings', '--into', `part_${id}`);
    expect(code, stderr).toBe(0);
    expect(await psql(`part_${id}`, 'SELECT count(*) FROM rings')).toBe('9');
    const none = await restore('mordor', '--tables', 'ring', '--into', `none_${id}`);
    expect([none.code, none.stderr.includes('did you mean public.rings?')]).toEqual([4, true]);
  });

  it('names the roles that the server lacks before anything is touched, and goes without them when asked to', async () => {
    await psql('postgres', `ALTER ROLE ${owner} RENAME TO ${owner}_away`);
    onTestFinished(async () => void (await psql('postgres', `ALTER ROLE ${owner}_away RENAME TO ${owner}`)));
    const before = await allDatabases();
    const refused = await restore('mordor', '--into', `roles_${id}`);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(new RegExp(`lacks the role "${owner}"\nHINT: .*--no-owner`));
    expect(await allDatabases()).toEqual(before);
    const without = await restore('mordor', '--no-owner', '--into', `roles_${id}`);
    expect(without.code, without.stderr).toBe(0);
    expect(without.stderr).toMatch(/\nwarning: left out \d+ statements/);
    expect(await psql(`roles_${id}`, 'SELECT count(*) FROM rings')).toBe('9');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('removes at %s what it made and fetched', async (signal) => {
    const before = await allDatabases();
    const command = deployment.startBackupctl(
      ['restore', 'slow', '--from', 's3', '--into', `ended_${id}`],
      NO_TEMPORAL,
    );
    await waitFor('the restore to fill a table', async () => {
      const sql = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname LIKE 'ended_${id}_restoring_%'`;
      return (await psql('postgres', sql)) === '1';
    });
    expect(await scratch()).toHaveLength(1);
    command.child.kill(signal);
    const { code, stderr } = await command.ended;
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('ending, and removing what was made\n');
    expect(await allDatabases()).toEqual(before);
    expect(await scratch()).toEqual([]);
  });

  it('can be ended while a destination does not answer', async () => {
    const silent = await startSilentServer();
    onTestFinished(() => silent.close());
    await deployment.configure({ s3: { bucket, endpoint: `http://127.0.0.1:${String(silent.port)}` } });
    onTestFinished(() => deployment.configure({}));
    const command = deployment.startBackupctl(['restore', 'mordor', '--run', '20010101_000000'], NO_TEMPORAL);
    await waitFor('it to look in the bucket', () => command.output.stderr.includes('looking further'));
    command.child.kill('SIGINT');
    expect(await command.ended).toMatchObject({ code: 130, stdout: '' });
  });

  it.each([
    ['has no entry for it', '', /has no entry for it, .*\nHINT: add its entry again, or restore by hand: gunzip/],
    ['is disabled', databaseItem('mordor', mordor, 'enabled: false'), /is disabled\nHINT: set `enabled: true`/],
    ['has an error', databaseItem('mordor', '${UNSET}'), /its entry has an error:\n.*UNSET is not set/],
  ])('needs the entry of the target: one that %s is refused', async (_what, item, said) => {
    await deployment.configure({ databases: item === '' ? databaseItem('slow', slow) : item });
    onTestFinished(() => deployment.configure({}));
    const { code, stderr } = await restore('mordor', '--into', `entry_${id}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(said);
    expect(await allDatabases()).not.toContain(`entry_${id}`);
  });
});

describe('backupctl restore of a volume', () => {
  it('makes a new one with every file as it was, also when it is configured no more', async () => {
    await deployment.configure({ volumes: '' });
    onTestFinished(() => deployment.configure({}));
    const into = `restored-${id}`;
    onTestFinished(() => removeVolume(into));
    const { code, stderr } = await restore('data', '--from', 's3', '--into', into);
    expect(code, stderr).toBe(0);
    expect(await walk(await insideVolume(into))).toEqual(await walk(await insideVolume(volume)));
    expect(await scratch()).toEqual([]);
  });

  it('refuses a name that is taken, before it fetches a byte', async () => {
    const { code, stderr } = await restore('data', '--from', 's3');
    expect(code).toBe(1);
    expect(stderr).toMatch(/because it exists\nHINT: .*--into/);
    expect(stderr).not.toContain('fetching');
    expect(await volumeExists(volume)).toBe(true);
  });
});

describe('backupctl restore of a volume in place', () => {
  it('needs its name twice, and gives it the content of the artifact while the old one stays', async () => {
    const inside = await insideVolume(volume);
    const captured = await walk(inside);
    await runScript(inside, 'echo changed >changed');
    const changed = await walk(inside);
    expect(await restore('data', '--in-place', '--confirm', 'mordor')).toMatchObject({ code: 2 });
    expect(await walk(inside)).toEqual(changed);

    const { code, json, stderr } = await restore('data', '--in-place', '--confirm', 'data', '--json');
    expect(code, stderr).toBe(0);
    const { keptAs } = json as { keptAs: string };
    onTestFinished(() => removeVolume(keptAs));
    expect(keptAs).toMatch(new RegExp(`^${volume}_before_\\d{8}_\\d{6}$`));
    expect(stderr).toContain(`to remove it:     docker volume rm ${keptAs}`);
    expect(await walk(inside)).toEqual(captured);
    expect(await walk(await insideVolume(keptAs))).toEqual(changed);
  });
});

describe('backupctl restore of parts of a volume', () => {
  it('makes a new one of these paths, or none at all', async () => {
    const into = `parts-${id}`;
    onTestFinished(() => removeVolume(into));
    const wrong = await restore('data', '--into', into, '--paths', 'deep/fist');
    expect(wrong.code).toBe(4);
    expect(wrong.stderr).toMatch(/the artifact has no "deep\/fist"\nHINT: .*such as "deep\/first"/);
    expect(await volumeExists(into)).toBe(false);

    const { code, stderr } = await restore(
      'data',
      '--into',
      into,
      '--paths',
      'deep/b,noise',
      '--paths',
      'names/*?[a-z]',
    );
    expect(code, stderr).toBe(0);
    const paths = (await walk(await insideVolume(into))).map(({ path }) => path);
    const deep = ['deep', 'deep/b', 'deep/b/c', 'deep/b/d', 'deep/b/d/third name'];
    expect(paths).toEqual(['.', ...deep, 'names', 'names/*?[a-z]', 'noise'].sort());
    expect(await scratch()).toEqual([]);
  });
});

describe('backupctl verify --drill of a volume', () => {
  it('restores it on trial, says how long that took, and leaves nothing', async () => {
    const { code, stdout, stderr } = await deployment.backupctl(['verify', 'data', '--drill'], NO_TEMPORAL);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^verified \S+\/data_volume_\d{8}_\d{6}\.tar\.gz, .+ in .+, restored in .+\n$/);
    expect((await readdir(deployment.backupDir)).filter((name) => name.startsWith('.drill-'))).toEqual([]);
    const ours = `label=backup-orchestrator.service=${await serviceOf(deployment)}`;
    expect(await dockerLines('volume', 'ls', '-q', '--filter', ours)).toEqual([]);
  });
});

describe('backupctl restore', () => {
  it('tells what is not there from what went wrong', async () => {
    const unknown = await restore('rohan');
    expect(unknown.code).toBe(4);
    expect(unknown.stderr).toMatch(/cannot restore rohan: because there is no artifact of it in /);
    const never = await restore('mordor', '--run', '20010101_000000');
    expect(never.code).toBe(4);
    expect(never.stderr).toMatch(/because there is none of run 20010101_000000 in /);
    for (const wrong of [['--run', 'yesterday'], ['--from', 'moon'], []]) {
      expect((await deployment.backupctl(['restore', ...(wrong.length === 0 ? [] : ['mordor']), ...wrong])).code).toBe(
        2,
      );
    }
  });

  it('takes its own artifacts before those of another service, and never guesses between strangers', async () => {
    const s3 = s3Destination({ bucket, prefix: '' });
    await placeArtifact([s3], { target: 'mordor', run: '20991231_000000', service: 'gondor' });
    const own = await restore('mordor', '--from', 's3', '--into', mordor);
    expect(own.stderr).toContain(`taking run ${second} `);
    await deployment.configure({ settings: { service: 'rohan' } });
    onTestFinished(() => deployment.configure({}));
    const strangers = await restore('mordor', '--from', 's3', '--into', mordor);
    expect(strangers.code).toBe(1);
    expect(strangers.stderr).toMatch(/because several services have some \(gondor, .*\)\nHINT: name a run by --run/);
    const named = await restore('mordor', '--from', 's3', '--run', second, '--into', mordor);
    expect(named.stderr).toMatch(/this service \(rohan\) has no such artifact; taking one of the service /);
    expect(named.stderr).toContain(`taking run ${second} `);
  });
});

async function flipByte(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, 200);
    byte[0] = (byte[0] ?? 0) ^ 0xff;
    await file.write(byte, 0, 1, 200);
  } finally {
    await file.close();
  }
}

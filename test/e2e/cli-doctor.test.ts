import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { createLocalDestination } from '../../src/destinations/local.js';
import type { Finding } from '../../src/doctor/check.js';
import { ensureHelperImage } from '../../src/sources/docker/helper-image.js';
import { LABEL } from '../../src/sources/docker/helper-labels.js';
import { writeRunRecord } from '../../src/run-records.js';
import { listSchedules } from '../../src/temporal/schedules.js';
import { changeDate } from '../support/changed-date.js';
import { deploy, volumeItem, type Deployment } from '../support/deployment.js';
import { createVolume, removeVolume, volumeExists } from '../support/docker-volume.js';
import { serverItem } from '../support/own-postgres.js';
import { startPostgres, type PostgresServer } from '../support/postgres-server.js';
import { s3Destination, useProvidedS3 } from '../support/s3-place.js';
import { createBucket } from '../support/s3-server.js';
import { startSilentServer } from '../support/silent-server.js';
import { dockerLines } from '../support/volume-attempt.js';
import { waitFor } from '../support/wait-for.js';

const id = randomBytes(4).toString('hex');
const volume = `doctor-${id}`;
const bucket = `doctor-${id}`;
const NO_TEMPORAL = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
const CANARY = 'wrong-canary-password';
const item = (name: string, database: string) => serverItem(server, name, database);
const settings = { schedule: '0 3 * * *', timezone: 'America/Sao_Paulo' };

/** Its own: on the shared one other tests restore, and that is told. */
let server: PostgresServer;
let deployment: Deployment;

beforeAll(async () => {
  await useProvidedS3();
  await createBucket(inject('s3').endpoint, bucket);
  await createVolume(volume, 'echo one >one');
  server = await startPostgres();
  await server.psql('postgres', 'CREATE DATABASE mordor');
  deployment = await deploy({
    databases: item('mordor', 'mordor'),
    env: { SERVER_PASSWORD: server.password },
    volumes: volumeItem('data', volume),
    s3: { bucket },
    schedules: true,
    settings,
  });
  await deployment.startWorker();
  await waitFor('the schedule to be listed', async () => (await listSchedules(deployment.client)).length === 1);
});
afterAll(async () => {
  await deployment.close();
  await server.stop();
  await removeVolume(volume);
});

async function doctor(env: Record<string, string> = {}): Promise<{ code: number | null; findings: Finding[] }> {
  const { code, stdout, stderr } = await deployment.backupctl(['doctor', '--json'], env);
  expect(stdout, stderr).toMatch(/^\[/);
  expect(stdout + stderr).not.toContain(CANARY);
  return { code, findings: JSON.parse(stdout) as Finding[] };
}

const problemsOf = (findings: Finding[]) => findings.filter(({ ok }) => !ok);

function find(findings: Finding[], check: string, subject?: string): Finding {
  const found = findings.filter((f) => f.check === check && (subject === undefined || f.subject === subject));
  expect(found, `${check} ${subject ?? ''} in ${JSON.stringify(findings, null, 1)}`).toHaveLength(1);
  return found[0] as Finding;
}

const identityFile = ({ backupDir }: Deployment) => join(backupDir, '.backup-dir.json');
const identityOf = async (of: Deployment) =>
  JSON.parse(await readFile(identityFile(of), 'utf8')) as { id: string; service: string };

/** The name of a container as the helper of a restore is, which has ended. */
async function endedRestore(service: string): Promise<string> {
  const name = `doctor-restore-${id}`;
  const image = await ensureHelperImage({ signal: AbortSignal.timeout(60_000) });
  const labels = [`${LABEL.service}=${service}`, `${LABEL.restore}=${id}`].flatMap((label) => ['--label', label]);
  onTestFinished(async () => void (await dockerLines('rm', '--force', name)));
  await dockerLines('run', '--name', name, ...labels, image, 'bash', '-c', ':');
  return name;
}

describe('backupctl doctor', () => {
  it('finds nothing where all is well, having looked at everything', async () => {
    const { code, findings } = await doctor();
    expect(problemsOf(findings)).toEqual([]);
    expect(code).toBe(0);
    expect(find(findings, 'database', 'mordor').message).toMatch(/^PostgreSQL \d+.*, dumped by pg_dump \d+/);
    expect(find(findings, 'volume', 'data').message).toContain(volume);
    expect(find(findings, 'docker', 'engine').message).toMatch(/^Docker engine \d+/);
    expect(find(findings, 'destination', 'local').message).toContain(deployment.backupDir);
    expect(find(findings, 'destination', 's3').message).toContain(`s3://${bucket}`);
    expect(find(findings, 'object').message).toBe('an object was put, read and removed');
    expect(find(findings, 'clock').message).toMatch(/the clocks agree|clock is \d+ s/);
    expect(find(findings, 'space').message).toMatch(/GiB free/);
    expect(find(findings, 'identity').message).toMatch(/of the service backup-/);
    expect(find(findings, 'temporal').message).toMatch(/^Temporal server \d/);
    expect(find(findings, 'namespace', deployment.namespace).ok).toBe(true);
    expect(find(findings, 'search attributes').message).toContain('by target, outcome and run id');
    expect(find(findings, 'worker', 'backup').message).toMatch(/polled by default \d+@/);
    expect(find(findings, 'worker', 'backup-default').ok).toBe(true);
    expect(find(findings, 'schedule', '0 3 * * * (America/Sao_Paulo)').message).toMatch(/^next run \d{4}-/);
    expect(find(findings, 'leavings', 'engine').message).toBe('no restore left a container');
    for (const tool of ['setpriv', 'gzip', 'pg_dump', 'psql', 'tar', 'docker']) find(findings, 'tool', tool);
  });

  it('leaves nothing in the directory and the bucket', async () => {
    const local = createLocalDestination({ root: deployment.backupDir });
    const before = await local.list();
    await doctor();
    expect(await local.list()).toEqual(before);
    expect(await s3Destination({ bucket, prefix: '' }).list()).toEqual([]);
  });

  it('says to people what is well and what is not, with what to do', async () => {
    await deployment.configure({ volumes: volumeItem('data', `missing-${id}`) });
    onTestFinished(() => deployment.configure({}));
    const { code, stdout, stderr } = await deployment.backupctl(['doctor']);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ok +database mordor: PostgreSQL/m);
    expect(stdout).toMatch(/^PROBLEM +volume data: cannot .* no volume "missing-.*"\n +HINT: .*docker volume ls$/m);
    expect(stderr).toMatch(/^1 of \d+ checks found a problem$/m);
    expect(await volumeExists(`missing-${id}`)).toBe(false);
  });

  it('goes on after each problem, and says of each what to do', async () => {
    const other = { host: '127.0.0.1', port: 1, user: 'u', password: CANARY, database: 'd' };
    await deployment.configure({
      databases: [
        item('missing', `none_${id}`),
        item('refused', 'mordor').replace('${SERVER_PASSWORD}', CANARY),
        `  - name: down\n    config: ${JSON.stringify(other)}`,
        item('bad', '${UNSET_HERE}'),
      ].join('\n'),
      volumes: volumeItem('data', `missing-${id}`),
      s3: { bucket: `${bucket}-missing` },
      settings: { schedule: '0 4 * * *', helper_image: `none-${id}:1` },
    });
    onTestFinished(() => deployment.configure({}));
    const { code, findings } = await doctor({ DOCKER_HOST: '' });
    expect(code).toBe(1);
    const messageOf = (check: string, subject?: string) => find(problemsOf(findings), check, subject).message;
    expect(messageOf('database', 'missing')).toContain('does not exist');
    expect(messageOf('database', 'refused')).toContain('authentication failed');
    expect(messageOf('database', 'down')).toMatch(/refused/i);
    expect(messageOf('config', 'bad')).toContain('UNSET_HERE is not set');
    expect(messageOf('volume', 'data')).toContain('there is no volume');
    expect(messageOf('destination', 's3')).toContain('there is no bucket');
    expect(messageOf('docker', `none-${id}:1`)).toContain('the engine does not have it');
    expect(messageOf('schedule')).toContain('Temporal has only others');
    for (const problem of problemsOf(findings)) expect(problem, problem.message).toHaveProperty('hint');
  });

  it('tells what restores that were killed left, and how to be rid of it', async () => {
    const database = 'mordor_restoring_0123456789ab';
    await server.psql('postgres', `CREATE DATABASE ${database}`);
    onTestFinished(async () => void (await server.psql('postgres', `DROP DATABASE ${database}`)));
    const container = await endedRestore((await identityOf(deployment)).service);
    const { code, findings } = await doctor();
    expect(code).toBe(1);
    const where = `127.0.0.1:${String(server.port)}`;
    expect(find(problemsOf(findings), 'leavings', where)).toMatchObject({
      message: expect.stringContaining(database) as string,
      hint: `where no restore goes on now: DROP DATABASE "${database}";`,
    });
    expect(find(problemsOf(findings), 'leavings', 'engine')).toMatchObject({
      message: expect.stringContaining(container) as string,
      hint: expect.stringContaining(`docker rm ${container}`) as string,
    });
  });

  it('says that the keys are refused', async () => {
    const { findings } = await doctor({ AWS_SECRET_ACCESS_KEY: 'another' });
    expect(find(findings, 'destination', 's3')).toMatchObject({
      ok: false,
      hint: expect.stringContaining('keys') as string,
    });
  });

  it('notices a clock that differs from that of the store', async () => {
    const store = await changeDate(inject('s3').endpoint, -120_000);
    onTestFinished(() => store.close());
    await deployment.configure({ s3: { bucket, endpoint: store.endpoint } });
    onTestFinished(() => deployment.configure({}));
    const { code, findings } = await doctor();
    expect(code).toBe(1);
    expect(find(problemsOf(findings), 'clock').message).toMatch(/clock is 1[12]\d s ahead of that of the store/);
  });

  it('waits for nobody who does not answer', async () => {
    const silent = await startSilentServer();
    onTestFinished(() => silent.close());
    const connection = { host: '127.0.0.1', port: silent.port, user: 'u', password: CANARY, database: 'd' };
    await deployment.configure({
      databases: `  - name: silent\n    config: ${JSON.stringify(connection)}`,
      s3: { bucket, endpoint: `http://127.0.0.1:${String(silent.port)}` },
    });
    onTestFinished(() => deployment.configure({}));
    const { code, findings } = await doctor({
      TEMPORAL_ADDRESS: `127.0.0.1:${String(silent.port)}`,
      DOCKER_HOST: `tcp://127.0.0.1:${String(silent.port)}`,
    });
    expect(code).toBe(1);
    for (const [check, subject] of [
      ['database', 'silent'],
      ['destination', 's3'],
      ['docker', 'engine'],
      ['volume', 'data'],
    ] as const) {
      expect(find(problemsOf(findings), check, subject).message).toContain('there is no answer after 10 s');
    }
    expect(find(problemsOf(findings), 'temporal').message).toContain('cannot reach the Temporal server');
    expect(find(problemsOf(findings), 'worker', 'backup').message).toContain('the Temporal server is not reached');
    expect(find(findings, 'destination', 'local').ok).toBe(true);
  });

  it('notices a paused schedule, a missing namespace, search attributes that are missing, and a queue without worker', async () => {
    expect((await deployment.backupctl(['schedule', 'pause'])).code).toBe(0);
    onTestFinished(async () => void (await deployment.backupctl(['schedule', 'resume'])));
    expect(find((await doctor()).findings, 'schedule')).toMatchObject({ ok: false, hint: 'backupctl schedule resume' });

    const nowhere = (await doctor({ TEMPORAL_NAMESPACE: `none-${id}` })).findings;
    expect(find(problemsOf(nowhere), 'namespace').hint).toContain('temporal operator namespace create');

    const fresh = await deploy({ schedules: true, settings });
    onTestFinished(() => fresh.close());
    const { json } = await fresh.backupctl(['doctor', '--json']);
    const findings = json as Finding[];
    for (const queue of ['backup', 'backup-default']) {
      expect(find(problemsOf(findings), 'worker', queue).hint).toContain('npm start');
    }
    expect(find(findings, 'config').message).toContain('no target is enabled');
    expect(find(problemsOf(findings), 'search attributes')).toMatchObject({
      message: expect.stringContaining(
        'lacks BackupTargets, BackupFailedTargets, BackupOutcome, BackupRunId',
      ) as string,
      hint: expect.stringContaining('temporal operator search-attribute create') as string,
    });
  });
});

describe('backupctl doctor --init-dir', () => {
  it('gives a directory that lost its identity the one that the schedule knows', async () => {
    const before = await identityOf(deployment);
    await rm(identityFile(deployment));
    const lost = await doctor();
    expect(find(problemsOf(lost.findings), 'identity')).toMatchObject({
      message: expect.stringContaining(`the schedule knows the id ${before.id}`) as string,
      hint: expect.stringContaining('backupctl doctor --init-dir') as string,
    });
    const { code, stdout, stderr } = await deployment.backupctl(['doctor', '--init-dir']);
    expect(code, stdout + stderr).toBe(0);
    expect(stderr).toContain(
      `${deployment.backupDir} is now the directory ${before.id} of the service ${before.service}\n`,
    );
    expect(await identityOf(deployment)).toMatchObject(
      before.id === '' ? {} : { id: before.id, service: before.service },
    );
  });

  it('makes another directory the expected one', async () => {
    const before = await identityOf(deployment);
    await writeFile(identityFile(deployment), JSON.stringify({ ...before, id: 'another' }));
    const { findings } = await doctor();
    expect(find(problemsOf(findings), 'identity').message).toContain(
      `its id is another, and the schedule knows the id ${before.id}`,
    );
    expect(find(problemsOf(findings), 'worker', 'backup-default').message).toContain(
      `writes to the directory ${before.id}, and ${deployment.backupDir} is another`,
    );
    expect((await deployment.backupctl(['doctor', '--init-dir'])).code).toBe(0);
    expect(await identityOf(deployment)).toEqual(before);
  });

  it('finds the service again that it could not know without Temporal', async () => {
    const before = await identityOf(deployment);
    await deployment.backupctl(['doctor', '--init-dir'], NO_TEMPORAL);
    expect(await identityOf(deployment)).toEqual(before);
    await rm(identityFile(deployment));
    await deployment.backupctl(['doctor', '--init-dir'], NO_TEMPORAL);
    expect((await identityOf(deployment)).service).not.toBe(before.service);
    expect(find(problemsOf((await doctor()).findings), 'schedule').message).toContain(
      `belongs to the service ${before.service}`,
    );
    expect((await deployment.backupctl(['doctor', '--init-dir'])).code).toBe(0);
    expect(await identityOf(deployment)).toMatchObject({ id: before.id, service: before.service });
  });

  it('takes the id that the runs in it name where Temporal does not answer, and says so', async () => {
    const fresh = await deploy({ schedules: true, settings });
    onTestFinished(() => fresh.close());
    await writeRunRecord(createLocalDestination({ root: fresh.backupDir }), {
      ...{
        run: '20261124_030000',
        service: 'middle-earth',
        directoryId: 'the-old-id',
        workflowId: 'w',
        trigger: 'manual',
      },
      ...{ startedAt: '2026-11-24T06:00:00.000Z', outcome: 'succeeded', targets: [], warnings: [] },
    });
    const { stderr } = await fresh.backupctl(['doctor', '--init-dir'], NO_TEMPORAL);
    expect(stderr).toContain('cannot tell whether a schedule knows this directory: ');
    expect((await identityOf(fresh)).id).toBe('the-old-id');
  });
});

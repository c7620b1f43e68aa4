import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { SOON_LOST, databaseItem, deploy, readLog, type Deployment } from '../support/deployment.js';
import { freePort } from '../support/free-port.js';
import { screenOf } from '../support/screen.js';
import { startSilentServer } from '../support/silent-server.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { lockRings, waitForBlockedDump } from '../support/table-lock.js';
import { backupctlAtTerminal } from '../support/terminal.js';
import { waitFor } from '../support/wait-for.js';
import type { WorkerProcess } from '../support/worker-process.js';

let database: SharedDatabase;
let deployment: Deployment;
let worker: WorkerProcess;
const ESCAPE = '\x1b';

beforeAll(async () => {
  database = await createSharedDatabase();
  deployment = await deploy({
    databases: ['mordor', 'gondor', 'rohan'].map((name) => databaseItem(name, database.name)).join('\n'),
    settings: { ...SOON_LOST, max_parallel: 1, capture_slots: 1 },
  });
  worker = await deployment.startWorker();
});
afterAll(async () => {
  await deployment.close();
  await database.drop();
});

async function lock() {
  const held = await lockRings(database.name);
  onTestFinished(() => held.release());
  return held;
}

/** A deployment of one target on a port of its own. */
async function deployedAt(port: number, settings: Record<string, string | number>) {
  const item = databaseItem('mordor', database.name).replace(/"port":\d+/, `"port":${port}`);
  const own = await deploy({ databases: item, settings });
  onTestFinished(() => own.close());
  return { own, log: await own.startWorker().then((started) => () => readLog(started)) };
}

describe('a run that is followed at a terminal', () => {
  it('shows what is at work and what waits in lines that live, and leaves the outcome', async () => {
    const { release } = await lock();
    const terminal = backupctlAtTerminal(['run'], deployment.env, deployment.directory);
    await waitForBlockedDump(database.name);
    await terminal.shows(/mordor +capturing +\d+ s/);
    await terminal.shows('2 waiting: gondor, rohan');
    await release();
    const { code, screen } = await terminal.ended;
    expect(screenOf(screen).filter((line) => line !== '')).toEqual([
      expect.stringMatching(/^run \d{8}_\d{6}: 3 targets$/),
      ...['mordor', 'gondor', 'rohan'].map(
        (name) => expect.stringMatching(`^${name}: succeeded ${name}_.* in .* s$`) as string,
      ),
      expect.stringMatching(/^run \d{8}_\d{6}: succeeded \(3 succeeded\)$/),
    ]);
    expect(code).toBe(0);
  });

  it('says when the next attempt of a target comes, and why there has to be one', async () => {
    const { own } = await deployedAt(await freePort(), { retry_delay: '1m' });
    const terminal = backupctlAtTerminal(['run'], own.env, own.directory, { columns: 200, rows: 24 });
    await terminal.shows(/mordor +waiting \d+ s for attempt 2 of capture: cannot connect to mordor .*refused/);
    const { stdout } = await own.backupctl(['status']);
    expect(stdout).toMatch(/^ {2}mordor: waiting \d+ s for attempt 2 of capture: cannot connect to mordor/m);
    terminal.type('\x03');
    await terminal.shows('[d]etach');
    terminal.type('c\r');
    const { code, screen } = await terminal.ended;
    expect(screenOf(screen).join('\n')).toMatch(
      /go on following\? c\ncancelling the run\nmordor: cancelled: .*\nrun .*: cancelled/,
    );
    expect(code).toBe(130);
  });

  it('says that it waits for a slot where another run has it, and goes on when that is done', async () => {
    const { release } = await lock();
    const other = deployment.startBackupctl(['run', 'mordor']);
    await waitForBlockedDump(database.name);
    const terminal = backupctlAtTerminal(['run', 'gondor'], deployment.env, deployment.directory);
    await terminal.shows(/gondor +waiting for a slot \(capture_slots\)/);
    const { stdout } = await deployment.backupctl(['status']);
    expect(stdout).toMatch(/^ {2}gondor: waiting for a slot \(capture_slots\)$/m);
    expect(await readLog(worker)).toContain('gondor: waiting for a slot: capture_slots of captures is 1');
    await release();
    expect([(await terminal.ended).code, (await other.ended).code]).toEqual([0, 0]);
  });

  it('says that it waits for a worker where that has died, and goes on with the next one', async () => {
    const { release } = await lock();
    const terminal = backupctlAtTerminal(['run', 'mordor'], deployment.env, deployment.directory);
    await waitForBlockedDump(database.name);
    await terminal.shows(/mordor +capturing/);
    worker.crash();
    await terminal.shows('waiting for a worker on backup');
    await release();
    worker = await deployment.startWorker();
    const { code, screen } = await terminal.ended;
    expect(screenOf(screen).join('\n')).toMatch(/\nmordor: succeeded .*\nrun .*: succeeded \(1 succeeded\)\n/);
    expect(code).toBe(0);
  });

  it('keeps to a small terminal', async () => {
    const { release } = await lock();
    const size = { columns: 20, rows: 6 };
    const terminal = backupctlAtTerminal(['run'], deployment.env, deployment.directory, size);
    await waitForBlockedDump(database.name);
    await terminal.shows('2 waiting: gondor,…');
    await release();
    expect((await terminal.ended).code).toBe(0);
  });
});

describe('a run that is followed through a pipe', () => {
  it('has a line for each attempt that failed, and no escape sequences', async () => {
    const server = await startSilentServer();
    onTestFinished(() => server.close());
    const { own, log } = await deployedAt(server.port, { attempts: 2, retry_delay: '2s' });
    const { output, ended } = own.startBackupctl(['run']);
    await waitFor('the first attempt to fail', async () => {
      server.cut();
      return (await log()).includes('cannot connect to mordor');
    });
    // The second one is held until then, so that it can be looked at by whoever comes late.
    const line = /^mordor: capture attempt 1 failed, (next in \d s|trying again): cannot connect to mordor .*$/m;
    await waitFor('the line of the first attempt', () => line.test(output.stdout));
    const cutting = setInterval(server.cut, 50);
    const { stdout, code } = await ended;
    clearInterval(cutting);
    expect(stdout).toMatch(/^mordor: failed in .* s: cannot connect to mordor/m);
    expect(stdout).not.toContain(ESCAPE);
    expect(code).toBe(1);
  });

  it('has them on stderr with --json', async () => {
    const { release } = await lock();
    const { output, ended } = deployment.startBackupctl(['run', 'mordor', '--json']);
    await waitFor('the line of the capture', () => /^mordor: capturing\n/m.test(output.stderr));
    await release();
    const { stdout, stderr, json } = await ended;
    expect(json).toMatchObject({ outcome: 'succeeded' });
    expect(stdout + stderr).not.toContain(ESCAPE);
  });
});

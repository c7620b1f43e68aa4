import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { databaseItem, deploy, type Deployment } from '../support/deployment.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { lockRings, waitForBlockedDump } from '../support/table-lock.js';
import { backupctlAtTerminal } from '../support/terminal.js';
import { waitFor } from '../support/wait-for.js';

let database: SharedDatabase;
let deployment: Deployment;
let lock: Awaited<ReturnType<typeof lockRings>>;
beforeAll(async () => {
  database = await createSharedDatabase();
  deployment = await deploy({ databases: databaseItem('mordor', database.name) });
  await deployment.startWorker();
});
afterAll(async () => {
  await deployment.close();
  await database.drop();
});
beforeEach(async () => {
  lock = await lockRings(database.name);
});
afterEach(() => lock.release());

const CTRL_C = '\x03';
const QUESTION = '[d]etach';

async function runAtTerminal() {
  const terminal = backupctlAtTerminal(['run'], deployment.env, deployment.directory);
  await waitForBlockedDump(database.name);
  await terminal.shows(/mordor +capturing/);
  terminal.type(CTRL_C);
  await terminal.shows(QUESTION);
  return terminal;
}

async function status(): Promise<{ running: unknown[]; runs: { outcome: string }[] }> {
  return (await deployment.backupctl(['status', '--json'])).json as { running: unknown[]; runs: { outcome: string }[] };
}

describe('Ctrl-C while a run is followed at a terminal', () => {
  it('asks, and cancels where that is the answer', async () => {
    const terminal = await runAtTerminal();
    terminal.type('c\r');
    const { code, screen } = await terminal.ended;
    expect(screen).toContain('mordor: cancelled');
    expect(code).toBe(130);
  });

  it('asks, and leaves the run going where that is the answer', async () => {
    const terminal = await runAtTerminal();
    terminal.type('d\r');
    const { code, screen } = await terminal.ended;
    expect(screen).toContain('the run goes on');
    expect(code).toBe(0);
    expect((await status()).running).toHaveLength(1);
    await lock.release();
    await waitFor('the run to end', async () => (await status()).runs[0]?.outcome === 'succeeded');
  });

  it('asks, and goes on following at any other answer', async () => {
    const terminal = await runAtTerminal();
    terminal.type('\r');
    await lock.release();
    const { code, screen } = await terminal.ended;
    expect(screen).toContain('mordor: succeeded');
    expect(code).toBe(0);
  });
});

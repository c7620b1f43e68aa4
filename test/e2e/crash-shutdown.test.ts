import { expect, it } from 'vitest';
import { databaseItem } from '../support/deployment.js';
import { holdDumps } from '../support/dump-hold.js';
import { ownDatabase, ownDeployment } from '../support/own-parts.js';
import { processesUnder } from '../support/process-tree.js';
import { expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';

it('a worker that is told to end in mid-dump ends in peace, and that counts as no attempt', async (test) => {
  const database = await ownDatabase(test, 100_000);
  const deployment = await ownDeployment(test, {
    databases: databaseItem('mordor', database),
    settings: { attempts: 1 },
  });
  const hold = await holdDumps(database);
  const worker = await startWatchedWorker(deployment);
  const run = await startRun(deployment);
  await hold.reached();
  const programs = processesUnder(worker.pid);
  expect(programs.map(({ name }) => name)).toContain('pg_dump');

  expect(await worker.stop()).toEqual({ code: 0, signal: null });
  expect(programs.filter(({ hasEnded }) => !hasEnded())).toEqual([]);
  await expectNothingLeft(deployment);
  await startWatchedWorker(deployment);
  await hold.release();
  await expectSuccess(run);
  await expectNothingLeft(deployment);
  // Nobody cancelled it.
  const log = (await deployment.backupctl(['logs'])).stdout;
  expect(log).toMatch(/ mordor: interrupted$/m);
  expect(log).not.toContain('cancelled');
});

import { expect, it } from 'vitest';
import { databaseItem } from '../support/deployment.js';
import { holdDumps } from '../support/dump-hold.js';
import { ownDatabase, ownDeployment } from '../support/own-parts.js';
import { startTemporal } from '../support/temporal-server.js';
import { committed, expectNothingLeft, expectSuccess, startRun, startWatchedWorker } from '../support/watched-run.js';

it('a Temporal server that is killed in mid-run and comes back finds the run where it was, and whoever follows it', async (test) => {
  const [small, large] = [await ownDatabase(test), await ownDatabase(test, 100_000)];
  const temporal = await startTemporal();
  test.onTestFinished(() => temporal.stop());
  const deployment = await ownDeployment(test, {
    databases: `${databaseItem('done', small)}\n${databaseItem('mordor', large)}`,
    temporalAddress: temporal.address,
  });
  const hold = await holdDumps(large);
  await startWatchedWorker(deployment);
  const run = await startRun(deployment);
  const done = await committed(run, 'done');
  await hold.reached();

  await temporal.kill();
  await hold.release();
  const mordor = await committed(run, 'mordor'); // nobody is there to be told
  await temporal.restart();
  await expectSuccess(run);

  expect(await committed(run, 'done')).toEqual(done);
  expect(await committed(run, 'mordor')).toEqual(mordor);
  await expectNothingLeft(deployment);
});

import { randomBytes } from 'node:crypto';
import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, type TestContext } from 'vitest';
import type { Destination } from '../../src/destinations/destination.js';
import { createLocalDestination } from '../../src/destinations/local.js';
import type { RunReport } from '../../src/domain/run.js';
import { attemptsOf } from '../support/attempts.js';
import { behavingPgDump } from '../support/behaving-pg-dump.js';
import { databaseItem } from '../support/deployment.js';
import { ownBucket, ownDatabase, ownDeployment } from '../support/own-parts.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { s3Destination, useProvidedS3 } from '../support/s3-place.js';
import { psql } from '../support/shared-postgres.js';
import { filesIn, snapshotBucket, snapshotFiles, type Snapshot } from '../support/snapshot.js';
import { expectNothingLeft, startWatchedWorker } from '../support/watched-run.js';

/** Nobody else's containers may count as left by us. */
const SERVICE = `arda-${randomBytes(4).toString('hex')}`;
const GOOD_RUNS = ['20261110_030000', '20261111_030000', '20261112_030000', '20261113_030000', '20261114_030000'];

/** By target: what its pg_dump does, and what is said of that. */
const BROKEN = {
  ends: { script: '"$REAL" "$@"; echo "pg_dump: error: oops" >&2; exit 1', says: /because oops$/ },
  killed: { script: '"$REAL" "$@"; kill -KILL $$', says: /because pg_dump was ended by SIGKILL.*\nHINT: / },
  half: { script: '"$REAL" "$@" | head -c 20000; exit 0', says: /because the end marker of pg_dump is missing$/ },
  nothing: { script: 'exit 0', says: /because it holds nothing$/ },
};

it('a pg_dump that fails or lies is a failed target, and takes no good copy along', async (test) => {
  const [bucket, healthy] = [await ownBucket(), await ownDatabase(test)];
  const targets = await brokenTargets(test);
  const items = targets.map(({ target, database }) => databaseItem(target, database));
  const deployment = await ownDeployment(test, {
    databases: [databaseItem('healthy', healthy), ...items].join('\n'),
    s3: { bucket },
    settings: { service: SERVICE, retention_count: 2, attempts: 2 },
  });
  const { backupDir } = deployment;
  await useProvidedS3();
  const places = [createLocalDestination({ root: backupDir }), s3Destination({ bucket, prefix: '' })];
  await placeGoodOnes(places, targets);
  const good = [await snapshotFiles(backupDir), await snapshotBucket(bucket)];
  await leaveOldPart(join(backupDir, '20261114_030000'));
  const pgDump = await behavingPgDump(deployment.directory);
  await pgDump.behave(Object.fromEntries(targets.map(({ database, script }) => [database, script])));
  await startWatchedWorker(deployment, { PATH: pgDump.PATH });

  const { code, json } = await deployment.backupctl(['run', '--json']);
  const report = json as RunReport;
  expect({ code, outcome: report.outcome }).toEqual({ code: 3, outcome: 'partial' });
  for (const { target, says } of targets) {
    const { durationMs: _durationMs, ...result } = report.targets.find((each) => each.target === target) ?? {};
    const error = expect.stringMatching(says) as string;
    expect(result).toEqual({ target, kind: 'database', host: 'default', outcome: 'failed', error });
    expect(await attemptsOf(deployment, target)).toEqual({ captureTarget: 2 });
  }
  const ofHealthy = `healthy_${report.run}.sql.gz`;
  const left = ['SHA256SUMS', ofHealthy, `${ofHealthy}.manifest.json`, 'run.json'];
  expect(await filesIn(join(backupDir, report.run))).toEqual(left);
  expect([await snapshotFiles(backupDir), await snapshotBucket(bucket)].map(ofGoodRuns)).toEqual(good.map(ofGoodRuns));
  await expectNothingLeft(deployment, bucket);

  // The same retention takes them as soon as there are good ones in their place.
  await pgDump.behave({});
  const next = await deployment.backupctl(['run', '--json']);
  expect(next.code).toBe(0);
  const runs = ['20261114_030000', (next.json as RunReport).run];
  const kept = runs.flatMap((run) => targets.map(({ target }) => `${run}/${target}_${run}.sql.gz`)).sort();
  const isKept = (path: string) => path.endsWith('.gz') && !path.includes('healthy');
  expect((await filesIn(backupDir)).filter(isKept)).toEqual(kept);
  expect(Object.keys(await snapshotBucket(bucket)).filter(isKept)).toEqual(kept);
});

async function brokenTargets(test: TestContext) {
  const entries = Object.entries(BROKEN).map(async ([target, how]) => ({
    ...how,
    target,
    database: await ownDatabase(test),
  }));
  return Promise.all(entries);
}

async function placeGoodOnes(places: Destination[], targets: { target: string; database: string }[]): Promise<void> {
  const systemIdentifier = await psql('postgres', 'SELECT system_identifier FROM pg_control_system()');
  const each = targets.flatMap((target) => GOOD_RUNS.map((run) => ({ ...target, run })));
  await Promise.all(
    each.map(({ target, database, run }) => {
      const source = { kind: 'database', systemIdentifier, database } as const;
      return placeArtifact(places, { target, run, service: SERVICE, source });
    }),
  );
}

function ofGoodRuns(snapshot: Snapshot): Snapshot {
  return Object.fromEntries(Object.entries(snapshot).filter(([path]) => GOOD_RUNS.includes(path.split('/')[0] ?? '')));
}

/** Of a run that never went on: its part is nobody's by now. */
async function leaveOldPart(runDirectory: string): Promise<void> {
  const part = join(runDirectory, 'half_20261114_030000.sql.gz.0123456789ab.part');
  await writeFile(part, 'x');
  const longAgo = new Date(Date.now() - 25 * 60 * 60 * 1000);
  await utimes(part, longAgo, longAgo);
}

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeChecksums } from '../../src/checksums.js';
import { CHECKSUMS_NAME, inRun } from '../../src/domain/names.js';
import { placeArtifact } from '../support/placed-artifact.js';
import { ownLocal } from '../support/places.js';

const RUN = '20261124_030000';

test('sha256sum agrees, and sees what is damaged', async () => {
  const destination = await ownLocal();
  for (const target of ['mordor', 'Gondor', 'a-b.c_d']) await placeArtifact([destination], { target, run: RUN });
  await placeArtifact([destination], { target: 'mordor', run: '20261125_030000' });
  await destination.createText(inRun(RUN, CHECKSUMS_NAME), 'of an earlier time');
  await writeChecksums({ destination, run: RUN });

  const check = () => promisify(execFile)('sha256sum', ['-c', CHECKSUMS_NAME], { cwd: join(destination.root, RUN) });
  expect((await check()).stdout.trim().split('\n')).toEqual(
    ['Gondor', 'a-b.c_d', 'mordor'].map((target) => `${target}_${RUN}.sql.gz: OK`),
  );
  await writeFile(destination.pathOf(inRun(RUN, `mordor_${RUN}.sql.gz`)), 'damaged');
  await expect(check()).rejects.toThrow('1 computed checksum did NOT match');
});

test('a run without artifacts has none', async () => {
  const destination = await ownLocal();
  await destination.createText(inRun(RUN, 'run.json'), '{}');
  await destination.createText(inRun(RUN, CHECKSUMS_NAME), 'of an earlier time');
  await writeChecksums({ destination, run: RUN });
  expect((await destination.list()).map(({ path }) => path)).toEqual([inRun(RUN, 'run.json')]);
});

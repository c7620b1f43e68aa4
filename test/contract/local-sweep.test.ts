import { mkdir, mkdtemp, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createLocalDestination } from '../../src/destinations/local.js';
import { isNamedAfter } from '../../src/domain/names.js';
import { removeDirectory } from '../support/scratch-directory.js';
import { filesIn } from '../support/snapshot.js';

const ARTIFACT = '20261124_030000/mordor_20261124_030000.sql.gz';
const OTHER_RUN = '20261123_030000/mordor_20261123_030000.sql.zst';
const HOUR_MS = 60 * 60 * 1000;
const NOW = new Date('2026-11-25T12:00:00Z');

let root: string;

beforeEach(async () => {
  const directory = (root = await mkdtemp(join(tmpdir(), 'sweep-')));
  onTestFinished(() => removeDirectory(directory));
});

async function leave(path: string, hoursAgo: number): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), 'x');
  await touch(path, hoursAgo);
}

async function touch(path: string, hoursAgo: number): Promise<void> {
  const written = new Date(NOW.getTime() - hoursAgo * HOUR_MS);
  await utimes(join(root, path), written, written);
}

describe('parts that attempts left', () => {
  test('go once nobody has written to them for long, where they are of the target', async () => {
    const kept = [
      ARTIFACT,
      `${ARTIFACT}.0123.part.txt`,
      'mordor_20261124_030000.sql.gz.0123.part',
      '20261124_030000/mordor2_20261124_030000.sql.gz.0123.part',
      '20261124_030000/mordor_volume_20261124_030000.tar.gz.0123.part',
    ];
    const gone = [`${ARTIFACT}.0123.part`, `${ARTIFACT}.0123.messages.part`, `${OTHER_RUN}.manifest.json.4567.part`];
    for (const path of [...kept, ...gone]) await leave(path, 25);
    const directories = [`${ARTIFACT}.0123.jobs.part`, `${OTHER_RUN}.4567.jobs.part`];
    for (const path of directories) for (const name of ['1.part', '2.part']) await leave(`${path}/${name}`, 25);
    for (const path of directories) await touch(path, 25);
    await leave(`${OTHER_RUN}.89ab.jobs.part/1.part`, 25);
    await touch(`${OTHER_RUN}.89ab.jobs.part`, 23);
    await leave(`${OTHER_RUN}.89ab.part`, 23);

    const isOurs = (path: string) => isNamedAfter(path, { target: 'mordor', kind: 'database' });
    const sweep = { isOurs, olderThanMs: 24 * HOUR_MS, now: NOW };
    expect(await createLocalDestination({ root }).sweepPuts(sweep)).toBe(gone.length + directories.length);
    const young = [`${OTHER_RUN}.89ab.jobs.part/1.part`, `${OTHER_RUN}.89ab.part`];
    expect(await filesIn(root)).toEqual([...kept, ...young].sort());
  });

  test('go where a path is abandoned', async () => {
    for (const path of [ARTIFACT, `${ARTIFACT}.0123.part`, `${OTHER_RUN}.0123.part`]) await leave(path, 0);
    const destination = createLocalDestination({ root });
    await destination.abandonPut(ARTIFACT);
    await destination.abandonPut('20270101_000000/nothing.sql.gz');
    expect(await filesIn(root)).toEqual([ARTIFACT, `${OTHER_RUN}.0123.part`].sort());
  });
});

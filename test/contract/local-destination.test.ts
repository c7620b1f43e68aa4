import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createPart, removeStaleParts } from '../../src/destinations/local-commit.js';
import { createLocalDestination } from '../../src/destinations/local.js';
import { ownLocal } from '../support/places.js';
import { runTraced } from '../support/traced-script.js';

const RUN = '20261124_030000';
const ARTIFACT = `mordor_${RUN}.sql.gz`;

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test('what it writes is for its user alone', async () => {
  const destination = await ownLocal();
  await destination.createText(`${RUN}/run.json`, '{}');
  await destination.replaceText(`${RUN}/SHA256SUMS`, 'x');
  expect(await modeOf(destination.pathOf(`${RUN}/run.json`))).toBe(0o600);
  expect(await modeOf(destination.pathOf(`${RUN}/SHA256SUMS`))).toBe(0o600);
});

test('a part has the mode that is asked for, whatever the umask', async () => {
  const { root } = await ownLocal();
  const umask = process.umask(0o077);
  try {
    const part = await createPart({ root, run: RUN, artifact: ARTIFACT, token: 'one', mode: 0o660 });
    expect(await modeOf(part.path)).toBe(0o660);
  } finally {
    process.umask(umask);
  }
  const own = await createPart({ root, run: RUN, artifact: ARTIFACT, token: 'two' });
  expect(await modeOf(own.path)).toBe(0o600);
  await expect(createPart({ root, run: RUN, artifact: ARTIFACT, token: 'two' })).rejects.toThrow('EEXIST');
});

test('dead attempts lose their parts, the living and other artifacts do not', async () => {
  const { root } = await ownLocal();
  const place = { root, run: RUN, artifact: ARTIFACT };
  await createPart({ ...place, token: 'own' });
  const kept = [
    `${ARTIFACT}.own.part`,
    ARTIFACT,
    `${ARTIFACT}.manifest.json`,
    `other_${RUN}.sql.gz.dead.part`,
    'x.part',
  ];
  const dead = [`${ARTIFACT}.dead.part`, `${ARTIFACT}.claim.part`, `${ARTIFACT}.manifest.json.dead.part`];
  for (const name of [...kept, ...dead]) await writeFile(join(root, RUN, name), '');
  await mkdir(join(root, RUN, `${ARTIFACT}.dead.jobs.part`, 'dump'), { recursive: true });
  await removeStaleParts({ ...place, exceptToken: 'own' });
  expect((await readdir(join(root, RUN))).sort()).toEqual(kept.sort());
  await removeStaleParts({ ...place, run: '20270101_000000', exceptToken: 'own' });
});

test('a directory goes with its last file, the root stays', async () => {
  const destination = await ownLocal();
  await destination.createText(`${RUN}/a`, '');
  await destination.createText(`${RUN}/b`, '');
  await destination.createText('c', '');
  await destination.remove(`${RUN}/a`);
  expect(await readdir(destination.root)).toEqual([RUN, 'c']);
  await destination.remove(`${RUN}/b`);
  await createLocalDestination({ root: `${destination.root}/` }).remove('c');
  expect(await readdir(destination.root)).toEqual([]);
});

test('what writers left that died goes with the next that writes the same', async () => {
  const destination = await ownLocal();
  await destination.createText(`${RUN}/run.json`, 'old');
  for (const name of ['run.json', 'SHA256SUMS']) await writeFile(destination.pathOf(`${RUN}/${name}.dead.part`), '');
  await destination.replaceText(`${RUN}/run.json`, 'new');
  await destination.createText(`${RUN}/SHA256SUMS`, 'x');
  expect((await readdir(join(destination.root, RUN))).sort()).toEqual(['SHA256SUMS', 'run.json']);
});

test('links to files are listed and links to directories are not followed', async () => {
  const destination = await ownLocal();
  const elsewhere = await ownLocal();
  await elsewhere.createText('moved', 'moved to another disk');
  await mkdir(join(destination.root, RUN));
  await symlink(join(elsewhere.root, 'moved'), destination.pathOf(`${RUN}/a`));
  await symlink(elsewhere.root, destination.pathOf(`${RUN}/directory`));
  await symlink('nowhere', destination.pathOf(`${RUN}/broken`));
  expect(await destination.list()).toEqual([{ path: `${RUN}/a`, sizeBytes: 21 }]);
});

test('a file where the directory should be is no directory', async () => {
  const { root } = await ownLocal();
  await writeFile(join(root, 'file'), '');
  const destination = createLocalDestination({ root: join(root, 'file') });
  for (const call of [
    () => destination.list(),
    () => destination.stat(`${RUN}/x`),
    () => destination.createText(`${RUN}/x`, ''),
    () => destination.check(),
  ]) {
    await expect(call()).rejects.toMatchObject({ code: 'NotFound' });
  }
});

test("a run's directory that may not be read is an error, one of a stranger is left out", async () => {
  const destination = await ownLocal();
  const { root } = destination;
  for (const path of ['lost+found/x', `${RUN}/run.json`, 'logs/y']) await destination.createText(path, '');
  const listRefused = (directory: string) =>
    runTraced({
      script: 'list-directory.ts',
      input: { root },
      paths: [join(root, directory)],
      injections: ['openat:error=EACCES'],
    });
  expect((await listRefused('lost+found')).stdout.split('\n').sort()).toEqual(['', `${RUN}/run.json`, 'logs/y']);
  const { code, stderr } = await listRefused(RUN);
  expect(code).toBe(1);
  expect(stderr).toContain(`cannot list ${join(root, RUN)}: because permission is denied`);
});

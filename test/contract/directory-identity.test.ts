import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { establishIdentity, readIdentity } from '../../src/directory-identity.js';
import { DIRECTORY_IDENTITY_NAME } from '../../src/domain/names.js';
import { writeRunRecord } from '../../src/run-records.js';
import { ownLocal } from '../support/places.js';
import { aRunRecord } from '../support/run-record.js';

const RUN = '20261124_030000';
const UNKNOWN = {
  code: 'DirectoryUnknown',
  retryable: false,
  hint: expect.stringContaining('doctor --init-dir') as string,
};

const fileIn = (root: string) => join(root, DIRECTORY_IDENTITY_NAME);

test('a directory that nobody knows gets an identity once', async () => {
  const { root } = await ownLocal();
  expect(await readIdentity(root)).toBeUndefined();
  const identity = await establishIdentity({ root });
  expect(identity).toMatchObject({
    format: 'backup-directory/1',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
  });
  expect(await readIdentity(root)).toEqual(identity);
  expect(await establishIdentity({ root, expectedId: identity.id })).toEqual(identity);
  expect(JSON.parse(await readFile(fileIn(root), 'utf8'))).toEqual(identity);
  expect((await stat(fileIn(root))).mode & 0o777).toBe(0o600);
});

test('many workers at once agree on one identity', async () => {
  const { root } = await ownLocal();
  const identities = await Promise.all(Array.from({ length: 10 }, () => establishIdentity({ root })));
  expect(new Set(identities.map(({ id }) => id)).size).toBe(1);
  expect(new Set(identities.map(({ service }) => service)).size).toBe(1);
});

test('a missing directory is made where nobody knows it, parents included, and nowhere else', async () => {
  const { root } = await ownLocal();
  const deep = join(root, 'not', 'there');
  await expect(establishIdentity({ root: deep, expectedId: 'known' })).rejects.toMatchObject(UNKNOWN);
  await expect(stat(join(root, 'not'))).rejects.toThrow('ENOENT');
  expect(await readIdentity(deep)).toBeUndefined();
  const identity = await establishIdentity({ root: deep });
  expect(await readIdentity(deep)).toEqual(identity);
});

test('a directory without identity is refused where the schedule knows one', async () => {
  const { root } = await ownLocal();
  await expect(establishIdentity({ root, expectedId: 'known' })).rejects.toMatchObject(UNKNOWN);
  expect(await readIdentity(root)).toBeUndefined();
  expect(await establishIdentity({ root, expectedId: 'known', initialise: true })).toMatchObject({ id: 'known' });
  await establishIdentity({ root, expectedId: 'known' });
});

test('a directory without identity is refused where a run in it knows one', async () => {
  const destination = await ownLocal();
  const { root } = destination;
  await writeRunRecord(destination, aRunRecord({ run: RUN, directoryId: 'of-the-runs' }));
  for (const [index, text] of ['{', 'null', '[]'].entries()) {
    await destination.createText(`2026112${String(index)}_030000/run.json`, text);
  }
  await expect(establishIdentity({ root })).rejects.toMatchObject(UNKNOWN);
  expect(await readIdentity(root)).toBeUndefined();
  expect(await establishIdentity({ root, initialise: true })).toMatchObject({ id: 'of-the-runs' });
});

test('records that name no directory, or two, know none to take over', async () => {
  const destination = await ownLocal();
  const { root } = destination;
  await writeRunRecord(destination, aRunRecord({ run: RUN, directoryId: '' }));
  await establishIdentity({ root });
  await rm(fileIn(root));
  for (const [run, directoryId] of [
    [RUN, 'one'],
    ['20261125_030000', 'two'],
  ] as const) {
    await writeRunRecord(destination, aRunRecord({ run, directoryId }));
  }
  const { id } = await establishIdentity({ root, initialise: true });
  expect(['one', 'two', '']).not.toContain(id);
});

test('another directory than the expected one is refused, until a person says that it is right', async () => {
  const { root } = await ownLocal();
  const identity = await establishIdentity({ root });
  await expect(establishIdentity({ root, expectedId: 'other' })).rejects.toMatchObject(UNKNOWN);
  expect(await readIdentity(root)).toEqual(identity);
  expect(await establishIdentity({ root, expectedId: 'other', initialise: true })).toEqual({
    ...identity,
    id: 'other',
  });
  expect(await readIdentity(root)).toMatchObject({ id: 'other' });
});

test.each(['', '{', '{}', '{"format":"backup-directory/2","id":"x","service":"x","createdAt":"2026-11-24T03:00:00Z"}'])(
  'a damaged identity (%j) is refused, until a person says that the directory is right',
  async (text) => {
    const { root } = await ownLocal();
    await writeFile(fileIn(root), text);
    await expect(readIdentity(root)).rejects.toMatchObject(UNKNOWN);
    await expect(establishIdentity({ root })).rejects.toMatchObject(UNKNOWN);
    expect(await readFile(fileIn(root), 'utf8')).toBe(text);
    const identity = await establishIdentity({ root, initialise: true });
    expect(await readIdentity(root)).toEqual(identity);
  },
);

test('the service is the configured one, else that of the artifacts, else a new one, and stays', async () => {
  const [configured, ofArtifacts, fresh] = [await ownLocal(), await ownLocal(), await ownLocal()];
  expect(await establishIdentity({ root: configured.root, service: 'a', knownService: 'b' })).toMatchObject({
    service: 'a',
  });
  const { root } = ofArtifacts;
  expect(await establishIdentity({ root, knownService: 'b' })).toMatchObject({ service: 'b' });
  expect(await establishIdentity({ root, knownService: 'c' })).toMatchObject({ service: 'b' });
  const made = await establishIdentity({ root: fresh.root });
  expect(made.service).toMatch(/^backup-[0-9a-f]{8}$/);
  expect(await establishIdentity({ root: fresh.root })).toEqual(made);

  const renamed = await establishIdentity({ root: fresh.root, service: 'a' });
  expect(renamed).toEqual({ ...made, service: 'a' });
  expect(await readIdentity(fresh.root)).toEqual(renamed);
});

test('a file where the directory should be is an error of its own', async () => {
  const { root } = await ownLocal();
  await mkdir(join(root, 'x'));
  await writeFile(join(root, 'file'), '');
  await expect(establishIdentity({ root: join(root, 'file') })).rejects.toThrow(/file/);
});

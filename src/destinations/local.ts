import { randomBytes } from 'node:crypto';
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { BackupError } from '../domain/errors.js';
import { partName } from '../domain/names.js';
import type { Destination } from './destination.js';
import { codeOf, isMissing, naming } from './local-errors.js';
import { isThere, makeDirectory, syncDirectory, writeNewFile } from './local-files.js';
import { listFiles, listFolders } from './local-list.js';
import { removeParts } from './local-publish.js';
import { putLocalFile } from './local-put.js';
import { assertRoot, readTextFile, statObject } from './local-read.js';
import { sweepParts } from './local-sweep.js';
import { createTextFile, replaceTextFile } from './local-text.js';
import { readChunks, receiveFile } from './local-transfer.js';
import { checkedPath } from './object-path.js';

export interface LocalDestination extends Destination {
  readonly kind: 'local';
  readonly root: string;
  /** The file's path for programs of this host. */
  pathOf(path: string): string;
}

export interface LocalDestinationInput {
  /** The backup directory, an absolute path. It is never made here: a missing one may be a disk that is not mounted. */
  root: string;
}

/** A directory of this host. All that it creates is 0600 and on the disk when the call resolves. */
export function createLocalDestination(input: LocalDestinationInput): LocalDestination {
  const root = resolve(input.root); // without a slash at its end
  const pathOf = (path: string) => join(root, checkedPath(path));
  return {
    kind: 'local',
    location: root,
    root,
    pathOf,

    async list(prefix) {
      await assertRoot(root);
      return listFiles(root, prefix);
    },

    async folders() {
      await assertRoot(root);
      return listFolders(root);
    },

    stat: (path) => statObject(root, path, pathOf(path)),

    readText: (path) => readTextFile(root, pathOf(path)),

    createText: (path, text) => writing(root, pathOf(path), () => createTextFile(pathOf(path), text)),

    replaceText: (path, text) => writing(root, pathOf(path), () => replaceTextFile(pathOf(path), text)),

    putFile: (path, from, facts, options) =>
      writing(root, pathOf(path), () => putLocalFile({ final: pathOf(path), from, facts, options })),

    abandonPut: (path) => naming(`remove the parts of ${pathOf(path)}`, () => removeParts(pathOf(path))),

    async sweepPuts(sweep) {
      await assertRoot(root);
      return naming(`sweep old parts in ${root}`, () => sweepParts(root, sweep));
    },

    async fetchFile(path, to, facts, options) {
      const from = pathOf(path);
      if ((await statObject(root, path, from)) === undefined) {
        throw new BackupError('NotFound', `cannot fetch ${from}: because it is not there`);
      }
      await receiveFile({ chunks: readChunks(from), to, from, facts, ...options });
    },

    remove: (path) => removeFile(root, pathOf(path)),

    check: () => checkDirectory(root),
  };
}

/** Makes the directories between root and file, and again where a prune that found one empty removed it meanwhile. */
async function writing<T>(root: string, file: string, work: () => Promise<T>): Promise<T> {
  await assertRoot(root);
  return naming(`write ${file}`, async () => {
    await makeDirectories(root, file);
    try {
      return await work();
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      await makeDirectories(root, file);
      return await work();
    }
  });
}

async function makeDirectories(root: string, file: string): Promise<void> {
  let directory = root;
  for (const name of relative(root, dirname(file)).split('/')) {
    if (name === '') continue;
    directory = join(directory, name);
    await makeDirectory(directory);
  }
}

/** With its last file a directory goes, but never the root. */
async function removeFile(root: string, file: string): Promise<void> {
  await naming(`remove ${file}`, async () => {
    await rm(file, { force: true });
    const directory = dirname(file);
    if (!(await isThere(directory))) return assertRoot(root);
    await syncDirectory(directory);
    if (directory === root) return;
    await rmdir(directory).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOTEMPTY' && !isMissing(error)) throw error;
    });
  });
}

async function checkDirectory(root: string): Promise<void> {
  await assertRoot(root);
  const probe = join(root, partName('.backup-check', randomBytes(6).toString('hex')));
  await naming(`write to ${root}`, async () => {
    try {
      await writeNewFile(probe, 'written by backupctl doctor\n');
    } finally {
      await rm(probe, { force: true });
    }
  });
}

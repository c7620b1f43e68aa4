import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing, naming } from './destinations/local-errors.js';
import { isThere, syncDirectory } from './destinations/local-files.js';
import { createTextFile, replaceTextFile } from './destinations/local-text.js';
import { createLocalDestination } from './destinations/local.js';
import { BackupError } from './domain/errors.js';
import { DIRECTORY_IDENTITY_NAME } from './domain/names.js';
import { listRunRecords } from './run-records.js';

const FORMAT = 'backup-directory/1';
const HINT =
  'mount the right disk, or, if this is the directory that backups belong to from now on, run: backupctl doctor --init-dir';

const shape = z.object({
  format: z.literal(FORMAT),
  id: z.string().min(1),
  service: z.string().min(1),
  createdAt: z.iso.datetime(),
});

/** What `.backup-dir.json` says. */
export type DirectoryIdentity = z.infer<typeof shape>;

/** `undefined` where there is none; throws `DirectoryUnknown` for one that cannot be read. */
export async function readIdentity(root: string): Promise<DirectoryIdentity | undefined> {
  const path = join(root, DIRECTORY_IDENTITY_NAME);
  const text = await naming(`read ${path}`, () =>
    readFile(path, 'utf8').catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw error;
    }),
  );
  return text === undefined ? undefined : parseIdentity(text, path);
}

function parseIdentity(text: string, path: string): DirectoryIdentity {
  try {
    return shape.parse(JSON.parse(text));
  } catch (error) {
    throw new BackupError('DirectoryUnknown', `cannot use ${path}: because it is damaged`, {
      hint: HINT,
      cause: error,
    });
  }
}

export interface EstablishInput {
  /** The backup directory. */
  root: string;
  /** The config key `service`: it wins over everything. */
  service?: string;
  /** The one service that the manifests of the destinations hold, where there is exactly one. */
  knownService?: string;
  /** The id of the schedule's memo. */
  expectedId?: string;
  /** Whether a person said that this is the right directory (`doctor --init-dir`). Default: false. */
  initialise?: boolean;
}

/**
 * Makes sure that a directory is the one that is expected. One that nobody knows gets an identity, and is made where it
 * is missing; one that somebody knows and that has none, or another, is `DirectoryUnknown`: a disk that is not mounted.
 * With `initialise` it gets the expected identity; where nobody expects one it keeps the one that it has, or gets a new one.
 */
export async function establishIdentity(input: EstablishInput): Promise<DirectoryIdentity> {
  const { root, service, expectedId, initialise = false } = input;
  const identity = await readIdentity(root).catch((error: unknown) => {
    if (initialise && error instanceof BackupError && error.code === 'DirectoryUnknown') return undefined;
    throw error;
  });
  if (identity === undefined) return createIdentity(input);
  if (expectedId !== undefined && identity.id !== expectedId && !initialise) {
    throw unknown(root, `its id is ${identity.id}, and the schedule knows ${expectedId}`);
  }
  const right = { ...identity, id: expectedId ?? identity.id, service: service ?? identity.service };
  if (right.id === identity.id && right.service === identity.service) return identity;
  await naming(`write to ${root}`, () => replaceTextFile(join(root, DIRECTORY_IDENTITY_NAME), textOf(right)));
  return right;
}

async function createIdentity(input: EstablishInput): Promise<DirectoryIdentity> {
  const { root, service, knownService, expectedId, initialise = false } = input;
  const recordedIds = await idsOfRuns(root);
  if (!initialise) assertUnknown(root, expectedId, recordedIds);
  const identity: DirectoryIdentity = {
    format: FORMAT,
    id: expectedId ?? (recordedIds.length === 1 ? recordedIds[0] : undefined) ?? randomUUID(),
    service: service ?? knownService ?? `backup-${randomBytes(4).toString('hex')}`,
    createdAt: new Date().toISOString(),
  };
  return naming(`write to ${root}`, () => writeIdentity(root, identity, initialise));
}

async function writeIdentity(
  root: string,
  identity: DirectoryIdentity,
  initialise: boolean,
): Promise<DirectoryIdentity> {
  const path = join(root, DIRECTORY_IDENTITY_NAME);
  const made = await mkdir(root, { recursive: true });
  if (made !== undefined) await syncDirectory(join(made, '..'));
  if (initialise)
    await replaceTextFile(path, textOf(identity)); // a damaged one, if any
  else await createTextFile(path, textOf(identity));
  return (await readIdentity(root)) ?? identity; // another worker may have been first
}

function assertUnknown(root: string, expectedId: string | undefined, recordedIds: readonly string[]): void {
  const knower = expectedId !== undefined ? 'the schedule knows' : 'runs in it name';
  const id = expectedId ?? recordedIds[0];
  if (id !== undefined) throw unknown(root, `it has no ${DIRECTORY_IDENTITY_NAME}, and ${knower} the id ${id}`);
}

/** The ids that the records of the runs in a directory name. */
async function idsOfRuns(root: string): Promise<string[]> {
  if (!(await naming(`use ${root}`, () => isThere(root)))) return [];
  const records = await listRunRecords(createLocalDestination({ root }));
  return [...new Set(records.map((record) => record.directoryId).filter((id) => typeof id === 'string' && id !== ''))];
}

function unknown(root: string, why: string): BackupError {
  return new BackupError('DirectoryUnknown', `cannot use the directory ${root}: because ${why}`, { hint: HINT });
}

function textOf(identity: DirectoryIdentity): string {
  return JSON.stringify(identity, null, 2) + '\n';
}

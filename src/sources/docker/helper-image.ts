import { createHash } from 'node:crypto';
import { readFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { BackupError } from '../../domain/errors.js';
import { findProgram, missingProgram } from '../../pipeline/program.js';
import { runProgram } from '../../pipeline/process.js';
import { docker, engineReason, inspectObject } from './docker.js';
import { filesOf } from '../program-files.js';
import type { OwnContainer } from './helper-mount.js';

export interface HelperImageInput {
  /** The configured image: it needs bash, GNU tar and the compressors. */
  helperImage?: string;
  /** Where this process runs in a container: its image has the programs. */
  ownContainer?: OwnContainer;
  /** Ends a pull. */
  signal: AbortSignal;
}

export const HELPER_REPOSITORY = 'backup-orchestrator/helper';

const NEEDED_PROGRAMS = ['bash', 'tar', 'gzip', 'cat', 'mkdir', 'mv', 'rm', 'sync'];
/** Compressors, what a drill and a restore in place look into volumes with, and what lowers the priority of a capture. */
const OPTIONAL_PROGRAMS = [
  'bgzip',
  'pigz',
  'zstd',
  'age',
  'find',
  'stat',
  'du',
  'b2sum',
  'getfattr',
  'setfattr',
  'nice',
  'ionice',
];

/**
 * The image that helper containers run: the configured one (pulled where the engine lacks it), else this process's own,
 * else one that is put together from this host's programs, so that no registry is needed. Throws NotFound for a configured
 * one that cannot be had, ProgramMissing where this host lacks a program.
 */
export async function ensureHelperImage({ helperImage, ownContainer, signal }: HelperImageInput): Promise<string> {
  if (helperImage !== undefined) return ensureConfigured(helperImage, signal);
  return ownContainer?.image ?? ensureAssembled();
}

async function ensureConfigured(image: string, signal: AbortSignal): Promise<string> {
  if ((await inspectObject('image', image)) !== undefined) return image;
  try {
    await docker({ args: ['pull', '--quiet', '--', image], signal, timeLimit: 'none' });
    return image;
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'ProgramFailed') throw error;
    const message = `cannot use helper_image ${image}: because the engine does not have it and cannot pull it: ${engineReason(error)}`;
    throw new BackupError('NotFound', message, {
      hint: 'load it into the engine, or leave helper_image out: the helper is then made of the programs that are here',
      cause: error,
    });
  }
}

/** Captures that begin together share one: a second import would leave the first as an image without a name. */
const assemblies = new Map<string, Promise<void>>();

async function ensureAssembled(): Promise<string> {
  const programs = hostPrograms();
  const { files, tag } = await contentOf(programs);
  if ((await inspectObject('image', tag)) !== undefined) return tag;
  const assembly = assemblies.get(tag) ?? assemble({ tag, programs, files }).finally(() => assemblies.delete(tag));
  assemblies.set(tag, assembly);
  await assembly;
  return tag;
}

interface Content {
  /** The programs that it was asked for. */
  of: string;
  /** Theirs and their libraries'. */
  files: readonly string[];
  /** Another one where any of the files is another one. */
  stamp: string | undefined;
  /** Tells the content, so a host whose programs were upgraded gets a new image. */
  tag: string;
}

let known: Content | undefined;

/** Looked at anew where a file has changed: to ask for the libraries of twenty programs takes a fifth of a second, with both cores busy. */
async function contentOf(programs: readonly string[]): Promise<Content> {
  const of = programs.join(':');
  if (known?.of === of && known.stamp !== undefined && known.stamp === (await stampOf(known.files))) return known;
  const files = await filesOf(programs);
  const stamp = await stampOf(files); // before they are read: one that changes meanwhile is looked at again
  known = { of, files, stamp, tag: `${HELPER_REPOSITORY}:${await contentHash(files)}` };
  return known;
}

/** Undefined where one is gone. */
async function stampOf(files: readonly string[]): Promise<string | undefined> {
  try {
    const found = await Promise.all(files.map((file) => stat(file)));
    return found.map(({ dev, ino, size, ctimeMs }) => [dev, ino, size, ctimeMs].join()).join(':');
  } catch {
    return undefined;
  }
}

function hostPrograms(): string[] {
  const needed = NEEDED_PROGRAMS.map((name) => {
    const path = findProgram(name);
    if (path === undefined) throw missingProgram(name);
    return path;
  });
  return [...needed, ...OPTIONAL_PROGRAMS.map((name) => findProgram(name)).filter((path) => path !== undefined)];
}

/** How an image is made of its files; part of the tag, so that a change here makes a new image. */
const RECIPE = 'tar, dereferenced, names as on the host; PATH and LD_LIBRARY_PATH are the directories; 1';

async function contentHash(files: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(RECIPE);
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(file));
  return hash.digest('hex').slice(0, 16);
}

interface Assembly {
  tag: string;
  programs: readonly string[];
  files: readonly string[];
}

/** The layer holds no times of its own: where two processes import it at once, the engine stores its bytes once. */
async function assemble({ tag, programs, files }: Assembly): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'backup-helper-'));
  try {
    const archive = join(directory, 'helper.tar');
    const plain = ['--dereference', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
    const args = [
      '--create',
      `--file=${archive}`,
      ...plain,
      '--directory=/',
      '--',
      ...files.map((file) => file.slice(1)),
    ];
    await runProgram({ file: 'tar', args });
    const libraries = files.filter((file) => !programs.includes(file));
    const changes = [
      `ENV PATH=${directoriesOf(programs)}`,
      `ENV LD_LIBRARY_PATH=${directoriesOf(libraries)}`,
      'LABEL backup-orchestrator.helper=assembled',
    ];
    await docker({ args: ['import', ...changes.flatMap((change) => ['--change', change]), archive, tag] });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function directoriesOf(files: readonly string[]): string {
  return [...new Set(files.map((file) => dirname(file)))].join(':');
}

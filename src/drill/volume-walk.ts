import { open, realpath, stat } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { BackupError } from '../domain/errors.js';
import { findProgram } from '../pipeline/program.js';
import { startPipeline } from '../pipeline/process.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { runHelper, type HelperEnd } from '../sources/docker/helper-container.js';
import { ensureHelperImage } from '../sources/docker/helper-image.js';
import { mountsFor } from '../sources/docker/helper-mount.js';
import { VOLUME_MOUNT_POINT } from '../sources/docker/helper-script.js';
import { findOwnContainer } from '../sources/docker/own-container.js';
import { pollRestorePosition } from '../sources/volume/restore-position-poll.js';
import { splitAt } from './split.js';
import { Unverifiable } from './verdict.js';
import { PROGRAM_MISSING, WALK_LISTS, WALK_PROGRAMS, WALK_SCRIPT } from './volume-walk-script.js';

export interface WalkInput {
  /** For errors, after "cannot". */
  what: string;
  /** The lists become `<walk>-states` and so on; none of them is there. */
  walk: string;
  signal: AbortSignal;
  /** Told how many bytes were read, about each second. */
  onProgress: (bytesRead: number) => void;
}

export interface VolumeWalkInput extends WalkInput {
  target: string;
  volume: string;
  labels: Record<string, string>;
  helperImage?: string;
}

/** Looks through a volume by a container that sees it, reads it and nothing else. */
export async function walkVolume(input: VolumeWalkInput): Promise<void> {
  const { what, target, volume, labels, helperImage, signal, onProgress } = input;
  const paths = await makeLists(input.walk);
  const ownContainer = await findOwnContainer();
  const image = await ensureHelperImage({
    ...(helperImage !== undefined && { helperImage }),
    ...(ownContainer !== undefined && { ownContainer }),
    signal,
  });
  const container = {
    name: `backup-orchestrator-walk-${target}-${randomUUID()}`,
    ...{ image, labels },
    mounts: [
      { type: 'volume' as const, source: volume, target: VOLUME_MOUNT_POINT, readonly: true },
      ...mountsFor(paths, ownContainer),
    ],
    // Its root reads whatever the volume holds; it writes the lists as a member of their group.
    capabilities: ['DAC_READ_SEARCH'],
    groups: [(await stat(paths[0] ?? '')).gid],
    env: { WALK: await realWalk(input.walk) },
    script: WALK_SCRIPT,
    args: [VOLUME_MOUNT_POINT],
  };
  const end = await runHelper(container, { what, signal, onStarted: (id) => pollRestorePosition(id, onProgress) });
  requireFullWalk(what, end, helperImage === undefined ? 'this machine' : `the helper_image ${helperImage}`);
}

/** Looks through a directory of this machine. */
export async function walkDirectory({ what, walk, signal, onProgress }: WalkInput, directory: string): Promise<void> {
  await makeLists(walk);
  const stages = [{ file: 'bash', args: ['-c', WALK_SCRIPT, 'bash', directory], env: { WALK: walk } }];
  const { stdout, finished } = startPipeline({ stages, stdout: 'pipe', signal });
  for await (const lines of splitAt('\n', stdout)) onProgress(Number(lines.at(-1)));
  const [bash] = await finished;
  throwIfAborted(signal);
  const end = {
    exitCode: bash?.exitCode ?? -1,
    outOfMemory: false,
    lastOutput: '',
    lastWords: bash?.stderr.trim() ?? '',
  };
  requireFullWalk(what, end, 'this machine');
}

/** Refuses before anything is restored what this machine has not the programs for. */
export function requireWalkPrograms(): void {
  const missing = Object.keys(WALK_PROGRAMS).find((program) => findProgram(program) === undefined);
  if (missing !== undefined) throw lacking('this machine', missing);
}

function lacking(where: string, program: string): Unverifiable {
  const packageName = WALK_PROGRAMS[program] ?? program;
  return new Unverifiable(
    `${where} has no ${program}, which compares what was restored: install the package ${packageName}`,
  );
}

function requireFullWalk(what: string, { exitCode, outOfMemory, lastWords }: HelperEnd, where: string): void {
  if (exitCode === 0) return;
  if (exitCode === PROGRAM_MISSING && lastWords in WALK_PROGRAMS) throw lacking(where, lastWords);
  if (/No space left on device|Disk quota exceeded/.test(lastWords))
    throw new BackupError('DiskFull', `cannot ${what}: because there is no space left for its lists`);
  const reason = outOfMemory ? 'ran out of memory' : `ended with code ${String(exitCode)}: ${lastWords}`;
  throw new BackupError('ProgramFailed', `cannot ${what}: because looking through what was restored ${reason}`);
}

/** Writable by the group, as the helper's root has no right of its own. */
async function makeLists(walk: string): Promise<string[]> {
  const paths = WALK_LISTS.map((list) => `${walk}-${list}`);
  for (const path of paths) {
    const file = await open(path, 'wx', 0o660);
    await file.chmod(0o660); // whatever the umask is
    await file.close();
  }
  return Promise.all(paths.map((path) => realpath(path)));
}

async function realWalk(walk: string): Promise<string> {
  const [list = ''] = WALK_LISTS;
  return (await realpath(`${walk}-${list}`)).slice(0, -`-${list}`.length);
}

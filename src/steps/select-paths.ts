import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BrokenArchive } from '../archive/broken-archive.js';
import { PathChoice, type Near } from '../archive/path-choice.js';
import { selectEntries } from '../archive/select-entries.js';
import { nearestKey } from '../domain/nearest-key.js';
import { BackupError } from '../domain/errors.js';
import { NoSuchPart } from '../domain/no-such-part.js';
import { relativePath } from '../domain/path-list.js';
import type { Compression } from '../domain/target.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { compressor, decompressor } from '../pipeline/compression.js';
import { feedFile, writePiece } from '../pipeline/feed.js';
import { requireSuccess, startPipeline } from '../pipeline/process.js';
import type { Tools } from '../pipeline/tools.js';
import type { Runtime } from '../runtime.js';
import type { RestorerInput } from './restorer.js';
import { makeRestoreDirectory } from './retrieve.js';
import type { StepContext } from './step.js';

export interface SelectPathsInput {
  target: string;
  /** Its bytes were checked by the caller. */
  artifactPath: string;
  compression: Compression;
  /** Relative to the top of the volume. */
  paths: readonly string[];
  /** The backup directory, where there is room. */
  root: string;
  /** In the name of what is made meanwhile, so that a later attempt finds it. */
  restoreToken: string;
  tools: Tools;
}

/** Fast: the smaller archive is read once and removed. */
const LEVEL = 1;
const PIECE_BYTES = 256 * 1024;

/**
 * Hands `use` a smaller artifact of these paths alone, with the directories above them, and removes it afterwards. Errors: NotFound (a path
 * that is not in it), ConfigInvalid (a path that leads out), DiskFull.
 */
export async function withSelectedPaths<T>(
  input: SelectPathsInput,
  step: StepContext,
  use: (path: string) => Promise<T>,
): Promise<T> {
  const paths = input.paths.map((path) => bytesOf(relativePath(path)));
  const directory = await makeRestoreDirectory(input.root, input.restoreToken);
  try {
    const selected = join(directory, 'selected');
    const lacking = await select(input, paths, { selected, contents: new Map(), step });
    // A second pass, only where a file's content stands under a name that was not asked for.
    if (lacking.size > 0) await select(input, paths, { selected, contents: lacking, step });
    return await use(selected);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Refuses paths that lead out of the volume. Error: ConfigInvalid. */
export function requireRelativePaths({ parts: { paths = [] } }: Pick<RestorerInput, 'parts'>): void {
  paths.forEach(relativePath);
}

/** The artifact as it is, or a smaller one of the paths that were asked for. */
export function withParts<T>(
  { local, tools }: Runtime,
  { manifest, restoreToken, parts: { paths = [] } }: RestorerInput,
  { artifactPath, step }: { artifactPath: string; step: StepContext },
  use: (path: string) => Promise<T>,
): Promise<T> {
  if (paths.length === 0) return use(artifactPath);
  const { target, artifact } = manifest;
  const { compression } = artifact;
  step.log(`picking out ${paths.join(', ')}`);
  return withSelectedPaths(
    { target, artifactPath, compression, paths, root: local.root, restoreToken, tools },
    step,
    use,
  );
}

interface Pass {
  selected: string;
  contents: ReadonlyMap<string, string>;
  step: StepContext;
}

async function select(
  input: SelectPathsInput,
  paths: readonly string[],
  { selected, contents, step }: Pass,
): Promise<ReadonlyMap<string, string>> {
  const { artifactPath, compression, tools, target } = input;
  const { signal, onProgress } = step;
  const choice = new PathChoice(paths);
  const [source, made] = [await open(artifactPath, 'r'), await open(selected, 'w', 0o600)];
  try {
    const reading = startPipeline({
      stages: [decompressor(tools, compression)],
      stdin: 'pipe',
      stdout: 'pipe',
      signal,
    });
    const stages = [compressor(tools, compression, LEVEL)];
    const writing = startPipeline({ stages, stdin: 'pipe', stdout: made.fd, signal });
    const fed = feedFile(source, reading.stdin, { signal, onProgress });
    const pieces = gathered((piece) => writePiece(writing.stdin, piece));
    const work = selectEntries({ chunks: reading.stdout, choice, contents, write: pieces.write })
      .then(async (lacking) => {
        await pieces.flush();
        await new Promise<void>((resolve) => writing.stdin.end(resolve));
        return lacking;
      })
      .finally(() => {
        reading.stdout.destroy();
        writing.stdin.destroy();
      });
    const [selection] = await Promise.allSettled([work, fed]);
    const [read, written] = await Promise.all([reading.finished, writing.finished]);
    throwIfAborted(signal);
    requireSuccess(written, `restore parts of ${target}`);
    if (selection.status === 'rejected') throw unreadable(target, selection.reason);
    requireSuccess(read, `restore parts of ${target}`);
    requireAll(target, choice);
    return selection.value;
  } finally {
    await source.close();
    await made.close();
  }
}

/** Headers are small: several go to the compressor at once. */
function gathered(write: (piece: Buffer) => Promise<void>) {
  let waiting: Buffer[] = [];
  let bytes = 0;
  const flush = async () => {
    if (bytes === 0) return;
    const piece = Buffer.concat(waiting);
    [waiting, bytes] = [[], 0];
    await write(piece);
  };
  return {
    flush,
    async write(piece: Buffer) {
      waiting.push(piece);
      bytes += piece.length;
      if (bytes >= PIECE_BYTES) await flush();
    },
  };
}

function unreadable(target: string, error: unknown): unknown {
  if (!(error instanceof BrokenArchive)) return error;
  return new BackupError('ProgramFailed', `cannot restore parts of ${target}: because ${error.message}`);
}

function requireAll(target: string, { missing }: PathChoice): void {
  const [first] = missing;
  if (first === undefined) return;
  const [path, near] = first;
  const others = missing.size === 1 ? '' : ` (nor ${String(missing.size - 1)} more of those that were asked for)`;
  const reason = `the artifact has no ${JSON.stringify(textOf(path))}${others}`;
  const alike = nearNames(path, near);
  const like = alike.length === 0 ? '' : `, such as ${alike.join(', ')}`;
  throw new NoSuchPart(
    `cannot restore parts of ${target}: because ${reason}`,
    `name what is in it${like}; paths are literal, relative to the top of the volume, and a comma in one is written \\,`,
  );
}

function nearNames(path: string, { namesakes, siblings }: Near): string[] {
  const nearest = nearestKey(path, siblings);
  const names = [...(nearest === undefined ? [] : [nearest]), ...namesakes];
  return [...new Set(names)].map((name) => JSON.stringify(textOf(name)));
}

/** The archive's reader has a character for each byte. */
function bytesOf(path: string): string {
  return Buffer.from(path, 'utf8').toString('latin1');
}

function textOf(path: string): string {
  return Buffer.from(path, 'latin1').toString('utf8');
}

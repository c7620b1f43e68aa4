import { basename } from 'node:path';
import { BackupError } from '../domain/errors.js';
import type { Compression } from '../domain/target.js';
import type { Program } from './program.js';
import type { Tool, Tools } from './tools.js';

/** Several captures run at once: more threads for one would only take them from another. */
const THREADS = 2;

/** Packages as Debian and Ubuntu name them. */
const NEEDED = {
  gzip: { because: 'neither bgzip nor pigz is installed', package: 'tabix' },
  zstd: { because: 'zstd is not installed', package: 'zstd' },
} as const;

/** What compresses stdin to stdout; `level` is 0 to 9 for gzip, 1 to 19 for zstd. Throws ProgramMissing. */
export function compressor(tools: Tools, compression: Compression, level: number, threads = THREADS): Program {
  const count = String(threads);
  if (compression === 'zstd') {
    return program(tools.zstd ?? missing('compress', 'zstd'), ['-q', '-c', `-T${count}`, `-${String(level)}`]);
  }
  if (tools.bgzip !== undefined) return program(tools.bgzip, ['-c', '-@', count, '-l', String(level)]);
  return program(tools.pigz ?? missing('compress', 'gzip'), ['-c', '-p', count, `-${String(level)}`]);
}

/**
 * What decompresses stdin to stdout. bgzip reads any gzip file, on both cores where it wrote it itself; pigz is not used
 * for reading: it passes over what follows the compressed data without a word. Throws ProgramMissing.
 */
export function decompressor(tools: Tools, compression: Compression): Program {
  if (compression === 'zstd') return program(tools.zstd ?? missing('decompress', 'zstd'), ['-q', '-d', '-c']);
  if (tools.bgzip !== undefined) return program(tools.bgzip, ['-d', '-c', '-@', String(THREADS)]);
  return program(tools.gzip ?? missing('decompress', 'gzip'), ['-d', '-c']);
}

/** The version of the program that compresses, by its name. */
export function compressorVersion(tools: Tools, compression: Compression): Record<string, string> {
  const { file } = compressor(tools, compression, 1);
  const used = [tools.bgzip, tools.pigz, tools.zstd].find((tool) => tool?.path === file);
  return used === undefined ? {} : { [basename(file)]: used.version };
}

function program({ path }: Tool, args: string[]): Program {
  return { file: path, args };
}

function missing(what: string, compression: Compression): never {
  const { because, package: packageName } = NEEDED[compression];
  const hint = `install the package ${packageName}: apt install ${packageName}`;
  throw new BackupError('ProgramMissing', `cannot ${what} with ${compression}: because ${because}`, { hint });
}

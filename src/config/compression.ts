import type { Compression, Target } from '../domain/target.js';

const DEFAULT_LEVEL = { gzip: 6, zstd: 3 } as const;
const LEVELS = { gzip: { lowest: 0, highest: 9 }, zstd: { lowest: 1, highest: 19 } } as const;

export interface CompressionChoice {
  compression: Compression;
  compressionLevel: number;
}

/** As the two keys may stand beside each other in the file. */
export interface WrittenCompression {
  compression?: Compression | undefined;
  compression_level?: number | undefined;
}

export const DEFAULT_COMPRESSION: CompressionChoice = { compression: 'gzip', compressionLevel: DEFAULT_LEVEL.gzip };

/** What `written` asks for; a level belongs to the compression beside it, so a compression alone brings its own. */
export function chooseCompression(written: WrittenCompression, otherwise: CompressionChoice): CompressionChoice {
  const compression = written.compression ?? otherwise.compression;
  const inherited = written.compression === undefined ? otherwise.compressionLevel : DEFAULT_LEVEL[compression];
  return { compression, compressionLevel: written.compression_level ?? inherited };
}

/** What is wrong with the level, as it follows `compression_level: `; undefined where nothing is. */
export function levelProblem({ compression, compressionLevel }: CompressionChoice): string | undefined {
  const { lowest, highest } = LEVELS[compression];
  if (compressionLevel >= lowest && compressionLevel <= highest) return undefined;
  return `expected ${String(lowest)} to ${String(highest)} for ${compression}, but it is ${String(compressionLevel)}`;
}

/** What is wrong with the format of a dump, as it follows `dump_format: `. Not every pg_dump knows more than gzip. */
export function formatProblem(target: Target): string | undefined {
  const isArchive = target.kind === 'database' && target.dumpFormat === 'custom';
  return isArchive && target.compression !== 'gzip'
    ? `pg_dump compresses the custom format itself, with gzip alone, and the compression is ${target.compression}`
    : undefined;
}

/** What is wrong with the number of jobs, as it follows `dump_jobs: `. pg_dump writes an archive that is one file by one job. */
export function jobsProblem(target: Target): string | undefined {
  if (target.kind !== 'database' || target.dumpFormat !== 'custom' || target.dumpJobs === undefined) return undefined;
  return `expected 1 where dump_format is custom, but it is ${String(target.dumpJobs)}`;
}

import type { Manifest } from '../domain/manifest.js';
import type { Compression, DumpFormat } from '../domain/target.js';
import { decompressor } from './compression.js';
import type { Program } from './program.js';
import { choosePgRestore, type Tools } from './tools.js';

/** How the bytes of an artifact are to be read. */
export interface StoredFormat {
  compression: Compression;
  dumpFormat?: DumpFormat | undefined;
  /** The major of the pg_dump that wrote it, where it is known. */
  madeBy?: number | undefined;
}

export function storedFormat({ artifact, programs }: Pick<Manifest, 'artifact' | 'programs'>): StoredFormat {
  const major = Number.parseInt(programs['pg_dump'] ?? '', 10);
  const { compression, dumpFormat } = artifact;
  return { compression, dumpFormat, madeBy: Number.isNaN(major) ? undefined : major };
}

/** What turns stored bytes (stdin) into a tar archive or SQL (stdout): of a dump in custom format pg_restore, to its end. Throws ProgramMissing. */
export function storedReader(tools: Tools, { compression, dumpFormat, madeBy }: StoredFormat): Program {
  if (dumpFormat !== 'custom') return decompressor(tools, compression);
  return { file: choosePgRestore(tools, madeBy).path, args: ['--file=-'] };
}

import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { readArchive, type ReadArchive } from '../archive/archive-reader.js';
import type { ArchiveEntry } from '../archive/entry.js';
import type { Compression } from '../domain/target.js';
import { decompressor } from '../pipeline/compression.js';
import { throwIfAborted } from '../pipeline/abort.js';
import { requireSuccess, startPipeline } from '../pipeline/process.js';
import type { Tools } from '../pipeline/tools.js';
import { CONTENT_HASH } from './volume-walk-script.js';
import { describeState, encoded, HARD_LINK_STATE, lineOf } from './volume-facts.js';
import { linkFacts, pairLine } from './volume-hard-links.js';
import { sortLines, type LineSink } from './sorted-lines.js';

export interface ListInput {
  artifactPath: string;
  compression: Compression;
  tools: Tools;
  /** Where the lists are made. */
  directory: string;
  signal: AbortSignal;
  /** Told the bytes of content that were read so far. */
  onProgress: (bytesRead: number) => void;
}

export interface FactList {
  /** Files of sorted lines, to be merged. */
  paths: string[];
}

/** What the archive says of each path, read by a reader that is not the tar which extracts it. Throws BrokenArchive. */
export async function listArchive(input: ListInput): Promise<FactList & ReadArchive> {
  const { directory, signal } = input;
  const [facts, pairs] = [join(directory, 'archive'), join(directory, 'archive-links')];
  const read = await sortLines({ path: facts, signal }, (factSink) =>
    sortLines({ path: pairs, signal }, (linkSink) => readInto(input, factSink, linkSink)),
  );
  return { ...read, paths: [facts, await linkFacts(pairs, signal)] };
}

async function readInto(input: ListInput, factSink: LineSink, linkSink: LineSink): Promise<ReadArchive> {
  const { artifactPath, tools, compression, signal, onProgress } = input;
  const lister = new EntryLister(factSink, linkSink);
  const file = await open(artifactPath, 'r');
  try {
    const stages = [decompressor(tools, compression)];
    const { stdout, finished } = startPipeline({ stages, stdinFd: file.fd, stdout: 'pipe', signal });
    const chunks = async function* () {
      for await (const chunk of stdout) {
        yield chunk as Buffer;
        onProgress(lister.contentBytes);
        await factSink.flush();
        await linkSink.flush();
      }
    };
    let read: ReadArchive;
    try {
      read = await readArchive(chunks(), lister);
    } finally {
      stdout.destroy();
      const results = await finished;
      throwIfAborted(signal);
      requireSuccess(results, `read ${artifactPath}`);
    }
    return read;
  } finally {
    await file.close();
  }
}

class EntryLister {
  contentBytes = 0;
  #ordinal = 0;
  #hash: Hash | undefined;

  constructor(
    private readonly facts: LineSink,
    private readonly links: LineSink,
  ) {}

  onEntry(entry: ArchiveEntry): void {
    const path = encoded(entry.path);
    this.#ordinal += 1;
    if (entry.type === 'hard link') {
      const leader = encoded(entry.linkTarget);
      if (leader === path) return; // a directory that changed while it was read told the name twice
      this.#add(path, 'is', HARD_LINK_STATE);
      this.links.add(pairLine(leader, leader));
      this.links.add(pairLine(leader, path));
      return;
    }
    this.#add(path, 'is', describeState(entry));
    if (entry.type === 'symlink') this.#add(path, 'target', encoded(entry.linkTarget));
    for (const [name, value] of entry.xattrs) this.#add(path, `xattr ${encoded(name)}`, value.toString('hex'));
    this.#hash = entry.type === 'file' ? createHash(CONTENT_HASH) : undefined;
  }

  onContent(piece: Buffer): void {
    this.#hash?.update(piece);
    this.contentBytes += piece.length;
  }

  onEntryEnd({ path, type }: ArchiveEntry): void {
    if (type === 'file') this.#add(encoded(path), 'content', this.#hash?.digest('hex') ?? '');
  }

  #add(path: string, key: string, value: string): void {
    this.facts.add(lineOf({ path, ordinal: this.#ordinal, key, value }));
  }
}

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { BackupError } from '../domain/errors.js';
import type { FactList } from './volume-archive-list.js';
import { describeState, encoded, lineOf, type FileState } from './volume-facts.js';
import { linkFacts, pairLine } from './volume-hard-links.js';
import { sortLines, type LineSink } from './sorted-lines.js';
import { splitAt } from './split.js';
import type { WalkList } from './volume-walk-script.js';

export interface WalkListInput {
  /** The files that the script wrote are `<walk>-states` and so on. */
  walk: string;
  /** Where the lists are made. */
  directory: string;
  signal: AbortSignal;
}

type State = FileState & { inode: string; names: number };

const TYPES: Record<number, FileState['type']> = {
  ...{ 0o100000: 'file', 0o040000: 'directory', 0o120000: 'symlink' },
  ...{ 0o010000: 'fifo', 0o020000: 'character device', 0o060000: 'block device' },
};
/** A host's label of a file says where it lies. */
const LABEL_OF_THE_HOST = 'security.selinux';

/** What the walk found at each path, in the words of `listArchive`. */
export async function listWalk({ walk, directory, signal }: WalkListInput): Promise<FactList> {
  const [facts, pairs] = [join(directory, 'walk-facts'), join(directory, 'walk-links')];
  await sortLines({ path: facts, signal }, (factSink) =>
    sortLines({ path: pairs, signal }, async (linkSink) => {
      await takeStates(walk, factSink, linkSink);
      await takeCells(walk, 'targets', 2, factSink, ([path = '', target = '']) =>
        factLine(path, 'target', encoded(target)),
      );
      await takeCells(walk, 'contents', 1, factSink, ([line = '']) => contentLine(line));
      await takeXattrs(walk, factSink);
    }),
  );
  return { paths: [facts, await linkFacts(pairs, signal)] };
}

async function takeStates(walk: string, facts: LineSink, links: LineSink): Promise<void> {
  await takeCells(walk, 'states', 2, facts, ([state = '', path = '']) => {
    const parsed = parseState(state, path);
    if (parsed.names > 1 && parsed.type !== 'directory') links.add(pairLine(parsed.inode, encoded(relative(path))));
    return factLine(path, 'is', describeState(parsed));
  });
  await links.flush();
}

/** A fact for each so many cells that end with a NUL. */
async function takeCells(
  walk: string,
  list: WalkList,
  columns: number,
  sink: LineSink,
  toLine: (cells: string[]) => string,
): Promise<void> {
  let row: string[] = [];
  for await (const cells of splitAt('\0', createReadStream(`${walk}-${list}`))) {
    for (const cell of cells) {
      row.push(cell);
      if (row.length < columns) continue;
      sink.add(toLine(row));
      row = [];
    }
    await sink.flush();
  }
  if (row.length > 0) throw misread(list, row.join(' '));
}

function parseState(state: string, path: string): State {
  const [mode = '', uid, gid, size, modifiedAt = '', major = '', minor = '', inode = '', names, more] =
    state.split(' ');
  const bits = parseInt(mode, 16);
  const type = TYPES[bits & 0o170000];
  if (type === undefined || names === undefined || more !== undefined) throw misread('states', `${state} ${path}`);
  const isDevice = type === 'character device' || type === 'block device';
  return {
    ...{ type, mode: bits & 0o7777, uid: Number(uid), gid: Number(gid), sizeBytes: Number(size), modifiedAt },
    device: isDevice ? `${String(parseInt(major, 16))}:${String(parseInt(minor, 16))}` : '',
    ...{ inode, names: Number(names) },
  };
}

const CONTENT_LINE = /^([0-9a-f]{128}) [ *]/;

function contentLine(line: string): string {
  const [head = '', hash] = CONTENT_LINE.exec(line) ?? [];
  if (hash === undefined) throw misread('contents', line);
  return factLine(line.slice(head.length), 'content', hash);
}

/** Blocks of `# file: path` and `name=0xhex` lines; getfattr writes some bytes of a name as `\ooo`. */
async function takeXattrs(walk: string, sink: LineSink): Promise<void> {
  let path = '';
  for await (const lines of splitAt('\n', createReadStream(`${walk}-xattrs`))) {
    for (const line of lines) {
      if (line === '') continue;
      if (line.startsWith('# file: ')) {
        path = unquoted(line.slice('# file: '.length));
        continue;
      }
      const [, name, hex] = /^([^=]+)=0x([0-9a-f]*)$/.exec(line) ?? [];
      if (name === undefined || hex === undefined) throw misread('xattrs', line);
      if (name !== LABEL_OF_THE_HOST) sink.add(factLine(path, `xattr ${encoded(unquoted(name))}`, hex));
    }
    await sink.flush();
  }
}

function unquoted(name: string): string {
  return name.replace(/\\([0-3][0-7]{2})/g, (_all, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

function factLine(path: string, key: string, value: string): string {
  return lineOf({ path: encoded(relative(path)), ordinal: 1, key, value });
}

function relative(path: string): string {
  return path.startsWith('./') ? path.slice(2) : path;
}

function misread(list: WalkList, what: string): BackupError {
  const shown = encoded(what.slice(0, 200));
  return new BackupError('Failed', `cannot compare: because the walk's list of ${list} says ${shown}`);
}

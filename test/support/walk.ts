import { isUtf8 } from 'node:buffer';
import { runScript, type Place } from './run-script.js';

/** What can be compared of a file after it was backed up and restored. */
export interface WalkedFile {
  /** From the top, which itself is `.`; a name that is not UTF-8 is written as `bytes:` and hex. */
  path: string;
  type: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'block device' | 'character device';
  /** Octal, four digits. */
  mode: string;
  uid: number;
  gid: number;
  /** Of files; a directory's own size says nothing. */
  sizeBytes?: number;
  /** Of files: less than half of a large file is really there. */
  isSparse?: boolean;
  linkTarget?: string;
  /** The first path of those that are one file. */
  sameFileAs?: string;
  /** Value in hex by name. */
  xattrs: Record<string, string>;
  /** Seconds since 1970 with nanoseconds. */
  modifiedAt: string;
  sha256?: string;
}

const LIST = String.raw`find . -printf '%P\0%y\0%m\0%U\0%G\0%s\0%b\0%l\0%i\0%n\0%T@\0'`;
const HASH = `find . -type f -print0 | xargs -0 -r sha256sum -z --`;
const XATTRS = `find . -print0 | xargs -0 -r getfattr -h -m - -d -e hex --`;

/** Everything below (and with) the top of a directory or volume, by path. Needs root where not all is the caller's. */
export async function walk(place: string | Place): Promise<WalkedFile[]> {
  const at = typeof place === 'string' ? { directory: place } : place;
  const hashes = parseHashes(await runScript(at, HASH));
  const xattrs = parseXattrs(await runScript(at, XATTRS));
  const files = parseList(await runScript(at, LIST));
  nameHardLinks(files);
  return files.map(({ file }) => ({ ...file, xattrs: xattrs.get(file.path) ?? {}, ...hashOf(hashes.get(file.path)) }));
}

function hashOf(sha256: string | undefined): { sha256?: string } {
  return sha256 === undefined ? {} : { sha256 };
}

interface Listed {
  inode: string;
  links: number;
  file: Omit<WalkedFile, 'sha256'>;
}

function parseList(output: Buffer): Listed[] {
  const columns = 11;
  const cells = splitAtNul(output);
  const listed: Listed[] = [];
  for (let start = 0; start + columns <= cells.length; start += columns) {
    listed.push(parseRow(cells.slice(start, start + columns)));
  }
  return listed.sort((one, other) => (one.file.path < other.file.path ? -1 : 1));
}

function parseRow(cells: string[]): Listed {
  const [path = '', letter = '', mode = '', uid, gid, size, blocks, target = '', inode = '', links, time = ''] = cells;
  const type = typeOf(letter);
  const file: Omit<WalkedFile, 'sha256'> = {
    ...{ path: path || '.', type, mode: mode.padStart(4, '0'), uid: Number(uid), gid: Number(gid) },
    ...{ xattrs: {}, modifiedAt: time },
  };
  if (type === 'file')
    Object.assign(file, { sizeBytes: Number(size), isSparse: isSparse(Number(size), Number(blocks)) });
  if (type === 'symlink') file.linkTarget = target;
  return { inode, links: type === 'directory' ? 1 : Number(links), file };
}

function isSparse(sizeBytes: number, blocks: number): boolean {
  return sizeBytes >= 1024 * 1024 && blocks * 512 < sizeBytes / 2;
}

function typeOf(letter: string): WalkedFile['type'] {
  const types = {
    ...{ f: 'file', d: 'directory', l: 'symlink', p: 'fifo', s: 'socket', b: 'block device', c: 'character device' },
  } as const;
  const type = types[letter as keyof typeof types] as WalkedFile['type'] | undefined;
  if (type === undefined) throw new Error(`find names a type that nobody expected: ${letter}`);
  return type;
}

function nameHardLinks(listed: Listed[]): void {
  const first = new Map<string, string>();
  for (const { inode, links, file } of listed) {
    if (links < 2) continue;
    if (!first.has(inode)) first.set(inode, file.path);
    file.sameFileAs = first.get(inode) ?? file.path;
  }
}

function parseHashes(output: Buffer): Map<string, string> {
  const hashes = splitAtNul(
    output,
    (line) => line.subarray(0, 64).toString('latin1') + ' ' + pathText(line.subarray(66)),
  );
  return new Map(hashes.map((line) => [line.slice(65), line.slice(0, 64)]));
}

/** Blocks of `# file: path` and `name=0xhex` lines; getfattr writes the odd bytes of a path as `\ooo`. */
function parseXattrs(output: Buffer): Map<string, Record<string, string>> {
  const blocks = output.toString('latin1').split('\n\n').filter(Boolean);
  return new Map(
    blocks.map((block) => {
      const [header = '', ...lines] = block.split('\n').filter(Boolean);
      const path = header
        .replace(/^# file: /, '')
        .replace(/\\(\d{3})/g, (_all, octal: string) => String.fromCharCode(parseInt(octal, 8)));
      const pairs = lines.map((line) => line.split('=', 2) as [string, string]);
      return [pathText(Buffer.from(path, 'latin1')), Object.fromEntries(pairs)];
    }),
  );
}

function splitAtNul(output: Buffer, decode: (cell: Buffer) => string = pathText): string[] {
  const cells: string[] = [];
  let start = 0;
  for (let end = output.indexOf(0); end !== -1; end = output.indexOf(0, start)) {
    cells.push(decode(output.subarray(start, end)));
    start = end + 1;
  }
  return cells;
}

function pathText(bytes: Buffer): string {
  if (!isUtf8(bytes)) return `bytes:${bytes.toString('hex')}`;
  const text = bytes.toString('utf8');
  return text.startsWith('./') ? text.slice(2) : text;
}

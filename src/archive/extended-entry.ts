import type { ArchiveEntry, EntryType } from './entry.js';
import type { Header } from './header.js';
import { countOf, timeOf, type PaxRecords } from './pax.js';

/** What a header and the extended header before it say together. */
export interface DescribedEntry {
  entry: ArchiveEntry;
  /** Bytes that follow in the archive, without what fills up the last block. */
  storedBytes: number;
  /** The stored bytes begin with a map of what is no hole. */
  isSparse: boolean;
  /** What the headers say that is not understood here, for people. */
  unknown: string[];
}

const TYPES: Record<string, EntryType> = {
  ...{ '0': 'file', '\0': 'file', '7': 'file', '1': 'hard link', '2': 'symlink' },
  ...{ '3': 'character device', '4': 'block device', '5': 'directory', '6': 'fifo' },
};

const XATTR = 'SCHILY.xattr.';
const ACL = { access: 'SCHILY.acl.access', default: 'SCHILY.acl.default' };
const SPARSE = { major: 'GNU.sparse.major', minor: 'GNU.sparse.minor' };
/** `uname` and the like are names of ids, which count themselves. */
const KNOWN = new Set([
  ...['path', 'linkpath', 'size', 'mtime', 'atime', 'ctime', 'uid', 'gid', 'uname', 'gname', 'comment'],
  ...[...Object.values(SPARSE), 'GNU.sparse.name', 'GNU.sparse.realsize', ...Object.values(ACL)],
]);

export function describeEntry(header: Header, records: PaxRecords): DescribedEntry {
  const unknown: string[] = [];
  const type = TYPES[header.typeFlag];
  if (type === undefined) unknown.push(`an entry of the type ${JSON.stringify(header.typeFlag)}`);
  for (const key of records.keys())
    if (!KNOWN.has(key) && !key.startsWith(XATTR)) unknown.push(`the keyword ${JSON.stringify(key)}`);
  const isSparse = records.has(SPARSE.major);
  const version = [SPARSE.major, SPARSE.minor].map((key) => records.get(key)?.toString('latin1') ?? '').join('.');
  if (isSparse && version !== '1.0') unknown.push(`a sparse file of the format ${version}`);
  const size = countOf(records, 'size') ?? header.sizeBytes;
  const hasContent = type === 'file' || type === undefined;
  if (!hasContent && size > 0) unknown.push(`a ${type} with content`);
  const xattrs = xattrsOf(records);
  unknown.push(...unknownAcls(records, xattrs));
  const text = (key: string) => records.get(key)?.toString('latin1');
  const entry: ArchiveEntry = {
    path: normalized(text('GNU.sparse.name') ?? text('path') ?? header.name),
    type: type ?? 'file',
    mode: header.mode,
    uid: countOf(records, 'uid') ?? header.uid,
    gid: countOf(records, 'gid') ?? header.gid,
    sizeBytes: type === 'file' ? (countOf(records, 'GNU.sparse.realsize') ?? size) : 0,
    modifiedAt: timeOf(records, 'mtime') ?? `${String(header.modifiedSeconds)}.000000000`,
    linkTarget: linkTargetOf(type, text('linkpath') ?? header.linkName),
    device: type === 'character device' || type === 'block device' ? header.device : '',
    xattrs,
  };
  return { entry, storedBytes: hasContent ? size : 0, isSparse, unknown };
}

/** A path as tar writes it, `./a` or `./a/`, as `a`; the top itself as `.`. */
function normalized(path: string): string {
  return path.replace(/^(?:\.\/+)+/, '').replace(/\/+$/, '') || '.';
}

function linkTargetOf(type: EntryType | undefined, target: string): string {
  if (type === 'symlink') return target;
  return type === 'hard link' ? normalized(target) : '';
}

/** tar writes `=` and `%` in a name as `%3D` and `%25`. */
function xattrsOf(records: PaxRecords): Map<string, Buffer> {
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of records) {
    if (!key.startsWith(XATTR)) continue;
    const name = key.slice(XATTR.length).replace(/%3D|%25/g, (escaped) => (escaped === '%3D' ? '=' : '%'));
    xattrs.set(name, value);
  }
  return xattrs;
}

/** An ACL stands there as text, with names perhaps, and as the kernel has it: the latter counts. One that says what the mode says is none. */
function unknownAcls(records: PaxRecords, xattrs: ReadonlyMap<string, Buffer>): string[] {
  const access = records.get(ACL.access)?.toString('latin1') ?? '';
  const inherited = records.get(ACL.default)?.toString('latin1') ?? '';
  const isMore = /^mask:/m.test(access) && !xattrs.has('system.posix_acl_access');
  const isInherited = inherited !== '' && !xattrs.has('system.posix_acl_default');
  return isMore || isInherited ? ['an ACL that is written as text only'] : [];
}

import type { ArchiveEntry } from '../archive/entry.js';

/** One fact about one path, a line: path, entry, key and value, with tabs between them. Sorted lines bring together what belongs together. */
export interface Fact {
  /** See `encoded`. */
  path: string;
  /** Which entry of the archive says so: the last one of a path counts. */
  ordinal: number;
  /** `is`, `target`, `content`, `link` or `xattr NAME`. */
  key: string;
  value: string;
}

const ODD_BYTE = /[^!-[\]-~]/g;
const ORDINAL_DIGITS = 12;
/** The ordinal of what is said of a path whichever entry counts. */
export const ANY_ENTRY = 10 ** ORDINAL_DIGITS - 1;

/** Bytes (a character for each) as printable ASCII without spaces: every other byte, and the backslash, is `\xx`. */
export function encoded(bytes: string): string {
  return bytes.replace(ODD_BYTE, (byte) => `\\${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

export function decoded(text: string): Buffer {
  const bytes = text.replace(/\\([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1');
}

export function lineOf({ path, ordinal, key, value }: Fact): string {
  return `${path}\t${String(ordinal).padStart(ORDINAL_DIGITS, '0')}\t${key}\t${value}\n`;
}

export function factOf(line: string): Fact {
  const [path = '', ordinal = '', key = '', value = ''] = line.split('\t');
  return { path, ordinal: Number(ordinal), key, value };
}

export interface FileState {
  type: ArchiveEntry['type'];
  mode: number;
  uid: number;
  gid: number;
  /** Of a file. */
  sizeBytes: number;
  modifiedAt: string;
  /** Of a device. */
  device: string;
}

/** What is the same wherever a file is restored. A symlink has no mode of its own, and a directory's size says nothing. */
export function describeState({ type, mode, uid, gid, sizeBytes, modifiedAt, device }: FileState): string {
  const facts = [
    `type=${type.replaceAll(' ', '_')}`,
    ...(type === 'symlink' ? [] : [`mode=${mode.toString(8).padStart(4, '0')}`]),
    `owner=${String(uid)}:${String(gid)}`,
    `mtime=${modifiedAt}`,
    ...(type === 'file' ? [`size=${String(sizeBytes)}`] : []),
    ...(device === '' ? [] : [`device=${device}`]),
  ];
  return facts.join(' ');
}

/** Of a name that only leads to another entry's file: everything else is that file's. */
export const HARD_LINK_STATE = 'type=hard_link';

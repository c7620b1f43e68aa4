import { BrokenArchive } from './broken-archive.js';

export const BLOCK_BYTES = 512;

/** The block before each entry (POSIX ustar, and GNU's variant of it). */
export interface Header {
  name: string;
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  modifiedSeconds: number;
  /** One character; `\0` is an old way to say `0`. */
  typeFlag: string;
  linkName: string;
  device: string;
}

const CHECKSUM = { start: 148, end: 156 };
const SPACE = 0x20;
const USTAR_MAGIC = 'ustar\0';
const GNU_MAGIC = 'ustar ';

/** `position`: of the block, for errors. Throws BrokenArchive. */
export function parseHeader(block: Buffer, position: number): Header {
  const broken = (what: string) => new BrokenArchive(`the header at byte ${String(position)} ${what}`);
  const number = (start: number, end: number) => {
    const value = parseNumber(block.subarray(start, end));
    if (value === undefined) throw broken(`has no number at ${String(start)}`);
    return value;
  };
  if (number(CHECKSUM.start, CHECKSUM.end) !== checksumOf(block)) throw broken('does not have its checksum');
  const magic = block.toString('latin1', 257, 263);
  if (magic !== USTAR_MAGIC && magic !== GNU_MAGIC) throw broken('is of no format that is known');
  const prefix = magic === USTAR_MAGIC ? text(block, 345, 500) : '';
  const name = text(block, 0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(100, 108) & 0o7777,
    uid: number(108, 116),
    gid: number(116, 124),
    sizeBytes: number(124, 136),
    modifiedSeconds: number(136, 148),
    typeFlag: block.toString('latin1', 156, 157),
    linkName: text(block, 157, 257),
    device: `${String(number(329, 337))}:${String(number(337, 345))}`,
  };
}

export function isZero(block: Buffer): boolean {
  for (const byte of block) if (byte !== 0) return false;
  return true;
}

/** The sum of all bytes, those of the checksum itself counted as spaces. */
function checksumOf(block: Buffer): number {
  let sum = SPACE * (CHECKSUM.end - CHECKSUM.start);
  for (let at = 0; at < CHECKSUM.start; at += 1) sum += block[at] ?? 0;
  for (let at = CHECKSUM.end; at < BLOCK_BYTES; at += 1) sum += block[at] ?? 0;
  return sum;
}

/** Up to the first NUL. */
function text(block: Buffer, start: number, end: number): string {
  const nul = block.indexOf(0, start);
  return block.toString('latin1', start, nul === -1 || nul > end ? end : nul);
}

/** Octal digits, spaces around them; or, as GNU tar writes what is too large for that, a byte 0x80 (0xff: negative) and the number in binary. */
function parseNumber(field: Buffer): number | undefined {
  const [first = 0] = field;
  if (first === 0x80 || first === 0xff) return parseBinary(field);
  const [, digits] = /^ *([0-7]*)[ \0]*$/.exec(field.toString('latin1')) ?? [];
  return digits === undefined ? undefined : parseInt(digits === '' ? '0' : digits, 8);
}

function parseBinary(field: Buffer): number | undefined {
  const bits = field.length * 8 - 8;
  let value = 0n;
  for (const byte of field.subarray(1)) value = value * 256n + BigInt(byte);
  const signed = Number(field[0] === 0xff ? value - (1n << BigInt(bits)) : value);
  return Number.isSafeInteger(signed) ? signed : undefined;
}

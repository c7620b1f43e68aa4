/** Rows as a multiset: how many, and a hash in which their order does not count. */
export interface RowDigest {
  count: number;
  /** 32 hex digits. */
  hash: string;
}

/**
 * Sums the 128-bit MurmurHash3 of each row, in four lanes modulo 2^32. A sum and no XOR: of two equal rows nothing would be
 * left. It is made for accidents, at ten times the pace of SHA-256 on rows of a hundred bytes; that nobody tampered with
 * the artifact, its manifest's SHA-256 says.
 */
export class RowSum {
  #count = 0;
  readonly #lanes = new Int32Array(4);

  add(bytes: Buffer, start = 0, end = bytes.length): void {
    this.#count += 1;
    addHash(bytes, start, end, this.#lanes);
  }

  get digest(): RowDigest {
    return { count: this.#count, hash: [...this.#lanes].map(hex).join('') };
  }
}

/** MurmurHash3_x86_128 with seed 0, as 32 hex digits. */
export function murmur128(bytes: Buffer): string {
  const lanes = new Int32Array(4);
  addHash(bytes, 0, bytes.length, lanes);
  return [...lanes].map(hex).join('');
}

const BLOCK_BYTES = 16;
const C1 = 0x239b961b;
const C2 = 0xab0e9789 | 0;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93 | 0;

let view: DataView = new DataView(new ArrayBuffer(0));

/** Written out, without objects: the pace of a comparison hangs on it. */
function addHash(bytes: Buffer, start: number, end: number, sum: Int32Array): void {
  if (view.buffer !== bytes.buffer) view = new DataView(bytes.buffer);
  const base = bytes.byteOffset;
  const length = end - start;
  const last = base + end;
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let at = base + start;
  for (; at + BLOCK_BYTES <= last; at += BLOCK_BYTES) {
    a ^= mix(view.getInt32(at, true), C1, 15, C2);
    a = (Math.imul((rotate(a, 19) + b) | 0, 5) + 0x561ccd1b) | 0;
    b ^= mix(view.getInt32(at + 4, true), C2, 16, C3);
    b = (Math.imul((rotate(b, 17) + c) | 0, 5) + 0x0bcaa747) | 0;
    c ^= mix(view.getInt32(at + 8, true), C3, 17, C4);
    c = (Math.imul((rotate(c, 15) + d) | 0, 5) + 0x96cd1c35) | 0;
    d ^= mix(view.getInt32(at + 12, true), C4, 18, C1);
    d = (Math.imul((rotate(d, 13) + a) | 0, 5) + 0x32ac3b17) | 0;
  }
  a ^= mix(partOfWord(at, last), C1, 15, C2) ^ length;
  b ^= mix(partOfWord(at + 4, last), C2, 16, C3) ^ length;
  c ^= mix(partOfWord(at + 8, last), C3, 17, C4) ^ length;
  d ^= mix(partOfWord(at + 12, last), C4, 18, C1) ^ length;
  a = (a + b + c + d) | 0;
  b = finish((b + a) | 0);
  c = finish((c + a) | 0);
  d = finish((d + a) | 0);
  a = (finish(a) + b + c + d) | 0;
  sum[0] = (sum[0] as number) + a;
  sum[1] = (sum[1] as number) + b + a;
  sum[2] = (sum[2] as number) + c + a;
  sum[3] = (sum[3] as number) + d + a;
}

function mix(word: number, first: number, by: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), by), second);
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

/** Up to four bytes, with zeros for those that are not there; of nothing but zeros nothing comes. */
function partOfWord(at: number, end: number): number {
  let value = 0;
  for (let index = Math.min(end, at + 4) - 1; index >= at; index -= 1) value = (value << 8) | view.getUint8(index);
  return value;
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}

import { expect, test } from 'vitest';
import { murmur128, RowSum } from '../../src/drill/row-digest.js';

function digestOf(...rows: string[]) {
  const sum = new RowSum();
  for (const row of rows) sum.add(Buffer.from(row));
  return sum.digest;
}

test('the hash is MurmurHash3_x86_128', () => {
  expect(murmur128(Buffer.from('The quick brown fox jumps over the lazy dog'))).toBe(
    '2f1583c3ecee2c675d7bf66ce5e91d2c',
  );
  expect(murmur128(Buffer.from(''))).toBe('0'.repeat(32));
});

test('each length has a hash of its own, and each bit counts', () => {
  const bytes = Buffer.from('0123456789abcdef0123456789abcdef0123');
  const hashes = [...bytes.keys()].map((length) => murmur128(bytes.subarray(0, length)));
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    hashes.push(murmur128(flipped));
  }
  expect(new Set(hashes).size).toBe(bytes.length * 9);
});

test('a part of a buffer counts as the same bytes elsewhere', () => {
  const sum = new RowSum();
  sum.add(Buffer.from('one two three').subarray(1), 3, 6);
  expect(sum.digest).toEqual(digestOf('two'));
});

test('rows are a multiset', () => {
  expect(digestOf('a', 'b', 'a')).toEqual(digestOf('a', 'a', 'b'));
  expect(digestOf('a', 'b', 'a')).not.toEqual(digestOf('a', 'b', 'b'));
  expect(digestOf('a', 'a')).not.toEqual(digestOf('b', 'b')); // what an XOR would not tell
  expect(digestOf('ab', 'c')).not.toEqual(digestOf('a', 'bc'));
  expect(digestOf('')).toEqual({ count: 1, hash: '0'.repeat(32) });
});

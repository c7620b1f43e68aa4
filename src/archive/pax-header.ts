import { BLOCK_BYTES } from './header.js';
import type { PaxRecords } from './pax.js';

const CHECKSUM_AT = 148;
const SPACE = 0x20;

/** An extended header as it lies in an archive: its own block, then the records, filled up. */
export function extendedHeader(records: PaxRecords): [Buffer, Buffer] {
  const data = Buffer.concat([...records].map(([key, value]) => record(key, value)));
  const padding = (BLOCK_BYTES - (data.length % BLOCK_BYTES)) % BLOCK_BYTES;
  return [headerBlock(data.length), Buffer.concat([data, Buffer.alloc(padding)])];
}

/** `LENGTH KEY=VALUE\n`, whose length counts its own digits. */
function record(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function headerBlock(sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write('./PaxHeaders/changed', 0);
  block.write('0000644\0' + '0000000\0' + '0000000\0', 100);
  block.write(`${sizeBytes.toString(8).padStart(11, '0')}\0` + '00000000000\0', 124);
  block.write('x', 156);
  block.write('ustar\0' + '00', 257);
  block.fill(SPACE, CHECKSUM_AT, CHECKSUM_AT + 8);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, CHECKSUM_AT);
  return block;
}

import { BrokenArchive } from './broken-archive.js';

/** Records of an extended header: key (a character for each byte) to value. */
export type PaxRecords = ReadonlyMap<string, Buffer>;

export const NO_RECORDS: PaxRecords = new Map();

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

/** Records are `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record and VALUE may hold any byte. Throws BrokenArchive. */
export function parsePax(data: Buffer, position: number): PaxRecords {
  const records = new Map<string, Buffer>();
  for (let start = 0; start < data.length;) {
    const space = data.indexOf(SPACE, start);
    const digits = space === -1 ? '' : data.toString('latin1', start, Math.min(space, start + 10));
    const end = start + (/^[1-9]\d*$/.test(digits) ? Number(digits) : NaN);
    const equals = data.indexOf(EQUALS, space + 1);
    if (!(end <= data.length) || data[end - 1] !== NEWLINE || equals === -1 || equals >= end)
      throw new BrokenArchive(`the extended header at byte ${String(position)} has a record that is none`);
    records.set(data.toString('latin1', space + 1, equals), data.subarray(equals + 1, end - 1));
    start = end;
  }
  return records;
}

/** The value as a number that counts something; undefined where it is not given. */
export function countOf(records: PaxRecords, key: string): number | undefined {
  const value = records.get(key)?.toString('latin1');
  if (value === undefined) return undefined;
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new BrokenArchive(`its extended header says ${key}=${JSON.stringify(value.slice(0, 40))}, which is no number`);
}

/** Decimal seconds, any number of decimals, to nine of them. */
export function timeOf(records: PaxRecords, key: string): string | undefined {
  const value = records.get(key)?.toString('latin1');
  if (value === undefined) return undefined;
  const [, seconds, decimals = ''] = /^(-?\d+)(?:\.(\d*))?$/.exec(value) ?? [];
  if (seconds === undefined) {
    const shown = JSON.stringify(value.slice(0, 40));
    throw new BrokenArchive(`its extended header says ${key}=${shown}, which is no time`);
  }
  return `${seconds}.${decimals.slice(0, 9).padEnd(9, '0')}`;
}

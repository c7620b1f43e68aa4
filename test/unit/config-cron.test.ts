import { describe, expect, it } from 'vitest';
import { parseSchedule, shortestGapMs } from '../../src/config/cron.js';
import { BackupError } from '../../src/domain/errors.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const FROM = new Date('2026-01-01T00:00:00Z');

describe('a schedule', () => {
  it.each([
    ['0 3 * * *', '0 3 * * *'],
    [' 0  3\t* * * ', '0 3 * * *'],
    ['*/15 0-6/2,12 1,15 * ?', '*/15 0-6/2,12 1,15 * *'],
    ['0 3 * JAN,mar-May *', '0 3 * 1,3-5 *'],
    ['0 3 * * Mon-FRI', '0 3 * * 1,2,3,4,5'],
    ['0 3 * * 7', '0 3 * * 0'],
    ['0 3 * * 5-7', '0 3 * * 0,5,6'],
    ['0 3 * * */2', '0 3 * * 0,2,4,6'],
    ['0 3 29 2 *', '0 3 29 2 *'],
    ['*/3 * * * * * *', '*/3 * * * * * *'],
    ['30 0 3 * * SUN 2027-2030', '30 0 3 * * 0 2027-2030'],
    ['@hourly', '0 * * * *'],
    ['@daily', '0 0 * * *'],
    ['@Midnight', '0 0 * * *'],
    ['@weekly', '0 0 * * 0'],
    ['@monthly', '0 0 1 * *'],
    ['@yearly', '0 0 1 1 *'],
    ['@annually', '0 0 1 1 *'],
  ])('%j is one expression', (text, expression) => {
    expect(parseSchedule(text)).toEqual({ expressions: [expression] });
  });

  it.each([
    ['0 3 1 * 1', ['0 3 1 * *', '0 3 * * 1']],
    ['0 3 1-7 6 MON', ['0 3 1-7 6 *', '0 3 * 6 1']],
    ['0 0 3 31 * 5 2027', ['0 0 3 31 * * 2027', '0 0 3 * * 5 2027']],
    ['0 3 30 2 1', ['0 3 30 2 *', '0 3 * 2 1']],
  ])('%j means either day, which is two', (text, expressions) => {
    expect(parseSchedule(text)).toEqual({ expressions });
  });

  it.each([
    ['', 'it has 1 fields'],
    ['0 3 * *', 'it has 4 fields'],
    ['0 0 3 * * *', 'it has 6 fields'],
    ['60 3 * * *', '"60" is no minute'],
    ['0 24 * * *', '"24" is no hour'],
    ['0 3 0 * *', '"0" is no day of month'],
    ['0 3 * 13 *', '"13" is no month'],
    ['0 3 * * 8', '"8" is no day of week'],
    ['0 3 * MON *', '"MON" is no month'],
    ['0 3 * * FRI-MON', '"FRI-MON" is no day of week'],
    ['5/15 * * * *', '"5/15" is no minute'],
    ['*/0 * * * *', '"*/0" is no minute'],
    ['*/60 * * * *', '"*/60" is no minute'],
    ['? * * * *', '"?" is no minute'],
    ['1, * * * *', '"" is no minute'],
    ['1-2-3 * * * *', '"1-2-3" is no minute'],
    ['-1 * * * *', '"-1" is no minute'],
    ['0 3 L * *', '"L" is no day of month'],
    ['0 0 3 * * * 1999', '"1999" is no year'],
    ['0 3 30 2 *', 'no month it names has such a day'],
    ['0 3 31 4,6 *', 'no month it names has such a day'],
    ['@often', '"@often" is not known'],
    ['@every 5m', '"@every 5m" is not known'],
    ['CRON_TZ=UTC 0 3 * * *', 'it has 6 fields'],
  ])('%j is refused', (text, why) => {
    const parse = () => parseSchedule(text);
    expect(parse).toThrow(BackupError);
    expect(parse).toThrow(expect.objectContaining({ message: why, code: 'ConfigInvalid' }) as Error);
    expect(parse).toThrow(expect.objectContaining({ hint: expect.stringContaining('write') as string }) as Error);
  });
});

describe('the shortest gap', () => {
  it.each([
    ['0 3 * * *', 'UTC', DAY_MS],
    ['0 3 * * *', 'America/Sao_Paulo', DAY_MS],
    ['0 3 * * *', 'America/New_York', DAY_MS - HOUR_MS],
    ['0 3 * * *', 'Europe/Berlin', DAY_MS - HOUR_MS],
    ['0 3 * * *', 'Australia/Lord_Howe', DAY_MS - HOUR_MS / 2],
    ['0 3 * * MON-FRI', 'America/New_York', DAY_MS],
    ['0 1,13 * * *', 'America/New_York', 11 * HOUR_MS],
    ['30 1 * * *', 'America/New_York', DAY_MS - HOUR_MS],
    // Fires twice in the autumn night; the second one counts for nothing.
    ['0,30 1 * * *', 'America/New_York', HOUR_MS / 2],
    ['0 1 * * 0', 'America/New_York', 7 * DAY_MS - HOUR_MS],
    ['0 3 1 * 1', 'UTC', DAY_MS],
    ['0 3 * * 1', 'UTC', 7 * DAY_MS],
    ['0 3 */2 * 1', 'UTC', 7 * DAY_MS],
    ['0 3 1 * *', 'UTC', 28 * DAY_MS],
    ['@yearly', 'UTC', 365 * DAY_MS],
    ['0 3 29 2 *', 'UTC', 1461 * DAY_MS],
    ['*/3 * * * * * *', 'UTC', 3_000],
    ['*/7 * * * *', 'UTC', 240_000],
    ['0,50 * * * * * *', 'UTC', 10_000],
    ['0 0 3 * * * 2027', 'UTC', DAY_MS],
    ['0 0 3 1 1 * 2027', 'UTC', Infinity],
    ['0 0 3 * * * 2025', 'UTC', Infinity],
  ])('of %j in %s', (text, timezone, gapMs) => {
    expect(shortestGapMs(text, timezone, FROM)).toBe(gapMs);
  });

  it('counts a day that both day fields name once', () => {
    // 2026-06-01 is a Monday.
    const from = new Date('2026-05-31T12:00:00Z');
    expect(shortestGapMs('0 0 3 1 6 1 2026', 'UTC', from)).toBe(7 * DAY_MS);
  });
});

import { describe, expect, it } from 'vitest';
import { formatLocalTime } from '../../src/commands/local-time.js';
import { ProgressLine } from '../../src/commands/progress-line.js';
import { formatTable } from '../../src/commands/table.js';

describe('a table', () => {
  const columns = [
    { title: 'NAME', value: (row: { name: string; size: string }) => row.name },
    { title: 'SIZE', value: (row: { name: string; size: string }) => row.size, align: 'right' as const },
    { title: 'NOTE', value: () => '' },
  ];

  it('has columns as wide as their widest cell, and no blanks at the ends of lines', () => {
    const rows = [
      { name: 'a', size: '1.0 GiB' },
      { name: 'longer name', size: '5 B' },
    ];
    expect(formatTable(columns, rows).split('\n')).toEqual([
      'NAME            SIZE  NOTE',
      'a            1.0 GiB',
      'longer name      5 B',
    ]);
  });

  it('of no rows is its titles', () => {
    expect(formatTable(columns, [])).toBe('NAME  SIZE  NOTE');
  });
});

describe('a local time', () => {
  it('is what the clocks of the zone show, and how far they are from UTC', () => {
    expect(formatLocalTime('2026-11-24T02:59:59.999Z', 'America/Sao_Paulo')).toBe('2026-11-23 23:59:59 -03:00');
    expect(formatLocalTime('2026-11-24T03:00:00Z', 'UTC')).toBe('2026-11-24 03:00:00 +00:00');
  });

  it('tells the two hours apart that autumn repeats', () => {
    expect(formatLocalTime('2026-10-25T00:30:00Z', 'Europe/Berlin')).toBe('2026-10-25 02:30:00 +02:00');
    expect(formatLocalTime('2026-10-25T01:30:00Z', 'Europe/Berlin')).toBe('2026-10-25 02:30:00 +01:00');
  });
});

describe('a progress line', () => {
  function lineOn(isTTY: boolean) {
    const written: string[] = [];
    const clock = { nowMs: 0 };
    const stream = { isTTY, write: (text: string) => written.push(text) > 0 };
    return { written, clock, line: new ProgressLine({ stream, now: () => clock.nowMs }) };
  }

  it('is drawn over itself at a terminal, a few times a second, and goes without a trace', () => {
    const { written, clock, line } = lineOn(true);
    line.show(0, 2048);
    line.show(512, 2048);
    clock.nowMs = 250;
    line.show(1024, 2048);
    line.clear();
    line.clear();
    expect(written).toEqual(['\r\x1b[K0 B of 2.0 KiB (0 %)', '\r\x1b[K1.0 KiB of 2.0 KiB (50 %)', '\r\x1b[K']);
  });

  it('shows bytes alone where nobody knows how many there will be', () => {
    const { written, line } = lineOn(true);
    line.show(3, undefined);
    expect(written).toEqual(['\r\x1b[K3 B']);
  });

  it('is nothing anywhere else', () => {
    const { written, line } = lineOn(false);
    line.show(1, 2);
    line.clear();
    expect(written).toEqual([]);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalDestination, type LocalDestination } from '../../src/destinations/local.js';
import { listRunRecords, readRunRecord, reserveRun } from '../../src/run-records.js';

let root: string;
let destination: LocalDestination;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'records-'));
  destination = createLocalDestination({ root });
});
afterEach(() => rm(root, { recursive: true }));

function reserve(workflowId: string, start: string, timeZone = 'America/New_York'): Promise<string> {
  const rest = {
    service: 's',
    directoryId: 'd',
    trigger: 'schedule',
    outcome: 'running',
    targets: [],
    warnings: [],
  } as const;
  const record = { ...rest, targets: [], warnings: [], workflowId, startedAt: start };
  return reserveRun({ destination, start: new Date(start), timeZone, record });
}

describe('reserveRun', () => {
  it('names a run by its start in the configured zone', async () => {
    expect(await reserve('a', '2026-11-24T06:00:00Z', 'America/Sao_Paulo')).toBe('20261124_030000');
    expect(await reserve('b', '2026-11-24T00:00:00Z', 'UTC')).toBe('20261124_000000'); // not 24:00
  });

  it('gives the same run to the same workflow, as after a reset or a retry', async () => {
    expect(await reserve('a', '2026-11-24T06:00:00Z')).toBe(await reserve('a', '2026-11-24T06:00:00Z'));
    expect(await listRunRecords(destination)).toHaveLength(1);
  });

  it('gives the next free second where two schedules meet', async () => {
    expect(await reserve('a', '2026-11-24T06:00:00.010Z')).toBe('20261124_010000');
    expect(await reserve('b', '2026-11-24T06:00:00.050Z')).toBe('20261124_010001');
    expect(await reserve('c', '2026-11-24T06:00:01Z')).toBe('20261124_010002');
  });

  it('tells the two runs of the repeated hour apart', async () => {
    const first = await reserve('a', '2026-11-01T05:30:00Z'); // 01:30 in summer time
    const second = await reserve('b', '2026-11-01T06:30:00Z'); // 01:30 again
    expect([first, second]).toEqual(['20261101_013000', '20261101_013001']);
    const records = await Promise.all([first, second].map((run) => readRunRecord(destination, run)));
    expect(records.map((r) => r?.workflowId)).toEqual(['a', 'b']);
  });

  it('gives different runs to workflows that ask at the same time', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => reserve(`w${n}`, '2026-11-24T06:00:00Z'));
    expect(new Set(await Promise.all(ids)).size).toBe(20);
  });
});

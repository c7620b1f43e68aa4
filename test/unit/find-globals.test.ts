import { describe, expect, it } from 'vitest';
import type { Destination } from '../../src/destinations/destination.js';
import type { Manifest } from '../../src/domain/manifest.js';
import type { Source } from '../../src/domain/target.js';
import { globalsOf } from '../../src/steps/find-globals.js';
import { aManifest, anEntry } from '../support/manifest.js';

const SYSTEM = '7400000000000000001';
const destination = { kind: 'local', location: '/backups' } as Destination;

function globals(run: string, changes: Partial<Manifest> = {}) {
  const [, day = '', hour = ''] = /^\d{6}(\d\d)_(\d\d)/.exec(run) ?? [];
  const source: Source = { kind: 'globals', systemIdentifier: SYSTEM };
  const captureStartedAt = `2026-11-${day}T${hour}:00:05.000Z`;
  const common = { target: 'globals:db-5432', kind: 'globals' as const, source, run, captureStartedAt };
  return { destination, entry: anEntry({ ...common, ...changes }) };
}

describe('the globals for a database', () => {
  const database = aManifest({ run: '20261124_030000', captureStartedAt: '2026-11-24T03:00:01.000Z' });

  it('are those of its run, else the newest before, else the oldest after', () => {
    const runs = ['26', '25', '24', '23', '22'].map((day) => globals(`202611${day}_030000`));
    expect(globalsOf(database, runs).map(({ entry }) => entry.manifest.run.slice(6, 8))).toEqual([
      '24',
      '23',
      '22',
      '25',
      '26',
    ]);
  });

  it('are of its server and its service, as far as both tell', () => {
    const other: Source[] = [
      { kind: 'globals', systemIdentifier: '1' },
      { kind: 'globals', host: 'postgres', port: 5432 },
      { kind: 'database', systemIdentifier: SYSTEM, database: 'mordor' },
    ];
    const found = [
      ...other.map((source) => globals(database.run, { source })),
      globals(database.run, { service: 'x' }),
    ];
    expect(globalsOf(database, found)).toEqual([]);
    const byAddress = { ...database, source: { kind: 'database', host: 'h', port: 1, database: 'd' } as const };
    const same = globals(database.run, { source: { kind: 'globals', host: 'h', port: 1 } });
    expect(globalsOf(byAddress, [...found, same, globals(database.run)])).toEqual([same]);
  });
});

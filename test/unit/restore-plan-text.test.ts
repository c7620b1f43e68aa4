import { describe, expect, it } from 'vitest';
import { restorePlanText } from '../../src/commands/restore-plan-text.js';
import type { RestorePlan } from '../../src/domain/restore-plan.js';

const PLAN: RestorePlan = {
  target: 'mordor',
  kind: 'database',
  run: '20261124_030000',
  capturedAt: '2026-11-24T06:00:00.000Z',
  destination: 's3',
  location: 's3://backups/20261124_030000/mordor_20261124_030000.sql.gz',
  sizeBytes: 3_000_000,
  into: 'mordor_new',
  warnings: [],
};

function textOf(changes: Partial<RestorePlan>, now = '2026-11-24T08:30:00Z'): string[] {
  const plan = { ...PLAN, ...changes };
  return restorePlanText({ plan, timezone: 'America/Sao_Paulo', now: new Date(now) }).split('\n');
}

describe('the plan of a restore as text', () => {
  it('says in aligned lines what comes from where, how old it is, and that nothing is known of its time', () => {
    expect(textOf({})).toEqual([
      'restore   mordor (database) of run 20261124_030000, captured 2026-11-24 03:00:00 -03:00 (2 h 30 min ago)',
      'from      s3://backups/20261124_030000/mordor_20261124_030000.sql.gz (s3), 2.9 MiB',
      'into      the new database mordor_new',
      'expected  unknown: no drill yet',
    ]);
  });

  it('says server, versions, roles, time to expect and warnings where they are known', () => {
    const lines = textOf({
      server: 'postgres:5432',
      expectedMs: 250_000,
      versions: { captured: 'PostgreSQL 16.4', there: 'PostgreSQL 15.18' },
      roles: { made: ['frodo', 'sam'], missing: ['gollum'] },
      warnings: ['this is not the newest: that of run 20261125_030000 is', 'the server is older'],
    });
    expect(lines.slice(2)).toEqual([
      'into      the new database mordor_new on postgres:5432',
      'expected  4 min 10 s, as its last drill took',
      'versions  PostgreSQL 16.4 when it was captured, PostgreSQL 15.18 there',
      'roles     makes frodo, sam; goes without gollum, which the server lacks',
      'warning   this is not the newest: that of run 20261125_030000 is',
      'warning   the server is older',
    ]);
    expect(textOf({ roles: { made: [] } })).toContain('roles     none have to be made');
  });

  it('says what is replaced, and under which name that stays', () => {
    const replaces = { what: 'the database mordor', sizeBytes: 2048, keptAs: 'mordor_before_20261124_053000' };
    expect(textOf({ into: 'mordor', replaces }).slice(2, 4)).toEqual([
      'in place  the database mordor',
      'replaces  the database mordor (2.0 KiB), which stays as mordor_before_20261124_053000',
    ]);
  });

  it('says which parts alone are restored', () => {
    expect(textOf({ parts: { tables: ['a', 'b.c'], schemas: ['x'] } })[3]).toBe(
      'parts     rows of the tables a, b.c; rows of the schemas x, and no others',
    );
    expect(textOf({ kind: 'volume', into: '/srv/x', parts: { paths: ['a/b'] } }).slice(2, 4)).toEqual([
      'into      the new directory /srv/x',
      'parts     the paths a/b, and no others',
    ]);
  });

  it.each([
    ['2026-11-24T06:00:03Z', '3.0 s ago'],
    ['2026-11-26T05:59:00Z', '47 h 59 min ago'],
    ['2026-12-24T07:00:00Z', '30 days ago'],
    ['2026-11-24T05:00:00Z', 'in the future, by this clock'],
  ])('tells the age at %s: %s', (now, age) => {
    expect(textOf({}, now)[0]).toMatch(new RegExp(`\\(${age}\\)$`));
  });

  it('keeps each fact on its line, whatever names hold', () => {
    const lines = textOf({ into: 'a\nwarning   none\u001b[2J\u202e', warnings: ['x\ny'] });
    expect(lines).toHaveLength(5);
    expect(lines[2]).toBe('into      the new database a warning   none');
  });
});

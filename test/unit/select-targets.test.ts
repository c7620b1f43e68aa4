import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.js';
import { cronsOf } from '../../src/config/schedules.js';
import { selectTargets } from '../../src/steps/select-targets.js';

const NIGHTLY = '0 3 * * *';
const HOURLY = '0 * * * *';
const WEEKLY = '@weekly';

function configOf(schedule: string | undefined, targets: Record<string, string | undefined>): Config {
  const entries = Object.entries(targets).map(([name, own]) => ({ name, ...(own !== undefined && { schedule: own }) }));
  return {
    file: 'backups.yml',
    backup: { ...(schedule !== undefined && { schedule }) },
    targets: entries,
    globals: [],
    refused: [],
    disabled: [{ target: 'isengard', kind: 'database' }],
  } as unknown as Config;
}

function due(config: Config, cron?: string, missing: string[] = [], names: string[] = []): string[] {
  return selectTargets({ config, names, cron, missingCrons: new Set(missing) }).targets.map((t) => t.name);
}

const config = configOf(NIGHTLY, { mordor: undefined, shire: HOURLY, bree: WEEKLY });

describe('the targets of a run', () => {
  it('are all where a person started it, and those that are named', () => {
    expect(due(config)).toEqual(['mordor', 'shire', 'bree']);
    expect(due(config, undefined, [], ['SHIRE'])).toEqual(['shire']);
    expect(due(configOf(NIGHTLY, { Shire: undefined }), undefined, [], ['sHIRE'])).toEqual(['Shire']);
  });

  it('are those of the schedule that fired', () => {
    expect(due(config, NIGHTLY)).toEqual(['mordor']);
    expect(due(config, HOURLY)).toEqual(['shire']);
  });

  it('are with the common schedule also those whose own Temporal does not have yet', () => {
    expect(due(config, NIGHTLY, [HOURLY])).toEqual(['mordor', 'shire']);
    expect(due(config, WEEKLY, [HOURLY])).toEqual(['bree']);
  });

  it('are with a schedule that the file no longer names all that have none in Temporal', () => {
    expect(due(config, '0 4 * * *', [NIGHTLY, WEEKLY])).toEqual(['mordor', 'bree']);
    expect(due(configOf(undefined, { mordor: undefined }), NIGHTLY)).toEqual(['mordor']);
  });

  it('include an entry with an error, by its schedule as far as that can be read', () => {
    const refused = [
      { target: 'moria', kind: 'volume' as const, line: 1, error: 'bad' },
      { target: 'rohan', kind: 'volume' as const, line: 2, error: 'bad', schedule: HOURLY, onHost: 'north' },
    ];
    const select = (cron: string) =>
      selectTargets({ config: { ...config, refused }, names: [], cron, missingCrons: new Set() });
    expect(select(NIGHTLY).refused).toEqual([{ target: 'moria', kind: 'volume', error: 'bad' }]);
    expect(select(HOURLY).refused).toEqual([{ target: 'rohan', kind: 'volume', error: 'bad', host: 'north' }]);
  });

  it('leave what has no schedule yet to the common one also where a schedule has refused entries alone', () => {
    const refused = [{ target: 'rohan', kind: 'volume' as const, line: 2, error: 'bad', schedule: '0 4 * * *' }];
    const select = (cron: string) =>
      selectTargets({ config: { ...config, refused }, names: [], cron, missingCrons: new Set([WEEKLY]) });
    expect(select('0 4 * * *').targets).toEqual([]);
  });

  it('cannot be unknown or disabled ones', () => {
    const named = (name: string) => () => due(config, undefined, [], [name]);
    expect(named('gondor')).toThrow('cannot back up gondor: because backups.yml has no such enabled target');
    expect(named('isengard')).toThrow(expect.objectContaining({ hint: 'set `enabled: true`' }) as Error);
  });
});

describe('the crons of a configuration', () => {
  it('are those that an entry uses, each once, the common one first', () => {
    expect(cronsOf(configOf(NIGHTLY, { shire: HOURLY, mordor: undefined, bree: HOURLY }))).toEqual([NIGHTLY, HOURLY]);
    expect(cronsOf(configOf(NIGHTLY, { shire: HOURLY }))).toEqual([HOURLY]);
    expect(cronsOf(configOf(undefined, { shire: HOURLY, mordor: undefined }))).toEqual([HOURLY]);
  });

  it('are the common one alone where nothing is enabled', () => {
    expect(cronsOf(configOf(NIGHTLY, {}))).toEqual([NIGHTLY]);
    expect(cronsOf(configOf(undefined, {}))).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { effectiveConfig } from '../../src/commands/effective-config.js';
import { parseSize } from '../../src/config/size.js';
import { rulesOf, rulesText } from '../../src/domain/retention-rules.js';
import { databaseEntry, fileOf, loadText, problemsOf } from '../support/config-file.js';

const RULES = { count: 3, daily: '7', weekly: 4, monthly: 12, yearly: 2, min_age: '90d' };
const READ = { count: 3, daily: 7, weekly: 4, monthly: 12, yearly: 2, minAgeMs: 90 * 86_400_000 };

async function rulesFor(backup: object, keys: object = {}) {
  const { targets } = await loadText(fileOf({ databases: [databaseEntry('d', {}, keys)], backup }));
  const [target] = targets;
  if (target === undefined) throw new Error('the entry was refused');
  return { ...rulesOf(target), retentionCount: target.retentionCount };
}

describe('retention', () => {
  it('counts days in the zone of the service, for targets and globals alike', async () => {
    const backup = { retention: RULES, timezone: 'America/Sao_Paulo' };
    expect(await rulesFor(backup)).toMatchObject({ ...READ, timezone: 'America/Sao_Paulo' });
    const { globals } = await loadText(fileOf({ databases: [databaseEntry('d')], backup }));
    expect(globals.map(rulesOf)).toEqual([{ ...READ, timezone: 'America/Sao_Paulo' }]);
  });

  it('is the newest five where nobody says otherwise', async () => {
    expect(rulesText(await rulesFor({}))).toBe('5 newest');
    expect(rulesText(await rulesFor({ retention: { min_age: '36h' } }))).toBe('1 newest, younger than 36h');
  });

  it('means by a count alone what retention_count means, so that every version understands it', async () => {
    for (const backup of [{ retention: { count: 9 } }, { retention_count: 9 }]) {
      const { targets } = await loadText(fileOf({ databases: [databaseEntry('d')], backup }));
      expect(targets[0]).toMatchObject({ retentionCount: 9 });
      expect(targets[0]).not.toHaveProperty('retention');
    }
  });

  it('lets a worker that knows the count alone keep everything', async () => {
    expect((await rulesFor({ retention: RULES })).retentionCount).toBe(100_000);
  });

  it('of an entry replaces that of the service whole', async () => {
    const backup = { retention: RULES };
    expect(rulesText(await rulesFor(backup, { retention_count: 2 }))).toBe('2 newest');
    expect(rulesText(await rulesFor(backup, { retention: { daily: 30 } }))).toBe('1 newest, 30 daily');
    expect(rulesText(await rulesFor({ retention_count: 8 }, { retention: { count: 2, yearly: 1 } }))).toBe(
      '2 newest, 1 yearly',
    );
  });

  it('is said in one way in one place, which the error names by its lines', async () => {
    const text = `backup_targets:
  - name: d
    config: { host: h, user: u, database: d }
    retention: { daily: 1 }
    retention_count: 1
backup_config:
  retention_count: 5
  backup_dir: /b
  retention: { count: 5 }
`;
    const hint = 'retention_count: 5 means the same as retention: {count: 5}: keep one of the two keys';
    expect(await problemsOf(text)).toEqual([
      `5:5: retention_count: it cannot stand beside retention (line 4) | ${hint}`,
      `7:3: backup_config.retention_count: it cannot stand beside retention (line 9) | ${hint}`,
    ]);
    const { targets, refused } = await loadText(text.replace('  retention: { count: 5 }\n', ''));
    expect([targets, refused.map(({ target }) => target)]).toEqual([[], ['d']]);
  });

  it.each([
    [{}, 'backup_config.retention: it has no rule'],
    [{ count: 0 }, 'backup_config.retention.count: expected a whole number from 1 to 100000, but it is the number 0'],
    [{ dayly: 7 }, 'unknown key backup_config.retention.dayly'],
    [
      { min_age: 3 },
      'backup_config.retention.min_age: expected a duration such as 12h, 3d or 90d, but it is the number 3',
    ],
    [{ min_age: '36501d' }, 'backup_config.retention.min_age: expected a duration'],
    [7, 'backup_config.retention: expected a mapping of keys, but it is the number 7'],
  ])('refuses %j', async (retention, message) => {
    const problems = await problemsOf(fileOf({ backup: { retention } }));
    expect(problems).toEqual([expect.stringContaining(message)]);
  });

  it('is shown as it may be written', async () => {
    const keys = { retention: RULES, min_size: '20MB', max_shrink_percent: 40 };
    const text = fileOf({ databases: [databaseEntry('d'), databaseEntry('e', {}, keys)], backup: keys });
    const shown = effectiveConfig(await loadText(text));
    const expected = { retention: { ...RULES, daily: 7 }, min_size: '20MB', max_shrink_percent: 40 };
    expect(shown.backup_config).toMatchObject(expected);
    expect(shown.backup_targets).toMatchObject([expected, expected]);
    const again = await loadText(JSON.stringify(shown));
    expect(parse(JSON.stringify(effectiveConfig(again)))).toEqual(parse(JSON.stringify(shown)));
  });
});

describe('expected sizes', () => {
  it('are none by default, those of the service, or those of the entry, each on its own', async () => {
    const backup = { min_size: '1.5GB', max_shrink_percent: 40 };
    const sizes = async (keys: object, service: object = backup) => {
      const [target] = (await loadText(fileOf({ databases: [databaseEntry('d', {}, keys)], backup: service }))).targets;
      return [target?.minSizeBytes, target?.maxShrinkPercent];
    };
    expect(await sizes({}, {})).toEqual([undefined, undefined]);
    expect(await sizes({})).toEqual([1_500_000_000, 40]);
    expect(await sizes({ min_size: '0B' })).toEqual([0, 40]);
    expect(await sizes({ max_shrink_percent: '100' })).toEqual([1_500_000_000, 100]);
  });

  it.each([
    ['0B', 0],
    ['123B', 123],
    ['1.5kB', 1500],
    ['2KB', 2000],
    ['20MB', 20_000_000],
    ['64 MiB', 67_108_864],
    ['1TiB', 1_099_511_627_776],
  ])('%s are %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', '20', 'MB', '-1MB', '1,5GB', '20 megabytes', '20mb', '1e3MB', '1iB', '1kiB'])(
    '%j is no size',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );

  it('are refused with an example', async () => {
    expect(await problemsOf(fileOf({ backup: { min_size: 20, max_shrink_percent: 101 } }))).toEqual([
      expect.stringContaining('min_size: expected a size such as 500kB, 20MB, 3GB or 64MiB, but it is the number 20'),
      expect.stringContaining('max_shrink_percent: expected a whole number from 1 to 100, but it is the number 101'),
    ]);
  });
});

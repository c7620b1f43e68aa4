import { describe, expect, it } from 'vitest';
import { globalsName } from '../../src/domain/names.js';
import { selectTargets } from '../../src/steps/select-targets.js';
import { databaseEntry, fileOf, loadText } from '../support/config-file.js';

async function namesOf(...databases: object[]): Promise<string[]> {
  return (await loadText(fileOf({ databases }))).globals.map(({ name }) => name);
}

const on = (name: string, host: string, keys: object = {}) => databaseEntry(name, { host }, keys);

describe('the globals of servers', () => {
  it('are one target for each host and port, with the settings of backup_config', async () => {
    const backup = { compression: 'zstd', retention: { daily: 7 }, timeout: '1h', verify: '@weekly' };
    const databases = [
      databaseEntry('mordor', { host: 'db.example.org' }, { compression: 'gzip' }),
      databaseEntry('gondor', { host: 'DB.example.org', user: 'other' }),
      databaseEntry('shire', { host: 'db.example.org', port: 5433 }),
      databaseEntry('rohan', { host: 'off' }, { enabled: false }),
    ];
    const { globals } = await loadText(fileOf({ databases, volumes: [{ name: 'v', volume_name: 'v' }], backup }));
    const common = {
      kind: 'globals',
      host: 'default',
      compression: 'zstd',
      timeoutMs: 3_600_000,
      retention: { daily: 7 },
    };
    expect(globals).toMatchObject([
      {
        ...common,
        name: 'globals:db.example.org-5432',
        verify: { cron: '@weekly', method: 'drill' },
        logins: [{ name: 'mordor' }, { name: 'gondor' }],
      },
      { ...common, name: 'globals:db.example.org-5433', logins: [{ name: 'shire' }] },
    ]);
  });

  it('know each user of a server once, unless its passwords may differ', async () => {
    const databases = [
      databaseEntry('a', { password: '${PW}' }),
      databaseEntry('b', { password: '${PW}' }),
      databaseEntry('c', { password: 'literal' }),
      databaseEntry('d', { password: 'literal' }),
      databaseEntry('e', { password: '${PW}', user: 'other' }),
    ];
    const { globals } = await loadText(fileOf({ databases }), { PW: 'secret' });
    expect(globals[0]?.logins.map(({ name }) => name)).toEqual(['a', 'c', 'd', 'e']);
    expect(JSON.stringify(globals)).not.toMatch(/secret|literal/);
  });

  it('have names that can be file names, whatever a host is called', async () => {
    expect(await namesOf(on('a', '[::1]'), on('b', '/var/run/postgresql'))).toEqual([
      'globals:---1--5432',
      'globals:-var-run-postgresql-5432',
    ]);
    expect(globalsName({ host: `${'x'.repeat(300)}é😀\n/../`, port: 65_535 })).toBe(`globals:${'x'.repeat(100)}-65535`);
    expect(globalsName({ host: 'é😀\n/../', port: 1 })).toBe('globals:----..--1');
  });

  it('are told apart where their names would be the same: the first has the plain one', async () => {
    expect(await namesOf(on('a', 'db-a'), on('b', 'db_a'), on('c', 'db a'))).toEqual([
      'globals:db-a-5432',
      expect.stringMatching(/^globals:db-a-5432-[0-9a-f]{8}$/),
      expect.stringMatching(/^globals:db-a-5432-[0-9a-f]{8}$/),
    ]);
    expect(new Set(await namesOf(on('a', 'db_a'), on('b', 'db a'))).size).toBe(2);
    const local = [
      on('a', 'localhost'),
      on('b', 'localhost', { on_host: 'far_1' }),
      on('c', 'other', { on_host: 'far_1' }),
    ];
    expect(await namesOf(...local)).toEqual([
      'globals:localhost-5432',
      'globals:localhost-5432-far-1',
      'globals:other-5432',
    ]);
  });

  it('are none where `globals` is false', async () => {
    const file = fileOf({ databases: [databaseEntry('a')], backup: { globals: false } });
    expect((await loadText(file)).globals).toEqual([]);
  });

  it('go last into each run of a database of their server, or into one that names them', async () => {
    const config = await loadText(
      fileOf({
        databases: [on('a', 'one'), on('b', 'two', { schedule: '@hourly' }), on('c', 'one')],
        volumes: [{ name: 'v', volume_name: 'v' }],
        backup: { schedule: '@daily' },
      }),
    );
    const chosen = (names: string[], cron?: string) =>
      selectTargets({ config, names, cron, missingCrons: new Set() }).targets.map(({ name }) => name);
    expect(chosen([])).toEqual(['a', 'b', 'c', 'v', 'globals:one-5432', 'globals:two-5432']);
    expect(chosen(['c', 'v'])).toEqual(['c', 'v', 'globals:one-5432']);
    expect(chosen(['v'])).toEqual(['v']);
    expect(chosen([], '@hourly')).toEqual(['b', 'globals:two-5432']);
    expect(chosen(['GLOBALS:two-5432'])).toEqual(['globals:two-5432']);
    expect(chosen(['globals:one-5432', 'a'])).toEqual(['a', 'globals:one-5432']);
  });
});

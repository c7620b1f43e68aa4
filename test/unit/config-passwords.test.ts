import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.js';
import type { DatabaseTarget } from '../../src/domain/target.js';
import { databaseEntry, fileOf, loadText, problemsOf, testDirectory } from '../support/config-file.js';

const HOSTILE = `$ % # @ : / ? ' " \\ \${HOME} $$ \${`;

function target(config: Config, name = 'd'): DatabaseTarget {
  const found = config.targets.find((candidate) => candidate.name === name);
  if (found?.kind !== 'database') throw new Error(`there is no database ${name}`);
  return found;
}

const withPassword = (password: unknown, env = {}) =>
  loadText(fileOf({ databases: [databaseEntry('d', { password })] }), env);

describe('the password of a target', () => {
  it.each([
    ['${PW}', { PW: HOSTILE }, HOSTILE],
    ['${A}${B}', { A: 'x', B: 'y' }, 'xy'],
    ['${EMPTY}', { EMPTY: '' }, ''],
  ])('%j travels as it is written, and is resolved when used', async (password, env, value) => {
    const config = await withPassword(password, env);
    expect(target(config).connection.passwordTemplate).toBe(password);
    expect(config.passwordOf(target(config))).toBe(value);
  });

  it.each([
    ['lit$eral', {}, 'lit$eral'],
    [`$ % # @ : / ? ' " \\ `, {}, `$ % # @ : / ? ' " \\ `],
    ['${PW:-fallback}', {}, 'fallback'],
    ['pre${PW}', { PW: 'x' }, 'prex'],
    ['${PW}-', { PW: 'x' }, 'x-'],
    ['', {}, ''],
  ])('%j does not travel: it is looked up by name', async (password, env, value) => {
    const config = await withPassword(password, env);
    expect(target(config).connection).not.toHaveProperty('passwordTemplate');
    expect(config.passwordOf(target(config))).toBe(value);
    expect(JSON.stringify(config.targets)).not.toContain(value || 'password');
  });

  it('stays hidden where it is the name of the user too: only names of targets are open', async () => {
    const config = await withPassword('${PW}', { PW: 'd' });
    expect(config.names).toEqual(['d', 'globals:h-5432', 'globals_h-5432']);
    expect(config.names).not.toContain(target(config).connection.user);
  });

  it('is undefined where the file has none', async () => {
    const config = await withPassword(undefined);
    expect(config.passwordOf(target(config))).toBeUndefined();
  });

  it('is read anew from its file each time, and said to be gone when it is', async () => {
    const file = join(testDirectory(), 'pw');
    writeFileSync(file, 'first\n');
    const config = await withPassword('${PW}', { PW_FILE: file });
    expect(config.passwordOf(target(config))).toBe('first');
    writeFileSync(file, 'second');
    expect(config.passwordOf(target(config))).toBe('second');
    expect(config.secrets()).toEqual(['first', 'second']);
    writeFileSync(file, 'hunter2\nhunter3');
    expect(() => config.passwordOf(target(config))).toThrow(
      'cannot read the password of d: because it holds a line break or NUL',
    );
    rmSync(file);
    expect(() => config.passwordOf(target(config))).toThrow(
      'cannot read the password of d: because cannot read the file that PW_FILE names: because of ENOENT',
    );
  });

  it("is that of this worker's environment where the template came from another", async () => {
    const config = await withPassword('${PW}', { PW: 'here', OTHER: 'other' });
    const { connection, ...rest } = target(config);
    const passwordOf = (passwordTemplate: string) =>
      config.passwordOf({ ...rest, connection: { ...connection, passwordTemplate } });
    expect(passwordOf('${OTHER}')).toBe('other');
    expect(() => passwordOf('${NOWHERE}')).toThrow(
      expect.objectContaining({ code: 'ConfigInvalid', hint: expect.stringContaining('stack.env') as string }) as Error,
    );
  });
});

describe("the password of another host's target", () => {
  const onNorth = (config: object) =>
    loadText(fileOf({ databases: [{ ...databaseEntry('d', config), on_host: 'north' }] }), { HERE: 'x' });

  it('stays as it is written: its variable is set there, not here', async () => {
    const config = await onNorth({ password: '${NORTH_PASSWORD}' });
    expect(config.refused).toEqual([]);
    expect(target(config).connection.passwordTemplate).toBe('${NORTH_PASSWORD}');
  });

  it('is all that does', async () => {
    expect(target(await onNorth({ user: '${HERE}' })).connection.user).toBe('x');
    expect((await onNorth({ user: '${NORTH_USER}' })).refused[0]?.error).toContain('NORTH_USER is not set');
  });
});

describe('a password that cannot be', () => {
  it.each([
    ['hunter2\nx', {}],
    ['hunter2\rx', {}],
    ['hunter2\0', {}],
    ['${PW}', { PW: 'hunter2\nx' }],
    [['hunter2'], {}],
    [{ hunter2: 1 }, {}],
    [41_414_141, {}],
    [null, {}],
  ])('%j refuses its target, unquoted', async (password, env) => {
    const { targets, refused } = await withPassword(password, env);
    expect(targets).toEqual([]);
    expect(refused[0]?.error).toContain('config.password: expected text without line breaks');
    expect(refused[0]?.error).not.toMatch(/hunter2|41414141/);
  });

  it('names the type of what is no text', async () => {
    expect((await withPassword(41_414_141)).refused[0]?.error).toContain(
      'but it is a number\nHINT: put quotes around it',
    );
  });

  it('that YAML took for a comment is explained', async () => {
    const text = `backup_targets:
  - name: d
    config:
      password: #secret
      host: h
      user: u
      database: d
backup_config: { backup_dir: /b }`;
    expect((await loadText(text)).refused[0]?.error).toContain('put quotes around what begins with #');
  });
});

describe('what is known to be secret', () => {
  it('is every password, also of refused and disabled entries, and the keys of AWS and Temporal', async () => {
    const databases = [
      databaseEntry('template', { password: '${PW}' }),
      databaseEntry('literal', { password: 'in the file' }),
      databaseEntry('refused', { password: 'of refused', port: 0 }),
      databaseEntry('off', { password: 'of disabled' }, { enabled: false }),
      databaseEntry('off-too', { password: '${NOT_SET}' }, { enabled: false }),
    ];
    const env = {
      ...{ PW: 'of env', NOT_A_SECRET: 'x', AWS_ACCESS_KEY_ID: 'AKIA' },
      ...{ AWS_SECRET_ACCESS_KEY: 'key', AWS_SESSION_TOKEN: 'token', TEMPORAL_API_KEY: 'api' },
    };
    const config = await loadText(fileOf({ databases }), env);
    const secrets = ['api', 'in the file', 'key', 'of disabled', 'of env', 'of refused', 'token'];
    expect([...config.secrets()].sort()).toEqual(secrets);
  });

  it('stands in no error of the file', async () => {
    const databases = [
      databaseEntry('a', { password: 'hunter2', port: 'x' }),
      databaseEntry('A', { password: '${PW}', user: '${NOT_SET}', sslmode: '${PW}', host: 5 }, { timeout: '${PW}' }),
    ];
    const backup = {
      schedule: '${PW}',
      timezone: '${PW}',
      retention_count: '${PW}',
      s3_bucket: '${PW}/',
      service: '${PW}',
    };
    const problems = await problemsOf(fileOf({ databases, backup }), { PW: '-hunter2' });
    expect(problems).toHaveLength(11);
    expect(problems.join('\n')).not.toContain('hunter2');
  });
});

import { writeFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { databaseItem, deploy, volumeItem, type Deployment } from '../support/deployment.js';

const PASSWORD = `p$a%s#s@w:o/r?d'"\\ canary`;

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deploy({
    databases: `${databaseItem('mordor', '-h evil', 'compression: zstd')}\n${databaseItem('off', '${NEVER_SET}', 'enabled: false')}`,
    volumes: volumeItem('data', 'financer_data', 'retention_count: 9'),
    schedules: true,
    settings: { schedule: '0 3 * * *', timezone: 'America/Sao_Paulo', deadline: '90s' },
    s3: { bucket: 'some-bucket', prefix: 'nightly', endpoint: 'http://127.0.0.1:1' },
    env: { DB_PASSWORD: PASSWORD },
  });
});
afterAll(() => deployment.close());

const config = (...args: string[]) => deployment.backupctl(['config', ...args], { TEMPORAL_ADDRESS: '127.0.0.1:1' });

describe('backupctl config check', () => {
  it('says what a good configuration amounts to', async () => {
    const { code, stdout, stderr } = await config('check');
    expect(code, stderr).toBe(0);
    expect(stdout.trimEnd().split('\n')).toEqual([
      `ok  ${deployment.configFile}`,
      'ok  targets: databases 1, volumes 1, disabled 1',
      `ok  destinations: ${deployment.backupDir}, s3://some-bucket/nightly`,
      'ok  schedule: 0 3 * * * (America/Sao_Paulo)',
      'ok  retention: 5 newest of each target in each destination',
    ]);
    expect((await config('check', '--json')).json).toEqual({ file: deployment.configFile, ok: true, problems: [] });
  });

  it('names the errors of all entries, each with what to do, and ends with 2', async () => {
    await deployment.configure({
      databases: `${databaseItem('one', '${FIRST}')}\n${databaseItem('two', '${SECOND}')}`,
    });
    onTestFinished(() => deployment.configure({}));
    const { code, stdout, stderr } = await config('check');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/backups.yml:\d+:\d+: .*the variable FIRST is not set\nHINT: /);
    expect(stderr).toMatch(/backups.yml:\d+:\d+: .*the variable SECOND is not set\nHINT: /);
    const { json, code: jsonCode } = await config('check', '--json');
    expect(jsonCode).toBe(2);
    expect(json).toMatchObject({ ok: false, problems: [{ target: 'one' }, { target: 'two' }] });
  });

  it('names all errors of the file as a whole', async () => {
    await deployment.configure({ settings: { scedule: '0 3 * * *', retention_count: 'many' } });
    onTestFinished(() => deployment.configure({}));
    const { code, stderr } = await config('check');
    expect(code).toBe(2);
    expect(stderr).toMatch(/unknown key backup_config.scedule\nHINT: did you mean schedule/);
    expect(stderr).toMatch(/backup_config.retention_count: expected a whole number/);
    const { json } = await config('check', '--json');
    expect(json).toMatchObject({ ok: false, problems: [{ line: expect.any(Number) as number }, {}] });
  });

  it('says where a missing file was looked for', async () => {
    const { code, stderr } = await deployment.backupctl(['--config', 'nowhere.yml', 'config', 'check']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/cannot read .*nowhere.yml.*\nHINT: /);
  });
});

describe('backupctl config show', () => {
  it('prints every default by the keys of the file, and no password', async () => {
    const { code, stdout, stderr } = await config('show');
    expect(code, stderr).toBe(0);
    expect(stdout + stderr).not.toContain('canary');
    const shown = parse(stdout) as Record<string, unknown>;
    expect(shown).toMatchObject({
      backup_targets: [
        {
          ...{ name: 'mordor', type: 'database', enabled: true, compression: 'zstd', compression_level: 3 },
          ...{ retention_count: 5, timeout: '12h', config: { password: '***', database: '-h evil' } },
        },
        { name: 'off', enabled: false },
      ],
      volume_backups: [{ name: 'data', volume_name: 'financer_data', retention_count: 9, compression: 'gzip' }],
      backup_config: {
        ...{ backup_dir: deployment.backupDir, schedule: '0 3 * * *', timezone: 'America/Sao_Paulo', deadline: '90s' },
        ...{ s3_bucket: 'some-bucket', s3_prefix: 'nightly', s3_force_path_style: true, max_parallel: 4, attempts: 5 },
        ...{ heartbeat_timeout: '8s', stall_timeout: '15m', copy_retry_for: '30m', compression_level: 6 },
      },
    });
    expect((await config('show', '--json')).json).toEqual(shown);
  });

  it('prints what the file takes again', async () => {
    const { stdout } = await config('show');
    const file = `${deployment.directory}/shown.yml`;
    await writeFile(file, stdout);
    const again = await deployment.backupctl(['--config', file, 'config', 'show']);
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toBe(stdout);
  });
});

describe('backupctl config schema', () => {
  it('prints a JSON Schema with every key', async () => {
    const { code, json } = await deployment.backupctl(['config', 'schema'], { BACKUPS_FILE: '/nowhere' });
    expect(code).toBe(0);
    expect(json).toMatchObject({
      $schema: expect.stringContaining('json-schema.org') as string,
      properties: {
        backup_targets: {},
        volume_backups: {},
        backup_config: { properties: { s3_bucket: {}, retention_count: { default: 5 } } },
      },
    });
  });
});

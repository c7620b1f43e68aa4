import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { databaseEntry, fileOf, loadText, testDirectory } from '../support/config-file.js';

const USERS_FILE = `
backup_targets:
  - name: "mordor"
    type: "database"
    enabled: true
    config: { host: "postgres", port: 5432, user: "\${POSTGRES_USER}", password: "\${POSTGRES_PASSWORD}", database: "mordor" }
  - name: "transactions"
    type: "database"
    enabled: true
    config: { host: "transactions", port: 5433, user: "\${TRANSACTIONS_USER}", password: "\${TRANSACTIONS_PASSWORD}", database: "transactions" }
volume_backups:
  - name: "postgres-data"
    enabled: true
    volume_name: "financer-services_postgres_data"
    description: "PostgreSQL data directory"
backup_config:
  retention_count: 5
  backup_dir: "/backups"
  s3_bucket: "\${S3_BUCKET}"
  s3_region: "\${AWS_DEFAULT_REGION}"
  schedule: "0 3 * * *"
  compression_level: 6
`;
const USERS_ENV = {
  POSTGRES_USER: 'frodo',
  POSTGRES_PASSWORD: 'mellon',
  TRANSACTIONS_USER: 'sam',
  TRANSACTIONS_PASSWORD: 'potatoes',
  S3_BUCKET: 'backups',
  AWS_DEFAULT_REGION: 'sa-east-1',
};
const COMMON = { host: 'default', compression: 'gzip', compressionLevel: 6, retentionCount: 5, timeoutMs: 43_200_000 };

describe("a user's file", () => {
  it('is taken as it is, with the defaults', async () => {
    const config = await loadText(USERS_FILE, USERS_ENV);
    expect(config).toMatchObject({ text: USERS_FILE, refused: [], disabled: [], warnings: [] });
    expect(config.targets).toEqual([
      {
        ...{ ...COMMON, kind: 'database', name: 'mordor' },
        connection: {
          ...{ host: 'postgres', port: 5432, user: 'frodo', database: 'mordor' },
          passwordTemplate: '${POSTGRES_PASSWORD}',
        },
      },
      {
        ...{ ...COMMON, kind: 'database', name: 'transactions' },
        connection: {
          ...{ host: 'transactions', port: 5433, user: 'sam', database: 'transactions' },
          passwordTemplate: '${TRANSACTIONS_PASSWORD}',
        },
      },
      {
        ...{ ...COMMON, kind: 'volume', name: 'postgres-data', volumeName: 'financer-services_postgres_data' },
        description: 'PostgreSQL data directory',
      },
    ]);
    expect(config.backup).toEqual({
      backupDir: '/backups',
      schedule: '0 3 * * *',
      timezone: 'UTC',
      retentionCount: 5,
      compression: 'gzip',
      compressionLevel: 6,
      timeoutMs: 43_200_000,
      dumpFormat: 'plain',
      dumpJobs: 1,
      globals: true,
      verify: {},
      s3: { bucket: 'backups', region: 'sa-east-1', prefix: '', forcePathStyle: false },
      limits: { captureSlots: 4, copySlots: 4 },
      priority: { nice: 5 },
      run: {
        maxParallel: 4,
        attempts: 5,
        retryDelayMs: 30_000,
        heartbeatTimeoutMs: 60_000,
        stallTimeoutMs: 900_000,
        unpolledTimeoutMs: 1_800_000,
        copyRetryForMs: 1_800_000,
      },
    });
  });

  it('has its entries in the shipped one, and a live data directory is disabled there', async () => {
    const shipped = await loadText(readFileSync(new URL('../../backups.yml', import.meta.url), 'utf8'), USERS_ENV);
    const users = await loadText(USERS_FILE, USERS_ENV);
    const databases = users.targets.filter(({ kind }) => kind === 'database');
    const verify = { cron: '0 5 * * *', method: 'drill', from: 'local' };
    expect(shipped.targets).toEqual(expect.arrayContaining(databases.map((target) => ({ ...target, verify }))));
    expect(shipped.disabled).toMatchObject([{ target: 'postgres-data' }]);
    expect(shipped.backup).toEqual({
      ...users.backup,
      timezone: 'America/Sao_Paulo',
      verify: { verify: '0 5 * * *' },
    });
  });

  it('may be a symbolic link, and its path is made absolute', async () => {
    const directory = testDirectory();
    writeFileSync(join(directory, 'real.yml'), USERS_FILE);
    symlinkSync('real.yml', join(directory, 'link.yml'));
    const file = relative(process.cwd(), join(directory, 'link.yml'));
    const config = await loadConfig({ file, env: USERS_ENV });
    expect(config).toMatchObject({ file: join(directory, 'link.yml'), text: USERS_FILE });
  });
});

describe('every key', () => {
  it('of backup_config is read', async () => {
    const { backup } = await loadText(
      fileOf({
        backup: {
          ...{ backup_dir: '/srv//backups/', retention_count: '7', schedule: '@daily', timezone: 'Europe/Berlin' },
          ...{ service: 'home', compression: 'zstd', compression_level: '19', helper_image: 'debian:12' },
          ...{ s3_bucket: 'b', s3_region: 'r', s3_endpoint: 'http://127.0.0.1:9000', s3_prefix: '/a/b/' },
          ...{ s3_force_path_style: 'true', max_parallel: 2, attempts: 3, retry_delay: '500ms', deadline: '1d' },
          ...{ heartbeat_timeout: '5s', stall_timeout: '2m', unpolled_timeout: '3h', copy_retry_for: '1m' },
          ...{ timeout: '4h', globals: 'false', dump_format: 'custom', dump_jobs: '3' },
          ...{ capture_slots: 3, server_slots: '2', copy_slots: 1, max_bandwidth: '10MB' },
          ...{ nice: 19, ionice: 'best-effort 7' },
        },
      }),
    );
    expect(backup).toEqual({
      ...{ backupDir: '/srv/backups', retentionCount: 7, schedule: '@daily', timezone: 'Europe/Berlin' },
      ...{
        service: 'home',
        compression: 'zstd',
        compressionLevel: 19,
        helperImage: 'debian:12',
        timeoutMs: 14_400_000,
        dumpFormat: 'custom',
        dumpJobs: 3,
        globals: false,
      },
      verify: {},
      s3: { bucket: 'b', region: 'r', endpoint: 'http://127.0.0.1:9000', prefix: 'a/b', forcePathStyle: true },
      limits: { captureSlots: 3, serverSlots: 2, copySlots: 1, maxBytesPerSecond: 10_000_000 },
      priority: { nice: 19, ionice: 7 },
      run: {
        ...{ maxParallel: 2, attempts: 3, retryDelayMs: 500, heartbeatTimeoutMs: 5_000, stallTimeoutMs: 120_000 },
        ...{ unpolledTimeoutMs: 10_800_000, copyRetryForMs: 60_000, deadlineMs: 86_400_000 },
      },
    });
  });

  it('of a target is read, and what it lacks is that of backup_config', async () => {
    const own = { compression: 'zstd', compression_level: 9, retention_count: 2, timeout: '1h' };
    const config = await loadText(
      fileOf({
        databases: [databaseEntry('own', { port: '${PORT}', sslmode: 'verify-full' }, own), databaseEntry('plain')],
        volumes: [{ name: 'v', volume_name: 'vol', ...own }],
        backup: { retention_count: 9, timeout: '2h' },
      }),
      { PORT: '5433' },
    );
    const resolved = { compression: 'zstd', compressionLevel: 9, retentionCount: 2, timeoutMs: 3_600_000 };
    expect(config.targets).toMatchObject([
      { ...resolved, connection: { port: 5433, sslmode: 'verify-full' } },
      { compression: 'gzip', compressionLevel: 6, retentionCount: 9, timeoutMs: 7_200_000, connection: { port: 5432 } },
      { ...resolved, volumeName: 'vol' },
    ]);
  });
});

describe('the level of compression', () => {
  it.each([
    [{}, {}, 'gzip', 6],
    [{ compression: 'zstd' }, {}, 'zstd', 3],
    [{ compression_level: 9 }, {}, 'gzip', 9],
    [{ compression_level: 9 }, { compression: 'zstd' }, 'zstd', 3],
    [{ compression_level: 9 }, { compression: 'gzip' }, 'gzip', 6],
    [{ compression: 'zstd', compression_level: 19 }, { compression: 'gzip' }, 'gzip', 6],
    [{ compression: 'zstd', compression_level: 19 }, { compression_level: 1 }, 'zstd', 1],
    [{ compression_level: 0 }, {}, 'gzip', 0],
  ])('with %j and in the target %j is %s %i', async (backup, target, compression, compressionLevel) => {
    const config = await loadText(fileOf({ databases: [databaseEntry('d', {}, target)], backup }));
    expect(config.targets).toMatchObject([{ compression, compressionLevel }]);
  });
});

describe('S3', () => {
  it.each(['""', 'null', '"${BUCKET}"', '"${NO_BUCKET:-}"'])('is left out where the bucket is %s', async (bucket) => {
    const text = `backup_config: { backup_dir: /b, s3_bucket: ${bucket}, s3_region: "", s3_prefix: x }`;
    expect((await loadText(text, { BUCKET: '' })).backup).not.toHaveProperty('s3');
  });

  it('takes empty keys beside a bucket for absent ones', async () => {
    const backup = { s3_bucket: 'b', s3_region: '', s3_endpoint: '', s3_prefix: '//' };
    const { s3 } = (await loadText(fileOf({ backup }))).backup;
    expect(s3).toEqual({ bucket: 'b', prefix: '', forcePathStyle: false });
  });
});

describe('what does not take part', () => {
  it('is a disabled entry, which is not resolved at all', async () => {
    const off = databaseEntry('off', { user: '${NOT_SET}', nonsense: 1, port: 'x' }, { enabled: 'false' });
    const config = await loadText(
      fileOf({
        databases: [off],
        volumes: [
          { name: 'v', enabled: '${NOT_SET:-false}' },
          { name: 'w', volume_name: 'w' },
        ],
      }),
    );
    expect(config.disabled).toEqual([
      { target: 'off', kind: 'database' },
      { target: 'v', kind: 'volume' },
    ]);
    expect(config).toMatchObject({ targets: [{ name: 'w' }], refused: [], warnings: [] });
  });

  it('is said aloud where it is everything', async () => {
    const config = await loadText('backup_targets:\nbackup_config: { backup_dir: /b }');
    expect(config.warnings).toEqual([`${config.file}: no target is enabled`]);
  });
});

it.each(['-h evil', `a'b"c`, 'x=1 dbname=y', '--', '/etc', '$(id)', 'ü 密'])(
  'hostile text such as %j is taken as it is',
  async (hostile) => {
    const { targets } = await loadText(
      fileOf({
        databases: [databaseEntry('d', { database: hostile, user: hostile, host: hostile })],
        volumes: [{ name: 'v', volume_name: hostile, description: hostile }],
      }),
    );
    expect(targets).toMatchObject([
      { connection: { database: hostile, user: hostile, host: hostile } },
      { volumeName: hostile, description: hostile },
    ]);
  },
);

it('aliases and anchors stand for what they name', async () => {
  const { targets } = await loadText(`
backup_targets:
  - { name: a, config: &c { host: h, user: u, database: d } }
  - { name: b, config: *c }
backup_config: { backup_dir: /b }`);
  expect(targets).toMatchObject([{ connection: { host: 'h' } }, { name: 'b', connection: { host: 'h' } }]);
});

describe('a file that was read before', () => {
  const text = fileOf({ databases: [databaseEntry('mordor', { password: '${PW}', user: '${NAME}' })] });

  it('is not read through again as long as all that it was made of says the same', async () => {
    const { file, env, secret } = prepared();
    const last = await loadConfig({ file, env });
    expect(await loadConfig({ file, env: { ...env }, last })).toBe(last);

    writeFileSync(secret, 'other');
    const ofSecret = await loadConfig({ file, env, last });
    expect(ofSecret.targets).toMatchObject([{ connection: { user: 'other' } }]);
    const ofEnv = await loadConfig({ file, env: { ...env, PW: 'new' }, last: ofSecret });
    expect(ofEnv.secrets()).toContain('new');
    writeFileSync(file, text.replace('mordor', 'gondor'));
    expect((await loadConfig({ file, env, last })).targets).toMatchObject([{ name: 'gondor' }]);
  });

  function prepared() {
    const directory = testDirectory();
    const [file, secret] = [join(directory, 'backups.yml'), join(directory, 'secret')];
    writeFileSync(file, text);
    writeFileSync(secret, 'frodo');
    return { file, secret, env: { PW: 'old', NAME_FILE: secret } };
  }
});

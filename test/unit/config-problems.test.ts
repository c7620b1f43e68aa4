import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.js';
import { databaseEntry, fileOf, loadText, problemsOf, testDirectory } from '../support/config-file.js';

const BACKUP = 'backup_config: { backup_dir: /b }';

describe('an error of the file', () => {
  it('comes with all others at once, in order, each with its place and its hint', async () => {
    const text = `backup_targets:
  - name: one
    config: { host: h, user: "\${NO_USER}", password: "\${NO_PASSWORD}", database: d }
volumes: []
backup_config:
  retension_count: 5
  backup_dir: backups
  s3_bucket: "\${NO_BUCKET}"
  schedule: 61 3 * * *
`;
    const set = (name: string) => `set ${name} in stack.env or in the environment`;
    expect(await problemsOf(text)).toEqual([
      `3:30: config.user: the variable NO_USER is not set | ${set('NO_USER')}`,
      `3:54: config.password: the variable NO_PASSWORD is not set | ${set('NO_PASSWORD')}`,
      '4:1: unknown key volumes | the keys known here are backup_targets, volume_backups, backup_config',
      '6:3: unknown key backup_config.retension_count | did you mean retention_count?',
      '7:15: backup_config.backup_dir: expected an absolute path, but it is "backups" | write it, as in backup_dir: "/backups"',
      `8:14: backup_config.s3_bucket: the variable NO_BUCKET is not set | ${set('NO_BUCKET')}`,
      '9:13: backup_config.schedule: expected a cron expression, but it is "61 3 * * *" ("61" is no minute) | write numbers from 0 to 59, as in *, 1,2, 1-5 or */2',
    ]);
  });

  it('is one message of lines that editors and people read', async () => {
    const file = join(testDirectory(), 'backups.yml');
    writeFileSync(file, 'backup_config: {}\nnone: 1\n');
    await expect(loadConfig({ file, env: {} })).rejects.toMatchObject({
      code: 'ConfigInvalid',
      retryable: false,
      text: [
        `cannot use ${file}: because it has 2 problems:`,
        `${file}:1:16: backup_config.backup_dir is missing`,
        'HINT: add it, as in backup_dir: "/backups"',
        `${file}:2:1: unknown key none`,
        'HINT: the keys known here are backup_targets, volume_backups, backup_config',
      ].join('\n'),
    });
  });

  it.each([
    ['', '1:1: the file is empty'],
    ['# nothing\n', '1:1: the file is empty'],
    ['- 1', '1:1: the file: expected a mapping of keys, but it is a list'],
    ['backup_targets: []', '1:1: backup_config is missing'],
    ['backup_config: [1]', '1:16: backup_config: expected a mapping of keys, but it is a list'],
    ['backup_config:', '1:15: backup_config: expected a mapping of keys, but it is empty'],
    [`backup_targets: { a: 1 }\n${BACKUP}`, '1:17: backup_targets: expected a list, but it is a mapping of keys'],
    [`backup_targets: [x]\n${BACKUP}`, '1:18: expected an entry, a mapping of keys, but it is something else'],
    [`volume_backups: [{}]\n${BACKUP}`, '1:18: name is missing'],
    [`volume_backups: [{ name: 5 }]\n${BACKUP}`, '1:26: name: expected up to 63 letters, '],
    [`volume_backups: [{ name: a/b }]\n${BACKUP}`, '1:26: name: expected up to 63 letters, '],
    [`volume_backups: [{ name: "\${X}" }]\n${BACKUP}`, '1:26: name: the variable X is not set'],
    [`volume_backups: [{ name: a/b, enabled: false }]\n${BACKUP}`, '1:26: name: expected up to 63 letters, '],
    [`volume_backups: [{ name: Logs, enabled: false }]\n${BACKUP}`, '1:26: name: "Logs" is kept for files'],
    [`volume_backups: [{ name: globals-1, enabled: false }]\n${BACKUP}`, '1:26: name: "globals-1" is kept for files'],
  ])('%j: %s', async (text, problem) => {
    expect(await problemsOf(text)).toEqual([expect.stringContaining(problem)]);
  });

  it('is a name that two entries share, whatever its case and their kind', async () => {
    const text = `backup_targets:
  - { name: Same, enabled: false }
volume_backups:
  - { name: same, enabled: false }
${BACKUP}`;
    expect(await problemsOf(text)).toEqual([
      '4:13: name: "same" is taken already (backup_targets, line 2) | names are unique over databases and volumes, ignoring case: choose another',
    ]);
  });
});

describe('broken YAML', () => {
  it.each([
    ['backup_config: { backup_dir: /b', /^1:32: the indentation does not fit, or a bracket is not closed/],
    ['backup_config:\n  backup_dir: /b\n  backup_dir: /c\n', /^3:3: the same key stands here twice/],
    ['a: "x" y', /^1:8: something stands where nothing may/],
    ['a:\n  b: 1\n c: 2', /^3:1: the indentation does not fit/],
    ['a: *b', /^1:4: an alias \(\*name\) has no anchor/],
    ['a: &x [*x]', /^1:8: an alias .* stands within what it names/],
    ['a: [1, 2', /^1:9: /],
    ['a: "b', /^1:6: a quote, bracket, colon or comma is missing/],
    ['a: !secret x', /^1:4: a tag \(!name\) is not known/],
    ['a: 1\n---\nb: 2', /^2:1: a second document begins/],
    ['a: b: c', /^1:4: /],
    ['a: @b', /^1:4: a text begins with a character that YAML keeps for itself/],
    ['a: "\\q"', /^1:5: a text in double quotes holds an escape/],
    ['a:\n\tb: 1', /^2:1: a tab stands where YAML wants spaces/],
  ])('%j is placed', async (text, problem) => {
    expect((await problemsOf(text))[0]).toMatch(problem);
  });

  it.each(['p: *hunter2', 'p: "hunter2\\q"', 'p: "x" hunter2', 'p: !hunter2 x', 'p: "hunter2', 'p: a: hunter2: x'])(
    '%j is not quoted, since it may be a password',
    async (text) => {
      expect((await problemsOf(text)).join('\n')).not.toContain('hunter2');
    },
  );
});

describe('a file that cannot be read', () => {
  const read = (file: string) => loadConfig({ file, env: {} });
  const hint = 'name your backups.yml with --config FILE or BACKUPS_FILE';

  it('is missing, or a link to nothing', async () => {
    const directory = testDirectory();
    symlinkSync('nothing', join(directory, 'link.yml'));
    for (const name of ['backups.yml', 'link.yml']) {
      const file = join(directory, name);
      const message = `cannot read ${file}: because there is no such file`;
      await expect(read(file)).rejects.toMatchObject({ code: 'ConfigInvalid', message, hint });
    }
  });

  it('is a directory, as Docker makes one for a missing file', async () => {
    const file = join(testDirectory(), 'backups.yml');
    mkdirSync(file);
    await expect(read(file)).rejects.toMatchObject({
      message: `cannot read ${file}: because it is a directory`,
      hint: expect.stringContaining('docker compose up -d --force-recreate') as string,
    });
  });

  it('is no UTF-8', async () => {
    const file = join(testDirectory(), 'backups.yml');
    writeFileSync(file, Buffer.from([0x61, 0xff]));
    await expect(read(file)).rejects.toMatchObject({ message: `cannot read ${file}: because it is no UTF-8 text` });
  });
});

describe('a value of backup_config', () => {
  it.each([
    ['retention_count', 0, 'a whole number from 1 to 100000, but it is the number 0'],
    ['retention_count', '1.5', 'a whole number from 1 to 100000, but it is "1.5"'],
    ['retention_count', 'many', 'a whole number from 1 to 100000, but it is "many"'],
    ['retention_count', '', 'a whole number from 1 to 100000, but it is ""'],
    ['retention_count', null, 'a whole number from 1 to 100000, but it is empty'],
    ['retention_count', [5], 'a whole number from 1 to 100000, but it is a list'],
    ['retention_count', '${FIVE_O}', 'a whole number from 1 to 100000, but ${FIVE_O} stands for something else'],
    ['max_parallel', 51, 'a whole number from 1 to 50'],
    ['capture_slots', 0, 'a whole number from 1 to 50, but it is the number 0'],
    ['capture_slots', 1e20, 'a whole number from 1 to 50, but it is the number 1'],
    ['server_slots', 51, 'a whole number from 1 to 50'],
    ['copy_slots', 'all', 'a whole number from 1 to 50, but it is "all"'],
    [
      'max_bandwidth',
      1000,
      'a size per second such as 500kB, 10MB or 1MiB, at least 10kB, or 0B for no limit, but it is',
    ],
    ['max_bandwidth', '9kB', 'a size per second such as 500kB'],
    ['max_bandwidth', '10MB/s', 'a size per second such as 500kB'],
    ['nice', -1, 'a whole number from 0 to 19'],
    ['nice', 20, 'a whole number from 0 to 19, but it is the number 20'],
    ['ionice', 'realtime', 'idle, or best-effort 0 to best-effort 7, but it is "realtime"'],
    ['ionice', 'best-effort 8', 'idle, or best-effort 0'],
    [
      'ionice',
      3,
      'idle, or best-effort 0 to best-effort 7, but it is the number 3 | write it, as in ionice: "best-effort 7"',
    ],
    ['attempts', -1, 'a whole number from 1 to 1000'],
    ['backup_dir', 5, 'an absolute path, but it is the number 5'],
    ['backup_dir', '', 'an absolute path'],
    ['service', '-x', 'up to 63 letters'],
    ['compression', 'xz', 'one of gzip, zstd, but it is "xz"'],
    ['compression_level', 10, '0 to 9 for gzip, but it is 10'],
    ['compression_level', 20, 'a whole number from 0 to 19'],
    ['timezone', 'Mars/Olympus', 'an IANA time zone, but it is "Mars/Olympus" (no zone is called "Mars/Olympus")'],
    ['timezone', '+03:00', 'an IANA time zone'],
    ['timezone', 'america/sao_paulo', 'an IANA time zone'],
    ['timezone', '${FIVE_O}', 'an IANA time zone, but ${FIVE_O} stands for something else'],
    ['schedule', '', 'a cron expression'],
    ['schedule', '${FIVE_O}', 'a cron expression, but ${FIVE_O} stands for something else'],
    ['s3_bucket', 's3://b/c', 'the name of a bucket alone'],
    ['s3_endpoint', 'localhost:9000', 'an address such as'],
    [
      's3_endpoint',
      'https://me:hunter2@host',
      'an address such as https://s3.example.org, without user and password |',
    ],
    ['s3_endpoint', 'ftp://host', 'an address such as'],
    ['s3_prefix', 'a//b', 'a path without empty'],
    ['s3_prefix', 'a/../b', 'a path without empty'],
    ['s3_force_path_style', 'yes', 'true or false, but it is "yes"'],
    ['helper_image', '', 'one line of text'],
    [
      'retry_delay',
      30,
      'a duration such as 500ms, 30s, 15m, 12h or 1d, but it is the number 30 | give it a unit, as in',
    ],
    ['stall_timeout', '15', 'a duration such as 500ms, 30s, 15m, 12h or 1d, but it is "15" | give it a unit, as in'],
    ['timeout', '1.5h', 'a duration'],
    ['timeout', '0s', 'a duration'],
    ['deadline', '25d', 'a duration'],
    ['copy_retry_for', '1h30m', 'a duration'],
    ['unpolled_timeout', '5 m', 'a duration'],
    ['heartbeat_timeout', '-5s', 'a duration'],
  ])('%s: %j is refused', async (key, value, expected) => {
    const problems = await problemsOf(fileOf({ backup: { [key]: value } }), { FIVE_O: 'fivehunter2' });
    expect(problems).toEqual([expect.stringContaining(`backup_config.${key}: expected ${expected}`)]);
    expect(problems.join()).not.toContain('hunter2');
  });

  it('of zstd has no level 0', async () => {
    const backup = { compression: 'zstd', compression_level: 0 };
    expect((await problemsOf(fileOf({ backup })))[0]).toContain('expected 1 to 19 for zstd, but it is 0');
  });
});

describe('an error within an entry', () => {
  const refusal = async (entry: object, env = {}) => {
    const good = databaseEntry('good');
    const config = await loadText(
      fileOf({ databases: [good, entry], volumes: [{ name: 'v', volume_name: 'v' }] }),
      env,
    );
    expect(config.targets.map(({ name }) => name)).toEqual(['good', 'v']);
    expect(config.refused).toMatchObject([{ target: 'bad', kind: 'database' }]);
    return config.refused[0]?.error;
  };

  it.each([
    [databaseEntry('bad', { user: '${NOT_SET}' }), 'config.user: the variable NOT_SET is not set'],
    [databaseEntry('bad', { host: undefined }), 'config.host is missing\nHINT: add it, as in host: "postgres"'],
    [
      databaseEntry('bad', { port: 65_536 }),
      'config.port: expected a whole number from 1 to 65535, but it is the number',
    ],
    [
      databaseEntry('bad', { port: '${WORD}' }),
      'config.port: expected a whole number from 1 to 65535, but ${WORD} stands',
    ],
    [databaseEntry('bad', { pasword: 'x' }), 'unknown key config.pasword\nHINT: did you mean password?'],
    [databaseEntry('bad', { host: 'a\nb' }), 'config.host: expected one line of text'],
    [databaseEntry('bad', { host: 'a\0b' }), 'config.host: expected one line of text'],
    [databaseEntry('bad', { database: 'a\0b' }), 'config.database: expected text, not empty'],
    [databaseEntry('bad', { database: '' }), 'config.database: expected text, not empty, but it is ""'],
    [databaseEntry('bad', { database: 5 }), 'but it is the number 5\nHINT: put quotes around it'],
    [
      databaseEntry('bad', {}, { min_size: 20 }),
      'but it is the number 20\nHINT: give it a unit, as in min_size: "20MB"',
    ],
    [databaseEntry('bad', {}, { verify: true }), 'HINT: write it, as in verify: "0 6 * * *"'],
    [databaseEntry('bad', {}, { compression: 5 }), 'HINT: write it, as in compression: "zstd"'],
    [databaseEntry('bad', { sslmode: 'on' }), 'config.sslmode: expected one of disable, allow, prefer, require, '],
    [databaseEntry('bad', {}, { type: 'mysql' }), 'type: expected database, but it is "mysql"'],
    [databaseEntry('bad', {}, { enabled: 'yes' }), 'enabled: expected true or false, but it is "yes"'],
    [databaseEntry('bad', {}, { enabled: '${NOT_SET}' }), 'enabled: the variable NOT_SET is not set'],
    [databaseEntry('bad', {}, { compression_level: 12 }), 'compression_level: expected 0 to 9 for gzip, but it is 12'],
    [databaseEntry('bad', {}, { retention_count: 0 }), 'retention_count: expected a whole number from 1'],
    [databaseEntry('bad', {}, { compresion: 'gzip' }), 'unknown key compresion\nHINT: did you mean compression?'],
    [{ name: 'bad' }, 'config is missing'],
    [{ name: 'bad', config: 'x' }, 'config: expected a mapping of keys, but it is "x"'],
  ])('%j refuses that target alone: %s', async (entry, error) => {
    expect(await refusal(entry, { WORD: 'hunter2' })).toContain(error);
  });

  const volume = async (keys: object) => {
    const volumes = [
      { name: 'good', path: '/volumes/good/./' },
      { name: 'bad', ...keys },
    ];
    const config = await loadText(fileOf({ volumes }));
    expect(config.targets).toEqual([expect.objectContaining({ kind: 'volume', name: 'good', path: '/volumes/good' })]);
    return config.refused.map(({ error }) => error).join();
  };

  it.each([
    [{}, 'volume_name or path is missing\nHINT: add the one, '],
    [{ volume_name: 'v', path: '/v' }, 'path: the entry has volume_name already\nHINT: .* keep one'],
    [
      { path: '/v', volume_name: 'v', enabled: 'yes' },
      'expected true or false.*path: the entry has volume_name already',
    ],
    [{ path: 'v' }, 'path: expected an absolute path, not / itself, but it is "v"'],
    [{ path: '/' }, 'path: expected an absolute path, not / itself, but it is "/"'],
    [{ path: '/x/..//' }, 'path: expected an absolute path, not / itself, but it is "/x/..//"'],
    [{ path: '' }, 'path: expected an absolute path, not / itself, but it is ""'],
    [{ path: '/v\nx' }, 'path: expected an absolute path'],
    [
      { path: '/backups' },
      'path: /backups lies in backup_dir \\(/backups\\)\nHINT: mount the volume beside backup_dir',
    ],
    [{ path: '/x/../backups/2/' }, 'path: /backups/2 lies in backup_dir'],
    [{ volume_name: '' }, 'volume_name: expected one line of text, but it is ""'],
  ])('%j of a volume refuses that volume alone: %s', async (keys, error) => {
    expect(await volume(keys)).toMatch(new RegExp(error, 's'));
  });

  it('says where a directory that holds the backup directory is written', async () => {
    const config = await loadText(
      'volume_backups: [{ name: v, path: /var }]\nbackup_config: { backup_dir: /var/backups }',
    );
    expect(config.refused[0]?.error).toBe(
      `${config.file}:1:35: path: /var holds backup_dir (/var/backups)\nHINT: mount the volume beside backup_dir, as in path: "/volumes/uploads"`,
    );
  });

  it('is told with all others of the entry, each with its place', async () => {
    const config = await loadText(`backup_targets:
  - name: bad
    config:
      host: "\${NO_HOST}"
      port: 0
      user: u
volume_backups:
  - name: worse
${BACKUP}`);
    const at = (place: string) => `${config.file}:${place}`;
    expect(config.refused).toEqual([
      {
        ...{ target: 'bad', kind: 'database', line: 2 },
        error: [
          at('4:13: config.host: the variable NO_HOST is not set'),
          'HINT: set NO_HOST in stack.env or in the environment',
          at('5:13: config.port: expected a whole number from 1 to 65535, but it is the number 0'),
          'HINT: write it, as in port: 5433',
          at('4:7: config.database is missing'),
          'HINT: add it, as in database: "mordor"',
        ].join('\n'),
      },
      {
        ...{ target: 'worse', kind: 'volume', line: 8 },
        error: `${at('8:5: volume_name or path is missing')}\nHINT: add the one, as in volume_name: "shop_uploads", or the other, as in path: "/volumes/uploads"`,
      },
    ]);
  });
});

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadAll, resolveConfigPaths } from '../../src/config/options.js';
import { testDirectory } from '../support/config-file.js';

function directoryWith(files: Record<string, string>): string {
  const directory = testDirectory();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

describe('where the configuration is looked for', () => {
  it.each([
    [{}, {}, 'backups.yml'],
    [{ BACKUPS_FILE: 'env.yml' }, {}, 'env.yml'],
    [{ BACKUPS_FILE: '' }, {}, 'backups.yml'],
    [{ BACKUPS_FILE: 'env.yml' }, { configFlag: 'sub/flag.yml' }, 'sub/flag.yml'],
  ])('with %j and %j', (processEnv, flags, file) => {
    const cwd = testDirectory();
    expect(resolveConfigPaths({ processEnv, cwd, ...flags })).toEqual({ configFile: join(cwd, file) });
  });

  it('leaves absolute paths alone', () => {
    const paths = resolveConfigPaths({ configFlag: '/a/b.yml', envFileFlag: '/c.env', processEnv: {}, cwd: '/x' });
    expect(paths).toEqual({ configFile: '/a/b.yml', envFile: '/c.env' });
  });

  it('takes stack.env beside the configuration, not here, unless another is named', () => {
    const cwd = directoryWith({ 'stack.env': '' });
    mkdirSync(join(cwd, 'sub'));
    const paths = (options: object) => resolveConfigPaths({ processEnv: {}, cwd, ...options });
    expect(paths({}).envFile).toBe(join(cwd, 'stack.env'));
    expect(paths({ configFlag: 'sub/backups.yml' })).not.toHaveProperty('envFile');
    expect(paths({ envFileFlag: 'other.env' }).envFile).toBe(join(cwd, 'other.env'));
  });
});

describe('loading all', () => {
  const text = 'backup_config: { backup_dir: "${DIR}", s3_bucket: "${BUCKET}" }';

  it('reads the environment and with it the configuration', async () => {
    const cwd = directoryWith({ 'backups.yml': text, 'stack.env': 'DIR=/file\nBUCKET=file' });
    const { env, config } = await loadAll({ processEnv: { BUCKET: 'real' }, cwd });
    expect(env).toEqual({ DIR: '/file', BUCKET: 'real' });
    expect(config).toMatchObject({
      file: join(cwd, 'backups.yml'),
      backup: { backupDir: '/file', s3: { bucket: 'real' } },
    });
  });

  it('refuses a named environment file that is missing', async () => {
    const cwd = directoryWith({ 'backups.yml': text });
    const load = loadAll({ envFileFlag: 'none.env', processEnv: {}, cwd });
    await expect(load).rejects.toThrow(`cannot read ${join(cwd, 'none.env')}: because there is no such file`);
  });
});

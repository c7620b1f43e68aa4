import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { applyEnvironment, loadEnvironment, realEnvironment } from '../../src/config/environment.js';
import { testDirectory } from '../support/config-file.js';

function stackEnv(text: string): { directory: string; file: string } {
  const directory = testDirectory();
  const file = join(directory, 'stack.env');
  writeFileSync(file, text);
  return { directory, file };
}

describe('the environment', () => {
  it('is the real one over the file that is named', async () => {
    const { file } = stackEnv('A=file\nB=file\nC=file');
    const processEnv = { A: 'real', B: '', C: undefined };
    expect(await loadEnvironment({ envFile: file, processEnv })).toEqual({ A: 'real', B: '', C: 'file' });
  });

  it('takes stack.env beside the configuration where it exists', async () => {
    const { directory } = stackEnv('A=1');
    const beside = (path: string) => loadEnvironment({ besideFile: path, processEnv: { B: '2' } });
    expect(await beside(join(directory, 'backups.yml'))).toEqual({ A: '1', B: '2' });
    expect(await beside(join(testDirectory(), 'backups.yml'))).toEqual({ B: '2' });
  });

  it('reads the named file alone, and refuses to go without it', async () => {
    const { directory } = stackEnv('A=1');
    const missing = join(testDirectory(), 'other.env');
    const load = loadEnvironment({ envFile: missing, besideFile: join(directory, 'backups.yml'), processEnv: {} });
    await expect(load).rejects.toMatchObject({
      code: 'ConfigInvalid',
      message: `cannot read ${missing}: because there is no such file`,
      hint: expect.stringContaining('--env-file') as string,
    });
  });

  it('refuses a stack.env that cannot be read, also where nobody named it', async () => {
    const directory = testDirectory();
    mkdirSync(join(directory, 'stack.env'));
    const load = loadEnvironment({ besideFile: join(directory, 'backups.yml'), processEnv: {} });
    await expect(load).rejects.toThrow('because it is a directory');
  });

  it('refuses bytes that are no UTF-8 rather than change a password', async () => {
    const file = join(testDirectory(), 'latin1.env');
    writeFileSync(file, Buffer.from('A=m\xfcller', 'latin1'));
    await expect(loadEnvironment({ envFile: file, processEnv: {} })).rejects.toThrow('no UTF-8 text');
  });
});

describe('applying it to this process', () => {
  afterEach(() => {
    delete process.env['CONFIG_TEST_NEW'];
    delete process.env['CONFIG_TEST_OLD'];
  });

  it('sets what is lacking and changes nothing else', () => {
    process.env['CONFIG_TEST_OLD'] = 'old';
    applyEnvironment({ CONFIG_TEST_OLD: 'other', CONFIG_TEST_NEW: 'new', CONFIG_TEST_UNSET: undefined });
    expect(process.env).toMatchObject({ CONFIG_TEST_OLD: 'old', CONFIG_TEST_NEW: 'new' });
    expect(process.env).not.toHaveProperty('CONFIG_TEST_UNSET');
  });

  it('lets the file change, which is read again and again, but never what the process was given', () => {
    process.env['CONFIG_TEST_OLD'] = 'old';
    expect(applyEnvironment({ ...realEnvironment(), CONFIG_TEST_NEW: 'first' })).toBe(true);
    expect(applyEnvironment({ ...realEnvironment(), CONFIG_TEST_NEW: 'first' })).toBe(false);
    expect(realEnvironment()).toMatchObject({ CONFIG_TEST_OLD: 'old' });
    expect(realEnvironment()).not.toHaveProperty('CONFIG_TEST_NEW');
    expect(applyEnvironment({ CONFIG_TEST_OLD: 'other', CONFIG_TEST_NEW: 'second' })).toBe(true);
    expect(process.env).toMatchObject({ CONFIG_TEST_OLD: 'old', CONFIG_TEST_NEW: 'second' });
  });
});

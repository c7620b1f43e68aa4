import { describe, expect, it } from 'vitest';
import { effectiveConfig } from '../../src/commands/effective-config.js';
import { databaseEntry, fileOf, loadText } from '../support/config-file.js';

describe('the effective configuration', () => {
  it('masks a password wherever it stands, and shows none where there is none', async () => {
    const databases = [
      databaseEntry('literal', { password: 'canary-1' }),
      databaseEntry('reference', { password: '${SECRET}' }),
      databaseEntry('without'),
    ];
    const config = await loadText(fileOf({ databases }), { SECRET: 'canary-2' });
    const shown = effectiveConfig(config);
    expect(JSON.stringify(shown)).not.toContain('canary');
    expect(shown.backup_targets).toMatchObject([{ config: { password: '***' } }, { config: { password: '***' } }, {}]);
    expect(JSON.stringify(shown.backup_targets[2])).not.toContain('password');
  });

  it.each([
    ['90s', '90s'],
    ['120s', '2m'],
    ['1500ms', '1500ms'],
    ['48h', '2d'],
  ])('writes a duration of %s in the largest unit that shows it exactly: %s', async (written, shown) => {
    const config = await loadText(fileOf({ backup: { deadline: written } }));
    expect(effectiveConfig(config).backup_config).toMatchObject({ deadline: shown });
  });

  it('leaves out entries with errors, and names disabled ones alone', async () => {
    const databases = [databaseEntry('bad', { port: '${UNSET}' }), databaseEntry('off', {}, { enabled: false })];
    const config = await loadText(fileOf({ databases }));
    expect(effectiveConfig(config).backup_targets).toEqual([{ name: 'off', enabled: false }]);
  });
});

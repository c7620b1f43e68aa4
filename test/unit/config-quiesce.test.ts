import { describe, expect, it } from 'vitest';
import { effectiveConfig } from '../../src/commands/effective-config.js';
import { fileOf, loadText } from '../support/config-file.js';

const volume = (keys: object) => fileOf({ volumes: [{ name: 'files', volume_name: 'shop_files', ...keys }] });

async function refusal(keys: object): Promise<string> {
  const { refused } = await loadText(volume(keys));
  return refused.map(({ error }) => error).join('\n');
}

describe('the containers of a volume', () => {
  it('are left alone where nothing is said', async () => {
    const { targets } = await loadText(volume({}));
    expect(targets[0]).not.toHaveProperty('quiesce');
  });

  it('are stopped or paused, for 15 minutes at most', async () => {
    const stop_containers = ['shop-app', 'label=com.docker.compose.project=shop', 'label=backup.stop'];
    const config = await loadText(volume({ stop_containers }));
    expect(config.targets[0]).toMatchObject({
      quiesce: { how: 'stop', containers: stop_containers, maxDowntimeMs: 900_000 },
    });
    expect(effectiveConfig(config).volume_backups[0]).toMatchObject({ stop_containers, max_downtime: '15m' });
    const paused = await loadText(volume({ pause_containers: ['shop-db'], max_downtime: '90s' }));
    expect(paused.targets[0]).toMatchObject({
      quiesce: { how: 'pause', containers: ['shop-db'], maxDowntimeMs: 90_000 },
    });
  });

  it('are stopped or paused, not both', async () => {
    expect(await refusal({ stop_containers: ['a'], pause_containers: ['b'] })).toContain(
      'pause_containers: the entry has stop_containers already',
    );
  });

  it('have no max_downtime where none goes down', async () => {
    expect(await refusal({ max_downtime: '5m' })).toContain('max_downtime: the entry brings no container down');
  });

  it.each([
    [{ stop_containers: 'shop-db' }, 'stop_containers: expected a list of names of containers'],
    [{ stop_containers: [] }, 'stop_containers: expected a list of names of containers'],
    [{ stop_containers: ['shop db'] }, 'but it is "shop db"'],
    [{ pause_containers: ['label='] }, 'but it is "label="'],
    [{ pause_containers: ['--all'] }, 'as in - "shop-db"'],
    [{ stop_containers: ['a'], max_downtime: '0s' }, 'max_downtime: expected a duration'],
  ])('are refused as %j, with what is expected', async (keys, said) => {
    expect(await refusal(keys)).toContain(said);
  });

  it('are no matter of a database', async () => {
    const database = { name: 'd', stop_containers: ['a'], config: { host: 'h', user: 'u', database: 'd' } };
    const { refused } = await loadText(fileOf({ databases: [database] }));
    expect(refused[0]?.error).toContain('unknown key stop_containers');
  });
});

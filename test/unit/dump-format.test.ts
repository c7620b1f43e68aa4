import { describe, expect, it } from 'vitest';
import { artifactName, isArtifactOf, isNamedAfter } from '../../src/domain/names.js';
import { databaseEntry, fileOf, loadText } from '../support/config-file.js';

const run = '20261124_030000';

async function formatsOf(databases: object[], backup: object = {}): Promise<Record<string, string>> {
  const { targets, refused } = await loadText(fileOf({ databases, backup }));
  const read = targets.map((t) => [t.name, t.kind === 'database' ? (t.dumpFormat ?? 'plain') : '']);
  return Object.fromEntries([...read, ...refused.map(({ target, error }) => [target, error])]) as Record<
    string,
    string
  >;
}

describe('the format of dumps', () => {
  it('is that of the target, else that of backup_config, else plain', async () => {
    const entries = [databaseEntry('own', {}, { dump_format: 'custom' }), databaseEntry('usual')];
    expect(await formatsOf(entries)).toEqual({ own: 'custom', usual: 'plain' });
    const other = [databaseEntry('own', {}, { dump_format: 'plain' }), databaseEntry('usual')];
    expect(await formatsOf(other, { dump_format: 'custom' })).toEqual({ own: 'plain', usual: 'custom' });
  });

  it('is refused where pg_dump cannot compress it so, wherever that is said', async () => {
    const custom = { dump_format: 'custom' };
    const entries = [
      databaseEntry('inherits', {}, custom),
      databaseEntry('says', {}, { ...custom, compression: 'zstd' }),
      databaseEntry('gzip', {}, { ...custom, compression: 'gzip' }),
    ];
    const { inherits, says, gzip } = await formatsOf(entries, { compression: 'zstd' });
    expect(inherits).toMatch(/dump_format: .*gzip alone.*is zstd\nHINT: write `compression: gzip` beside it/);
    expect(says).toMatch(/dump_format: .*gzip alone/);
    expect(gzip).toBe('custom');
    expect((await formatsOf([databaseEntry('usual')], { ...custom, compression: 'zstd' }))['usual']).toMatch(
      /gzip alone/,
    );
  });

  it('that is custom goes with one job alone, wherever that is said', async () => {
    const custom = { dump_format: 'custom' };
    const entries = [
      databaseEntry('inherits', {}, custom),
      databaseEntry('says', {}, { ...custom, dump_jobs: 2 }),
      databaseEntry('one', {}, { ...custom, dump_jobs: 1 }),
    ];
    const { inherits, says, one } = await formatsOf(entries, { dump_jobs: 4 });
    expect(inherits).toMatch(
      /dump_jobs: expected 1 where .* custom, but it is 4\nHINT: write `dump_jobs: 1` beside it/,
    );
    expect(says).toMatch(/dump_jobs: expected 1 .* it is 2/);
    expect(one).toBe('custom');
  });

  it('shows in the name of an artifact, which is known as that of its target', () => {
    const name = artifactName({ target: 'mordor', kind: 'database', run, compression: 'gzip', dumpFormat: 'custom' });
    expect(name).toBe(`mordor_${run}.dump`);
    const target = { target: 'mordor', kind: 'database' as const };
    for (const suffix of ['', '.manifest.json', '.0a1b.part']) {
      expect(isNamedAfter(`${run}/${name}${suffix}`, target)).toBe(true);
      expect(isArtifactOf(`${name}${suffix}`, { target: 'mordor', run })).toBe(true);
      expect(isNamedAfter(`${run}/${name}${suffix}`, { ...target, kind: 'volume' })).toBe(false);
      expect(isNamedAfter(`${run}/${name}${suffix}`, { ...target, target: 'mord' })).toBe(false);
    }
    expect(isNamedAfter(`${run}/mordor_volume_${run}.dump`, { target: 'mordor', kind: 'volume' })).toBe(false);
    expect(isNamedAfter(`${run}/mordor_${run}.dumpster`, target)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { plannedStarts } from '../../src/config/schedules.js';
import { loadText } from '../support/config-file.js';

const fileOf = (common: string, ...targets: string[]) => `
backup_targets:
${targets
  .map(
    (own, i) => `  - { name: t${String(i)}, config: { host: h, user: u, database: d }${own === '' ? '' : `, ${own}`} }`,
  )
  .join('\n')}
backup_config:
  backup_dir: /backups
  schedule: "0 3 * * *"
${common}
`;

describe('the keys of verifications', () => {
  it('say never where they are absent', async () => {
    const config = await loadText(fileOf('', ''), {});
    expect(config.targets[0]).not.toHaveProperty('verify');
    expect(plannedStarts(config)).toEqual([{ starts: 'backup', cron: '0 3 * * *' }]);
  });

  it('are taken over key by key from backup_config', async () => {
    const common = '  verify: after_run\n  verify_from: local';
    const config = await loadText(
      fileOf(common, '', 'verify: never', 'verify_method: read', 'verify: "0 6 * * *", verify_from: local'),
      {},
    );
    expect(config.targets.map(({ verify }) => verify)).toEqual([
      { method: 'drill', from: 'local' },
      undefined,
      { method: 'read', from: 'local' },
      { cron: '0 6 * * *', method: 'drill', from: 'local' },
    ]);
  });

  it('make one schedule for each distinct cron', async () => {
    const config = await loadText(
      fileOf('  verify: "0 6 * * *"', '', '', 'verify: "0 7 * * 0"', 'verify: after_run'),
      {},
    );
    expect(plannedStarts(config)).toEqual([
      { starts: 'backup', cron: '0 3 * * *' },
      { starts: 'verify', cron: '0 6 * * *' },
      { starts: 'verify', cron: '0 7 * * 0' },
    ]);
  });

  it('are refused where they mean nothing, with what is expected', async () => {
    await expect(loadText(fileOf('  verify: sometimes', ''), {})).rejects.toThrow(
      /verify: expected `after_run`, `never` or a cron expression/,
    );
    const { refused } = await loadText(fileOf('', 'verify_method: restore'), {});
    expect(refused[0]?.error).toContain('verify_method: expected one of drill, read');
  });

  it('need a bucket where the copy in S3 is to be verified', async () => {
    await expect(loadText(fileOf('  verify_from: s3', ''), {})).rejects.toThrow(/verify_from: .*s3_bucket/);
    const { refused } = await loadText(fileOf('', 'verify: after_run, verify_from: s3'), {});
    expect(refused[0]?.error).toMatch(/verify_from: .*s3_bucket/);
    const { targets } = await loadText(fileOf('  s3_bucket: backups\n  verify: after_run\n  verify_from: s3', ''), {});
    expect(targets[0]?.verify?.from).toBe('s3');
  });
});

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runBackupctl } from '../support/backupctl.js';
import { demoPsql, leftoversOf, NOTHING_OF_IT, startDemo } from '../support/demo-process.js';
import { removeDirectory } from '../support/scratch-directory.js';

const TAKEN_DOWN = 'Everything that was started has ended, and everything that was made is removed.';
const NO_ENGINE = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };

describe('npm run demo', () => {
  it('backs up and restores two databases and a volume, and leaves nothing', async () => {
    const demo = await startDemo();
    const { service, env, mode } = await demo.configuration();
    expect(await demo.ended, demo.output()).toBe(0);
    expect(demo.output()).toContain(TAKEN_DOWN);
    expect(demo.output()).toMatch(/\$ backupctl run\n +run \d{8}_\d{6}: 4 targets\n/);
    expect(demo.output()).toMatch(/^ +\d{8}_\d{6} +shop +database +s3 /m);
    expect(demo.output()).toMatch(/^ +\d{8}_\d{6} +globals:127\.0\.0\.1-\d+ +globals +s3 /m);
    expect(demo.output()).toMatch(/ nightly\/(\d{8}_\d{6})\/shop_\1\.sql\.gz\.manifest\.json\n/);
    expect(demo.output()).toContain('$ backupctl restore helpdesk --from s3 --into helpdesk_restored\n');
    const [, proof = ''] = demo.output().split('\nProved\n');
    expect(proof).toMatch(/^ +shop came back the same from the backup directory: 5 tables with 50,453 rows, /m);
    expect(proof).toMatch(/^ +helpdesk came back the same from S3: 5 tables with 13,568 rows, /m);
    expect(proof).toMatch(/^ +uploads came back the same from the backup directory: 120 paths, /m);
    expect(await leftoversOf(demo, service)).toEqual(NOTHING_OF_IT);

    expect(mode).toBe(0o600);
    for (const name of ['POSTGRES_PASSWORD', 'AWS_SECRET_ACCESS_KEY']) {
      expect(env[name]).toMatch(/.{20}/);
      expect(demo.output()).not.toContain(env[name]);
    }
  });

  it.each(['Servers, on free ports', 'uploads: capturing', 'restoring uploads'])(
    'leaves nothing after Ctrl-C at "%s"',
    async (text) => {
      const demo = await startDemo();
      await demo.says(text);
      const service = text.startsWith('Servers') ? 'backup-demo-none' : (await demo.configuration()).service;
      demo.interrupt();
      demo.interrupt(); // npm passes on what its child has got from the terminal already
      expect(await demo.ended, demo.output()).toBe(130);
      expect(demo.output()).toContain(TAKEN_DOWN);
      expect(demo.output()).not.toContain('Proved');
      expect(await leftoversOf(demo, service)).toEqual(NOTHING_OF_IT);
    },
  );

  it('says what was wrong, exits 1 and leaves nothing where a part is missing', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'no-parts-'));
    onTestFinished(() => removeDirectory(empty));
    const demo = await startDemo([], { XDG_CACHE_HOME: empty });
    expect(await demo.ended).toBe(1);
    expect(demo.output()).toMatch(/^The demo failed: .*\/bin\/temporal is not there\. HINT: run: /m);
    expect(demo.output()).not.toMatch(/^ +at /m);
    expect(await leftoversOf(demo, 'backup-demo-none')).toEqual(NOTHING_OF_IT);
  });

  it('fails where what came back is not what there was', async () => {
    const demo = await startDemo([], NO_ENGINE);
    const configuration = await demo.configuration(); // its data was looked at before, and is backed up after that
    const change = 'UPDATE products SET tags = tags WHERE id = 1; DELETE FROM price_changes WHERE product_id = 10';
    await demo.whileHalted(() => demoPsql(configuration, 'shop', change));
    expect(await demo.ended, demo.output()).toBe(1);
    expect(demo.output()).toContain(
      'The demo failed: the restored database shop_restored differs from shop:\n  rows of public.price_changes: count is 39 instead of 40\n',
    );
    expect(demo.output()).toContain(TAKEN_DOWN);
    expect(demo.output()).not.toContain('Proved');
    expect(await leftoversOf(demo, configuration.service)).toEqual(NOTHING_OF_IT);
  });

  it('refuses an option that it does not know', async () => {
    const demo = await startDemo(['--keeep']);
    expect(await demo.ended).toBe(2);
    expect(demo.output()).toContain('usage: npm run demo [-- --keep]');
  });
});

describe('npm run demo -- --keep', () => {
  it('leaves everything up and usable until Ctrl-C, also without Docker', async () => {
    const foreign = { AWS_ACCESS_KEY_ID: 'of somebody else', TEMPORAL_ADDRESS: '127.0.0.1:1', PGHOST: 'nowhere' };
    const demo = await startDemo(['--keep'], { ...NO_ENGINE, ...foreign });
    await demo.says('npx backupctl status');
    const { configFile, service } = await demo.configuration();
    expect(demo.output()).toContain('No Docker engine answers here, so the volume is left out.');
    expect(demo.output()).toMatch(/\nProved\n +shop .*\n +helpdesk .*\n\n/);
    expect(demo.output()).toMatch(/unset .*\bAWS_ACCESS_KEY_ID\b/);

    const [, uiUrl = ''] = /Web UI +(http:\S+)/.exec(demo.output()) ?? [];
    expect((await fetch(uiUrl)).status).toBe(200);
    expect(demo.output()).toContain(`export BACKUPS_FILE=${configFile}\n`);
    const env = { BACKUPS_FILE: configFile };
    const run = await runBackupctl({ args: ['run', '--json'], env, cwd: tmpdir() });
    expect(run.json).toMatchObject({
      outcome: 'succeeded',
      targets: [{ target: 'shop' }, { target: 'helpdesk' }, { kind: 'globals' }],
    });
    const list = await runBackupctl({ args: ['list', '--from', 's3', '--json'], env, cwd: tmpdir() });
    expect(list.json).toHaveLength(6);

    demo.interrupt();
    expect(await demo.ended, demo.output()).toBe(0);
    expect(await leftoversOf(demo, service)).toEqual(NOTHING_OF_IT);
  });
});

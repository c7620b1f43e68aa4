import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openRunLog } from '../../src/run-log.js';
import { deploy, type Deployment } from '../support/deployment.js';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deploy();
});
afterAll(() => deployment.close());

const logs = (...args: string[]) => deployment.backupctl(['logs', ...args], { TEMPORAL_ADDRESS: '127.0.0.1:1' });

async function writeLog(run: string, ...lines: string[]): Promise<void> {
  const onError = (error: unknown) => {
    throw error;
  };
  const log = openRunLog({ root: deployment.backupDir, run, redact: (text) => text, onError });
  for (const line of lines) await log.write(line);
}

describe('backupctl logs', () => {
  it('knows that there is none yet', async () => {
    const { code, stdout, stderr } = await logs();
    expect(code).toBe(4);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^cannot print a log: because there is none in .*\nHINT: /);
  });

  it('prints the log of the run that began last, whatever its id, or of the one that is named', async () => {
    await writeLog('20261124_030000', 'the first');
    await writeLog('20261123_235959', 'the second, in a zone further west');
    const newest = await logs();
    expect(newest.code, newest.stderr).toBe(0);
    expect(newest.stdout).toMatch(/^\d{4}-\S+Z the second, in a zone further west\n$/);
    expect(newest.stderr).toContain(`run 20261123_235959: ${deployment.backupDir}/logs/backup_20261123_235959.log\n`);
    expect((await logs('20261124_030000')).stdout).toMatch(/^\d{4}-\S+Z the first\n$/);
  });

  it('prints lines as JSON, each with all that belongs to it', async () => {
    await writeLog('20261125_030000', 'mordor: failed: cannot dump\nHINT: install it', 'done');
    const { json } = await logs('20261125_030000', '--json');
    expect(json).toEqual({
      run: '20261125_030000',
      path: join(deployment.backupDir, 'logs', 'backup_20261125_030000.log'),
      lines: [
        { time: expect.stringMatching(/Z$/) as string, text: 'mordor: failed: cannot dump\nHINT: install it' },
        { time: expect.stringMatching(/Z$/) as string, text: 'done' },
      ],
    });
  });

  it('ends in peace where the reader has seen enough', async () => {
    await writeLog('20261126_030000', 'x'.repeat(1024 * 1024));
    const command = deployment.startBackupctl(['logs', '20261126_030000']);
    command.child.stdout?.destroy();
    expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('finds no log of a run that was not, and no other file', async () => {
    await mkdir(join(deployment.backupDir, 'logs'), { recursive: true });
    await writeFile(join(deployment.backupDir, 'backup_secret.log'), 'not a log of a run');
    for (const run of ['20010101_000000', '../backup_secret', '']) {
      const { code, stdout } = await logs(run);
      expect({ run, code, stdout }).toEqual({ run, code: 4, stdout: '' });
    }
  });
});

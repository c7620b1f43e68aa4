import { execFile } from 'node:child_process';
import { appendFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLocalDestination } from '../../src/destinations/local.js';
import { establishIdentity } from '../../src/directory-identity.js';
import type { RunRecord } from '../../src/domain/run.js';
import { openRunLog } from '../../src/run-log.js';
import { writeRunRecord } from '../../src/run-records.js';
import { deploy, type Deployment } from '../support/deployment.js';
import { aRunRecord } from '../support/run-record.js';
import { waitFor } from '../support/wait-for.js';

let deployment: Deployment;

beforeAll(async () => {
  deployment = await deploy();
  await establishIdentity({ root: deployment.backupDir }); // logs are written to directories that are ours
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

describe('backupctl logs --follow', () => {
  const RUN = '20261127_030000';
  const local = () => createLocalDestination({ root: deployment.backupDir });
  const logFile = () => join(deployment.backupDir, 'logs', `backup_${RUN}.log`);

  /** Begins to follow the log of a run that goes on, and waits for its first line. */
  async function follow(record: Partial<RunRecord> = {}) {
    await rm(logFile(), { force: true });
    await writeRunRecord(local(), aRunRecord({ run: RUN, outcome: 'running', workflowId: 'w', ...record }));
    await writeLog(RUN, 'begun');
    const env = record.workflowId === undefined ? { TEMPORAL_ADDRESS: '127.0.0.1:1' } : {};
    const command = deployment.startBackupctl(['logs', RUN, '-f'], env);
    onTestFinished(() => void command.child.kill('SIGKILL'));
    const prints = (text: string) => waitFor(text, () => command.output.stdout.includes(text));
    await prints(' begun\n');
    return { ...command, prints };
  }

  it('prints whole lines as they come, until the run has ended', async () => {
    const { prints, output, ended } = await follow();
    await appendFile(logFile(), 'one\ntwo of ');
    await prints('one\n');
    expect(output.stdout).not.toContain('two of');
    await appendFile(logFile(), 'them\n');
    await prints('two of them\n');
    await writeRunRecord(local(), aRunRecord({ run: RUN, outcome: 'partial' }));
    for (const word of ['last', 'words']) {
      await writeLog(RUN, word);
      await prints(` ${word}\n`); // whoever reads the second has seen the record before, and waits for the end
    }
    await writeLog(RUN, `run ${RUN}: partial`);
    const { code, stdout } = await ended;
    expect(stdout).toMatch(/ begun\none\ntwo of them\n\S+ last\n\S+ words\n\S+ run \S+: partial\n$/);
    expect(code).toBe(0);
  });

  it('goes on where the log is cut, removed and made anew', async () => {
    const { prints } = await follow();
    await truncate(logFile());
    await writeLog(RUN, 'cut');
    await prints(' cut\n');
    await rm(logFile());
    await writeLog(RUN, 'made anew');
    await prints(' made anew\n');
  });

  it('ends with 130 at Ctrl-C', async () => {
    const { child, ended } = await follow();
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stderr: '' });
  });

  it('ends in peace where its reader goes', async () => {
    const { child, ended } = await follow();
    child.stdout?.destroy();
    await writeLog(RUN, 'unread');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });

  it('ends where Temporal knows of no such run any more', async () => {
    const { ended } = await follow({ workflowId: 'never-was' });
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('ended without a report') as string });
  });

  it('ends where the run was terminated', async () => {
    const workflowId = 'terminated';
    const run = await deployment.client.workflow.start('BackupRun', { workflowId, taskQueue: 'nobody', args: [] });
    const { ended } = await follow({ workflowId });
    await run.terminate();
    const { code, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('ended without a report') as string });
  });

  it('is not for JSON, and knows that there is no such log', async () => {
    expect((await logs('--follow', '--json')).code).toBe(2);
    expect((await logs('20010101_000000', '--follow')).code).toBe(4);
  });
});

describe('backupctl --version', () => {
  it('prints the version of the package, also through a link', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    const { stdout, code } = await deployment.backupctl(['--version']);
    expect({ stdout, code }).toEqual({ stdout: `${version}\n`, code: 0 });
    const link = join(deployment.directory, 'backupctl');
    await symlink(resolve('dist/client.js'), link);
    expect((await promisify(execFile)(link, ['--version'])).stdout).toBe(`${version}\n`);
  });
});

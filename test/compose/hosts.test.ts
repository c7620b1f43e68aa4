import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RunRecord, RunReport } from '../../src/domain/run.js';
import { prepareHost } from '../support/compose-host.js';
import { removeProject } from '../support/compose-removal.js';
import { ComposeStack } from '../support/compose-stack.js';
import { runScript } from '../support/run-script.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const stack = new ComposeStack(inject('stack'));
let north: ComposeStack;
let shipped = '';

/** `gondor` here and `shire` on the host `north`, each a volume of its own. */
function backupsFile(schedule: string): string {
  const config = shipped.slice(shipped.indexOf('backup_config:'));
  return `volume_backups:
  - { name: gondor, volume_name: ${stack.files.name}_gondor }
  - { name: shire, volume_name: ${north.files.name}_shire, on_host: north }
${config.replace(/schedule: .*/, `schedule: '${schedule}'`).replace(/retention_count: .*/, 'retention_count: 50')}
  unpolled_timeout: 1s
  deadline: 60s
`;
}

/** On both hosts, and with its schedule in place. */
async function edit(text: string): Promise<void> {
  await writeFile(join(stack.files.directory, 'backups.yml'), text);
  await writeFile(join(north.files.directory, 'backups.yml'), text);
  await stack.backupctl('schedule', 'apply');
}

async function makeVolume(of: ComposeStack, name: string): Promise<void> {
  const volume = `${of.files.name}_${name}`;
  await run('docker', ['volume', 'create', '--label', `com.docker.compose.project=${of.files.name}`, volume]);
  await runScript({ volume }, `echo ${name} >name`);
}

async function status(): Promise<{ running: object[]; runs: RunRecord[] }> {
  return JSON.parse(await stack.backupctl('status', '--json')) as Awaited<ReturnType<typeof status>>;
}

/** The first runs of the schedule that began after that, oldest first, once there are so many. */
function scheduledRuns(since: Date, count: number): Promise<RunRecord[]> {
  const what = `${String(count)} runs of the schedule`;
  const look = async () => {
    const runs = (await status()).runs.filter((r) => r.trigger === 'schedule' && new Date(r.startedAt) > since);
    return runs.length < count ? undefined : runs.reverse().slice(0, count);
  };
  return waitFor(what, look, { timeoutMs: 240_000, intervalMs: 1000 });
}

/** Of both targets, as they lie in the directory of a host. */
async function artifacts(on: ComposeStack): Promise<string[]> {
  const find = "cd /backups && find * -name 'gondor_volume_*.gz' -o -name 'shire_volume_*.gz'";
  const found = await on.exec('backup-orchestrator', 'sh', '-c', find);
  return found.split('\n').filter((path) => path !== '');
}

/** A worker counts as there for 90 seconds after its last poll. */
async function noticed(): Promise<boolean> {
  const { stdout } = await stack.attempt(['exec', '--no-TTY', 'backup-orchestrator', 'backupctl', 'doctor']);
  return stdout.includes('on backup-north: because no worker polls it');
}

function outcomes({ targets }: Pick<RunReport, 'targets'>): Record<string, string> {
  return Object.fromEntries(targets.map(({ target, outcome }) => [target, outcome]));
}

beforeAll(async () => {
  shipped = await readFile(join(stack.files.directory, 'backups.yml'), 'utf8');
  north = await prepareHost({ host: 'north', of: stack });
  await makeVolume(stack, 'gondor');
  await makeVolume(north, 'shire');
  await edit(backupsFile('0 3 * * *'));
  await north.up();
});
afterAll(async () => {
  await edit(shipped);
  await waitFor('no run to go on', async () => (await status()).running.length === 0, { timeoutMs: 90_000 });
  await removeProject(north.files.name);
});

describe('two hosts', () => {
  it('capture each its own volume, into its own directory', async () => {
    const { run: id, targets } = JSON.parse(await stack.backupctl('run', '--json')) as RunReport;
    expect(outcomes({ targets })).toEqual({ gondor: 'succeeded', shire: 'succeeded' });
    expect(await artifacts(stack)).toEqual([`${id}/gondor_volume_${id}.tar.gz`]);
    expect(await artifacts(north)).toEqual([`${id}/shire_volume_${id}.tar.gz`]);
    const path = `/backups/${id}/shire_volume_${id}.tar.gz`;
    expect(await north.exec('backup-orchestrator', 'tar', 'xzOf', path, './name')).toBe('shire\n');
  });

  it('go on when one is away, whose targets fail by name, three fires in a row, and both do theirs when it is back', async () => {
    const before = await artifacts(stack);
    await north.compose('stop');
    await waitFor('doctor to say that north is away', noticed, { timeoutMs: 180_000, intervalMs: 2000 });
    const away = new Date();
    await edit(backupsFile('*/5 * * * * * *'));
    for (const { outcome, targets } of await scheduledRuns(away, 3)) {
      expect(outcome).toBe('partial');
      expect(outcomes({ targets })).toEqual({ gondor: 'succeeded', shire: 'failed' });
      expect(targets.find((t) => t.target === 'shire')?.error).toMatch(/no worker polls backup-north\nHINT: /);
    }
    expect((await artifacts(stack)).length).toBeGreaterThanOrEqual(before.length + 3);
    await north.up();
    const [next] = await scheduledRuns(new Date(), 1);
    expect(outcomes(next as RunRecord)).toEqual({ gondor: 'succeeded', shire: 'succeeded' });
    expect(await artifacts(north)).toContain(`${next?.run ?? ''}/shire_volume_${next?.run ?? ''}.tar.gz`);
  });
});

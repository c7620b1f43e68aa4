import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { ComposeStack } from '../support/compose-stack.js';
import { runScript } from '../support/run-script.js';

const run = promisify(execFile);
const stack = new ComposeStack(inject('stack'));
const { name, directory } = stack.files;
const FILES = ['docker-compose.yml', 'docker-compose.no-socket.yml', 'docker-compose.override.yml'];
const backupsFile = join(directory, 'backups.yml');
let shipped = '';

/** `docker compose -f docker-compose.yml -f docker-compose.no-socket.yml …`, with what every test adds. */
function compose(...args: string[]): Promise<string> {
  return stack.compose(...FILES.flatMap((file) => ['--file', file]), ...args);
}

function exec(command: string): Promise<string> {
  return compose('exec', '--no-TTY', 'backup-orchestrator', 'sh', '-c', command);
}

const LIST = String.raw`find . -printf '%P %y %m %U %G %l %T@\n' | sort; find . -type f -print0 | sort -z | xargs -0 cat`;
const contentOf = async (volume: string) => (await runScript({ volume }, LIST)).toString();

beforeAll(async () => {
  // Of another user, and closed to everybody else.
  await runScript(
    { volume: `${name}_uploads` },
    'mkdir -p private; echo mine >private/note; chown -R 1234:1234 private; chmod -R go= private',
  );
  shipped = await readFile(backupsFile, 'utf8');
  await writeFile(backupsFile, shipped.replace(/volume_name: ".*_uploads"/, 'path: /volumes/uploads'));
  await compose('up', '--detach', '--wait', '--no-build', 'backup-orchestrator');
});
afterAll(async () => {
  await writeFile(backupsFile, shipped);
  await stack.up();
});

describe('docker-compose.no-socket.yml', () => {
  it('gives the worker neither the socket nor root, and one capability', async () => {
    expect(await exec('ls /var/run/docker.sock 2>&1 || true')).toContain('No such file');
    // The one child of init.
    const status = await exec('cat "/proc/$(cut -d " " -f 1 /proc/1/task/1/children)/status"');
    expect(status).toMatch(/^Uid:(\t10001){4}$/m);
    expect(status).toMatch(/^CapEff:\t0{15}4$/m); // DAC_READ_SEARCH
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });

  it('captures files of every owner, and restores them into a volume that is mounted for it', async () => {
    expect(await exec('/backup.sh uploads 2>&1')).toMatch(/: succeeded \(1 succeeded\)$/m);
    const into = `${name}_restored`;
    onTestFinished(() => run('docker', ['volume', 'rm', '--force', into]).then(() => undefined));
    const capabilities = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'MKNOD', 'SETFCAP'];
    const asRoot = ['--user', '0:0', '--entrypoint', '', ...capabilities.flatMap((c) => ['--cap-add', c])];
    await run('docker', ['volume', 'create', into]);
    const restore = ['backup-orchestrator', 'backupctl', 'restore', 'uploads', '--into', '/restored'];
    await compose('run', '--rm', '--no-deps', '--no-TTY', ...asRoot, '--volume', `${into}:/restored`, ...restore);
    const restored = await contentOf(into);
    expect(restored).toContain('private/note f 600 1234 1234');
    expect(restored).toBe(await contentOf(`${name}_uploads`));
  });

  it('lets other commands have the rights of the worker', async () => {
    const findings = JSON.parse(
      await compose('run', '--rm', '--no-deps', '--no-TTY', 'backup-orchestrator', 'backupctl', 'doctor', '--json'),
    ) as object[];
    expect(findings).toContainEqual(expect.objectContaining({ check: 'volume', subject: 'uploads', ok: true }));
  });

  it('stops its worker in peace', async () => {
    await compose('stop', 'backup-orchestrator');
    expect((await stack.inspect('backup-orchestrator')).State.ExitCode).toBe(0);
  });
});

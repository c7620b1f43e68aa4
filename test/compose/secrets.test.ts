import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import { startedRun } from '../support/compose-run.js';
import { ComposeStack } from '../support/compose-stack.js';
import { removeDirectory } from '../support/scratch-directory.js';
import { waitFor } from '../support/wait-for.js';

const run = promisify(execFile);
const stack = new ComposeStack(inject('stack'));
const { directory, image, secrets } = stack.files;
/** In the last step of the image, so that whoever finds it sees into every layer. */
const IN_THE_IMAGE = 'exec backupctl run';

test('no secret and no configuration of the build context is in the image', async () => {
  const unpacked = join(directory, 'image');
  await mkdir(unpacked);
  onTestFinished(() => removeDirectory(unpacked));
  await run('sh', ['-c', 'docker save "$0" | tar -x -C "$1"', image, unpacked]);
  expect(await filesWith([IN_THE_IMAGE], unpacked)).not.toEqual([]);
  expect(await filesWith(Object.values(secrets), unpacked)).toEqual([]);
  const { stdout: history } = await run('docker', ['history', '--no-trunc', '--format', '{{json .}}', image]);
  expect(history).toContain(IN_THE_IMAGE);
  for (const secret of Object.values(secrets)) expect(history).not.toContain(secret);
});

test('no secret is seen in a helper container', async () => {
  await inUploads('head -c 150000000 /dev/urandom >noise'); // so that the helper has to work for some seconds
  onTestFinished(() => inUploads('rm noise'));
  const following = startedRun(stack, ['uploads']);
  const helper = await waitFor('the helper to run', () => runningHelper(), { intervalMs: 20 });
  await run('docker', ['pause', helper]);
  const { stdout: seen } = await run('docker', ['inspect', helper]).finally(() => run('docker', ['unpause', helper]));
  expect(seen).toContain(`${stack.files.name}_uploads`);
  for (const secret of Object.values(secrets)) expect(seen).not.toContain(secret);
  expect((await following.ended).code).toBe(0);
});

test('no secret is in what the services say', async () => {
  const said = await stack.compose('logs', '--no-color');
  expect(said).toContain('worker is ready');
  for (const secret of Object.values(secrets)) expect(said).not.toContain(secret);
});

async function inUploads(script: string): Promise<void> {
  await stack.compose('run', '--rm', '--no-deps', '--no-TTY', '-w', '/uploads', 'demo-data', 'sh', '-c', script);
}

async function runningHelper(): Promise<string | undefined> {
  const filters = [`volume=${stack.files.name}_uploads`, 'label=backup-orchestrator.target=uploads'];
  const { stdout } = await run('docker', ['ps', '--quiet', ...filters.flatMap((filter) => ['--filter', filter])]);
  return stdout.trim() === '' ? undefined : stdout.trim();
}

/** Which of the files, layers among them, hold one of the texts, whether they are compressed or not. */
async function filesWith(texts: readonly string[], root: string): Promise<string[]> {
  const patterns = join(root, '..', 'patterns');
  await writeFile(patterns, texts.join('\n') + '\n');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.filter((e) => e.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const search = 'gzip -dcf -- "$1" | grep -aqF -f "$0"'; // -f: what is not compressed passes as it is
    const isFound = await run('sh', ['-c', search, patterns, path]).then(
      () => true,
      (error: { code: number }) => {
        if (error.code !== 1) throw error;
        return false;
      },
    );
    if (isFound) found.push(path);
  }
  return found;
}

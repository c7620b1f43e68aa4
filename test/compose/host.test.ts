import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { startedRun } from '../support/compose-run.js';
import { hostProject, removeProject } from '../support/compose-removal.js';
import { ComposeStack } from '../support/compose-stack.js';

const stack = new ComposeStack(inject('stack'));
const { name, directory, image } = stack.files;
const PROJECT = hostProject(name);
const CONFIGURATION = join(directory, 'backups.yml');
const TARGET = `
  - name: "north-files"
    on_host: "north"
    volume_name: "${name}_uploads"
`;
/** As on a machine that reaches the Temporal server by a network of its own. */
const OVERRIDE = `
services:
  backup-orchestrator: { image: "${image}" }
networks:
  default: { external: true, name: ${name}_default }
`;

let before = '';
beforeAll(async () => {
  before = await readFile(CONFIGURATION, 'utf8');
  await writeFile(
    CONFIGURATION,
    before.replace('volume_backups:\n', (key) => key + TARGET.slice(1)),
  );
  await writeFile(join(directory, 'host-network.yml'), OVERRIDE);
  await stack.compose('restart', 'backup-orchestrator');
  await stack.up();
});
afterAll(async () => {
  await removeProject(PROJECT);
  await writeFile(CONFIGURATION, before);
  await stack.compose('restart', 'backup-orchestrator');
  await stack.up();
});

test('a worker of docker-compose.host.yml captures the targets of its host, into its own directory', async () => {
  const up = await onHost('up', '--detach', '--wait', '--no-build');
  expect(up, up.stderr).toMatchObject({ code: 0 });
  const { code, output } = await startedRun(stack, ['north-files', 'mordor']).ended;
  expect(output).toMatch(/: succeeded \(2 succeeded\)$/m);
  expect(code).toBe(0);
  const [run = ''] = /\d{8}_\d{6}/.exec(output) ?? [];
  const list = ['exec', '--no-TTY', 'backup-orchestrator', 'ls', `/backups/${run}`];
  expect((await onHost(...list)).stdout).toMatch(/^north-files_volume_\d{8}_\d{6}\.tar\.gz$/m);
  const here = await stack.compose(...list);
  expect(here).toMatch(/^mordor_\d{8}_\d{6}\.sql\.gz$/m);
  expect(here).not.toContain('north-files');
});

function onHost(...args: string[]) {
  const files = ['-f', 'docker-compose.host.yml', '-f', 'host-network.yml'];
  return stack.attempt(['-p', PROJECT, ...files, ...args], {
    BACKUP_HOST: 'north',
    TEMPORAL_ADDRESS: 'temporal:7233',
    COMPOSE_PROFILES: '',
  });
}

import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { ComposeStack } from '../support/compose-stack.js';

const stack = new ComposeStack(inject('stack'));
const ONE_SHOTS = ['demo-data', 'temporal-namespace', 'temporal-schema'];

/** What the tests look at of a service, of `docker compose config --format json`. */
interface ServiceConfig {
  pull_policy?: string;
  image: string;
  restart?: string;
  cap_drop?: string[];
  security_opt?: string[];
  mem_limit?: string;
  network_mode?: string;
  logging?: { options?: Record<string, string> };
  ports?: { host_ip?: string; published?: string }[];
}

async function configuredServices(...args: string[]): Promise<[string, ServiceConfig][]> {
  const text = await stack.compose(...args, 'config', '--format', 'json');
  return Object.entries((JSON.parse(text) as { services: Record<string, ServiceConfig> }).services);
}

describe('the stack', () => {
  it('is up: every service is healthy, every one-shot ended well', async () => {
    const states = await stack.states();
    const [once, services] = [true, false].map((isOnce) =>
      states.filter(({ Service }) => ONE_SHOTS.includes(Service) === isOnce),
    );
    expect(once?.map(({ Service }) => Service).sort()).toEqual(ONE_SHOTS);
    for (const service of once ?? []) expect(service).toMatchObject({ State: 'exited', ExitCode: 0 });
    expect(services?.length).toBe(7);
    for (const service of services ?? []) expect(service).toMatchObject({ State: 'running', Health: 'healthy' });
  });

  it.each(['', 'demo'])('has a file that compose takes without a warning, profile "%s"', async (profile) => {
    expect(await stack.attempt(['config', '--quiet'], { COMPOSE_PROFILES: profile })).toEqual({
      ...{ code: 0, stdout: '', stderr: '' },
    });
  });

  it('has another file for a worker alone, which asks for what it cannot guess', async () => {
    const config = (env: Record<string, string>) =>
      stack.attempt(['-f', 'docker-compose.host.yml', 'config', '--quiet'], env);
    const env = { BACKUP_HOST: 'north', TEMPORAL_ADDRESS: 'temporal.example.org:7233' };
    expect(await config(env)).toEqual({ code: 0, stdout: '', stderr: '' });
    for (const name of Object.keys(env)) {
      const { code, stderr } = await config({ ...env, [name]: '' });
      expect(code).not.toBe(0);
      expect(stderr).toContain(`required variable ${name} is missing a value: set it in .env to `);
    }
  });

  it('publishes two ports, on 127.0.0.1', async () => {
    const ports = (await configuredServices()).flatMap(([, { ports = [] }]) => ports);
    expect(ports.map(({ host_ip: address }) => address)).toEqual(['127.0.0.1', '127.0.0.1']);
    const names = (await stack.states()).map(({ Service }) => Service);
    const inspected = await Promise.all(names.map((name) => stack.inspect(name)));
    const bound = inspected.flatMap(({ NetworkSettings: { Ports } }) => Object.values(Ports)).filter((b) => b !== null);
    expect(bound.flat().map(({ HostIp }) => HostIp)).toEqual(['127.0.0.1', '127.0.0.1']);
  });

  it('asks no registry for the image that is built here', async () => {
    const ours = (await configuredServices()).filter(([, { image }]) => image.startsWith('backup-orchestrator:'));
    expect(ours.map(([name, { pull_policy: policy }]) => [name, policy]).sort()).toEqual([
      ['backup-orchestrator', 'never'],
      ['demo-data', 'never'],
    ]);
  });

  it('gives no service more than it needs', async () => {
    const services = await configuredServices();
    expect(services.length).toBe(7 + ONE_SHOTS.length);
    for (const [name, service] of services) {
      expect(service, name).toMatchObject({
        image: expect.stringMatching(/:[\w.-]*\d[\w.-]*$/) as string,
        restart: ONE_SHOTS.includes(name) ? 'no' : 'unless-stopped',
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        mem_limit: expect.stringMatching(/^\d+$/) as string,
        logging: { options: { 'max-size': '10m' } },
      });
      expect(service.network_mode, name).toBeUndefined();
    }
  });

  it('gives the worker a user with a name, and nothing to write to but its directory', async () => {
    const worker = (script: string) => stack.attempt(['exec', '-T', 'backup-orchestrator', 'sh', '-c', script]);
    expect((await worker('id -u; id -un')).stdout).toBe('10001\norchestrator\n');
    const refused = await worker('touch /app/x; touch /var/tmp/x; grep " /config/backups.yml " /proc/mounts');
    expect(refused.stderr.match(/Read-only file system/g)?.length).toBe(2);
    expect(refused.stdout).toMatch(/ \/config\/backups\.yml \S+ ro,/);
    expect(await worker('touch /backups/x && rm /backups/x && pg_isready -h postgres')).toMatchObject({ code: 0 });
  });

  it('finds every part in order, as doctor looks', async () => {
    const { code, stdout } = await stack.attempt(['exec', '-T', 'backup-orchestrator', 'backupctl', 'doctor']);
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('ok '))).toEqual([]);
    expect(code).toBe(0);
  });

  it('has a worker that ends when it is told to, well before it would be killed', async () => {
    await stack.compose('stop', 'backup-orchestrator');
    expect((await stack.inspect('backup-orchestrator')).State.ExitCode).toBe(0);
    expect(await stack.compose('logs', '--tail', '2', 'backup-orchestrator')).toContain('worker has ended');
    await stack.up();
  });
});

describe('an edited backups.yml', () => {
  it('counts after a restart of the worker, also where the editor made a new file', async () => {
    const { directory } = stack.files;
    const text = await readFile(join(directory, 'backups.yml'), 'utf8');
    const replace = async (content: string) => {
      await writeFile(join(directory, 'backups.yml~'), content);
      await rename(join(directory, 'backups.yml~'), join(directory, 'backups.yml'));
      await stack.compose('restart', 'backup-orchestrator');
      await stack.up();
      return stack.backupctl('schedule', 'show');
    };
    expect(await replace(text.replace('"0 3 * * *"', '"0 4 * * *"'))).toContain('0 4 * * *');
    expect(await replace(text)).toContain('0 3 * * *');
  });
});

describe('the set-up of the Temporal server', () => {
  const again = (service: string, ...command: string[]) =>
    stack.compose('run', '--rm', '--no-deps', '--no-TTY', service, ...command);

  it.each(['temporal-schema', 'temporal-namespace', 'demo-data'])('%s may run again', async (service) => {
    await again(service);
  });

  it('keeps histories for 30 days, and knows what runs are found by', async () => {
    const temporal = (...args: string[]) => again('temporal-namespace', 'temporal', 'operator', ...args);
    expect(await temporal('namespace', 'describe')).toMatch(/Retention\S*\s+720h/i);
    const attributes = await temporal('search-attribute', 'list');
    for (const name of ['BackupTargets', 'BackupFailedTargets'])
      expect(attributes).toMatch(new RegExp(`${name} +KeywordList`));
    for (const name of ['BackupOutcome', 'BackupRunId']) expect(attributes).toMatch(new RegExp(`${name} +Keyword\\b`));
  });
});

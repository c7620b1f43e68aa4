import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { promisify } from 'node:util';
import type { StackFiles } from './compose-files.js';
import { waitFor } from './wait-for.js';

const run = promisify(execFile);

export interface ComposeResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ServiceState {
  Service: string;
  State: string;
  /** Empty where the service has no check. */
  Health: string;
  ExitCode: number;
}

/** What a container of the stack looks like from outside, of `docker inspect`. */
export interface InspectedService {
  Id: string;
  Config: { Hostname: string };
  State: { ExitCode: number; StartedAt: string };
  NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | null> };
}

const STARTING_MS = 180_000;

/** Nothing of the environment of the tests may get into the stack: compose prefers it to `.env`. */
function ownEnvironment(env: Record<string, string>): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => /^(PATH|HOME|TMPDIR|XDG_.*|DOCKER_.*)$/.test(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...env };
}

/** The stack of the run, as `docker compose` in its directory sees it. */
export class ComposeStack {
  constructor(readonly files: StackFiles) {}

  /** Runs `docker compose …` to its end, whatever that is. */
  async attempt(args: readonly string[], env: Record<string, string> = {}): Promise<ComposeResult> {
    const options = { cwd: this.files.directory, env: ownEnvironment(env), maxBuffer: 64 * 1024 * 1024 };
    try {
      return { code: 0, ...(await run('docker', ['compose', '--progress', 'plain', ...args], options)) };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
      if (typeof code !== 'number') throw error;
      return { code, stdout, stderr };
    }
  }

  /** Runs it and returns what it printed; throws where it ends with another code than 0. */
  async compose(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(args);
    if (code === 0) return stdout;
    throw new Error(`docker compose ${args.join(' ')} ended with ${String(code)}:\n${stdout}${stderr}`);
  }

  /** Types commands of a guide, in the stack's directory; throws at the first that fails. */
  async shell(commands: string): Promise<void> {
    const options = { cwd: this.files.directory, env: ownEnvironment({}), maxBuffer: 64 * 1024 * 1024 };
    await run('bash', ['-euxc', commands], options);
  }

  /** Starts what does not run, and waits until all of it is healthy. */
  async up(...more: string[]): Promise<void> {
    const args = ['up', '--detach', '--wait', '--wait-timeout', String(STARTING_MS / 1000), '--no-build', ...more];
    const { code, stderr } = await this.attempt(args);
    if (code === 0) return;
    const { stdout: states } = await this.attempt(['ps', '--all']);
    const { stdout: logs } = await this.attempt(['logs', '--tail', '40']);
    throw new Error(`the stack did not come up:\n${stderr}\n${states}\n${logs}`);
  }

  /** Runs a command in a service's container. */
  exec(service: string, ...command: string[]): Promise<string> {
    return this.compose('exec', '--no-TTY', service, ...command);
  }

  backupctl(...args: string[]): Promise<string> {
    return this.exec('backup-orchestrator', 'backupctl', ...args);
  }

  /** A command in a service's container that goes on; it ends with the tests. */
  start(service: string, command: readonly string[]): ChildProcess {
    const args = ['--pdeathsig', 'KILL', 'docker', 'compose', 'exec', '--no-TTY', service, ...command];
    return spawn('setpriv', args, { cwd: this.files.directory, env: ownEnvironment({}), stdio: 'pipe' });
  }

  /** SQL in a demo database, as the user who made it. */
  async sql(database: 'mordor' | 'mordor_check', text: string): Promise<string> {
    return (await this.exec('postgres', 'psql', '-XAtq', '-U', 'postgres', '-d', database, '-c', text)).trim();
  }

  async states(): Promise<ServiceState[]> {
    const lines = (await this.compose('ps', '--all', '--format', 'json')).trim().split('\n');
    return lines.flatMap((line) => JSON.parse(line) as ServiceState | ServiceState[]);
  }

  async inspect(service: string): Promise<InspectedService> {
    const id = (await this.compose('ps', '--all', '--quiet', service)).trim();
    const { stdout } = await run('docker', ['container', 'inspect', '--format', '{{json .}}', id]);
    return JSON.parse(stdout) as InspectedService;
  }

  /**
   * Kills every process of a service's container by SIGKILL, from inside: `docker kill` would count as a wish that it stays
   * down. Resolves when the engine has started it again and it is healthy.
   */
  async crash(service: string): Promise<void> {
    const before = (await this.inspect(service)).State.StartedAt;
    await this.attempt(['exec', '--no-TTY', service, 'sh', '-c', 'kill -KILL -1']);
    await waitFor(`${service} to be started again`, async () => {
      return (await this.inspect(service)).State.StartedAt !== before;
    });
    await this.healthy(service);
  }

  async healthy(service: string): Promise<void> {
    const isHealthy = ({ Service, State, Health }: ServiceState) =>
      Service === service && State === 'running' && ['', 'healthy'].includes(Health);
    await waitFor(`${service} to be healthy`, async () => (await this.states()).some(isHealthy), {
      timeoutMs: STARTING_MS,
      intervalMs: 250,
    });
  }
}

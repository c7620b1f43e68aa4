import type { Command } from 'commander';
import type { Client } from '@temporalio/client';
import { createRedactor } from '../config/secrets.js';
import { resolveConfigPaths, type ConfigPaths } from '../config/options.js';
import { loadBaseRuntime, withTools, type BaseRuntime, type Runtime } from '../runtime.js';

/** What every command is given: the global options, the two streams, and the exit code it leaves. */
export class CommandContext {
  exitCode = 0;
  #base: BaseRuntime | undefined;
  readonly #redact = createRedactor(
    () => this.secrets(),
    () => this.#base?.config.names ?? [],
  );

  constructor(private readonly program: Command) {}

  /** Data, for people or programs: stdout. */
  print(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  printJson(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  /** Messages: stderr. They may quote what others said, so secrets are taken out. */
  say(text: string): void {
    process.stderr.write(`${this.#redact(text)}\n`);
  }

  get paths(): ConfigPaths {
    const { config, envFile } = this.program.opts<{ config?: string; envFile?: string }>();
    return resolveConfigPaths({
      processEnv: process.env,
      cwd: process.cwd(),
      ...(config !== undefined && { configFlag: config }),
      ...(envFile !== undefined && { envFileFlag: envFile }),
    });
  }

  /** The configuration and what it names, read once. */
  async base(): Promise<BaseRuntime> {
    this.#base ??= await loadBaseRuntime(this.paths);
    return this.#base;
  }

  /** For commands that run programs. */
  async runtime(): Promise<Runtime> {
    return withTools(await this.base());
  }

  /** Runs `work` with a client of the Temporal server, closed afterwards. The environment file counts: it is read first. */
  async withTemporal<T>(work: (client: Client) => Promise<T>): Promise<T> {
    await this.base();
    const [{ connectClient }, { requireNamespace }] = await temporal();
    const { client, close } = await connectClient();
    try {
      await requireNamespace(client);
      return await work(client);
    } finally {
      await close();
    }
  }

  secrets(): readonly string[] {
    return this.#base?.config.secrets() ?? [];
  }
}

/** Loaded where it is needed, since it takes a while. */
function temporal() {
  return Promise.all([import('../temporal/connection.js'), import('../temporal/answers.js')]);
}

/** Registers a command of `backupctl`. */
export type AddCommand = (program: Command, context: CommandContext) => void;

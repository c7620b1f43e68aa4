import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { freePort } from './free-port.js';
import { inScratchDirectory, removeDirectory } from './scratch-directory.js';
import { ServerProcess } from './server-process.js';
import { temporalProgram } from './tools.js';

export interface TemporalOptions {
  /** The SQLite file to keep everything in. Default: one in a directory that `stop` removes. */
  dbFile?: string;
  /** Keep everything in memory: cheaper, and gone with the process. Default: false. */
  inMemory?: boolean;
  /**
   * Whether schedules fire. For them the server starts a worker of its own for each namespace, and looks for new namespaces all the
   * time: with hundreds of these that is most of what it does. Default: true.
   */
  schedules?: boolean;
  /** Start the Web UI too. Default: false. */
  ui?: boolean;
  /** Default: a free one. */
  port?: number;
}

export interface TemporalServer {
  /** host:port of the frontend, for `TEMPORAL_ADDRESS`. */
  address: string;
  uiUrl: string | undefined;
  logFile: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** From then on it takes connections, and answers nothing until it is resumed. */
  suspend(): Promise<void>;
  resume(): void;
  /** Ends it (SIGTERM) where it runs, and starts it on the same port and file. */
  restart(): Promise<void>;
  /** Ends it and removes its directory. */
  stop(): Promise<void>;
}

/** A Temporal development server that answers, with the namespace `default`. */
export function startTemporal(options: TemporalOptions = {}): Promise<TemporalServer> {
  return inScratchDirectory('temporal', (directory) => startIn(directory, options));
}

async function startIn(directory: string, options: TemporalOptions): Promise<TemporalServer> {
  const port = options.port ?? (await freePort());
  const uiPort = options.ui === true ? await freePort() : undefined;
  const address = `127.0.0.1:${String(port)}`;
  const logFile = join(directory, 'server.log');
  const server = new ServerProcess({
    name: 'the Temporal server',
    program: temporalProgram(),
    args: serverArguments({ dbFile: join(directory, 'temporal.db'), ...options }, port, uiPort),
    logFile,
    isReady: () => isServing(address),
  });
  await server.start();
  return {
    address,
    uiUrl: uiPort === undefined ? undefined : `http://127.0.0.1:${String(uiPort)}`,
    logFile,
    kill: () => server.kill(),
    suspend: () => server.halt(),
    resume: () => server.signal('SIGCONT'),
    async restart() {
      await server.terminate();
      await server.start();
    },
    async stop() {
      await server.terminate('SIGTERM', 5_000);
      await removeDirectory(directory);
    },
  };
}

function serverArguments(
  { dbFile = '', inMemory = false, schedules = true }: TemporalOptions,
  port: number,
  uiPort: number | undefined,
): string[] {
  const settings = {
    'system.forceSearchAttributesCacheRefreshOnRead': true,
    ...(schedules ? SCHEDULING : NO_SCHEDULING),
  };
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
    ...(inMemory ? [] : ['--db-filename', dbFile]),
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...Object.entries(settings).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  ];
}

/** A namespace is known where it is named; its worker starts when the server looks for new ones, by default every 2 s. */
const SCHEDULING = { 'system.namespaceCacheRefreshInterval': '250ms' };
const NO_SCHEDULING = { 'worker.perNamespaceWorkerCount': 0 };

async function isServing(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return true;
  } finally {
    await connection.close();
  }
}

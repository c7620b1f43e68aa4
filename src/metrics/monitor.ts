import type { Log } from '../worker/log.js';
import { serve, type Answer } from './http-server.js';
import { addressText, listenAddress } from './listen-address.js';
import { sharedAnswer } from './shared-answer.js';
import { unhealthyReasons, type WatchedWorkers } from './worker-health.js';

const VARIABLE = 'METRICS_ADDRESS';

/** What a worker tells about itself over HTTP. */
export interface Monitor {
  /** Begins to answer for these workers; before that, whoever asks is told that the worker is starting. */
  watch(watched: WatchedWorkers): void;
  close(): Promise<void>;
}

/** Listens on METRICS_ADDRESS; where that is unset nothing does. Rejects with a BackupError where it cannot. */
export async function openMonitor({ log }: { log: Log }): Promise<Monitor> {
  const address = listenAddress(VARIABLE);
  if (address === undefined) return { watch: () => undefined, close: () => Promise.resolve() };
  let watched: WatchedWorkers | undefined;
  const reasons = sharedAnswer(async () =>
    watched === undefined ? ['the worker is starting'] : unhealthyReasons(watched),
  );
  const server = await serve({
    variable: VARIABLE,
    address,
    routes: { '/health': async () => health(await reasons()) },
  });
  log.info({ address: addressText(server.address) }, 'listening for /health');
  return { watch: (workers) => void (watched = workers), close: () => server.close() };
}

function health(reasons: readonly string[]): Answer {
  const isHealthy = reasons.length === 0;
  const body = isHealthy ? 'ok\n' : `${reasons.join('\n')}\n`;
  return { status: isHealthy ? 200 : 503, contentType: 'text/plain; charset=utf-8', body };
}

import type { Log } from '../worker/log.js';
import { Attempts } from './attempts.js';
import { createCollector, type CollectorInput } from './collector.js';
import type { Sample } from './definitions.js';
import { expose } from './exposition.js';
import { serve, type Answer } from './http-server.js';
import { addressText, listenAddress } from './listen-address.js';
import { sharedAnswer } from './shared-answer.js';
import { unhealthyReasons } from './worker-health.js';

const VARIABLE = 'METRICS_ADDRESS';

/** What a worker tells about itself over HTTP. */
export interface Monitor {
  attempts: Attempts;
  /** Begins to answer for these workers; before that, whoever asks is told that the worker is starting. */
  watch(watched: Omit<CollectorInput, 'attempts' | 'reasons'>): void;
  close(): Promise<void>;
}

interface Watched {
  reasons: () => Promise<string[]>;
  samples: () => Promise<Sample[]>;
}

/** Listens on METRICS_ADDRESS; where that is unset nothing does. Rejects with a BackupError where it cannot. */
export async function openMonitor({ log }: { log: Log }): Promise<Monitor> {
  const attempts = new Attempts();
  const address = listenAddress(VARIABLE);
  if (address === undefined) return { attempts, watch: () => undefined, close: () => Promise.resolve() };
  let watched: Watched = {
    reasons: () => Promise.resolve(['the worker is starting']),
    samples: () => Promise.resolve([]),
  };
  const routes = {
    '/health': async () => health(await watched.reasons()),
    '/metrics': async () => ({ status: 200, ...(await expose(await watched.samples())) }) as const,
  };
  const server = await serve({ variable: VARIABLE, address, routes });
  log.info({ address: addressText(server.address) }, 'listening for /health and /metrics');
  return {
    attempts,
    watch(input) {
      const reasons = sharedAnswer(() => unhealthyReasons(input));
      watched = { reasons, samples: sharedAnswer(createCollector({ ...input, attempts, reasons })) };
    },
    close: () => server.close(),
  };
}

function health(reasons: readonly string[]): Answer {
  const isHealthy = reasons.length === 0;
  const body = isHealthy ? 'ok\n' : `${reasons.join('\n')}\n`;
  return { status: isHealthy ? 200 : 503, contentType: 'text/plain; charset=utf-8', body };
}

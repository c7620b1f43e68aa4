import { readFile } from 'node:fs/promises';
import { waitFor } from './wait-for.js';
import type { WorkerProcess } from './worker-process.js';

/** For `startWorker`: the system chooses the port, and the log says which. */
export const ANY_PORT = { METRICS_ADDRESS: '127.0.0.1:0' };

/** `host:port` on which a worker that has METRICS_ADDRESS listens. */
export async function metricsAddress({ logFile }: WorkerProcess): Promise<string> {
  const lines = (await readFile(logFile, 'utf8'))
    .split('\n')
    .filter((line) => line.includes('listening for /health and /metrics'));
  return (JSON.parse(lines.at(-1) ?? '{}') as { address: string }).address;
}

export async function getText(address: string, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`http://${address}${path}`, { headers: { connection: 'close' } });
  return { status: response.status, text: await response.text() };
}

/** A scrape of `/metrics`: the value by name and labels, as they are written. */
export async function scrape(worker: WorkerProcess): Promise<Map<string, number>> {
  const { text } = await getText(await metricsAddress(worker), '/metrics');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** A scrape for which every source answered: one that takes longer than a scrape waits shows what was known before. */
export function fullScrape(worker: WorkerProcess): Promise<Map<string, number>> {
  return waitFor('every source to answer', async () => {
    const found = await scrape(worker);
    const sources = [...found].filter(([name]) => name.startsWith('backup_metrics_up'));
    return sources.length === 3 && sources.every(([, up]) => up === 1) ? found : undefined;
  });
}

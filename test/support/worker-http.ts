import { readFile } from 'node:fs/promises';
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

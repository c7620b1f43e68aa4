import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BenchCase } from '../bench-case.js';
import { businessDatabase } from '../data/database.js';
import { databaseConfig, install, type Installation } from '../installation.js';
import { alternate, shell } from '../measure.js';
import type { Row } from '../row.js';
import type { Stage } from '../stage.js';
import { dumpCommand } from './database.js';

const CLIENTS = 4;
const SIZES = {
  full: { scale: 20, transactionsPerSecond: 200, seconds: 12 },
  smoke: { scale: 1, transactionsPerSecond: 50, seconds: 2 },
};
const SERVED = 'served';

type Way = 'alone' | 'nice0' | 'byDefault';
type SamplesByWay = Record<Way, number[]>;

/** What those feel who work with a server while another of its databases is backed up on the same machine. */
export const latency: BenchCase = {
  name: 'latency',
  async measure(stage) {
    const { serverBin, bin } = stage.postgres;
    const pgbench = [serverBin, bin].map((directory) => join(directory, 'pgbench')).find((path) => existsSync(path));
    if (pgbench === undefined) return [{ what: 'latency of pgbench', samples: 'missing', unit: 'ms' }];
    await makeServedDatabase(stage, pgbench);
    const nice0 = await installFor(stage, { nice: 0 });
    const byDefault = await installFor(stage, {});
    const percentiles: SamplesByWay = { alone: [], nice0: [], byDefault: [] };
    let backups = 0;
    const measured = async (way: Way, beside?: Installation) => {
      const load = beside === undefined ? undefined : backUpOverAndOver(beside);
      const millis = await latencies(stage, pgbench).finally(async () => (backups += (await load?.end()) ?? 0));
      percentiles[way].push(percentile95(millis));
      return millis.reduce((sum, one) => sum + one, 0) / millis.length;
    };
    const averages = await alternate(stage.rounds, {
      alone: () => measured('alone'),
      nice0: () => measured('nice0', nice0),
      byDefault: () => measured('byDefault', byDefault),
    });
    await Promise.all([nice0.close(), byDefault.close()]);
    const note = `${rateText(stage)}; ${String(backups)} backups in all`;
    return [...rowsOf('average', averages, note), ...rowsOf('95th percentile', percentiles, note)];
  },
};

function rowsOf(figure: string, { alone, nice0, byDefault }: SamplesByWay, note: string): Row[] {
  const row = (when: string, samples: number[]) =>
    ({ what: `latency of pgbench, ${figure}, ${when}`, samples, unit: 'ms' }) as const;
  const reference = { name: 'no backup', samples: alone };
  return [
    { ...row('no backup', alone), note },
    { ...row('during backups, zstd level 3, nice 0', nice0), reference },
    { ...row('during backups, zstd level 3, nice by default', byDefault), reference },
  ];
}

/** After its first run everything is in memory for all that follow. */
async function installFor(stage: Stage, settings: object): Promise<Installation> {
  const { name } = await businessDatabase(stage);
  const zstd = { compression: 'zstd', compression_level: 3 };
  const service = await install(stage, {
    databases: [{ name: 'business', ...zstd, config: databaseConfig(stage, name) }],
    settings,
  });
  await service.run();
  return service;
}

/** `end` waits for the last one, so that the next measurement has nothing of it, and tells how many there were. */
function backUpOverAndOver(service: Installation): { end(): Promise<number> } {
  let isWanted = true;
  const all = (async () => {
    let count = 0;
    for (; isWanted; count++) await service.run();
    return count;
  })();
  all.catch(() => undefined); // told by `end`
  return { end: () => ((isWanted = false), all) };
}

async function makeServedDatabase(stage: Stage, pgbench: string): Promise<void> {
  const { scale } = sizes(stage);
  await stage.postgres.psql('postgres', `CREATE DATABASE ${SERVED}`);
  await shell(`"${pgbench}" --initialize --quiet --scale=${String(scale)}`, dumpCommand(stage, SERVED).env);
}

/** Of each transaction, in milliseconds, from when it was due to its end: one that has to wait for its turn counts with the wait. */
async function latencies(stage: Stage, pgbench: string): Promise<number[]> {
  const { transactionsPerSecond, seconds } = sizes(stage);
  const directory = await mkdtemp(join(stage.directory, 'pgbench-'));
  const load = `--client=${String(CLIENTS)} --rate=${String(transactionsPerSecond)} --time=${String(seconds)}`;
  const log = `--log --log-prefix="${directory}/log"`;
  await shell(`"${pgbench}" ${load} --random-seed=1 ${log}`, dumpCommand(stage, SERVED).env);
  const texts = await Promise.all((await readdir(directory)).map((name) => readFile(join(directory, name), 'utf8')));
  const lines = texts.flatMap((text) => text.trim().split('\n'));
  return lines.map((line) => Number(line.split(' ')[2]) / 1000); // client, transaction, microseconds, …
}

function percentile95(samples: readonly number[]): number {
  const sorted = [...samples].sort((one, other) => one - other);
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? NaN;
}

function rateText(stage: Stage): string {
  const { transactionsPerSecond, seconds } = sizes(stage);
  return `${String(transactionsPerSecond)} transactions a second by ${String(CLIENTS)} clients for ${String(seconds)} s`;
}

function sizes({ isSmoke }: Stage) {
  return SIZES[isSmoke ? 'smoke' : 'full'];
}

import { readFile, statfs, writeFile } from 'node:fs/promises';
import { removeDirectory } from '../../support/scratch-directory.js';
import type { BenchCase } from '../bench-case.js';
import { noiseDirectory } from '../data/noise.js';
import { install } from '../installation.js';
import type { Row } from '../row.js';
import type { Stage } from '../stage.js';

const MEGABYTES = { full: [10, 1_000, 20_000], smoke: [1, 20] };
const AT_ONCE = { full: { count: 4, megabytes: 450 }, smoke: { count: 2, megabytes: 20 } };
/** The data, its artifact and the copy are there together. */
const ON_DISK = 3.2;

/** The most that a worker has in memory while artifacts of all sizes are captured and copied to S3. */
export const memory: BenchCase = {
  name: 'memory',
  async measure(stage) {
    const kind = stage.isSmoke ? 'smoke' : 'full';
    const rows: Row[] = [];
    for (const wanted of MEGABYTES[kind]) {
      const megabytes = await thatFits(stage, wanted);
      const note = megabytes < wanted ? `no room for ${sizeText(wanted)}` : undefined;
      rows.push(await rowOf(stage, { count: 1, megabytes, ...(note !== undefined && { note }) }));
    }
    rows.push(await rowOf(stage, AT_ONCE[kind]));
    return rows;
  },
};

async function rowOf(stage: Stage, input: { count: number; megabytes: number; note?: string }): Promise<Row> {
  const { count, megabytes, note } = input;
  const names = Array.from({ length: count }, (_, index) => `noise-${String(megabytes)}-${String(index)}`);
  const volumes: object[] = [];
  for (const name of names) volumes.push({ name, path: await noiseDirectory(stage, name, megabytes) });
  const settings = { compression: 'zstd', compression_level: 1 };
  const installation = await install(stage, { volumes, settings, withS3: true });
  await writeFile(`/proc/${String(installation.worker.pid)}/clear_refs`, '5'); // what counts is not its start
  await installation.run();
  const highest = await highestMebibytes(installation.worker.pid);
  await installation.close();
  await removeDirectory(installation.backupDir);
  for (const name of names) await removeDirectory(`${stage.directory}/${name}`);
  const what =
    count === 1 ? `an artifact of ${sizeText(megabytes)}` : `${String(count)} of ${sizeText(megabytes)} at once`;
  return {
    what: `memory of a worker (RSS at most), ${what} and its copy to S3`,
    samples: [highest],
    unit: 'MiB',
    goal: { of: 'median', is: 'at most', value: 200 },
    ...(note !== undefined && { note }),
  };
}

async function thatFits({ directory }: Stage, megabytes: number): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return Math.min(megabytes, Math.floor((bavail * bsize) / 1e6 / ON_DISK / 1000) * 1000 || megabytes);
}

async function highestMebibytes(pid: number): Promise<number> {
  const found = /^VmHWM:\s+(\d+) kB/m.exec(await readFile(`/proc/${String(pid)}/status`, 'utf8'));
  return Number(found?.[1]) / 1024;
}

function sizeText(megabytes: number): string {
  return megabytes < 1000 ? `${String(megabytes)} MB` : `${String(megabytes / 1000)} GB`;
}

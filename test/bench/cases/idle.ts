import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { BenchCase } from '../bench-case.js';
import { noiseDirectory } from '../data/noise.js';
import { install } from '../installation.js';
import type { Row } from '../row.js';

const SECONDS = { full: { before: 10, measured: 60 }, smoke: { before: 0, measured: 2 } };
/** Of each second; the same on every Linux that Node runs on. */
const TICKS = 100;

/** What a worker takes that polls and has nothing to do. */
export const idle: BenchCase = {
  name: 'idle',
  async measure(stage) {
    const { before, measured } = SECONDS[stage.isSmoke ? 'smoke' : 'full'];
    const volumes = [{ name: 'nothing', path: await noiseDirectory(stage, 'nothing', 1) }];
    const { worker, close } = await install(stage, { volumes, withS3: true });
    await wait(before * 1000);
    const from = await processorSeconds(worker.pid);
    await wait(measured * 1000);
    const share = (100 * ((await processorSeconds(worker.pid)) - from)) / measured;
    await close();
    return [
      {
        what: 'an idle worker',
        samples: [share],
        unit: '% of a core',
        goal: { of: 'median', is: 'at most', value: 1 },
        note: `user and system, over ${String(measured)} s`,
      },
    ] satisfies Row[];
  },
};

async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // a program's name may be any text
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

import { readFile } from 'node:fs/promises';
import type { BenchCase } from '../bench-case.js';
import { emptyRunSeconds } from '../empty/empty-run.js';
import { databaseConfig, install, type Installation } from '../installation.js';
import { alternate, shellSeconds } from '../measure.js';
import { median, type Row } from '../row.js';
import { onceOnStage, type Stage } from '../stage.js';
import { dumpCommand } from './database.js';

const COUNTS = { full: [10, 100, 1_000, 5_000], smoke: [6] };
/** So many take twenty minutes with their references: once is enough. */
const ONCE_FROM = 5_000;
const DATABASES = 10;
const LANES = 8;

/** Targets of a few kilobytes: what is left of a run when dumps take next to nothing. */
export const tinyTargets: BenchCase = {
  name: 'tiny-targets',
  async measure(stage) {
    const rows: Row[] = [];
    for (const count of COUNTS[stage.isSmoke ? 'smoke' : 'full']) rows.push(await measureCount(stage, count));
    return rows;
  },
};

async function measureCount(stage: Stage, count: number): Promise<Row> {
  const databases = await tinyDatabases(stage);
  const targets = Array.from({ length: count }, (_, i) => ({
    name: `tiny-${String(i)}`,
    config: databaseConfig(stage, databases[i % DATABASES] ?? ''),
  }));
  const installation = await install(stage, { databases: targets, settings: { max_parallel: LANES } });
  const remarks: string[] = [];
  const samples = await alternate(count < ONCE_FROM ? stage.rounds : 1, {
    alone: () => dumpsAloneSeconds(stage, databases, count),
    empty: () => emptyRunSeconds(stage, installation.client, { count, lanes: LANES }),
    async service() {
      const { report, seconds } = await installation.run();
      remarks.push(await remarkOf(installation, report.workflowId));
      return seconds;
    },
  });
  await installation.close();
  const alone = median(samples.alone);
  const each = (all: number[], less = 0) => all.map((seconds) => ((seconds - less) * 1000) / count);
  const dumps = `the dumps alone, two at a time: ${(median(samples.alone) * (1000 / count)).toFixed(0)} ms`;
  return {
    what: `${String(count)} tiny targets: each, less its dump alone`,
    samples: each(samples.service, alone),
    unit: 'ms',
    reference: { name: 'a child with two activities that do nothing', samples: each(samples.empty) },
    goal: { of: 'ratio', is: 'at most', value: 1.5 },
    note: `${dumps}; ${String(LANES)} at once; ${remarks.at(-1) ?? ''}`,
  };
}

const tinyDatabases = onceOnStage(async ({ postgres }: Stage): Promise<string[]> => {
  const names = Array.from({ length: DATABASES }, (_, i) => `tiny${String(i)}`);
  for (const name of names) {
    await postgres.psql('postgres', `CREATE DATABASE ${name}`);
    const rows = `INSERT INTO item SELECT i, md5(i::text) FROM generate_series(1, 100) i`;
    await postgres.psql(name, `CREATE TABLE item (id int PRIMARY KEY, name text); ${rows}`);
  }
  return names;
});

/** By the same programs as the service, in two loops at once. */
function dumpsAloneSeconds(stage: Stage, databases: readonly string[], count: number): Promise<number> {
  const { line, env } = dumpCommand(stage, databases[0] ?? '');
  const names = databases.join(' ');
  const loop = (first: number) =>
    `(names=(${names}); for ((i = ${String(first)}; i < ${String(count)}; i += 2)); do PGDATABASE=\${names[i % ${String(DATABASES)}]} ${line} | bgzip -c -l 6 > alone-$i.gz; done)`;
  const both = `${loop(0)} & first=$!; ${loop(1)}; wait $first; rm -f alone-*.gz`;
  return shellSeconds(both, env, stage.directory);
}

/** What the run left in the server, and what the worker has taken of memory since its start. */
async function remarkOf({ client, worker }: Installation, workflowId: string): Promise<string> {
  const { historyLength, historySize = 0 } = await client.workflow.getHandle(workflowId).describe();
  const status = await readFile(`/proc/${String(worker.pid)}/status`, 'utf8');
  const peakMib = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024;
  const history = `${String(historyLength)} events, ${(historySize / 1024).toFixed(0)} KiB in its history`;
  return `${history}; the worker took ${peakMib.toFixed(0)} MiB at most`;
}

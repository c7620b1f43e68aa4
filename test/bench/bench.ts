import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { CASES } from './cases/index.js';
import type { Row } from './row.js';
import { onStage } from './stage.js';
import { jsonOf, tableOf } from './table.js';

const USAGE = `usage: npm run bench [-- --only NAME,… --rounds N --json FILE --smoke]
  --only     some cases alone: ${CASES.map(({ name }) => name).join(', ')}
  --rounds   how often each thing is measured (default: 3)
  --json     where everything that was measured goes, for programs
  --smoke    everything small and once: that it works, not how fast
`;

interface Arguments {
  only: string[];
  rounds: number;
  json: string | undefined;
  isSmoke: boolean;
}

const given = readArguments();
if (given === undefined) process.exitCode = 2;
else await bench(given);

function readArguments(): Arguments | undefined {
  try {
    const text = { type: 'string' } as const;
    const options = { only: text, rounds: text, json: text, smoke: { type: 'boolean', default: false } } as const;
    const { values } = parseArgs({ options });
    const only = values.only?.split(',') ?? CASES.map(({ name }) => name);
    const unknown = only.filter((name) => !CASES.some((bench) => bench.name === name));
    if (unknown.length > 0) throw new Error(`there is no case ${unknown.join(', ')}`);
    const rounds = Number(values.rounds ?? (values.smoke ? 1 : 3));
    if (!Number.isInteger(rounds) || rounds < 1) throw new Error('--rounds takes a whole number from 1');
    return { only, rounds, json: values.json, isSmoke: values.smoke };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return undefined;
  }
}

async function bench({ only, rounds, json, isSmoke }: Arguments): Promise<void> {
  const rows = await onStage({ isSmoke, rounds }, async (stage) => {
    const measured: Row[] = [];
    for (const { name, measure } of CASES.filter((each) => only.includes(each.name))) {
      stage.say(`== ${name}`);
      measured.push(...(await measure(stage)));
    }
    return isSmoke ? measured.map(withoutGoal) : measured;
  });
  process.stdout.write(`${tableOf(rows)}\n`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(jsonOf(rows), null, 2)}\n`);
}

/** Small data cannot reach it, nor prove that it is reached. */
function withoutGoal({ goal: _, ...row }: Row): Row {
  return row;
}

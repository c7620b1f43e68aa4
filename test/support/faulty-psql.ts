import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Tools } from '../../src/pipeline/tools.js';

/** What of a psql script is run before the fault, in lines, and the line that is it. */
export interface Fault {
  /** Scripts are told by a text in them; only the first such one is hit. */
  marker: string;
  afterLine: number;
  line: string;
}

export const ENDS_SESSION = 'SELECT pg_terminate_backend(pg_backend_pid());';
export const KILLS_PSQL = String.raw`\! kill -9 $PPID`;

export interface FaultyPsql {
  tools: Tools;
  /** Of the script that was hit. */
  lines(): Promise<number>;
}

/** A psql that comes as far as a fault in one script, and does all others as ever. */
export async function faultyPsql(tools: Tools, { marker, afterLine, line }: Fault): Promise<FaultyPsql> {
  const { psql } = tools;
  if (psql === undefined) throw new Error('there is no psql');
  const directory = await mkdtemp(join(tmpdir(), 'faulty-psql-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const path = join(directory, 'psql');
  const script = `#!/bin/bash
input=$(mktemp ${directory}/input.XXXXXX)
cat > "$input"
if grep -q '${marker}' "$input" && mkdir ${directory}/hit 2>/dev/null; then
  wc -l < "$input" > ${directory}/lines
  { head -n ${String(afterLine)} "$input"; cat ${directory}/fault; } > "$input.cut"
  exec ${psql.path} "$@" < "$input.cut"
fi
exec ${psql.path} "$@" < "$input"
`;
  await writeFile(join(directory, 'fault'), `${line}\n`);
  await writeFile(path, script);
  await chmod(path, 0o755);
  return {
    tools: { ...tools, psql: { ...psql, path } },
    lines: async () => Number(await readFile(join(directory, 'lines'), 'utf8')),
  };
}

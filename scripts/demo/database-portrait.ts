import { readFile } from 'node:fs/promises';
import type { Portrait, Properties } from './comparison.js';
import { counted } from './counted.js';

const QUERY = new URL('portrait.sql', import.meta.url);

/** Runs SQL in a database as a superuser, and returns rows as lines. */
export type Psql = (database: string, sql: string) => Promise<string>;

interface Line {
  kind: string;
  name: string;
  is: Properties;
}

/** The database's properties, its objects and sequences, and of each table the number and a hash of its rows. */
export async function readDatabase(psql: Psql, database: string): Promise<Portrait> {
  const output = await psql(database, await readFile(QUERY, 'utf8'));
  const lines = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
  return new Map(lines.map(({ kind, name, is }) => [`${kind} ${name}`.trim(), is]));
}

/** `5 tables with 50,453 rows, 1 sequence, 61 other objects`. */
export function describeDatabase(portrait: Portrait): string {
  const ofKind = (kind: string) => [...portrait].filter(([name]) => name.startsWith(`${kind} `));
  const [tables, sequences, rows] = [ofKind('table'), ofKind('sequence'), ofKind('rows of')];
  const rowCount = rows.reduce((sum, [, { count }]) => sum + Number(count), 0);
  // Of a sequence there are two entries, of a table's rows one of their own.
  const otherCount = portrait.size - tables.length - rows.length - 2 * sequences.length;
  return [
    `${counted(tables.length, 'table')} with ${counted(rowCount, 'row')}`,
    counted(sequences.length, 'sequence'),
    counted(otherCount, 'other object'),
  ].join(', ');
}

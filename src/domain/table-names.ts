import { BackupError } from './errors.js';

/** A table as people name it: literally, or in double quotes as psql prints odd names. */
export interface TableName {
  /** Absent: in whichever schema. */
  schema?: string;
  name: string;
}

const PART = '(?:"(?:[^"]|"")+"|[^",.\\s](?:[^",.]*[^",.\\s])?)';
const ITEM = new RegExp(`\\s*(${PART}(?:\\.${PART})*)\\s*(?:,|$)`, 'y');

/** The names in `a, schema.b, "Odd, name"`, each spelled as there. Error: ConfigInvalid. */
export function splitNames(list: string): string[] {
  const names: string[] = [];
  ITEM.lastIndex = 0;
  while (ITEM.lastIndex < list.length) {
    const [, name] = ITEM.exec(list) ?? [];
    if (name === undefined) throw unreadable(list);
    names.push(name);
  }
  if (names.length === 0 || list.trimEnd().endsWith(',')) throw unreadable(list);
  return names;
}

/** `table`, or `schema.table`. Error: ConfigInvalid. */
export function parseTableName(text: string): TableName {
  const parts = partsOf(text);
  const [first, second] = parts;
  if (first === undefined || parts.length > 2) throw unreadable(text);
  return second === undefined ? { name: first } : { schema: first, name: second };
}

/** Error: ConfigInvalid. */
export function parseSchemaName(text: string): string {
  const parts = partsOf(text);
  const [name] = parts;
  if (name === undefined || parts.length > 1) throw unreadable(text);
  return name;
}

function partsOf(text: string): string[] {
  if (splitNames(text).length > 1) throw unreadable(text);
  return [...text.trim().matchAll(new RegExp(PART, 'g'))].map(([part]) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part,
  );
}

function unreadable(text: string): BackupError {
  return new BackupError('ConfigInvalid', `cannot read ${JSON.stringify(text)}: because it is no list of names`, {
    hint: 'write `table`, `schema.table` or several with commas between them; in double quotes what holds a dot, comma or quote',
  });
}

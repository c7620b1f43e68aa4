// Writes docs/configuration.md from the schema; with --check it only says whether that file is up to date.
import { readFile, writeFile } from 'node:fs/promises';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { format } from 'prettier';
import { z } from 'zod';
import { backupConfigSchema } from '../src/config/backup-config-schema.js';
import { retentionSchema } from '../src/config/retention.js';
import { isQuoted } from '../src/config/json-schema.js';
import { exampleText, keyNotes, type KeyNotes } from '../src/config/schema-leaves.js';
import { unwrap } from '../src/config/schema-walk.js';
import { connectionSchema, databaseSchema, volumeSchema } from '../src/config/target-schema.js';

export const CONFIGURATION_DOC = fileURLToPath(new URL('../docs/configuration.md', import.meta.url));
const FRAME = new URL('configuration-frame.md', import.meta.url);

/** The text of docs/configuration.md. */
export async function configurationDoc(): Promise<string> {
  const tables: Record<string, z.ZodObject> = {
    backup_config: backupConfigSchema,
    backup_targets: databaseSchema,
    config: connectionSchema,
    volume_backups: volumeSchema,
    retention: retentionSchema,
  };
  const frame = await readFile(FRAME, 'utf8');
  const text = frame.replace(/^\{\{(\w+)\}\}$/gm, (_whole, name: string) => tableOf(tables[name] as z.ZodObject));
  return format(text, { parser: 'markdown', singleQuote: true, printWidth: 120 });
}

function tableOf(schema: z.ZodObject): string {
  const rows = Object.entries(schema.shape).flatMap(([key, value]) => rowOf(key, value as z.ZodType));
  return ['| key | value | default | what it is | example |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function rowOf(key: string, schema: z.ZodType): string[] {
  const notes = keyNotes.get(unwrap(schema));
  if (notes === undefined) return []; // a mapping: it has a table of its own
  const example = `\`${key}: ${exampleText(notes)}\``;
  const cells = [`\`${key}\``, notes.expects, defaultOf(notes), notes.description, example];
  return [`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`];
}

function defaultOf({ default: value }: KeyNotes): string {
  if (value === undefined) return '**required**';
  return isQuoted(value) ? `\`${String(value)}\`` : String(value).slice(1, -1);
}

async function main(): Promise<void> {
  const text = await configurationDoc();
  if (!argv.includes('--check')) return writeFile(CONFIGURATION_DOC, text);
  if ((await readFile(CONFIGURATION_DOC, 'utf8')) !== text) {
    throw new Error('docs/configuration.md is not up to date. HINT: run: npx tsx scripts/configuration-doc.ts');
  }
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) await main();

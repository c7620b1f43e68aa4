import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { BackupError } from '../domain/errors.js';
import { findRunLog, type RunLogFile } from '../run-log-files.js';
import type { AddCommand, CommandContext } from './context.js';

export const addLogsCommand: AddCommand = (program, context) => {
  program
    .command('logs')
    .description('prints the log of a run, also while it goes on')
    .argument('[run]', 'id of a run (default: the newest that has a log)')
    .option('--json', 'print JSON: {run, path, lines: [{time, text}]}')
    .action((run: string | undefined, { json }: { json?: boolean }) => logs(context, run, json === true));
};

async function logs(context: CommandContext, run: string | undefined, json: boolean): Promise<void> {
  const { local } = await context.runtime();
  const log = await findRunLog(local.root, run);
  if (log === undefined) throw notFound(local.root, run);
  if (json) return context.printJson({ ...log, lines: await linesOf(log) });
  if (run === undefined) context.say(`run ${log.run}: ${log.path}`);
  await pipeline(createReadStream(log.path), process.stdout, { end: false }).catch(ignoreGoneReader);
}

function ignoreGoneReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** What belongs to a line and did not fit on it is indented below it. */
async function linesOf({ path }: RunLogFile): Promise<{ time: string; text: string }[]> {
  const lines: { time: string; text: string }[] = [];
  for (const line of (await readFile(path, 'utf8')).split('\n')) {
    const [, time, text] = /^(\d{4}-\S+Z) (.*)$/.exec(line) ?? [];
    const last = lines.at(-1);
    if (time !== undefined && text !== undefined) lines.push({ time, text });
    else if (last !== undefined && line !== '') last.text += `\n${line.trimStart()}`;
  }
  return lines;
}

function notFound(root: string, run: string | undefined): BackupError {
  const what = run === undefined ? 'a log' : `the log of run ${run}`;
  return new BackupError('NotFound', `cannot print ${what}: because there is none in ${root}`, {
    hint: '`backupctl status` lists the last runs; of runs whose artifacts are all gone the log goes too',
  });
}

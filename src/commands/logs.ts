import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Option } from 'commander';
import type { Destination } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import { findRunLog, type RunLogFile } from '../run-log-files.js';
import type { AddCommand, CommandContext } from './context.js';
import { followLog } from './follow-log.js';

export const addLogsCommand: AddCommand = (program, context) => {
  program
    .command('logs')
    .description('prints the log of a run, also while it goes on')
    .argument('[run]', 'id of a run (default: the newest that has a log)')
    .addOption(new Option('-f, --follow', 'go on until that run has ended, or Ctrl-C').conflicts('json'))
    .option('--json', 'print JSON: {run, path, lines: [{time, text}]}')
    .action((run: string | undefined, options: LogsOptions) => logs(context, run, options));
};

interface LogsOptions {
  json?: boolean;
  follow?: boolean;
}

async function logs(context: CommandContext, run: string | undefined, { json, follow }: LogsOptions): Promise<void> {
  const { local } = await context.base();
  const log = await findRunLog(local.root, run);
  if (log === undefined) throw notFound(local.root, run);
  if (json) return context.printJson({ ...log, lines: await linesOf(log) });
  if (run === undefined) context.say(`run ${log.run}: ${log.path}`);
  if (follow) return followUntilInterrupted(context, log, local);
  await pipeline(createReadStream(log.path), process.stdout, { end: false }).catch(ignoreGoneReader);
}

async function followUntilInterrupted(context: CommandContext, log: RunLogFile, local: Destination): Promise<void> {
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, onSignal);
  try {
    const ending = await followLog({ log, local, write: writeOut, signal: interrupted.signal });
    if (ending === 'lost')
      context.say(`run ${log.run} ended without a report: it was terminated, or the server lost it`);
    if (ending === 'interrupted') context.exitCode = EXIT.cancelled;
  } catch (error) {
    ignoreGoneReader(error as NodeJS.ErrnoException);
  }
}

function writeOut(text: Buffer): Promise<void> {
  return new Promise((resolve, reject) => process.stdout.write(text, (error) => (error ? reject(error) : resolve())));
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

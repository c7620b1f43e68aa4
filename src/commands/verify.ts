import { Option } from 'commander';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import type { DestinationKind } from '../domain/target.js';
import { findConfigured } from '../steps/configured-target.js';
import { verifyArtifacts, type VerifiedArtifact } from '../steps/verify.js';
import type { AddCommand, CommandContext } from './context.js';
import { formatBytes, formatDuration } from './format.js';
import { untilInterrupted } from './interruption.js';
import { fromOption } from './list.js';
import { ProgressLine } from './progress-line.js';
import { runIdOf } from './run-id.js';

interface VerifyOptions {
  run?: string;
  from?: DestinationKind;
  json?: boolean;
}

export const addVerifyCommand: AddCommand = (program, context) => {
  program
    .command('verify')
    .description('reads kept artifacts back, every byte, and says which are whole')
    .argument('[target]', 'name of a target (default: all)')
    .addOption(new Option('--run <id>', 'only those of this run').argParser(runIdOf))
    .addOption(fromOption('verify only these (default: all)'))
    .option('--json', 'print JSON')
    .action((target: string | undefined, options: VerifyOptions) => verify(context, target, options));
};

async function verify(context: CommandContext, name: string | undefined, options: VerifyOptions): Promise<void> {
  const { run, from, json } = options;
  const runtime = await context.runtime();
  const target = name === undefined ? undefined : (findConfigured(runtime.config, name)?.name ?? name);
  const progress = new ProgressLine({ stream: process.stderr });
  const onVerified = (verified: VerifiedArtifact) => {
    progress.clear();
    if (json !== true) context.print(describe(verified));
  };
  const destinations = from === undefined ? runtime.destinations : [runtime.destination(from)];
  const chosen = { ...(target !== undefined && { target }), ...(run !== undefined && { run }) };
  const verified = await untilInterrupted(context, (signal) => {
    const onProgress = (bytesDone: number) => progress.show(bytesDone, undefined);
    const step = { signal, onProgress, log: () => undefined };
    return verifyArtifacts(runtime, { ...chosen, destinations, onVerified }, step);
  }).finally(() => progress.clear());
  if (verified.length === 0) throw nothingToVerify(target, run);
  const failed = verified.filter(({ outcome }) => outcome === 'failed');
  if (failed.length > 0) context.exitCode = EXIT.unverified;
  if (json === true) context.printJson(verified.map(rowOf));
  context.say(`${String(verified.length - failed.length)} verified, ${String(failed.length)} failed`);
}

function rowOf({ destination, path, ...result }: VerifiedArtifact) {
  return { destination: destination.kind, location: `${destination.location}/${path}`, ...result };
}

function describe({ destination, path, outcome, reason, sizeBytes, durationMs }: VerifiedArtifact): string {
  const what = `${outcome} ${destination.location}/${path}`;
  if (reason !== undefined) return `${what}: ${reason}`;
  return `${what}, ${formatBytes(sizeBytes ?? 0)} in ${formatDuration(durationMs)}`;
}

function nothingToVerify(target: string | undefined, run: string | undefined): BackupError {
  const what = [target, run === undefined ? undefined : `run ${run}`].filter((part) => part !== undefined).join(' of ');
  const message = `cannot verify ${what === '' ? 'anything' : what}: because there is no such artifact`;
  return new BackupError('NotFound', message, { hint: '`backupctl list` shows what there is' });
}

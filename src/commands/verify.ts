import { Option } from 'commander';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import type { DestinationKind } from '../domain/target.js';
import type { VerificationOutcome } from '../domain/verification.js';
import { findConfigured } from '../steps/configured-target.js';
import { verifyArtifacts, type VerifiedArtifact, type VerifyInput } from '../steps/verify.js';
import type { AddCommand, CommandContext } from './context.js';
import { formatBytes, formatDuration } from './format.js';
import { untilInterrupted } from './interruption.js';
import { fromOption } from './list.js';
import { ProgressLine } from './progress-line.js';
import { runIdOf } from './run-id.js';

interface VerifyOptions {
  run?: string;
  from?: DestinationKind;
  drill?: boolean;
  json?: boolean;
}

export const addVerifyCommand: AddCommand = (program, context) => {
  program
    .command('verify')
    .description('reads kept artifacts back, every byte, and says which are whole')
    .argument('[target]', 'name of a target (default: all)')
    .addOption(new Option('--run <id>', 'only those of this run').argParser(runIdOf))
    .addOption(fromOption('verify only these (default: all)'))
    .option(
      '--drill',
      'restore them too, into something that is thrown away, and compare (default: the newest of each target)',
    )
    .option('--json', 'print JSON')
    .action((target: string | undefined, options: VerifyOptions) => verify(context, target, options));
};

async function verify(context: CommandContext, name: string | undefined, options: VerifyOptions): Promise<void> {
  const { run, from, json, drill } = options;
  const runtime = await context.runtime();
  const target = name === undefined ? undefined : (findConfigured(runtime.config, name)?.name ?? name);
  const progress = new ProgressLine({ stream: process.stderr });
  const onVerified = (verified: VerifiedArtifact) => {
    progress.clear();
    if (json !== true) context.print(describe(verified));
  };
  const input: VerifyInput = {
    ...{ ...(target !== undefined && { target }), ...(run !== undefined && { run }) },
    method: drill === true ? 'drill' : 'read',
    destinations: from === undefined ? runtime.destinations : [runtime.destination(from)],
    onVerified,
  };
  const verified = await untilInterrupted(context, (signal) => {
    const onProgress = (bytesDone: number) => progress.show(bytesDone, undefined);
    return verifyArtifacts(runtime, input, { signal, onProgress, log: () => undefined });
  }).finally(() => progress.clear());
  if (verified.length === 0) throw nothingToVerify(target, run);
  if (verified.some(({ outcome }) => outcome !== 'verified')) context.exitCode = EXIT.unverified;
  if (json === true) context.printJson(verified.map(rowOf));
  context.say(summary(verified));
}

function rowOf({ destination, path, ...result }: VerifiedArtifact) {
  return { destination: destination.kind, location: `${destination.location}/${path}`, ...result };
}

function describe({ destination, path, outcome, reason, notes = [], ...numbers }: VerifiedArtifact): string {
  const { sizeBytes, durationMs, restoreMs } = numbers;
  const what = `${outcome} ${destination.location}/${path}`;
  const times = [
    `${formatBytes(sizeBytes ?? 0)} in ${formatDuration(durationMs)}`,
    ...(restoreMs === undefined ? [] : [`restored in ${formatDuration(restoreMs)}`]),
  ];
  const head = reason === undefined ? `${what}, ${times.join(', ')}` : `${what}: ${reason}`;
  return [head, ...notes.map((note) => `  ${note}`)].join('\n');
}

/** `3 verified, 1 failed`; what could not be checked only where there is some. */
function summary(verified: readonly VerifiedArtifact[]): string {
  const count = (outcome: VerificationOutcome) => verified.filter((v) => v.outcome === outcome).length;
  const unverified = count('unverified');
  const more = unverified === 0 ? '' : `, ${String(unverified)} unverified`;
  return `${String(count('verified'))} verified, ${String(count('failed'))} failed${more}`;
}

function nothingToVerify(target: string | undefined, run: string | undefined): BackupError {
  const what = [target, run === undefined ? undefined : `run ${run}`].filter((part) => part !== undefined).join(' of ');
  const message = `cannot verify ${what === '' ? 'anything' : what}: because there is no such artifact`;
  return new BackupError('NotFound', message, { hint: '`backupctl list` shows what there is' });
}

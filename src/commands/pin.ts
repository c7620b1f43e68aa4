import { userInfo } from 'node:os';
import { InvalidArgumentError, type Command } from 'commander';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import { NOTE_PATTERN, type Pin } from '../domain/pin.js';
import { findConfigured } from '../steps/configured-target.js';
import { locationOf } from '../steps/list-artifacts.js';
import { pinArtifacts, unpinArtifacts, type PinInput, type PinnedArtifact, type PinResult } from '../steps/pin.js';
import type { BaseRuntime } from '../runtime.js';
import type { AddCommand, CommandContext } from './context.js';
import { runIdOf } from './run-id.js';

interface PinOptions {
  note?: string;
  json?: boolean;
}

export const addPinCommand: AddCommand = (program, context) => {
  withArguments(program.command('pin'), 'keeps the artifacts of a run, whatever retention says, in every destination')
    .option('--note <text>', 'why, for people', noteOf)
    .action((run: string, target: string | undefined, { json, note }: PinOptions) =>
      change(context, { run, target, json, verb: 'pin' }, (runtime, input) =>
        pinArtifacts(runtime, { ...input, pin: pinWith(note) }),
      ),
    );
};

export const addUnpinCommand: AddCommand = (program, context) => {
  withArguments(program.command('unpin'), 'leaves the artifacts of a run to retention again').action(
    (run: string, target: string | undefined, { json }: PinOptions) =>
      change(context, { run, target, json, verb: 'unpin' }, unpinArtifacts),
  );
};

function withArguments(command: Command, description: string): Command {
  return command
    .description(description)
    .argument('<run>', 'id of a run', runIdOf)
    .argument('[target]', 'name of a target (default: all of the run)')
    .option('--json', 'print JSON');
}

function noteOf(text: string): string {
  if (NOTE_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('Expected one line of at most 200 characters.');
}

function pinWith(note: string | undefined): Pin {
  return {
    ...(note !== undefined && { note }),
    pinnedAt: new Date().toISOString(),
    pinnedBy: userName(),
  };
}

/** A user of a container may have no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${String(process.getuid?.() ?? '')}`;
  }
}

interface Change {
  run: string;
  target: string | undefined;
  json: boolean | undefined;
  verb: 'pin' | 'unpin';
}

async function change(
  context: CommandContext,
  { run, target: name, json, verb }: Change,
  work: (runtime: BaseRuntime, input: PinInput) => Promise<PinResult>,
): Promise<void> {
  const runtime = await context.base();
  const target = name === undefined ? undefined : (findConfigured(runtime.config, name)?.name ?? name);
  const { artifacts, unreadable, unreachable } = await work(runtime, { run, ...(target !== undefined && { target }) });
  if (json === true) context.printJson(artifacts.map(rowOf));
  else for (const found of artifacts) context.print(`${found.state} ${locationOf(found)}`);
  for (const { destination, path, reason } of unreadable)
    context.say(`left: ${destination.location}/${path}: ${reason}`);
  for (const found of artifacts) sayDoubts(context, found, runtime.config.host);
  for (const { destination, error } of unreachable) {
    context.say(
      `cannot ${verb} in ${destination.location}: because ${error.message}\nHINT: ${verb} again when it answers`,
    );
  }
  const isUnsure = artifacts.some(({ state }) => state === 'unsure');
  if (isUnsure || unreachable.length > 0) context.exitCode = EXIT.failed;
  else if (artifacts.length === 0) throw notFound({ run, target, verb });
}

function sayDoubts(context: CommandContext, found: PinnedArtifact, host: string): void {
  const { state, warning, entry, destination } = found;
  if (warning !== undefined) context.say(`warning: ${locationOf(found)}: ${warning}`);
  if (state === 'unsure') {
    const hint = 'run `backupctl prune`, then see in `backupctl list` whether it is there';
    context.say(
      `cannot be sure of ${locationOf(found)}: because a prune is removing it, or was killed there\nHINT: ${hint}`,
    );
  }
  if (destination.kind !== 'local' && entry.manifest.host !== host) {
    context.say(`note: the directory of host ${entry.manifest.host} has a copy of its own: say it there too`);
  }
}

function rowOf(found: PinnedArtifact) {
  const { manifest } = found.entry;
  const { run, target, kind } = manifest;
  return { state: found.state, run, target, kind, destination: found.destination.kind, location: locationOf(found) };
}

function notFound({ run, target, verb }: Pick<Change, 'run' | 'target' | 'verb'>): BackupError {
  const what = target === undefined ? `run ${run}` : `${target} of run ${run}`;
  return new BackupError('NotFound', `cannot ${verb} ${what}: because there is no such artifact`, {
    hint: '`backupctl list` shows what there is',
  });
}

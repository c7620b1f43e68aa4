import { Command, CommanderError } from 'commander';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import { PACKAGE_VERSION } from '../package-version.js';
import { CommandContext, type AddCommand } from './context.js';

/** A command's file is loaded when it is asked for: with Temporal's client and the SDK for S3, all of them take longer to load than most take to run. */
const COMMANDS: Record<string, () => Promise<AddCommand>> = {
  run: async () => (await import('./run.js')).addRunCommand,
  status: async () => (await import('./status.js')).addStatusCommand,
  list: async () => (await import('./list.js')).addListCommand,
  restore: async () => (await import('./restore.js')).addRestoreCommand,
  verify: async () => (await import('./verify.js')).addVerifyCommand,
  prune: async () => (await import('./prune.js')).addPruneCommand,
  pin: async () => (await import('./pin.js')).addPinCommand,
  unpin: async () => (await import('./pin.js')).addUnpinCommand,
  catalog: async () => (await import('./catalog.js')).addCatalogCommand,
  schedule: async () => (await import('./schedule.js')).addScheduleCommand,
  config: async () => (await import('./config.js')).addConfigCommand,
  logs: async () => (await import('./logs.js')).addLogsCommand,
  doctor: async () => (await import('./doctor.js')).addDoctorCommand,
};

/** `backupctl`: arguments to exit code. Data goes to stdout, everything else to stderr. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = new Command('backupctl')
    .description('Runs, lists and restores backups of PostgreSQL databases and Docker volumes.')
    .version(PACKAGE_VERSION, '--version', 'print the version')
    .option('--config <file>', 'configuration (default: BACKUPS_FILE, else backups.yml here)')
    .option('--env-file <file>', 'environment (default: stack.env beside the configuration, where it exists)')
    .exitOverride()
    .showHelpAfterError('(--help shows what there is)');
  const context = new CommandContext(program);
  try {
    for (const load of loadersFor(program, argv)) (await load())(program, context);
    await program.parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // it has spoken already
    return report(error, context);
  }
}

/** That of the command which is asked for; all of them where it is none, for the help. */
function loadersFor(program: Command, argv: readonly string[]) {
  const [name = ''] = program.parseOptions([...argv]).operands;
  return Object.hasOwn(COMMANDS, name) ? [COMMANDS[name]!] : Object.values(COMMANDS);
}

function report(error: unknown, context: CommandContext): number {
  const text =
    error instanceof BackupError ? error.text : error instanceof Error ? (error.stack ?? error.message) : String(error);
  context.say(text);
  return error instanceof BackupError ? exitCodeFor(error) : EXIT.failed;
}

function exitCodeFor({ code }: BackupError): number {
  if (code === 'ConfigInvalid') return EXIT.usage;
  if (code === 'NotFound') return EXIT.notFound;
  return code === 'Cancelled' ? EXIT.cancelled : EXIT.failed;
}

import { Command, CommanderError } from 'commander';
import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import { PACKAGE_VERSION } from '../package-version.js';
import { CommandContext } from './context.js';
import { addCatalogCommand } from './catalog.js';
import { addConfigCommand } from './config.js';
import { addDoctorCommand } from './doctor.js';
import { addListCommand } from './list.js';
import { addLogsCommand } from './logs.js';
import { addPinCommands } from './pin.js';
import { addPruneCommand } from './prune.js';
import { addRestoreCommand } from './restore.js';
import { addRunCommand } from './run.js';
import { addScheduleCommand } from './schedule.js';
import { addStatusCommand } from './status.js';
import { addVerifyCommand } from './verify.js';

const COMMANDS = [
  addRunCommand,
  addStatusCommand,
  addListCommand,
  addRestoreCommand,
  addVerifyCommand,
  addPruneCommand,
  addPinCommands,
  addCatalogCommand,
  addScheduleCommand,
  addConfigCommand,
  addLogsCommand,
  addDoctorCommand,
];

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
  for (const add of COMMANDS) add(program, context);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage; // it has spoken already
    return report(error, context);
  }
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

import { InvalidArgumentError, Option } from 'commander';
import { RUN_PATTERN } from '../domain/names.js';
import { splitPaths } from '../domain/path-list.js';
import { splitNames } from '../domain/table-names.js';
import type { DestinationKind } from '../domain/target.js';
import { placeWord, type RestoredTarget, type RestorePlan } from '../domain/restore-plan.js';
import { planRestore, restoreTarget } from '../steps/restore.js';
import { requireConfirmed } from './confirm-in-place.js';
import type { AddCommand, CommandContext } from './context.js';
import { formatBytes, formatDuration } from './format.js';
import { untilInterrupted } from './interruption.js';
import { fromOption } from './list.js';
import { ProgressLine } from './progress-line.js';
import { restorePlanText } from './restore-plan-text.js';

interface RestoreOptions {
  run: string;
  from?: DestinationKind;
  into?: string;
  inPlace?: boolean;
  confirm?: string;
  tables?: string[];
  schema?: string[];
  paths?: string[];
  /** Commander's reading of `--no-owner`. */
  owner: boolean;
  withRoles?: boolean;
  jobs?: number;
  plan?: boolean;
  json?: boolean;
}

const LATEST = 'latest';
const MOST_JOBS = 64;

export const addRestoreCommand: AddCommand = (program, context) => {
  program
    .command('restore')
    .description('makes a new database, volume or directory out of an artifact')
    .argument('<target>', 'name of a target')
    .addOption(new Option('--run <id>', 'the run whose artifact it is').default(LATEST).argParser(runOf))
    .addOption(fromOption('where to take it from (default: local, else s3)'))
    .option('--into <name>', 'the new database, volume or directory (default: the original one)')
    .addOption(
      new Option('--in-place', 'replace what the entry names now, which stays under another name').conflicts('into'),
    )
    .option('--confirm <target>', 'the name of the target once more, for --in-place')
    .addOption(new Option('--tables <names>', 'of a database: rows of these tables alone').argParser(names))
    .addOption(new Option('--schema <names>', 'of a database: rows of the tables of these schemas').argParser(names))
    .addOption(
      new Option('--paths <paths>', 'of a volume: these files, or directories with what is in them, alone').argParser(
        paths,
      ),
    )
    .option('--no-owner', 'everything belongs to the user who restores; missing roles go without')
    .addOption(
      new Option(
        '--with-roles',
        'make roles that the server lacks, from its globals; none that exists is touched',
      ).conflicts('owner'),
    )
    .addOption(
      new Option(
        '--jobs <count>',
        'how many at once, of a dump in custom format (default: the cores, up to 4)',
      ).argParser(countOf),
    )
    .option('--plan', 'say what would be done, and do nothing')
    .option('--json', 'print what was restored as JSON; with --plan, the plan')
    .action((target: string, options: RestoreOptions) => restore(context, target, options));
};

function runOf(text: string): string {
  if (text === LATEST || RUN_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('Expected the id of a run, such as 20261124_030000, or latest.');
}

/** Of an option that may be said several times. */
function names(text: string, before: string[] = []): string[] {
  return [...before, ...splitNames(text)];
}

/** Of an option that may be said several times. */
function paths(text: string, before: string[] = []): string[] {
  return [...before, ...splitPaths(text)];
}

function countOf(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= MOST_JOBS) return count;
  throw new InvalidArgumentError(`Expected a number from 1 to ${String(MOST_JOBS)}.`);
}

async function restore(context: CommandContext, target: string, options: RestoreOptions): Promise<void> {
  const { run, from, into, owner, withRoles = false, jobs, plan: planOnly = false, json } = options;
  const { inPlace = false, confirm, tables, schema: schemas, paths: files } = options;
  const runtime = await context.runtime();
  if (inPlace && !planOnly) requireConfirmed(runtime.config, { target, confirm });
  const progress = new ProgressLine({ stream: process.stderr });
  const say = (text: string) => {
    progress.clear();
    context.say(text);
  };
  let totalBytes: number | undefined;
  const planText = (plan: RestorePlan) =>
    restorePlanText({ plan, timezone: runtime.config.backup.timezone, now: new Date() });
  const onPlanned = (plan: RestorePlan) => {
    totalBytes = plan.sizeBytes;
    say(planText(plan));
  };
  const input = {
    ...{ target, noOwner: !owner, withRoles, inPlace, cwd: process.cwd(), onPlanned },
    parts: { ...(tables && { tables }), ...(schemas && { schemas }), ...(files && { paths: files }) },
    ...(jobs !== undefined && { jobs }),
    ...(run !== LATEST && { run }),
    ...(from !== undefined && { from }),
    ...(into !== undefined && { into }),
  };
  const step = { log: say, onProgress: (done: number) => progress.show(done, totalBytes) };
  if (planOnly) {
    const plan = await untilInterrupted(context, (signal) => planRestore(runtime, input, { ...step, signal }));
    return json === true ? context.printJson(plan) : context.print(planText(plan));
  }
  const startedAt = Date.now();
  const restored = await untilInterrupted(context, (signal) =>
    restoreTarget(runtime, input, { ...step, signal }),
  ).finally(() => progress.clear());
  if (restored.madeRoles !== undefined) say(`made the roles ${restored.madeRoles.join(', ')}`);
  for (const warning of restored.warnings) say(`warning: ${warning}`);
  if (restored.keptAs !== undefined) say(keptText(restored));
  say(summary(restored, Date.now() - startedAt));
  if (json === true) context.printJson(restored);
}

function keptText({ kind, into, keptAs = '', keptCommands }: RestoredTarget): string {
  const what = `the ${placeWord({ kind, into })} that was there is kept as ${keptAs}`;
  if (keptCommands === undefined) return what;
  return `${what}\n  to remove it:     ${keptCommands.remove}\n  to go back to it: ${keptCommands.goBack}`;
}

function summary({ target, run, kind, into, sizeBytes }: RestoredTarget, durationMs: number): string {
  const size = `${formatBytes(sizeBytes)} in ${formatDuration(durationMs)}`;
  return `restored ${target} of run ${run} into the ${placeWord({ kind, into })} ${into} (${size})`;
}

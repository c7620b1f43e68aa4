import { InvalidArgumentError, Option } from 'commander';
import { splitPaths } from '../domain/path-list.js';
import { RUN_PATTERN, TARGET_NAME_PATTERN } from '../domain/names.js';
import type { RestoreReport } from '../domain/restore-target.js';
import type { BaseRuntime } from '../runtime.js';
import { findConfigured } from '../steps/configured-target.js';
import { splitNames } from '../domain/table-names.js';
import type { DestinationKind } from '../domain/target.js';
import { placeWord, type RestoredTarget, type RestorePlan, type RestoreRequest } from '../domain/restore-plan.js';
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
  toServer?: string;
  onHost?: string;
  detach?: boolean;
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
    .addOption(
      new Option(
        '--to-server <target>',
        'of a database: the server and user of this target, instead of its own',
      ).conflicts('inPlace'),
    )
    .addOption(new Option('--on-host <host>', 'let the worker of this host do it, and follow it').argParser(hostNameOf))
    .option('--detach', 'with --on-host: start it and return')
    .option('--plan', 'say what would be done, and do nothing')
    .option('--json', 'print what was restored as JSON; with --plan, the plan')
    .action((target: string, options: RestoreOptions) => restore(context, target, options));
};

function hostNameOf(text: string): string {
  if (TARGET_NAME_PATTERN.test(text)) return text;
  throw new InvalidArgumentError('Expected the name of a host, as `on_host` and BACKUP_HOST have it.');
}

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

async function restore(context: CommandContext, name: string, options: RestoreOptions): Promise<void> {
  const { plan: planOnly = false, inPlace = false, confirm, onHost: host } = options;
  const { config } = await context.base();
  const target = findConfigured(config, name)?.name ?? name;
  if (inPlace && !planOnly) requireConfirmed(config, { target, confirm });
  const request = requestOf(target, options);
  if (host !== undefined) return restoreElsewhere(context, { request, host, options });
  const runtime = await context.runtime();
  const { progress, step, onPlanned } = shownBy(context, runtime, planOnly);
  const input = { ...request, cwd: process.cwd(), onPlanned };
  const startedAt = Date.now();
  const end = await untilInterrupted(context, async (signal) => {
    if (planOnly) return { plan: await planRestore(runtime, input, { ...step, signal }) };
    return { restored: await restoreTarget(runtime, input, { ...step, signal }) };
  }).finally(() => progress.clear());
  await show(context, { ...end, durationMs: Date.now() - startedAt }, options);
}

interface Elsewhere {
  request: RestoreRequest;
  host: string;
  options: RestoreOptions;
}

async function restoreElsewhere(context: CommandContext, { request, host, options }: Elsewhere): Promise<void> {
  const { plan: planOnly = false, detach = false } = options;
  const runtime = await context.base();
  const { restoreOnHost } = await import('./restore-on-host.js'); // with Temporal's client
  const shown = shownBy(context, runtime, planOnly);
  const say = shown.step.log;
  const end = await context.withTemporal((client) =>
    restoreOnHost({ ...shown, say, runtime, client, host, request, planOnly, detach }),
  );
  if (!('workflowId' in end)) return show(context, end, options);
  if (options.json === true) context.printJson(end);
  else context.print(end.workflowId);
  context.say('the restore goes on; the Temporal Web UI shows it');
}

function requestOf(target: string, options: RestoreOptions): RestoreRequest {
  const { run, from, into, owner, inPlace = false, withRoles = false, jobs, toServer } = options;
  const { tables, schema: schemas, paths: files } = options;
  return {
    ...{ target, noOwner: !owner, withRoles, inPlace },
    parts: { ...(tables && { tables }), ...(schemas && { schemas }), ...(files && { paths: files }) },
    ...(jobs !== undefined && { jobs }),
    ...(toServer !== undefined && { toServer }),
    ...(run !== LATEST && { run }),
    ...(from !== undefined && { from }),
    ...(into !== undefined && { into }),
  };
}

/** A plan that is all that was asked for is data; before a restore it is a message. */
function shownBy(context: CommandContext, { config }: BaseRuntime, planOnly: boolean) {
  const progress = new ProgressLine({ stream: process.stderr });
  let totalBytes: number | undefined;
  const say = (text: string) => {
    progress.clear();
    context.say(text);
  };
  const onPlanned = (plan: RestorePlan) => {
    totalBytes = plan.sizeBytes;
    if (!planOnly) say(restorePlanText({ plan, timezone: config.backup.timezone, now: new Date() }));
  };
  const onProgress = (done: number) => progress.show(done, totalBytes);
  return { progress, onPlanned, step: { log: say, onProgress } };
}

type Ended = Partial<RestoreReport> & Pick<RestoreReport, 'durationMs'>;

async function show(context: CommandContext, { plan, restored, durationMs }: Ended, { json }: RestoreOptions) {
  if (restored !== undefined) {
    if (restored.madeRoles !== undefined) context.say(`made the roles ${restored.madeRoles.join(', ')}`);
    for (const warning of restored.warnings) context.say(`warning: ${warning}`);
    if (restored.keptAs !== undefined) context.say(keptText(restored));
    context.say(summary(restored, durationMs));
    if (json === true) context.printJson(restored);
  } else if (plan !== undefined) {
    const { timezone } = (await context.base()).config.backup;
    if (json === true) context.printJson(plan);
    else context.print(restorePlanText({ plan, timezone, now: new Date() }));
  }
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

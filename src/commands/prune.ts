import { BackupError } from '../domain/errors.js';
import { EXIT } from '../domain/outcome.js';
import type { Destination } from '../destinations/destination.js';
import type { PruneDecision, PrunePlan } from '../domain/retention.js';
import { applyPrune } from '../steps/prune.js';
import { planPruneByHand, type DestinationPlan } from '../steps/prune-by-hand.js';
import type { AddCommand, CommandContext } from './context.js';

interface PruneOptions {
  dryRun?: boolean;
  json?: boolean;
}

type Decided = Pick<PrunePlan, 'keep' | 'remove'>;

/** A row of `prune --json`. */
interface PruneRow {
  action: 'keep' | 'remove';
  reason: string;
  run: string;
  target: string;
  kind: string;
  destination: string;
  location: string;
  sizeBytes: number;
  createdAt: string;
}

export const addPruneCommand: AddCommand = (program, context) => {
  program
    .command('prune')
    .description('removes what retention no longer holds, of enabled targets, in every destination')
    .option('--dry-run', 'remove nothing; say of every artifact what would become of it, and why')
    .option('--json', 'print JSON')
    .action((options: PruneOptions) => prune(context, options));
};

async function prune(context: CommandContext, { dryRun = false, json = false }: PruneOptions): Promise<void> {
  const { plans, unreachable } = await planPruneByHand(await context.base());
  const rows: PruneRow[] = [];
  if (plans.some(({ plan }) => plan.warnings.length > 0)) context.exitCode = EXIT.partial;
  for (const planned of plans) {
    for (const warning of planned.plan.warnings) context.say(`warning: ${planned.destination.location}: ${warning}`);
    const decided = dryRun ? planned.plan : await apply(context, planned);
    if (decided === undefined) continue;
    const added = rowsOf(planned.destination, decided);
    if (!json) for (const row of added) context.print(describe(row, dryRun));
    rows.push(...added);
  }
  for (const { error } of unreachable) context.say(error.text);
  if (unreachable.length > 0) context.exitCode = EXIT.failed;
  if (json) context.printJson(rows);
  context.say(summary(rows, dryRun));
}

/** What was removed; undefined where it was not finished: a destination that fails half-way does not keep the others. */
async function apply(
  context: CommandContext,
  { destination, service, plan }: DestinationPlan,
): Promise<Decided | undefined> {
  const { host } = (await context.base()).config;
  try {
    return { keep: [], remove: await applyPrune({ destination, plan, service, host, log: () => undefined }) };
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    context.say(`cannot finish with ${destination.location}: ${error.text}`);
    context.exitCode = EXIT.failed;
    return undefined;
  }
}

/** Newest first. */
function rowsOf(destination: Destination, { keep, remove }: Decided): PruneRow[] {
  const row =
    (action: PruneRow['action']) =>
    ({ entry: { manifest: m, path }, reason }: PruneDecision) => ({
      ...{ action, reason, run: m.run, target: m.target, kind: m.kind, destination: destination.kind },
      ...{
        location: `${destination.location}/${path}`,
        sizeBytes: m.artifact.sizeBytes,
        createdAt: m.captureStartedAt,
      },
    });
  const rows = [...keep.map(row('keep')), ...remove.map(row('remove'))];
  return rows.sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1));
}

function describe({ action, location, reason }: PruneRow, isDryRun: boolean): string {
  const word = { keep: 'keep', remove: isDryRun ? 'remove' : 'removed' }[action];
  return `${word.padEnd(isDryRun ? 6 : 0)} ${location}: ${reason}`;
}

function summary(rows: readonly PruneRow[], isDryRun: boolean): string {
  const count = rows.filter(({ action }) => action === 'remove').length;
  const what = `${String(count)} artifact${count === 1 ? '' : 's'}`;
  return isDryRun ? `${what} would be removed` : `removed ${what}`;
}

import type { Destination } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import type { CatalogEntry } from '../domain/retention.js';
import type { TargetKind } from '../domain/target.js';
import { asFailure } from './failure.js';
import { listArtifacts, type BrokenArtifact, type FoundArtifact } from './list-artifacts.js';

export interface FindArtifactInput {
  target: string;
  /** Default: the newest. */
  run?: string;
  /** In the order in which they are asked: a later one only where the earlier ones have no such artifact. */
  destinations: readonly Destination[];
  /** Whose artifacts come first, where it is known. */
  service?: string;
  /** What the target is now, where it is configured: a name may have been another kind's. */
  kind?: TargetKind;
  /** Told why a destination was passed over, or what else was decided. */
  log: (line: string) => void;
}

/** What a restore takes, and what else is known of its target there. */
export interface ChosenArtifact extends FoundArtifact {
  /** Good artifacts of that target and service in the same destination, newest first. */
  known: CatalogEntry[];
  /** Why it is no good one: it was taken because its run was named. */
  failure?: string;
}

/**
 * The artifact to restore. One that failed its verification is taken where its run is named and no destination has a good one. Errors: NotFound; Damaged where it, or one newer than what would be taken instead, cannot be
 * used; Conflict where several services have one and none is this one; those of a destination that does not answer.
 */
export async function findArtifact(input: FindArtifactInput): Promise<ChosenArtifact> {
  const problems: BackupError[] = [];
  const failed: ChosenArtifact[] = [];
  for (const destination of input.destinations) {
    try {
      return sayWhere(await findIn(destination, input, failed), input);
    } catch (error) {
      if (!(error instanceof BackupError) || error.code === 'Conflict') throw error;
      problems.push(error);
      if (destination !== input.destinations.at(-1)) input.log(`${error.message}; looking further`);
    }
  }
  const [taken] = failed;
  if (taken !== undefined && problems.every(({ code }) => code === 'NotFound' || code === 'Damaged'))
    return sayWhere(taken, input);
  // "Not there" is certain only where all answered.
  throw problems.find(({ code }) => code !== 'NotFound') ?? problems[0] ?? notFound(input, '');
}

/** Those that failed their verification and are asked for by name are put aside. */
async function findIn(
  destination: Destination,
  input: FindArtifactInput,
  failed: ChosenArtifact[],
): Promise<ChosenArtifact> {
  const { target, run } = input;
  const { artifacts, broken, unreachable } = await listArtifacts({ destinations: [destination], target });
  if (unreachable[0] !== undefined) throw asFailure(unreachable[0].error);
  const [chosen] = ofKind(ofService(artifacts.filter(isOfRun(run)), input), input);
  const knownOf = ({ manifest: { kind, service } }: CatalogEntry) =>
    artifacts
      .map(({ entry }) => entry)
      .filter(({ manifest }) => manifest.kind === kind && manifest.service === service);
  const damaged = broken.filter(({ path }) => run === undefined || path.startsWith(`${run}/`));
  const newer = damaged.find(({ path }) => chosen === undefined || runOfPath(path) > chosen.entry.manifest.run);
  const { entry, reason = '' } = newer ?? {};
  if (entry?.whole === true && run !== undefined && isOfService(entry, input)) {
    failed.push({ destination, entry, known: knownOf(entry), failure: reason });
  }
  if (newer !== undefined) throw damagedError(input, newer);
  if (chosen === undefined) throw notFound(input, destination.location);
  return { ...chosen, known: knownOf(chosen.entry) };
}

function isOfService({ manifest }: CatalogEntry, { service }: FindArtifactInput): boolean {
  return service === undefined || manifest.service === service;
}

function isOfRun(run: string | undefined) {
  return ({ entry }: FoundArtifact) => run === undefined || entry.manifest.run === run;
}

/** Those of this service; where it has none, or is not known, those of the only other one. */
function ofService(artifacts: FoundArtifact[], { service, target, log }: FindArtifactInput): FoundArtifact[] {
  const services = [...new Set(artifacts.map(({ entry }) => entry.manifest.service))];
  if (service !== undefined && services.includes(service)) {
    return artifacts.filter(({ entry }) => entry.manifest.service === service);
  }
  if (services.length > 1) {
    throw new BackupError(
      'Conflict',
      `cannot choose an artifact of ${target}: because several services have some (${services.join(', ')})`,
      { hint: 'name a run by --run, or the service by backup_config.service' },
    );
  }
  if (service !== undefined && services[0] !== undefined) {
    log(`${target}: this service (${service}) has no such artifact; taking one of the service ${services[0]}`);
  }
  return artifacts;
}

function ofKind(artifacts: FoundArtifact[], { kind }: FindArtifactInput): FoundArtifact[] {
  const same = artifacts.filter(({ entry }) => entry.manifest.kind === kind);
  return same.length > 0 ? same : artifacts;
}

function sayWhere(found: ChosenArtifact, { target, log }: FindArtifactInput): ChosenArtifact {
  const { run, artifact, captureStartedAt } = found.entry.manifest;
  log(`${target}: taking run ${run} (captured ${captureStartedAt}): ${artifact.name} in ${found.destination.location}`);
  return found;
}

/** Good enough to notice that something newer is damaged: whoever wants an older one names it. */
function runOfPath(path: string): string {
  return path.split('/')[0] ?? '';
}

function damagedError(
  { target, run }: FindArtifactInput,
  { destination, path, entry, reason }: BrokenArtifact,
): BackupError {
  const allTheSame = entry?.whole === true ? `; \`--run ${entry.manifest.run}\` takes this one all the same` : '';
  const hint =
    run === undefined
      ? `\`backupctl list\` shows whole ones: name one by --run${allTheSame}`
      : 'look for it elsewhere by --from';
  return new BackupError(
    'Damaged',
    `cannot restore ${target} from ${destination.location}/${path}: because ${reason}`,
    {
      hint,
    },
  );
}

function notFound({ target, run }: FindArtifactInput, location: string): BackupError {
  const what = run === undefined ? 'no artifact of it' : `none of run ${run}`;
  return new BackupError('NotFound', `cannot restore ${target}: because there is ${what} in ${location}`, {
    hint: '`backupctl list` shows what there is',
  });
}

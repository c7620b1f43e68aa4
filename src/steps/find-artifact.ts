import type { Destination } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
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

/**
 * The artifact to restore. Errors: NotFound; Damaged where it, or one newer than what would be taken instead, cannot be
 * used; Conflict where several services have one and none is this one; those of a destination that does not answer.
 */
export async function findArtifact(input: FindArtifactInput): Promise<FoundArtifact> {
  const problems: BackupError[] = [];
  for (const destination of input.destinations) {
    try {
      return sayWhere(await findIn(destination, input), input);
    } catch (error) {
      if (!(error instanceof BackupError) || error.code === 'Conflict') throw error;
      problems.push(error);
      if (destination !== input.destinations.at(-1)) input.log(`${error.message}; looking further`);
    }
  }
  // "Not there" is certain only where all answered.
  throw problems.find(({ code }) => code !== 'NotFound') ?? problems[0] ?? notFound(input, '');
}

async function findIn(destination: Destination, input: FindArtifactInput): Promise<FoundArtifact> {
  const { target, run } = input;
  const { artifacts, broken, unreachable } = await listArtifacts({ destinations: [destination], target });
  if (unreachable[0] !== undefined) throw asFailure(unreachable[0].error);
  const [chosen] = ofKind(ofService(artifacts.filter(isOfRun(run)), input), input);
  const damaged = broken.filter(({ path }) => run === undefined || path.startsWith(`${run}/`));
  const newer = damaged.find(({ path }) => chosen === undefined || runOfPath(path) > chosen.entry.manifest.run);
  if (newer !== undefined) throw damagedError(input, newer);
  if (chosen === undefined) throw notFound(input, destination.location);
  return chosen;
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

function sayWhere(found: FoundArtifact, { target, log }: FindArtifactInput): FoundArtifact {
  const { run, artifact, captureStartedAt } = found.entry.manifest;
  log(`${target}: taking run ${run} (captured ${captureStartedAt}): ${artifact.name} in ${found.destination.location}`);
  return found;
}

/** Good enough to notice that something newer is damaged: whoever wants an older one names it. */
function runOfPath(path: string): string {
  return path.split('/')[0] ?? '';
}

function damagedError({ target, run }: FindArtifactInput, { destination, path, reason }: BrokenArtifact): BackupError {
  const hint =
    run === undefined ? '`backupctl list` shows whole ones: name one by --run' : 'look for it elsewhere by --from';
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

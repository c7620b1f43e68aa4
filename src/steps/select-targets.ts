import type { Config } from '../config/config.js';
import { serverKey } from '../config/globals.js';
import { cronOf } from '../config/schedules.js';
import { BackupError } from '../domain/errors.js';
import type { RefusedTarget } from '../domain/run.js';
import type { GlobalsTarget, Target } from '../domain/target.js';

export interface SelectTargetsInput {
  config: Config;
  /** Names; empty: all that belong to the run. */
  names: readonly string[];
  /** The cron whose schedule started the run; absent: a person did, and everything belongs to it. */
  cron?: string | undefined;
  /** Those of the configuration that Temporal has no schedule for yet. */
  missingCrons: ReadonlySet<string>;
}

export interface SelectedTargets {
  targets: Target[];
  refused: RefusedTarget[];
}

/** The enabled targets of a run, at their end the globals of the servers of its databases. Throws NotFound where one that is named is not there. */
export function selectTargets(input: SelectTargetsInput): SelectedTargets {
  const { config, names } = input;
  requireNamed(config, names);
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const isNamed = (name: string) => wanted.size === 0 || wanted.has(name.toLowerCase());
  const isDue = dueBy(input);
  const targets = config.targets.filter((t) => isNamed(t.name) && isDue(t));
  const named = config.globals.filter((t) => wanted.has(t.name.toLowerCase()));
  return {
    targets: [...targets, ...new Set([...globalsOf(config, targets), ...named])],
    refused: config.refused
      .filter((t) => isNamed(t.target) && isDue(t))
      .map(({ target, kind, error, onHost }) => ({
        target,
        kind,
        error,
        ...(onHost !== undefined && { host: onHost }),
      })),
  };
}

/** Last, so that they hold the roles that were made while the databases were dumped. */
function globalsOf({ globals }: Config, targets: readonly Target[]): GlobalsTarget[] {
  const servers = new Set(targets.filter((t) => t.kind === 'database').map(serverKey));
  return globals.filter((t) => t.logins.some(({ connection }) => servers.has(serverKey({ host: t.host, connection }))));
}

/**
 * Whether an entry belongs to the schedule that fired. Until the schedules are applied anew some entries have none: the run of the
 * common schedule, or of one that the file no longer names, takes them too, so that none is left out in silence.
 */
function dueBy({ config, cron, missingCrons }: SelectTargetsInput): (entry: { schedule?: string }) => boolean {
  if (cron === undefined) return () => true;
  const entries = [...config.targets, ...config.refused];
  const takesRest = cron === config.backup.schedule || !entries.some((entry) => cronOf(entry, config) === cron);
  return (entry) => {
    const own = cronOf(entry, config);
    return own === cron || (takesRest && (own === undefined || missingCrons.has(own)));
  };
}

/** Throws NotFound where a name is not that of an enabled entry. */
export function requireNamed(config: Config, names: readonly string[]): void {
  const isOneOf = (list: readonly string[], name: string) => list.some((n) => n.toLowerCase() === name.toLowerCase());
  const entries = [...config.targets.map((t) => t.name), ...config.refused.map((t) => t.target)];
  const known = [...entries, ...config.globals.map((t) => t.name)];
  const missing = names.filter((name) => !isOneOf(known, name));
  if (missing.length === 0) return;
  const isDisabled = config.disabled.some(({ target }) => isOneOf(missing, target));
  throw new BackupError(
    'NotFound',
    `cannot back up ${missing.join(', ')}: because ${config.file} has no such enabled target`,
    { hint: isDisabled ? 'set `enabled: true`' : `enabled targets: ${entries.join(', ') || 'none'}` },
  );
}

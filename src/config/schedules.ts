import type { Config } from './config.js';

/** What starts by itself. */
export interface PlannedStart {
  starts: 'backup' | 'verify';
  cron: string;
}

/** The cron that starts what has `schedule` of its own or not; undefined: by hand only. */
export function cronOf(entry: { schedule?: string }, { backup }: Pick<Config, 'backup'>): string | undefined {
  return entry.schedule ?? backup.schedule;
}

/** The crons of all enabled entries, each once; that of `backup_config` first, and alone where nothing is enabled. */
export function cronsOf(config: Pick<Config, 'backup' | 'targets' | 'refused'>): string[] {
  const { schedule } = config.backup;
  const entries = [...config.targets, ...config.refused];
  const used = new Set(entries.map((entry) => cronOf(entry, config)));
  const rest = [...used].filter((cron) => cron !== undefined && cron !== schedule) as string[];
  return schedule !== undefined && (used.has(schedule) || entries.length === 0) ? [schedule, ...rest] : rest;
}

/** The crons of all enabled entries that are verified on one of their own, each once. */
function verifyCronsOf({
  targets,
  globals = [],
}: Pick<Config, 'targets'> & Partial<Pick<Config, 'globals'>>): string[] {
  return [...new Set([...targets, ...globals].map(({ verify }) => verify?.cron).filter((cron) => cron !== undefined))];
}

/** Everything that starts by itself. */
export function plannedStarts(
  config: Pick<Config, 'backup' | 'targets' | 'refused'> & Partial<Pick<Config, 'globals'>>,
): PlannedStart[] {
  return [
    ...cronsOf(config).map((cron): PlannedStart => ({ starts: 'backup', cron })),
    ...verifyCronsOf(config).map((cron): PlannedStart => ({ starts: 'verify', cron })),
  ];
}

import type { TargetOutcome } from '../domain/outcome.js';
import { formatBytes, formatDuration } from '../domain/quantities.js';
import { placeWord, type RestoredTarget, type RestorePlan } from '../domain/restore-plan.js';
import { plainLine, tableRow } from './markdown.js';

/** What is going on, or what became of it. */
export type RestorePhase = 'planning' | 'restoring' | TargetOutcome;

export interface RestoreDetailsInput {
  target: string;
  host: string;
  phase: RestorePhase;
  plan: RestorePlan | undefined;
  restored: RestoredTarget | undefined;
  error: string | undefined;
}

/** What the Web UI shows of a restore, as Markdown: what from where into what, and what came of it. */
export function restoreDetails({ target, host, phase, plan, restored, error }: RestoreDetailsInput): string {
  const head = `**${plainLine(target)}** on ${plainLine(host)}: ${phase}`;
  const told = [...(restored?.warnings ?? plan?.warnings ?? []), ...(error === undefined ? [] : [error])];
  return [
    head,
    ...(plan === undefined ? [] : ['', ...planRows(plan, restored)]),
    ...(told.length === 0 ? [] : ['', ...told.map((text) => `- ${plainLine(text)}`)]),
  ].join('\n');
}

function planRows(plan: RestorePlan, restored: RestoredTarget | undefined): string[] {
  const { run, capturedAt, location, destination, sizeBytes, expectedMs, into, server, versions, replaces } = plan;
  const keptAs = restored?.keptAs ?? replaces?.keptAs;
  const made = (restored?.madeRoles ?? plan.roles?.made ?? []).join(', ');
  const rows: [string, string | undefined][] = [
    ['run', `${run}, captured ${capturedAt}`],
    ['from', `${location} (${destination}), ${formatBytes(sizeBytes)}`],
    ['into', `the ${placeWord(plan)} ${into}${server === undefined ? '' : ` on ${server}`}`],
    ['replaces', replaces && `${replaces.what}, which stays as ${keptAs ?? ''}`],
    ['expected', expectedMs === undefined ? 'unknown: no drill yet' : formatDuration(expectedMs)],
    ['versions', versions && `${versions.captured} when it was captured, ${versions.there} there`],
    ['roles made', made === '' ? undefined : made],
  ];
  const known = rows.filter((row): row is [string, string] => row[1] !== undefined);
  return [tableRow(['', '']), '| --- | --- |', ...known.map(([name, text]) => tableRow([name, plainLine(text)]))];
}

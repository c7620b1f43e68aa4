import { placeWord, type RestoreParts, type RestorePlan } from '../domain/restore-plan.js';
import { formatBytes, formatDuration } from './format.js';
import { formatLocalTime } from './local-time.js';
import { printable } from './printable.js';

export interface PlanTextInput {
  plan: RestorePlan;
  /** IANA. */
  timezone: string;
  now: Date;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** What a restore will do, for a person who can still stop it: a label and what it says on each line. */
export function restorePlanText({ plan, timezone, now }: PlanTextInput): string {
  const { versions, replaces, warnings } = plan;
  const rows: [string, string | undefined][] = [
    ['restore', `${plan.target} (${plan.kind}) of run ${plan.run}, captured ${whenText(plan, timezone, now)}`],
    ['from', `${plan.location} (${plan.destination}), ${formatBytes(plan.sizeBytes)}`],
    [replaces === undefined ? 'into' : 'in place', intoText(plan)],
    ['replaces', replaces && replacedText(replaces)],
    ['parts', partsText(plan.parts)],
    ['expected', expectedText(plan)],
    ['versions', versions && `${versions.captured} when it was captured, ${versions.there} there`],
    ['roles', rolesText(plan)],
    ...warnings.map((warning): [string, string] => ['warning', warning]),
  ];
  const told = rows.filter((row): row is [string, string] => row[1] !== undefined);
  const width = Math.max(...told.map(([label]) => label.length));
  return told.map(([label, text]) => `${label.padEnd(width)}  ${oneLine(text)}`).join('\n');
}

function whenText({ capturedAt }: RestorePlan, timezone: string, now: Date): string {
  return `${formatLocalTime(capturedAt, timezone)} (${ageText(now.getTime() - Date.parse(capturedAt))})`;
}

function ageText(ageMs: number): string {
  if (ageMs < 0) return 'in the future, by this clock';
  const days = Math.floor(ageMs / DAY_MS);
  if (days >= 2) return `${String(days)} days ago`;
  return `${formatDuration(ageMs)} ago`;
}

function intoText(plan: RestorePlan): string {
  const { into, server, replaces } = plan;
  const where = server === undefined ? '' : ` on ${server}`;
  return `the ${replaces === undefined ? 'new ' : ''}${placeWord(plan)} ${into}${where}`;
}

function replacedText({ what, sizeBytes, keptAs }: NonNullable<RestorePlan['replaces']>): string {
  const size = sizeBytes === undefined ? '' : ` (${formatBytes(sizeBytes)})`;
  return `${what}${size}, which stays as ${keptAs}`;
}

function partsText({ tables = [], schemas = [], paths = [] }: RestoreParts = {}): string | undefined {
  const parts = [
    ...(tables.length > 0 ? [`rows of the tables ${tables.join(', ')}`] : []),
    ...(schemas.length > 0 ? [`rows of the schemas ${schemas.join(', ')}`] : []),
    ...(paths.length > 0 ? [`the paths ${paths.join(', ')}`] : []),
  ];
  return parts.length === 0 ? undefined : `${parts.join('; ')}, and no others`;
}

function expectedText({ expectedMs }: RestorePlan): string {
  return expectedMs === undefined ? 'unknown: no drill yet' : `${formatDuration(expectedMs)}, as its last drill took`;
}

function rolesText({ roles }: RestorePlan): string | undefined {
  if (roles === undefined) return undefined;
  const { made, missing = [] } = roles;
  const told = [
    ...(made.length > 0 ? [`makes ${made.join(', ')}`] : []),
    ...(missing.length > 0 ? [`goes without ${missing.join(', ')}, which the server lacks`] : []),
  ];
  return told.length === 0 ? 'none have to be made' : told.join('; ');
}

/** Names may hold anything. */
function oneLine(text: string): string {
  return printable(text.replaceAll(/[\r\n]+/g, ' '));
}

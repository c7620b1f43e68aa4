import type { PendingStep } from '../domain/pending-step.js';
import { cut } from './printable.js';
import { NO_WORKER } from './run-lines.js';
import type { RunView, TargetView } from './run-view.js';
import { isShown, measures, phaseText, standstill } from './step-text.js';

export interface LiveLinesInput {
  view: RunView;
  columns: number;
  /** How many lines there may be. */
  rows: number;
  nowMs: number;
  rateOf: (row: TargetView) => number | undefined;
}

/** From here on the columns of a table fit beside a name. */
const ROOMY_COLUMNS = 72;
const MAX_NAME = 24;

/** What a run is at, now: a line for each target at work, one for those that wait. Each fits the width, all of them the height. */
export function liveLines({ view, columns, rows, nowMs, rateOf }: LiveLinesInput): string[] {
  const atWork = view.targets.filter(({ phase }) => phase !== 'waiting' && phase !== 'done');
  const below = [...waitingLine(view), ...(view.answered ? [] : [NO_WORKER])];
  const pad = columns < ROOMY_COLUMNS ? 0 : Math.min(MAX_NAME, Math.max(0, ...atWork.map((t) => t.target.length)));
  const ofTargets = atWork.map((row) => ({
    isInTrouble: row.step !== undefined && standstill(row.step, nowMs) !== undefined,
    text: targetLine({ row, pad, nowMs, rate: rateOf(row) }),
  }));
  const ofRun = view.steps.filter(isShown).map((step) => stepText({ step, pad: 0, nowMs, rate: undefined }));
  const room = Math.max(1, rows - ofRun.length - below.length);
  return [...fitted(ofTargets, room), ...ofRun, ...below].slice(0, rows).map((line) => cut(line.trimEnd(), columns));
}

/** Where not all fit, those in trouble are what one wants to see. */
function fitted(lines: { isInTrouble: boolean; text: string }[], room: number): string[] {
  if (lines.length <= room) return lines.map(({ text }) => text);
  const sorted = [...lines].sort((one, other) => Number(other.isInTrouble) - Number(one.isInTrouble));
  const shown = sorted.slice(0, room - 1).map(({ text }) => text);
  return [...shown, `… and ${lines.length - shown.length} more`];
}

interface TargetLineInput {
  row: TargetView;
  /** How wide the names are; 0: as narrow as can be. */
  pad: number;
  nowMs: number;
  rate: number | undefined;
}

function targetLine({ row: { target, phase, step }, pad, nowMs, rate }: TargetLineInput): string {
  const what = step === undefined ? phase : stepText({ step, pad, nowMs, rate });
  return `${target.padEnd(pad)}${pad === 0 ? ' ' : '  '}${what}`;
}

/** `capturing  128.0 MiB  41.0 MiB/s  3 s`, or why it stands still. */
export function stepText(input: { step: PendingStep; pad: number; nowMs: number; rate: number | undefined }): string {
  const { step, pad, nowMs, rate } = input;
  const halted = standstill(step, nowMs);
  if (halted !== undefined) return halted;
  const { bytes, rate: speed, elapsed } = measures(step, nowMs, rate);
  const cells = [phaseText(step), bytes, speed, elapsed];
  if (pad === 0) return cells.filter((cell) => cell !== '').join(' ');
  return [cells[0]?.padEnd(13), bytes.padStart(10), speed.padStart(12), elapsed].join('  ');
}

function waitingLine({ targets }: RunView): string[] {
  const waiting = targets.filter(({ phase }) => phase === 'waiting').map(({ target }) => target);
  return waiting.length === 0 ? [] : [`${waiting.length} waiting: ${waiting.join(', ')}`];
}

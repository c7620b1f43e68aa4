import { LiveArea, type LiveStream } from './live-area.js';
import { liveLines } from './live-lines.js';
import { printable } from './printable.js';
import { changedLines, endedLines, type ShownLines } from './run-lines.js';
import type { RunView, TargetView } from './run-view.js';
import { TransferRates } from './transfer-rates.js';

/** Where a followed run is shown. */
export interface RunDisplay {
  show: (view: RunView) => void;
  /** A message that is none of the run's. */
  say: (text: string) => void;
  /** Nothing is written until `resume`: somebody else has the terminal. */
  pause: () => void;
  resume: () => void;
  end: () => void;
}

export interface RunDisplayInput {
  /** Prints what stays. */
  line: (text: string) => void;
  say: (text: string) => void;
}

/** A line for each change: for pipes and logs. */
export function plainDisplay({ line, say }: RunDisplayInput): RunDisplay {
  const shown: ShownLines = new Map();
  const nothing = () => undefined;
  return {
    show: (view) => changedLines(shown, view, Date.now()).forEach((text) => line(printable(text))),
    ...{ say, pause: nothing, resume: nothing, end: nothing },
  };
}

/** Lines of ended targets stay; below them lives one for each target at work. */
export function liveDisplay({ line, say, stream }: RunDisplayInput & { stream: LiveStream }): RunDisplay {
  const shown: ShownLines = new Map();
  const rates = new TransferRates();
  let view: RunView | undefined;
  let held: (() => void)[] | undefined;
  const rateOf = ({ kind, target, step }: TargetView) => rates.rateOf(`${kind}/${target}`, step?.progress, Date.now());
  const area = new LiveArea(stream, (columns, rows) =>
    view === undefined ? [] : liveLines({ view, columns, rows, nowMs: Date.now(), rateOf }),
  );
  const above = (write: () => void) => (held === undefined ? area.above(write) : held.push(write));
  return {
    show(now) {
      view = now;
      const lines = endedLines(shown, now);
      if (lines.length > 0) above(() => lines.forEach((text) => line(printable(text))));
    },
    say: (text) => void above(() => say(text)),
    pause() {
      area.pause();
      held ??= [];
    },
    resume() {
      const writes = held ?? [];
      held = undefined;
      area.resume();
      for (const write of writes) area.above(write);
    },
    end() {
      view = undefined;
      area.end();
      for (const write of held ?? []) write();
      held = undefined;
    },
  };
}

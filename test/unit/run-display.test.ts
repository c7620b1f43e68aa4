import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LiveStream } from '../../src/commands/live-area.js';
import { liveDisplay, plainDisplay, type RunDisplay } from '../../src/commands/run-display.js';
import type { RunView, TargetView } from '../../src/commands/run-view.js';

const REDRAW_MS = 200;
const started: TargetView = { target: 'mordor', kind: 'database', phase: 'capturing' };
const failed: TargetView = {
  ...{ target: 'gondor', kind: 'database', phase: 'done' },
  result: { target: 'gondor', kind: 'database', outcome: 'failed', error: 'cannot \x1b[2Jdump' },
};
const view = (...targets: TargetView[]): RunView => ({ run: '20261124_030000', targets, steps: [], answered: true });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** What is printed to stay, in order, and what is drawn meanwhile. */
function liveOn(size: { columns?: number; rows?: number } = { columns: 80, rows: 24 }) {
  const kept: string[] = [];
  const drawn: string[] = [];
  const stream = { isTTY: true, ...size, write: (text: string) => drawn.push(text) > 0 } as unknown as LiveStream;
  const say = (text: string) => void kept.push(text);
  const display: RunDisplay = liveDisplay({ line: say, say, stream });
  /** What was drawn since it was asked for last. */
  const drawing = () => {
    vi.advanceTimersByTime(REDRAW_MS);
    return stripVTControlCharacters(drawn.splice(0).join('')).trimEnd();
  };
  return { display, kept, drawing };
}

describe('a live display', () => {
  it('draws what is at work, and keeps what has ended above it', () => {
    const { display, kept, drawing } = liveOn();
    display.show(view(started, failed));
    expect(kept).toEqual(['run 20261124_030000: 2 targets', 'gondor: failed: cannot dump']);
    expect(drawing()).toContain('mordor  capturing');
    display.end();
    expect(drawing()).toBe('');
    expect(vi.getTimerCount()).toBe(0); // or the process would go on
  });

  it('writes nothing while somebody else has the terminal, and afterwards what came meanwhile', () => {
    const { display, kept, drawing } = liveOn();
    display.show(view(started));
    expect(drawing()).toContain('mordor');
    display.pause();
    display.show(view(started, failed, { ...started, target: 'rohan' }));
    display.say('the server does not answer');
    expect(drawing()).toBe('');
    expect(kept).toHaveLength(1);
    display.resume();
    expect(kept.slice(1)).toEqual(['gondor: failed: cannot dump', 'the server does not answer']);
    expect(drawing()).toContain('mordor');
    display.end();
  });

  it('that ends while somebody else has the terminal loses nothing', () => {
    const { display, kept } = liveOn();
    display.pause();
    display.show(view(failed));
    display.end();
    expect(kept).toEqual(['run 20261124_030000: 1 target', 'gondor: failed: cannot dump']);
  });

  it.each([
    [{ columns: 12, rows: 5 }, 11, 3],
    [{}, 79, 22],
  ])('fits a terminal of %j, with a line left for the cursor', (size, columns, rows) => {
    const { display, drawing } = liveOn(size);
    const many = Array.from({ length: 40 }, (_, n) => ({ ...started, target: `target-${String(n)}`.padEnd(90, 'x') }));
    display.show(view(...many));
    const lines = drawing().split('\n');
    expect(lines).toHaveLength(rows);
    expect(Math.max(...lines.map((line) => line.length))).toBe(columns);
    display.end();
  });
});

describe('a plain display', () => {
  it('prints each change without what moves the cursor', () => {
    const lines: string[] = [];
    const line = (text: string) => void lines.push(text);
    plainDisplay({ line, say: line }).show(view(started, failed));
    expect(lines).toEqual(['run 20261124_030000: 2 targets', 'mordor: capturing', 'gondor: failed: cannot dump']);
  });
});

import { describe, expect, it } from 'vitest';
import { captureDemands, copyDemands, verifyDemands } from '../../src/activities/slot-demands.js';
import { Slots, type SlotDemand } from '../../src/activities/slots.js';
import { limitsOf } from '../../src/config/limits.js';
import type { GlobalsTarget } from '../../src/domain/target.js';
import { aTarget } from '../support/a-plan.js';

const capture = (limit: number): SlotDemand => ({ setting: 'capture_slots', of: 'captures', limit });
const server = (of: string, limit: number): SlotDemand => ({ setting: 'server_slots', of, limit });

/** Attempts by name, each of which holds its slots until it is told to go. */
function someAttempts(slots = new Slots()) {
  const began: string[] = [];
  const waited: string[] = [];
  const givesBack = new Map<string, () => void>();
  return {
    began,
    waited,
    async begin(name: string, demands: SlotDemand[], signal = new AbortController().signal) {
      const onWaiting = ({ setting, of }: SlotDemand) => void waited.push(`${name}: ${setting} of ${of}`);
      givesBack.set(name, await slots.take(demands, { signal, onWaiting }));
      began.push(name);
    },
    async end(name: string) {
      givesBack.get(name)?.();
      await settled();
    },
  };
}

/** All promises that can settle by now have. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('slots', () => {
  it('are taken by as many at once as there are, and by those that wait in the order of coming', async () => {
    const { begin, end, began, waited } = someAttempts();
    for (const name of ['a', 'b', 'c', 'd']) void begin(name, [capture(2)]);
    await settled();
    expect(began).toEqual(['a', 'b']);
    await end('b');
    void begin('e', [capture(2)]);
    await end('c');
    expect(began).toEqual(['a', 'b', 'c', 'd']);
    await end('a');
    expect(began).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(waited).toEqual(['c', 'd', 'e'].map((name) => `${name}: capture_slots of captures`));
  });

  it('of a server are waited for without holding a slot that another server could use', async () => {
    const { begin, began, waited } = someAttempts();
    for (const name of ['a', 'b']) void begin(name, [server('one', 1), capture(2)]);
    await settled();
    await begin('c', [server('other', 1), capture(2)]);
    expect(began).toEqual(['a', 'c']);
    expect(waited).toEqual(['b: server_slots of one']);
  });

  it('are left by who is told to end at once, and what it had of others is given back', async () => {
    const { begin, end, began } = someAttempts();
    const ending = new AbortController();
    await begin('a', [capture(1)]);
    const failed = begin('b', [server('one', 1), capture(1)], ending.signal);
    await settled();
    ending.abort(new Error('told to end'));
    await expect(failed).rejects.toThrow('told to end');
    void begin('c', [server('one', 1), capture(1)]);
    await end('a');
    expect(began).toEqual(['a', 'c']);
    await expect(begin('d', [server('one', 1)], ending.signal)).rejects.toThrow('told to end');
  });

  it('are given back once, however often that is said', async () => {
    const { begin, end, began } = someAttempts();
    for (const name of ['a', 'b']) void begin(name, [capture(2)]);
    await settled();
    await end('a');
    await end('a');
    for (const name of ['c', 'd']) void begin(name, [capture(2)]);
    await settled();
    expect(began).toEqual(['a', 'b', 'c']);
  });

  it('become more or fewer as the configuration says by now, for those that wait too', async () => {
    const { begin, end, began } = someAttempts();
    for (const name of ['a', 'b', 'c']) void begin(name, [capture(1)]);
    void begin('d', [capture(3)]);
    await settled();
    expect(began).toEqual(['a', 'b', 'c']);
    void begin('e', [capture(1)]);
    await end('a');
    await end('b');
    expect(began).toEqual(['a', 'b', 'c']);
    await end('c');
    expect(began).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('what a step needs a slot of', () => {
  const limits = limitsOf({ capture_slots: 3, server_slots: 2, copy_slots: 1 });
  const ofServer = { setting: 'server_slots', of: 'localhost:5432', limit: 2 };
  const ofCaptures = { setting: 'capture_slots', of: 'captures', limit: 3 };

  it('is its server, as the file has it, then its host', () => {
    const database = aTarget('mordor');
    const logins = [{ name: 'mordor', connection: database.connection }];
    const globals: GlobalsTarget = { ...database, kind: 'globals', logins };
    expect(captureDemands(limits, database)).toEqual([ofServer, ofCaptures]);
    expect(captureDemands(limits, globals)).toEqual([ofServer, ofCaptures]);
    expect(captureDemands(limitsOf({}), database)).toEqual([{ ...ofCaptures, limit: 4 }]);
    expect(captureDemands(limits, { ...database, kind: 'volume', volumeName: 'v' })).toEqual([ofCaptures]);
  });

  it('is the destination of a copy, and for verifications as many as for captures, counted apart', () => {
    expect(copyDemands(limits, 's3')).toEqual([{ setting: 'copy_slots', of: 's3', limit: 1 }]);
    expect(verifyDemands(limits)).toEqual([{ ...ofCaptures, of: 'verifications' }]);
  });
});

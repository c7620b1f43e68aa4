import type { Destination } from '../../src/destinations/destination.js';

/** What a destination throws when a test breaks it off. */
export class Interruption extends Error {}

const CHANGES = ['createText', 'replaceText', 'putFile', 'remove'];

/** The same destination, which does the first `changes` of its changes and no more, as a process that is killed then. */
export function interruptedAfter(destination: Destination, changes: number): Destination {
  let left = changes;
  return new Proxy(destination, {
    get(target, name, receiver): unknown {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function' || !CHANGES.includes(String(name))) return value;
      return (...args: unknown[]): unknown => {
        if (left === 0) return Promise.reject(new Interruption('broken off'));
        left -= 1;
        return value.apply(target, args) as unknown;
      };
    },
  });
}

import { expect, test } from 'vitest';
import type { Target } from '../../src/domain/target.js';
import type { Runtime } from '../../src/runtime.js';
import { openSource } from '../../src/sources/source.js';
import { aTarget } from '../support/a-plan.js';

const { connection: _, ...common } = aTarget('mordor');
const quiesce = { how: 'stop', containers: ['web'], maxDowntimeMs: 60_000 } as const;
const runtime = { tools: {}, config: { backup: {} } } as Runtime;

function mayBeReadEarly(target: unknown): boolean {
  return openSource({ target: target as Target, runtime, service: 's', run: 'r', token: 't' }).mayBeReadEarly;
}

test.each([
  ['a plain dump', aTarget('mordor'), true],
  ['globals', { ...common, kind: 'globals', logins: [] }, true],
  ['a volume', { ...common, kind: 'volume', volumeName: 'v' }, true],
  ['a mounted volume', { ...common, kind: 'volume', path: '/v' }, true],
  ['a dump in custom format, whose head is written last', { ...aTarget('mordor'), dumpFormat: 'custom' }, false],
  ['a dump by jobs, which is put together at the end', { ...aTarget('mordor'), dumpJobs: 2 }, false],
  ['a volume for which containers are down', { ...common, kind: 'volume', volumeName: 'v', quiesce }, false],
  ['a mounted volume for which containers are down', { ...common, kind: 'volume', path: '/v', quiesce }, false],
])('the part of %s', (_what, target, early) => {
  expect(mayBeReadEarly(target)).toBe(early);
});

import type { RunPlan, RunSettings } from '../../src/domain/run.js';
import type { DatabaseTarget } from '../../src/domain/target.js';

export const SETTINGS: RunSettings = {
  maxParallel: 2,
  attempts: 3,
  retryDelayMs: 10,
  heartbeatTimeoutMs: 5_000,
  stallTimeoutMs: 60_000,
  unpolledTimeoutMs: 2_500, // the timers of the server are good to about a second
  copyRetryForMs: 1_000,
  deadlineMs: 60_000,
};

export function aTarget(name: string): DatabaseTarget {
  return {
    kind: 'database',
    name,
    host: 'default',
    compression: 'gzip',
    compressionLevel: 6,
    retentionCount: 5,
    timeoutMs: 60_000,
    connection: { host: 'localhost', port: 5432, user: 'u', database: name },
  };
}

export function aPlan(names: string[], changes: Partial<RunPlan> = {}): RunPlan {
  return {
    run: '20261124_030000',
    service: 'middle-earth',
    settings: SETTINGS,
    targets: names.map(aTarget),
    refused: [],
    destinations: ['local'],
    directoryIds: {},
    reserved: true,
    warnings: [],
    ...changes,
  };
}

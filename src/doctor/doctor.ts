import type { Runtime } from '../runtime.js';
import { runChecks, type Check, type Finding } from './check.js';
import { configChecks } from './config-checks.js';
import { directoryChecks } from './directory-checks.js';
import { leavingsChecks } from './leavings-checks.js';
import { s3Checks } from './s3-checks.js';
import { scheduleChecks } from './schedule-checks.js';
import { targetChecks } from './target-checks.js';
import { accessTemporal, type TemporalAccess } from './temporal-access.js';
import { temporalChecks } from './temporal-checks.js';
import { toolChecks } from './tool-checks.js';
import { workerChecks } from './worker-checks.js';

export interface ExamineInput {
  runtime: Runtime;
  /** A check that takes longer is a problem. Default: 10 s. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/** Looks at everything that a run needs, and says what is not as it has to be. Changes nothing. */
export async function examine({ runtime, timeoutMs = TIMEOUT_MS }: ExamineInput): Promise<Finding[]> {
  const temporal = accessTemporal(runtime);
  try {
    return await runChecks({ checks: allChecks(runtime, temporal), timeoutMs, redact: runtime.redact });
  } finally {
    void temporal.close(); // a server that hangs would keep us
  }
}

function allChecks(runtime: Runtime, temporal: TemporalAccess): Check[] {
  const expectedId = temporal.expectedDirectoryId.catch(() => undefined);
  return [
    ...configChecks(runtime.config),
    ...toolChecks(runtime),
    ...directoryChecks({ runtime, expectedId }),
    ...s3Checks(runtime),
    ...targetChecks(runtime),
    ...leavingsChecks(runtime),
    ...temporalChecks(temporal),
    ...workerChecks(runtime, temporal),
    ...scheduleChecks(runtime, temporal),
  ];
}

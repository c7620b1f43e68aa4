import type { VerifyPlan, VerifyRunInput } from '../domain/verify-run.js';
import type { Runtime } from '../runtime.js';

/** What a schedule of verifications is about: the enabled targets that name its cron. */
export function planVerification(
  { config }: Runtime,
  { cron }: VerifyRunInput,
): Pick<VerifyPlan, 'settings' | 'targets'> {
  const { deadlineMs: _deadlineMs, ...settings } = config.backup.run;
  const targets = [...config.targets, ...config.globals].flatMap(({ name: target, kind, host, timeoutMs, verify }) => {
    if (verify?.cron !== cron) return [];
    const { method, from } = verify;
    return [{ target, kind, host, method, from, timeoutMs }];
  });
  return { settings, targets };
}

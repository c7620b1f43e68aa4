import { describe, expect, it } from 'vitest';
import { runChecks, type Check } from '../../src/doctor/check.js';
import { BackupError } from '../../src/domain/errors.js';

const asIs = (text: string) => text;

function check(subject: string, run: Check['run']): Check {
  return { check: 'thing', subject, run };
}

describe('running checks', () => {
  it('keeps their order, and lets no failure stop another', async () => {
    const checks = [
      check('slow', () => new Promise((resolve) => setTimeout(() => resolve('there'), 50))),
      check('bad', () => Promise.reject(new BackupError('NotFound', 'it is gone', { hint: 'look for it' }))),
      check('defect', () => Promise.reject(new TypeError('x is undefined'))),
      check('good', () => Promise.resolve('fine')),
    ];
    expect(await runChecks({ checks, timeoutMs: 60_000, redact: asIs })).toEqual([
      { check: 'thing', subject: 'slow', ok: true, message: 'there' },
      { check: 'thing', subject: 'bad', ok: false, message: 'it is gone', hint: 'look for it' },
      { check: 'thing', subject: 'defect', ok: false, message: 'TypeError: x is undefined' },
      { check: 'thing', subject: 'good', ok: true, message: 'fine' },
    ]);
  });

  it('gives up one that hangs, and tells it so', async () => {
    let reason: unknown;
    const hanging = check('hanging', (signal) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason as unknown;
      });
      return new Promise<string>(() => undefined);
    });
    const findings = await runChecks({ checks: [hanging], timeoutMs: 10, redact: asIs });
    expect(findings).toEqual([expect.objectContaining({ ok: false, message: 'there is no answer after 0.01 s' })]);
    expect(findings[0]?.hint).toBeTypeOf('string');
    expect(reason).toBeInstanceOf(BackupError);
  });

  it('takes secrets out of whatever is found', async () => {
    const redact = (text: string) => text.replaceAll('canary', '***');
    const checks = [
      check('good', () => Promise.resolve('the canary sings')),
      check('bad', () => Promise.reject(new BackupError('Failed', 'a canary', { hint: 'free the canary' }))),
      check('defect', () => Promise.reject(new Error('canary'))),
    ];
    const findings = await runChecks({ checks, timeoutMs: 60_000, redact });
    expect(JSON.stringify(findings)).not.toContain('canary');
  });
});

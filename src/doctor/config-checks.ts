import type { Config } from '../config/config.js';
import { BackupError } from '../domain/errors.js';
import type { Check } from './check.js';

/** What of the configuration keeps targets from being backed up; errors of the file as a whole end `doctor` before. */
export function configChecks({ file, targets, refused, disabled, warnings }: Config): Check[] {
  const problems = refused.map(({ target, error }) => problem(target, error));
  const found = `${count(targets.length, 'target')} enabled, ${String(disabled.length)} disabled`;
  const whole: Check = { check: 'config', subject: file, run: () => Promise.resolve(found) };
  return [...(warnings.length === 0 ? [whole] : warnings.map((warning) => problem(file, warning))), ...problems];
}

function problem(subject: string, text: string): Check {
  return { check: 'config', subject, run: () => Promise.reject(asError(text)) };
}

/** Several problems of one entry have a `HINT:` line each: these stay in the message. */
function asError(text: string): BackupError {
  const [message = '', hint, ...more] = text.split('\nHINT: ');
  if (more.length > 0) return new BackupError('ConfigInvalid', text);
  return new BackupError('ConfigInvalid', message, {
    hint: hint ?? 'correct the file; `backupctl config check` shows all problems',
  });
}

function count(number: number, noun: string): string {
  return `${String(number)} ${noun}${number === 1 ? '' : 's'}`;
}

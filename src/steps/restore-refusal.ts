import { BackupError, type ErrorCode } from '../domain/errors.js';

/** What a restore refuses stays so until somebody acts, besides what is so for every step. */
const REFUSALS: readonly ErrorCode[] = ['Conflict', 'Damaged'];

/** Runs `work`, whose refusals are not to be tried again. */
export async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BackupError) || !error.retryable || !REFUSALS.includes(error.code)) throw error;
    const { code, message, hint, cause } = error;
    throw new BackupError(code, message, { retryable: false, cause, ...(hint !== undefined && { hint }) });
  }
}

import { BackupError } from '../domain/errors.js';
import { NoSuchPart } from '../domain/no-such-part.js';

/**
 * The same error without `NotFound`, which stands for what was asked for by name (an artifact, a run, a part): that a directory, a
 * bucket or a role is missing is a failure.
 */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof BackupError) || error.code !== 'NotFound' || error instanceof NoSuchPart) return error;
  const { message, hint, retryable } = error;
  return new BackupError('Failed', message, { cause: error, retryable, ...(hint !== undefined && { hint }) });
}

/** Runs `work`; see `asFailure`. */
export async function failing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asFailure(error);
  }
}

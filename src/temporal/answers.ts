import type { Client } from '@temporalio/client';
import { BackupError } from '../domain/errors.js';

const GRPC_NOT_FOUND = 5;
const GRPC_REFUSED = [7, 16];

/** What the server answers; its refusals in words. */
export async function answerOf<T>(doing: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    const { code, details } = error as { code?: number; details?: string };
    const message = `cannot ${doing}: because ${details ?? String(error)}`;
    if (code === GRPC_NOT_FOUND) {
      const hint = 'make it: temporal operator namespace create --namespace NAME; or set TEMPORAL_NAMESPACE';
      throw new BackupError('NotFound', message, { hint, cause: error });
    }
    if (code !== undefined && GRPC_REFUSED.includes(code)) {
      const hint = 'check TEMPORAL_API_KEY and the TLS settings (TEMPORAL_TLS_…)';
      throw new BackupError('LoginRefused', message, { hint, cause: error });
    }
    throw new BackupError('ServerUnreachable', message, { hint: 'see the log of the Temporal server', cause: error });
  }
}

/** Throws NotFound where the server has no such namespace: nothing else says so in words. */
export async function requireNamespace({ workflowService, options: { namespace } }: Client): Promise<void> {
  await answerOf(`use the namespace ${namespace}`, () => workflowService.describeNamespace({ namespace }));
}

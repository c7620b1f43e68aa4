import { BackupError } from '../domain/errors.js';
import type { Check } from './check.js';
import { whereConnected, type TemporalAccess } from './temporal-access.js';

const GRPC_NOT_FOUND = 5;
const GRPC_REFUSED = [7, 16];

/** Whether the Temporal server answers and has the namespace. */
export function temporalChecks(temporal: TemporalAccess): Check[] {
  const { address, namespace } = temporal;
  return [
    { check: 'temporal', subject: address, run: () => checkServer(temporal) },
    { check: 'namespace', subject: namespace, run: () => checkNamespace(temporal) },
  ];
}

async function checkServer({ client, address }: TemporalAccess): Promise<string> {
  const { connection } = await client;
  const { serverVersion } = await answerOf(`use the Temporal server at ${address}`, () =>
    connection.workflowService.getSystemInfo({}),
  );
  return `Temporal server ${serverVersion ?? ''}`;
}

async function checkNamespace({ client, namespace }: TemporalAccess): Promise<string> {
  const { workflowService } = await whereConnected(`whether there is the namespace ${namespace}`, client);
  await answerOf(`use the namespace ${namespace}`, () => workflowService.describeNamespace({ namespace }));
  return 'it is there';
}

/** What the server answers; its refusals in words. */
async function answerOf<T>(doing: string, ask: () => Promise<T>): Promise<T> {
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

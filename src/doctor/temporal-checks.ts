import { answerOf } from '../temporal/answers.js';
import type { Check } from './check.js';
import { whereConnected, type TemporalAccess } from './temporal-access.js';

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

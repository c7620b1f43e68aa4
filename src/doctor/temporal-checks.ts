import { BackupError } from '../domain/errors.js';
import { answerOf } from '../temporal/answers.js';
import { findSearchAttributes, missingText } from '../temporal/search-attributes.js';
import type { Check } from './check.js';
import { whereConnected, type TemporalAccess } from './temporal-access.js';

/** Whether the Temporal server answers and has the namespace, and whether runs can be found in it. */
export function temporalChecks(temporal: TemporalAccess): Check[] {
  const { address, namespace } = temporal;
  return [
    { check: 'temporal', subject: address, run: () => checkServer(temporal) },
    { check: 'namespace', subject: namespace, run: () => checkNamespace(temporal) },
    { check: 'search attributes', subject: namespace, run: () => checkSearchAttributes(temporal) },
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

async function checkSearchAttributes(temporal: TemporalAccess): Promise<string> {
  const { namespace } = temporal;
  const client = await whereConnected('whether runs can be searched', temporal.client);
  const found = await answerOf(`list the search attributes of ${namespace}`, () => findSearchAttributes(client));
  const [message = '', hint = ''] = (missingText(found, namespace) ?? '').split('\nHINT: ');
  if (message !== '') throw new BackupError('NotFound', message, { hint });
  return 'runs can be searched by target, outcome and run id';
}

import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { waitFor } from './wait-for.js';

export type SearchAttributeType = 'TEXT' | 'KEYWORD' | 'INT' | 'DOUBLE' | 'BOOL' | 'DATETIME' | 'KEYWORD_LIST';

export interface NamespaceOptions {
  searchAttributes?: Record<string, SearchAttributeType>;
}

/** Makes a namespace that keeps closed runs for a day, and returns once workflows can be started and listed in it. */
export async function createNamespace(address: string, name: string, options: NamespaceOptions = {}): Promise<void> {
  const { searchAttributes = {} } = options;
  const connection = await Connection.connect({ address });
  try {
    await connection.workflowService.registerNamespace({
      namespace: name,
      workflowExecutionRetentionPeriod: msToTs('24 hours'),
    });
    await waitFor(`the namespace ${name} to be known`, () => isKnown(connection, name));
    await addSearchAttributes(connection, name, searchAttributes);
  } finally {
    await connection.close();
  }
}

async function isKnown(connection: Connection, namespace: string): Promise<boolean> {
  await new Client({ connection, namespace }).workflow.count();
  return true;
}

async function addSearchAttributes(
  connection: Connection,
  namespace: string,
  searchAttributes: Record<string, SearchAttributeType>,
): Promise<void> {
  const names = Object.keys(searchAttributes);
  if (names.length === 0) return;
  const { IndexedValueType } = proto.temporal.api.enums.v1;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(
      Object.entries(searchAttributes).map(([name, type]) => [name, IndexedValueType[`INDEXED_VALUE_TYPE_${type}`]]),
    ),
  });
  const query = names.map((name) => `${name} IS NULL`).join(' AND ');
  await waitFor(`the search attributes ${names.join(', ')}`, async () => {
    await new Client({ connection, namespace }).workflow.count(query);
    return true;
  });
}

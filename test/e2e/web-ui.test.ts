import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunReport } from '../../src/domain/run.js';
import { databaseItem, deploy, readLog, type Deployment } from '../support/deployment.js';
import { createSharedDatabase, type SharedDatabase } from '../support/shared-database.js';
import { createNamespace } from '../support/temporal-namespace.js';
import { waitFor } from '../support/wait-for.js';

let database: SharedDatabase;
let deployment: Deployment;
beforeAll(async () => {
  database = await createSharedDatabase();
  const databases = [databaseItem('gondor', database.name), databaseItem('mordor', `${database.name}_missing`)];
  deployment = await deploy({ databases: databases.join('\n') });
  await deployment.startWorker();
});
afterAll(async () => {
  await deployment.close();
  await database.drop();
});

/** Ids of workflows by a filter as people type it in the Web UI, once there are `count`. */
async function found({ client }: Deployment, query: string, count: number): Promise<string[]> {
  return waitFor(`${query} to find ${String(count)}`, async () => {
    const ids: string[] = [];
    for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
    return ids.length === count ? ids.sort() : undefined;
  });
}

describe('runs in the Web UI', () => {
  it('are found by a target that failed, from the first worker on', async () => {
    const { code, json } = await deployment.backupctl(['run', '--json']);
    expect(code).toBe(3);
    const { run, workflowId, targets } = json as RunReport;
    expect(targets.find((t) => t.target === 'mordor')?.error).toMatch(/^cannot .*: because .*does not exist/);

    const [child, parent] = await found(deployment, 'BackupFailedTargets = "mordor"', 2);
    expect(parent).toBe(workflowId);
    expect(child).toMatch(/\/database\/mordor$/);
    expect(await found(deployment, `BackupRunId = "${run}" AND BackupOutcome = "partial"`, 1)).toEqual([workflowId]);
    expect(await found(deployment, 'BackupTargets = "gondor" AND BackupOutcome = "succeeded"', 1)).toHaveLength(1);
  });

  it('show a table of the targets, also when they are over', async () => {
    const { json } = await deployment.backupctl(['run', '--json']);
    const handle = deployment.client.workflow.getHandle((json as RunReport).workflowId);
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(/: partial, 2 targets: 1 failed, 1 succeeded\n/);
    expect(currentDetails).toMatch(/^\| mordor\s+\| database\s+\| failed\s+\| cannot .*does not exist/m);
  });

  it('do without where the namespace cannot have the search attributes, after one warning', async () => {
    const namespace = `full-${deployment.namespace}`;
    const taken = { A: 'KEYWORD_LIST', B: 'KEYWORD_LIST', C: 'KEYWORD_LIST' } as const; // all that SQL stores have
    await createNamespace(deployment.env['TEMPORAL_ADDRESS'] ?? '', namespace, { searchAttributes: taken });
    const other = await deploy({ databases: databaseItem('gondor', database.name), namespace });
    const worker = await other.startWorker();
    const { json } = await other.backupctl(['run', '--json']);
    expect(json).toMatchObject({ outcome: 'succeeded' });
    expect((await readLog(worker)).match(/search-attribute create/g)).toHaveLength(1);
    await other.close();
  });
});

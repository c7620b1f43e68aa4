import type { TestProject } from 'vitest/node';
import { bundleWorkflows } from './workflow-bundle.js';
import { startPostgres } from './postgres-server.js';
import './provided.js';
import { startS3 } from './s3-server.js';
import { startTemporal, type TemporalServer } from './temporal-server.js';

interface Stoppable {
  stop(): Promise<void>;
}

/**
 * One of each server and one bundle of the workflows for all test files: a test makes its own namespace, bucket, databases
 * in them. Tests that kill a server start one of their own.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const starts = [
    startTemporal({ inMemory: true, schedules: false }),
    startTemporal({ inMemory: true }),
    startS3(),
    startPostgres(),
    bundleWorkflows(),
  ] as const;
  const settled = await Promise.allSettled(starts);
  const stopAll = async () => {
    await Promise.all(
      settled.map(async (start) => (start.status === 'fulfilled' ? (start.value as Stoppable).stop() : undefined)),
    );
  };
  try {
    const [temporal, schedulingTemporal, s3, postgres, workflows] = await Promise.all(starts);
    provide(project, { temporal, schedulingTemporal, s3, postgres });
    project.provide('workflowBundle', { codePath: workflows.codePath });
  } catch (error) {
    await stopAll();
    throw error;
  }
  return stopAll;
}

interface Servers {
  temporal: TemporalServer;
  schedulingTemporal: TemporalServer;
  s3: Awaited<ReturnType<typeof startS3>>;
  postgres: Awaited<ReturnType<typeof startPostgres>>;
}

// Only plain values reach the tests, which run in other processes.
function provide(project: TestProject, { temporal, schedulingTemporal, s3, postgres }: Servers): void {
  project.provide('temporal', { address: temporal.address });
  project.provide('schedulingTemporal', { address: schedulingTemporal.address });
  const { endpoint, accessKeyId, secretAccessKey, region } = s3;
  project.provide('s3', { endpoint, accessKeyId, secretAccessKey, region });
  const { host, port, user, password, major, bin } = postgres;
  project.provide('postgres', { host, port, user, password, major, bin });
}

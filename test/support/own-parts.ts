import { randomBytes } from 'node:crypto';
import { inject, type TestContext } from 'vitest';
import { deploy, type Deployment, type DeploymentOptions } from './deployment.js';
import { createVolume, removeVolume } from './docker-volume.js';
import { createBucket } from './s3-server.js';
import { S3Proxy } from './s3-proxy.js';
import { createSharedDatabase } from './shared-database.js';

/** Of a test that may run beside others of its file; what it makes is removed when it is over, the last thing first. */
export type OwnTest = Pick<TestContext, 'onTestFinished'>;

/** The same for a part of a test that makes many things one after the other. */
export async function inOwnScope<T>(work: (scope: OwnTest) => Promise<T>): Promise<T> {
  const endings: (() => unknown)[] = [];
  try {
    return await work({ onTestFinished: (ending) => void endings.push(ending as () => unknown) });
  } finally {
    for (const end of endings.reverse()) await end();
  }
}

/** The name of a database with a table of so many rows. */
export async function ownDatabase({ onTestFinished }: OwnTest, rows = 1_000): Promise<string> {
  const { name, drop } = await createSharedDatabase(rows);
  onTestFinished(drop);
  return name;
}

/** The name of a volume that a bash script has filled. */
export async function ownVolume({ onTestFinished }: OwnTest, script: string): Promise<string> {
  const name = `test-${randomBytes(6).toString('hex')}`;
  onTestFinished(() => removeVolume(name));
  await createVolume(name, script);
  return name;
}

export async function ownBucket(): Promise<string> {
  const name = `test-${randomBytes(6).toString('hex')}`;
  await createBucket(inject('s3').endpoint, name);
  return name;
}

export async function ownS3Proxy({ onTestFinished }: OwnTest): Promise<S3Proxy> {
  const proxy = await new S3Proxy(inject('s3').endpoint).start();
  onTestFinished(() => proxy.stop());
  return proxy;
}

export async function ownDeployment({ onTestFinished }: OwnTest, options: DeploymentOptions): Promise<Deployment> {
  const deployment = await deploy(options);
  onTestFinished(() => deployment.close());
  return deployment;
}

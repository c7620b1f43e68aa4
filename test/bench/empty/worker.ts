import { readFile } from 'node:fs/promises';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';

/** The worker of `EmptyRun`, in a process of its own as that of the service is. */
const [address = '', namespace = '', taskQueue = '', bundle = ''] = process.argv.slice(2);
Runtime.install({ logger: new DefaultLogger('WARN') });
const worker = await Worker.create({
  ...{ namespace, taskQueue, connection: await NativeConnection.connect({ address }) },
  workflowBundle: { code: await readFile(bundle, 'utf8') },
  activities: { nothing: (input: object) => Promise.resolve(input) },
});
console.log('worker is ready');
await worker.run();

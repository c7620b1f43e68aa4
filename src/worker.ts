#!/usr/bin/env -S node --
import type { NativeConnection } from '@temporalio/worker';
import { BackupError } from './domain/errors.js';
import { EXIT } from './domain/outcome.js';
import { openMonitor, type Monitor } from './metrics/monitor.js';
import { requireNamespace } from './temporal/answers.js';
import { parseWorkerArguments } from './worker/arguments.js';
import { connectWorker } from './worker/connect.js';
import { isSettled } from './worker/directory.js';
import { createLog } from './worker/log.js';
import { OwnAttempts } from './worker/own-attempts.js';
import { watchPredecessors } from './worker/predecessors.js';
import { watchQuiesced } from './worker/quiesced.js';
import { createService, type CreateServiceInput } from './worker/service.js';
import { installTemporalRuntime } from './worker/temporal-runtime.js';
import { createWorkers } from './worker/workers.js';
import { loadRuntime } from './runtime.js';

/** Composition root: configuration, adapters, activities, workers. Resolves when it was told to end and has. */
async function main(): Promise<void> {
  const paths = parseWorkerArguments(process.argv.slice(2));
  const runtime = await loadRuntime(paths);
  const log = createLog(runtime.redact);
  await installTemporalRuntime(log);
  const monitor = await openMonitor({ log });
  const { root } = runtime.local;
  const quiesced = await watchQuiesced(root, log);
  try {
    const { connection, client, close } = await connectWorker(log);
    try {
      await requireNamespace(client);
      const predecessors = watchPredecessors({ root, client, log });
      try {
        await work({ runtime, paths, connection, client, log, monitor });
      } finally {
        await predecessors.stop();
      }
    } finally {
      // A Worker that was made and never ran keeps its connection: why it did not run is what there is to say.
      await close().catch((error: unknown) => log.debug({ error: String(error) }, 'cannot close the connection'));
    }
  } finally {
    await quiesced.stop();
    await monitor.close();
  }
}

interface WorkInput extends CreateServiceInput {
  connection: NativeConnection;
  monitor: Monitor;
}

/** What comes is done until the worker is told to end. */
async function work({ connection, monitor, ...input }: WorkInput): Promise<void> {
  const { runtime, client, log } = input;
  const { root, location } = runtime.local;
  const service = await createService(input);
  const ownAttempts = new OwnAttempts({ root, isOurs: () => isSettled(root, service) });
  const { heartbeatTimeoutMs } = runtime.config.backup.run;
  const { attempts } = monitor;
  const workers = await createWorkers({ connection, client, service, heartbeatTimeoutMs, attempts, ownAttempts });
  monitor.watch({ client, workers, service });
  log.info({ service: service.name, directory: location }, 'worker is ready');
  try {
    await Promise.all(workers.map((worker) => worker.run()));
  } finally {
    await ownAttempts.close();
  }
  log.info('worker has ended');
}

main().catch((error: unknown) => {
  const text =
    error instanceof BackupError ? error.text : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(error instanceof BackupError && error.code === 'ConfigInvalid' ? EXIT.usage : EXIT.failed);
});

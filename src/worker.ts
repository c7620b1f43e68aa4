#!/usr/bin/env -S node --
import { BackupError } from './domain/errors.js';
import { EXIT } from './domain/outcome.js';
import { openMonitor } from './metrics/monitor.js';
import { requireNamespace } from './temporal/answers.js';
import { parseWorkerArguments } from './worker/arguments.js';
import { connectWorker } from './worker/connect.js';
import { createLog } from './worker/log.js';
import { watchQuiesced } from './worker/quiesced.js';
import { createService } from './worker/service.js';
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
  const quiesced = await watchQuiesced(runtime.local.root, log);
  try {
    const { connection, client, close } = await connectWorker(log);
    try {
      await requireNamespace(client);
      const service = await createService({ runtime, paths, client, log });
      const { heartbeatTimeoutMs } = runtime.config.backup.run;
      const workers = await createWorkers({
        connection,
        client,
        service,
        heartbeatTimeoutMs,
        attempts: monitor.attempts,
      });
      monitor.watch({ client, workers, service });
      log.info({ service: service.name, directory: runtime.local.location }, 'worker is ready');
      await Promise.all(workers.map((worker) => worker.run()));
      log.info('worker has ended');
    } finally {
      await close();
    }
  } finally {
    await quiesced.stop();
    await monitor.close();
  }
}

main().catch((error: unknown) => {
  const text =
    error instanceof BackupError ? error.text : error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = error instanceof BackupError && error.code === 'ConfigInvalid' ? EXIT.usage : EXIT.failed;
});

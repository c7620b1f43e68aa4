import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { temporalSettings, unreachable } from '../temporal/connection.js';
import { DATA_CONVERTER } from '../temporal/data-converter.js';
import type { Log } from './log.js';

/** How long a worker waits for a server that starts beside it, before it exits and its supervisor decides. */
const PATIENCE_MS = 120_000;
const PAUSE_MS = 1_000;

export interface WorkerConnection {
  connection: NativeConnection;
  client: Client;
  close: () => Promise<void>;
}

/** Connects for polling and for questions. Rejects with ServerUnreachable after two minutes without a server. */
export async function connectWorker(log: Log): Promise<WorkerConnection> {
  const { connectionOptions, namespace, address } = temporalSettings();
  const since = Date.now();
  for (;;) {
    try {
      const connection = await NativeConnection.connect(connectionOptions);
      const clientConnection = await Connection.connect(connectionOptions);
      const close = async () => {
        await clientConnection.close();
        await connection.close();
      };
      const client = new Client({ connection: clientConnection, namespace, dataConverter: DATA_CONVERTER });
      return { connection, client, close };
    } catch (error) {
      if (Date.now() - since > PATIENCE_MS) throw unreachable(address, error);
      log.warn({ address }, 'waiting for the Temporal server');
      await delay(PAUSE_MS);
    }
  }
}

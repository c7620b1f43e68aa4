import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { BackupError } from '../domain/errors.js';
import { DATA_CONVERTER } from './data-converter.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** Address, namespace, TLS and keys as every Temporal client takes them: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, …, `temporal.toml`. */
export function temporalSettings() {
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const address = connectionOptions.address ?? 'localhost:7233';
  return { address, namespace, connectionOptions: { ...connectionOptions, address } };
}

/** A client for the command line. Rejects with ServerUnreachable within seconds where no server answers. */
export async function connectClient(): Promise<{ client: Client; close: () => Promise<void> }> {
  const { connectionOptions, namespace, address } = temporalSettings();
  try {
    const connection = await Connection.connect({ ...connectionOptions, connectTimeout: CONNECT_TIMEOUT_MS });
    return {
      client: new Client({ connection, namespace, dataConverter: DATA_CONVERTER }),
      close: () => connection.close(),
    };
  } catch (error) {
    throw unreachable(address, error);
  }
}

export function unreachable(address: string, cause: unknown): BackupError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BackupError('ServerUnreachable', `cannot reach the Temporal server at ${address}: because ${reason}`, {
    cause,
    hint: 'start the server, or set TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE',
  });
}

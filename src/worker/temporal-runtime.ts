import { lookup } from 'node:dns/promises';
import { Runtime } from '@temporalio/worker';
import { addressText, cannotListen, listenAddress } from '../metrics/listen-address.js';
import { temporalLogger, type Log } from './log.js';

const VARIABLE = 'SDK_METRICS_ADDRESS';

/** The part of Temporal's SDK that all workers of a process share: its messages in our log, its metrics on SDK_METRICS_ADDRESS. */
export async function installTemporalRuntime(log: Log): Promise<void> {
  const logger = temporalLogger(log);
  const address = listenAddress(VARIABLE);
  if (address === undefined) return void Runtime.install({ logger });
  try {
    const { address: host } = await lookup(address.host); // the SDK takes no names
    const bindAddress = addressText({ ...address, host });
    const naming = { useSecondsForDurations: true, unitSuffix: true, countersTotalSuffix: true };
    Runtime.install({ logger, telemetryOptions: { metrics: { prometheus: { bindAddress, ...naming } } } });
    log.info({ address: bindAddress }, 'listening for the metrics of the SDK');
  } catch (error) {
    throw cannotListen(VARIABLE, address, error as Error);
  }
}

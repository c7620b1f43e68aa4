import type { Limits } from '../config/limits.js';
import type { DestinationKind, Target } from '../domain/target.js';
import type { SlotDemand } from './slots.js';

/** The server's first: who waits for one server keeps no other's dump, and no volume, from its slot. */
export function captureDemands({ captureSlots, serverSlots }: Limits, target: Target): SlotDemand[] {
  const capture: SlotDemand = { setting: 'capture_slots', of: 'captures', limit: captureSlots };
  const server = serverOf(target);
  if (server === undefined || serverSlots === undefined) return [capture];
  return [{ setting: 'server_slots', of: server, limit: serverSlots }, capture];
}

/** As many as captures, counted apart: a drill of hours keeps no capture waiting. */
export function verifyDemands({ captureSlots }: Limits): SlotDemand[] {
  return [{ setting: 'capture_slots', of: 'verifications', limit: captureSlots }];
}

export function copyDemands({ copySlots }: Limits, destination: DestinationKind): SlotDemand[] {
  return [{ setting: 'copy_slots', of: destination, limit: copySlots }];
}

/** As the file has it. */
function serverOf(target: Target): string | undefined {
  if (target.kind === 'volume') return undefined;
  const connection = target.kind === 'database' ? target.connection : target.logins[0]?.connection;
  return connection && `${connection.host}:${String(connection.port)}`;
}

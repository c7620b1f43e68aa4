import { BackupError } from '../../domain/errors.js';
import { durationText } from '../../domain/quantities.js';
import type { QuiescePolicy } from '../../domain/target.js';
import { throwIfAborted } from '../../pipeline/abort.js';
import { engineReason } from '../docker/docker.js';
import type { Claim } from './claim.js';
import { bringBack, takeDown, whatWokeIt, type TakenDown } from './container.js';
import type { QuiesceRecord, RecordedContainer } from './record.js';

/** Containers that are about to be brought down, or are down, for the capture of one target. */
export interface Scene {
  /** For errors, after "cannot". */
  what: string;
  target: string;
  policy: QuiescePolicy;
  /** What the host knows of them. */
  record: QuiesceRecord;
  claim: Claim;
  log: (line: string) => void;
}

/** One whose end was asked for. */
export interface Begun extends RecordedContainer {
  /** Whether the engine said that it is down: nothing is under way any more. */
  isDown: boolean;
}

/** `begun` grows by each whose end was asked for, also where that failed. */
export async function takeAllDown(
  { what, target, policy, record, log }: Scene,
  signal: AbortSignal,
  begun: Begun[],
): Promise<TakenDown[]> {
  const { containers, how } = record;
  const names = containers.map(({ name }) => name).join(', ');
  const doing = how === 'stop' ? 'stopping' : 'pausing';
  if (containers.length === 0) log(`${target}: none of its containers runs`);
  else log(`${target}: ${doing} ${names}, for ${durationText(policy.maxDowntimeMs)} at most`);
  const down: TakenDown[] = [];
  for (const container of containers) {
    throwIfAborted(signal);
    const asked: Begun = { ...container, isDown: false };
    begun.push(asked);
    down.push(await takeDown(how, container).catch((error: unknown) => cannot(what, how, container, error)));
    asked.isDown = true;
  }
  throwIfAborted(signal);
  return down;
}

function cannot(what: string, doing: string, { name }: RecordedContainer, error: unknown): never {
  throw new BackupError('Failed', `cannot ${what}: because ${name} does not ${doing}: ${engineReason(error)}`, {
    hint: `see what the engine says: docker ${doing} ${name}`,
    cause: error,
  });
}

/** Error: Conflict, where one of them did not stay down. */
export async function requireDown(what: string, how: QuiescePolicy['how'], down: readonly TakenDown[]): Promise<void> {
  for (const container of down) {
    const woken = await whatWokeIt(how, container);
    if (woken === undefined) continue;
    throw new BackupError('Conflict', `cannot ${what}: because ${container.name} ${woken} while the volume was read`, {
      hint: 'leave the containers alone while a capture goes on; the attempt is made again',
    });
  }
}

/** In the reverse order. Says what stands against it; then the record stays, for whoever looks for those without a process. */
export async function bringAllBack(
  { what, target, record, claim, log }: Scene,
  begun: readonly Begun[],
): Promise<BackupError | undefined> {
  if (!(await claim.isHeld().catch(() => true))) {
    await claim.abandon();
    return new BackupError('Conflict', `cannot ${what}: because others brought its containers back meanwhile`);
  }
  const problems: string[] = [];
  for (const container of [...begun].reverse()) {
    try {
      const found = await bringBack(record, container, record.bootId);
      if (found === 'gone') log(`${target}: warning: ${container.name} was removed meanwhile, and is forgotten`);
      if (found === 'pending' && !container.isDown) problems.push(`${container.name} may still be going down`);
    } catch (error) {
      problems.push(`${container.name} does not start: ${engineReason(error)}`);
    }
  }
  if (problems.length === 0) {
    await claim.release().catch((error: unknown) => log(`${target}: warning: ${String(error)}`));
    if (begun.length > 0) log(`${target}: ${begun.map(({ name }) => name).join(', ')} back`);
    return undefined;
  }
  await claim.abandon();
  log(`${target}: cannot bring back its containers, which the worker goes on trying: ${problems.join('; ')}`);
  return new BackupError('Failed', `cannot ${what}: because its containers are not back: ${problems.join('; ')}`, {
    hint: 'the worker goes on trying; see `docker logs` of the container',
  });
}

import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

/**
 * `.workers/<boot>.<token>/` of the backup directory belongs to one worker process: the socket `owner`, on which it listens as long as it
 * lives, and a file for each attempt that it has at hand.
 */
const DIRECTORY = '.workers';
export const OWNER = 'owner';
export const RECORD_ENDING = '.json';

export const attemptRecordShape = z.object({
  format: z.literal('attempt/1'),
  namespace: z.string().min(1),
  workflowId: z.string(),
  activity: z.string(),
  attempt: z.int().positive(),
  /** What Temporal knows this very attempt by; a later one of the same activity has another. */
  taskToken: z.base64().min(1),
  startedAt: z.iso.datetime(),
  /** The socket, see `ownerOf`. */
  owner: z.string().min(1),
});

/** An attempt at an activity that a worker has at hand. */
export type AttemptRecord = z.infer<typeof attemptRecordShape>;

export function workersDirectory(root: string): string {
  return join(root, DIRECTORY);
}

/** Who lives is known to the kernel that runs him alone: the name says which that is, of all boots of all machines. */
export function workerName(bootId: string, token: string): string {
  return `${bootId}.${token}`;
}

export function isOfBoot(name: string, bootId: string): boolean {
  return bootId !== '' && name.startsWith(`${bootId}.`);
}

/** The socket as the kernel knows it: through another mount of a network share it is another one, on which nobody listens. */
export async function ownerOf(workerDirectory: string): Promise<string> {
  const { dev, ino } = await stat(join(workerDirectory, OWNER), { bigint: true });
  return `${String(dev)}:${String(ino)}`;
}

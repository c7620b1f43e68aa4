import { z } from 'zod';
import type { Destination } from './destinations/destination.js';
import { NOTE_PATTERN, PIN_FORMAT, pinName, type Pin } from './domain/pin.js';

const shape = z.object({
  note: z.string().regex(NOTE_PATTERN).exactOptional(),
  pinnedAt: z.iso.datetime().exactOptional(),
  pinnedBy: z.string().regex(NOTE_PATTERN).exactOptional(),
}) satisfies z.ZodType<Pin>;

/** Of the artifact at `path`, where there is one. An empty or unreadable one pins as well: it may be made by hand. */
export async function readPin(destination: Destination, path: string): Promise<Pin | undefined> {
  const text = await destination.readText(pinName(path));
  return text === undefined ? undefined : parse(text);
}

function parse(text: string): Pin {
  try {
    return shape.parse(JSON.parse(text));
  } catch {
    return {};
  }
}

/** Leaves it beside the artifact at `path`. One that is there already stays as it is, and says who was first. */
export async function writePin(destination: Destination, path: string, pin: Pin): Promise<'created' | 'taken'> {
  return destination.createText(pinName(path), JSON.stringify({ format: PIN_FORMAT, ...pin }, null, 2) + '\n');
}

export async function removePin(destination: Destination, path: string): Promise<void> {
  await destination.remove(pinName(path));
}

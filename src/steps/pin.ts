import { createCatalog } from '../catalog.js';
import type { Destination } from '../destinations/destination.js';
import { BackupError } from '../domain/errors.js';
import { manifestName } from '../domain/names.js';
import type { Pin } from '../domain/pin.js';
import { isGood, type CatalogEntry } from '../domain/retention.js';
import { readPin, removePin, writePin } from '../pins.js';
import { REMOVAL_SUFFIX } from '../removal.js';
import type { BaseRuntime } from '../runtime.js';
import type { FoundArtifact } from './list-artifacts.js';
import { ownService } from './own-service.js';

export interface PinInput {
  run: string;
  /** Default: all of the run. */
  target?: string;
}

/** `unsure`: a prune has noted its removal, and is at it or was killed; the pin is there, the artifact may go all the same. */
export type PinState = 'pinned' | 'already pinned' | 'unpinned' | 'not pinned' | 'unsure';

export interface PinnedArtifact extends FoundArtifact {
  state: PinState;
  /** What a person should know: it is not good, and held all the same. */
  warning?: string;
}

export interface PinResult {
  artifacts: PinnedArtifact[];
  /** Of the run, and without a manifest that can be read: retention never removes them. */
  unreadable: { destination: Destination; path: string; reason: string }[];
  unreachable: { destination: Destination; error: BackupError }[];
}

/** Lets no retention remove the artifacts of a run, wherever they lie: each destination is told on its own. */
export function pinArtifacts(runtime: BaseRuntime, input: PinInput & { pin: Pin }): Promise<PinResult> {
  return atEach(runtime, input, (found) => pinOne(found, input.pin));
}

/** Leaves them to retention again. */
export function unpinArtifacts(runtime: BaseRuntime, input: PinInput): Promise<PinResult> {
  return atEach(runtime, input, unpinOne);
}

async function atEach(
  runtime: BaseRuntime,
  { run, target }: PinInput,
  work: (found: FoundArtifact) => Promise<PinnedArtifact | undefined>,
): Promise<PinResult> {
  const result: PinResult = { artifacts: [], unreadable: [], unreachable: [] };
  const service = await ownService(runtime);
  const isOurs = ({ manifest }: CatalogEntry) => service === undefined || manifest.service === service;
  for (const destination of runtime.destinations) {
    try {
      const listing = await createCatalog(destination).list({ run, ...(target !== undefined && { target }) });
      result.unreadable.push(...listing.unreadable.map((damaged) => ({ destination, ...damaged })));
      for (const entry of listing.entries.filter(isOurs)) {
        const done = await work({ destination, entry });
        if (done !== undefined) result.artifacts.push(done);
      }
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
      result.unreachable.push({ destination, error });
    }
  }
  return result;
}

/** Undefined: a prune was faster. The order is that of `removeArtifact`, turned round: of two at once, one sees the other. */
async function pinOne(found: FoundArtifact, pin: Pin): Promise<PinnedArtifact | undefined> {
  const { destination, entry } = found;
  const written = await writePin(destination, entry.path, pin);
  const isNoted = (await destination.stat(entry.path + REMOVAL_SUFFIX)) !== undefined;
  if ((await destination.stat(manifestName(entry.path))) === undefined) {
    await removePin(destination, entry.path);
    return undefined;
  }
  const state = isNoted ? 'unsure' : written === 'created' ? 'pinned' : 'already pinned';
  return { ...found, state, ...(!isGood(entry) && { warning: 'it is missing, cut off or failed its verification' }) };
}

async function unpinOne(found: FoundArtifact): Promise<PinnedArtifact> {
  const { destination, entry } = found;
  const isPinned = (await readPin(destination, entry.path)) !== undefined;
  await removePin(destination, entry.path);
  return { ...found, state: isPinned ? 'unpinned' : 'not pinned' };
}

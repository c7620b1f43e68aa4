import { createCatalog } from '../catalog.js';
import type { Destination } from '../destinations/destination.js';
import type { Manifest } from '../domain/manifest.js';
import { isGood, lineKey } from '../domain/retention.js';
import type { Source, Target } from '../domain/target.js';
import type { BaseRuntime } from '../runtime.js';

/** What a capture is compared with is worth a short wait, and no failed capture. */
const PATIENCE_MS = 30_000;

export interface EarlierInput {
  service: string;
  target: Target;
  source: Source;
  log: (line: string) => void;
}

/** The manifests of a line's good artifacts, newest first: those in the directory, or those elsewhere where it has none. */
export async function earlierManifests(runtime: BaseRuntime, input: EarlierInput): Promise<Manifest[]> {
  for (const destination of runtime.destinations) {
    const found = await within(PATIENCE_MS, manifestsIn(destination, input)).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      input.log(`${input.target.name}: its size is not compared with those in ${destination.location}: ${reason}`);
      return [];
    });
    if (found.length > 0) return found;
  }
  return [];
}

async function manifestsIn(destination: Destination, { service, target, source }: EarlierInput): Promise<Manifest[]> {
  const line = lineKey({ target: target.name, kind: target.kind, source });
  const { entries } = await createCatalog(destination).list({ target: target.name, kind: target.kind });
  return entries
    .filter((entry) => isGood(entry) && entry.manifest.service === service && lineKey(entry.manifest) === line)
    .map(({ manifest }) => manifest);
}

async function within<T>(patienceMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} s`)), patienceMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

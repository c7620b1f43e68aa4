import { mapBounded } from '../bounded.js';
import type { LocalDestination } from '../destinations/local.js';
import type { Verification } from '../domain/verification.js';
import { readVerification } from '../verifications.js';
import type { RunHistory } from './run-history.js';

const AT_ONCE = 16;

/** What lies beside the newest artifact of each of some targets, by their keys in `RunHistory.targets`. */
export async function verificationFacts(
  local: LocalDestination,
  history: RunHistory,
  keys: readonly string[],
): Promise<Map<string, Verification>> {
  const found = new Map<string, Verification>();
  await mapBounded(keys, AT_ONCE, async (key) => {
    const artifact = history.targets.get(key)?.artifact?.value;
    if (artifact === undefined) return;
    const verification = await readVerification(local, artifact.path, { artifact });
    if (verification !== undefined) found.set(key, verification);
  });
  return found;
}

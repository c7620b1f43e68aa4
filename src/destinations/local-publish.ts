import { link, open, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { isPartOf, partName } from '../domain/names.js';
import { codeOf } from './local-errors.js';
import { isThere, namesIn, removeFiles, syncDirectory } from './local-files.js';

const NO_HARD_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'];
const MAX_CLAIMS = 5;

export interface PublishInput {
  /** A synced file in the directory of `final`. */
  part: string;
  final: string;
}

/**
 * Gives a finished file its name, durably, and never replaces: where the name is taken, `part` is left as it is. Who
 * finds `part` gone was overtaken by another attempt; that is `taken` too, once the name is there.
 */
export async function publish(input: PublishInput): Promise<'published' | 'taken'> {
  const outcome = await giveName(input).catch(async (error: unknown) => {
    if (codeOf(error) === 'ENOENT' && (await isThere(input.final))) return 'taken' as const;
    throw error;
  });
  if (outcome === 'published') await rm(input.part, { force: true });
  await syncDirectory(dirname(input.final));
  return outcome;
}

async function giveName(input: PublishInput): Promise<'published' | 'taken'> {
  try {
    await link(input.part, input.final);
    return 'published';
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'taken';
    if (NO_HARD_LINKS.includes(codeOf(error) ?? '')) return await renameUnderClaim(input);
    throw error;
  }
}

/**
 * `rename` replaces silently, so only the holder of a claim renames. A claim whose holder is dead cannot be told from one whose holder
 * sleeps; taking it over therefore removes the holder's part first, and a sleeper's rename finds nothing to rename.
 */
export async function renameUnderClaim({ part, final }: PublishInput): Promise<'published' | 'taken'> {
  const claim = partName(final, 'claim');
  for (let claims = 0; claims < MAX_CLAIMS; claims++) {
    if (await createEmpty(claim)) {
      try {
        if (await isThere(final)) return 'taken';
        await rename(part, final);
        return 'published';
      } finally {
        await rm(claim, { force: true });
      }
    }
    await removeParts(final, basename(part));
  }
  throw new Error(`another process keeps claiming ${final}`);
}

async function createEmpty(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes what attempts at `final` wrote and did not publish, but the file named `except`; claims last (see above). */
export async function removeParts(final: string, except?: string): Promise<void> {
  const [directory, name] = [dirname(final), basename(final)];
  const isStale = (other: string) => isPartOf(other, name) && other !== except;
  // Looked at once where there is nothing, as ever but after a crash: the directory may have thousands of files.
  if (!(await namesIn(directory)).some(isStale)) return;
  await removeFiles(directory, (other) => isStale(other) && !isClaim(other));
  await removeFiles(directory, isStale);
}

function isClaim(name: string): boolean {
  return name.endsWith(partName('', 'claim'));
}

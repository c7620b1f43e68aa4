import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { captureVolume } from '../../src/sources/volume/capture.js';
import type { VolumeReplaceInput } from '../../src/sources/volume/replace.js';
import { insideVolume, removeVolume } from './docker-volume.js';
import { runScript } from './run-script.js';
import { attemptAt, dockerLines, filledVolume } from './volume-attempt.js';
import { walk, type WalkedFile } from './walk.js';

export type Replacement = VolumeReplaceInput & { captured: WalkedFile[]; old: WalkedFile[]; lines: string[] };

/** What restores a captured volume in place, after it got this other content. */
export async function replacementOf(captured: string, old: string): Promise<Replacement> {
  const volume = await filledVolume('replaced', captured);
  const attempt = await attemptAt(volume);
  await captureVolume(attempt);
  const place = await insideVolume(volume);
  const atCapture = await walk(place);
  await runScript(place, `rm -rf -- * .[!.]*\n${old}`);
  onTestFinished(() => removeKept(volume));
  const restoreToken = randomBytes(4).toString('hex');
  const lines: string[] = [];
  return {
    ...attempt,
    ...{ volume, captured: atCapture, old: await walk(place), lines, log: (line: string) => lines.push(line) },
    ...{ artifactPath: attempt.partPath, keptAs: `${volume}_before_20261124_030000` },
    ...{ restoreToken, attemptToken: `${restoreToken}0001` },
  };
}

/** The same restore once more, as a later attempt does it. */
export function nextAttempt(replacement: Replacement): Replacement {
  const { restoreToken, volume } = replacement;
  return { ...replacement, attemptToken: `${restoreToken}0002`, keptAs: `${volume}_before_20261124_030100` };
}

/** Names of the volumes that keep what was replaced in this one. */
export function keptOf(volume: string): Promise<string[]> {
  return dockerLines('volume', 'ls', '--quiet', '--filter', `label=backup-orchestrator.before-of=${volume}`);
}

async function removeKept(volume: string): Promise<void> {
  for (const name of await keptOf(volume)) await removeVolume(name);
}

export async function contentOf(volume: string): Promise<WalkedFile[]> {
  return walk(await insideVolume(volume));
}

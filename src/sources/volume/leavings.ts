import { BackupError } from '../../domain/errors.js';
import { removeVolumeLabelled } from '../docker/volume.js';
import { removeContainer } from '../docker/helper-container.js';
import { LABEL, listContainers, listVolumes } from '../docker/helper-labels.js';
import { CLEAR_SCRIPT, STAGE, UNDO_SCRIPT } from './replace-script.js';
import { requireUnused } from './replaceable.js';
import { lookAtStages, replacing, runStage, type StageFindings, type VolumeStage } from './stage.js';

export interface KeptVolume {
  name: string;
  token: string;
}

/** The volumes that keep what a restore in place replaced in this one. */
export async function keptVolumes({ service, volume }: VolumeStage): Promise<KeptVolume[]> {
  const labels = [`${LABEL.service}=${service}`, `${LABEL.beforeOf}=${volume}`];
  const found = await listVolumes(labels, `{{.Name}} {{.Label "${LABEL.before}"}}`);
  return found.map(([name = '', token = '']) => ({ name, token }));
}

/** The stages whose restore did not get to its end, as tokens; each once. */
export function unfinishedTokens({ stages }: StageFindings): string[] {
  const unfinished = [STAGE.restoring, STAGE.replacing];
  return stages.flatMap((name) => {
    const prefix = unfinished.find((start) => name.startsWith(start));
    return prefix === undefined ? [] : [name.slice(prefix.length)];
  });
}

/** Puts the volume back to what it was before the attempt with this token, whatever that had done. To be called while nothing uses it. */
export async function undoStage(stage: VolumeStage, token: string, { stages }: StageFindings): Promise<void> {
  const { signal } = new AbortController(); // nothing stops it half-way but a kill, and then the next attempt goes on
  if (stages.includes(STAGE.replacing + token)) await runStage(stage, { script: UNDO_SCRIPT, token, signal });
  // Where the copy is and the stage is not, the restore counts as done: so the copy goes first.
  for (const kept of await keptVolumes(stage))
    if (kept.token === token) await removeVolumeLabelled(kept.name, LABEL.before, token);
  await runStage(stage, { script: CLEAR_SCRIPT, token, signal });
}

/**
 * Ends the containers of earlier attempts of this restore, and undoes what they and others that were killed left. Error: Conflict where
 * another restore of the target is at work.
 */
export async function clearLeavings(stage: VolumeStage, restoreToken: string, signal: AbortSignal): Promise<string[]> {
  await endContainers(stage, restoreToken);
  const found = await lookAtStages(stage, signal);
  const tokens = unfinishedTokens(found);
  if (tokens.length > 0) await requireUnused(stage, restoreToken);
  for (const token of tokens) await undoStage(stage, token, found);
  if (tokens.length === 0 && found.stages.length > 0) await runStage(stage, { script: CLEAR_SCRIPT, signal });
  return tokens;
}

async function endContainers(stage: VolumeStage, restoreToken: string): Promise<void> {
  const { service, target, attemptToken } = stage;
  const labels = [`${LABEL.service}=${service}`, `${LABEL.target}=${target}`, LABEL.restore];
  const found = await listContainers(labels, `{{.ID}} {{.Label "${LABEL.restore}"}} {{.State}}`);
  for (const [id = '', token = '', state] of found) {
    if (token === attemptToken) continue;
    if (!token.startsWith(restoreToken) && state === 'running') throw atWork(stage, id);
    await removeContainer(id);
  }
}

function atWork(stage: VolumeStage, id: string): BackupError {
  const short = id.slice(0, 12);
  return new BackupError('Conflict', `cannot ${replacing(stage)}: because another restore of it is at work`, {
    hint: `wait for it; where nothing restores it now: docker rm --force ${short}, then try again`,
  });
}

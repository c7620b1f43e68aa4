import { docker } from './docker.js';
import { removeContainer } from './helper-container.js';

/** By these labels an attempt finds the containers of those before it, and a person everything of ours. */
export const LABEL = {
  service: 'backup-orchestrator.service',
  target: 'backup-orchestrator.target',
  /** The attempt's token: on the container of a capture, and on a volume that this container's mount made. */
  attempt: 'backup-orchestrator.attempt',
  /** A token too, on the container of a restore and on the volume that it fills. */
  restore: 'backup-orchestrator.restore',
  /** On the volume that keeps the old content in a restore in place: the token of the attempt, and the name of the volume that was replaced. */
  before: 'backup-orchestrator.before',
  beforeOf: 'backup-orchestrator.before-of',
  /** Which process drills: on a scratch volume and on the containers that fill it and look into it. */
  drill: 'backup-orchestrator.drill',
} as const;

/** Ends and removes the containers of captures of this target but those with the token; returns how many there were. */
export async function removeAttempts(input: {
  service: string;
  target: string;
  exceptToken?: string;
}): Promise<number> {
  const filters = [`${LABEL.service}=${input.service}`, `${LABEL.target}=${input.target}`, LABEL.attempt];
  const format = `{{.ID}} {{.Label "${LABEL.attempt}"}}`;
  const found = await listContainers(filters, format);
  const others = found.filter(([, token]) => token !== input.exceptToken);
  await Promise.all(others.map(([id = '']) => removeContainer(id)));
  return others.length;
}

/** The containers, running or not, that fill or were filling the volume with this token. */
export async function restoresWith(token: string): Promise<string[]> {
  const found = await listContainers([`${LABEL.restore}=${token}`], '{{.ID}}');
  return found.map(([id = '']) => id);
}

/** By docker's format, split at spaces. */
export async function listContainers(labels: readonly string[], format: string): Promise<string[][]> {
  return listLabelled(['ps', '--all', '--no-trunc'], labels, format);
}

/** By docker's format, split at spaces. */
export async function listVolumes(labels: readonly string[], format: string): Promise<string[][]> {
  return listLabelled(['volume', 'ls'], labels, format);
}

async function listLabelled(list: readonly string[], labels: readonly string[], format: string): Promise<string[][]> {
  const filters = labels.flatMap((label) => ['--filter', `label=${label}`]);
  const { stdout } = await docker({ args: [...list, ...filters, '--format', format] });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '));
}

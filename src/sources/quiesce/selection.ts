import { BackupError } from '../../domain/errors.js';
import type { QuiescePolicy } from '../../domain/target.js';
import { listContainers } from '../docker/helper-labels.js';
import { findOwnContainer } from '../docker/own-container.js';
import { inspectContainer, nameOf, type InspectedContainer } from './container.js';

const LABEL_PREFIX = 'label=';

export interface Selection {
  /** Running or not, each once, in the order in which they are brought down. */
  containers: InspectedContainer[];
  warnings: string[];
}

/** The containers that an entry names. Refuses what would do damage; nothing is touched. `what` follows "cannot". */
export async function selectContainers(what: string, { how, containers: list }: QuiescePolicy): Promise<Selection> {
  const selection: Selection = { containers: [], warnings: [] };
  const seen = new Set<string>();
  for (const written of list) {
    const found = written.startsWith(LABEL_PREFIX) ? await labelled(written) : [await named(what, written)];
    if (found.length === 0) selection.warnings.push(`no container has the ${written.replace('=', ' ')}`);
    for (const container of found.filter(({ Id }) => !seen.has(Id))) {
      seen.add(container.Id);
      selection.containers.push(container);
    }
  }
  const own = await findOwnContainer();
  for (const container of selection.containers) {
    if (container.Id === own?.id) throw refused(what, container, 'this worker runs in it', OWN_HINT);
    if (how === 'stop' && container.HostConfig.AutoRemove)
      throw refused(
        what,
        container,
        'the engine removes it when it stops (--rm)',
        'name it in pause_containers instead',
      );
  }
  return selection;
}

const OWN_HINT = 'leave it out, or take a label that the worker does not have';

async function named(what: string, name: string): Promise<InspectedContainer> {
  const found = await inspectContainer(name);
  if (found !== undefined && nameOf(found) === name) return found; // the engine takes the beginning of an id, too
  throw new BackupError('NotFound', `cannot ${what}: because there is no container ${JSON.stringify(name)}`, {
    hint: 'see which there are: docker ps --all; one that comes and goes is better named by a label',
  });
}

/** The newest first: what was made later most often uses what was there before. */
async function labelled(written: string): Promise<InspectedContainer[]> {
  const rows = await listContainers([written.slice(LABEL_PREFIX.length)], '{{.ID}}');
  const found = await Promise.all(rows.map(([id = '']) => inspectContainer(id)));
  return found.filter((container) => container !== undefined);
}

function refused(what: string, container: InspectedContainer, because: string, hint: string): BackupError {
  const message = `cannot ${what}: because ${nameOf(container)} must not be stopped or paused: ${because}`;
  return new BackupError('ConfigInvalid', message, { hint });
}

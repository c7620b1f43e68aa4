import type { QuiescePolicy } from '../domain/target.js';
import type { Entry } from './entries.js';
import type { Problem } from './problem.js';
import { duration, line, list } from './schema-leaves.js';
import type { YamlSource } from './yaml-source.js';

const DEFAULT_MAX_DOWNTIME_MS = 15 * 60_000;

/** What Docker takes as the name of a container, or a label, with or without its value. */
const CONTAINER = /^([a-zA-Z0-9][a-zA-Z0-9_.-]*|label=[^\s=][^=]*(=.*)?)$/;

const containers = (description: string, example: string[]) =>
  list(
    {
      description,
      expects: 'a list of names of containers, `label=KEY` or `label=KEY=VALUE`',
      default: '(none)',
      example,
    },
    line(
      {
        description: 'A container.',
        expects: 'the name of a container, `label=KEY` or `label=KEY=VALUE`',
        example: 'shop-db',
      },
      (value) => CONTAINER.test(value),
    ),
  );

/** The keys of an entry of `volume_backups` that bring containers to rest. */
export const quiesceKeys = {
  stop_containers: containers(
    'Containers that are stopped while the volume is read, in this order, and started again in the reverse one. Only those that run.',
    ['shop-app', 'shop-db'],
  ).optional(),
  pause_containers: containers(
    'The same, but paused: they keep their memory and connections, and nothing is written. Not beside `stop_containers`.',
    ['label=com.docker.compose.project=shop'],
  ).optional(),
  max_downtime: duration({
    description:
      'The longest that they may be down, the stopping included. Then they are brought back at once, and the capture fails.',
    default: '15m',
    example: '5m',
  }).optional(),
};

interface WrittenQuiescing {
  stop_containers?: string[] | undefined;
  pause_containers?: string[] | undefined;
  max_downtime?: number | undefined;
}

/** What is wrong with how the keys stand together, whatever else is wrong with the entry. */
export function quiesceProblems(source: YamlSource, { node, kind }: Entry): Problem[] {
  if (kind === 'database') return [];
  const keyOf = (key: keyof WrittenQuiescing) => source.pairOf(node, key)?.key;
  const [stop, pause, limit] = [keyOf('stop_containers'), keyOf('pause_containers'), keyOf('max_downtime')];
  if (stop !== undefined && pause !== undefined) {
    const hint = 'stop_containers ends them and starts them again, pause_containers freezes them: keep one';
    return [source.problem(pause, 'pause_containers: the entry has stop_containers already', hint)];
  }
  if (limit === undefined || stop !== undefined || pause !== undefined) return [];
  const hint = 'name the containers by stop_containers or pause_containers, or leave it out';
  return [source.problem(limit, 'max_downtime: the entry brings no container down', hint)];
}

/** Of an entry without `quiesceProblems`; undefined: it is captured hot. */
export function quiescePolicy(written: WrittenQuiescing): QuiescePolicy | undefined {
  const names = written.stop_containers ?? written.pause_containers;
  if (names === undefined) return undefined;
  const how = written.stop_containers === undefined ? 'pause' : 'stop';
  return { how, containers: names, maxDowntimeMs: written.max_downtime ?? DEFAULT_MAX_DOWNTIME_MS };
}

import { isMap, isSeq, type Node } from 'yaml';
import { z } from 'zod';
import { isReservedTargetName } from '../domain/names.js';
import type { TargetKind } from '../domain/target.js';
import type { Environment } from './environment.js';
import type { Problem } from './problem.js';
import { checkSection, readSection } from './section.js';
import { databaseSchema, ofEveryTarget } from './target-schema.js';
import type { YamlSource } from './yaml-source.js';

/** An entry of `backup_targets` or `volume_backups`, of which name and `enabled` were looked at. */
export interface Entry {
  node: Node;
  name: string;
  kind: EntryKind;
  /** True also where `enabled` is neither true nor false: then the entry is refused when it is read. */
  enabled: boolean;
  /** Those of the entry itself; absent also where they are wrong: then the entry is refused when it is read. */
  onHost?: string;
  schedule?: string;
}

/** Kinds that have entries. */
export type EntryKind = Exclude<TargetKind, 'globals'>;

export const ENTRY_KEYS = { database: 'backup_targets', volume: 'volume_backups' } as const;

const nameSchema = z.looseObject({ name: databaseSchema.shape.name });
const enabledSchema = z.looseObject({ enabled: ofEveryTarget.enabled });
const onHostSchema = z.looseObject({ on_host: ofEveryTarget.on_host });
const scheduleSchema = z.looseObject({ schedule: ofEveryTarget.schedule });

export interface EntriesInput {
  source: YamlSource;
  env: Environment;
}

/** All entries, and what is wrong with the file as a whole: lists that are none, names that cannot be. */
export function readEntries({ source, env }: EntriesInput): { entries: Entry[]; problems: Problem[] } {
  const entries: Entry[] = [];
  const problems: Problem[] = [];
  for (const kind of ['database', 'volume'] as const) {
    for (const node of listOf(source, ENTRY_KEYS[kind])) {
      const read = readEntry({ source, env }, node, kind);
      if ('entry' in read) entries.push(read.entry);
      else problems.push(...read.problems);
    }
  }
  return { entries, problems: [...problems, ...nameProblems(source, entries)] };
}

/** Lists of another shape are reported where the whole file is checked. */
function listOf(source: YamlSource, key: string): Node[] {
  const list = source.valueOf(source.root, key);
  return isSeq(list) ? list.items.flatMap((item) => source.follow(item) ?? []) : [];
}

type ReadEntry = { entry: Entry } | { problems: Problem[] };

function readEntry({ source, env }: EntriesInput, node: Node, kind: EntryKind): ReadEntry {
  if (!isMap(node)) {
    const hint = `write - name: "mordor" and below it the other keys of an entry of ${ENTRY_KEYS[kind]}`;
    return { problems: [source.problem(node, 'expected an entry, a mapping of keys, but it is something else', hint)] };
  }
  const part = (key: string) => readSection({ source, node, prefix: '', env, key });
  const { data, problems } = checkSection(part('name'), nameSchema);
  if (data === undefined) return { problems };
  const enabled = checkSection(part('enabled'), enabledSchema).data?.enabled ?? true;
  const onHost = checkSection(part('on_host'), onHostSchema).data?.on_host;
  const schedule = checkSection(part('schedule'), scheduleSchema).data?.schedule;
  return { entry: { node, name: data.name, kind, enabled, ...defined({ onHost, schedule }) } };
}

/** Without what has no value. */
function defined({ onHost, schedule }: { onHost: string | undefined; schedule: string | undefined }) {
  return { ...(onHost !== undefined && { onHost }), ...(schedule !== undefined && { schedule }) };
}

function nameProblems(source: YamlSource, entries: readonly Entry[]): Problem[] {
  const first = new Map<string, Entry>();
  return entries.flatMap((entry) => {
    const { name, node } = entry;
    const written = source.valueOf(node, 'name');
    const earlier = first.get(name.toLowerCase());
    first.set(name.toLowerCase(), earlier ?? entry);
    if (isReservedTargetName(name)) {
      return [
        source.problem(
          written,
          `name: ${JSON.stringify(name)} is kept for files of the service itself`,
          'choose another name',
        ),
      ];
    }
    if (earlier === undefined) return [];
    const place = `${ENTRY_KEYS[earlier.kind]}, line ${String(source.problem(earlier.node, '', '').line)}`;
    const hint = 'names are unique over databases and volumes, ignoring case: choose another';
    return [source.problem(written, `name: ${JSON.stringify(name)} is taken already (${place})`, hint)];
  });
}

import type { Target, TargetKind } from '../domain/target.js';
import type { Entry } from './entries.js';
import type { Environment } from './environment.js';
import type { Problem } from './problem.js';
import { hasReference } from './references.js';
import { readTarget, writtenPassword, type TargetDefaults } from './targets.js';
import type { YamlSource } from './yaml-source.js';

export interface EntriesToSort {
  source: YamlSource;
  env: Environment;
  entries: readonly Entry[];
  settings: TargetDefaults;
  /** That this process works for. */
  host: string;
}

/** An enabled entry with errors of its own. */
export interface RefusedEntry {
  target: string;
  kind: TargetKind;
  /** Where it begins. */
  line: number;
  /** Its own, as far as they could be read. */
  onHost?: string;
  schedule?: string;
}

export interface SortedEntries {
  targets: Target[];
  refused: (RefusedEntry & { problems: Problem[] })[];
  disabled: { target: string; kind: TargetKind }[];
  /** Target name to the password as written; of disabled ones those without references, which alone are known. */
  passwords: Map<string, string>;
}

export function sortEntries({ source, env, entries, settings, host }: EntriesToSort): SortedEntries {
  const sorted: SortedEntries = { targets: [], refused: [], disabled: [], passwords: new Map() };
  for (const entry of entries) {
    const { name: target, kind, enabled, node, ...own } = entry;
    const password = writtenPassword(source, entry);
    if (password !== undefined && (enabled || !hasReference(password))) sorted.passwords.set(target, password);
    if (!enabled) {
      sorted.disabled.push({ target, kind });
      continue;
    }
    const read = readTarget({ source, env, entry, settings, host });
    if ('target' in read) sorted.targets.push(read.target);
    else {
      const { line } = source.problem(node, '', '');
      sorted.refused.push({ target, kind, line, ...own, problems: read.problems });
    }
  }
  return sorted;
}

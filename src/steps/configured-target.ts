import type { Config } from '../config/config.js';
import type { Target, TargetKind } from '../domain/target.js';

/** An entry of `backups.yml`, whatever became of it, or globals, which follow from entries. */
export interface ConfiguredTarget {
  /** As the file writes it. */
  name: string;
  kind: TargetKind;
  state: { is: 'enabled'; target: Target } | { is: 'refused'; error: string } | { is: 'disabled' };
}

/** The entry of that name, ignoring case as everywhere; undefined where the file has none. */
export function findConfigured(
  { targets, globals, refused, disabled }: Config,
  name: string,
): ConfiguredTarget | undefined {
  const isIt = (other: string) => other.toLowerCase() === name.toLowerCase();
  const target = [...targets, ...globals].find((t) => isIt(t.name));
  if (target !== undefined) return { name: target.name, kind: target.kind, state: { is: 'enabled', target } };
  const bad = refused.find((t) => isIt(t.target));
  if (bad !== undefined) return { name: bad.target, kind: bad.kind, state: { is: 'refused', error: bad.error } };
  const off = disabled.find((t) => isIt(t.target));
  return off === undefined ? undefined : { name: off.target, kind: off.kind, state: { is: 'disabled' } };
}

/** What is known of one thing: a table, an index, a file. */
export type Properties = Readonly<Record<string, unknown>>;

/** Everything in a database or volume, by what it is called: `index public.orders_pkey`, `photos/cat.jpg`. */
export type Portrait = ReadonlyMap<string, Properties>;

/** Every difference as a line; none: both are the same. */
export function differencesBetween(origin: Portrait, restored: Portrait): string[] {
  const changed = [...origin].flatMap(([name, properties]) => {
    const found = restored.get(name);
    return found === undefined ? [`${name} is missing`] : changesOf(name, properties, found);
  });
  const added = [...restored.keys()].filter((name) => !origin.has(name)).map((name) => `${name} is not in the origin`);
  return [...changed, ...added];
}

function changesOf(name: string, origin: Properties, restored: Properties): string[] {
  const keys = [...new Set([...Object.keys(origin), ...Object.keys(restored)])];
  return keys
    .map((key) => ({ key, was: shown(origin[key]), is: shown(restored[key]) }))
    .filter(({ was, is }) => was !== is)
    .map(({ key, was, is }) => `${name}: ${key} is ${is} instead of ${was}`);
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** The first ones tell enough. */
const SHOWN_DIFFERENCES = 5;

export interface Compared {
  kind: string;
  /** Names of the two, for the message. */
  origin: string;
  into: string;
  /** Of the origin. */
  portrait: Portrait;
}

/** Throws where what was restored is not what the origin was, and says how it differs. */
export function requireSame({ kind, origin, into, portrait }: Compared, restored: Portrait): void {
  const differences = differencesBetween(portrait, restored);
  if (differences.length === 0) return;
  const shown = differences.slice(0, SHOWN_DIFFERENCES);
  const more = differences.length - shown.length;
  const lines = more > 0 ? [...shown, `and ${String(more)} more`] : shown;
  throw new Error(`the restored ${kind} ${into} differs from ${origin}:\n  ${lines.join('\n  ')}`);
}

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

/** A name as SQL text; psql interpolates nothing within the quotes. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text as SQL text; the session has `standard_conforming_strings` on. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A value of a connection string. */
export function quoteConninfo(value: string): string {
  return `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
}

/** The names in `a, "B c"`, as settings like `search_path` hold them. */
export function splitIdentifiers(list: string): string[] {
  return [...list.matchAll(/"((?:[^"]|"")*)"|[^\s,"]+/g)].map(
    ([whole, quoted]) => quoted?.replaceAll('""', '"') ?? whole,
  );
}

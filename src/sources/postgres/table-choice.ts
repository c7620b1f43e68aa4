import { nearestKey } from '../../domain/nearest-key.js';
import { NoSuchPart } from '../../domain/no-such-part.js';
import type { TableName } from '../../domain/table-names.js';
import { quoteIdentifier } from './quoting.js';

/** Tables that were named, and schemas all of whose tables count as named. */
export interface WantedTables {
  tables: readonly TableName[];
  schemas: readonly string[];
}

const MOST_SHOWN = 8;

/** Which tables of a dump were asked for, found out while it is read. A table brings its partitions and those that inherit from it. */
export class TableChoice {
  readonly #wanted: WantedTables;
  /** Each with the tables that it is a part of, by key. */
  readonly #parents = new Map<string, string[]>();
  readonly #tables = new Map<string, Required<TableName>>();

  constructor(wanted: WantedTables) {
    this.#wanted = wanted;
  }

  add(table: Required<TableName>, parents: readonly Required<TableName>[] = []): void {
    const key = keyOf(table);
    this.#tables.set(key, table);
    this.#parents.set(key, [...(this.#parents.get(key) ?? []), ...parents.map(keyOf)]);
  }

  includes(table: Required<TableName>): boolean {
    return this.#includesKey(keyOf(table), table);
  }

  /** Whether any rows of it are restored: its own, or those of a partition of it. */
  hasRows(table: Required<TableName>): boolean {
    return this.includes(table) || this.#partsOf(table).some((part) => this.hasRows(part));
  }

  /** Whether all of its rows are. */
  isWhole(table: Required<TableName>): boolean {
    if (this.includes(table)) return true;
    const parts = this.#partsOf(table);
    return parts.length > 0 && parts.every((part) => this.isWhole(part));
  }

  /** Error: NoSuchPart, with names that are near. */
  requireAll(target: string): void {
    const known = [...this.#tables.values()];
    const table = this.#wanted.tables.find((wanted) => !known.some((one) => isNamed(one, wanted)));
    const schema = this.#wanted.schemas.find((wanted) => !known.some((one) => one.schema === wanted));
    if (table === undefined && schema === undefined) return;
    const what =
      table === undefined ? `schema with tables called ${quoteIdentifier(schema ?? '')}` : `table ${textOf(table)}`;
    const near =
      table === undefined
        ? nearestKey(
            schema ?? '',
            known.map((one) => one.schema),
          )
        : nearTables(table, known);
    const hint = near === undefined ? `it has ${someOf(known.map(textOf))}` : `did you mean ${near}?`;
    throw new NoSuchPart(`cannot restore ${target}: because its dump has no ${what}`, hint);
  }

  #includesKey(key: string, { schema, name }: Required<TableName>): boolean {
    if (this.#wanted.schemas.includes(schema)) return true;
    if (this.#wanted.tables.some((wanted) => isNamed({ schema, name }, wanted))) return true;
    return (this.#parents.get(key) ?? []).some((parent) => {
      const table = this.#tables.get(parent);
      return table !== undefined && this.#includesKey(parent, table);
    });
  }

  #partsOf(table: Required<TableName>): Required<TableName>[] {
    const key = keyOf(table);
    return [...this.#tables.entries()].flatMap(([child, part]) =>
      (this.#parents.get(child) ?? []).includes(key) ? [part] : [],
    );
  }
}

/** `schema.table`, in quotes where that is needed to read it again. */
export function textOf({ schema, name }: TableName): string {
  const quoted = (part: string) => (/^[^",.\s]+$/.test(part) ? part : quoteIdentifier(part));
  return schema === undefined ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
}

/** The first ones by their names. */
function someOf(names: readonly string[]): string {
  const shown = [...names].sort().slice(0, MOST_SHOWN).join(', ');
  const more = names.length - MOST_SHOWN;
  return shown === '' ? 'no table' : `${shown}${more > 0 ? ` and ${String(more)} more` : ''}`;
}

function isNamed(table: Required<TableName>, wanted: TableName): boolean {
  return table.name === wanted.name && (wanted.schema === undefined || wanted.schema === table.schema);
}

function keyOf({ schema, name }: Required<TableName>): string {
  return JSON.stringify([schema, name]);
}

function nearTables(wanted: TableName, known: readonly Required<TableName>[]): string | undefined {
  const elsewhere = known.find(({ name }) => name === wanted.name);
  if (elsewhere !== undefined) return textOf(elsewhere);
  const names = new Map(known.map((one) => [wanted.schema === undefined ? one.name : textOf(one), textOf(one)]));
  return names.get(nearestKey(wanted.schema === undefined ? wanted.name : textOf(wanted), [...names.keys()]) ?? '');
}

import type { DumpContents, DumpEntry } from './dump-contents.js';
import type { Fact } from './dump-statements.js';
import { RowSum } from './row-digest.js';

/** Where what was restored is not what was backed up. */
export interface Difference {
  /** Names the object and what differs, for people. */
  text: string;
  /** Only the text of its definition differs: that may be another spelling of the same. The label of its entries. */
  definitionOf?: string;
}

/** Compares what an artifact holds with a dump of what was restored from it. The order of objects and rows does not count. */
export function compareDumps(artifact: DumpContents, restored: DumpContents): Difference[] {
  const labels = new Set([...artifact.entries.keys(), ...restored.entries.keys()]);
  return [
    ...[...labels].flatMap((label) => compareEntries(label, entriesOf(artifact, label), entriesOf(restored, label))),
    ...[...new Set([...artifact.tables.keys(), ...restored.tables.keys()])].flatMap((table) =>
      compareRows(`rows of ${readable(table)}`, artifact.tables.get(table), restored.tables.get(table)),
    ),
    ...compareRows(
      'owners, privileges and comments of large objects',
      artifact.largeObjects.definitions,
      restored.largeObjects.definitions,
    ),
    ...compareRows('large objects', artifact.largeObjects.contents, restored.largeObjects.contents),
  ];
}

/** Differences that a second restore shows in the very same way are how PostgreSQL writes what it read, and no damage. */
export function isRendering({ definitionOf }: Difference, restored: DumpContents, again: DumpContents): boolean {
  if (definitionOf === undefined) return false;
  return definitionsOf(entriesOf(restored, definitionOf)) === definitionsOf(entriesOf(again, definitionOf));
}

function entriesOf(contents: DumpContents, label: string): DumpEntry[] {
  return contents.entries.get(label) ?? [];
}

function compareEntries(label: string, expected: DumpEntry[], found: DumpEntry[]): Difference[] {
  const name = readable(label);
  if (found.length < expected.length) return [{ text: `${name} is missing` }];
  if (found.length > expected.length) return [{ text: `${name} was not there before` }];
  const facts = differingFacts(expected, found).map((what) => ({ text: `${name} differs in ${what}` }));
  const isSame = definitionsOf(expected) === definitionsOf(found);
  return isSame ? facts : [...facts, { text: `${name} differs in definition`, definitionOf: label }];
}

function differingFacts(expected: DumpEntry[], found: DumpEntry[]): Fact['what'][] {
  const kinds = [...expected, ...found].flatMap(({ facts }) => facts.map(({ what }) => what));
  return [...new Set(kinds)].filter((what) => factsOf(expected, what) !== factsOf(found, what));
}

/** Sorted: the order in which privileges are granted is none of theirs. */
function factsOf(entries: readonly DumpEntry[], what: Fact['what']): string {
  const facts = entries.flatMap((entry) => entry.facts.filter((fact) => fact.what === what));
  return facts
    .map(({ text }) => text)
    .sort()
    .join('\n');
}

function definitionsOf(entries: readonly DumpEntry[]): string {
  return entries
    .map(({ definitions }) => definitions.join('\n'))
    .sort()
    .join('\n');
}

function compareRows(what: string, expected = new RowSum(), found = new RowSum()): Difference[] {
  const [before, after] = [expected.digest, found.digest];
  if (before.hash === after.hash && before.count === after.count) return [];
  const [was, is] = [String(before.count), String(after.count)];
  return [{ text: `${what}: ${was === is ? `${is} with other values` : `${is} instead of ${was}`}` }];
}

/** The dump's bytes as text: UTF-8 where they are. */
function readable(latin1: string): string {
  return Buffer.from(latin1, 'latin1').toString('utf8');
}

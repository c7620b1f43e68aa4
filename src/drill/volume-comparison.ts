import { isUtf8 } from 'node:buffer';
import { mergeLines } from './sorted-lines.js';
import { ANY_ENTRY, decoded, factOf, HARD_LINK_STATE, type Fact } from './volume-facts.js';

export interface Comparison {
  /** Paths that were compared. */
  paths: number;
  /** Paths at which something differs, or that are on one side only. */
  differing: number;
  /** What differs at the first of them, in words. */
  differences: Difference[];
}

export interface Difference {
  /** Of the facts that differ: `mode`, `content`, `xattr user.x`; `path` where that itself is missing or additional. */
  facts: string[];
  text: string;
}

export interface CompareInput {
  /** Files of sorted lines that say what there should be, and what there is. */
  expected: readonly string[];
  found: readonly string[];
  signal: AbortSignal;
  /** Told how many paths were compared. */
  onProgress: (paths: number) => void;
  /** Facts of which a difference is none (`owner`). */
  ignored?: readonly string[];
}

const MOST_TOLD = 20;
const SAME_FILE = 'same file';
const XATTR = 'xattr ';
const PROGRESS_PATHS = 10_000;

/** Compares in one pass over both, in bounded memory. */
export async function compareLists(input: CompareInput): Promise<Comparison> {
  const { signal, onProgress, ignored = [] } = input;
  const comparison: Comparison = { paths: 0, differing: 0, differences: [] };
  const expected = pathsOf(mergeLines(input.expected, signal));
  const found = pathsOf(mergeLines(input.found, signal));
  let [one, other] = [await expected.next(), await found.next()];
  while (one.done !== true || other.done !== true) {
    const order = orderOf(one.value?.path, other.value?.path);
    const difference = differenceOf(order <= 0 ? one.value : undefined, order >= 0 ? other.value : undefined, ignored);
    comparison.paths += 1;
    if (difference !== undefined) {
      comparison.differing += 1;
      if (comparison.differences.length < MOST_TOLD) comparison.differences.push(difference);
    }
    if (comparison.paths % PROGRESS_PATHS === 0) onProgress(comparison.paths);
    if (order <= 0) one = await expected.next();
    if (order >= 0) other = await found.next();
  }
  return comparison;
}

/** -1 where the first comes alone, 1 where the second does. */
function orderOf(one: string | undefined, other: string | undefined): number {
  if (one === other) return 0;
  if (one === undefined) return 1;
  return other === undefined || one < other ? -1 : 1;
}

interface PathFacts {
  path: string;
  facts: Map<string, string>;
}

async function* pathsOf(lines: AsyncGenerator<string[]>): AsyncGenerator<PathFacts, undefined> {
  let facts: Fact[] = [];
  for await (const batch of lines) {
    for (const line of batch) {
      const fact = factOf(line);
      if (facts[0] !== undefined && facts[0].path !== fact.path) {
        yield lastOf(facts);
        facts = [];
      }
      facts.push(fact);
    }
  }
  if (facts.length > 0) yield lastOf(facts);
  return undefined;
}

/** A directory that changes while tar reads it may show a name twice, and tar extracts both: the last one stays. */
function lastOf(facts: readonly Fact[]): PathFacts {
  const last = facts.filter(({ ordinal }) => ordinal !== ANY_ENTRY).at(-1)?.ordinal;
  const counted = facts.filter(({ ordinal }) => ordinal === last || ordinal === ANY_ENTRY);
  return { path: facts[0]?.path ?? '', facts: new Map(counted.map(({ key, value }) => [key, value])) };
}

function differenceOf(
  expected: PathFacts | undefined,
  found: PathFacts | undefined,
  ignored: readonly string[],
): Difference | undefined {
  if (found === undefined || expected === undefined) {
    const what = found === undefined ? 'is missing' : 'is not in the archive';
    return { facts: ['path'], text: `${shownPath((expected ?? found)?.path ?? '')} ${what}` };
  }
  const [should, is] = [properties(expected), properties(found)];
  // Everything else of such a name is compared at the name that it leads to.
  const keys =
    expected.facts.get('is') === HARD_LINK_STATE ? [SAME_FILE] : [...new Set([...should.keys(), ...is.keys()])];
  const differing = keys.filter((key) => should.get(key) !== is.get(key) && !ignored.includes(key));
  if (differing.length === 0) return undefined;
  if (differing.includes('type')) differing.splice(0, Infinity, 'type'); // all else differs for that
  const texts = differing.map((key) => describe(key, should.get(key), is.get(key)));
  return { facts: differing, text: `${shownPath(expected.path)}: ${texts.join(', ')}` };
}

/** By the words that people read. */
function properties({ facts }: PathFacts): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of facts) {
    if (key === 'is') {
      for (const fact of value.split(' ')) {
        const equals = fact.indexOf('=');
        found.set(fact.slice(0, equals), fact.slice(equals + 1));
      }
    } else found.set(key === 'link' ? SAME_FILE : key, value);
  }
  return found;
}

const MOST_SHOWN_CHARACTERS = 60;

function describe(key: string, should: string | undefined, is: string | undefined): string {
  if (key === SAME_FILE) return describeLink(should, is);
  const isXattr = key.startsWith(XATTR);
  const of = isXattr ? XATTR + shownPath(key.slice(XATTR.length)) : key;
  if (is === undefined) return `${of} is missing`;
  if (should === undefined) return `${of} is additional`;
  if (key === 'content') return 'content differs';
  const shown = (value: string) => (key === 'target' ? shownPath(value) : isXattr ? `0x${shortened(value)}` : value);
  return `${of} is ${shown(is)} instead of ${shown(should)}`;
}

function shortened(value: string): string {
  return value.length > MOST_SHOWN_CHARACTERS ? `${value.slice(0, MOST_SHOWN_CHARACTERS)}…` : value;
}

function describeLink(should: string | undefined, is: string | undefined): string {
  const shown = (first: string | undefined) =>
    first === undefined ? 'a file of its own' : `the same as ${shownPath(first)}`;
  return `it is ${shown(is)} instead of ${shown(should)}`;
}

/** Quoted, and on one line; a name that is not UTF-8 with its odd bytes as `\xx`. */
function shownPath(path: string): string {
  const bytes = decoded(path);
  return isUtf8(bytes) ? JSON.stringify(bytes.toString('utf8')) : `"${path}"`;
}

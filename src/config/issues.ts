import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { z } from 'zod';
import { nearestKey } from './nearest-key.js';
import type { Problem } from './problem.js';
import { hasReference } from './references.js';
import { keyNotes, type KeyNotes } from './schema-leaves.js';
import type { Section } from './section.js';
import { childSchema, keysOf } from './schema-walk.js';
import type { Path, YamlSource } from './yaml-source.js';

/** What zod found wrong with a section, at the places where it stands in the file. */
export function issueProblems(section: Section, schema: z.ZodType, issues: readonly z.core.$ZodIssue[]): Problem[] {
  return issues.flatMap((issue) => {
    const found = locate(section, schema, issue.path);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(section, found, issue.path, key));
    if (found.node === undefined) return [missingKey(section, found, issue.path)];
    return section.unresolved.has(found.node) ? [] : [wrongValue(section, found, issue)];
  });
}

interface Found {
  /** The value; undefined where the key is missing. */
  node: Node | undefined;
  /** The nearest that there is. */
  parent: Node;
  schema: z.ZodType | undefined;
}

function locate({ source, node }: Section, schema: z.ZodType, path: Path): Found {
  const start: Found = { node, parent: node, schema };
  return path.reduce<Found>((above, key) => {
    const below = above.node === undefined ? undefined : childOf(source, above.node, key);
    return { node: below, parent: above.node ?? above.parent, schema: childSchema(above.schema, key) };
  }, start);
}

function childOf(source: YamlSource, node: Node, key: PropertyKey): Node | undefined {
  return isSeq(node) ? source.follow(node.items[Number(key)]) : source.valueOf(node, key);
}

function unknownKey({ source, prefix }: Section, { node, schema }: Found, path: Path, key: string): Problem {
  const known = keysOf(schema);
  const nearest = nearestKey(key, known);
  const hint = nearest === undefined ? `the keys known here are ${known.join(', ')}` : `did you mean ${nearest}?`;
  return source.problem(source.pairOf(node, key)?.key, `unknown key ${nameOf(prefix, [...path, key])}`, hint);
}

function missingKey({ source, prefix }: Section, { parent, schema }: Found, path: Path): Problem {
  const example = exampleOf(path, notesOf(schema));
  return source.problem(parent, `${nameOf(prefix, path)} is missing`, `add it${example}`);
}

function wrongValue({ source, prefix }: Section, { node, schema }: Found, issue: z.core.$ZodIssue): Problem {
  const notes = notesOf(schema);
  const actual = describe(node, notes);
  const hint = (issue as { params?: { hint?: string } }).params?.hint ?? hintFor(node, issue.path, notes);
  const message = `${nameOf(prefix, issue.path)}: ${expectation(issue)}${actual === '' ? '' : `, but it is ${actual}`}`;
  return source.problem(node, message, hint);
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type' || issue.message.startsWith('expected ')) return issue.message;
  return `expected ${issue.expected === 'array' ? 'a list' : 'a mapping of keys'}`;
}

/** What stands there, in words. A secret is never quoted, nor what a variable holds: it may be the wrong variable. */
function describe(node: Node | undefined, notes: KeyNotes | undefined): string {
  if (isMap(node)) return 'a mapping of keys';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null) return 'empty';
  if (notes?.isSecret === true) return typeof node.value === 'string' ? '' : `a ${typeof node.value}`;
  if (typeof node.value !== 'string') return `the ${typeof node.value} ${String(node.value)}`;
  return hasReference(node.value) ? `the value of ${node.value}` : JSON.stringify(node.value);
}

function hintFor(node: Node | undefined, path: Path, notes: KeyNotes | undefined): string {
  const takesText = typeof notes?.example === 'string';
  const isBareScalar = isScalar(node) && node.value !== null && typeof node.value !== 'string';
  if (isBareScalar && takesText && !notes.expects.startsWith('a duration')) return 'put quotes around it';
  if (isScalar(node) && node.value === null)
    return `give it a value${exampleOf(path, notes)}; put quotes around what begins with #`;
  return notes === undefined ? 'see docs/configuration.md' : `write it${exampleOf(path, notes)}`;
}

function exampleOf(path: Path, notes: KeyNotes | undefined): string {
  if (notes === undefined) return '';
  const example = typeof notes.example === 'string' ? JSON.stringify(notes.example) : String(notes.example);
  return `, as in ${String(path.at(-1))}: ${example}`;
}

function nameOf(prefix: string, path: Path): string {
  const text = path.map((key) => (typeof key === 'number' ? `[${String(key)}]` : `.${String(key)}`)).join('');
  return `${prefix}${text.slice(1)}` || 'the file';
}

function notesOf(schema: z.ZodType | undefined): KeyNotes | undefined {
  return schema === undefined ? undefined : keyNotes.get(schema);
}

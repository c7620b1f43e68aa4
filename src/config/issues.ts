import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { z } from 'zod';
import { nearestKey } from '../domain/nearest-key.js';
import type { Problem } from './problem.js';
import { hasReference } from './references.js';
import { exampleText, keyNotes, type KeyNotes } from './schema-leaves.js';
import type { Section } from './section.js';
import { childSchema, keysOf } from './schema-walk.js';
import { pathText, type Path, type YamlSource } from './yaml-source.js';

/** What zod found wrong with a section, at the places where it stands in the file. */
export function issueProblems(section: Section, schema: z.ZodType, issues: readonly z.core.$ZodIssue[]): Problem[] {
  const problems = issues.flatMap((issue) => {
    const found = locate(section, schema, issue.path);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(section, found, issue.path, key));
    if (found.node === undefined) return [missingKey(section, found, issue.path)];
    return section.unresolved.has(found.node) ? [] : [wrongValue(section, found, issue)];
  });
  return withoutRepeated(problems);
}

/** zod finds two things wrong with a number that is beyond all numbers. */
function withoutRepeated(problems: Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
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
  return source.problem(source.pairOf(node, key)?.key, `unknown key ${pathText(prefix, [...path, key])}`, hint);
}

function missingKey({ source, prefix }: Section, { parent, schema }: Found, path: Path): Problem {
  const example = exampleOf(path, notesOf(schema));
  return source.problem(parent, `${pathText(prefix, path)} is missing`, `add it${example}`);
}

function wrongValue({ source, prefix }: Section, { node, schema }: Found, issue: z.core.$ZodIssue): Problem {
  const notes = notesOf(schema);
  const { why, hint } = 'params' in issue ? (issue.params as { why?: string; hint?: string }) : {};
  const because = why === undefined || mustHide(node, notes) ? '' : ` (${why})`;
  const message = `${pathText(prefix, issue.path)}: ${expectation(issue)}${actualText(node, notes)}${because}`;
  return source.problem(node, message, hint ?? hintFor({ node, schema }, issue.path, notes));
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'invalid_type' || issue.message.startsWith('expected ')) return issue.message;
  return `expected ${issue.expected === 'array' ? 'a list' : 'a mapping of keys'}`;
}

/** Secrets are never quoted, nor is what a variable holds: it may be the wrong variable. */
function mustHide(node: Node | undefined, notes: KeyNotes | undefined): boolean {
  return notes?.isHidden === true || (isScalar(node) && typeof node.value === 'string' && hasReference(node.value));
}

/** What stands there instead, as it follows what was expected. */
function actualText(node: Node | undefined, notes: KeyNotes | undefined): string {
  if (isMap(node)) return ', but it is a mapping of keys';
  if (isSeq(node)) return ', but it is a list';
  if (!isScalar(node) || node.value === null) return ', but it is empty';
  const value = node.value as string | number | boolean;
  if (mustHide(node, notes)) return hiddenText(value, notes);
  return typeof value === 'string'
    ? `, but it is ${JSON.stringify(value)}`
    : `, but it is the ${typeof value} ${String(value)}`;
}

function hiddenText(value: string | number | boolean, notes: KeyNotes | undefined): string {
  if (typeof value !== 'string') return `, but it is a ${typeof value}`;
  return notes?.isHidden === true ? '' : `, but ${value} stands for something else`;
}

function hintFor({ node, schema }: Pick<Found, 'node' | 'schema'>, path: Path, notes: KeyNotes | undefined): string {
  if (notes === undefined) return 'see docs/configuration.md';
  if (!isScalar(node)) return `write it${exampleOf(path, notes)}`;
  if (node.value === null) return `give it a value${exampleOf(path, notes)}; put quotes around what begins with #`;
  const value = node.value as string | number | boolean;
  const hasUnit = /^a (?:duration|size) /.test(notes.expects);
  if (hasUnit && /^\d+$/.test(String(value))) return `give it a unit${exampleOf(path, notes)}`;
  const lacksQuotes = typeof value !== 'string' && schema?.safeParse(String(value)).success === true;
  return lacksQuotes ? 'put quotes around it' : `write it${exampleOf(path, notes)}`;
}

function exampleOf(path: Path, notes: KeyNotes | undefined): string {
  if (notes === undefined) return '';
  const key = path.at(-1);
  const place = typeof key === 'number' ? '- ' : `${String(key)}: `;
  return `, as in ${place}${exampleText(notes)}`;
}

function notesOf(schema: z.ZodType | undefined): KeyNotes | undefined {
  return schema === undefined ? undefined : keyNotes.get(schema);
}

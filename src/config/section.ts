import { isMap, isScalar, isSeq, type Node } from 'yaml';
import type { z } from 'zod';
import type { Environment } from './environment.js';
import { issueProblems } from './issues.js';
import type { Problem } from './problem.js';
import { expandReferences } from './references.js';
import { keyText, pathText, type Path, type YamlSource } from './yaml-source.js';

/** A part of the file as plain values, references expanded, and what stood against that. */
export interface Section {
  source: YamlSource;
  /** Where it stands; what it lacks is reported there. */
  node: Node;
  /** How the section is called in messages, with a dot behind it, or nothing. */
  prefix: string;
  value: unknown;
  problems: Problem[];
  /** Scalars whose references could not be expanded: reported already, their value is undefined. */
  unresolved: ReadonlySet<Node>;
}

export interface SectionInput {
  source: YamlSource;
  node: Node;
  prefix: string;
  env: Environment;
  /** Look at this key alone. Default: at all. */
  key?: string;
  /** Names scalars that stay as they are written, references and all. Default: none. */
  staysWritten?: (path: Path) => boolean;
}

export function readSection(input: SectionInput): Section {
  const { source, node, prefix, env, key: onlyKey, staysWritten = () => false } = input;
  const problems: Problem[] = [];
  const unresolved = new Set<Node>();
  const scalar = (value: unknown, at: Node, path: Path): unknown => {
    if (typeof value !== 'string' || staysWritten(path)) return value;
    const expansion = expandReferences(value, env);
    if ('text' in expansion) return expansion.text;
    const name = pathText(prefix, path);
    problems.push(...expansion.failures.map(({ message, hint }) => source.problem(at, `${name}: ${message}`, hint)));
    unresolved.add(at);
    return undefined;
  };
  const plain = (written: unknown, path: Path): unknown => {
    const at = source.follow(written);
    if (isSeq(at)) return at.items.map((item, index) => plain(item, [...path, index]));
    if (!isMap(at)) return isScalar(at) ? scalar(at.value, at, path) : undefined;
    const below = at.items.map(({ key, value }) => [keyText(key), plain(value, [...path, keyText(key)])] as const);
    return Object.fromEntries(below);
  };
  const value =
    onlyKey === undefined ? plain(node, []) : { [onlyKey]: plain(source.valueOf(node, onlyKey), [onlyKey]) };
  return { source, node, prefix, value, problems, unresolved };
}

/** The section as `schema` reads it; undefined where it has problems, which are all in `problems`. */
export function checkSection<T extends z.ZodType>(
  section: Section,
  schema: T,
): { data: z.output<T> | undefined; problems: Problem[] } {
  const result = schema.safeParse(section.value);
  const problems = [
    ...section.problems,
    ...(result.success ? [] : issueProblems(section, schema, result.error.issues)),
  ];
  return { data: result.success && problems.length === 0 ? result.data : undefined, problems };
}

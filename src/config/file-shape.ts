import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { z } from 'zod';
import { ENTRY_KEYS } from './entries.js';
import { issueProblems } from './issues.js';
import type { Problem } from './problem.js';
import { keyText, type YamlSource } from './yaml-source.js';

const entriesSchema = z.array(z.unknown()).nullish();
const shapeSchema = z.strictObject({
  [ENTRY_KEYS.database]: entriesSchema,
  [ENTRY_KEYS.volume]: entriesSchema,
  backup_config: z.looseObject({}),
});

/** What is wrong with the outermost level of the file. What lies below is checked on its own. */
export function fileProblems(source: YamlSource): Problem[] {
  const node = source.root;
  if (node === undefined || (isScalar(node) && node.value === null)) {
    return [source.problem(node, 'the file is empty', 'see docs/configuration.md for what belongs there')];
  }
  const result = shapeSchema.safeParse(shallow(source, node));
  const section = { source, node, prefix: '', value: undefined, problems: [], unresolved: new Set<Node>() };
  return result.success ? [] : issueProblems(section, shapeSchema, result.error.issues);
}

function shallow(source: YamlSource, node: Node): unknown {
  if (!isMap(node)) return kindOf(node);
  return Object.fromEntries(node.items.map(({ key, value }) => [keyText(key), kindOf(source.follow(value))]));
}

/** A value of the same kind, empty: references below are not looked at here. */
function kindOf(node: Node | undefined): unknown {
  if (isMap(node)) return {};
  if (isSeq(node)) return [];
  return isScalar(node) ? node.value : null;
}

import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto'; // CommonJS without named exports
import { SEARCH_ATTRIBUTES, type SearchAttributeName } from '../domain/search-attributes.js';

const ANSWER_TIMEOUT_MS = 3_000;
/** Elasticsearch takes its time for new ones. */
const ADD_TIMEOUT_MS = 15_000;
/** How long an answer holds: thousands of targets ask, and a workflow task that failed is tried again after this at the latest. */
const FRESH_MS = 2_000;

type Type = (typeof SEARCH_ATTRIBUTES)[SearchAttributeName];
const NAMES = Object.keys(SEARCH_ATTRIBUTES) as SearchAttributeName[];
/** As the `temporal` program writes them. */
const TYPE_WORDS: Record<Type, string> = { KEYWORD: 'Keyword', KEYWORD_LIST: 'KeywordList' };

export interface SearchAttributesFound {
  missing: SearchAttributeName[];
  /** There, but with another type: only a person can tell whose they are. */
  mistyped: SearchAttributeName[];
}

/** How the namespace stands to the search attributes that runs use. Rejects where the server does not say. */
export async function findSearchAttributes(client: Client): Promise<SearchAttributesFound> {
  const { namespace } = client.options;
  const { customAttributes } = await client.withDeadline(Date.now() + ANSWER_TIMEOUT_MS, () =>
    client.connection.operatorService.listSearchAttributes({ namespace }),
  );
  const isThere = (name: string) => customAttributes[name] !== undefined;
  return {
    missing: NAMES.filter((name) => !isThere(name)),
    mistyped: NAMES.filter((name) => isThere(name) && customAttributes[name] !== typeNumber(name)),
  };
}

/** Registers what is missing. Resolves with a warning for people where runs have to do without, with what to do about it. */
export async function registerSearchAttributes(client: Client): Promise<string | undefined> {
  try {
    const { missing } = await findSearchAttributes(client);
    if (missing.length > 0) await add(client, missing);
    return missingText(await findSearchAttributes(client), client.options.namespace);
  } catch (error) {
    const { details } = error as { details?: string };
    return withHint(details ?? String(error), NAMES, client.options.namespace);
  }
}

async function add(client: Client, names: readonly SearchAttributeName[]): Promise<void> {
  const searchAttributes = Object.fromEntries(names.map((name) => [name, typeNumber(name)]));
  const { namespace } = client.options;
  await client.withDeadline(Date.now() + ADD_TIMEOUT_MS, () =>
    client.connection.operatorService.addSearchAttributes({ namespace, searchAttributes }),
  );
}

/** What is wrong and what to do about it, in two lines; undefined where all are there. */
export function missingText({ missing, mistyped }: SearchAttributesFound, namespace: string): string | undefined {
  if (mistyped.length > 0) {
    const types = mistyped.map((name) => `${name} is no ${TYPE_WORDS[SEARCH_ATTRIBUTES[name]]}`).join(', ');
    const flags = mistyped.map((name) => `--name ${name}`).join(' ');
    const remove = `temporal operator search-attribute remove --namespace ${namespace} ${flags}`;
    return `${CANNOT} ${types}\nHINT: where nobody else uses them: ${remove}; then start the worker again`;
  }
  return missing.length === 0
    ? undefined
    : withHint(`the namespace ${namespace} lacks ${missing.join(', ')}`, missing, namespace);
}

const CANNOT = 'cannot make runs searchable by target and outcome: because';

function withHint(reason: string, names: readonly SearchAttributeName[], namespace: string): string {
  const flags = names.map((name) => `--name ${name} --type ${TYPE_WORDS[SEARCH_ATTRIBUTES[name]]}`).join(' ');
  return `${CANNOT} ${reason}\nHINT: temporal operator search-attribute create --namespace ${namespace} ${flags}`;
}

/** Whether runs may use them now; false also where the server does not say. Cheap: an answer is used for two seconds. */
export function searchAttributeProbe(client: Client): () => Promise<boolean> {
  let last = { at: 0, answer: Promise.resolve(false) };
  const ask = async () => {
    const { missing, mistyped } = await findSearchAttributes(client);
    return missing.length + mistyped.length === 0;
  };
  return () => {
    if (Date.now() - last.at > FRESH_MS) last = { at: Date.now(), answer: ask().catch(() => false) };
    return last.answer;
  };
}

function typeNumber(name: SearchAttributeName): proto.temporal.api.enums.v1.IndexedValueType {
  return proto.temporal.api.enums.v1.IndexedValueType[`INDEXED_VALUE_TYPE_${SEARCH_ATTRIBUTES[name]}`];
}

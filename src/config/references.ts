import { readFileSync } from 'node:fs';
import type { Environment } from './environment.js';

const REFERENCE = /\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-((?:(?!\$\{)[^}])*))?\})?/g;
const REFERENCES_ALONE = /^(?:\$\{[A-Za-z_][A-Za-z0-9_]*\})+$/;

export interface ReferenceFailure {
  message: string;
  hint: string;
}

export type Expansion = { text: string } | { failures: ReferenceFailure[] };

/** Whether `text` consists of `${NAME}` alone: no literal, no default. Such text may travel; it holds no secret. */
export function isReferencesAlone(text: string): boolean {
  return REFERENCES_ALONE.test(text);
}

export function hasReference(text: string): boolean {
  return text.includes('${');
}

/**
 * Replaces `${NAME}` and `${NAME:-default}`, or says everything that stands against it.
 * Where NAME is unset and NAME_FILE names a file, that file's content counts, read now, without one trailing newline.
 * What was put in is not looked at again; a `$` that begins no `${` stays.
 */
export function expandReferences(text: string, env: Environment): Expansion {
  const failures: ReferenceFailure[] = [];
  const expanded = text.replace(REFERENCE, (_whole, name: string | undefined, fallback: string | undefined) => {
    const value = name === undefined ? INVALID : valueOf(name, fallback, env);
    if (typeof value === 'string') return value;
    failures.push(value);
    return '';
  });
  return failures.length === 0 ? { text: expanded } : { failures };
}

/** Of each variable that `text` may refer to and that has no value of its own, what the file that stands for it says. */
export function readSecretFiles(text: string, env: Environment): Record<string, string | ReferenceFailure | undefined> {
  const names = Object.keys(env).flatMap((name) => /^(.+)_FILE$/.exec(name)?.[1] ?? []);
  const used = names.filter((name) => env[name] === undefined && text.includes(`\${${name}`));
  return Object.fromEntries(used.map((name) => [name, readSecretFile(name, env)]));
}

const INVALID: ReferenceFailure = {
  message: 'a `${` begins no valid reference',
  hint: 'write ${NAME} or ${NAME:-default}; a default holds no } and no reference of its own',
};

function valueOf(name: string, fallback: string | undefined, env: Environment): string | ReferenceFailure {
  const value = env[name] ?? readSecretFile(name, env);
  if (typeof value === 'object') return value;
  if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
  return (
    value ?? { message: `the variable ${name} is not set`, hint: `set ${name} in stack.env or in the environment` }
  );
}

function readSecretFile(name: string, env: Environment): string | ReferenceFailure | undefined {
  const file = env[`${name}_FILE`];
  if (file === undefined || file === '') return undefined;
  try {
    // A BOM is content here, and a byte that is no UTF-8 must not become another one silently.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file));
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = code.startsWith('ERR_ENCODING') ? 'bytes that are no UTF-8' : code;
    return {
      message: `cannot read the file that ${name}_FILE names: because of ${why}`,
      hint: `let ${name}_FILE name a text file that this user may read, or set ${name}`,
    };
  }
}

import { BackupError } from '../domain/errors.js';
import type { ServerLogin } from '../domain/target.js';
import type { Environment } from './environment.js';
import { expandReferences } from './references.js';

/** Variables whose values are secrets whatever the file says. */
const SECRET_VARIABLES = [
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS_CLIENT_KEY_DATA',
  'PGPASSWORD',
];

export interface PasswordsInput {
  env: Environment;
  /** Target name to the password as the file has it, disabled targets too. */
  written: ReadonlyMap<string, string>;
}

/** Resolves passwords when they are used, and remembers all it has seen, so that they can be kept out of what is shown. */
export class Passwords {
  readonly #env: Environment;
  readonly #written: ReadonlyMap<string, string>;
  readonly #seen = new Set<string>();
  #listed: readonly string[] | undefined;

  constructor({ env, written }: PasswordsInput) {
    this.#env = env;
    this.#written = written;
    for (const name of SECRET_VARIABLES) this.#remember(env[name]);
    for (const text of written.values()) {
      const expansion = expandReferences(text, env);
      this.#remember('text' in expansion ? expansion.text : undefined);
    }
  }

  /**
   * The password of `target`: its template where it has one, else what this file has under its name; undefined where
   * that is nothing. Files are read anew. Throws a BackupError (`ConfigInvalid`), never with a value.
   */
  passwordOf({ name, connection }: ServerLogin): string | undefined {
    const text = this.#textOf({ name, connection });
    if (text === undefined) return undefined;
    const expansion = expandReferences(text, this.#env);
    if ('failures' in expansion) throw unresolvable(name, expansion.failures.map(({ message }) => message).join('; '));
    this.#remember(expansion.text);
    if (/[\r\n\0]/.test(expansion.text)) throw unresolvable(name, 'it holds a line break or NUL');
    return expansion.text;
  }

  hasPassword(target: ServerLogin): boolean {
    return this.#textOf(target) !== undefined;
  }

  /** The same list until there is one more. */
  secrets(): readonly string[] {
    return (this.#listed ??= [...this.#seen]);
  }

  #textOf({ name, connection }: ServerLogin): string | undefined {
    return connection.passwordTemplate ?? this.#written.get(name);
  }

  #remember(secret: string | undefined): void {
    if (secret === undefined || secret === '' || this.#seen.has(secret)) return;
    this.#seen.add(secret);
    this.#listed = undefined;
  }
}

function unresolvable(target: string, why: string): BackupError {
  return new BackupError('ConfigInvalid', `cannot read the password of ${target}: because ${why}`, {
    hint: 'set its variable where this worker runs: in stack.env, in the environment, or as NAME_FILE',
  });
}

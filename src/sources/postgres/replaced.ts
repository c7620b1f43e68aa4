import { BackupError } from '../../domain/errors.js';
import type { DatabaseProperties } from '../../domain/manifest.js';
import { queryJson, type Session } from './connection.js';
import { readProperties } from './properties.js';
import { quoteIdentifier, quoteLiteral } from './quoting.js';

/** The database that a restore in place replaces. */
export interface Replaced {
  /** What it is, whatever it is called. */
  oid: string;
  /** Absent where the user may not ask. */
  sizeBytes?: number;
}

interface Facts {
  oid: string;
  sizeBytes: number | null;
  mayRename: boolean;
  owner: string;
  slots: string[];
  subscriptions: string[];
  preparedTransactions: string[];
  outOfReach: string[];
}

/** What must not lie on a database whose name changes, as SQL of names; `d` is its row of pg_database. */
export const OBSTACLES = {
  slots: 'SELECT slot_name FROM pg_replication_slots WHERE database = d.datname',
  subscriptions: 'SELECT subname FROM pg_subscription WHERE subdbid = d.oid',
  preparedTransactions: 'SELECT gid FROM pg_prepared_xacts WHERE database = d.datname',
} as const;

/** Roles whose sessions this user may end, by the rules of pg_terminate_backend. `r` is a row of pg_roles. */
export const MAY_END = `(me.rolsuper
  OR NOT r.rolsuper AND (pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))`;

const names = (sql: string) => `(SELECT coalesce(jsonb_agg(name ORDER BY name), '[]') FROM (${sql}) found (name))`;

const query = (database: string) => `
SELECT jsonb_build_object(
  'oid', d.oid::text,
  'owner', pg_get_userbyid(d.datdba),
  'sizeBytes', CASE WHEN has_database_privilege(d.oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
    THEN pg_database_size(d.oid) END,
  'mayRename', me.rolsuper OR (me.rolcreatedb AND pg_has_role(d.datdba, 'USAGE')),
  'slots', ${names(OBSTACLES.slots)},
  'subscriptions', ${names(OBSTACLES.subscriptions)},
  'preparedTransactions', ${names(OBSTACLES.preparedTransactions)},
  'outOfReach', ${names(`SELECT DISTINCT r.rolname FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
    WHERE a.datid = d.oid AND NOT ${MAY_END}`)}
) FROM pg_database d, pg_roles me WHERE d.datname = ${quoteLiteral(database)} AND me.rolname = current_user`;

/** A database of the server's own: what is made without naming a template is a copy of it. */
const UNREPLACEABLE = ['template0', 'template1'];

/**
 * Refuses what could not be replaced without loss, or not by this user. Errors: NotFound where it does not exist, Conflict, LoginRefused,
 * ConfigInvalid.
 */
export async function requireReplaceable(server: Session, database: string): Promise<Replaced> {
  const cannot = (...[code, reason, hint]: Refusal) =>
    new BackupError(code, `cannot replace the database ${database}: because ${reason}`, { hint, retryable: false });
  if (UNREPLACEABLE.includes(database)) {
    throw cannot('ConfigInvalid', 'the server makes others from it', 'restore it under another name with `--into`');
  }
  const all = await queryJson<Facts[]>(
    server,
    `SELECT coalesce(jsonb_agg(f), '[]') FROM (${query(database)}) found (f)`,
  );
  const [facts] = all;
  if (facts === undefined) {
    throw cannot('NotFound', 'the server has none of that name', 'leave out `--in-place`, and it is made');
  }
  const refusal = refusalOf(facts);
  if (refusal !== undefined) throw cannot(...refusal);
  return { oid: facts.oid, ...(facts.sizeBytes !== null && { sizeBytes: facts.sizeBytes }) };
}

type Refusal = [code: 'Conflict' | 'LoginRefused' | 'ConfigInvalid' | 'NotFound', reason: string, hint: string];

function refusalOf({ mayRename, owner, ...facts }: Facts): Refusal | undefined {
  const { slots, subscriptions, preparedTransactions, outOfReach } = facts;
  if (!mayRename) {
    const reason = `the user of the target may not rename it, which its owner ${quoteIdentifier(owner)} with CREATEDB may`;
    return [
      'LoginRefused',
      reason,
      'make the user a member of that role and ALTER ROLE … CREATEDB, or restore beside it with `--into`',
    ];
  }
  if (slots.length > 0) {
    const hint =
      'a slot goes on with the old database: drop it (SELECT pg_drop_replication_slot(…)), and set its replica up anew afterwards';
    return ['Conflict', `it has ${listed('replication slot', slots)}`, hint];
  }
  if (subscriptions.length > 0) {
    const hint = 'a subscription goes on with the old database: DROP SUBSCRIPTION there, and make it again afterwards';
    return ['Conflict', `it has ${listed('subscription', subscriptions)}`, hint];
  }
  if (preparedTransactions.length > 0) {
    const hint = 'finish them in that database first: COMMIT PREPARED or ROLLBACK PREPARED';
    return ['Conflict', `it has ${listed('prepared transaction', preparedTransactions)}`, hint];
  }
  if (outOfReach.length > 0) {
    const hint =
      'close them, or GRANT pg_signal_backend TO the user of the target (sessions of superusers only a superuser may end)';
    return [
      'LoginRefused',
      `the user of the target may not end the sessions of ${outOfReach.map(quoteIdentifier).join(', ')} in it`,
      hint,
    ];
  }
  return undefined;
}

/** `the replication slot "a"`, `the replication slots "a", "b"`. */
function listed(what: string, all: readonly string[]): string {
  return `the ${what}${all.length === 1 ? '' : 's'} ${all.map(quoteIdentifier).join(', ')}`;
}

const PROPERTIES = {
  owner: 'owner',
  encoding: 'encoding',
  collate: 'collation',
  ctype: 'character classes',
  locale: 'locale',
  tablespace: 'tablespace',
  connectionLimit: 'connection limit',
  isTemplate: 'being a template',
  comment: 'comment',
  acl: 'grants',
  settings: 'settings',
} as const satisfies Partial<Record<keyof DatabaseProperties, string>>;

/** What a database is besides its content, and was not when it was backed up: a restored one is as it was. */
export async function changedProperties(
  server: Session,
  database: string,
  before: DatabaseProperties,
): Promise<string[]> {
  const now = await readProperties(server, database);
  const isChanged = (key: keyof typeof PROPERTIES) => JSON.stringify(now[key]) !== JSON.stringify(before[key]);
  return (Object.keys(PROPERTIES) as (keyof typeof PROPERTIES)[]).filter(isChanged).map((key) => PROPERTIES[key]);
}

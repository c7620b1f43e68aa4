import { quoteIdentifier } from './quoting.js';

/** One entry of an access control list: what `grantor` gave to `grantee`. */
export interface AclItem {
  /** Absent: PUBLIC. */
  grantee?: string;
  grantor: string;
  privileges: { name: string; grantable: boolean }[];
}

/** The privileges that there are on a database, by their letters. */
const DATABASE_PRIVILEGES: Record<string, string> = { C: 'CREATE', T: 'TEMPORARY', c: 'CONNECT' };
const ACL_ITEM = /^("(?:[^"]|"")*"|[^"=]*)=([A-Za-z*]*)\/("(?:[^"]|"")*"|[^"]*)$/s;

/** Reads PostgreSQL's text of an `aclitem` of a database: `"odd ""name"""=Tc*\/owner`. */
export function parseAclItem(text: string): AclItem {
  const [, grantee = '', letters = '', grantor = ''] = ACL_ITEM.exec(text) ?? [];
  const privileges = [...letters.matchAll(/([A-Za-z])(\*?)/g)].map(([, letter = '', star]) => ({
    name: DATABASE_PRIVILEGES[letter] ?? unknownPrivilege(letter, text),
    grantable: star === '*',
  }));
  return { grantor: unquote(grantor), privileges, ...(grantee === '' ? {} : { grantee: unquote(grantee) }) };
}

export function rolesOfAcl(acl: readonly string[]): string[] {
  return acl
    .map(parseAclItem)
    .flatMap(({ grantee, grantor }) => (grantee === undefined ? [grantor] : [grantee, grantor]));
}

export interface AclOwners {
  database: string;
  /** The owner in the list. */
  owner: string;
  /**
   * Absent: everything as it was. Present: the user who restores owns the database and has granted all of it, and roles
   * that are not in `roles` go without.
   */
  instead?: { roles: ReadonlySet<string> };
}

/** The statements that turn a new database's default privileges into `acl`, entry by entry and in its order. */
export function grantStatements(acl: readonly string[], { database, owner, instead }: AclOwners): string[] {
  const on = `ON DATABASE ${quoteIdentifier(database)}`;
  const name = (role: string) => (instead !== undefined && role === owner ? 'CURRENT_USER' : quoteIdentifier(role));
  const grants = acl
    .map(parseAclItem)
    .filter(({ grantee }) => grantee === undefined || grantee === owner || (instead?.roles.has(grantee) ?? true))
    .flatMap(({ grantee, grantor, privileges }) => {
      const to = grantee === undefined ? 'PUBLIC' : name(grantee);
      const lines = privileges.map(
        (privilege) => `GRANT ${privilege.name} ${on} TO ${to}${privilege.grantable ? ' WITH GRANT OPTION' : ''};`,
      );
      // A grant is the current user's; what another role handed on has to be granted as that role.
      const handedOn = instead === undefined && grantor !== owner;
      return handedOn ? [`SET LOCAL ROLE ${quoteIdentifier(grantor)};`, ...lines, 'RESET ROLE;'] : lines;
    });
  return [`REVOKE ALL ${on} FROM PUBLIC, ${name(owner)};`, ...grants];
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

function unknownPrivilege(letter: string, text: string): never {
  throw new Error(`cannot read the privileges ${text}: because ${letter} is none of a database`);
}

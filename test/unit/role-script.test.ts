import { describe, expect, it } from 'vitest';
import { planRoles, type RoleScript } from '../../src/sources/postgres/role-script.js';

/** As pg_dumpall writes it, in any order that may come. */
const DUMP = `--
-- PostgreSQL database cluster dump
--

\\restrict abc

SET default_transaction_read_only = off;
SET client_encoding = 'UTF8';

CREATE ROLE owner;
ALTER ROLE owner WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS VALID UNTIL '2099-01-01';
COMMENT ON ROLE owner IS 'CREATE ROLE fake; GRANT team TO owner;';
SECURITY LABEL FOR selinux ON ROLE owner IS 'x';
CREATE ROLE team;
ALTER ROLE team WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
CREATE ROLE "Té""am
2";
CREATE ROLE friend;
-- CREATE ROLE commented;
ALTER ROLE owner SET search_path TO 'a;', 'b';
ALTER ROLE friend SET work_mem TO '1MB';
GRANT team TO owner WITH ADMIN OPTION, INHERIT FALSE GRANTED BY boss;
GRANT "Té""am
2" TO team GRANTED BY postgres;
GRANT pg_new TO team;
GRANT owner TO friend;
GRANT SET ON PARAMETER work_mem TO owner;

--
-- PostgreSQL database cluster dump complete
--

\\unrestrict abc
`;

function plan(wanted: string[], existing: string[] = [], serverVersionNumber = 160_000): RoleScript {
  return planRoles({ dump: Buffer.from(DUMP), wanted, existing, serverVersionNumber });
}

function statementsOf({ sql }: RoleScript): string[] {
  return sql.toString().split(/(?<=;)\n/);
}

describe('the roles of globals', () => {
  it('are made with what they are members of, and with nothing that is usual', () => {
    const script = plan(['owner', 'friend'], ['friend']);
    expect(script.roles).toEqual(['owner', 'team', 'Té"am\n2']);
    expect(statementsOf(script)).toEqual([
      'SET default_transaction_read_only = off;',
      "SET client_encoding = 'UTF8';",
      'BEGIN;',
      'CREATE ROLE owner;',
      "ALTER ROLE owner WITH LOGIN VALID UNTIL '2099-01-01';",
      "COMMENT ON ROLE owner IS 'CREATE ROLE fake; GRANT team TO owner;';",
      'CREATE ROLE team;',
      'CREATE ROLE "Té""am\n2";',
      "ALTER ROLE owner SET search_path TO 'a;', 'b';",
      'GRANT team TO owner WITH ADMIN OPTION , INHERIT FALSE;',
      'GRANT "Té""am\n2" TO team;',
      'COMMIT;',
      '',
    ]);
    expect(script.undoSql.toString()).toContain('DROP ROLE owner, team, "Té""am\n2";');
    expect(script.warnings).toEqual([
      'team is no member of pg_new, which the server lacks',
      'the roles have no passwords: their globals hold none',
    ]);
  });

  it('become members of groups that are there, and groups that are there get no other', () => {
    const script = plan(['owner', 'friend'], ['team', 'pg_new']);
    expect(script.roles).toEqual(['owner', 'friend']);
    const grants = statementsOf(script).filter((statement) => statement.startsWith('GRANT'));
    expect(grants).toEqual(['GRANT team TO owner WITH ADMIN OPTION , INHERIT FALSE;', 'GRANT owner TO friend;']);
  });

  it('are members on older servers as those know it', () => {
    expect(statementsOf(plan(['owner'], [], 150_018))).toContain('GRANT team TO owner WITH ADMIN OPTION;');
  });

  it('are none where nothing is missing, and those that the dump does not make are told', () => {
    expect(plan(['owner', 'gone', 'commented', 'fake'], ['owner'])).toMatchObject({
      ...{ roles: [], unknown: ['gone', 'commented', 'fake'], warnings: [] },
    });
  });
});

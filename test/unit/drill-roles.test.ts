import { expect, test } from 'vitest';
import { rolesByName, rolesOfGlobals, tablespaceStatements } from '../../src/drill/cluster-roles.js';
import { DumpCollector } from '../../src/drill/dump-contents.js';

const GLOBALS = `--
-- PostgreSQL database cluster dump
--
\\restrict x
SET default_transaction_read_only = off;
CREATE ROLE alpha;
ALTER ROLE alpha WITH SUPERUSER;
CREATE ROLE "Boss; Role";
ALTER ROLE "Boss; Role" WITH SUPERUSER INHERIT LOGIN PASSWORD 'CREATE ROLE x;';
CREATE ROLE minstrel;
ALTER ROLE minstrel WITH NOSUPERUSER NOLOGIN;
CREATE ROLE other;
ALTER ROLE other WITH SUPERUSER;
GRANT minstrel TO other WITH ADMIN OPTION, INHERIT TRUE GRANTED BY "Boss; Role";
GRANT pg_monitor TO minstrel WITH INHERIT TRUE GRANTED BY "Boss; Role";
GRANT minstrel TO minstrel2 GRANTED BY other;
CREATE TABLESPACE "Fast ""disk""" OWNER other LOCATION '/mnt/it''s';
`;

test('the superuser who granted most is whom the cluster is born with, and is not made again', () => {
  const { bootstrap, statements } = rolesOfGlobals(GLOBALS);
  expect(bootstrap).toBe('Boss; Role');
  expect(statements.map((text) => text.trim().split('\n').at(-1))).toEqual([
    'SET default_transaction_read_only = off;',
    'CREATE ROLE alpha;',
    'ALTER ROLE alpha WITH SUPERUSER;',
    `ALTER ROLE "Boss; Role" WITH SUPERUSER INHERIT LOGIN PASSWORD 'CREATE ROLE x;';`,
    'CREATE ROLE minstrel;',
    'ALTER ROLE minstrel WITH NOSUPERUSER NOLOGIN;',
    'CREATE ROLE other;',
    'ALTER ROLE other WITH SUPERUSER;',
    'GRANT minstrel TO other WITH ADMIN OPTION, INHERIT TRUE GRANTED BY "Boss; Role";',
    'GRANT pg_monitor TO minstrel WITH INHERIT TRUE GRANTED BY "Boss; Role";',
    'GRANT minstrel TO minstrel2 GRANTED BY other;',
    `CREATE TABLESPACE "Fast ""disk""" OWNER other LOCATION '';`,
  ]);
  expect(tablespaceStatements(['"Fast ""disk"""', 'more'], statements)).toEqual([
    `CREATE TABLESPACE more LOCATION '';`,
  ]);
});

test('without grants it is postgres, else the first superuser, else unknown', () => {
  const of = (...names: string[]) =>
    rolesOfGlobals(names.map((name) => `CREATE ROLE ${name}; ALTER ROLE ${name} WITH SUPERUSER;`).join('\n')).bootstrap;
  expect(of('alpha', 'postgres')).toBe('postgres');
  expect(of('alpha', 'beta')).toBe('alpha');
  expect(rolesOfGlobals('CREATE ROLE a; ALTER ROLE a WITH NOSUPERUSER;').bootstrap).toBeUndefined();
});

test('made by their names, only owners of what superusers own are superusers', () => {
  const collector = new DumpCollector();
  collector.push(Buffer.from('-- Name: watch; Type: EVENT TRIGGER; Schema: -; Owner: wächter\n\n'));
  const roles = ['lord', 'postgres', 'pg_monitor', 'wächter', 'a"b'];
  const { bootstrap, statements } = rolesByName(roles, collector.end());
  expect(bootstrap).toBe('postgres');
  expect(statements.map((text) => Buffer.from(text, 'latin1').toString())).toEqual([
    'CREATE ROLE "lord" NOLOGIN;',
    'CREATE ROLE "wächter" NOLOGIN SUPERUSER;',
    'CREATE ROLE "a""b" NOLOGIN;',
  ]);
});

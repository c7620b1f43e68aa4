import { expect, test } from 'vitest';
import { grantStatements, parseAclItem, rolesOfAcl } from '../../src/sources/postgres/acl.js';
import { splitIdentifiers } from '../../src/sources/postgres/quoting.js';

test.each([
  ['=Tc/postgres', { grantor: 'postgres', privileges: ['TEMPORARY', 'CONNECT'] }],
  ['reader=c*/lord', { grantee: 'reader', grantor: 'lord', privileges: ['CONNECT*'] }],
  [
    '"o\'w ""x""=y/z"=CTc/"a/b"',
    { grantee: 'o\'w "x"=y/z', grantor: 'a/b', privileges: ['CREATE', 'TEMPORARY', 'CONNECT'] },
  ],
  ['"new\nline"=/x', { grantee: 'new\nline', grantor: 'x', privileges: [] }],
])('%j is read', (text, { privileges, ...roles }) => {
  const item = parseAclItem(text);
  expect({ ...item, privileges: item.privileges.map(({ name, grantable }) => name + (grantable ? '*' : '')) }).toEqual({
    ...roles,
    privileges,
  });
});

test('a privilege that no database has is not passed over', () => {
  expect(() => parseAclItem('reader=r/lord')).toThrow('cannot read the privileges reader=r/lord');
});

const ACL = ['=c/lord', 'lord=CTc/lord', 'reader=c*/lord', 'guest=c/reader', '"Gone"=C/lord'];

test('roles are grantees and grantors, PUBLIC is none', () => {
  expect([...new Set(rolesOfAcl(ACL))]).toEqual(['lord', 'reader', 'guest', 'Gone']);
});

test('grants start from nothing and are made by who made them', () => {
  expect(grantStatements(ACL, { database: 'd"b', owner: 'lord' })).toEqual([
    'REVOKE ALL ON DATABASE "d""b" FROM PUBLIC, "lord";',
    'GRANT CONNECT ON DATABASE "d""b" TO PUBLIC;',
    'GRANT CREATE ON DATABASE "d""b" TO "lord";',
    'GRANT TEMPORARY ON DATABASE "d""b" TO "lord";',
    'GRANT CONNECT ON DATABASE "d""b" TO "lord";',
    'GRANT CONNECT ON DATABASE "d""b" TO "reader" WITH GRANT OPTION;',
    'SET LOCAL ROLE "reader";',
    'GRANT CONNECT ON DATABASE "d""b" TO "guest";',
    'RESET ROLE;',
    'GRANT CREATE ON DATABASE "d""b" TO "Gone";',
  ]);
});

test('without owners the restoring user stands in, and missing roles go without', () => {
  expect(grantStatements(ACL, { database: 'db', owner: 'lord', instead: { roles: new Set(['guest']) } })).toEqual([
    'REVOKE ALL ON DATABASE "db" FROM PUBLIC, CURRENT_USER;',
    'GRANT CONNECT ON DATABASE "db" TO PUBLIC;',
    'GRANT CREATE ON DATABASE "db" TO CURRENT_USER;',
    'GRANT TEMPORARY ON DATABASE "db" TO CURRENT_USER;',
    'GRANT CONNECT ON DATABASE "db" TO CURRENT_USER;',
    'GRANT CONNECT ON DATABASE "db" TO "guest";',
  ]);
});

test('lists of names are split as PostgreSQL does', () => {
  expect(splitIdentifiers('"$user", public, "a,b", "q""q", ""')).toEqual(['$user', 'public', 'a,b', 'q"q', '']);
  expect(splitIdentifiers('')).toEqual([]);
});

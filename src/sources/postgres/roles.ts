import type { DatabaseProperties } from '../../domain/manifest.js';
import { rolesOfAcl } from './acl.js';

/** Catalogs whose objects a dump makes: their columns of owner and privileges. */
const CATALOGS: readonly { catalog: string; owner?: string; acl?: string }[] = [
  { catalog: 'pg_class', owner: 'relowner', acl: 'relacl' },
  { catalog: 'pg_proc', owner: 'proowner', acl: 'proacl' },
  { catalog: 'pg_type', owner: 'typowner', acl: 'typacl' },
  { catalog: 'pg_namespace', owner: 'nspowner', acl: 'nspacl' },
  { catalog: 'pg_language', owner: 'lanowner', acl: 'lanacl' },
  { catalog: 'pg_largeobject_metadata', owner: 'lomowner', acl: 'lomacl' },
  { catalog: 'pg_foreign_data_wrapper', owner: 'fdwowner', acl: 'fdwacl' },
  { catalog: 'pg_foreign_server', owner: 'srvowner', acl: 'srvacl' },
  { catalog: 'pg_default_acl', owner: 'defaclrole', acl: 'defaclacl' },
  { catalog: 'pg_operator', owner: 'oprowner' },
  { catalog: 'pg_opclass', owner: 'opcowner' },
  { catalog: 'pg_opfamily', owner: 'opfowner' },
  { catalog: 'pg_conversion', owner: 'conowner' },
  { catalog: 'pg_collation', owner: 'collowner' },
  { catalog: 'pg_ts_config', owner: 'cfgowner' },
  { catalog: 'pg_ts_dict', owner: 'dictowner' },
  { catalog: 'pg_statistic_ext', owner: 'stxowner' },
  { catalog: 'pg_event_trigger', owner: 'evtowner' },
  { catalog: 'pg_publication', owner: 'pubowner' },
];

/** Objects below are the server's own. */
const FIRST_NORMAL_OID = 16384;

function isExtensionMember(classId: string, objectId: string): string {
  return `EXISTS (SELECT FROM pg_depend e WHERE e.deptype = 'e' AND e.classid = ${classId} AND e.objid = ${objectId})`;
}

/**
 * pg_shdepend knows every role that objects of this database name, but for the server's own (the bootstrap superuser, the
 * `pg_…` roles), which nothing can drop. It also has the owners of extensions and their members, which a dump does not name.
 */
const DEPENDENCIES = `
SELECT s.refobjid FROM pg_shdepend s
WHERE s.refclassid = 'pg_authid'::regclass AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND s.classid <> 'pg_extension'::regclass AND s.deptype <> 'i'
  AND NOT (s.deptype = 'o' AND ${isExtensionMember('s.classid', 's.objid')})`;

/** Hence those from the objects themselves. */
function ownersAndGrantees({ catalog, owner, acl }: (typeof CATALOGS)[number]): string[] {
  const own = `o.oid >= ${String(FIRST_NORMAL_OID)} AND NOT ${isExtensionMember(`'${catalog}'::regclass`, 'o.oid')}`;
  return [
    ...(owner === undefined ? [] : [`SELECT o.${owner} FROM ${catalog} o WHERE ${own}`]),
    ...(acl === undefined
      ? []
      : [`SELECT unnest(ARRAY[a.grantee, a.grantor]) FROM ${catalog} o, aclexplode(o.${acl}) a WHERE ${own}`]),
  ];
}

const OTHERS = [
  `SELECT unnest(ARRAY[a.grantee, a.grantor]) FROM pg_attribute o, aclexplode(o.attacl) a
   WHERE o.attrelid >= ${String(FIRST_NORMAL_OID)} AND NOT ${isExtensionMember(`'pg_class'::regclass`, 'o.attrelid')}`,
  'SELECT unnest(polroles) FROM pg_policy',
  'SELECT umuser FROM pg_user_mappings',
  'SELECT subowner FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())',
];

/** Names of the roles that objects of this database name. */
export const ROLES_QUERY = `
SELECT coalesce(jsonb_agg(DISTINCT r.rolname ORDER BY r.rolname), '[]') FROM pg_roles r
WHERE r.oid IN (${[DEPENDENCIES, ...CATALOGS.flatMap(ownersAndGrantees), ...OTHERS].join('\nUNION ALL ')})
`;

/** The roles that a restore needs: those the dump names, and those of the database's own properties. Sorted. */
export function rolesToRestore(named: readonly string[], properties: DatabaseProperties): string[] {
  const { owner, acl = [], settings } = properties;
  const ofSettings = settings.flatMap(({ role }) => (role === undefined ? [] : [role]));
  return [...new Set([...named, owner, ...rolesOfAcl(acl), ...ofSettings])].sort();
}

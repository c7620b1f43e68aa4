import type { DatabaseProperties } from '../../domain/manifest.js';
import { grantStatements } from './acl.js';
import { quoteIdentifier, quoteLiteral, splitIdentifiers } from './quoting.js';

/** Servers before know one provider only, and no word for it. */
const FIRST_WITH_PROVIDERS = 150_000;

const DEFAULT_TABLESPACE = 'pg_default';

/** Settings that hold lists of names: quoted as one text, `a, b` would become one name. */
const LIST_SETTINGS = new Set([
  'local_preload_libraries',
  'search_path',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

export interface CreateInput {
  name: string;
  properties: DatabaseProperties;
  serverVersionNumber: number;
  /** Without it the database belongs to the user who makes it. */
  withOwner: boolean;
}

/** `CREATE DATABASE` from template0, which alone takes any encoding and locale. */
export function createStatement({ name, properties, serverVersionNumber, withOwner }: CreateInput): string {
  const { owner, encoding, collate, ctype, localeProvider, locale, icuRules, tablespace } = properties;
  const options = [
    'TEMPLATE template0',
    ...(withOwner ? [`OWNER ${quoteIdentifier(owner)}`] : []),
    `ENCODING ${quoteLiteral(encoding)}`,
    `LC_COLLATE ${quoteLiteral(collate)}`,
    `LC_CTYPE ${quoteLiteral(ctype)}`,
    ...(localeProvider !== undefined && serverVersionNumber >= FIRST_WITH_PROVIDERS
      ? [`LOCALE_PROVIDER ${localeProvider}`]
      : []),
    ...(locale === undefined
      ? []
      : [`${localeProvider === 'builtin' ? 'BUILTIN_LOCALE' : 'ICU_LOCALE'} ${quoteLiteral(locale)}`]),
    ...(icuRules === undefined ? [] : [`ICU_RULES ${quoteLiteral(icuRules)}`]),
    // Named, even the default one needs a privilege.
    ...(tablespace === DEFAULT_TABLESPACE ? [] : [`TABLESPACE ${quoteIdentifier(tablespace)}`]),
  ];
  return `CREATE DATABASE ${quoteIdentifier(name)} ${options.join(' ')};`;
}

export interface PropertiesInput {
  /** The name that it was made under. */
  name: string;
  properties: DatabaseProperties;
  /** Present: it belongs to the user who restores, and roles that are not among these go without. */
  instead?: { roles: ReadonlySet<string> };
}

/** All that a plain dump leaves out, and the name at last: one transaction, so that `into` appears whole or not at all. */
export function finishStatements({ into, ...input }: PropertiesInput & { into: string }): string {
  const { name, properties } = input;
  const rename = `ALTER DATABASE ${quoteIdentifier(name)} RENAME TO ${quoteIdentifier(into)};`;
  return ['BEGIN;', ...propertyStatements(input), rename, ...closingStatements(into, properties), 'COMMIT;'].join('\n');
}

export function propertyStatements({ name, properties, instead }: PropertiesInput): string[] {
  const { owner, acl, comment, connectionLimit } = properties;
  return [
    ...(comment === undefined ? [] : [`COMMENT ON DATABASE ${quoteIdentifier(name)} IS ${quoteLiteral(comment)};`]),
    ...(acl === undefined ? [] : grantStatements(acl, { database: name, owner, ...(instead && { instead }) })),
    ...settingStatements(name, properties, instead?.roles),
    `ALTER DATABASE ${quoteIdentifier(name)} CONNECTION LIMIT ${String(connectionLimit)};`,
  ];
}

/** What nobody could work with before. */
export function closingStatements(into: string, { allowConnections, isTemplate }: DatabaseProperties): string[] {
  const alter = `ALTER DATABASE ${quoteIdentifier(into)}`;
  return [
    ...(isTemplate ? [`${alter} IS_TEMPLATE true;`] : []),
    ...(allowConnections ? [] : [`${alter} ALLOW_CONNECTIONS false;`]),
  ];
}

function settingStatements(database: string, { settings }: DatabaseProperties, roles?: ReadonlySet<string>): string[] {
  return settings
    .filter(({ role }) => role === undefined || (roles?.has(role) ?? true))
    .map(({ role, name, value }) => {
      const whose =
        role === undefined
          ? `DATABASE ${quoteIdentifier(database)}`
          : `ROLE ${quoteIdentifier(role)} IN DATABASE ${quoteIdentifier(database)}`;
      const values = LIST_SETTINGS.has(name.toLowerCase()) ? splitIdentifiers(value) : [value];
      const quoted = values.length === 0 ? "''" : values.map(quoteLiteral).join(', ');
      return `ALTER ${whose} SET ${quoteIdentifier(name)} TO ${quoted};`;
    });
}

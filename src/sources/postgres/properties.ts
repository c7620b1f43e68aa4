import type { DatabaseProperties } from '../../domain/manifest.js';
import { queryJson, type Session } from './connection.js';
import { quoteLiteral } from './quoting.js';

/** A row of pg_database as JSON: its columns differ from one major to the next. */
export interface DatabaseRow {
  owner: string;
  encoding: string;
  tablespace: string;
  comment: string | null;
  settings: { role?: string; setting: string }[];
  row: {
    datcollate: string;
    datctype: string;
    datlocprovider?: 'c' | 'i' | 'b';
    datlocale?: string | null;
    daticulocale?: string | null;
    daticurules?: string | null;
    datconnlimit: number;
    datallowconn: boolean;
    datistemplate: boolean;
    datacl: string[] | null;
  };
}

const LOCALE_PROVIDERS = { c: 'libc', i: 'icu', b: 'builtin' } as const;

export const propertiesQuery = (database = 'current_database()') => `
SELECT jsonb_build_object(
  'owner', pg_get_userbyid(d.datdba),
  'encoding', pg_encoding_to_char(d.encoding),
  'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = d.dattablespace),
  'comment', shobj_description(d.oid, 'pg_database'),
  'settings', (
    SELECT coalesce(jsonb_agg(
      jsonb_strip_nulls(jsonb_build_object('role', r.rolname, 'setting', c.setting)) ORDER BY r.rolname NULLS FIRST, c.n
    ), '[]')
    FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) WITH ORDINALITY c (setting, n)
    WHERE s.setdatabase = d.oid
  ),
  'row', to_jsonb(d)
) FROM pg_database d WHERE d.datname = ${database}
`;

/** What `CREATE DATABASE` and `ALTER DATABASE` have to be told to make this database (or the one of that name) again. */
export async function readProperties(session: Session, name?: string): Promise<DatabaseProperties> {
  const sql = propertiesQuery(name === undefined ? undefined : quoteLiteral(name));
  return propertiesOf(await queryJson<DatabaseRow>(session, sql));
}

export function propertiesOf({ owner, encoding, tablespace, comment, settings, row }: DatabaseRow): DatabaseProperties {
  const locale = row.datlocale ?? row.daticulocale;
  return {
    ...{ owner, encoding, tablespace },
    ...{ collate: row.datcollate, ctype: row.datctype },
    ...(row.datlocprovider !== undefined && { localeProvider: LOCALE_PROVIDERS[row.datlocprovider] }),
    ...(locale != null && { locale }),
    ...(row.daticurules != null && { icuRules: row.daticurules }),
    ...{ connectionLimit: row.datconnlimit, allowConnections: row.datallowconn, isTemplate: row.datistemplate },
    ...(comment !== null && { comment }),
    ...(row.datacl !== null && { acl: row.datacl }),
    settings: settings.map(readSetting),
  };
}

/** A timestamp is written in the time zone of whoever asks, money in the locale of the server; pg_dump sets neither. */
const WRITING_SETTINGS = ['TimeZone', 'bytea_output', 'lc_monetary', 'quote_all_identifiers'];

/** Under what a dump by this user writes values and names, by name. */
export const WRITING_SETTINGS_QUERY = `
SELECT jsonb_object_agg(name, setting) FROM pg_settings WHERE name IN (${WRITING_SETTINGS.map(quoteLiteral).join(', ')})
`;

function readSetting({ role, setting }: { role?: string; setting: string }) {
  const [name = ''] = setting.split('=', 1);
  return { ...(role !== undefined && { role }), name, value: setting.slice(name.length + 1) };
}

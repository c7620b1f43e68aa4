import { describe, expect, it } from 'vitest';
import { compareDumps, isRendering } from '../../src/drill/compare-dumps.js';
import { DumpCollector, type DumpContents } from '../../src/drill/dump-contents.js';

/** In pieces of so many bytes. */
function read(sql: string, pieceBytes = sql.length): DumpContents {
  const collector = new DumpCollector();
  const bytes = Buffer.from(sql);
  for (let at = 0; at < bytes.length; at += pieceBytes) collector.push(bytes.subarray(at, at + pieceBytes));
  return collector.end();
}

function header(name: string, type: string, more = ''): string {
  return `\n--\n-- Name: ${name}; Type: ${type}; Schema: public; Owner: lord${more}\n--\n\n`;
}

const HOSTILE_ROWS = [
  '1\t-- Name: fake; Type: TABLE; Schema: public; Owner: lord',
  '2\tCREATE TABLE fake (a integer);',
  '3\t\\\\.',
  '4\tCOPY fake FROM stdin;',
  '4\tCOPY fake FROM stdin;',
];

const DUMP = `--
-- PostgreSQL database dump
--

\\restrict 8sjk2hs7

-- Dumped from database version 15.18
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
${header('shout(text)', 'FUNCTION')}CREATE FUNCTION public.shout(text) RETURNS text
    LANGUAGE plpgsql
    AS $_$
BEGIN
-- Name: fake; Type: TABLE; Schema: public; Owner: lord
RETURN $1;
END $_$;

ALTER FUNCTION public.shout(text) OWNER TO lord;

SET default_tablespace = fast;

SET default_table_access_method = heap;
${header('t', 'TABLE', '; Tablespace: fast')}CREATE TABLE public.t (
    a integer DEFAULT 5 NOT NULL,
    "b c" character varying(10),
    CONSTRAINT known CHECK ((("b c")::text = ANY (ARRAY[('x'::character varying)::text])))
);

ALTER TABLE public.t OWNER TO lord;
${header('t own', 'POLICY')}CREATE POLICY own ON public.t TO minstrel, lord USING ((a > 0));
${header('===', 'OPERATOR')}CREATE OPERATOR public.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
${header('===', 'OPERATOR')}CREATE OPERATOR public.=== (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text);
${header('5', 'BLOB')}SELECT pg_catalog.lo_create('5');

ALTER LARGE OBJECT 5 OWNER TO lord;

--
-- Data for Name: t; Type: TABLE DATA; Schema: public; Owner: lord
--

COPY public.t (a, "b c") FROM stdin;
${HOSTILE_ROWS.join('\n')}
\\.

--
-- Data for Name: BLOBS; Type: BLOBS; Schema: -; Owner: -
--

BEGIN;

SELECT pg_catalog.lo_open('5', 131072);
SELECT pg_catalog.lowrite(0, '\\x616263');
SELECT pg_catalog.lo_close(0);

COMMIT;
${header('t_seq', 'SEQUENCE SET')}SELECT pg_catalog.setval('public.t_seq', 7, true);
${header('TABLE t', 'ACL')}GRANT SELECT ON TABLE public.t TO minstrel;
GRANT ALL ON TABLE public.t TO herald;

--
-- PostgreSQL database dump complete
--

\\unrestrict 8sjk2hs7
`;

function differences(changed: string, original = DUMP): string[] {
  return compareDumps(read(original), read(changed)).map(({ text }) => text);
}

describe('a comparison of dumps', () => {
  it('sees what is there, and takes nothing else for it', () => {
    const { entries, tables, tablespaces, schema } = read(DUMP);
    expect([...entries.keys()]).toEqual([
      ...['settings', 'FUNCTION public.shout(text)', 'TABLE public.t', 'POLICY public.t own', 'OPERATOR public.==='],
      ...['TABLE DATA public.t', 'SEQUENCE SET public.t_seq', 'ACL public.TABLE t'],
    ]);
    expect(tables.get('public.t')?.digest.count).toBe(HOSTILE_ROWS.length);
    expect([...tablespaces]).toEqual(['fast']);
    expect(schema.join('\n')).not.toMatch(/COPY|setval|lo_create/);
  });

  it('sees the same in pieces of any size', () => {
    for (const pieceBytes of [1, 2, 3, 7, 64, 1000]) {
      expect(compareDumps(read(DUMP), read(DUMP, pieceBytes))).toEqual([]);
    }
  });

  it('knows an empty dump from a full one', () => {
    expect(differences('').length).toBeGreaterThan(8);
  });

  it.each([
    ['the order of rows', HOSTILE_ROWS.join('\n'), [...HOSTILE_ROWS].reverse().join('\n')],
    ['the order of roles', 'TO minstrel, lord', 'TO lord, minstrel'],
    ['tokens and versions', /8sjk2hs7|15\.18/g, 'other'],
    ['the order of grants', /(GRANT SELECT.*)\n(GRANT ALL.*)/, '$2\n$1'],
  ])('does not mind %s', (_what, from, to) => {
    const changed = DUMP.replace(from, to);
    expect(changed).not.toBe(DUMP);
    expect(differences(changed)).toEqual([]);
  });

  it.each([
    ['1\t-- Name', '1\t-- Nome', 'rows of public.t: 5 with other values'],
    ['3\t\\\\.\n', '', 'rows of public.t: 4 instead of 5'],
    ['4\tCOPY fake FROM stdin;\n4\t', '3\t\\\\.\n4\t', 'rows of public.t: 5 with other values'],
    ["'\\x616263'", "'\\x616264'", 'large objects: 1 with other values'],
    [
      'LARGE OBJECT 5 OWNER TO lord',
      'LARGE OBJECT 5 OWNER TO herald',
      'owners, privileges and comments of large objects: 2 with other values',
    ],
    ['7, true', '7, false', 'SEQUENCE SET public.t_seq differs in value'],
    ['GRANT ALL', 'GRANT UPDATE', 'ACL public.TABLE t differs in privileges'],
    ['TABLE public.t OWNER TO lord', 'TABLE public.t OWNER TO herald', 'TABLE public.t differs in owner'],
    ['TO minstrel, lord USING', 'TO minstrel USING', 'POLICY public.t own differs in roles'],
    ['USING ((a > 0))', 'USING ((a > 1))', 'POLICY public.t own differs in definition'],
    ['texteq', 'textne', 'OPERATOR public.=== differs in definition'],
    ['Tablespace: fast', 'Tablespace: slow', 'TABLE public.t differs in tablespace'],
    ['access_method = heap', 'access_method = other', 'TABLE public.t differs in access method'],
    ['RETURN $1;', 'RETURN $2;', 'FUNCTION public.shout(text) differs in definition'],
    ['statement_timeout', 'lock_timeout', 'settings differs in definition'],
  ])('finds %s as %s', (from, to, said) => {
    const changed = DUMP.replace(from, () => to);
    expect(changed).not.toBe(DUMP);
    expect(differences(changed)).toEqual([said]);
  });

  it('finds columns of another type or order, whatever else a table says', () => {
    const said = ['TABLE public.t differs in columns', 'TABLE public.t differs in definition'];
    expect(differences(DUMP.replace('varying(10)', 'varying(11)'))).toEqual(said);
    expect(differences(DUMP.replace('DEFAULT 5 NOT NULL', 'DEFAULT 5'))).toEqual(said);
    expect(differences(DUMP.replace('DEFAULT 5', 'DEFAULT 6'))).toEqual(said.slice(1));
  });

  it('finds objects that are missing or more', () => {
    const index = `${header('i', 'INDEX')}CREATE INDEX i ON public.t USING btree (a);\n`;
    const more = DUMP.replace('\n--\n-- PostgreSQL database dump complete', `${index}$&`);
    expect(differences(more)).toEqual(['INDEX public.i was not there before']);
    expect(differences(DUMP, more)).toEqual(['INDEX public.i is missing']);
  });

  it('takes another spelling for that only where a second restore comes to the same', () => {
    const spelled = read(DUMP.replace(/= ANY.*\)\)\)/, "= 'x'::text))"));
    const [difference, ...others] = compareDumps(read(DUMP), spelled);
    expect(others).toEqual([]);
    expect(difference && isRendering(difference, spelled, spelled)).toBe(true);
    expect(difference && isRendering(difference, spelled, read(DUMP))).toBe(false);
    expect(isRendering({ text: 'rows of public.t: 1 instead of 2' }, spelled, spelled)).toBe(false);
  });
});

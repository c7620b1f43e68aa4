import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OwnerFilter } from '../../src/sources/postgres/owner-filter.js';

const ROLES = ['postgres', 'reader', 'Mixed "Case"', 'ünicode'];

function filtered(dump: string, roles = ROLES, pieceBytes = Infinity): string {
  const filter = new OwnerFilter(roles);
  const bytes = Buffer.from(dump);
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    pieces.push(filter.push(bytes.subarray(start, Math.min(bytes.length, start + pieceBytes))));
  }
  return Buffer.concat([...pieces, filter.end()]).toString();
}

test.each([
  'ALTER TABLE public.t OWNER TO reader;',
  'ALTER FUNCTION public.f(a text DEFAULT \'; OWNER TO x;\'::text) OWNER TO "no one";',
  'ALTER LARGE OBJECT 16400 OWNER TO gone;',
  'GRANT SELECT ON TABLE public.t TO gone;',
  'GRANT SELECT(a),UPDATE(b) ON TABLE public."x TO reader" TO gone WITH GRANT OPTION;',
  'REVOKE ALL ON SCHEMA public FROM "mixed case";',
  'GRANT ALL ON TABLE public.t TO "reader "; ',
  'ALTER DEFAULT PRIVILEGES FOR ROLE gone IN SCHEMA public GRANT SELECT ON TABLES TO reader;',
  'ALTER DEFAULT PRIVILEGES FOR ROLE reader GRANT SELECT ON TABLES TO gone;',
  'ALTER DEFAULT PRIVILEGES FOR ROLE reader REVOKE ALL ON TABLES FROM gone;',
  'SET SESSION AUTHORIZATION reader;',
  'RESET SESSION AUTHORIZATION;',
  "CREATE USER MAPPING FOR gone SERVER s OPTIONS (\n    name 'a;b'\n);",
  'CREATE POLICY p ON public.t TO gone USING (true);',
  'CREATE POLICY p ON public.t AS RESTRICTIVE FOR SELECT TO gone, "gone too" USING ((a = \'TO reader\'::text));',
])('left out: %s', (statement) => {
  expect(
    filtered(`SELECT 1;\n\n--\n-- Name: x; Type: ACL\n--\n\n${statement}\n\nSELECT 2;\n`).replaceAll(/\s+/g, ' '),
  ).toBe('SELECT 1; SELECT 2; ');
});

test.each([
  'GRANT SELECT ON TABLE public.t TO reader;',
  'GRANT SELECT ON TABLE public.t TO PUBLIC;',
  'GRANT SELECT ON TABLE public.t TO "Mixed ""Case""" WITH GRANT OPTION;',
  'REVOKE ALL ON FUNCTION public.f() FROM PUBLIC;',
  'GRANT USAGE ON SCHEMA s TO "ünicode";',
  'GRANT USAGE ON SCHEMA s TO ünicode;',
  'ALTER DEFAULT PRIVILEGES FOR ROLE reader GRANT SELECT ON TABLES TO PUBLIC;',
  "ALTER TABLE ONLY public.t ALTER COLUMN a SET DEFAULT 'OWNER TO gone'::text;",
  'CREATE USER MAPPING FOR PUBLIC SERVER s;',
  "CREATE POLICY p ON public.t USING ((a <> 'x'::text)) WITH CHECK (true);",
  'CREATE POLICY p ON public.t FOR UPDATE TO reader USING (true);',
  "COMMENT ON POLICY p ON public.t IS 'GRANT ALL TO gone;';",
  "COMMENT ON TABLE public.t IS 'it''s;\nALTER TABLE public.t OWNER TO gone;\n';",
  "COMMENT ON COLUMN public.t.\"a;b\" IS E'back\\\\slash \\' quote;\nALTER TABLE public.t OWNER TO gone;';",
  'CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql\n    AS $_$\nBEGIN\nALTER TABLE t OWNER TO gone;\nPERFORM $$GRANT ALL ON t TO gone;$$;\nEND;\n$_$;',
  'CREATE FUNCTION g(x$a$y integer) RETURNS bigint LANGUAGE sql\n    BEGIN ATOMIC\n SELECT $1 AS "to gone";\n SELECT 2;\nEND;',
  'CREATE RULE r AS ON DELETE TO t DO ( SELECT 1; SELECT 2; );',
  'CREATE RULE cut AS ON DELETE TO t DO ( SELECT (1); RESET SESSION AUTHORIZATION; );',
  'COPY public.t (a) FROM stdin;\nALTER TABLE public.t OWNER TO gone;\nGRANT ALL ON t TO gone;\n\\\\.\n \\.\n\'"$$\n\\.\n',
  'COPY public.empty (a) FROM stdin;\n\\.\n',
  'COPY public.t ("FROM stdin") FROM stdin;\n-- $x$\n\\.\n',
  '-- Name: it\'s "a" $$; Owner: gone\nSELECT 1;',
  '\\restrict it\'s$$"\nSELECT 1;',
  '',
])('kept to the byte: %s', (statement) => {
  const dump = `${statement}\nALTER TABLE x OWNER TO y;${statement}\n`;
  expect(filtered(dump)).toBe(dump.replace('\nALTER TABLE x OWNER TO y;', ''));
  expect(filtered(dump, ROLES, 1)).toBe(filtered(dump));
});

test('of the roles of a policy those that are there stay', () => {
  const policy =
    'CREATE POLICY p ON public.t FOR SELECT TO gone, reader, gone2, "Mixed ""Case""" USING ((a IN (1, 2)));';
  expect(filtered(policy)).toBe(
    'CREATE POLICY p ON public.t FOR SELECT TO reader, "Mixed ""Case""" USING ((a IN (1, 2)));',
  );
});

test('the comment of a policy goes with it, others stay', () => {
  const dump = [
    'CREATE POLICY p ON public.t AS RESTRICTIVE FOR SELECT TO gone USING (true);',
    "COMMENT ON POLICY p ON public.t IS 'gone'; COMMENT ON POLICY p ON public.u IS 'kept';",
  ];
  expect(filtered(dump.join('\n')).trim()).toBe("COMMENT ON POLICY p ON public.u IS 'kept';");
});

test('what is left at an early end comes out as it is', () => {
  for (const rest of [
    "COMMENT ON TABLE t IS 'half",
    'COPY t FROM stdin;\nhalf a row',
    'CREATE FUNCTION f AS $x$ half',
    'SELECT 1',
    '"',
    '$',
  ]) {
    expect(filtered(`SELECT 1;\n${rest}`)).toBe(`SELECT 1;\n${rest}`);
  }
});

test('what is left out is counted', () => {
  const filter = new OwnerFilter(ROLES);
  filter.push(Buffer.from('ALTER TABLE a OWNER TO reader; GRANT ALL ON a TO reader; GRANT ALL ON a TO gone;'));
  filter.end();
  expect(filter.leftOutCount).toBe(2);
});

const text = fc.string({ unit: fc.constantFrom("'", '"', '$', '\\', ';', '\n', '-', 'a', '.', '(', ')', 'é') });
const dollarBody = text.filter((body) => !body.includes('$'));
const harmless = fc.oneof(
  text.map((value) => `COMMENT ON TABLE t IS '${value.replaceAll("'", "''")}';\n`),
  text.map((value) => `COMMENT ON TABLE t IS E'${value.replaceAll(/['\\]/g, '\\$&')}';\n`),
  text.map((value) => `CREATE TABLE "${value.replaceAll('"', '""')}" (a integer);\n`),
  dollarBody.map((value) => `CREATE FUNCTION f() AS $_x$${value}$_x$;\n`),
  fc
    .array(text)
    .map((rows) => `COPY t FROM stdin;\n${rows.map((row) => `x${row.replaceAll('\n', '\\n')}\n`).join('')}\\.\n`),
  text.map((value) => `-- ${value.replaceAll('\n', ' ')}\n`),
);

test('whatever a dump quotes, only the statements between go, however it is cut into pieces', () => {
  const property = fc.property(fc.array(harmless), fc.integer({ min: 1, max: 40 }), (statements, pieceBytes) => {
    const owner = 'ALTER TABLE t OWNER TO gone;';
    const dump = statements.map((statement) => `SELECT 1;${statement}SELECT 2;${owner}`).join('');
    const kept = statements.map((statement) => `SELECT 1;${statement}SELECT 2;`).join('');
    expect(filtered(dump, ROLES, pieceBytes)).toBe(kept);
  });
  fc.assert(property, { numRuns: 300 });
});

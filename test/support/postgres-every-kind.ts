import { RICH_ROLES_SQL, RICH_SQL } from './postgres-content.js';

/** The tablespace is within the cluster: the server is started with `allow_in_place_tablespaces`. */
export const EVERY_KIND_ROLES_SQL = `${RICH_ROLES_SQL}
CREATE ROLE bard IN ROLE minstrel; GRANT lord TO bard WITH ADMIN OPTION; ALTER ROLE bard SET work_mem = '8MB';
CREATE ROLE herald; CREATE TABLESPACE "Fast ""disk""" OWNER lord LOCATION '';
`;

/** Beside what RICH_SQL makes: every other kind of object that pg_dump knows, rows of many types, and texts that change. */
export const EVERY_KIND_SQL = `${RICH_SQL}
CREATE EXTENSION :extension; COMMENT ON EXTENSION :extension IS 'kept with its comment';

CREATE TYPE pair AS (x integer, y text COLLATE "C");
CREATE TYPE float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE shell;
CREATE TYPE widget;
CREATE FUNCTION widget_in(cstring) RETURNS widget IMMUTABLE STRICT LANGUAGE internal AS 'textin';
CREATE FUNCTION widget_out(widget) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'textout';
CREATE TYPE widget (INPUT = widget_in, OUTPUT = widget_out, LIKE = text);
CREATE DOMAIN colour AS varchar(10) DEFAULT 'red' CONSTRAINT known CHECK (VALUE IN ('red', 'green'));
CREATE COLLATION plain (LOCALE = 'C');
CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

CREATE OPERATOR === (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4eq, COMMUTATOR = ===, NEGATOR = !==);
CREATE OPERATOR !== (LEFTARG = integer, RIGHTARG = integer, FUNCTION = int4ne, COMMUTATOR = !==, NEGATOR = ===);
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);
CREATE OPERATOR FAMILY strange USING btree;
CREATE OPERATOR CLASS strange_ops FOR TYPE integer USING btree FAMILY strange AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(integer, integer);
CREATE FUNCTION pair_text(pair) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).y';
CREATE CAST (pair AS text) WITH FUNCTION pair_text(pair) AS ASSIGNMENT;
COMMENT ON CAST (pair AS text) IS 'the second half';
CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE FUNCTION too_call() RETURNS language_handler LANGUAGE c AS '$libdir/plpgsql', 'plpgsql_call_handler';
CREATE FUNCTION too_inline(internal) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_inline_handler';
CREATE FUNCTION too_validate(oid) RETURNS void LANGUAGE c STRICT AS '$libdir/plpgsql', 'plpgsql_validator';
CREATE TRUSTED LANGUAGE plpgsql_too HANDLER too_call INLINE too_inline VALIDATOR too_validate;
CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE FUNCTION other() RETURNS integer LANGUAGE plpgsql_too AS 'BEGIN RETURN 1; END';
CREATE FUNCTION counts(OUT n bigint, INOUT label text DEFAULT 'all', VARIADIC more integer[] DEFAULT '{}') RETURNS record
  LANGUAGE sql STABLE PARALLEL SAFE COST 7 SECURITY DEFINER SET search_path FROM CURRENT SET work_mem = '1MB' AS 'SELECT 1::bigint, $1';
CREATE FUNCTION ranked() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE AS 'window_rank';

CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple);
CREATE TEXT SEARCH TEMPLATE simple_too (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH PARSER default_too
  (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH CONFIGURATION searching (COPY = pg_catalog.simple);
ALTER TEXT SEARCH CONFIGURATION searching ALTER MAPPING FOR asciiword WITH words;

CREATE TABLE many (
  id bigserial PRIMARY KEY, kind colour, code varchar(5) CHECK (code IN ('a', 'b', 'c')), price money, at timestamptz, took interval,
  ratio float8, mask bit(3), net inet, span float_range, pair pair, w widget, list text[][], js json, raw bytea, note text
) WITH (fillfactor = 70);
ALTER TABLE many ALTER COLUMN note SET STORAGE EXTERNAL, ALTER COLUMN note SET STATISTICS 500, REPLICA IDENTITY FULL;
INSERT INTO many (kind, code, price, at, took, ratio, mask, net, span, pair, w, list, js, raw, note) VALUES
  ('red', 'a', 12.5, '2026-03-29 01:30Z', '1 mon 2 days -3 hours', 'NaN', '101', '10.0.0.0/8', '[1.5,2)', '(1,"a,b")', 'x', '{{a,NULL},{"\\"",""}}', '{"a" : 1}', '\\x00ff', E'\\\\.'),
  ('green', NULL, -1, '0044-03-15 BC', '-00:00:00.000001', 1e-300, '000', '::1', 'empty', NULL, '', '{}', '[]', '', ''),
  (NULL, 'c', NULL, 'infinity', NULL, '-Infinity', NULL, NULL, NULL, '(,)', NULL, NULL, NULL, NULL, E'\\\\N'),
  (NULL, 'c', NULL, 'infinity', NULL, '-Infinity', NULL, NULL, NULL, '(,)', NULL, NULL, NULL, NULL, repeat('long ', 60000));
CREATE TABLE nothing_at_all ();
INSERT INTO nothing_at_all DEFAULT VALUES; INSERT INTO nothing_at_all DEFAULT VALUES;
CREATE UNLOGGED TABLE unlogged AS SELECT 1 AS one;
CREATE TABLE in_heap_too (a integer) USING heap_too TABLESPACE "Fast ""disk""";
INSERT INTO in_heap_too VALUES (1);
CREATE TABLE of_pair OF pair (PRIMARY KEY (x), y WITH OPTIONS NOT NULL);
CREATE TABLE parent (a integer, b text DEFAULT 'b', CONSTRAINT positive CHECK (a > 0) NO INHERIT);
CREATE TABLE child (c integer) INHERITS (parent);
ALTER TABLE child ALTER COLUMN b SET DEFAULT 'other';
INSERT INTO child VALUES (-1, 'x', 2);
CREATE TABLE hashed (k text, v integer) PARTITION BY HASH (k);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX hashed_v ON hashed (v);
INSERT INTO hashed SELECT 'k' || i, i FROM generate_series(1, 20) i;
CREATE TABLE by_mood (m mood, n integer) PARTITION BY LIST (m);
CREATE TABLE by_mood_calm PARTITION OF by_mood FOR VALUES IN ('calm') PARTITION BY HASH (n);
CREATE TABLE by_mood_calm_0 PARTITION OF by_mood_calm FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE TABLE by_mood_rest PARTITION OF by_mood DEFAULT;
CREATE TABLE hash_of_enum (m mood) PARTITION BY HASH (m);
CREATE TABLE hash_of_enum_0 PARTITION OF hash_of_enum FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hash_of_enum_1 PARTITION OF hash_of_enum FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hash_of_enum VALUES ('calm'), ('angry'), ('calm'); INSERT INTO by_mood VALUES ('calm', 1), (NULL, 2);

CREATE TABLE held (during int4range, room integer, EXCLUDE USING gist (during WITH &&) WHERE (room > 0), UNIQUE NULLS NOT DISTINCT (room) DEFERRABLE);
ALTER TABLE held ADD CONSTRAINT room_exists FOREIGN KEY (room) REFERENCES of_pair (x) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID;
CREATE UNIQUE INDEX many_code ON many (code, (lower(note)) DESC NULLS LAST) INCLUDE (price) WHERE code IN ('a', 'b');
ALTER INDEX many_code ALTER COLUMN 2 SET STATISTICS 300;
CREATE INDEX many_brin ON many USING brin (at) TABLESPACE "Fast ""disk""";
CLUSTER many USING many_pkey;
CREATE STATISTICS many_stats (dependencies, mcv) ON kind, code FROM many;
CREATE STATISTICS many_expression ON (length(note)), code FROM many;
ALTER STATISTICS many_stats SET STATISTICS 200;

CREATE VIEW guarded WITH (security_barrier) AS SELECT id, code FROM many WHERE code IN ('a', 'b') WITH LOCAL CHECK OPTION;
ALTER VIEW guarded ALTER COLUMN code SET DEFAULT 'a';
CREATE RECURSIVE VIEW up_to_five (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM up_to_five WHERE n < 5;
CREATE MATERIALIZED VIEW unread AS SELECT 1 AS one WITH NO DATA;
CREATE INDEX ON musters (mood);
CREATE RULE no_more AS ON INSERT TO child WHERE NEW.c IN (1, 2) DO INSTEAD NOTHING;
CREATE TRIGGER seldom AFTER UPDATE OF code ON many FOR EACH ROW WHEN (OLD.code IN ('a', 'b')) EXECUTE FUNCTION stamp('it''s');
ALTER TABLE many DISABLE TRIGGER seldom;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON many DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE many ENABLE ALWAYS TRIGGER late;
ALTER EVENT TRIGGER watch DISABLE; COMMENT ON EVENT TRIGGER watch IS 'asleep';

CREATE FOREIGN TABLE far (a integer OPTIONS (column_name 'b'), b text) SERVER elsewhere OPTIONS (table_name 'near');
CREATE PUBLICATION part_of_it FOR TABLE realm (id, name) WHERE (id IN (5, 8)) WITH (publish = 'insert');
CREATE PUBLICATION a_schema FOR TABLES IN SCHEMA "Odd ""Schema""";
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE SUBSCRIPTION distant CONNECTION 'host=nowhere.invalid password=kanarie' PUBLICATION part_of_it WITH (connect = false, slot_name = NONE);
COMMENT ON COLUMN many.price IS 'in the money of the place'; COMMENT ON INDEX many_code IS 'partial';
COMMENT ON CONSTRAINT known ON DOMAIN colour IS 'two of them'; COMMENT ON STATISTICS many_stats IS 'both';
COMMENT ON DATABASE every IS 'of every kind';
SELECT lo_from_bytea(0, 'small') AS small \\gset
COMMENT ON LARGE OBJECT :small IS 'a small one'; ALTER LARGE OBJECT :small OWNER TO lord;

GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO herald WITH GRANT OPTION;
SET ROLE herald; GRANT SELECT ON many TO bard; RESET ROLE;
GRANT USAGE ON TYPE mood TO bard; GRANT USAGE ON DOMAIN colour TO bard; REVOKE USAGE ON TYPE pair FROM PUBLIC;
GRANT USAGE ON FOREIGN DATA WRAPPER nothing TO lord; GRANT USAGE ON FOREIGN SERVER elsewhere TO bard WITH GRANT OPTION;
GRANT USAGE, SELECT ON SEQUENCE muster TO bard; REVOKE ALL ON LANGUAGE plpgsql_too FROM PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA "Odd ""Schema""" GRANT EXECUTE ON FUNCTIONS TO bard;
REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT CREATE ON SCHEMA public TO lord;
ALTER DATABASE every SET "DateStyle" = 'ISO, DMY'; ALTER DATABASE every SET bytea_output = 'escape'; ALTER DATABASE every SET timezone = 'Asia/Kolkata';
ALTER DATABASE every CONNECTION LIMIT 7; GRANT CREATE ON DATABASE every TO bard; REVOKE TEMPORARY ON DATABASE every FROM PUBLIC;
ALTER ROLE bard IN DATABASE every SET search_path = public, "Odd ""Schema""";
`;

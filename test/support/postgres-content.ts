/**
 * A database with something of everything that a dump has to carry. Owned by `lord`; `minstrel` may read, `steward` gets
 * default privileges and a policy. Nothing in it changes its text from one dump to the next.
 */
export const RICH_ROLES_SQL = `
CREATE ROLE lord LOGIN PASSWORD 'x'; CREATE ROLE minstrel; CREATE ROLE "Steward of ""Gondor""";
`;

export const RICH_SQL = `
SET ROLE lord;
CREATE SCHEMA "Odd ""Schema""";
CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE TABLE realm (
  id integer GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 3) PRIMARY KEY,
  name text NOT NULL UNIQUE,
  mood mood DEFAULT 'calm',
  troops positive,
  upkeep numeric GENERATED ALWAYS AS (troops * 1.5) STORED,
  tags text[], facts jsonb, seal bytea, since timestamptz
);
INSERT INTO realm (name, mood, troops, tags, facts, seal, since)
  SELECT 'realm ' || i || E'\\t\\n\\\\. \\' "' , CASE WHEN i % 2 = 0 THEN 'angry'::mood END, i, ARRAY['a,b', NULL, 'c"d'],
    jsonb_build_object('i', i, 'text', repeat('x', i % 50)), decode(md5(i::text), 'hex'), '2026-01-01Z'::timestamptz + i * interval '1 hour'
  FROM generate_series(1, 2000) i;
CREATE SEQUENCE muster START 100; SELECT nextval('muster'), nextval('muster');
CREATE TABLE event (at date NOT NULL, realm_id integer REFERENCES realm, what text) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE event_2026 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO event SELECT '2025-12-01'::date + i, 5, 'event ' || i FROM generate_series(1, 60) i;
CREATE INDEX event_what ON event (lower(what));
CREATE TABLE "Odd ""Schema"""."Odd table" ("weird ; column" text);
INSERT INTO "Odd ""Schema"""."Odd table" VALUES (E'GRANT ALL ON realm TO nobody;'), (E'\\\\.'), (E'--\\n-- PostgreSQL database dump complete');
CREATE VIEW angry AS SELECT id, name FROM realm WHERE mood = 'angry';
CREATE MATERIALIZED VIEW musters AS SELECT mood, sum(troops) AS troops FROM realm GROUP BY mood;
CREATE FUNCTION shout(text) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
  -- GRANT SELECT ON realm TO nobody;
  EXECUTE format($f$SELECT %L$f$, $1);
  RETURN upper($1) || $q$;
ALTER TABLE realm OWNER TO nobody;
$q$;
END $body$;
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql BEGIN ATOMIC; SELECT count(*) FROM realm; SELECT sum(troops) FROM realm; END;
CREATE PROCEDURE noop() LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE AGGREGATE gather(text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.since := coalesce(NEW.since, now()); RETURN NEW; END$$;
CREATE TRIGGER stamp BEFORE INSERT ON realm FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE RULE keep AS ON DELETE TO event DO (SELECT 1; NOTIFY gone);
ALTER TABLE realm ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON realm TO minstrel, "Steward of ""Gondor""" USING (name <> 'TO nobody');
CREATE POLICY strict ON realm AS RESTRICTIVE FOR SELECT TO minstrel USING (true);
COMMENT ON POLICY strict ON realm IS 'only for minstrels';
CREATE POLICY all_of_us ON realm FOR INSERT WITH CHECK (troops > 0);
GRANT SELECT (id, name), UPDATE (mood) ON realm TO minstrel;
GRANT USAGE ON SCHEMA "Odd ""Schema""" TO "Steward of ""Gondor""" WITH GRANT OPTION;
REVOKE ALL ON FUNCTION shout(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION shout(text) TO minstrel;
REVOKE UPDATE ON event FROM lord;
ALTER DEFAULT PRIVILEGES FOR ROLE lord GRANT SELECT ON TABLES TO "Steward of ""Gondor""";
COMMENT ON TABLE realm IS E'it''s "quoted";\\nALTER TABLE realm OWNER TO nobody;\\n';
SELECT lo_from_bytea(0, decode(repeat('00ff5c27', 100000), 'hex')) AS large \\gset
GRANT SELECT ON LARGE OBJECT :large TO minstrel;
RESET ROLE;
CREATE FOREIGN DATA WRAPPER nothing; CREATE SERVER elsewhere FOREIGN DATA WRAPPER nothing;
CREATE USER MAPPING FOR minstrel SERVER elsewhere OPTIONS (name 'FOR nobody');
CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch();
`;

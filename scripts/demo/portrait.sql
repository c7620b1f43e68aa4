-- All that makes two databases the same one, as lines of JSON {kind, name, is}: the database's own properties, the objects
-- in it with their definitions, and of each table the number of rows and a hash that their order does not change.
-- For what ordinary databases hold; foreign tables, operators and large objects are not looked at.
SET search_path = pg_catalog;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET extra_float_digits = 3;
SET bytea_output = 'hex';

CREATE TEMP VIEW schemas AS
  SELECT * FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema';
CREATE TEMP VIEW relations AS
  SELECT c.*, format('%I.%I', s.nspname, c.relname) AS full_name FROM pg_class c JOIN schemas s ON s.oid = c.relnamespace;
-- A restore may grant in another order, and spell out what is the default anyway.
CREATE FUNCTION pg_temp.rights(acl aclitem[], kind "char", owner oid) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(item::text, ' ' ORDER BY item::text) FROM unnest(coalesce(acl, acldefault(kind, owner))) item
$$;

SELECT jsonb_build_object('kind', kind, 'name', name, 'is', jsonb_strip_nulls(properties)) FROM (
  SELECT 'database' AS kind, '' AS name, jsonb_build_object(
      'owner', datdba::regrole, 'encoding', pg_encoding_to_char(encoding), 'collation', datcollate, 'character type', datctype,
      'connection limit', datconnlimit, 'rights', pg_temp.rights(datacl, 'd', datdba),
      'comment', shobj_description(oid, 'pg_database'),
      'settings', (SELECT string_agg(setting, '; ' ORDER BY setting) FROM pg_db_role_setting s, unnest(setconfig) setting
        WHERE s.setdatabase = d.oid)) AS properties
    FROM pg_database d WHERE datname = current_database()
  UNION ALL SELECT 'schema', quote_ident(nspname), jsonb_build_object(
      'owner', nspowner::regrole, 'rights', pg_temp.rights(nspacl, 'n', nspowner), 'comment', obj_description(oid, 'pg_namespace'))
    FROM pg_temp.schemas
  UNION ALL SELECT 'extension', quote_ident(extname), jsonb_build_object('version', extversion) FROM pg_extension
  UNION ALL SELECT
      CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' ELSE 'table' END, full_name,
      jsonb_build_object('owner', relowner::regrole, 'comment', obj_description(oid, 'pg_class'),
        'rights', pg_temp.rights(relacl, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", relowner),
        'options', reloptions, 'row security', relrowsecurity,
        'partition key', pg_get_partkeydef(oid), 'partition bound', pg_get_expr(relpartbound, oid),
        'query', CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
    FROM pg_temp.relations WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
  UNION ALL SELECT 'position of sequence', format('%I.%I', schemaname, sequencename), jsonb_build_object(
      'last value', last_value, 'start', start_value, 'increment', increment_by, 'lowest', min_value, 'highest', max_value,
      'cycles', cycle, 'type', data_type)
    FROM pg_sequences
  UNION ALL SELECT 'column', format('%s.%I', full_name, attname), jsonb_build_object(
      'type', format_type(atttypid, atttypmod), 'not null', attnotnull, 'identity', nullif(attidentity, ''),
      'generated', nullif(attgenerated, ''), 'default', pg_get_expr(adbin, adrelid), 'comment', col_description(attrelid, attnum))
    FROM pg_temp.relations r JOIN pg_attribute a ON a.attrelid = r.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
    WHERE relkind IN ('r', 'p', 'v', 'm')
  UNION ALL SELECT 'constraint', format('%s.%I', coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text), conname),
      jsonb_build_object('definition', pg_get_constraintdef(oid), 'valid', convalidated)
    FROM pg_constraint WHERE connamespace IN (SELECT oid FROM pg_temp.schemas)
  UNION ALL SELECT 'index', full_name, jsonb_build_object('definition', pg_get_indexdef(oid))
    FROM pg_temp.relations WHERE relkind IN ('i', 'I')
  UNION ALL SELECT 'trigger', format('%s.%I', full_name, tgname),
      jsonb_build_object('definition', pg_get_triggerdef(t.oid), 'enabled', tgenabled)
    FROM pg_trigger t JOIN pg_temp.relations r ON r.oid = tgrelid WHERE NOT tgisinternal
  UNION ALL SELECT 'function', oid::regprocedure::text, jsonb_build_object('definition', pg_get_functiondef(oid),
      'owner', proowner::regrole, 'rights', pg_temp.rights(proacl, 'f', proowner))
    FROM pg_proc WHERE pronamespace IN (SELECT oid FROM pg_temp.schemas) AND prokind IN ('f', 'p')
  UNION ALL SELECT 'type', oid::regtype::text, jsonb_build_object('owner', typowner::regrole, 'base', nullif(typbasetype, 0)::regtype,
      'values', (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
    FROM pg_type t WHERE typnamespace IN (SELECT oid FROM pg_temp.schemas) AND typtype IN ('d', 'e')
  UNION ALL SELECT 'policy', format('%I.%I.%I', schemaname, tablename, policyname),
      jsonb_build_object('command', cmd, 'roles', roles, 'using', qual, 'check', with_check)
    FROM pg_policies
) objects ORDER BY kind, name;

SELECT format($$
  SELECT jsonb_build_object('kind', 'rows of', 'name', %L, 'is', jsonb_build_object('count', count(*),
    'content', coalesce(sum(('x' || left(md5(r::text), 15))::bit(60)::bigint), 0)::text)) FROM %s r
$$, full_name, full_name) FROM pg_temp.relations WHERE relkind IN ('r', 'm') ORDER BY full_name \gexec

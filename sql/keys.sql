--
-- Who asks, under which settings, and what names mean: whatever could change
-- an answer makes it another entry, and no one sees what is not his
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE ROLE regress_cache_alice;
CREATE ROLE regress_cache_bob;
CREATE ROLE regress_cache_staff;
CREATE TABLE story (id int, title text, tenant text DEFAULT 'acme');
INSERT INTO story VALUES (1, 'public', 'acme'), (2, 'secret', 'initech');

-- users
GRANT SELECT ON story TO regress_cache_alice, regress_cache_bob;
SELECT how($$cached_query('SELECT current_user AS u, session_user <> current_user AS other', 300, '{}')$$) AS h \gset
SELECT regexp_replace(:'h', '"u":"[^"]*"', '"u":"superuser"');
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT current_user AS u, session_user <> current_user AS other', 300, '{}')$$);
SET ROLE regress_cache_bob;
SELECT how($$cached_query('SELECT current_user AS u, session_user <> current_user AS other', 300, '{}')$$);
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT current_user AS u, session_user <> current_user AS other', 300, '{}')$$);
RESET ROLE;
SET SESSION AUTHORIZATION regress_cache_alice;
SELECT how($$cached_query('SELECT current_user AS u, session_user <> current_user AS other', 300, '{}')$$);
RESET SESSION AUTHORIZATION;

-- settings
SET TimeZone = 'UTC';
SELECT how($$cached_query('SELECT ''2000-01-01 00:00+00''::timestamptz::text AS t', 300, '{}')$$);
SET TimeZone = 'Asia/Tokyo';
SELECT how($$cached_query('SELECT ''2000-01-01 00:00+00''::timestamptz::text AS t', 300, '{}')$$);
SET TimeZone = 'UTC';
SELECT how($$cached_query('SELECT ''2000-01-01 00:00+00''::timestamptz::text AS t', 300, '{}')$$);
SET DateStyle = 'German';
SELECT how($$cached_query('SELECT ''2000-01-02 00:00+00''::timestamptz::text AS t', 300, '{}')$$);
SET DateStyle = 'ISO, MDY';
SELECT how($$cached_query('SELECT ''2000-01-02 00:00+00''::timestamptz::text AS t', 300, '{}')$$);
SET DateStyle = 'ISO, DMY';
SELECT how($$cached_query('SELECT ''1/2/2000''::date AS t', 300, '{}')$$);
SET DateStyle = 'ISO, MDY';
SELECT how($$cached_query('SELECT ''1/2/2000''::date AS t', 300, '{}')$$);
SET IntervalStyle = 'iso_8601';
SELECT how($$cached_query('SELECT ''1 day 2:00''::interval AS i', 300, '{}')$$);
SET IntervalStyle = 'postgres';
SELECT how($$cached_query('SELECT ''1 day 2:00''::interval AS i', 300, '{}')$$);
SET extra_float_digits = -10;
SELECT how($$cached_query('SELECT 1::float8 / 3 AS f', 300, '{}')$$);
SET extra_float_digits = 1;
SELECT how($$cached_query('SELECT 1::float8 / 3 AS f', 300, '{}')$$);
SET bytea_output = 'escape';
SELECT how($$cached_query('SELECT ''\x01''::bytea AS b', 300, '{}')$$);
SET bytea_output = 'hex';
SELECT how($$cached_query('SELECT ''\x01''::bytea AS b', 300, '{}')$$);
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT how($q$cached_query('SELECT length(\'\\\\\') AS l', 300, '{}')$q$);
SET standard_conforming_strings = on;
SELECT how($q$cached_query(E'SELECT length(\'\\\\\') AS l', 300, '{}')$q$);
RESET standard_conforming_strings;
RESET escape_string_warning;
RESET TimeZone; RESET DateStyle; RESET IntervalStyle; RESET extra_float_digits; RESET bytea_output;
-- custom ones, known to nobody
SELECT how($$cached_query('SELECT current_setting(''app.tenant'', true) AS t', 300, '{}')$$);
SET app.tenant = 'acme';
SELECT how($$cached_query('SELECT current_setting(''app.tenant'', true) AS t', 300, '{}')$$);
SET app.tenant = 'initech';
SELECT how($$cached_query('SELECT current_setting(''app.tenant'', true) AS t', 300, '{}')$$);
BEGIN;
SET LOCAL app.tenant = 'acme';
SELECT how($$cached_query('SELECT current_setting(''app.tenant'', true) AS t', 300, '{}')$$);
COMMIT;
SELECT how($$cached_query('SELECT current_setting(''app.tenant'', true) AS t', 300, '{}')$$);
SELECT set_config('app.tenant', 'acme', false);
SELECT how($$cached_query('SELECT current_setting(''app.tenant'', true) AS t', 300, '{}')$$);
RESET app.tenant;
SELECT how($$cached_query('SELECT current_setting(''app.tenant'', true) AS t', 300, '{}')$$);
-- those of functions
CREATE FUNCTION in_tokyo() RETURNS text LANGUAGE plpgsql SET TimeZone = 'Asia/Tokyo' AS $$
BEGIN
	RETURN cache_test.how($q$public.cached_query('SELECT ''2000-01-03 00:00+00''::timestamptz::text AS t', 300, '{}')$q$);
END
$$;
SET TimeZone = 'UTC'; SET DateStyle = 'ISO';
SELECT how($$public.cached_query('SELECT ''2000-01-03 00:00+00''::timestamptz::text AS t', 300, '{}')$$);
SELECT in_tokyo();
SELECT in_tokyo();
SELECT how($$public.cached_query('SELECT ''2000-01-03 00:00+00''::timestamptz::text AS t', 300, '{}')$$);
RESET TimeZone; RESET DateStyle;
-- settings that do not matter share
SELECT how($$cached_query('SELECT 1 AS shared', 300, '{}')$$);
SET work_mem = '1MB'; SET enable_seqscan = off; SET application_name = 'other'; SET statement_timeout = '1min';
SELECT how($$cached_query('SELECT 1 AS shared', 300, '{}')$$);
RESET work_mem; RESET enable_seqscan; RESET application_name; RESET statement_timeout;

-- forms
SELECT how($$cached_query('SELECT 1 AS form', 300, '{}')$$);
SELECT how($$cached_rows('SELECT 1 AS form', 300, '{}') AS t(a int)$$);
SELECT how($$cached_query('SELECT 1 AS form', 300, '{}')$$);
SELECT how($$cached_rows('SELECT 1 AS form', 300, '{}') AS t(a int)$$);

-- search_path
CREATE SCHEMA cache_test_a;
CREATE SCHEMA cache_test_b;
CREATE TABLE cache_test_a.place AS SELECT 'a' AS name;
CREATE TABLE cache_test_b.place AS SELECT 'b' AS name;
SET search_path = cache_test_a, cache_test, public;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
SET search_path = cache_test_b, cache_test, public;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
SET search_path = cache_test_a, cache_test, public;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
-- a new table earlier in it
SET search_path = cache_test_a, cache_test_b, cache_test, public;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
DROP TABLE cache_test_a.place;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
CREATE TABLE cache_test_a.place AS SELECT 'new a' AS name;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
-- a schema of the same name
ALTER SCHEMA cache_test_a RENAME TO cache_test_c;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
ALTER SCHEMA cache_test_c RENAME TO cache_test_a;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
-- renamed tables change places
ALTER TABLE cache_test_a.place SET SCHEMA cache_test;
SELECT how($$cached_query('SELECT name FROM place', 300, '{}')$$);
-- a function earlier in it
CREATE FUNCTION cache_test_b.word() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'b' $$;
SELECT how($$cached_query('SELECT word() AS w', 300, '{}')$$);
CREATE FUNCTION cache_test_a.word() RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'a' $$;
SELECT how($$cached_query('SELECT word() AS w', 300, '{}')$$);
-- one that fits the arguments better
CREATE FUNCTION cache_test_a.kind(numeric) RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'numeric' $$;
SELECT how($$cached_query('SELECT kind(1) AS k', 300, '{}')$$);
CREATE FUNCTION cache_test_a.kind(int) RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'int' $$;
SELECT how($$cached_query('SELECT kind(1) AS k', 300, '{}')$$);
SET search_path = cache_test, public;
SET client_min_messages = warning;
DROP SCHEMA cache_test_a, cache_test_b CASCADE;
DROP TABLE place;
RESET client_min_messages;

-- what is replaced
CREATE FUNCTION answer() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 41; END';
SELECT how($$cached_query('SELECT answer() AS a', 300, '{}')$$);
SELECT how($$cached_query('SELECT answer() AS a', 300, '{}')$$);
CREATE OR REPLACE FUNCTION answer() RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 42; END';
SELECT how($$cached_query('SELECT answer() AS a', 300, '{}')$$);
ALTER FUNCTION answer() VOLATILE;
SELECT cached_query('SELECT answer() AS a', 300, '{}');
CREATE VIEW titles AS SELECT title FROM story WHERE id = 1;
SELECT how($$cached_query('SELECT * FROM titles', 300, '{}')$$);
SELECT how($$cached_query('SELECT * FROM titles', 300, '{}')$$);
CREATE OR REPLACE VIEW titles AS SELECT title FROM story WHERE id = 2;
SELECT how($$cached_query('SELECT * FROM titles', 300, '{}')$$);
-- a dropped table and another of its name
CREATE TABLE t AS SELECT 1 AS a;
SELECT how($$cached_query('SELECT * FROM t', 300, '{}')$$);
DROP TABLE t;
SELECT cached_query('SELECT * FROM t', 300, '{}');
CREATE TABLE t AS SELECT 2 AS a;
SELECT how($$cached_query('SELECT * FROM t', 300, '{}')$$);
ALTER TABLE t ADD COLUMN b int;
SELECT how($$cached_query('SELECT * FROM t', 300, '{}')$$);
SELECT how($$cached_rows('SELECT * FROM t', 300, '{}') AS r(a int, b int)$$);
ALTER TABLE t ALTER a TYPE text;
SELECT * FROM cached_rows('SELECT * FROM t', 300, '{}') AS r(a int, b int);
SELECT how($$cached_rows('SELECT * FROM t', 300, '{}') AS r(a text, b int)$$);
ALTER TABLE t RENAME a TO c;
SELECT how($$cached_query('SELECT * FROM t', 300, '{}')$$);
-- what comes to nothing ends nothing
SELECT how($$cached_query('SELECT * FROM t', 300, '{}')$$);
BEGIN;
ALTER TABLE t DROP COLUMN b;
SELECT how($$cached_query('SELECT * FROM t', 300, '{}')$$);
SELECT how($$cached_rows('SELECT * FROM t', 300, '{}') AS r(c text)$$);
ROLLBACK;
SELECT how($$cached_query('SELECT * FROM t', 300, '{}')$$);
SELECT how($$cached_rows('SELECT * FROM t', 300, '{}') AS r(c text, b int)$$);
BEGIN;
SAVEPOINT s;
ALTER TABLE t ADD COLUMN d int;
SELECT how($$cached_rows('SELECT * FROM t', 300, '{}') AS r(c text, b int, d int)$$);
ROLLBACK TO s;
SELECT how($$cached_rows('SELECT * FROM t', 300, '{}') AS r(c text, b int)$$);
COMMIT;
SELECT * FROM cached_rows('SELECT * FROM t', 300, '{}') AS r(c text, b int);
-- what does not change an answer ends nothing either
SELECT cached_query('SELECT * FROM t', 300, '{}');
CREATE INDEX ON t (b);
ANALYZE t;
VACUUM t;
REINDEX TABLE t;
COMMENT ON TABLE t IS 'a comment';
SELECT how($$cached_query('SELECT * FROM t', 300, '{}')$$);

-- temporary tables are refused, and shadow permanent ones at once
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{}')$$);
CREATE TEMP TABLE mine (a int);
SELECT cached_query('SELECT * FROM mine', 300, '{}');
SELECT cached_query('SELECT * FROM t WHERE b IN (SELECT a FROM mine)', 300, '{}');
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{}')$$);
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{}')$$);
CREATE TEMP TABLE story (id int);
SELECT cached_query('SELECT count(*) FROM story', 300, '{}');
SELECT how($$cached_query('SELECT count(*) FROM cache_test.story', 300, '{}')$$);
DROP TABLE pg_temp.story;
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{}')$$);
SET search_path = pg_temp, cache_test, public;
CREATE TABLE story (id int);
SELECT cached_query('SELECT count(*) FROM story', 300, '{}');
ALTER TABLE pg_temp.story RENAME TO history;
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{}')$$);
ALTER TABLE history RENAME TO story;
SELECT cached_query('SELECT count(*) FROM story', 300, '{}');
DISCARD TEMP;
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{}')$$);
SET search_path = cache_test, public;
CREATE TEMP VIEW story AS SELECT 'temporary view' AS v;
SELECT how($$cached_query('SELECT * FROM story', 300, '{}')$$);
DROP VIEW pg_temp.story;
SELECT how($$cached_query('SELECT id FROM story ORDER BY id', 300, '{}')$$);
BEGIN;
CREATE TEMP TABLE story ON COMMIT DROP AS SELECT 0 AS id;
SELECT cached_query('SELECT id FROM story ORDER BY id', 300, '{}');
ROLLBACK;
SELECT how($$cached_query('SELECT id FROM story ORDER BY id', 300, '{}')$$);
-- temporary types are not refused, but go as well
CREATE TYPE mood AS ENUM ('permanent');
CREATE TYPE pg_temp.mood AS ENUM ('temporary');
SELECT how($$cached_query('SELECT enum_range(NULL::mood) AS moods', 300, '{}')$$);
DISCARD TEMP;
SELECT how($$cached_query('SELECT enum_range(NULL::mood) AS moods', 300, '{}')$$);
\c -
SET search_path = cache_test, public;
SET cache.ttl_jitter = 0;

-- privileges
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
RESET ROLE;
REVOKE SELECT ON story FROM regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT cached_query('SELECT title FROM story ORDER BY id', 300, '{}');
RESET ROLE;
GRANT SELECT (id) ON story TO regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT cached_query('SELECT title FROM story ORDER BY id', 300, '{}');
SELECT how($$cached_query('SELECT id FROM story ORDER BY id', 300, '{}')$$);
RESET ROLE;
GRANT SELECT ON story TO regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
RESET ROLE;
REVOKE SELECT ON story FROM regress_cache_alice;
REVOKE SELECT (id) ON story FROM regress_cache_alice;
-- what neither users nor custom settings can change is shared, but only with
-- those who may see it
SELECT how($$cached_query('SELECT title AS shared FROM story ORDER BY id', 300, '{}')$$);
SET ROLE regress_cache_bob;
SELECT how($$cached_query('SELECT title AS shared FROM story ORDER BY id', 300, '{}')$$);
SET app.tenant = 'acme';
SELECT how($$cached_query('SELECT title AS shared FROM story ORDER BY id', 300, '{}')$$);
SET ROLE regress_cache_alice;
SELECT cached_query('SELECT title AS shared FROM story ORDER BY id', 300, '{}');
RESET ROLE;
RESET app.tenant;
-- by membership
GRANT SELECT ON story TO regress_cache_staff;
GRANT regress_cache_staff TO regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
RESET ROLE;
REVOKE regress_cache_staff FROM regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT cached_query('SELECT title FROM story ORDER BY id', 300, '{}');
RESET ROLE;
GRANT regress_cache_staff TO regress_cache_alice;
CREATE PROCEDURE inherit_staff(inherit bool) LANGUAGE plpgsql AS $$	-- since 16 a grant says it
BEGIN
	EXECUTE CASE WHEN current_setting('server_version_num')::int < 160000
		THEN CASE WHEN inherit THEN 'ALTER ROLE regress_cache_alice INHERIT' ELSE 'ALTER ROLE regress_cache_alice NOINHERIT' END
		ELSE format('GRANT regress_cache_staff TO regress_cache_alice WITH INHERIT %s', inherit::text) END;
END$$;
CALL inherit_staff(false);
SET ROLE regress_cache_alice;
SELECT cached_query('SELECT title FROM story ORDER BY id', 300, '{}');
RESET ROLE;
CALL inherit_staff(true);
-- of functions and schemas
REVOKE EXECUTE ON FUNCTION noisy(anyelement) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION noisy(anyelement) TO regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT cached_query('SELECT noisy(1) AS n', 300, '{}');
SELECT cached_query('SELECT noisy(1) AS n', 300, '{}');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION noisy(anyelement) FROM regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT cached_query('SELECT noisy(1) AS n', 300, '{}');
RESET ROLE;
GRANT EXECUTE ON FUNCTION noisy(anyelement) TO PUBLIC;
CREATE SCHEMA cache_test_a;
CREATE TABLE cache_test_a.t AS SELECT 1 AS a;
GRANT USAGE ON SCHEMA cache_test_a TO regress_cache_alice;
GRANT SELECT ON cache_test_a.t TO regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT * FROM cache_test_a.t', 300, '{}')$$);
RESET ROLE;
REVOKE USAGE ON SCHEMA cache_test_a FROM regress_cache_alice;
SET ROLE regress_cache_alice;
SELECT cached_query('SELECT * FROM cache_test_a.t', 300, '{}');
RESET ROLE;
DROP TABLE cache_test_a.t;
DROP SCHEMA cache_test_a;

-- views: privileges of their owner, or of who asks
CREATE VIEW of_owner WITH (security_barrier) AS SELECT title FROM story;
CREATE VIEW of_invoker WITH (security_invoker) AS SELECT title FROM story;
GRANT SELECT ON of_owner, of_invoker TO regress_cache_bob;
REVOKE SELECT ON story FROM regress_cache_bob;
SET ROLE regress_cache_bob;
SELECT how($$cached_query('SELECT * FROM of_owner ORDER BY 1', 300, '{}')$$);
SELECT how($$cached_query('SELECT * FROM of_owner ORDER BY 1', 300, '{}')$$);
SELECT cached_query('SELECT * FROM of_invoker ORDER BY 1', 300, '{}');
RESET ROLE;
SELECT how($$cached_query('SELECT * FROM of_invoker ORDER BY 1', 300, '{}')$$);
REVOKE SELECT ON of_owner FROM regress_cache_bob;
SET ROLE regress_cache_bob;
SELECT cached_query('SELECT * FROM of_owner ORDER BY 1', 300, '{}');
SELECT cached_query('SELECT * FROM of_invoker ORDER BY 1', 300, '{}');
RESET ROLE;
ALTER VIEW of_owner SET (security_invoker);
GRANT SELECT ON of_owner TO regress_cache_bob;
SET ROLE regress_cache_bob;
SELECT cached_query('SELECT * FROM of_owner ORDER BY 1', 300, '{}');
RESET ROLE;

-- SECURITY DEFINER: the privileges, and the entries, of the owner
CREATE FUNCTION for_anyone() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	RETURN cache_test.how($q$public.cached_query('SELECT title, current_user = session_user AS same FROM cache_test.story ORDER BY id', 300, '{}')$q$);
END
$$;
GRANT EXECUTE ON FUNCTION for_anyone() TO PUBLIC;
SELECT for_anyone();
SELECT for_anyone();
SET SESSION AUTHORIZATION regress_cache_bob;
SELECT for_anyone();
SELECT for_anyone();
SELECT cached_query('SELECT title, current_user = session_user AS same FROM cache_test.story ORDER BY id', 300, '{}');
RESET SESSION AUTHORIZATION;

-- row security: two tenants, told apart by a setting
GRANT SELECT ON story TO regress_cache_alice, regress_cache_bob;
ALTER TABLE story ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenant ON story USING (tenant = current_setting('app.tenant', true));
SET ROLE regress_cache_alice;
SET app.tenant = 'acme';
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
SET app.tenant = 'initech';
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
SET app.tenant = 'acme';
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
RESET app.tenant;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
SET row_security = off;
SELECT cached_query('SELECT title FROM story ORDER BY id', 300, '{}');
RESET row_security;
RESET ROLE;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
-- and by the user
DROP POLICY tenant ON story;
CREATE POLICY alice ON story TO regress_cache_alice USING (id = 1);
CREATE POLICY bob ON story TO regress_cache_bob USING (id = 2);
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
SET ROLE regress_cache_bob;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
RESET ROLE;
ALTER POLICY alice ON story USING (id < 0);
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
RESET ROLE;
ALTER ROLE regress_cache_alice BYPASSRLS;
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
RESET ROLE;
ALTER ROLE regress_cache_alice NOBYPASSRLS;
SET ROLE regress_cache_alice;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{}')$$);
RESET ROLE;
-- prepared, and executed by another
PREPARE q AS SELECT how($$public.cached_query('SELECT title FROM cache_test.story ORDER BY id', 300, '{}')$$);
SET ROLE regress_cache_alice;
EXECUTE q;
SET ROLE regress_cache_bob;
EXECUTE q;
EXECUTE q;
RESET ROLE;
DEALLOCATE q;

-- a role dropped, and another of its name
CREATE ROLE regress_cache_carol;
GRANT SELECT ON t TO regress_cache_carol;
SET ROLE regress_cache_carol;
SELECT how($$cached_query('SELECT count(*) FROM t', 300, '{}')$$);
SELECT how($$cached_query('SELECT count(*) FROM t', 300, '{}')$$);
RESET ROLE;
REVOKE ALL ON t FROM regress_cache_carol;
DROP ROLE regress_cache_carol;
CREATE ROLE regress_cache_carol;
SET ROLE regress_cache_carol;
SELECT cached_query('SELECT count(*) FROM t', 300, '{}');
RESET ROLE;
DROP ROLE regress_cache_carol;

\set ECHO none
\i :end
DROP ROLE regress_cache_alice, regress_cache_bob, regress_cache_staff;

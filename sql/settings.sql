--
-- Settings: what a query could see of one makes another key, or is not cached
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
SET client_min_messages = warning;
DROP ROLE IF EXISTS cache_settings_a;
RESET client_min_messages;
\set ECHO all
CREATE ROLE cache_settings_a;
GRANT CREATE ON SCHEMA cache_test TO cache_settings_a;
CREATE TABLE ev AS SELECT 1 AS a;
GRANT SELECT ON ev TO PUBLIC;
CREATE VIEW shown AS SELECT a FROM ev;

-- Asks with a setting at two values, in turn; returns how often the answer was
-- another than without the cache, or why it is refused.
CREATE FUNCTION wrong(query text, name text, one text, two text, tags text[] DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	cached text;
	uncached text;
	n int := 0;
BEGIN
	FOR i IN 0 .. 3 LOOP
		PERFORM set_config(name, CASE WHEN i % 2 = 0 THEN one ELSE two END, true);
		EXECUTE format('SELECT cached_query(%L, NULL, %L)', query, tags) INTO cached;
		EXECUTE format('SELECT row_to_json(x) FROM (%s) x', query) INTO uncached;
		n := n + (cached IS DISTINCT FROM uncached)::int;
	END LOOP;
	PERFORM set_config(name, one, true);
	RETURN n;
EXCEPTION WHEN feature_not_supported THEN
	RETURN sqlerrm;
END
$$;

-- by name, as current_setting() takes it
SELECT name, wrong(format('SELECT current_setting(%L) AS s', name), coalesce(set, name), one, two)
	FROM (VALUES ('DateStyle', NULL, 'ISO', 'German'), ('datestyle', NULL, 'ISO', 'German'),
		('lc_messages', NULL, 'C', 'POSIX'), ('app.x', NULL, 'a', 'b'), ('APP.X', 'app.x', 'a', 'b'),
		('role', NULL, 'none', 'cache_settings_a'),
		('session_replication_role', NULL, 'origin', 'replica'), ('zero_damaged_pages', NULL, 'off', 'on'),
		('is_superuser', 'role', 'none', 'cache_settings_a'),
		('work_mem', NULL, '1MB', '2MB'), ('sort_mem', 'work_mem', '1MB', '2MB'), ('Sort_Mem', 'work_mem', '1MB', '2MB'),
		('vacuum_mem', 'maintenance_work_mem', '1MB', '2MB'), ('join_collapse_limit', NULL, '1', '8'),
		('application_name', NULL, 'a', 'b'), ('search_path', NULL, 'public', 'cache_test, public'),
		('transaction_isolation', 'app.x', 'a', 'b'), ('in_hot_standby', 'app.x', 'a', 'b'),
		('server_version_num', 'app.x', 'a', 'b'), ('max_connections', 'app.x', 'a', 'b'),
		('primary_conninfo', 'app.x', 'a', 'b'), ('dynamic_library_path', 'app.x', 'a', 'b'),
		('cache.redis_url', 'app.x', 'a', 'b'), ('cache.mode', NULL, 'off', 'hint'),
		('auto_explain.log_level', NULL, 'debug1', 'debug2')) v(name, set, one, two);
SELECT wrong('SELECT current_setting(''nothing'', true) AS s', 'app.x', 'a', 'b');
-- by other ways of calling it
CREATE OPERATOR !!! (RIGHTARG = text, FUNCTION = current_setting);
CREATE FUNCTION last(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $2';
CREATE AGGREGATE setting_of(text) (SFUNC = last, STYPE = text, FINALFUNC = current_setting);
CREATE FUNCTION setting_named(n text) RETURNS text LANGUAGE sql STABLE AS 'SELECT current_setting(n)';
SELECT wrong('SELECT !!! ''work_mem'' AS s', 'work_mem', '1MB', '2MB');
SELECT wrong('SELECT !!! ''DateStyle'' AS s', 'DateStyle', 'ISO', 'German');
SELECT wrong('SELECT setting_of(n) AS s FROM (VALUES (''work_mem'')) v(n)', 'work_mem', '1MB', '2MB');
SELECT wrong('SELECT setting_named(''work_mem'') AS s', 'work_mem', '1MB', '2MB');
SELECT wrong('SELECT setting_named(''work_mem'') AS s', 'work_mem', '1MB', '2MB', '{x}');
SELECT wrong('SELECT s FROM ROWS FROM (current_setting(''work_mem'')) s', 'work_mem', '1MB', '2MB');
SELECT wrong('SELECT s FROM (VALUES (''work_mem'')) v(n), LATERAL current_setting(n) s', 'work_mem', '1MB', '2MB');
-- who is not set is no role
SET SESSION AUTHORIZATION cache_settings_a;
SELECT wrong('SELECT current_setting(''role'') AS s', 'role', 'none', 'cache_settings_a');
RESET SESSION AUTHORIZATION;

-- by a function of which nothing is known
CREATE FUNCTION setting(name text) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN current_setting(name); END';
SELECT name, wrong(format('SELECT setting(%L) AS s', name), name, one, two, '{x}')
	FROM (VALUES ('application_name', 'a', 'b'), ('statement_timeout', '1h', '2h'), ('client_min_messages', 'notice', 'error'),
		('default_transaction_read_only', 'off', 'on'), ('log_duration', 'off', 'on'), ('dynamic_library_path', 'a', 'b'),
		('jit', 'on', 'off'), ('auto_explain.x', 'a', 'b'), ('app.x', 'a', 'b'), ('temp_buffers', '1MB', '2MB'),
		('work_mem', '1MB', '2MB'), ('random_page_cost', '1', '2'), ('enable_seqscan', 'on', 'off'),
		('cache.mode', 'off', 'hint')) v(name, one, two);
-- or which is trusted to read nothing but settings
SET cache.trusted_functions = 'cache_test.setting';
SELECT name, wrong(format('SELECT setting(%L) AS s', name), name, one, two)
	FROM (VALUES ('application_name', 'a', 'b'), ('work_mem', '1MB', '2MB'), ('enable_seqscan', 'on', 'off'),
		('app.x', 'a', 'b'), ('DateStyle', 'ISO', 'German')) v(name, one, two);
RESET cache.trusted_functions;
-- which tells who calls a function that is someone else's
CREATE FUNCTION definer() RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	RETURN public.cached_query('SELECT cache_test.setting(''is_superuser'') AS s', 300, '{x}')::text ||
		cache_test.setting('is_superuser');
END
$$;
ALTER FUNCTION definer() OWNER TO cache_settings_a;
SELECT definer();
SET ROLE cache_settings_a;
SELECT definer();
RESET ROLE;

-- what is read of damaged tables is nobody else's
SELECT how($$cached_query('SELECT a AS shared FROM ev')$$);
SET zero_damaged_pages = on;
SELECT how($$cached_query('SELECT a AS shared FROM ev')$$);
RESET zero_damaged_pages;
SET ignore_checksum_failure = on;
SELECT how($$cached_query('SELECT a AS shared FROM ev')$$);
RESET ignore_checksum_failure;
SELECT how($$cached_query('SELECT a AS shared FROM ev')$$);

-- what may not be read at all is not served either
SELECT how($$cached_query('SELECT * FROM shown')$$);
SELECT how($$cached_query('SELECT * FROM shown')$$);
SET restrict_nonsystem_relation_kind = 'view';
SELECT cached_query('SELECT * FROM cache_test.shown');
RESET restrict_nonsystem_relation_kind;
SELECT how($$cached_query('SELECT * FROM shown')$$);

-- the order of rows is that of the present plan
SET cache.mode = auto;
SET cache.min_cost = 0;
CREATE FUNCTION planned(name text, one text, two text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answers text[];
BEGIN
	FOR i IN 0 .. 3 LOOP
		PERFORM set_config(name, CASE WHEN i % 2 = 0 THEN one ELSE two END, true);
		answers := answers || substring(cache_test.how('ev') from '^[^:]*');
	END LOOP;
	RETURN answers;
END
$$;
SELECT how('ev');
SELECT name, planned(name, one, two) FROM (VALUES ('join_collapse_limit', '1', '3'),
	('from_collapse_limit', '1', '3'), ('synchronize_seqscans', 'on', 'off'),
	('enable_hashjoin', 'on', 'off'), ('lock_timeout', '1h', '2h')) v(name, one, two);
SELECT planned(name, 'off', 'on') FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');

\set ECHO none
\i :end
DROP ROLE cache_settings_a;

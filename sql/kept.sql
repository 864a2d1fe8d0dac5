--
-- Kept plans: whatever a plan was made under, what is stored is what the present
-- user and settings make of the statement
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
SET client_min_messages = warning;
DROP ROLE IF EXISTS cache_kept_a, cache_kept_b;
\set ECHO all
CREATE ROLE cache_kept_a;
CREATE ROLE cache_kept_b;
CREATE TABLE ev (a int, f float8, n int);
INSERT INTO ev VALUES (1, 0.1, NULL);
CREATE TABLE ord AS SELECT generate_series(1000, 1, -1) AS a;
CREATE INDEX ON ord (a);
ANALYZE ord;
CREATE TABLE owned (tenant text, owner name, word text);
INSERT INTO owned VALUES ('a', 'cache_kept_a', 'of a'), ('b', 'cache_kept_b', 'of b');
GRANT SELECT ON ev, ord, owned TO PUBLIC;
-- declared so by mistake, which PostgreSQL forgives
CREATE FUNCTION tenant() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN current_setting(''app.tenant''); END';
CREATE FUNCTION me() RETURNS name LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN current_user; END';
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
CREATE POLICY tenants ON owned USING (tenant = tenant() OR owner = me());
CREATE FUNCTION is_null(n int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT n = NULL';
SET cache.mode = auto;
SET cache.min_cost = 0;
SET plan_cache_mode = force_generic_plan;

-- What a statement returns at present, if it is not executed by a kept plan.
CREATE FUNCTION fresh(query text, mode text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	PERFORM set_config('cache.mode', mode, true);
	EXECUTE format('SELECT x::text FROM (%s) x', query) INTO answer;
	RETURN answer;
END
$$;

-- Makes a plan while a setting has one value and executes it while it has
-- another: as a prepared statement and as the plan of cached_query.  Returns
-- what is then found in the cache, and what is right.
CREATE FUNCTION kept(query text, name text, made text, used text,
	OUT stored text, OUT by_cached_query text, OUT is_right boolean) LANGUAGE plpgsql AS $$
DECLARE
	statement text := format('SELECT x::text FROM (%s) x', query);
	call text := format('SELECT x::text FROM cached_query(%L) x', query);
	answer text;
	hits bigint;
BEGIN
	PERFORM set_config(name, made, false);
	EXECUTE 'PREPARE kept AS ' || statement;
	FOR i IN 1 .. 2 LOOP
		EXECUTE 'EXECUTE kept' INTO answer;
		EXECUTE call INTO answer;
	END LOOP;
	PERFORM set_config(name, used, false);
	EXECUTE 'EXECUTE kept' INTO answer;
	EXECUTE call INTO answer;
	DEALLOCATE kept;

	SELECT l1_hits INTO hits FROM cache_stats();
	stored := cache_test.fresh(query, 'auto');
	SELECT stored || CASE WHEN l1_hits > hits THEN ' (hit)' ELSE ' (miss)' END INTO stored FROM cache_stats();
	EXECUTE call INTO by_cached_query;
	answer := cache_test.fresh(query, 'off');
	EXECUTE format('SELECT row_to_json(x)::text = %L FROM (%s) x', by_cached_query, query) INTO is_right;
	is_right := is_right AND stored = answer || ' (hit)';
END
$$;

-- what the planner folds, or inlines
SELECT * FROM kept('SELECT (1::float8 / 3)::text AS f, count(*) FROM ev', 'extra_float_digits', '1', '-5');
SELECT * FROM kept('SELECT (1::float8 / 3)::text AS f, count(*) FROM ev', 'extra_float_digits', '-5', '0');
SELECT * FROM kept($$SELECT '\x00ff'::bytea::text AS b, count(*) FROM ev$$, 'bytea_output', 'hex', 'escape');
SELECT * FROM kept($$SELECT quote_ident('a') AS q, count(*) FROM ev$$, 'quote_all_identifiers', 'off', 'on');
SELECT * FROM kept($$SELECT ('2024-01-02 03:04'::timestamp AT TIME ZONE 'IST')::text AS t, count(*) FROM ev$$, 'timezone_abbreviations', 'Default', 'India');
SELECT * FROM kept('SELECT is_null(n) AS n, count(*) FROM ev GROUP BY 1', 'transform_null_equals', 'off', 'on');
SELECT * FROM kept($$SELECT '2024-02-03'::date::text AS d, count(*) FROM ev$$, 'DateStyle', 'ISO', 'German');
SELECT * FROM kept($$SELECT '2024-02-03 00:00+00'::timestamptz::text AS t, count(*) FROM ev$$, 'TimeZone', 'UTC', 'Asia/Tokyo');
-- the order of rows; of cached_query it may be either
SELECT stored FROM kept('SELECT a FROM ord LIMIT 1', 'enable_seqscan', 'off', 'on');
SELECT stored FROM kept('SELECT a FROM ord LIMIT 1', 'enable_seqscan', 'on', 'off');
RESET enable_seqscan;
-- whose rows
SET ROLE cache_kept_a;
SET app.tenant = '';
SELECT * FROM kept('SELECT string_agg(word, '','') AS w FROM owned', 'app.tenant', 'a', 'b');
RESET ROLE;
SELECT * FROM kept('SELECT string_agg(word, '','') AS w FROM owned', 'role', 'cache_kept_b', 'cache_kept_a');
RESET ROLE;

-- plans that PL/pgSQL keeps
CREATE FUNCTION third() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	f text;
BEGIN
	SELECT (2::float8 / 3)::text || count(*) INTO f FROM ev;
	RETURN f;
END
$$;
SET extra_float_digits = 1;
SELECT third();
SET extra_float_digits = -5;
SELECT third();
SET cache.mode = off;
SELECT third();
SELECT (2::float8 / 3)::text || count(*) FROM ev;
SET cache.mode = auto;
SELECT (2::float8 / 3)::text || count(*) FROM ev;
-- or a function of LANGUAGE sql, while one statement runs
CREATE FUNCTION third_sql() RETURNS text LANGUAGE sql VOLATILE AS 'SELECT (5::float8 / 3)::text || count(*) FROM ev';
SELECT set_config('extra_float_digits', v, false), third_sql() FROM (VALUES ('1'), ('-5'), ('0')) t(v);
SET extra_float_digits = -5;
SELECT (5::float8 / 3)::text || count(*) FROM ev;
SET extra_float_digits = 1;
SELECT (5::float8 / 3)::text || count(*) FROM ev;
-- what is in the plans that functions keep is not stored, for whatever a result is
CREATE FUNCTION third_by_query() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT (1::float8 / 3)::text || count(*) FROM ev); END';
CREATE FUNCTION third_by_expression() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (1::float8 / 3)::text; END';
CREATE FUNCTION third_immutable() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (1::float8 / 3)::text; END';
CREATE FUNCTION present_tenant() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN tenant(); END';
SET cache.trusted_functions = 'cache_test.third_by_expression';
CREATE FUNCTION kept_inside(query text, name text, made text, used text, tags text[] DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plainly text := format('SELECT x::text FROM (%s) x', query);
	call text := format('SELECT x->>''f'' FROM cached_query(%L, NULL, %L) x', 'SELECT x::text AS f FROM (' || query || ') x', tags);
	answer text;
	hits bigint;
BEGIN
	PERFORM set_config(name, made, false);
	PERFORM cache_test.fresh(query, 'off');
	PERFORM set_config(name, used, false);
	EXECUTE call INTO answer;
	IF tags IS NULL THEN
		PERFORM cache_test.fresh(query, 'auto');
	END IF;
	DISCARD PLANS;
	SELECT l1_hits INTO hits FROM cache_stats();
	EXECUTE call INTO answer;
	IF tags IS NULL THEN
		answer := answer || ' ' || cache_test.fresh(query, 'auto');
	END IF;
	SELECT answer || ' ' || l1_hits - hits || ' hits' INTO answer FROM cache_stats();
	DISCARD PLANS;
	RETURN answer || ', right: ' || cache_test.fresh(query, 'off');
END
$$;
SELECT kept_inside('SELECT third_by_query() AS f', 'extra_float_digits', '1', '-5', '{x}');
SELECT kept_inside('SELECT third_by_query() AS f', 'extra_float_digits', '-6', '0', '{x}');
SELECT kept_inside('SELECT third_by_expression() AS f', 'extra_float_digits', '1', '-4', '{x}');
SELECT kept_inside('SELECT third_by_expression(), count(*) FROM ev', 'extra_float_digits', '1', '-5');
SELECT kept_inside('SELECT third_immutable() || a AS f FROM ev', 'extra_float_digits', '1', '-3');
SELECT kept_inside('SELECT present_tenant() AS f', 'app.tenant', 'a', 'b', '{x}');
RESET extra_float_digits;
RESET cache.trusted_functions;
-- nor between two rows of a cursor
BEGIN;
SET LOCAL extra_float_digits = -2;
DECLARE kept CURSOR FOR SELECT /*+ cache(tags=x) */ third_by_expression(), g FROM generate_series(1, 2) g, ev;
FETCH kept;
DISCARD PLANS;
SET LOCAL extra_float_digits = 1;
SELECT third_by_expression();
SET LOCAL extra_float_digits = -2;
FETCH ALL FROM kept;
COMMIT;
SET extra_float_digits = -2;
DISCARD PLANS;
SELECT /*+ cache(tags=x) */ third_by_expression(), g FROM generate_series(1, 2) g, ev;
RESET extra_float_digits;
-- whose it is, and who is asked for by an ignored setting
CREATE FUNCTION asker() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN current_setting(''application_name''); END';
SELECT * FROM kept('SELECT asker() AS a, count(*) FROM ev', 'application_name', 'a', 'b');
SELECT * FROM kept('SELECT me() AS a, count(*) FROM ev', 'role', 'cache_kept_a', 'cache_kept_b');
RESET ROLE;
-- and those of a cursor, open while settings change
SET extra_float_digits = -5;
BEGIN;
SET LOCAL extra_float_digits = 1;
DECLARE kept CURSOR WITH HOLD FOR SELECT (4::float8 / 3)::text || count(*) FROM ev;
SET LOCAL extra_float_digits = -5;
COMMIT;
FETCH ALL FROM kept;
CLOSE kept;
SELECT (4::float8 / 3)::text || count(*) FROM ev;
SET extra_float_digits = 1;
SELECT (4::float8 / 3)::text || count(*) FROM ev;
RESET extra_float_digits;

-- who says STABLE and changes a setting gets nothing stored
CREATE FUNCTION shorten() RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
	PERFORM set_config('extra_float_digits', '-10', true);
	RETURN 0;
END
$$;
SELECT how($$cached_query('SELECT (f + shorten())::text || (f / 3)::text AS f FROM ev', 300, '{}')$$);
SELECT how($$cached_query('SELECT (f + shorten())::text || (f / 3)::text AS f FROM ev', 300, '{}')$$);

\set ECHO none
\i :end
DROP ROLE cache_kept_a, cache_kept_b;

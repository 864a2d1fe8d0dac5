--
-- Functions of LANGUAGE sql: what they read is known by looking into them
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
-- how a query is answered, and whether it is what executing it gives
CREATE FUNCTION answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	cached text := cache_test.how(format('public.cached_query(%L)', query));
	plain text;
BEGIN
	EXECUTE format('SELECT json_agg(row_to_json(r)) FROM (%s) r', query) INTO plain;
	IF split_part(cached, ': ', 2) <> coalesce(plain, '') THEN
		RETURN format('WRONG %s, but %s', cached, plain);
	END IF;
	RETURN cached;
END
$$;
\set ECHO all
CREATE TABLE story (id int PRIMARY KEY, title text, score int);
INSERT INTO story VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30);
CREATE TABLE vote (story int, points int);
INSERT INTO vote VALUES (1, 1), (1, 2), (2, 5);
CREATE TABLE other (a int);

-- a set-returning function in FROM, which PostgreSQL inlines
CREATE FUNCTION best(low int) RETURNS SETOF story LANGUAGE sql STABLE
	AS 'SELECT * FROM story WHERE score >= low ORDER BY id';
SELECT answer('SELECT id FROM best(20)');
SELECT answer('SELECT id FROM best(20)');
UPDATE story SET score = 40 WHERE id = 1;
SELECT answer('SELECT id FROM best(20)');
INSERT INTO other VALUES (1);
SELECT answer('SELECT id FROM best(20)');
-- and the same where it cannot
SELECT answer('SELECT id, n FROM best(20) WITH ORDINALITY AS b(id, title, score, n)');
SELECT answer('SELECT (best(20)).id');
SELECT answer('SELECT id, points FROM ROWS FROM (best(20), generate_series(1, 2)) AS b(id, title, score, points)');
UPDATE story SET score = 10 WHERE id = 1;
SELECT answer('SELECT id, n FROM best(20) WITH ORDINALITY AS b(id, title, score, n)');
SELECT answer('SELECT (best(20)).id');
SELECT answer('SELECT id, points FROM ROWS FROM (best(20), generate_series(1, 2)) AS b(id, title, score, points)');
-- a scalar function that reads, per row
CREATE FUNCTION points(story story) RETURNS bigint LANGUAGE sql STABLE
	AS 'SELECT (SELECT sum(points) FROM vote v WHERE v.story = $1.id)';
SELECT answer('SELECT s.id, s.points FROM story s ORDER BY id');
SELECT answer('SELECT s.id, s.points FROM story s ORDER BY id');
UPDATE vote SET points = 6 WHERE story = 2;
SELECT answer('SELECT s.id, s.points FROM story s ORDER BY id');
DELETE FROM vote WHERE story = 2;
SELECT answer('SELECT s.id, s.points FROM story s ORDER BY id');
-- in a view, a subquery, a join, an aggregate's argument
CREATE VIEW pointed AS SELECT s.id, points(s) AS points FROM story s;
SELECT answer('SELECT max(points) FROM pointed WHERE id IN (SELECT id FROM best(0))');
SELECT answer('SELECT max(points) FROM pointed WHERE id IN (SELECT id FROM best(0))');
INSERT INTO vote VALUES (3, 9);
SELECT answer('SELECT max(points) FROM pointed WHERE id IN (SELECT id FROM best(0))');
SELECT answer('SELECT (SELECT sum(points(s)) FROM story s), EXISTS (SELECT FROM best(99))');
INSERT INTO vote VALUES (3, 1);
SELECT answer('SELECT (SELECT sum(points(s)) FROM story s), EXISTS (SELECT FROM best(99))');

-- functions that call functions
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(points(s)) FROM best(0) s';
CREATE FUNCTION twice() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 2 * total()';
SELECT answer('SELECT twice()');
SELECT answer('SELECT twice()');
UPDATE vote SET points = points + 1;
SELECT answer('SELECT twice()');
UPDATE story SET score = -1 WHERE id = 3;
SELECT answer('SELECT twice()');
-- one of them is replaced
CREATE OR REPLACE FUNCTION total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT sum(a) FROM other';
SELECT answer('SELECT twice()');
INSERT INTO other VALUES (5);
SELECT answer('SELECT twice()');
BEGIN;
CREATE OR REPLACE FUNCTION total() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT 7';
SELECT answer('SELECT twice()');
ROLLBACK;
SELECT answer('SELECT twice()');
-- and one is called that reads the table of the transaction
BEGIN;
INSERT INTO other VALUES (6);
SELECT answer('SELECT twice()');
COMMIT;
SELECT answer('SELECT twice()');
SELECT answer('SELECT twice()');
-- not declared, that is VOLATILE
CREATE FUNCTION undeclared(i int) RETURNS text LANGUAGE sql AS 'SELECT title FROM story WHERE id = i';
SELECT answer('SELECT undeclared(1), undeclared(2)');
SELECT answer('SELECT undeclared(1), undeclared(2)');
UPDATE story SET title = 'ONE' WHERE id = 1;
SELECT answer('SELECT undeclared(1), undeclared(2)');
SELECT how($$cached_query('SELECT undeclared(1) AS title', 300, '{story}')$$);
SELECT how($$cached_query('SELECT undeclared(1) AS title', 300, '{story}')$$);
BEGIN;
INSERT INTO other VALUES (0);
SELECT how($$cached_query('SELECT undeclared(1) AS title', 300, '{story}')$$);
UPDATE story SET title = 'eins' WHERE id = 1;
SELECT how($$cached_query('SELECT undeclared(1) AS title', 300, '{story}')$$);
ROLLBACK;
-- at REPEATABLE READ
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT answer('SELECT undeclared(1), undeclared(2)');
COMMIT;
-- two queries, of which the last one counts
CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT count(*) FROM other; SELECT max(score) FROM story';
SELECT answer('SELECT two()');
SELECT answer('SELECT two()');
INSERT INTO other VALUES (7);
SELECT answer('SELECT two()');
UPDATE story SET score = score + 1;
SELECT answer('SELECT two()');
-- none at all
CREATE FUNCTION nothing() RETURNS void LANGUAGE sql AS '';
SELECT answer('SELECT nothing()');
SELECT answer('SELECT nothing()');

-- bodies parsed as they are made
CREATE FUNCTION atomic(i int) RETURNS SETOF int LANGUAGE sql STABLE
BEGIN ATOMIC
	SELECT points FROM vote;
	SELECT v.points FROM vote v JOIN pointed p ON p.id = v.story WHERE p.id = i ORDER BY 1;
END;
CREATE FUNCTION returned() RETURNS bigint RETURN (SELECT sum(n) FROM atomic(1) AS n);
SELECT answer('SELECT * FROM atomic(1)');
SELECT answer('SELECT returned()');
SELECT answer('SELECT * FROM atomic(1)');
SELECT answer('SELECT returned()');
INSERT INTO vote VALUES (1, 3);
SELECT answer('SELECT * FROM atomic(1)');
SELECT answer('SELECT returned()');

-- arguments: polymorphic, by name, variadic, left to their defaults
CREATE FUNCTION among(x anyelement, VARIADIC y anyarray) RETURNS SETOF anyelement LANGUAGE sql
	AS 'SELECT x WHERE x = ANY (y) AND EXISTS (SELECT FROM story WHERE title = x::text)';
SELECT answer('SELECT among(''two''::text, ''one'', ''two'')');
SELECT answer('SELECT among(''two''::text, ''one'', ''two'')');
SELECT answer('SELECT among(1, 1)');
INSERT INTO story VALUES (4, '1', 0);
SELECT answer('SELECT among(1, 1)');
SELECT answer('SELECT among(''two''::text, VARIADIC ARRAY[''two''])');
SELECT answer('SELECT among(1.5, 1.0, 1.5)');
CREATE FUNCTION with_defaults(a int, b bigint DEFAULT total(), c int DEFAULT 3) RETURNS bigint LANGUAGE sql AS 'SELECT a + b + c';
SELECT answer('SELECT with_defaults(1)');
SELECT answer('SELECT with_defaults(c => 4, a => 1)');
SELECT answer('SELECT with_defaults(c => 4, a => 1)');
SELECT answer('SELECT with_defaults(1, 2)');
INSERT INTO other VALUES (8);
SELECT answer('SELECT with_defaults(1)');
SELECT answer('SELECT with_defaults(c => 4, a => 1)');
SELECT answer('SELECT with_defaults(1, 2)');
CREATE OR REPLACE FUNCTION with_defaults(a int, b bigint DEFAULT 0, c int DEFAULT 3) RETURNS bigint LANGUAGE sql AS 'SELECT a + b + c';
SELECT answer('SELECT with_defaults(1)');
-- also those of functions that are believed
CREATE FUNCTION same(x float8 DEFAULT random()) RETURNS float8 LANGUAGE sql IMMUTABLE AS 'SELECT x';
SELECT answer('SELECT same(0.5)');
SELECT cached_query('SELECT same()');
SELECT cached_query('SELECT same()', 300, '{}');
-- a record, whose columns the query names; the conversion is part of it
CREATE TYPE label AS (text text);
CREATE FUNCTION labelled(int) RETURNS label LANGUAGE sql STABLE AS 'SELECT ROW(max(a) || ''/'' || $1)::label FROM other';
CREATE CAST (int AS label) WITH FUNCTION labelled(int) AS ASSIGNMENT;
CREATE FUNCTION anything() RETURNS SETOF record LANGUAGE sql STABLE AS 'SELECT id FROM story ORDER BY 1';
CREATE FUNCTION converted() RETURNS label[] LANGUAGE sql STABLE AS 'SELECT ARRAY[1]';
SELECT answer('SELECT * FROM anything() AS t(l label), anything() AS u(i int) WHERE i = 1');
SELECT answer('SELECT converted()');
INSERT INTO other VALUES (9);
SELECT answer('SELECT * FROM anything() AS t(l label), anything() AS u(i int) WHERE i = 1');
SELECT answer('SELECT * FROM anything() AS t(l label), anything() AS u(i int) WHERE i = 1');
SELECT answer('SELECT converted()');
SELECT answer('SELECT converted()');
CREATE FUNCTION outs(OUT n bigint, OUT highest int) LANGUAGE sql STABLE AS 'SELECT count(*), max(a) FROM other';
SELECT answer('SELECT (outs()).highest, o FROM outs() o');
INSERT INTO other VALUES (10);
SELECT answer('SELECT (outs()).highest, o FROM outs() o');
-- operators
CREATE FUNCTION rated(text, int) RETURNS bool LANGUAGE sql AS 'SELECT EXISTS (SELECT FROM story WHERE title = $1 AND score > $2)';
CREATE OPERATOR =>> (LEFTARG = text, RIGHTARG = int, FUNCTION = rated);
SELECT answer('SELECT ''two'' =>> 20, ''two'' =>> ANY (ARRAY[50, 30])');
SELECT answer('SELECT ''two'' =>> 20, ''two'' =>> ANY (ARRAY[50, 30])');
UPDATE story SET score = 31 WHERE id = 2;
SELECT answer('SELECT ''two'' =>> 20, ''two'' =>> ANY (ARRAY[50, 30])');
SELECT answer('SELECT ''two'' =>> ANY (ARRAY[50, 30])');

-- recursion
CREATE FUNCTION chain(i int) RETURNS int LANGUAGE sql AS
	'SELECT CASE WHEN i > 0 THEN chain(i - 1) + (SELECT count(*)::int FROM other) ELSE 0 END';
SELECT answer('SELECT chain(2)');
SELECT answer('SELECT chain(2)');
INSERT INTO other VALUES (11);
SELECT answer('SELECT chain(2)');
CREATE FUNCTION ping(i int) RETURNS int LANGUAGE sql AS 'SELECT 0';
CREATE FUNCTION pong(i int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN i > 0 THEN ping(i - 1) ELSE max(a) END FROM other';
CREATE OR REPLACE FUNCTION ping(i int) RETURNS int LANGUAGE sql AS 'SELECT CASE WHEN i > 0 THEN pong(i - 1) ELSE max(score) END FROM story';
SELECT answer('SELECT ping(2), pong(2)');
SELECT answer('SELECT ping(2), pong(2)');
UPDATE story SET score = score + 1;
SELECT answer('SELECT ping(2), pong(2)');
UPDATE other SET a = a + 1;
SELECT answer('SELECT ping(2), pong(2)');
-- very long chains are not followed to the end
SET client_min_messages = warning;
DO $$
BEGIN
	EXECUTE 'CREATE FUNCTION deep0() RETURNS int LANGUAGE sql STABLE AS ''SELECT count(*)::int FROM cache_test.other''';
	FOR i IN 1 .. 30 LOOP
		EXECUTE format('CREATE FUNCTION deep%s() RETURNS int LANGUAGE sql STABLE AS ''SELECT deep%s() + deep%s()''', i, i - 1, i - 1);
	END LOOP;
END
$$;
RESET client_min_messages;
SELECT length(answer('SELECT deep10()'));
SELECT cached_query('SELECT deep30()');

-- what is inside of a function is refused as it is outside
CREATE FUNCTION v_random() RETURNS float8 LANGUAGE sql AS 'SELECT random()';
CREATE FUNCTION s_random() RETURNS float8 LANGUAGE sql STABLE AS 'SELECT v_random()';
CREATE FUNCTION s_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT now()';
CREATE FUNCTION v_today() RETURNS date LANGUAGE sql AS $$ SELECT 'today'::date $$;
CREATE FUNCTION at_birth() RETURNS bool LANGUAGE sql STABLE RETURN 'today'::date > '2000-01-01';
CREATE FUNCTION v_lock() RETURNS SETOF story LANGUAGE sql AS 'SELECT * FROM story FOR UPDATE';
CREATE FUNCTION v_insert() RETURNS int LANGUAGE sql AS 'INSERT INTO other VALUES (0) RETURNING a';
CREATE FUNCTION v_with() RETURNS int LANGUAGE sql AS 'WITH w AS (INSERT INTO other VALUES (0) RETURNING a) SELECT a FROM w';
CREATE FUNCTION v_both() RETURNS bigint LANGUAGE sql BEGIN ATOMIC DELETE FROM other; SELECT count(*) FROM other; END;
CREATE FUNCTION s_insert() RETURNS int LANGUAGE sql STABLE AS 'INSERT INTO other VALUES (0); SELECT 1';
CREATE FUNCTION v_into() RETURNS void LANGUAGE sql AS 'SELECT 1 AS a INTO made';
CREATE FUNCTION s_catalog() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM pg_class';
CREATE FUNCTION s_setting() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('application_name') $$;
CREATE FUNCTION s_noisy() RETURNS int LANGUAGE sql STABLE AS 'SELECT noisy(1)';
CREATE FUNCTION s_definer() RETURNS bigint LANGUAGE sql STABLE SECURITY DEFINER AS 'SELECT count(*) FROM story';
CREATE FUNCTION s_set() RETURNS bigint LANGUAGE sql STABLE SET search_path = cache_test AS 'SELECT count(*) FROM story';
CREATE FUNCTION v_definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM story';
SELECT cached_query('SELECT v_random()');
SELECT cached_query('SELECT s_random()');
SELECT cached_query('SELECT s_now()');
SELECT cached_query('SELECT v_today()');
SELECT answer('SELECT at_birth()');
SELECT cached_query('SELECT id FROM v_lock()');
SELECT cached_query('SELECT v_insert()');
SELECT cached_query('SELECT v_with()');
SELECT cached_query('SELECT v_both()');
SELECT cached_query('SELECT s_insert()');
SELECT cached_query('SELECT v_into()');
SELECT cached_query('SELECT s_catalog()');
SELECT cached_query('SELECT s_setting()');
SELECT cached_query('SELECT s_noisy()');
SELECT cached_query('SELECT s_definer()');
SELECT cached_query('SELECT s_set()');
SELECT cached_query('SELECT v_definer()');
SELECT cached_query('SELECT (SELECT max(s_catalog()) FROM story)');
-- with tags STABLE is enough, as for any function
SELECT cached_query('SELECT v_random()', 300, '{}');
SELECT cached_query('SELECT v_today()', 300, '{}');
SELECT cached_query('SELECT v_insert()', 300, '{}');
SELECT cached_query('SELECT v_definer()', 300, '{}');
SELECT count(*) FROM cached_query('SELECT s_random(), s_now(), s_setting(), s_catalog(), s_definer(), s_set()', 300, '{}');
-- but not where the volatile one is called by itself as well
SELECT cached_query('SELECT s_random(), v_random()', 300, '{}');
SELECT cached_query('SELECT v_random(), s_random()', 300, '{}');
-- a function is trusted as a whole
SET cache.trusted_functions = 'cache_test.s_definer, cache_test.noisy, cache_test.v_random';
SELECT how($$cached_query('SELECT s_definer()')$$);
SELECT cached_query('SELECT s_noisy()');
SELECT cached_query('SELECT s_noisy()');
SELECT cached_query('SELECT v_random()');
RESET cache.trusted_functions;
-- temporary tables, which may come to shadow what is read
CREATE FUNCTION count_other() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM other';
SELECT answer('SELECT count_other()');
CREATE TEMPORARY TABLE other (a int);
SELECT cached_query('SELECT count_other()');
SELECT how($$cached_query('SELECT count_other()', 300, '{count}')$$);
DROP TABLE other;
SELECT answer('SELECT count_other()');

-- bodies that fail: an error here, or not, if the call is never reached
CREATE TABLE short_lived (a int);
CREATE FUNCTION broken() RETURNS SETOF int LANGUAGE sql AS 'SELECT a FROM short_lived';
CREATE FUNCTION s_broken() RETURNS SETOF int LANGUAGE sql STABLE AS 'SELECT a FROM short_lived';
SELECT answer('SELECT broken()');
DROP TABLE short_lived;
SELECT cached_query('SELECT broken()');
SELECT cached_query('SELECT s_broken()');
\set SHOW_CONTEXT never
SELECT cached_query('SELECT s_broken()', 300, '{}');
\set SHOW_CONTEXT errors
SELECT how($$cached_query('SELECT s_broken() FROM story WHERE id < 0', 300, '{}')$$);
CREATE TABLE short_lived AS SELECT 'text' AS a;
SELECT cached_query('SELECT s_broken()');
DROP TABLE short_lived;
CREATE TABLE short_lived AS SELECT 3 AS a;
SELECT answer('SELECT s_broken()');
SET check_function_bodies = off;
CREATE FUNCTION nonsense() RETURNS int LANGUAGE sql STABLE AS 'SELEKT 1';
RESET check_function_bodies;
SELECT cached_query('SELECT nonsense()');
-- what the text means depends on settings
CREATE FUNCTION no_title(t text) RETURNS int LANGUAGE sql STABLE AS 'SELECT count(*)::int FROM other WHERE t = NULL';
SELECT answer('SELECT no_title(NULL) > 0 AS yes');
SET transform_null_equals = on;
SELECT answer('SELECT no_title(NULL) > 0 AS yes');
RESET transform_null_equals;
DISCARD PLANS;
SELECT answer('SELECT no_title(NULL) > 0 AS yes');

-- privileges
CREATE ROLE regress_cache_caller;
CREATE ROLE regress_cache_other;
GRANT SELECT ON story, vote TO regress_cache_caller, regress_cache_other;
SELECT answer('SELECT id FROM best(20)');
-- results are shared, for they are the same for all who may have them
SET ROLE regress_cache_caller;
SELECT how($$public.cached_query('SELECT id FROM best(20)')$$);
SELECT how($$public.cached_query('SELECT undeclared(2)')$$);
SET ROLE regress_cache_other;
SELECT how($$public.cached_query('SELECT undeclared(2)')$$);
RESET ROLE;
REVOKE SELECT ON story FROM regress_cache_other;
SET ROLE regress_cache_caller;
SELECT how($$public.cached_query('SELECT undeclared(2)')$$);
SELECT how($$public.cached_query('SELECT undeclared(2)')$$);
SELECT how($$public.cached_query('SELECT undeclared(2)', 300, '{}')$$);
SELECT how($$public.cached_query('SELECT s.id, s.points FROM cache_test.best(20) s')$$);
SET ROLE regress_cache_other;
SELECT public.cached_query('SELECT undeclared(2)');
SELECT public.cached_query('SELECT undeclared(2)', 300, '{}');
SELECT public.cached_query('SELECT id FROM best(20)');
-- not asked for it
SELECT how($$public.cached_query('SELECT CASE WHEN count(*) < 0 THEN undeclared(2) END AS title FROM vote')$$);
SET ROLE regress_cache_caller;
SELECT how($$public.cached_query('SELECT CASE WHEN count(*) < 0 THEN undeclared(2) END AS title FROM vote')$$);
SELECT how($$public.cached_query('SELECT CASE WHEN count(*) < 0 THEN undeclared(2) END AS title FROM vote')$$);
RESET ROLE;
REVOKE SELECT (title) ON story FROM regress_cache_caller;
REVOKE SELECT ON story FROM regress_cache_caller;
GRANT SELECT (id, score) ON story TO regress_cache_caller;
SET ROLE regress_cache_caller;
SELECT public.cached_query('SELECT undeclared(2)');
SELECT public.cached_query('SELECT two()');
RESET ROLE;
GRANT SELECT ON story, other TO regress_cache_caller;
REVOKE EXECUTE ON FUNCTION points(story) FROM PUBLIC;
SET ROLE regress_cache_caller;
SELECT how($$public.cached_query('SELECT two()')$$);
SELECT how($$public.cached_query('SELECT undeclared(2)')$$);
SELECT public.cached_query('SELECT s.id, s.points FROM cache_test.best(20) s');
SELECT public.cached_query('SELECT * FROM pointed');
RESET ROLE;
-- row security inside
CREATE TABLE secret (owner name, word text);
INSERT INTO secret VALUES ('regress_cache_caller', 'sesame'), ('regress_cache_other', 'xyzzy');
GRANT SELECT ON secret TO PUBLIC;
CREATE FUNCTION words() RETURNS SETOF text LANGUAGE sql AS 'SELECT word FROM secret ORDER BY 1';
CREATE FUNCTION may_see(name) RETURNS bool LANGUAGE sql STABLE AS 'SELECT $1 = current_user';
CREATE POLICY own ON secret USING (may_see(owner));
SELECT how($$public.cached_query('SELECT words()')$$);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
SELECT how($$public.cached_query('SELECT words()')$$);
SET ROLE regress_cache_caller;
SELECT how($$public.cached_query('SELECT words()')$$);
SELECT how($$public.cached_query('SELECT words()')$$);
SELECT how($$public.cached_query('SELECT words()', 300, '{}')$$);
SET ROLE regress_cache_other;
SELECT how($$public.cached_query('SELECT words()')$$);
SELECT how($$public.cached_query('SELECT words()')$$);
SELECT how($$public.cached_query('SELECT words()', 300, '{}')$$);
SET row_security = off;
SELECT public.cached_query('SELECT words()');
RESET row_security;
RESET ROLE;
CREATE OR REPLACE FUNCTION may_see(name) RETURNS bool LANGUAGE sql STABLE AS 'SELECT $1 <> current_user';
SET ROLE regress_cache_caller;
SELECT how($$public.cached_query('SELECT words()')$$);
RESET ROLE;
-- a policy that calls a function that reads the table it protects
CREATE OR REPLACE FUNCTION may_see(name) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM cache_test.secret WHERE owner = $1)';
SET ROLE regress_cache_caller;
DO $$
BEGIN
	PERFORM public.cached_query('SELECT words()');
EXCEPTION WHEN statement_too_complex THEN
	RAISE NOTICE '%', sqlerrm;
END
$$;
RESET ROLE;
-- settings and users that a function looks at
CREATE FUNCTION who() RETURNS text LANGUAGE sql AS $$ SELECT current_user || current_setting('app.tenant', true) $$;
GRANT ALL ON other TO PUBLIC;
SET app.tenant = ' of a';
SET ROLE regress_cache_caller;
SELECT how($$public.cached_query('SELECT who()')$$);
SET ROLE regress_cache_other;
SELECT how($$public.cached_query('SELECT who()')$$);
SET app.tenant = ' of b';
SELECT how($$public.cached_query('SELECT who()')$$);
SELECT how($$public.cached_query('SELECT who()', 300, '{}')$$);
SET app.tenant = ' of a';
SELECT how($$public.cached_query('SELECT who()')$$);
SELECT how($$public.cached_query('SELECT who()', 300, '{}')$$);
RESET ROLE;
RESET app.tenant;
-- one text, two meanings
CREATE SCHEMA cache_test_too;
CREATE TABLE cache_test_too.other AS SELECT 100 AS a;
SELECT answer('SELECT cache_test.two() > 0, cache_test.count_other() > 1 AS many');
SET search_path = cache_test_too, cache_test, public;
SELECT answer('SELECT cache_test.two() > 0, cache_test.count_other() > 1 AS many');
INSERT INTO cache_test_too.other VALUES (200);
SELECT answer('SELECT cache_test.two() > 0, cache_test.count_other() > 1 AS many');
SET search_path = cache_test, public;
SELECT answer('SELECT cache_test.two() > 0, cache_test.count_other() > 1 AS many');
SET client_min_messages = warning;
DROP SCHEMA cache_test_too CASCADE;
DROP OWNED BY regress_cache_caller, regress_cache_other;
DROP ROLE regress_cache_caller, regress_cache_other;
\set ECHO none
\i :end

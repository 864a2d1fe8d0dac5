--
-- Parameters of named queries, what cache_define refuses, and who sees what
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE TABLE story (id int, title text, score numeric, at timestamptz, kind "char");
INSERT INTO story VALUES (1, 'one', 1.50, '2000-01-01 00:00 UTC', 'a'), (2, 'two', 2, '2000-01-02 00:00 UTC', 'b');
CREATE FUNCTION ask(call text) RETURNS text LANGUAGE sql AS $$
	SELECT cache_test.how('public.cached(''named_' || call || ')')
$$;

-- a value of whatever type is the parameter that the query uses
SELECT cache_define('named_id', 'SELECT title FROM story WHERE id = $1', tags => '{}');
SELECT ask($$id', 1$$);
SELECT ask(format('id'', %s', arg)) FROM unnest(ARRAY['1::smallint', '1::bigint', '1::numeric', '1.0', '1e0',
	'1::float8', '''1''', ''' 1 ''::text', '''1''::varchar', '''1''::name', 'VARIADIC ARRAY[1]', 'VARIADIC ''{1}''::text[]']) AS arg;
SELECT ask($$id', NULL$$);
SELECT ask(format('id'', NULL::%s', type)) FROM unnest(ARRAY['int', 'text', 'bool', 'point']) AS type;
-- or it is an error
SELECT cached('named_id', 1.5);
SELECT cached('named_id', 'NaN'::float8);
SELECT cached('named_id', 5000000000);
SELECT cached('named_id', 'one');
SELECT cached('named_id', '');
SELECT cached('named_id', true);
SELECT cached('named_id', ARRAY[1]);
SELECT cached('named_id', DATE '2000-01-01');
SELECT cached('named_id', NULL::record);
SELECT cached('named_id');
SELECT cached('named_id', 1, 2);
SELECT cached('named_id', VARIADIC '{}'::int[]);

-- what cached has stored for a parameter is what invalidate_query ends
CREATE FUNCTION ends(call text, parameter text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM cache_test.ask(call);
	EXECUTE 'SELECT public.invalidate_query(''named_id'', ' || parameter || ')';
	RETURN 'invalidated';
END
$$;
SELECT ends($$id', 1$$, '1::bigint');
SELECT ask($$id', 1$$);
SELECT ends($$id', 1$$, $$'1'$$);
SELECT ask($$id', 1$$);
SELECT ends($$id', 1$$, '1.0');
SELECT ask($$id', 1$$);
SELECT ends($$id', NULL$$, 'NULL::text');
SELECT ask($$id', NULL$$);
SELECT ends($$id', 1$$, '2');
SELECT ask($$id', 1$$);
SELECT invalidate_query('named_id', 1, 2);
SELECT invalidate_query('named_id', VARIADIC '{}'::int[]);
SELECT invalidate_query('named_id', 1.5);
SELECT invalidate_query('named_id', 'one');
SELECT invalidate_query('named_id', true);
SELECT ask($$id', 1$$);
-- other types
SELECT cache_define('named_all', 'SELECT id FROM story WHERE title = $1 AND score = $2 AND at = $3 AND kind = $4 AND id = ANY ($5) LIMIT $6', tags => '{}');
SELECT ask($$all', 'one', 1.5, '2000-01-01 00:00 UTC', 'a', '{1,2}', 1$$);
SELECT ask($$all', 'one'::name, 1.5, timestamptz '2000-01-01 01:00 +01', 'a'::char, ARRAY[1,2]::smallint[], '1'$$);
SELECT ask($$all', 'one'::char(5), 1.5::float8, timestamptz '2000-01-01 01:00 +01', 'a'::text, ARRAY['1','2'], 1::smallint$$);
SELECT ask($$all', 'one', 1.5, '2000-01-01 00:00 UTC', 'a', ARRAY[1,2]::numeric[], 1.0$$);
SELECT ask($$all', 'one', 1.5, '2000-01-01 00:00 UTC', 'a', ARRAY[1,2.5], 1$$);
SELECT ask($$all', 'one', 1.50, '2000-01-01 00:00 UTC', 'a', '{1,2}', 1$$);
SELECT cache_define('named_date', 'SELECT $1::date AS d, $2::text AS t, $3::varchar(2) AS v', tags => '{}');
SELECT ask($$date', timestamp '2000-01-01', 5, 'abc'$$);
SELECT ask($$date', date '2000-01-01', '5', 'abc'::text$$);
SELECT cached('named_date', timestamp '2000-01-01 00:01', 5, 'abc');
-- equal values that are shown differently are cached by themselves, and end together
SELECT cache_define('named_numeric', 'SELECT $1::numeric AS n, $2::float8 AS f, $3::interval AS i, $4::numeric[] AS a, $5::point AS p', tags => '{}');
SELECT ask($$numeric', 1.5, 0, '1 day', '{1.5}', '(1,2)'$$);
SELECT ask($$numeric', 1.50, '-0', '24 hours', '{1.50}', '(1,2)'$$);
SELECT ask($$numeric', 1.50, '-0', '24 hours', '{1.50}', '(1,3)'$$);
SELECT invalidate_query('named_numeric', 1.500, 0, '1 day', '{1.5000}', '(1,2)');
SELECT ask($$numeric', 1.5, 0, '1 day', '{1.5}', '(1,2)'$$);
SELECT ask($$numeric', 1.50, '-0', '24 hours', '{1.50}', '(1,2)'$$);
SELECT ask($$numeric', 1.50, '-0', '24 hours', '{1.50}', '(1,3)'$$);
-- domains are checked, whatever comes
CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0);
CREATE DOMAIN small AS positive CHECK (VALUE < 10);
SELECT cache_define('named_domain', 'SELECT $1::small AS s', tags => '{}');
SELECT ask($$domain', 5$$);
SELECT ask($$domain', '5'$$);
SELECT ask($$domain', 5::small$$);
SELECT ask($$domain', 5::positive$$);
SELECT cached('named_domain', 0);
SELECT cached('named_domain', 10::positive);
SELECT cached('named_domain', NULL);
-- types and casts of users
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TYPE pair AS (a int, b text);
CREATE FUNCTION to_mood(int) RETURNS mood LANGUAGE sql IMMUTABLE AS $$ SELECT CASE $1 WHEN 1 THEN 'glad' ELSE NULL END::cache_test.mood $$;
CREATE FUNCTION to_int(mood) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT CASE $1 WHEN 'glad' THEN 1 END $$;
SELECT cache_define('named_mood', 'SELECT $1::mood AS m, $2::pair AS p', tags => '{}');
SELECT ask($$mood', 'glad', '(1,x)'$$);
SELECT ask($$mood', 'glad'::mood, ROW(1, 'x')::pair$$);
SELECT cached('named_mood', 'angry', '(1,x)');
SELECT cached('named_mood', 1, '(1,x)');
CREATE CAST (int AS mood) WITH FUNCTION to_mood(int) AS ASSIGNMENT;
SELECT cached('named_mood', 1, '(1,x)');
CREATE CAST (mood AS int) WITH FUNCTION to_int(mood) AS ASSIGNMENT;
SELECT ask($$mood', 1, '(1,x)'$$);
SELECT cached('named_mood', 2, '(1,x)');
DROP CAST (int AS mood);

-- parameters of automatic queries, and narrowing by them
SELECT cache_attach('story', '{story:$id}');
SELECT cache_define('named_auto', 'SELECT title FROM story WHERE id = $1');
SELECT ask($$auto', '1'$$);
SELECT ask($$auto', 1::bigint$$);
UPDATE story SET title = 'two!' WHERE id = 2;
SELECT ask($$auto', 1$$);
UPDATE story SET title = 'one!' WHERE id = 1;
SELECT ask($$auto', '1'$$);
SELECT cache_detach('story');

-- what cache_define refuses
SELECT cache_define('named_bad', 'SELECT * FROM nowhere');
SELECT cache_define('named_bad', 'SELECT nothing FROM story');
SELECT cache_define('named_bad', 'SELECT missing(1)');
SELECT cache_define('named_bad', 'SELECT $2::int');
SELECT cache_define('named_bad', 'SELECT $1::int, $3::int');
SELECT cache_define('named_bad', 'SELECT $1 IS NULL');
SELECT cache_define('named_bad', 'SELECT array_append($1, $2)');
SELECT cache_define('named_bad', 'SELECT $1 = $2 FROM story WHERE id = $1 AND title = $1');
SELECT cache_define('named_bad', 'SELECT random()');
SELECT cache_define('named_bad', 'SELECT * FROM story WHERE random() < 0.5', 300, '{}');
CREATE VIEW shaky AS SELECT random() AS r;
SELECT cache_define('named_bad', 'SELECT * FROM shaky', 300, '{}');
SELECT cache_define('named_bad', 'SELECT * FROM story FOR UPDATE', 300, '{}');
SELECT cache_define('named_bad', 'WITH d AS (DELETE FROM story RETURNING id) SELECT * FROM d', 300, '{}');
SELECT cache_define('named_bad', 'EXPLAIN SELECT 1');
SELECT cache_define('named_bad', 'TABLE story');
SELECT cache_undefine('named_bad');

-- definitions change under a named query
ALTER TABLE story ALTER id TYPE bigint;
SELECT ask($$id', 5000000000$$);
SELECT ask($$id', 1$$);
ALTER TABLE story ALTER id TYPE text;
SELECT ask($$id', 1$$);
SELECT ask($$id', 'x'$$);
ALTER TABLE story RENAME TO tale;
SELECT cached('named_id', 1);
SELECT invalidate_query('named_id', 1);
SELECT invalidate_query('named_id');
ALTER TABLE tale RENAME TO story;
SELECT ask($$id', 1$$);

-- names are looked up in the search path of who calls
CREATE SCHEMA cache_other;
CREATE TABLE cache_other.story (id numeric, title text);
INSERT INTO cache_other.story VALUES (1.5, 'other');
SET search_path = cache_other, public;
SELECT cached('named_id', 1.5);
SELECT cached('named_id', '1.5'::text);
CREATE VIEW cache_other.numbers AS SELECT 1::bigint AS id;
CREATE VIEW cache_test.numbers AS SELECT 1 AS id;
SELECT cache_define('named_numbers', 'SELECT id FROM numbers WHERE id = $1', tags => '{}');
SELECT cached('named_numbers', 1);
SET search_path = cache_test, public;
SELECT ask($$numbers', 1$$);
SELECT ask($$numbers', 1$$);
SET search_path = cache_other, public;
SELECT invalidate_query('named_numbers', 1);
SET search_path = cache_test, public;
SELECT ask($$numbers', 1$$);
SELECT cached('named_id', '1');
DROP SCHEMA cache_other CASCADE;

-- who may not read the table of definitions is told no query, only its name
CREATE FUNCTION fail(int) RETURNS int LANGUAGE plpgsql STABLE AS $$
DECLARE
	context text;
BEGIN
	GET DIAGNOSTICS context = PG_CONTEXT;
	RAISE NOTICE '%', context;
	RETURN 1 / $1;
END
$$;
SELECT cache_define('named_secret', 'SELECT fail($1) AS secret', tags => '{}');
SELECT cache_define('named_planned', 'SELECT 1 / 0 AS secret, $1::int', tags => '{}');
SELECT cache_define('named_own', 'SELECT current_user AS own', tags => '{own}');
SELECT cache_define('named_other', 'SELECT count(*) AS secret FROM story;', tags => '{}');
CREATE ROLE regress_cache_named;
GRANT SELECT ON story TO regress_cache_named;
SET ROLE regress_cache_named;
\set SHOW_CONTEXT always
SELECT public.cached('named_secret', 0);
SELECT public.cached('named_secret', 'x');
SELECT public.cached('named_planned', 1);
SELECT public.cached('named_other');
SET client_min_messages = debug1;
SELECT public.cached('named_other');
RESET client_min_messages;
\set SHOW_CONTEXT errors
SELECT public.cached('named_own');
SELECT public.cached_query('SELECT current_user AS mine', 300, '{mine}');
SELECT query, tags FROM public.cache_entries WHERE query <> '<insufficient privilege>';
SELECT query FROM public.cache_query_stats WHERE query LIKE '%secret%' OR query LIKE '%named_%' ORDER BY query COLLATE "C";
RESET ROLE;
ALTER TABLE story RENAME TO tale;
SET ROLE regress_cache_named;
SELECT public.cached('named_other');
SELECT public.invalidate_query('named_secret', 1);
RESET ROLE;
ALTER TABLE tale RENAME TO story;
REVOKE ALL ON story FROM regress_cache_named;
DROP ROLE regress_cache_named;
SELECT count(cache_undefine(name)) FROM cache_queries WHERE name LIKE 'named%';
\set ECHO none
\i :end

--
-- Parameters: types, nulls, VARIADIC, what makes two parameters the same
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE TYPE pair AS (a int, b text);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE story (id int PRIMARY KEY, title text);
INSERT INTO story SELECT i, 'story ' || i FROM generate_series(1, 5) i;

-- one query, several parameters
SELECT how($$cached_query('SELECT title FROM story WHERE id = $1', 300, '{}', 1)$$);
SELECT how($$cached_query('SELECT title FROM story WHERE id = $1', 300, '{}', 2)$$);
SELECT how($$cached_query('SELECT title FROM story WHERE id = $1', 300, '{}', 1)$$);
SELECT how($$cached_query('SELECT title FROM story WHERE id = $1', 300, '{}', 2)$$);
SELECT how($$cached_rows('SELECT $2, $1', 300, '{}', 1, 'x'::text) AS t(b text, a int)$$);
SELECT how($$cached_rows('SELECT $2, $1', 300, '{}', 1, 'x'::text) AS t(b text, a int)$$);
-- some not used, some used twice
SELECT how($$cached_query('SELECT $1 + $1 AS n', 300, '{}', 2, 3)$$);
SELECT how($$cached_query('SELECT $1 + $1 AS n', 300, '{}', 2, 4)$$);
-- too few
SELECT cached_query('SELECT $2', 300, '{}', 1);
SELECT cached_query('SELECT $0', 300, '{}', 1);

-- equal to look at, of other types
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', 1)$$);
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', '1'::text)$$);
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', 1::bigint)$$);
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', 1::smallint)$$);
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', 1::oid)$$);
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', 1::positive)$$);
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', '1'::varchar)$$);
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', true)$$);
SELECT how($$cached_query('SELECT pg_typeof($1)::text AS t', 300, '{}', 1)$$);
-- one string, divided in two ways
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', 'ab'::text, 'c'::text)$$);
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', 'a'::text, 'bc'::text)$$);
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', 'abc'::text, ''::text)$$);

-- unknown literals are text
SELECT how($$cached_query('SELECT $1 AS a, pg_typeof($1)::text AS t', 300, '{}', 'x')$$);
SELECT how($$cached_query('SELECT $1 AS a, pg_typeof($1)::text AS t', 300, '{}', 'x'::text)$$);
SELECT how($$cached_query('SELECT $1 AS a, pg_typeof($1)::text AS t', 300, '{}', NULL)$$);
SELECT how($$cached_query('SELECT title FROM story WHERE id = $1', 300, '{}', '1')$$);

-- nulls, and what is not null
SELECT how($$cached_query('SELECT $1 AS a', 300, '{}', NULL::int)$$);
SELECT how($$cached_query('SELECT $1 AS a', 300, '{}', 0)$$);
SELECT how($$cached_query('SELECT $1 AS a', 300, '{}', NULL::int)$$);
SELECT how($$cached_query('SELECT $1 AS a', 300, '{}', NULL::text)$$);
SELECT how($$cached_query('SELECT $1 AS a', 300, '{}', ''::text)$$);
SELECT how($$cached_query('SELECT $1 AS a', 300, '{}', NULL::text)$$);
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', NULL::int, 1)$$);
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', 1, NULL::int)$$);

-- values of many types, given twice
CREATE FUNCTION twice(value text) RETURNS text LANGUAGE sql AS $$
	SELECT cache_test.how(request) || ' / ' || cache_test.how(request)
	FROM format($q$public.cached_query('SELECT $1::text AS v', 300, '{}', %s)$q$, value) request
$$;
SELECT twice($$true$$);
SELECT twice($$'x'::"char"$$);
SELECT twice($$'x'::name$$);
SELECT twice($$'abc'::char(5)$$);
SELECT twice($$9223372036854775807$$);
SELECT twice($$1.50::numeric$$), twice($$1.5::numeric$$);
SELECT twice($$'NaN'::float8$$);
SELECT twice($$'infinity'::timestamptz$$);
SELECT twice($$'1 day'::interval$$), twice($$'24 hours'::interval$$);
SELECT twice($$'2000-01-01'::date$$);
SELECT twice($$'\x00ff'::bytea$$);
SELECT twice($$'{"a": [1, null]}'::jsonb$$);
SELECT twice($$'00000000-0000-0000-0000-000000000001'::uuid$$);
SELECT twice($$'10.0.0.0/8'::inet$$);
SELECT twice($$B'101'$$);
SELECT twice($$'(1,2)'::point$$);
SELECT twice($$'ok'::mood$$);
SELECT twice($$'[1,5)'::int4range$$);
SELECT twice($$'{[1,5)}'::int4multirange$$);
SELECT twice($$ROW(1, 'x')::pair$$);
SELECT twice($$ARRAY[ROW(1, 'x'), NULL]::pair[]$$);
SELECT twice($$'{}'::int[]$$);
SELECT twice($$'[0:1]={1,2}'::int[]$$);
SELECT twice($$'{{1,NULL},{3,4}}'::int[]$$);
SELECT twice($$U&'\+01F600 ''"\\ \0301'$$);
-- numerics that are equal but shown differently are not the same parameter
SELECT how($$cached_query('SELECT $1 AS n', 300, '{}', 1.0)$$);
SELECT how($$cached_query('SELECT $1 AS n', 300, '{}', 1.00)$$);
SELECT how($$cached_query('SELECT 1 / $1 AS n', 300, '{}', 'infinity'::float8)$$);
SELECT how($$cached_query('SELECT $1 AS n', 300, '{}', 0::float8)$$);
SELECT how($$cached_query('SELECT $1 AS n', 300, '{}', '-0'::float8)$$);

-- large values, wherever they are stored
CREATE TABLE big (id int, external text, compressed text);
ALTER TABLE big ALTER external SET STORAGE EXTERNAL;
INSERT INTO big VALUES (1, repeat('0123456789', 10000), repeat('0123456789', 10000));
SELECT how($$cached_query('SELECT md5($1) AS m', 300, '{}', (SELECT external FROM big))$$);
SELECT how($$cached_query('SELECT md5($1) AS m', 300, '{}', (SELECT compressed FROM big))$$);
SELECT how($$cached_query('SELECT md5($1) AS m', 300, '{}', repeat('0123456789', 10000))$$);
SELECT how($$cached_query('SELECT md5($1) AS m', 300, '{}', repeat('0123456789', 9999) || '012345678x')$$);
SELECT how($$cached_query('SELECT length($1) AS l', 300, '{}', repeat('x', 500000))$$);
SELECT how($$cached_query('SELECT length($1) AS l', 300, '{}', repeat('x', 500000))$$);
SELECT how($$cached_query('SELECT length(($1).b) AS l', 300, '{}', (SELECT ROW(1, external)::pair FROM big))$$);
SELECT how($$cached_query('SELECT length(($1).b) AS l', 300, '{}', (SELECT ROW(1, external)::pair FROM big))$$);

-- VARIADIC
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', VARIADIC ARRAY[1, 2])$$);
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', 1, 2)$$);
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', VARIADIC ARRAY['x', NULL])$$);
SELECT how($$cached_query('SELECT $1 AS a, $2 AS b', 300, '{}', 'x', NULL)$$);
SELECT how($$cached_query('SELECT $1 AS a', 300, '{}', ARRAY[1, 2])$$);
SELECT how($$cached_query('SELECT 1 AS none', 300, '{}', VARIADIC '{}'::int[])$$);
SELECT how($$cached_query('SELECT 1 AS none', 300, '{}')$$);
SELECT cached_query('SELECT 1', 300, '{}', VARIADIC NULL::int[]);
SELECT cached_query('SELECT 1', 300, '{}', VARIADIC 5);
SELECT how($$cached_query('SELECT $1000 AS last', 300, '{}', VARIADIC (SELECT array_agg(i) FROM generate_series(1, 1000) i))$$);
SELECT how($$cached_rows('SELECT $1, $2', 300, '{}', VARIADIC ARRAY[1, 2]) AS t(a int, b int)$$);
SELECT how($$cached_rows('SELECT $1, $2', 300, '{}', 1, 2) AS t(a int, b int)$$);

-- anonymous records
SELECT cached_query('SELECT $1', 300, '{}', ROW(1, 2));
SELECT cached_query('SELECT $1', 300, '{}', 1, (SELECT q FROM (SELECT 1) q));
SELECT cached_query('SELECT $1', 300, '{}', ARRAY[ROW(1, 2)]);
SELECT how($$cached_query('SELECT $1', 300, '{}', (SELECT s FROM story s WHERE id = 1))$$);

-- a parameter can decide of what type a result is
SELECT * FROM cached_rows('SELECT $1', 300, '{}', 1) AS t(a int);
SELECT * FROM cached_rows('SELECT $1', 300, '{}', 'x'::text) AS t(a text);
SELECT * FROM cached_rows('SELECT $1', 300, '{}', 'x'::text) AS t(a int);

-- prepared statements, beyond the point where plans become generic
PREPARE by_id(int) AS SELECT cached_query('SELECT noisy(title) AS title FROM story WHERE id = $1', 300, '{}', $1);
EXECUTE by_id(1);
EXECUTE by_id(2);
EXECUTE by_id(1);
EXECUTE by_id(2);
EXECUTE by_id(NULL);
EXECUTE by_id(NULL);
EXECUTE by_id(3);
EXECUTE by_id(3);
EXECUTE by_id(1);
PREPARE everything(text, int, text[]) AS SELECT cached_query($1, $2, $3);
EXECUTE everything('SELECT noisy(1) AS a', 300, '{}');
EXECUTE everything('SELECT noisy(1) AS a', 300, '{tag}');
EXECUTE everything('SELECT noisy(2) AS a', 300, '{tag}');
EXECUTE everything('SELECT noisy(1) AS a', NULL, '{tag}');
EXECUTE everything('SELECT noisy(1) AS a', 0, '{tag}');
EXECUTE everything(NULL, 300, '{tag}');
DEALLOCATE ALL;

-- and in a loop of a function
CREATE FUNCTION sum_up(n int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	total bigint := 0;
	x bigint;
BEGIN
	FOR i IN 1 .. n LOOP
		SELECT t.x INTO x FROM cached_rows('SELECT $1::bigint * 10', 300, '{}', i % 7) AS t(x bigint);
		total := total + x;
	END LOOP;
	RETURN total;
END
$$;
SELECT l1_hits AS hits, misses AS misses FROM cache_stats \gset
SELECT sum_up(700);
SELECT l1_hits - :hits AS hits, misses - :misses AS misses FROM cache_stats;

-- parameters of named queries
SELECT cache_define('params_pair', 'SELECT $1 AS a, $2 AS b', 300, '{}');
SELECT how($$cached('params_pair', 1, 'x')$$);
SELECT how($$cached('params_pair', 1, 'x'::text)$$);
SELECT how($$cached('params_pair', VARIADIC ARRAY['1', 'x'])$$);
SELECT how($$cached('params_pair', NULL::int, NULL::text)$$);
SELECT cached('params_pair', 1);
SELECT cached('params_pair', 1, ROW(1, 2));
SELECT cached('params_pair', VARIADIC NULL::text[]);
SELECT cache_undefine('params_pair');
\set ECHO none
\i :end

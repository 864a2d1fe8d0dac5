--
-- Plain SELECTs: plans that PostgreSQL keeps, and what a plan may tell whom
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
-- Hits, misses and fills since the last call.
CREATE TABLE seen AS SELECT * FROM public.cache_stats();
CREATE FUNCTION answered() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a cache_test.seen;
	b cache_test.seen;
BEGIN
	SELECT * INTO a FROM cache_test.seen;
	SELECT * INTO b FROM public.cache_stats();
	DELETE FROM cache_test.seen;
	INSERT INTO cache_test.seen SELECT * FROM public.cache_stats();
	RETURN format('%s hit, %s miss, %s fill', b.l1_hits - a.l1_hits, b.misses - a.misses, b.fills - a.fills);
END
$$;
ALTER FUNCTION answered() SET cache.mode = off;
CREATE TABLE item (id int PRIMARY KEY, price int);
INSERT INTO item SELECT i, i * 10 FROM generate_series(1, 5) i;
ANALYZE item;
SET cache.min_cost = 0;
SET cache.mode = auto;
SELECT answered() AS start \gset
\set ECHO all
-- first planned by EXPLAIN, which leaves the cache alone
SET cache.explain = off;
PREPARE a AS SELECT sum(price) FROM item WHERE id > 1;
EXPLAIN (COSTS OFF) EXECUTE a;
EXECUTE a;
EXECUTE a;
SELECT answered();
EXPLAIN (COSTS OFF) EXECUTE a;
EXECUTE a;
SELECT answered();
EXPLAIN SELECT /*+ cache(ttl=) */ id FROM item WHERE false;
RESET cache.explain;
-- by a command that writes, also in a function that it calls
PREPARE b AS SELECT sum(price) FROM item WHERE id > 2;
CREATE TABLE copy_b AS EXECUTE b;
EXECUTE b;
EXECUTE b;
SELECT answered();
CREATE FUNCTION total() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	SELECT sum(price) INTO result FROM item WHERE id > 3;
	RETURN result;
END
$$;
CREATE TABLE copy_total AS SELECT total();
SELECT answered();
SELECT total();
SELECT total();
SELECT answered();
-- in a mode without cache
SET cache.mode = off;
PREPARE c AS SELECT sum(price) FROM item WHERE id > 4;
EXECUTE c;
SET cache.mode = hint;
EXECUTE c;
EXECUTE c;
SELECT answered();
SET cache.mode = auto;
EXECUTE c;
EXECUTE c;
EXECUTE c;
SELECT answered();
SET cache.mode = off;
PREPARE d AS SELECT /*+ cache */ min(price) FROM item;
EXECUTE d;
SET cache.mode = hint;
EXECUTE d;
EXECUTE d;
EXECUTE d;
SELECT answered();
SET cache.mode = auto;
DEALLOCATE ALL;
-- a plan that is executed while it is executed
CREATE FUNCTION countdown(n int) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	result text;
BEGIN
	IF n = 0 THEN
		RETURN '';
	END IF;
	SELECT /*+ cache(tags=item) */ string_agg(i.id || countdown(n - 1), ' ' ORDER BY i.id) INTO result
		FROM item i WHERE i.id <= n;
	RETURN '(' || result || ')';
END
$$;
SELECT countdown(3);
SELECT countdown(3);
UPDATE item SET price = price + 1;
SELECT invalidate_tags('{item}');
SELECT countdown(3);
SELECT answered() AS start \gset
-- somebody without privileges does not learn what others have asked
CREATE ROLE cache_plans_a;
CREATE ROLE cache_plans_b;
GRANT SELECT ON item TO cache_plans_a;
GRANT EXECUTE ON FUNCTION answered() TO cache_plans_a;
SET ROLE cache_plans_a;
SELECT sum(id) FROM item;
RESET ROLE;
SELECT answered();
SELECT query, hits FROM cache_entries WHERE query = 'SELECT sum(id) FROM item';
SET ROLE cache_plans_b;
SET client_min_messages = debug1;
SELECT sum(id) FROM item;
EXPLAIN SELECT sum(id) FROM item;
PREPARE e AS SELECT sum(id) FROM item;
EXECUTE e;
SET cache.mode = shadow;
SELECT sum(id) FROM item;
SET cache.mode = auto;
SELECT cached_query('SELECT sum(id) FROM item');
RESET client_min_messages;
RESET ROLE;
SELECT answered();
SELECT query, hits FROM cache_entries WHERE query = 'SELECT sum(id) FROM item';
SELECT sum(hits) FROM cache_query_stats WHERE query = 'SELECT sum(id) FROM item';
-- but who gets them is served at once, and who loses them no longer
GRANT SELECT ON item TO cache_plans_b;
SET ROLE cache_plans_b;
EXECUTE e;
EXECUTE e;
RESET ROLE;
SELECT answered();
REVOKE SELECT ON item FROM cache_plans_b;
SET ROLE cache_plans_b;
EXECUTE e;
RESET ROLE;
SELECT answered();
DROP OWNED BY cache_plans_a, cache_plans_b;
DROP ROLE cache_plans_a, cache_plans_b;
\set ECHO none
\i :end

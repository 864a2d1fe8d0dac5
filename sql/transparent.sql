--
-- Plain SELECTs: modes, hints, what EXPLAIN and cache_explain show
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
-- How a plain statement was answered: hits, misses, fills, bypasses since the
-- last call.
CREATE TABLE seen AS SELECT * FROM public.cache_stats();
CREATE FUNCTION answered() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a cache_test.seen;
	b cache_test.seen;
	answers text := '';
	reason record;
BEGIN
	SELECT * INTO a FROM cache_test.seen;
	SELECT * INTO b FROM public.cache_stats();
	answers := format('%s hit, %s miss, %s fill', b.l1_hits - a.l1_hits, b.misses - a.misses, b.fills - a.fills);
	FOR reason IN SELECT key, value FROM jsonb_each(b.bypass_reasons)
			WHERE value IS DISTINCT FROM a.bypass_reasons->key ORDER BY key COLLATE "C" LOOP
		answers := answers || ', bypass ' || reason.key;
	END LOOP;
	DELETE FROM cache_test.seen;
	INSERT INTO cache_test.seen SELECT * FROM public.cache_stats();
	RETURN answers;
END
$$;
ALTER FUNCTION answered() SET cache.mode = off;
-- A plan or verdict without what differs from run to run.
CREATE FUNCTION plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE query LOOP
		line := regexp_replace(line, '(Age|TTL Left)("?): [0-9.]+', '\1\2: N', 'g');
		line := regexp_replace(line, '[0-9a-f]{16}', 'K', 'g');
		line := regexp_replace(line, 'actual time=[0-9.]+ ', 'actual ', 'g');
		-- some versions say more
		line := regexp_replace(line, '(rows=[0-9]+)\.00', '\1', 'g');
		line := regexp_replace(line, '\n *"Disabled": false,', '', 'g');
		CONTINUE WHEN line ~ '^ *Buffers:';
		RETURN NEXT line;
	END LOOP;
END
$$;
CREATE FUNCTION verdict(query text, VARIADIC params int[] DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer json;
BEGIN
	IF params = '{}' THEN
		answer := public.cache_explain(query);
	ELSE
		answer := public.cache_explain(query, params[1]);
	END IF;
	RETURN concat_ws(': ', answer->>'verdict', answer->>'reason') || coalesce(' ' || (answer->>'dependencies'), '');
END
$$;
CREATE TABLE item (id int PRIMARY KEY, name text, price numeric);
INSERT INTO item SELECT i, 'item ' || i, i * 1.5 FROM generate_series(1, 20) i;
ANALYZE item;
SELECT answered() AS start \gset
\set ECHO all

-- off: nothing
SHOW cache.mode;
SELECT count(*) FROM item;
SELECT count(*) FROM item;
SELECT answered();

-- auto, everything worth it
SET cache.mode = auto;
SET cache.min_cost = 0;
SELECT count(*), sum(price) FROM item;
SELECT count(*), sum(price) FROM item;
SELECT answered();
INSERT INTO item VALUES (21, 'item 21', 31.5);
SELECT count(*), sum(price) FROM item;
SELECT answered();
-- comments and white space are not part of a query, whatever they are
/* traceparent='00-1' */ SELECT count(*),
	sum(price) FROM item -- a comment
;
SELECT count(*), sum(price) FROM item /* route='/items' */;
SELECT answered();
-- parameters
PREPARE by_id(int) AS SELECT name, price FROM item WHERE id = $1;
EXECUTE by_id(1); EXECUTE by_id(2); EXECUTE by_id(1); EXECUTE by_id(2);
SELECT answered();
SET plan_cache_mode = force_generic_plan;
EXECUTE by_id(1); EXECUTE by_id(2); EXECUTE by_id(3); EXECUTE by_id(3); EXECUTE by_id(NULL); EXECUTE by_id(NULL);
SELECT answered();
UPDATE item SET name = 'new' WHERE id = 3;
EXECUTE by_id(3); EXECUTE by_id(3);
SELECT answered();
RESET plan_cache_mode;
-- own writes, until the end of the transaction
BEGIN;
UPDATE item SET price = 0 WHERE id = 1;
EXECUTE by_id(1);
ROLLBACK;
EXECUTE by_id(1); EXECUTE by_id(1);
SELECT answered();
-- definitions
ALTER TABLE item RENAME COLUMN price TO cost;
SELECT sum(cost) FROM item;
SELECT sum(price) FROM item;
ALTER TABLE item RENAME COLUMN cost TO price;
-- kept plans, when definitions have changed
CREATE FUNCTION vat() RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT 0.2';
PREPARE taxed AS SELECT id, price * (1 + vat()) AS price FROM item WHERE id = 2;
EXECUTE taxed; EXECUTE taxed;
CREATE OR REPLACE FUNCTION vat() RETURNS numeric IMMUTABLE LANGUAGE sql AS 'SELECT 0.5';
EXECUTE taxed; EXECUTE taxed;
CREATE FUNCTION nothing() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 0';
EXECUTE taxed; EXECUTE taxed;
SELECT answered();

-- cursors: in pieces, to the end, and back
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT id FROM item WHERE id <= 4 ORDER BY id;
FETCH 2 FROM c; FETCH ALL FROM c; FETCH BACKWARD 3 FROM c; FETCH ABSOLUTE 1 FROM c; FETCH LAST FROM c; FETCH NEXT FROM c; FETCH PRIOR FROM c;
CLOSE c;
SELECT id FROM item WHERE id <= 4 ORDER BY id;
DECLARE c SCROLL CURSOR FOR SELECT id FROM item WHERE id <= 4 ORDER BY id;
FETCH 2 FROM c; FETCH ALL FROM c; FETCH BACKWARD 3 FROM c; FETCH ABSOLUTE 1 FROM c; FETCH LAST FROM c; FETCH NEXT FROM c; FETCH PRIOR FROM c;
-- a part is not the whole
DECLARE p NO SCROLL CURSOR FOR SELECT id + 100 FROM item WHERE id <= 4 ORDER BY id;
FETCH 2 FROM p;
CLOSE p;
COMMIT;
SELECT answered();
SELECT id + 100 FROM item WHERE id <= 4 ORDER BY id;
SELECT answered();
-- WHERE CURRENT OF needs the plan of a table
BEGIN;
DECLARE u CURSOR FOR SELECT id FROM item WHERE id = 5;
FETCH u;
UPDATE item SET name = 'current' WHERE CURRENT OF u;
ROLLBACK;
-- what writes is not served what it reads
SELECT answered() AS start \gset
CREATE TABLE copy AS SELECT count(*), sum(price) FROM item;
SELECT answered();
INSERT INTO copy SELECT count(*), sum(price) FROM item;
SELECT answered();
COPY (SELECT id FROM item WHERE id <= 2 ORDER BY id) TO STDOUT;
COPY (SELECT id FROM item WHERE id <= 2 ORDER BY id) TO STDOUT;
SELECT answered();
-- columns that are only sorted by, none, and of equal names
SELECT name FROM item WHERE id < 4 ORDER BY price DESC;
SELECT name FROM item WHERE id < 4 ORDER BY price DESC;
SELECT FROM item WHERE id < 3;
SELECT FROM item WHERE id < 3;
SELECT id, id, name AS id FROM item WHERE id = 1;
SELECT id, id, name AS id FROM item WHERE id = 1;
SELECT answered();
SELECT EXISTS (SELECT FROM item WHERE id = 3), (SELECT count(*) FROM item);
SELECT EXISTS (SELECT FROM item WHERE id = 3), (SELECT count(*) FROM item);
SELECT coalesce(name::varchar(20), NULL) AS name FROM item WHERE id = 3 \gdesc
SELECT answered();
-- nothing is cached that failed
SELECT 1 / (id - 1) FROM item WHERE id < 3 ORDER BY id;
SELECT 1 / (id - 1) FROM item WHERE id < 3 ORDER BY id;
SELECT answered();
-- in functions
CREATE FUNCTION total(lowest int) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
DECLARE
	t numeric;
BEGIN
	SELECT sum(price) INTO t FROM cache_test.item WHERE id >= lowest;
	RETURN t;
END
$$;
SELECT total(20), total(20), total(19);
SELECT answered();
-- a large result goes by
SET cache.max_entry_size = '8kB';
SELECT count(*), max(length) FROM (SELECT length(repeat(name, 1000)) FROM item) s;
CREATE TEMP TABLE large AS SELECT 1;
SELECT sum(length(n)) FROM (SELECT repeat(name, 1000) AS n FROM item OFFSET 0) s;
DO $$ BEGIN PERFORM repeat(name, 1000) FROM cache_test.item; PERFORM repeat(name, 1000) FROM cache_test.item; END $$;
SELECT answered();
RESET cache.max_entry_size;

-- EXPLAIN
SELECT plan('EXPLAIN (COSTS OFF) SELECT name FROM item WHERE id < 3 ORDER BY id');
SELECT plan('EXPLAIN (COSTS OFF, VERBOSE) SELECT name FROM item WHERE id < 3 ORDER BY id');
SELECT plan('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM item WHERE id < 3 ORDER BY id');
SELECT plan('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM item WHERE id < 3 ORDER BY id');
SELECT plan('EXPLAIN (COSTS OFF, VERBOSE) SELECT name FROM item WHERE id < 3 ORDER BY id');
SELECT plan('EXPLAIN (COSTS OFF, FORMAT JSON) SELECT name FROM item WHERE id < 3 ORDER BY id');
SELECT plan('EXPLAIN (COSTS OFF) EXECUTE by_id(7)');
SELECT plan('EXPLAIN (COSTS OFF) SELECT name, now() FROM item');
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT plan('EXPLAIN (COSTS OFF) SELECT name FROM item');
COMMIT;
SET cache.explain = off;
SELECT plan('EXPLAIN (COSTS OFF) SELECT name FROM item WHERE id < 3 ORDER BY id');
SELECT plan('EXPLAIN (COSTS OFF, VERBOSE) EXECUTE by_id(7)');
SELECT plan('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM item WHERE id < 3 ORDER BY id');
RESET cache.explain;
SELECT answered() AS start \gset

-- hints
SET cache.mode = hint;
RESET cache.min_cost;
SELECT max(id) FROM item;
SELECT max(id) FROM item;
SELECT answered();
SELECT /*+ cache */ max(id) FROM item;
SELECT max(id) FROM item /*+ CACHE(ttl = 60) */;
SELECT answered();
SELECT /*+ cache(tags=stock|shelf) */ min(id) FROM item;
DELETE FROM item WHERE id = 1;
SELECT /*+ cache(tags=stock|shelf) */ min(id) FROM item;
SELECT invalidate_tags('{shelf}');
SELECT /*+ cache(tags=stock|shelf) */ min(id) FROM item;
SELECT answered();
SELECT '/*+ cache */', "/*+ cache */".id FROM item AS "/*+ cache */" WHERE id = 2;
SELECT /*+ cache nocache */ id FROM item WHERE id = 2;
SELECT /*+ SeqScan(item) cache(ttl=5) */ id FROM item WHERE id = 2;
SELECT answered();
INSERT INTO public.cache_policies (name, ttl, tags) VALUES ('cache_test', 100, '{listing}');
SELECT /*+ cache(policy=cache_test) */ count(*) FROM item;
SELECT query, tags, ttl_left BETWEEN interval '90s' AND interval '100s' AS ttl FROM public.cache_entries WHERE form = 'plain' AND query LIKE 'SELECT count%' AND tags IS NOT NULL;
DELETE FROM public.cache_policies WHERE name = 'cache_test';
\set VERBOSITY default
SET client_min_messages = warning;
SELECT /*+ cache(ttl=soon) */ id FROM item WHERE id = 2;
SELECT /*+ cache(color=red) */ id FROM item WHERE id = 2;
SELECT /*+ cache(policy=no_such) */ id FROM item WHERE id = 2;
SELECT answered();
SET cache.mode = auto;
SELECT /*+ nocache */ sum(id) FROM item;
SELECT answered();
-- what is cheap is left alone
SELECT id FROM item WHERE id = 2;
SELECT id FROM item WHERE id = 2;
SELECT answered();

-- a text is cached once
SET cache.min_cost = 0;
SELECT cached_query('SELECT count(name) FROM item');
SELECT answered();
SELECT cached_query('SELECT count(name) FROM item');
SELECT answered();

-- verdicts
SELECT verdict('SELECT sum(id), 1 FROM item');
SELECT sum(id), 1 FROM item;
SELECT verdict('SELECT sum(id), 1 FROM item');
SELECT verdict('SELECT id FROM item WHERE id = $1', 5);
SELECT verdict('SELECT random() FROM item');
SELECT verdict('SELECT now() FROM item');
SELECT verdict('SELECT 1');
SELECT verdict('SELECT id FROM item FOR UPDATE');
SELECT verdict('TABLE pg_class');
SELECT verdict('TABLE large');
SELECT verdict('DELETE FROM item');
SELECT verdict('');
SELECT verdict('SELECT 1; SELECT 2');
SELECT verdict('SELECT /*+ nocache */ id FROM item');
SELECT verdict('SELECT /*+ cache(ttl=) */ id FROM item');
SELECT verdict('SELECT nonsense');
SELECT public.cache_explain(NULL);
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT verdict('SELECT id FROM item');
COMMIT;
RESET cache.min_cost;
SELECT verdict('SELECT id FROM item WHERE id = 2');
SET cache.mode = off;
SELECT verdict('SELECT id FROM item WHERE id = 2');

-- shadow: what auto would have done
SELECT cache_reset_stats();
SELECT answered() AS start \gset
SET cache.mode = shadow;
SET cache.min_cost = 0;
SELECT avg(id) FROM item;
SELECT avg(id) FROM item;
SELECT avg(id) FROM item;
UPDATE item SET id = 0 WHERE id = 2;
SELECT avg(id) FROM item;
SET cache.mode = off;
SELECT answered();
SELECT query, calls, hits, misses, bytes > 0 AS bytes, shadow_hits, shadow_time_saved > 0 AS saved FROM cache_query_stats WHERE query LIKE '%avg(id)%';

-- who may see what
CREATE ROLE cache_test_reader;
GRANT SELECT (id) ON item TO cache_test_reader;
SET cache.mode = auto;
SET cache.min_cost = 0;
SELECT max(name) FROM item;
SELECT max(id) FROM item;
SET ROLE cache_test_reader;
SELECT max(name) FROM item;
SELECT max(id) FROM item;
SELECT cache_explain('SELECT max(name) FROM item');
RESET ROLE;
REVOKE SELECT (id) ON item FROM cache_test_reader;
SET ROLE cache_test_reader;
SELECT max(id) FROM item;
RESET ROLE;
-- row security
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON item USING (name = current_setting('my.item', true));
GRANT SELECT ON item TO cache_test_reader;
SET ROLE cache_test_reader;
PREPARE mine AS SELECT id, name FROM item;
SET my.item = 'item 4';
EXECUTE mine; EXECUTE mine;
SET my.item = 'item 5';
EXECUTE mine; EXECUTE mine;
RESET ROLE;
SELECT count(*) FROM item;
SET cache.mode = off;
SELECT cache_verify();
\set ECHO none
DROP OWNED BY cache_test_reader;
DROP ROLE cache_test_reader;
\i :end

--
-- What a plain statement counts for the relations it scans, served or not
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
SET cache.min_cost = 0;
SET max_parallel_workers_per_gather = 0;
-- planning looks at the ends of indexes, which counts, but not for a hit
SET enable_mergejoin = off;
CREATE TABLE story (id int PRIMARY KEY, author int, body text);
INSERT INTO story SELECT i, i % 10, 'story ' || i FROM generate_series(1, 1000) i;
CREATE INDEX story_author ON story (author);
CREATE TABLE author (id int PRIMARY KEY, name text);
INSERT INTO author SELECT i, 'author ' || i FROM generate_series(0, 9) i;
CREATE TABLE view (story int, day date) PARTITION BY RANGE (day);
CREATE TABLE view_1 PARTITION OF view FOR VALUES FROM ('2025-01-01') TO ('2025-02-01');
CREATE TABLE view_2 PARTITION OF view FOR VALUES FROM ('2025-02-01') TO ('2025-03-01');
INSERT INTO view SELECT i, date '2025-01-01' + i % 50 FROM generate_series(1, 100) i;
VACUUM ANALYZE story, author, view;
-- what a query adds to the counters of this transaction, in a mode
CREATE TYPE counts AS (relation regclass, scans bigint, returned bigint, fetched bigint);
CREATE FUNCTION counts() RETURNS SETOF counts LANGUAGE sql VOLATILE AS $$
	SELECT oid::regclass, pg_stat_get_xact_numscans(oid), pg_stat_get_xact_tuples_returned(oid),
		pg_stat_get_xact_tuples_fetched(oid)
	FROM pg_class WHERE relnamespace = 'cache_test'::regnamespace AND relkind IN ('r', 'i')
$$;
CREATE FUNCTION added(mode text, query text) RETURNS SETOF counts LANGUAGE plpgsql AS $$
DECLARE
	before counts[];
	after counts[];
BEGIN
	SET LOCAL cache.mode = off;
	before := ARRAY(SELECT counts());
	PERFORM set_config('cache.mode', mode, true);
	EXECUTE query;
	SET LOCAL cache.mode = off;
	after := ARRAY(SELECT counts());
	RETURN QUERY SELECT a.relation, a.scans - b.scans, a.returned - b.returned, a.fetched - b.fetched
		FROM unnest(before) b JOIN unnest(after) a USING (relation)
		WHERE (a.scans, a.returned, a.fetched) <> (b.scans, b.returned, b.fetched)
		ORDER BY relation::text;
END$$;
-- executed, filled, and served twice
CREATE FUNCTION compare(query text) RETURNS SETOF counts LANGUAGE plpgsql AS $$
DECLARE
	expected counts[] := ARRAY(SELECT added('off', query));
	hits bigint := (SELECT l1_hits FROM cache_stats);
BEGIN
	FOR i IN 1 .. 3 LOOP
		IF ARRAY(SELECT added('auto', query)) <> expected THEN
			RAISE 'execution % counts otherwise', i;
		END IF;
	END LOOP;
	IF (SELECT l1_hits FROM cache_stats) <> hits + 2 THEN
		RAISE 'it was not served';
	END IF;
	RETURN QUERY SELECT * FROM unnest(expected);
END$$;
SELECT * FROM compare('SELECT count(body) FROM story');
SELECT * FROM compare('SELECT body FROM story WHERE id = 7');
SELECT * FROM compare('SELECT id FROM story WHERE id BETWEEN 500 AND 502');
SELECT * FROM compare('SELECT body FROM story WHERE id IN (7, 900) OR id = 600');
SELECT * FROM compare('SELECT body FROM story WHERE author = 3 AND id < 40');
SELECT * FROM compare('SELECT id FROM story LIMIT 5');
SELECT * FROM compare('SELECT s.body, a.name FROM story s JOIN author a ON a.id = s.author WHERE s.id = 7');
SELECT * FROM compare('SELECT name, (SELECT count(*) FROM story WHERE author = a.id) FROM author a');
SELECT * FROM compare('SELECT count(*) FROM story WHERE author = (SELECT max(id) FROM author)');
SELECT * FROM compare('SELECT story FROM view');
SELECT * FROM compare('SELECT story FROM view WHERE day = ''2025-02-03''');
SELECT * FROM compare('SELECT count(*) FROM story s JOIN story t ON t.id = s.id + 1');
SELECT * FROM compare('WITH s AS MATERIALIZED (SELECT * FROM story) SELECT count(*) FROM s a, s b WHERE a.id = b.id + 1');
SELECT * FROM compare('SELECT 1 FROM generate_series(1, 3)');
-- nothing is counted while nothing is to be counted, nor for what only explains
SELECT * FROM added('auto', 'SELECT count(body) FROM story WHERE id > 500');
SET track_counts = off;
SELECT * FROM added('auto', 'SELECT count(body) FROM story WHERE id > 500');
SET track_counts = on;
SELECT * FROM added('auto', 'EXPLAIN SELECT count(body) FROM story WHERE id > 500');
SELECT * FROM added('auto', 'SELECT count(body) FROM story WHERE id > 500');
-- an index that is gone is not counted again: its statistics went with it
SELECT 'story_author'::regclass::oid AS gone \gset
SET enable_seqscan = off;
SELECT * FROM added('auto', 'SELECT body FROM story WHERE author = 3');
REINDEX INDEX CONCURRENTLY story_author;
SELECT * FROM added('auto', 'SELECT body FROM story WHERE author = 3');
SELECT pg_stat_have_stats('relation', (SELECT oid FROM pg_database WHERE datname = current_database()), :gone);
RESET enable_seqscan;
SELECT cache_verify();
\set ECHO none
\i :end

--
-- What executions reach: functions that do not do what they declare, and
-- results from the cache inside of others
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story SELECT i, i FROM generate_series(1, 4) i;
CREATE TABLE hidden (x int);
INSERT INTO hidden VALUES (1);
CREATE TABLE part (x int) PARTITION BY LIST (x);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
INSERT INTO part VALUES (1);
CREATE FUNCTION reads_hidden() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN (SELECT sum(x) FROM cache_test.hidden); END $$;
CREATE FUNCTION reads_story() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN (SELECT sum(score) FROM cache_test.story); END $$;
CREATE FUNCTION reads_part() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN (SELECT sum(x) FROM cache_test.part_1); END $$;
CREATE FUNCTION reads_time() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN now() IS NOT NULL; END $$;
CREATE FUNCTION reads_chance() RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN random() >= 0; END $$;
CREATE FUNCTION reads_deep(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF n = 0 THEN
		RETURN cache_test.reads_hidden();
	END IF;
	RETURN cache_test.reads_deep(n - 1);
END $$;
CREATE FUNCTION fails() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	r json;
BEGIN
	r := public.cached_query('SELECT count(*) / 0 FROM cache_test.story');
	RETURN 0;
EXCEPTION WHEN division_by_zero THEN
	RETURN 1;
END $$;
CREATE FUNCTION fails_then_reads() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN cache_test.fails() + cache_test.reads_hidden(); END $$;
CREATE FUNCTION waits() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	PERFORM pg_sleep(0), pg_advisory_lock(1);
	RETURN pg_advisory_unlock(1)::int;
END $$;
CREATE FUNCTION asks(query text, tags text[]) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN (SELECT string_agg(r::text, ' ') FROM public.cached_query(query, 300, tags) r); END $$;
CREATE FUNCTION asks_hint() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	result int;
BEGIN
	SELECT /*+ cache(tags=own) */ sum(score) INTO result FROM cache_test.story;
	RETURN result;
END $$;
CREATE FUNCTION asks_name() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN (SELECT string_agg(r::text, ' ') FROM public.cached('watch_sum') r); END $$;
CREATE FUNCTION reads_hidden(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN (SELECT n * sum(x) FROM cache_test.hidden); END $$;
CREATE FUNCTION row_of(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN RETURN (SELECT sum(score) FROM cache_test.story WHERE id <> n); END $$;
-- how() counts what is asked inside as well
CREATE FUNCTION twice(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a record;
	b record;
BEGIN
	SELECT * INTO a FROM public.cache_stats();
	PERFORM public.cached_query(query);
	PERFORM public.cached_query(query);
	SELECT * INTO b FROM public.cache_stats();
	RETURN format('%s hits, %s fills, %s unproven', b.l1_hits - a.l1_hits, b.fills - a.fills, b.fills_unproven - a.fills_unproven);
END
$$;
SET client_min_messages = log;
\set VERBOSITY default
\set ECHO all
-- a function is believed until it is seen to read something else
SELECT twice('SELECT count(*), reads_hidden() FROM story');
SELECT cached_query('SELECT count(*), reads_hidden() FROM story');
UPDATE hidden SET x = 2;
SELECT cached_query('SELECT count(*), reads_hidden() FROM story');
SELECT twice('SELECT sum(reads_hidden(id)) FROM story');
SELECT twice('SELECT count(*), reads_story() FROM story');
SELECT twice('SELECT count(*), reads_part() FROM story');
SELECT twice('SELECT count(*), reads_part() FROM part');
SELECT twice('SELECT count(*), reads_deep(3) FROM story');
SELECT twice('SELECT count(*), waits() FROM story');
\connect -
SET search_path = cache_test, public;
SET client_min_messages = log;
SELECT twice('SELECT count(*), reads_time() FROM story');
SELECT twice('SELECT count(*), reads_chance() FROM story');
-- or the time, in an expression, even if that was planned before
CREATE FUNCTION reads_today() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN CURRENT_DATE - ''2000-01-01''; END';
CREATE FUNCTION reads_text() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN ''now''::text::date; END';
SELECT reads_today() > 0 AND reads_text() > '' AS ready;
SELECT twice('SELECT count(*), reads_today() > 0 FROM story');
SELECT twice('SELECT count(*), reads_text() > '' FROM story');
-- also if the plan was made when nothing could be stored
BEGIN;
UPDATE story SET score = score;
SELECT cached_query('SELECT count(*), reads_hidden() + 3 FROM story');
COMMIT;
SELECT twice('SELECT count(*), reads_hidden() + 3 FROM story');
-- what is declared, or vouched for, or somebody else's business
SELECT twice($$SELECT count(*) FROM story WHERE score < length(current_setting('extra_float_digits') || 'abc')$$);
CREATE FUNCTION looked_into() RETURNS text LANGUAGE sql AS 'SELECT json_agg(x)::text || current_setting(''extra_float_digits'') FROM hidden';
SELECT twice('SELECT count(*), looked_into() FROM story');
SET cache.trusted_functions = 'cache_test.reads_hidden';
SELECT twice('SELECT count(*), reads_hidden(), 1 FROM story');
RESET cache.trusted_functions;
SELECT count(*) FROM cached_query('SELECT reads_hidden(), reads_time(), reads_chance()', 300, '{}');
SELECT how($$cached_query('SELECT reads_hidden(), reads_time(), reads_chance()', 300, '{}')$$) ~ '^hit';
-- a fill that fails inside of another one
SELECT twice('SELECT count(*), fails() FROM story');
SELECT twice('SELECT count(*), fails_then_reads() FROM story');
-- a result with tags inside of one without
SELECT cached_query('SELECT sum(score) FROM story', 300, '{own}');
UPDATE story SET score = score + 1;
SELECT cached_query('SELECT sum(score) FROM story');
SELECT cached_query($$SELECT asks('SELECT sum(score) FROM story', '{own}') FROM story LIMIT 1$$);
SELECT invalidate_tags('{own}');
SELECT cached_query($$SELECT asks('SELECT sum(score) FROM story', '{own}') FROM story LIMIT 1$$);
-- with no tags
SELECT cached_query('SELECT max(score) FROM story', 300, '{}');
UPDATE story SET score = score + 1;
SELECT cached_query($$SELECT asks('SELECT max(score) FROM story', '{}') FROM story LIMIT 1$$);
SELECT count(*) FROM cache_entries WHERE query LIKE 'SELECT asks(''SELECT max%';
-- whose freshness is the cache's own
SELECT cached_query('SELECT min(score) FROM story');
SELECT twice($$SELECT asks('SELECT min(score) FROM story', NULL) FROM story LIMIT 1$$);
SELECT twice($$SELECT asks('SELECT min(score) FROM story', NULL) FROM story LIMIT 1$$);
UPDATE story SET score = score + 1;
SELECT cached_query($$SELECT asks('SELECT min(score) FROM story', NULL) FROM story LIMIT 1$$);
SELECT cached_query('SELECT sum(x) FROM hidden');
SELECT cached_query($$SELECT asks('SELECT sum(x) FROM hidden', NULL) FROM story LIMIT 1$$);
SELECT count(*) FROM cache_entries WHERE query LIKE 'SELECT asks(''SELECT sum(x)%';
-- a named query
SELECT cache_define('watch_sum', 'SELECT sum(score) FROM cache_test.story');
SELECT cached_query('SELECT asks_name() FROM story LIMIT 1');
SELECT count(*) FROM cache_entries WHERE query LIKE 'SELECT asks_name%';
SELECT cache_undefine('watch_sum');
-- plain statements
SET cache.mode = auto;
SET cache.min_cost = 0;
SELECT asks_hint();
UPDATE story SET score = score + 1;
SELECT asks_hint() - 4, count(*) FROM story;
SELECT count(*) FROM cache_entries WHERE query LIKE 'SELECT asks_hint() - 4%';
SELECT invalidate_tags('{own}');
SELECT asks_hint() - 4, count(*) FROM story;
SELECT count(*), reads_hidden() + 1 FROM story;
PREPARE p AS SELECT count(*), reads_hidden() + 2 FROM story;
EXECUTE p;
UPDATE hidden SET x = 3;
EXECUTE p;
SELECT count(*), reads_hidden() + 2 FROM story;
SELECT count(*) FROM cache_entries WHERE query LIKE '%reads_hidden() +%';
SELECT count(*), reads_hidden() + 1 FROM story;
SELECT id, reads_hidden() FROM story ORDER BY id;
UPDATE hidden SET x = 4;
SELECT id, reads_hidden() FROM story ORDER BY id;
SELECT sum(reads_hidden(id)) FROM story;
UPDATE hidden SET x = 5;
SELECT sum(reads_hidden(id)) FROM story;
SET cache.min_cost = -1;
SELECT count(*) + reads_hidden() FROM story, story b, story c, story d, story e, story f, story g;
UPDATE hidden SET x = 6;
SELECT count(*) + reads_hidden() FROM story, story b, story c, story d, story e, story f, story g;
RESET cache.mode;
-- rows of a table of which a result depends on some
SELECT cache_attach('story', '{story:$id}');
SELECT twice('SELECT score, row_of(id) > 0 FROM story WHERE id = 1');
SELECT cache_detach('story');
\set ECHO none
\i :end

--
-- Plain SELECTs: what must not be seen of the cache
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
-- how a statement would be answered
CREATE FUNCTION plain(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		IF line ~ 'Cache Status' THEN
			RETURN substring(line from ': (.*)');
		END IF;
	END LOOP;
	RETURN 'no cache';
END
$$;
SET cache.mode = auto;
SET cache.min_cost = 0;
CREATE TABLE one (x int);
INSERT INTO one VALUES (1);
SELECT x FROM one;
SELECT plain('SELECT x FROM one');
-- more relations than a result can depend on
CREATE TABLE parent (a int);
DO $$
BEGIN
	FOR i IN 1 .. 300 LOOP
		EXECUTE format('CREATE TABLE child%s () INHERITS (parent)', i);
	END LOOP;
END
$$;
SELECT count(*) FROM parent;
SELECT plain('SELECT count(*) FROM parent');
-- a cursor that is read as another user, or with other settings
CREATE TABLE secret (owner name, word text);
INSERT INTO secret VALUES ('cache_plain_a', 'of a'), ('cache_plain_b', 'of b');
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
CREATE ROLE cache_plain_a;
CREATE ROLE cache_plain_b;
GRANT SELECT ON secret TO cache_plain_a, cache_plain_b;
BEGIN;
SET LOCAL ROLE cache_plain_a;
DECLARE words NO SCROLL CURSOR FOR SELECT string_agg(word, ',') FROM secret;
SET LOCAL ROLE cache_plain_b;
FETCH ALL FROM words;
COMMIT;
SET ROLE cache_plain_a;
SELECT string_agg(word, ',') FROM secret;
RESET ROLE;
DROP OWNED BY cache_plain_a, cache_plain_b;
DROP ROLE cache_plain_a, cache_plain_b;
SET TimeZone = 'UTC';
CREATE TABLE moment (t timestamptz);
INSERT INTO moment VALUES ('2020-01-01 00:00:00+00');
BEGIN;
DECLARE moments NO SCROLL CURSOR FOR SELECT max(t)::text FROM moment;
SET LOCAL TimeZone = 'Asia/Tokyo';
FETCH ALL FROM moments;
COMMIT;
SELECT max(t)::text FROM moment;
-- one that is read in parts is stored like any other result
BEGIN;
DECLARE numbers NO SCROLL CURSOR FOR SELECT i, count(*) FROM one, generate_series(1, 3) AS i GROUP BY i;
FETCH 2 FROM numbers \g /dev/null
FETCH 2 FROM numbers \g /dev/null
COMMIT;
SELECT plain('SELECT i, count(*) FROM one, generate_series(1, 3) AS i GROUP BY i');
-- the names in an anonymous record are not in its value
\connect -
SET search_path = cache_test, public;
SET client_min_messages = notice;
SET cache.mode = auto;
SET cache.min_cost = 0;
DO $$
DECLARE
	r record;
	j text;
BEGIN
	SELECT 1 AS a INTO r;
	FOR j IN SELECT max(to_json(r)::text) FROM one LOOP
		RAISE NOTICE '%', j;
	END LOOP;
END
$$;
\connect -
SET search_path = cache_test, public;
SET client_min_messages = notice;
SET cache.mode = auto;
SET cache.min_cost = 0;
DO $$
DECLARE
	r record;
	j text;
BEGIN
	SELECT 1 AS b INTO r;
	FOR j IN SELECT max(to_json(r)::text) FROM one LOOP
		RAISE NOTICE '%', j;
	END LOOP;
END
$$;
-- parameters too large to be in a key
PREPARE long(text) AS SELECT count(*), length($1) FROM one;
EXECUTE long(repeat('x', 1000));
SELECT plain($$EXECUTE long(repeat('x', 1000))$$);
EXECUTE long(repeat('x', 2 * 1024 * 1024));
SELECT plain($$EXECUTE long(repeat('x', 2 * 1024 * 1024))$$);
-- where a row lies is changed by more than what changes it
CREATE TABLE moved (x int);
INSERT INTO moved SELECT generate_series(1, 3);
DELETE FROM moved WHERE x = 1;
SELECT ctid, x FROM moved;
VACUUM FULL moved;
SELECT ctid, x FROM moved;
SELECT tableoid = 'moved'::regclass AS t, x FROM moved;
SELECT plain('SELECT tableoid = ''moved''::regclass AS t, x FROM moved');
-- days relative to the present are known once a text is analysed
CREATE DOMAIN day AS date;
CREATE TYPE days AS RANGE (subtype = day);
SELECT plain($$SELECT x FROM one WHERE '{[today,tomorrow)}'::datemultirange IS NOT NULL$$);
SELECT cached_query($$SELECT x FROM one WHERE '{[today,tomorrow)}'::datemultirange IS NOT NULL$$);
SELECT cached_query($$SELECT x FROM one WHERE '[today,tomorrow)'::days IS NOT NULL$$);
-- a temporary table takes the place of a name
CREATE TABLE named (o oid);
CREATE TABLE shadowed ();
INSERT INTO named VALUES ('shadowed'::regclass);
CREATE TEMPORARY TABLE other ();
SELECT o::regclass::text FROM named;
SELECT plain('SELECT o::regclass::text FROM named');
CREATE TEMPORARY TABLE shadowed ();
SELECT o::regclass::text FROM named;
DROP TABLE pg_temp.shadowed;
SELECT o::regclass::text FROM named;
\connect -
SET search_path = cache_test, public;
SET client_min_messages = warning;
SET cache.mode = auto;
SET cache.min_cost = 0;
CREATE TEMPORARY TABLE shadowed ();
SELECT o::regclass::text FROM named;
\set ECHO none
\i :end

--
-- Tags: what an invalidation ends, and when
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE FUNCTION answers() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(split_part(cache_test.how(format($q$public.cached_query('SELECT 1 AS one', 300, '%s')$q$, tags)), ':', 1), ', ' ORDER BY n)
	FROM unnest(ARRAY['{a}', '{a,b}', '{b}', '{}']) WITH ORDINALITY AS t(tags, n)
$$;
-- for {a}, {a,b}, {b} and {}
SELECT answers();
SELECT answers();
SELECT invalidate_tags('{a}');
SELECT answers();
SELECT invalidate_tags('{b}');
SELECT answers();
SELECT invalidate_tags('{a,b,a}');
SELECT answers();
SELECT invalidate_tags('{c}');
SELECT invalidate_tags('{A,"a ","",ab}');
SELECT invalidate_tags('{A,"a ",ab}');
SELECT invalidate_tags('{}');
SELECT answers();
SELECT invalidate_tags(tags => ARRAY['a']);
SELECT answers();
-- without tags only a flush, or its time, ends a result
SELECT cache_flush();
SELECT answers();

-- arguments that make no sense
SELECT invalidate_tags(NULL);
SELECT invalidate_tags('{NULL}');
SELECT invalidate_tags('{a,NULL}');
SELECT invalidate_tags('{""}');
SELECT answers();

-- tags of any characters
SELECT how($$cached_query('SELECT 1 AS odd', 300, ARRAY['a,b', '{}', '"', '\', '''', ' ', E'\n', U&'\+01F600', '$id'])$$);
SELECT invalidate_tags('{a}');
SELECT how($$cached_query('SELECT 1 AS odd', 300, ARRAY['a,b', '{}', '"', '\', '''', ' ', E'\n', U&'\+01F600', '$id'])$$);
SELECT invalidate_tags(ARRAY[U&'\+01F600']);
SELECT how($$cached_query('SELECT 1 AS odd', 300, ARRAY['a,b', '{}', '"', '\', '''', ' ', E'\n', U&'\+01F600', '$id'])$$);
SELECT invalidate_tags(ARRAY['$id']);
SELECT how($$cached_query('SELECT 1 AS odd', 300, ARRAY['a,b', '{}', '"', '\', '''', ' ', E'\n', U&'\+01F600', '$id'])$$);
SELECT invalidate_tags(ARRAY[E'\n']);
SELECT how($$cached_query('SELECT 1 AS odd', 300, ARRAY['a,b', '{}', '"', '\', '''', ' ', E'\n', U&'\+01F600', '$id'])$$);

-- any of 256 tags
SELECT how($$cached_query('SELECT 1 AS many', 300, (SELECT array_agg('t' || i) FROM generate_series(1, 256) i))$$);
SELECT how($$cached_query('SELECT 1 AS many', 300, (SELECT array_agg('t' || i) FROM generate_series(1, 256) i))$$);
SELECT invalidate_tags('{t256}');
SELECT how($$cached_query('SELECT 1 AS many', 300, (SELECT array_agg('t' || i) FROM generate_series(1, 256) i))$$);
SELECT invalidate_tags('{t257}');
SELECT how($$cached_query('SELECT 1 AS many', 300, (SELECT array_agg('t' || i) FROM generate_series(1, 256) i))$$);
-- a transaction that invalidates more tags than it can remember ends everything
INSERT INTO probe VALUES ('bystander');
CALL arm();
SELECT ended();
DO $$
BEGIN
	FOR i IN 1 .. 20 LOOP
		PERFORM invalidate_tags((SELECT array_agg('x' || i || '.' || j) FROM generate_series(1, 250) j));
	END LOOP;
END
$$;
SELECT answers();
SELECT ended();

-- at commit
SELECT answers();
BEGIN;
SELECT invalidate_tags('{a}');
-- this transaction is no longer served what it has ended, and stores nothing
SELECT answers();
COMMIT;
SELECT answers();
BEGIN;
SELECT answers();
SELECT invalidate_tags('{a}');
ROLLBACK;
SELECT answers();
BEGIN;
SELECT answers();
SELECT invalidate_tags('{b}');
SELECT 1 / 0;
COMMIT;
SELECT answers();

-- savepoints: what was kept, at least, is invalidated
BEGIN;
SAVEPOINT s;
SELECT invalidate_tags('{a}');
RELEASE s;
COMMIT;
SELECT answers();
BEGIN;
SELECT invalidate_tags('{a}');
SAVEPOINT s;
SELECT invalidate_tags('{unrelated}');
ROLLBACK TO s;
COMMIT;
SELECT answers();
BEGIN;
SAVEPOINT s;
SELECT invalidate_tags('{a}');
ROLLBACK TO s;
SELECT invalidate_tags('{b}');
ROLLBACK;
SELECT answers();
DO $$
BEGIN
	BEGIN
		PERFORM invalidate_tags('{b}');
	EXCEPTION WHEN division_by_zero THEN
	END;
END
$$;
SELECT answers();
-- in procedures, transaction by transaction
CREATE PROCEDURE several() LANGUAGE plpgsql AS $$
BEGIN
	PERFORM invalidate_tags('{a}');
	COMMIT;
	RAISE NOTICE 'after commit: %', cache_test.answers();
	ROLLBACK;
	PERFORM invalidate_tags('{b}');
	ROLLBACK;
	RAISE NOTICE 'after rollback: %', cache_test.answers();
END
$$;
SELECT answers();
CALL several();

-- counted once each
SELECT invalidations AS before FROM cache_stats \gset
BEGIN;
SELECT invalidate_tags('{n1,n2}');
SELECT invalidate_tags('{n2,n3}');
COMMIT;
SELECT invalidations - :before AS invalidated FROM cache_stats;

-- by table
CREATE TABLE story (id int);
CREATE ROLE regress_cache_tags;
SELECT invalidate_table('story');
SELECT invalidate_table('missing');
SELECT invalidate_table(0);
SELECT invalidate_table(NULL);
SET ROLE regress_cache_tags;
SELECT invalidate_table('story');
-- anyone may invalidate tags: they are names, and no one's
SELECT invalidate_tags('{a}');
SELECT cache_flush();
RESET ROLE;
GRANT SELECT ON story TO regress_cache_tags;
SET ROLE regress_cache_tags;
SELECT invalidate_table('story');
RESET ROLE;
GRANT DELETE ON story TO regress_cache_tags;
SET ROLE regress_cache_tags;
SELECT invalidate_table('story');
RESET ROLE;
REVOKE ALL ON story FROM regress_cache_tags;
DROP ROLE regress_cache_tags;
-- with tags attached, also those
SELECT cache_attach('story', '{a}');
SELECT answers();
SELECT invalidate_table('story');
SELECT answers();

-- in a read-only transaction, for no row is written
BEGIN READ ONLY;
SELECT invalidate_tags('{b}');
COMMIT;
SELECT answers();
\set ECHO none
\i :end

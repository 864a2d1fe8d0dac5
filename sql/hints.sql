--
-- Hints that name a policy: kept plans, tags that make no sense, who sees what
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE TABLE story (id int, title text);
INSERT INTO story VALUES (1, 'one'), (2, 'two');
SET cache.mode = hint;
SET plan_cache_mode = force_generic_plan;
-- what cache_explain says of a statement with a hint
CREATE FUNCTION explained(hint text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(', ', e->>'verdict', e->>'reason', 'ttl ' || (e->>'ttl'), e->>'dependencies')
	FROM public.cache_explain('/*+ ' || hint || ' */ SELECT count(*) FROM cache_test.story') e
$$;
-- how the prepared statement is executed
CREATE FUNCTION executed() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	said text[];
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF, SUMMARY OFF) EXECUTE counted' LOOP
		IF line ~ 'Cache Status: |Cache Dependencies: ' THEN
			said := said || trim(line);
		END IF;
	END LOOP;
	RETURN coalesce(array_to_string(said, ', '), 'no cache');
END
$$;

-- a policy that is changed, deleted or made after PREPARE takes effect
INSERT INTO cache_policies (name, ttl, tags) VALUES ('hints', 77, '{a}');
PREPARE counted AS /*+ cache(policy = hints) */ SELECT count(*) FROM story;
SELECT executed();
SELECT executed();
UPDATE cache_policies SET tags = '{b}' WHERE name = 'hints';
SELECT executed();
SELECT executed();
BEGIN;
UPDATE cache_policies SET tags = '{c}' WHERE name = 'hints';
SELECT executed();
ROLLBACK;
SELECT executed();
DELETE FROM cache_policies WHERE name = 'hints';
SELECT executed();
INSERT INTO cache_policies (name, ttl, tags) VALUES ('hints', 77, '{d}');
SELECT executed();
SELECT executed();
BEGIN;
TRUNCATE cache_policies;
SELECT executed();
ROLLBACK;
SELECT executed();
-- by another session as well
\set other '-h ' :HOST ' -p ' :PORT ' -d ' :DBNAME
\setenv OTHER :other
\setenv LC_ALL C
\! psql -X -q $OTHER -c "UPDATE cache_policies SET tags = '{e}' WHERE name = 'hints'"
SELECT executed();
-- one of which the result is in L1 has no plan below
DEALLOCATE counted;
/*+ cache(policy = hints) */ SELECT count(*) FROM story;
PREPARE counted AS /*+ cache(policy = hints) */ SELECT count(*) FROM story;
EXECUTE counted;
UPDATE cache_policies SET tags = '{f}' WHERE name = 'hints';
SELECT executed();
DEALLOCATE counted;

-- and so do settings
CREATE FUNCTION life(q text) RETURNS int LANGUAGE sql AS $$
	SELECT round(extract(epoch FROM age + ttl_left))::int FROM cache_entries WHERE query = q
$$;
PREPARE titles AS /*+ cache(tags = titles) */ SELECT count(title) FROM story;
EXECUTE titles;
SELECT life('PREPARE titles AS SELECT count(title) FROM story');
SET cache.default_ttl = 1000;
SELECT invalidate_tags('{titles}');
EXECUTE titles;
SELECT life('PREPARE titles AS SELECT count(title) FROM story');
RESET cache.default_ttl;
SELECT invalidate_tags('{titles}');
SET cache.max_entry_size = '1kB';
PREPARE long AS /*+ cache(tags = titles) */ SELECT repeat(title, 700) AS long FROM story;
SELECT fills_too_large AS before FROM cache_stats \gset
\o /dev/null
EXECUTE long;
\o
SELECT fills_too_large - :before AS too_large FROM cache_stats;
RESET cache.max_entry_size;
\o /dev/null
EXECUTE long;
\o
SELECT fills_too_large - :before AS too_large FROM cache_stats;
DEALLOCATE titles;
DEALLOCATE long;

-- tags that make no sense are a warning
ALTER TABLE cache_policies DROP CONSTRAINT cache_policies_tags_check;
UPDATE cache_policies SET tags = '{a,NULL}' WHERE name = 'hints';
/*+ cache(policy = hints) */ SELECT count(*) FROM story;
UPDATE cache_policies SET tags = '{a,""}' WHERE name = 'hints';
/*+ cache(policy = hints) */ SELECT count(*) FROM story;
UPDATE cache_policies SET tags = (SELECT array_agg('tag ' || i) FROM generate_series(1, 300) i) WHERE name = 'hints';
/*+ cache(policy = hints) */ SELECT count(*) FROM story;
SELECT cache_define('hints', 'SELECT count(*) FROM story', policy => 'hints');
SELECT cached('hints');
UPDATE cache_policies SET tags = '{a,NULL}' WHERE name = 'hints';
SELECT cached('hints');
UPDATE cache_policies SET tags = ARRAY[repeat('x', 2000000)] WHERE name = 'hints';
/*+ cache(policy = hints) */ SELECT count(*) FROM story;
UPDATE cache_policies SET tags = '{a}' WHERE name = 'hints';
ALTER TABLE cache_policies ADD CONSTRAINT cache_policies_tags_check CHECK (tags IS NULL OR
	('' <> ALL (tags)) IS TRUE AND cardinality(tags) <= 256);
SELECT format('/*+ cache(tags = %s) */ SELECT count(*) FROM story', string_agg('t' || i, '|')) FROM generate_series(1, 257) i \gset tags_
\set ECHO errors
:tags_format;
SELECT format('/*+ cache(tags = %s) */ SELECT count(*) FROM story', repeat('x', 2000000)) \gset tags_
:tags_format;
\set ECHO all
-- nor does it wait for who changes policies
BEGIN;
LOCK TABLE cache_policies;
\! psql -X -q -A -t $OTHER -c "SET cache.mode = hint" -c "SET statement_timeout = '10s'" -c "/*+ cache(policy = hints) */ SELECT count(*) FROM cache_test.story" 2>&1 >/dev/null | head -1
ROLLBACK;

-- a policy's tags are for those to see who may read policies
CREATE ROLE regress_cache_hints;
GRANT SELECT ON story TO regress_cache_hints;
SELECT explained('cache(policy = hints)');
SELECT explained('cache(policy = hints, tags = mine)');
SELECT explained('cache(policy = nowhere)');
SET ROLE regress_cache_hints;
SELECT explained('cache(policy = hints)');
SELECT explained('cache(policy = hints, tags = mine)');
SELECT explained('cache(policy = nowhere)');
PREPARE counted AS /*+ cache(policy = hints) */ SELECT count(*) FROM story;
SELECT executed();
RESET ROLE;
GRANT SELECT ON cache_policies TO regress_cache_hints;
SET ROLE regress_cache_hints;
SELECT explained('cache(policy = hints)');
SELECT executed();
RESET ROLE;
DEALLOCATE counted;
REVOKE ALL ON cache_policies, story FROM regress_cache_hints;
DROP ROLE regress_cache_hints;
SELECT cache_undefine('hints');
DELETE FROM cache_policies WHERE name = 'hints';
\set ECHO none
\i :end

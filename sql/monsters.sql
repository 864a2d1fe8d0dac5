--
-- Statements made to be hard to analyse
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE TABLE story (id int, author int);
INSERT INTO story SELECT i, i FROM generate_series(1, 9) i;
SELECT cache_attach('story', '{author:$author}');

-- The statements, by their sizes.  Each level of the first refers to all levels
-- around it; each table of the second to the one before.
CREATE FUNCTION nested(depth int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	query text := 'true';
	conditions text;
BEGIN
	FOR k IN REVERSE depth .. 1 LOOP
		SELECT string_agg(format('s%s.author = s%s.author', k, j), ' AND ') INTO conditions
			FROM generate_series(0, k - 1) j;
		query := format('EXISTS (SELECT FROM story s%s WHERE %s AND %s)', k, conditions, query);
	END LOOP;
	RETURN 'SELECT s0.id FROM story s0 WHERE s0.author = 7 AND ' || query;
END
$$;
CREATE FUNCTION chain(size int) RETURNS text LANGUAGE sql AS $$
	SELECT 'SELECT s0.id FROM story s0 ' || string_agg(format('JOIN story s%s ON s%1$s.author = s%s.author', k, k - 1), ' ')
		|| ' WHERE s0.author = 7'
	FROM generate_series(1, size) k
$$;
CREATE FUNCTION branches(size int) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(format('SELECT id FROM story WHERE author = %s', k), ' UNION ALL ')
	FROM generate_series(1, size) k
$$;
CREATE FUNCTION alternatives(size int) RETURNS text LANGUAGE sql AS $$
	SELECT 'SELECT id FROM story WHERE ' || string_agg(format('(id = %s AND author = %1$s)', k), ' OR ')
	FROM generate_series(1, size) k
$$;

-- What the cache makes of a statement, unless it takes long.
CREATE FUNCTION verdict(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
	verdict text := cache_explain(query) ->> 'verdict';
BEGIN
	RETURN CASE WHEN clock_timestamp() < start + interval '10 s' THEN verdict ELSE 'too slow' END;
END
$$;
SET cache.mode = auto;
SET cache.min_cost = 0;
SELECT verdict(nested(27)), verdict(chain(300)), verdict(branches(1000)), verdict(alternatives(5000));
RESET cache.min_cost;
RESET cache.mode;

-- Large ones depend on the rows that they read, and monsters on their tables.
CREATE FUNCTION ended(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	hits bigint := (SELECT l1_hits FROM cache_stats);
BEGIN
	PERFORM cached_query(query);
	RETURN (SELECT l1_hits FROM cache_stats) = hits;
END
$$;
SET join_collapse_limit = 1;
CREATE TABLE monster AS SELECT name, query FROM (VALUES
	('nested', nested(12)), ('chain', chain(12)), ('branches', branches(12)), ('alternatives', alternatives(12)),
	('many branches', branches(1000)), ('many alternatives', alternatives(5000))) AS m (name, query);
SELECT name, ended(query) FROM monster;
SELECT name, ended(query) FROM monster;
UPDATE story SET id = 80 WHERE author = 8;
SELECT name, ended(query) FROM monster;
INSERT INTO story VALUES (10, 2000);
SELECT name, ended(query) FROM monster;
UPDATE story SET id = 70 WHERE author = 7;
SELECT name, ended(query) FROM monster;
SELECT count(*) FROM monster m, cached_query(m.query) c WHERE c ->> 'id' = '7';
-- Functions that call all of those before, two ways, and then one that may not be
-- looked into: each is looked into once, and not too many of them.
CREATE FUNCTION level_0(int) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1; END';
DO $$
BEGIN
	FOR k IN 1 .. 8 LOOP
		FOR i IN 1 .. 7 LOOP
			EXECUTE format('CREATE FUNCTION level_%s_%s(int) RETURNS int LANGUAGE sql STABLE AS %L', k, i,
				(SELECT 'SELECT ' || string_agg(CASE WHEN k = 1 THEN 'level_0($1)' ELSE format('level_%s_%s($1)', k - 1, j) END, ' + ')
					|| ' + clock_timestamp()::text::int FROM story LIMIT 1'
					FROM generate_series(1, 7) j));
		END LOOP;
	END LOOP;
END
$$;
CREATE FUNCTION seconds(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz := clock_timestamp();
BEGIN
	PERFORM cached_query(query, tags => '{story}');
	RETURN CASE WHEN clock_timestamp() < start + interval '10 s' THEN 'few' ELSE 'too many' END;
END
$$;
SELECT seconds('SELECT level_8_1(id) FROM story WHERE id < 0');

-- Statements are remembered, but not at any price.
CREATE FUNCTION kept() RETURNS text LANGUAGE sql AS
	$$SELECT CASE WHEN sum(total_bytes) < 64 * 1024 * 1024 THEN 'little' ELSE 'too much' END FROM pg_backend_memory_contexts$$;
CREATE FUNCTION long_list(size int, salt int) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT id FROM story WHERE id + %s IN (%s)', salt, string_agg(i::text, ',')) FROM generate_series(1, size) i
$$;
DO $$ BEGIN FOR i IN 1 .. 30 LOOP PERFORM cached_query(long_list(40000, i), tags => '{story}'); END LOOP; END $$;
SELECT kept();
DO $$ BEGIN PERFORM cached_query(long_list(600000, 0), tags => '{story}'); END $$;
SELECT kept();
-- one that is found, and not executed
DO $$ BEGIN PERFORM cached_query(long_list(600000, 0), tags => '{story}'); END $$;
SELECT kept();
SELECT cached_query(long_list(1000001, 0), tags => '{story}');
SELECT count(*) FROM cached_query('SELECT $1', 300, '{story}', repeat('x', 10000000));
\set ECHO none
\i :end

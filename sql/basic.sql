--
-- cached_query, cached_rows and cached: rows, hits, lifetimes, arguments
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE TABLE story (id int PRIMARY KEY, title text, views numeric(8,2));
INSERT INTO story VALUES (1, 'one', 1.50), (2, 'two', NULL), (3, NULL, 3);

-- a miss executes the query and a hit does not
SELECT cached_query('SELECT noisy(id) AS id, title FROM story ORDER BY id', 300, '{story}');
SELECT cached_query('SELECT noisy(id) AS id, title FROM story ORDER BY id', 300, '{story}');
SELECT * FROM cached_rows('SELECT noisy(id), title FROM story ORDER BY id', 300, '{story}') AS t(id int, title text);
SELECT * FROM cached_rows('SELECT noisy(id), title FROM story ORDER BY id', 300, '{story}') AS t(id int, title text);
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{}')$$);
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{}')$$);
-- the definition list names the columns, as it likes
SELECT b, a FROM cached_rows('SELECT noisy(id), title FROM story ORDER BY id', 300, '{story}') AS t(a int, b text) WHERE a > 1;
-- named and defaulted arguments
SELECT cached_query(query => 'SELECT noisy(1) AS n', tags => '{}');
SELECT cached_query(tags => '{}', query => 'SELECT noisy(1) AS n');

-- what is SELECTed need not be a table
SELECT cached_query('VALUES (1, ''a''), (2, ''b'')', 300, '{}');
SELECT cached_query('TABLE story', 300, '{}') LIMIT 1;
SELECT cached_query('WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r', 300, '{}');
SELECT cached_query('SELECT 1 AS a UNION SELECT 2 ORDER BY a', 300, '{}');
SELECT cached_query('  SELECT 1 AS a ;  -- a comment', 300, '{}');
SELECT cached_query('SELECT noisy(1) AS a WHERE false', 300, '{}');

-- no rows are a result as well
SELECT how($$cached_query('SELECT id FROM story WHERE id < 0', 300, '{}')$$);
SELECT how($$cached_query('SELECT id FROM story WHERE id < 0', 300, '{}')$$);

-- spelled differently, keyed differently
SELECT how($$cached_query('SELECT  count(*) FROM story', 300, '{}')$$);
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
-- order and repetition of tags do not matter
SELECT how($$cached_query('SELECT 1 AS a', 300, '{x,y}')$$);
SELECT how($$cached_query('SELECT 1 AS a', 300, '{y,x,y}')$$);
SELECT how($$cached_query('SELECT 1 AS a', 300, '{{x},{y}}')$$);

-- lifetimes: the ttl given when the result was stored, and that of the reader
SET cache.default_ttl = 1234;
SELECT cached_query('SELECT noisy(7) AS default_ttl', NULL, '{}');
SELECT cached_query('SELECT noisy(7) AS default_ttl', 1000, '{}');
SELECT extract(epoch FROM age + ttl_left)::numeric(10,3) AS ttl FROM cache_entries
	WHERE query = 'SELECT noisy(7) AS default_ttl';
RESET cache.default_ttl;
SHOW cache.default_ttl;
SELECT cached_query('SELECT noisy(8) AS default_ttl', tags => '{}');
SELECT extract(epoch FROM age + ttl_left)::numeric(10,3) AS ttl FROM cache_entries
	WHERE query = 'SELECT noisy(8) AS default_ttl';
SELECT cached_query('SELECT noisy(9) AS longest', 2147483647, '{}');
SELECT cached_query('SELECT noisy(9) AS longest', 2147483647, '{}');
-- up to half of it may be taken off
SET cache.ttl_jitter = 0.5;
SELECT cached_query('SELECT noisy(10) AS jitter', 1000, '{}');
SELECT extract(epoch FROM age + ttl_left) BETWEEN 499 AND 1000 AS jittered FROM cache_entries
	WHERE query = 'SELECT noisy(10) AS jitter';
SET cache.ttl_jitter = 0.51;
SET cache.ttl_jitter = 0;

-- expiry
SELECT expirations AS expirations FROM cache_stats \gset
SELECT cached_query('SELECT noisy(1) AS short', 1, '{}');
SELECT cached_query('SELECT noisy(1) AS short', 1, '{}');
SELECT cached_query('SELECT noisy(2) AS long', 300, '{}');
-- who wants a result for longer than others keeps it for as long
SELECT cached_query('SELECT noisy(3) AS kept', 1, '{}');
SELECT cached_query('SELECT noisy(3) AS kept', 300, '{}');
SELECT cached_query('SELECT noisy(3) AS kept', 2, '{}');
SELECT pg_sleep(1.1);
SELECT cached_query('SELECT noisy(3) AS kept', 300, '{}');
SELECT cached_query('SELECT noisy(1) AS short', 300, '{}');
-- an older result is too old for one who wants a younger one
SELECT cached_query('SELECT noisy(2) AS long', 300, '{}');
SELECT cached_query('SELECT noisy(2) AS long', 1, '{}');
-- ... and takes nothing from those who do not mind
SELECT query, round(extract(epoch FROM age + ttl_left)) AS ttl, age < '1s' AS young FROM cache_entries
	WHERE query IN ('SELECT noisy(2) AS long', 'SELECT noisy(3) AS kept') ORDER BY query COLLATE "C";
SELECT expirations > :expirations AS expired FROM cache_stats;

-- arguments that make no sense
SELECT cached_query(NULL, 300, '{}');
SELECT * FROM cached_rows(NULL, 300, '{}') AS t(a int);
SELECT cached_query('SELECT 1', 0, '{}');
SELECT cached_query('SELECT 1', -1, '{}');
SELECT * FROM cached_rows('SELECT 1', 0, '{}') AS t(a int);
SELECT cached_query('SELECT 1', 300, ARRAY[NULL]::text[]);
SELECT cached_query('SELECT 1', 300, '{a,NULL}');
SELECT cached_query('SELECT 1', 300, '{a,""}');
SELECT count(*) FROM cached_query('SELECT 1', 300, (SELECT array_agg('tag' || i) FROM generate_series(1, 256) i));
SELECT count(*) FROM cached_query('SELECT 1', 300, (SELECT array_agg('tag' || i) FROM generate_series(1, 257) i));
SELECT count(*) FROM cached_query('SELECT 1', 300, (SELECT array_agg('tag' || i) FROM generate_series(1, 1000) i));
SELECT count(*) FROM cached_query('SELECT 1', 300, (SELECT array_agg('tag' || i % 256) FROM generate_series(1, 1000) i));
-- a long tag
SELECT how($$cached_query('SELECT 1 AS a', 300, ARRAY[repeat('x', 500000)])$$);
SELECT how($$cached_query('SELECT 1 AS a', 300, ARRAY[repeat('x', 500000)])$$);
-- a long query
SELECT how($$cached_query('SELECT 1 AS a' || repeat(' ', 500000), 300, '{}')$$);
SELECT how($$cached_query('SELECT 1 AS a' || repeat(' ', 500000), 300, '{}')$$);

-- queries that are not one SELECT, or do something
SELECT cached_query('', 300, '{}');
SELECT cached_query('  -- nothing', 300, '{}');
SELECT cached_query(';', 300, '{}');
SELECT cached_query('SELECT 1; SELECT 2', 300, '{}');
SELECT cached_query('INSERT INTO story VALUES (4) RETURNING id', 300, '{}');
SELECT cached_query('DELETE FROM story', 300, '{}');
SELECT cached_query('UPDATE story SET title = ''x''', 300, '{}');
SELECT cached_query('WITH w AS (INSERT INTO story VALUES (4) RETURNING id) SELECT * FROM w', 300, '{}');
SELECT cached_query('CREATE TABLE made (a int)', 300, '{}');
SELECT cached_query('SELECT 1 INTO made', 300, '{}');
SELECT cached_query('SHOW work_mem', 300, '{}');
SELECT cached_query('EXPLAIN SELECT 1', 300, '{}');
SELECT cached_query('COMMIT', 300, '{}');
SELECT cached_query('COPY story TO STDOUT', 300, '{}');
SELECT cached_query('SELECT * FROM story FOR UPDATE', 300, '{}');
SELECT cached_query('SELECT * FROM (SELECT * FROM story FOR KEY SHARE) s', 300, '{}');
SELECT cached_query('SELECT random()', 300, '{}');
SELECT cached_query('SELECT id FROM story ORDER BY random()', 300, '{}');
SELECT cached_query('SELECT id FROM story WHERE id < (SELECT clock_timestamp()::text::int)', 300, '{}');
SELECT cached_query('SELECT * FROM pg_sleep(0)', 300, '{}');
SELECT cached_query('SELECT set_config(''work_mem'', ''1MB'', false)', 300, '{}');
SELECT cached_query('SELECT cached_query(''SELECT 1'', 300, ''{}'')', 300, '{}');
CREATE SEQUENCE serial;
SELECT cached_query('SELECT nextval(''serial'')', 300, '{}');
SELECT cached_query('SELECT currval(''serial'')', 300, '{}');
SELECT count(*) AS nothing_was_done FROM story HAVING count(*) = 3;

-- errors of the query itself; nothing of them is cached
SELECT cached_query('SELEKT 1', 300, '{}');
SELECT cached_query('SELECT missing FROM story', 300, '{}');
SELECT cached_query('SELECT * FROM missing', 300, '{}');
SELECT cached_query('SELECT 1 / (id - 2) FROM story ORDER BY id', 300, '{}');
SELECT cached_query('SELECT 1 / (id - 2) FROM story ORDER BY id', 300, '{}');
SELECT cached_query('SELECT $1', 300, '{}');
SELECT how($$cached_query('SELECT 1 AS works', 300, '{}')$$);

-- row types
SELECT cached_rows('SELECT 1', 300, '{}');
SELECT * FROM cached_rows('SELECT 1', 300, '{}');
SELECT * FROM cached_rows('SELECT 1', 300, '{}') AS t(a int, b int);
SELECT * FROM cached_rows('SELECT 1, 2', 300, '{}') AS t(a int);
SELECT * FROM cached_rows('SELECT 1', 300, '{}') AS t(a text);
SELECT * FROM cached_rows('SELECT 1', 300, '{}') AS t(a bigint);
SELECT * FROM cached_rows('SELECT views FROM story ORDER BY id', 300, '{}') AS t(a numeric(8,2));
SELECT * FROM cached_rows('SELECT views FROM story ORDER BY id', 300, '{}') AS t(a numeric(4,1));
SELECT * FROM cached_rows('SELECT views FROM story ORDER BY id', 300, '{}') AS t(a numeric);
-- also when a result is there
SELECT * FROM cached_rows('SELECT views FROM story ORDER BY id', 300, '{}') AS t(a text);
SELECT * FROM cached_rows('SELECT (1, 2)', 300, '{}') AS t(a record);
SELECT * FROM cached_rows('SELECT 1, ARRAY[(1, 2)]', 300, '{}') AS t(a int, b record[]);
SELECT * FROM cached_rows('SELECT s FROM story s WHERE id = 1', 300, '{}') AS t(a story);
SELECT cached_query('SELECT (1, 2) AS pair', 300, '{}');

-- where functions can be called
SELECT j->>'title' AS title FROM cached_query('SELECT * FROM story ORDER BY id', 300, '{}') AS j;
SELECT (cached_query('SELECT id FROM story ORDER BY id', 300, '{}')->>'id')::int * 2 AS twice;
SELECT s.id, j FROM story s, cached_query('SELECT $1 AS n', 300, '{}', s.id) AS j ORDER BY s.id;
SELECT s.id, r.* FROM story s, cached_rows('SELECT $1, noisy(5)', 300, '{}', s.id % 2) AS r(n int, five int) ORDER BY s.id;
SELECT id, cached_query('SELECT generate_series(1, $1) AS n', 300, '{}', id) FROM story WHERE id < 3 ORDER BY id;
SELECT * FROM ROWS FROM (cached_query('SELECT 1 AS a', 300, '{}'),
	cached_rows('VALUES (1), (2)', 300, '{}') AS (n int)) WITH ORDINALITY;
SELECT a.n, b.n FROM cached_rows('VALUES (1), (2)', 300, '{}') AS a(n int)
	LEFT JOIN cached_rows('VALUES (2), (3)', 300, '{}') AS b(n int) ON a.n = b.n ORDER BY 1;

-- without tags a result lives until what it was made of changes
SELECT how($$cached_query('SELECT count(*) FROM story')$$);
SELECT how($$cached_query('SELECT count(*) FROM story', 300)$$);
SELECT how($$cached_query('SELECT count(*) FROM story', 300, NULL)$$);
SELECT how($$cached_rows('SELECT id FROM story WHERE id = $1', NULL, NULL, 1) AS t(id int)$$);
INSERT INTO story VALUES (4, 'four');
SELECT how($$cached_query('SELECT count(*) FROM story')$$);
SELECT how($$cached_query('SELECT count(*) FROM story')$$);
UPDATE story SET title = 'FOUR' WHERE id = 4;
SELECT how($$cached_query('SELECT count(*) FROM story')$$);
DELETE FROM story WHERE id = 99;
SELECT how($$cached_query('SELECT count(*) FROM story')$$);
BEGIN;
DELETE FROM story WHERE id = 4;
ROLLBACK;
SELECT how($$cached_query('SELECT count(*) FROM story')$$);
DELETE FROM story WHERE id = 4;
SELECT how($$cached_query('SELECT count(*) FROM story')$$);
-- by whatever way the table is read
CREATE TABLE parent (a int);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE part (a int) PARTITION BY LIST (a);
CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1);
CREATE VIEW titles AS SELECT title FROM story WHERE EXISTS (SELECT FROM parent WHERE a = id);
CREATE MATERIALIZED VIEW snapshot AS SELECT count(*) FROM parent;
CREATE FUNCTION reads() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(split_part(cache_test.how(format('public.cached_query(%L)', q)), ':', 1), ', ' ORDER BY n)
	FROM unnest(ARRAY['SELECT * FROM parent', 'SELECT * FROM part', 'SELECT * FROM part WHERE a = 2',
		'SELECT * FROM titles', 'SELECT * FROM snapshot', 'SELECT (SELECT max(a) FROM parent)',
		'WITH w AS (SELECT * FROM parent) SELECT 1 FROM w']) WITH ORDINALITY AS q(q, n)
$$;
-- parent, part, one partition, a view, a materialized view, a subquery, a CTE
SELECT reads();
SELECT reads();
INSERT INTO parent VALUES (1);
SELECT reads();
COPY child FROM STDIN;
2
\.
SELECT reads();
INSERT INTO part VALUES (1);
SELECT reads();
INSERT INTO part_1 VALUES (1);
SELECT reads();
TRUNCATE part_1;
SELECT reads();
CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2);
SELECT reads();
INSERT INTO part_2 VALUES (2);
SELECT reads();
UPDATE story SET title = title;
SELECT reads();
REFRESH MATERIALIZED VIEW snapshot;
SELECT reads();
-- a tag may well have the name of a table, and does not end it
SELECT invalidate_tags('{parent,story}');
SELECT reads();
SELECT invalidate_table('child');
SELECT reads();
SELECT invalidate_table('part_2');
SELECT reads();
-- what cannot be known is refused
SELECT cached_query('SELECT now()');
SELECT cached_query('SELECT CURRENT_DATE');
SELECT cached_query('SELECT noisy(1)');
SELECT cached_query('SELECT count(*) FROM pg_class');
SELECT cached_query('SELECT last_value FROM serial');
SELECT cached_query('SELECT * FROM story TABLESAMPLE SYSTEM (50)');
SELECT cached_query('SELECT * FROM story TABLESAMPLE SYSTEM (50) REPEATABLE (1)');
SELECT cached_query('SELECT current_setting($1)', NULL, NULL, 'work_mem'::text);
SELECT cached_query('SELECT current_setting(''work_mem'')');
SELECT cached_query('SELECT current_setting(''app.tenant'', true) AS tenant');
SELECT cached_query('SELECT current_user IS NOT NULL AS someone');
-- unless an administrator vouches for it
SET cache.trusted_functions = 'cache_test.noisy';
SELECT cached_query('SELECT noisy(1) AS trusted');
SELECT cached_query('SELECT noisy(1) AS trusted');
RESET cache.trusted_functions;
SELECT cached_query('SELECT noisy(1) AS trusted');

-- named queries
SELECT cache_define('basic_story', 'SELECT noisy(id) AS id, title FROM story WHERE id = $1', 300, '{story}');
SELECT cached('basic_story', 1);
SELECT cached('basic_story', 1);
SELECT cached('basic_story', 2);
SELECT how($$cached('basic_story', 2)$$);
SELECT cached('basic_story');
SELECT cached('basic_missing');
SELECT cached('basic_missing', 1);
SELECT cached(NULL);
SELECT cached('');
SELECT cached('Basic_Story', 1);
SELECT cache_undefine('basic_story');
SELECT cached('basic_story', 1);
\set ECHO none
\i :end

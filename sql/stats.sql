--
-- Statistics, what they show to whom, and switching off, flushing, verifying
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
-- counters
SELECT cache_reset_stats();
SELECT cache_flush('l1');
SELECT l1_hits, l2_hits, stale_hits, misses, hit_rate, fills, fills_raced, fills_too_large, fills_unproven, evictions, bypasses, bypass_reasons,
	waits, wait_timeouts, l2_errors, l2_rejected, time_saved FROM cache_stats;
SELECT cached_query('SELECT 1 AS a', 300, '{a}');
SELECT l1_hits, misses, hit_rate, fills FROM cache_stats;
SELECT cached_query('SELECT 1 AS a', 300, '{a}');
SELECT cached_query('SELECT 1 AS a', 300, '{a}');
SELECT cached_query('SELECT 1 AS a', 300, '{a}');
SELECT l1_hits, misses, hit_rate, fills, time_saved > 0 AS saved FROM cache_stats;
SELECT (s).l1_hits, (s).misses FROM (SELECT cache_stats() AS s) f;
-- state
SELECT l1_entries, l1_max_entries, l1_bytes BETWEEN 100 AND 10000 AS some_bytes, l1_max_bytes, l2_state, l2_unsent FROM cache_stats;
SELECT stats_reset BETWEEN now() - interval '1 minute' AND clock_timestamp() AS just_reset FROM cache_stats;
-- errors are misses that fill nothing
SELECT cached_query('SELECT 1 / 0', 300, '{}');
SELECT misses, fills FROM cache_stats;
-- what is refused is none of these
SELECT cached_query('SELECT random()', 300, '{}');
SELECT misses, fills, bypasses FROM cache_stats;

-- too large to keep: returned, whole and in order, but not stored
SET cache.max_entry_size = '8kB';
SELECT how($$cached_query('SELECT length(repeat(''x'', 10000)) AS small', 300, '{}')$$);
SELECT count(*), sum(length(j->>'r')), bool_and(length(j->>'r') = 100) FROM cached_query('SELECT repeat(i::text, 100) AS r FROM generate_series(1, 9) i, generate_series(1, 100)', 300, '{}') j;
SELECT count(*), sum(length(r)), array_agg(DISTINCT length(r)) FROM cached_rows('SELECT i, repeat(i::text, 100) FROM generate_series(1, 9) i, generate_series(1, 100)', 300, '{}') AS t(i int, r text);
SELECT count(*), count(DISTINCT i), bool_and(i = n) FROM ROWS FROM (cached_rows('SELECT i FROM generate_series(1, 5000) i', 300, '{}') AS (i int)) WITH ORDINALITY AS t(i, n);
SELECT bool_and((j->>'i')::int = n), count(*) FROM cached_query('SELECT i FROM generate_series(1, 5000) i', 300, '{}') WITH ORDINALITY AS t(j, n);
SELECT length(j->>'one') FROM cached_query('SELECT repeat(''x'', 100000) AS one', 300, '{}') j;
SELECT length(one) FROM cached_rows('SELECT repeat(''x'', 100000) AS one', 300, '{}') AS t(one text);
SELECT split_part(how($$cached_query('SELECT repeat(''x'', 10000) AS r', 300, '{}')$$), ':', 1);
SELECT split_part(how($$cached_query('SELECT repeat(''x'', 10000) AS r', 300, '{}')$$), ':', 1);
SELECT fills_too_large FROM cache_stats;
-- for each row of another table
SELECT n, count(*), min(length(r)) FROM generate_series(1, 3) n, cached_rows('SELECT repeat($1::text, 3000) FROM generate_series(1, 10)', 300, '{}', n) AS t(r text) GROUP BY n ORDER BY n;
SELECT n, count(*) FROM generate_series(1, 3) n, cached_query('SELECT repeat($1::text, 3000) FROM generate_series(1, 10)', 300, '{}', n) AS j GROUP BY n ORDER BY n;
RESET cache.max_entry_size;
SELECT split_part(how($$cached_query('SELECT repeat(''x'', 10000) AS r', 300, '{}')$$), ':', 1);
SELECT split_part(how($$cached_query('SELECT repeat(''x'', 10000) AS r', 300, '{}')$$), ':', 1);

-- bypasses
SELECT cache_reset_stats();
SET cache.enabled = off;
SELECT how($$cached_query('SELECT 1 AS a', 300, '{a}')$$);
SELECT how($$cached_rows('SELECT 1 AS a', 300, '{a}') AS t(a int)$$);
SELECT cached_query('SELECT random()', 300, '{}');
SELECT cached_query('SELECT 1', 0, '{}');
RESET cache.enabled;
SELECT how($$cached_query('SELECT 1 AS a', 300, '{a}')$$);
SELECT bypasses, bypass_reasons FROM cache_stats;
-- switched off, invalidation goes on
SET cache.enabled = off;
SELECT invalidate_tags('{a}');
RESET cache.enabled;
SELECT how($$cached_query('SELECT 1 AS a', 300, '{a}')$$);
CREATE TABLE written (a int);
BEGIN;
INSERT INTO written VALUES (1);
SELECT cached_query('SELECT 1 AS a', 300, '{a}');
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT cached_query('SELECT 1 AS a', 300, '{a}');
SELECT cached_query('SELECT 1 AS a', 300, '{a}');
COMMIT;
SELECT bypasses, bypass_reasons FROM cache_stats;

-- entries
SELECT cache_flush();
SELECT query FROM cache_entries WHERE query LIKE 'SELECT %';
SELECT cached_query('SELECT noisy(1) AS entry', 300, '{b,a}');
SELECT cached_query('SELECT noisy(1) AS entry', 300, '{b,a}');
SELECT cached_query('SELECT noisy(1) AS entry', 300, '{b,a}');
SELECT * FROM cached_rows('SELECT noisy(1) AS entry', 400, '{}') AS t(a int);
SELECT datid = (SELECT oid FROM pg_database WHERE datname = current_database()) AS here, userid::regrole::text = current_user AS mine,
	query, form, tags, age BETWEEN '0' AND '1 minute' AS age, ttl_left BETWEEN '4 min' AND '7 min' AS ttl_left,
	size BETWEEN 100 AND 10000 AS size, hits, fill_time > 0 AS fill_time
	FROM cache_entries ORDER BY form;
SELECT invalidate_tags('{a}');
SELECT query, form FROM cache_entries;
SELECT query, form FROM cache_entries();

-- queries
SELECT cache_reset_stats();
SELECT count(*) FROM cache_query_stats;
SELECT cached_query('SELECT $1 AS per_query', 300, '{}', 1);
SELECT cached_query('SELECT $1 AS per_query', 300, '{}', 2);
SELECT cached_query('SELECT $1 AS per_query', 300, '{}', 2);
SELECT cached_query('SELECT $1 AS per_query', 300, '{}', 2);
SELECT cached_query('SELECT repeat(''x'', 100) AS length', 300, '{}') IS NOT NULL AS ok;
SELECT query, calls, hits, misses, fill_time > 0 AS fill_time, bytes > 0 AS bytes FROM cache_query_stats ORDER BY query COLLATE "C";
-- the start of a long text
SELECT cached_query('SELECT 1 AS long /* ' || repeat('x', 100000) || ' */', 300, '{}');
SELECT cached_query('SELECT 1 AS long /* ' || repeat('x', 99999) || 'y */', 300, '{}');
SELECT substr(query, 1, 20), length(query) < 100000 AS cut, calls FROM cache_query_stats WHERE query LIKE '%long%';
SELECT cache_reset_stats();
SELECT count(*) FROM cache_query_stats;
SELECT how($$cached_query('SELECT $1 AS per_query', 300, '{}', 2)$$);
SELECT query, calls, hits, misses, fill_time, bytes FROM cache_query_stats;

-- who sees what
CREATE ROLE regress_cache_stats;
CREATE ROLE regress_cache_monitor IN ROLE pg_read_all_stats;
SELECT cached_query('SELECT ''secret'' AS s', 300, '{secret_tag}');
SET ROLE regress_cache_stats;
SELECT public.cached_query('SELECT ''mine'' AS s, current_user IS NULL AS n', 300, '{my_tag}');
SELECT query, tags FROM public.cache_entries WHERE query LIKE '%''mine''%' OR query LIKE '%secret%' OR tags IS NOT NULL ORDER BY query COLLATE "C";
SELECT query, count(*) FROM public.cache_query_stats GROUP BY query ORDER BY query COLLATE "C";
SELECT misses > 0 AS counters_are_for_everyone FROM public.cache_stats;
SELECT count(*) > 0 AS and_entries FROM public.cache_entries();
SELECT public.cache_reset_stats();
SELECT public.cache_verify();
SELECT public.cache_flush();
SELECT public.cache_flush('l1');
SET cache.max_entry_size = 1;
SET cache.log = on;
SET cache.redis_url = '';
\set VERBOSITY sqlstate
SHOW cache.redis_url;
\set VERBOSITY default
SET ROLE regress_cache_monitor;
SELECT query, tags FROM public.cache_entries WHERE query LIKE '%''mine''%' OR query LIKE '%secret%' ORDER BY query COLLATE "C";
SELECT count(*) FROM public.cache_query_stats WHERE query = '<insufficient privilege>';
RESET ROLE;
DROP ROLE regress_cache_stats, regress_cache_monitor;

-- flushing
SELECT cached_query('SELECT 1 AS flushed', 300, '{}');
SELECT cache_flush('l2');
SELECT cache_flush('');
SELECT how($$cached_query('SELECT 1 AS flushed', 300, '{}')$$);
-- at once, in or out of a transaction
BEGIN;
SELECT cache_flush('l1');
ROLLBACK;
SELECT l1_entries, l1_bytes FROM cache_stats;
SELECT how($$cached_query('SELECT 1 AS flushed', 300, '{}')$$);
-- at commit
BEGIN;
SELECT cache_flush();
ROLLBACK;
SELECT how($$cached_query('SELECT 1 AS flushed', 300, '{}')$$);
SELECT cache_flush(NULL);
SELECT how($$cached_query('SELECT 1 AS flushed', 300, '{}')$$);

-- more results than there is room for: the memory limit holds, and nothing breaks
SELECT cache_flush('l1');
SELECT evictions AS before FROM cache_stats \gset
SELECT count(*), sum(length(r)) FROM generate_series(1, 150) i, cached_rows('SELECT repeat(''x'', 900000), $1', 300, '{}', i) AS t(r text, n int);
SELECT evictions > :before AS evicted, l1_entries BETWEEN 20 AND 149 AS some_entries, l1_bytes <= l1_max_bytes AS bytes FROM cache_stats;
SELECT cache_flush('l1');
SELECT evictions AS before FROM cache_stats \gset
SELECT sum(n) FROM generate_series(1, 1500) i, cached_rows('SELECT $1', 300, '{}', i) AS t(n int);
SELECT evictions - :before AS evicted, l1_entries FROM cache_stats;
SELECT sum(n) FROM generate_series(1, 1500) i, cached_rows('SELECT $1', 300, '{}', i) AS t(n int);
SELECT cache_verify();
SELECT cache_flush('l1');

-- every object of the extension has a comment
SELECT pg_describe_object(d.classid, d.objid, 0) AS lacks_a_comment
FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'cache')
	AND d.classid <> 'pg_type'::regclass	-- those of tables and views, in some versions
	AND obj_description(d.objid, d.classid::regclass::name) IS NULL
ORDER BY 1;
SELECT count(*) > 20 AS there_are_objects FROM pg_depend d
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
	AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'cache');
SELECT obj_description(oid, 'pg_extension') IS NOT NULL AS and_itself FROM pg_extension WHERE extname = 'cache';
-- and says whether it may run in parallel, and how volatile it is
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'cache') AND (p.proparallel = 's' OR p.provolatile <> 'v');
-- what anyone may call
SELECT p.proname, count(*) FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
WHERE d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'cache')
	AND (p.proacl IS NULL OR EXISTS (SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE'))
GROUP BY p.proname ORDER BY p.proname COLLATE "C";

-- settings
SET cache.no_such_setting = 1;
\set VERBOSITY sqlstate
SET cache.default_ttl = 0;
\set VERBOSITY default
SET cache.l1_memory = '1MB';
\set ECHO none
\i :end

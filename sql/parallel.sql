--
-- Parallel queries: what runs in one asks nothing of the cache, and may change
-- nothing; what is asked for may be one
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
\set VERBOSITY terse
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story SELECT i, 1 FROM generate_series(1, 5000) i;
ANALYZE story;
SELECT cache_define('total', 'SELECT sum(score) FROM story');
-- these claim what is not so, that they may run in a parallel worker
CREATE FUNCTION total() RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS
	$$BEGIN RETURN cached_query('SELECT sum(score) FROM story') ->> 'sum'; END$$;
CREATE FUNCTION total_row() RETURNS bigint LANGUAGE sql PARALLEL SAFE AS
	$$SELECT * FROM cached_rows('SELECT sum(score) FROM story') AS t(sum bigint)$$;
CREATE FUNCTION total_named() RETURNS text LANGUAGE sql PARALLEL SAFE AS
	$$SELECT cached('total') ->> 'sum'$$;
CREATE FUNCTION run(command text) RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS
	$$BEGIN EXECUTE command; RETURN 'done'; END$$;
CREATE FUNCTION process() RETURNS text LANGUAGE sql PARALLEL SAFE AS
	$$SELECT backend_type FROM pg_stat_activity WHERE pid = pg_backend_pid()$$;

-- whoever calls the functions directly gets no parallel query; the setting that
-- forces others to run in a worker has had two names
CREATE PROCEDURE force_workers(force text) LANGUAGE sql AS
	$$SELECT set_config(name, force, false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')$$;
CALL force_workers('on');
SELECT how($$cached_query('SELECT sum(score) FROM story')$$);
SELECT how($$cached_query('SELECT sum(score) FROM story')$$);
SELECT how($$cached('total')$$);
SELECT how($$cached('total')$$);
-- in a worker
SELECT process();
SELECT how('total()');
SELECT how('total_row()');
SELECT how('total_named()');
SELECT how('(SELECT total(), process()) q');
-- the answer is right, also in a transaction that has written, or has a snapshot
UPDATE story SET score = 2 WHERE id = 1;
SELECT how('total()');
BEGIN;
UPDATE story SET score = 3 WHERE id = 1;
SELECT how('total()');
SELECT how('total_row()');
ROLLBACK;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT how('total()');
COMMIT;
-- nothing of that was stored
SELECT how($$cached_query('SELECT sum(score) FROM story')$$);
SELECT how($$cached_query('SELECT sum(score) FROM story')$$);
-- a worker refuses to invalidate, for it would be lost with it
BEGIN;
SELECT txid_current() > 0 AS has_xid;
SAVEPOINT s;
SELECT run($$SELECT invalidate_tags('{story}')$$);
ROLLBACK TO s;
SELECT run('SELECT cache_flush()');
ROLLBACK TO s;
SELECT run('GRANT SELECT ON story TO PUBLIC');
ROLLBACK TO s;
SELECT run('UPDATE story SET score = 0');
ROLLBACK;
-- in other words, depending on the version
DO $$
BEGIN
	PERFORM run('SELECT invalidate_tags(''{story}'')');
EXCEPTION WHEN OTHERS THEN
	RAISE NOTICE 'refused';
END
$$;
SELECT how($$cached_query('SELECT sum(score) FROM story')$$);
-- looking at the cache is allowed
SELECT run('SELECT * FROM cache_stats'), run('SELECT * FROM cache_entries'), run('SELECT cache_verify()');
CALL force_workers('off');

-- in workers and their leader alike
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT count(*), min(total()) FROM story WHERE id % 2500 = 0;
SELECT how('(SELECT count(*), min(total()), max(total()) FROM story WHERE id % 2500 = 0) q');
SET parallel_leader_participation = off;
SELECT how('(SELECT count(*), min(total()), max(total()) FROM story WHERE id % 2500 = 0) q');

-- what is asked for may well run in parallel, and is cached
SELECT how($$cached_query('SELECT count(*) FROM story WHERE score > 0')$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE score > 0')$$);
CALL force_workers('on');
SELECT how($$cached_query('SELECT count(*) FROM story WHERE score > 1')$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE score > 1')$$);
SELECT cache_undefine('total');
\set ECHO none
\i :end

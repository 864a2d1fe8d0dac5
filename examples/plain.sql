-- plain.sql: serve plain SELECTs from the cache.
--
--	psql -h "${TMPDIR:-/tmp}/cache-demo" -U postgres -f examples/plain.sql demo
--
-- Runs in the database of `make demo`, can be run again, and leaves the data as
-- it was.

\set ON_ERROR_STOP on

-- In mode hint only statements with a hint are cached.  EXPLAIN shows a hit.
SET cache.mode = 'hint';
/*+ cache */ SELECT section, count(*) FROM package GROUP BY section ORDER BY section LIMIT 3;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)
	/*+ cache */ SELECT section, count(*) FROM package GROUP BY section ORDER BY section LIMIT 3;

-- In mode auto statements need no hint.  By default a result is stored if the
-- statement is requested again and is measured to be worth it; with
-- cache.min_cost = 0 every result is stored.
SET cache.mode = 'auto';
SET cache.min_cost = 0;
SELECT m.name, count(*) AS packages
	FROM package p JOIN maintainer m ON m.id = p.maintainer_id
	GROUP BY m.id ORDER BY packages DESC, m.name LIMIT 3;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) SELECT m.name, count(*) AS packages
	FROM package p JOIN maintainer m ON m.id = p.maintainer_id
	GROUP BY m.id ORDER BY packages DESC, m.name LIMIT 3;

-- Prepared statements have one result for each set of parameters.
PREPARE section_size(text) AS SELECT sum(installed_size) FROM package WHERE section = $1;
EXECUTE section_size('httpd');
EXECUTE section_size('httpd');
EXECUTE section_size('httpd');

-- What would the cache do with a statement, and why?
SELECT cache_explain('SELECT count(*) FROM package WHERE section = $1', 'httpd'::text);
SELECT cache_explain('SELECT name FROM package ORDER BY random() LIMIT 1');
SELECT cache_explain('SELECT /*+ nocache */ count(*) FROM package');

-- Mode shadow serves nothing, but counts what mode auto would serve.
SET cache.mode = 'shadow';
SELECT count(*) FROM dependency WHERE kind = 'depends';
SELECT count(*) FROM dependency WHERE kind = 'depends';
SELECT calls, shadow_hits, left(query, 60) AS query
	FROM cache_query_stats WHERE shadow_hits > 0 ORDER BY shadow_hits DESC LIMIT 3;

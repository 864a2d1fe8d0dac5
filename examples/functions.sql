-- functions.sql: call the cache by its functions.
--
--	psql -h "${TMPDIR:-/tmp}/cache-demo" -U postgres -f examples/functions.sql demo
--
-- Runs in the database of `make demo`, can be run again, and leaves the data as
-- it was.  Each hit, miss and invalidation is reported by a message.

\set ON_ERROR_STOP on
SET client_min_messages = debug1;

-- Each row is a json object.  The first call of the two is a miss, unless the
-- result is there already; the second one is a hit.
SELECT cached_query($$
	SELECT p.name, count(*) AS dependents
	FROM dependency d JOIN package p ON p.id = d.depends_on
	GROUP BY p.id ORDER BY dependents DESC, p.name LIMIT 3 $$);
SELECT cached_query($$
	SELECT p.name, count(*) AS dependents
	FROM dependency d JOIN package p ON p.id = d.depends_on
	GROUP BY p.id ORDER BY dependents DESC, p.name LIMIT 3 $$);

-- Typed rows, to be joined and filtered.  The arguments after the query are the
-- time to live, the tags and the parameter $1.
SELECT t.name, t.kb
	FROM cached_rows(
		'SELECT name, installed_size FROM package WHERE section = $1
		 ORDER BY installed_size DESC, name LIMIT 10',
		NULL, NULL, 'httpd'::text) AS t(name text, kb bigint)
	WHERE t.kb > 0
	LIMIT 3;

-- A named query.  Callers need to know only its name and parameters.
SELECT cache_define('packages of section',
	'SELECT count(*) AS packages FROM public.package WHERE section = $1');
SELECT cached('packages of section', 'httpd');
SELECT cached('packages of section', 'httpd');

-- A committed change invalidates the result, so that this is a miss again.
UPDATE package SET installed_size = installed_size WHERE name = 'libc6';
SELECT cached('packages of section', 'httpd');

-- A transaction that has changed the table executes the query itself, and what
-- it rolls back invalidates nothing.
BEGIN;
UPDATE package SET section = 'httpd' WHERE name = 'libc6';
SELECT cached('packages of section', 'httpd');
ROLLBACK;
SELECT cached('packages of section', 'httpd');

SELECT cache_undefine('packages of section');

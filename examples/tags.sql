-- tags.sql: choose which changes invalidate a result.
--
--	psql -h "${TMPDIR:-/tmp}/cache-demo" -U postgres -f examples/tags.sql demo
--
-- Runs in the database of `make demo`, can be run again, and leaves the data as
-- it was.  Each hit, miss and invalidation is reported by a message.

\set ON_ERROR_STOP on
SET client_min_messages = debug1;

-- Every change of a row invalidates the tags that these templates make of it.
SELECT cache_attach('package', '{package,package:$id,section:$section}');

-- The condition on section says which rows the query can read.  So its result
-- depends on the tag section:httpd, and a change in another section leaves it alone.
SELECT cached_query('SELECT count(*), max(installed_size) FROM package WHERE section = $1',
	NULL, NULL, 'httpd'::text);
UPDATE package SET installed_size = installed_size WHERE name = 'bash';
SELECT cached_query('SELECT count(*), max(installed_size) FROM package WHERE section = $1',
	NULL, NULL, 'httpd'::text);		-- a hit
UPDATE package SET installed_size = installed_size WHERE name = 'nginx';
SELECT cached_query('SELECT count(*), max(installed_size) FROM package WHERE section = $1',
	NULL, NULL, 'httpd'::text);		-- a miss

-- With tags of its own, the result is invalidated by these tags alone.  No change
-- of a package invalidates this one: only the tag overview does, or the end of
-- its 600 seconds.
SELECT cached_query('SELECT count(*) AS packages FROM package', 600, '{overview}');
UPDATE package SET installed_size = installed_size WHERE name = 'libc6';
SELECT cached_query('SELECT count(*) AS packages FROM package', 600, '{overview}');	-- a hit
SELECT invalidate_tags('{overview}');
SELECT cached_query('SELECT count(*) AS packages FROM package', 600, '{overview}');	-- a miss

SELECT left(query, 60) AS query, tags, hits FROM cache_entries
	WHERE tags IS NOT NULL ORDER BY hits DESC LIMIT 5;

SELECT cache_attach('package', '{package}');	-- as the demo has it

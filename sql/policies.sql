--
-- Named queries and policies: cache_define, cache_undefine, invalidate_query
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE TABLE story (id int, title text);
INSERT INTO story VALUES (1, 'one'), (2, 'two');
-- the rest of the life of a result, in whole seconds
CREATE FUNCTION life(q text) RETURNS int LANGUAGE sql AS $$
	SELECT round(extract(epoch FROM age + ttl_left))::int FROM cache_entries WHERE query = q
$$;

-- what there is from the start
SELECT * FROM cache_policies ORDER BY name COLLATE "C";
SELECT count(*) FROM cache_queries;

-- a named query: its own properties, then those of its policy, then the settings
SELECT cache_define('policies_a', 'SELECT noisy(1) AS a');
SELECT cached('policies_a');
SELECT cache_define('policies_a', 'SELECT count(*) FROM story', policy => 'default');
SELECT how($$cached('policies_a')$$);
INSERT INTO story VALUES (3, 'three');
SELECT how($$cached('policies_a')$$);
SELECT how($$cached('policies_a')$$);
DELETE FROM story WHERE id = 3;
SELECT cache_define('policies_a', 'SELECT noisy(1) AS a', tags => '{}');
SELECT cached('policies_a');
SELECT cached('policies_a');
SELECT life('SELECT noisy(1) AS a');
SELECT cache_define('policies_b', 'SELECT noisy(1) AS b', ttl => 77, tags => '{b}', policy => 'trending');
SELECT cached('policies_b');
SELECT life('SELECT noisy(1) AS b');
SELECT cache_define('policies_c', 'SELECT noisy(1) AS c', tags => '{c}', policy => 'trending');
SELECT cached('policies_c');
SELECT life('SELECT noisy(1) AS c');
SELECT cache_define('policies_d', 'SELECT noisy(1) AS d', tags => '{d}', policy => 'default');
SELECT cached('policies_d');
SELECT life('SELECT noisy(1) AS d');
INSERT INTO cache_policies (name, ttl, tags) VALUES ('policies_own', 55, '{own,more}');
SELECT cache_define('policies_e', 'SELECT noisy(1) AS e', policy => 'policies_own');
SELECT cached('policies_e');
SELECT life('SELECT noisy(1) AS e');
SELECT tags FROM cache_entries WHERE query = 'SELECT noisy(1) AS e';
SELECT cached('policies_e');
SELECT invalidate_tags('{more}');
SELECT cached('policies_e');
SELECT name, query, ttl, tags, policy FROM cache_queries ORDER BY name COLLATE "C";

-- changes are seen at once
SELECT cache_define('policies_e', 'SELECT noisy(2) AS e', policy => 'policies_own');
SELECT cached('policies_e');
SELECT cached('policies_e');
UPDATE cache_queries SET query = 'SELECT noisy(3) AS e' WHERE name = 'policies_e';
SELECT cached('policies_e');
UPDATE cache_policies SET ttl = 66 WHERE name = 'policies_own';
SELECT cache_define('policies_e', 'SELECT noisy(4) AS e', policy => 'policies_own');
SELECT cached('policies_e');
SELECT life('SELECT noisy(4) AS e');
-- a shorter life is that of results already stored
SELECT pg_sleep(1.1);
UPDATE cache_policies SET ttl = 1 WHERE name = 'policies_own';
SELECT cached('policies_e');
UPDATE cache_policies SET tags = '{other}', ttl = 44 WHERE name = 'policies_own';
SELECT cached('policies_e');
SELECT tags FROM cache_entries WHERE query = 'SELECT noisy(4) AS e' AND tags = '{other}';
-- also by the transaction that made them, and not after its end by anyone
BEGIN;
SELECT cache_define('policies_a', 'SELECT noisy(5) AS a', tags => '{}');
SELECT cached('policies_a');
ROLLBACK;
SELECT cached('policies_a');
BEGIN;
SELECT cache_undefine('policies_a');
SELECT cached('policies_a');
ROLLBACK;
SELECT cached('policies_a');
BEGIN;
SELECT cached('policies_a');
UPDATE cache_queries SET query = 'SELECT noisy(6) AS a' WHERE name = 'policies_a';
SELECT cached('policies_a');
COMMIT;
SELECT cached('policies_a');
SELECT cached('policies_a');
-- a policy in use is neither renamed nor deleted, unless another takes its place
UPDATE cache_policies SET name = 'policies_renamed' WHERE name = 'policies_own';
DELETE FROM cache_policies WHERE name = 'policies_own';
TRUNCATE cache_policies;
BEGIN;
SET CONSTRAINTS cache_policy_in_use DEFERRED;
DELETE FROM cache_policies WHERE name = 'policies_own';
INSERT INTO cache_policies (name, ttl, tags) VALUES ('policies_own', 55, '{own,more}');
COMMIT;
BEGIN;
SET CONSTRAINTS cache_policy_in_use DEFERRED;
DELETE FROM cache_policies WHERE name = 'policies_own';
SELECT cached('policies_e');
ROLLBACK;
BEGIN;
SET CONSTRAINTS cache_policy_in_use DEFERRED;
DELETE FROM cache_policies WHERE name = 'policies_own';
COMMIT;
UPDATE cache_policies SET name = 'policies_own' WHERE name = 'policies_own';
SELECT how($$cached('policies_e')$$);
-- one that is gone all the same is missed by whoever calls
SET session_replication_role = replica;
DELETE FROM cache_policies WHERE name = 'policies_own';
RESET session_replication_role;
SELECT cached('policies_e');
SELECT cache_undefine('policies_e');
SELECT cache_undefine('policies_e');
SELECT cached('policies_e');

-- largest entry
INSERT INTO cache_policies (name, tags, max_entry_size) VALUES ('policies_small', '{}', 1000);
SELECT cache_define('policies_size', 'SELECT repeat(''x'', $1) AS r', policy => 'policies_small');
SELECT split_part(how($$cached('policies_size', 700)$$), ':', 1);
SELECT split_part(how($$cached('policies_size', 700)$$), ':', 1);
SELECT fills_too_large AS before FROM cache_stats \gset
SELECT split_part(how($$cached('policies_size', 1000)$$), ':', 1), length(cached('policies_size', 1000)->>'r');
SELECT fills_too_large - :before AS too_large FROM cache_stats;
-- no larger than the setting allows
UPDATE cache_policies SET max_entry_size = 100000 WHERE name = 'policies_small';
SELECT split_part(how($$cached('policies_size', 50000)$$), ':', 1);
SELECT split_part(how($$cached('policies_size', 50000)$$), ':', 1);
SET cache.max_entry_size = '4kB';
SELECT split_part(how($$cached('policies_size', 50001)$$), ':', 1);
RESET cache.max_entry_size;

-- least cost
INSERT INTO cache_policies (name, tags, min_cost) VALUES ('policies_cheap', '{}', 100);
CREATE FUNCTION slow(seconds float8) RETURNS float8 LANGUAGE plpgsql STABLE AS $$
BEGIN
	PERFORM pg_sleep(seconds);
	RETURN seconds;
END
$$;
SELECT cache_define('policies_cost', 'SELECT slow($1) AS s', policy => 'policies_cheap');
SELECT how($$cached('policies_cost', 0::float8)$$);
SELECT how($$cached('policies_cost', 0::float8)$$);
SELECT how($$cached('policies_cost', 0.15::float8)$$);
SELECT how($$cached('policies_cost', 0.15::float8)$$);
UPDATE cache_policies SET min_cost = 'infinity' WHERE name = 'policies_cheap';
SELECT how($$cached('policies_cost', 0.12::float8)$$);
UPDATE cache_policies SET min_cost = 0 WHERE name = 'policies_cheap';
SELECT how($$cached('policies_cost', 0::float8)$$);
SELECT how($$cached('policies_cost', 0::float8)$$);

-- expired, but within the time that stale results are served: alone, one refreshes
INSERT INTO cache_policies (name, ttl, tags, stale) VALUES ('policies_stale', 1, '{stale}', 100);
SELECT cache_define('policies_stale', 'SELECT noisy(1) AS s', policy => 'policies_stale');
SELECT stale_hits AS before FROM cache_stats \gset
SELECT how($$cached('policies_stale')$$);
SELECT how($$cached('policies_stale')$$);
SELECT pg_sleep(1.1);
SELECT how($$cached('policies_stale')$$);
SELECT how($$cached('policies_stale')$$);
-- never after an invalidation
SELECT invalidate_tags('{stale}');
SELECT how($$cached('policies_stale')$$);
SELECT stale_hits - :before AS stale_hits FROM cache_stats;

-- invalidate_query
SELECT cache_define('policies_q', 'SELECT title FROM story WHERE id = $1', tags => '{}');
SELECT cache_define('policies_r', 'SELECT title FROM story WHERE id = $1 ', tags => '{}');
CREATE FUNCTION calls() RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(split_part(cache_test.how(c), ':', 1), ', ' ORDER BY n)
	FROM unnest(ARRAY['public.cached(''policies_q'', 1)', 'public.cached(''policies_q'', 2)', 'public.cached(''policies_q'', NULL::int)', 'public.cached(''policies_r'', 1)'])
		WITH ORDINALITY AS c(c, n)
$$;
SELECT calls();
SELECT calls();
SELECT invalidate_query('policies_q', 1);
SELECT calls();
SELECT invalidate_query('policies_q', NULL::int);
SELECT calls();
SELECT invalidate_query('policies_q', 3);
SELECT calls();
SELECT invalidate_query('policies_q', VARIADIC ARRAY[2]);
SELECT calls();
SELECT invalidate_query('policies_q');
SELECT calls();
BEGIN;
SELECT invalidate_query('policies_q');
ROLLBACK;
SELECT calls();
SELECT cache_undefine('policies_q');
SELECT cache_define('policies_q', 'SELECT title FROM story WHERE id = $1', tags => '{}');
SELECT calls();
SELECT invalidate_query('policies_missing');
SELECT invalidate_query('policies_missing', 1);
SELECT invalidate_query(NULL);
SELECT invalidate_query(NULL, 1);
SELECT invalidate_query('policies_q', ROW(1, 2));

-- builtin policies: a changed one is no longer builtin, and a dump carries it
UPDATE cache_policies SET ttl = 601 WHERE name = 'trending';
SELECT name, ttl, builtin FROM cache_policies WHERE name = 'trending';
CREATE TABLE other (name int);
CREATE TRIGGER other AFTER DELETE ON other FOR EACH ROW EXECUTE FUNCTION cache_policy_in_use();
INSERT INTO other VALUES (1);
DELETE FROM other;
-- one that takes the place of a built-in policy in use
BEGIN;
SELECT cache_define('policies_user', 'SELECT 1 AS u', policy => 'user');
INSERT INTO cache_policies (name, ttl) VALUES ('user', 5);
SET CONSTRAINTS ALL IMMEDIATE;
SELECT name, ttl, tags, builtin FROM cache_policies WHERE name = 'user';
ROLLBACK;
-- as a dump is restored
BEGIN;
INSERT INTO cache_policies (name, ttl) VALUES ('search_results', 5);
SELECT name, ttl, builtin FROM cache_policies WHERE name = 'search_results';
INSERT INTO cache_policies (name, ttl) VALUES ('search_results', 6);
ROLLBACK;
SELECT name, ttl, builtin FROM cache_policies WHERE name = 'search_results';
SELECT rel::regclass, condition FROM pg_extension, unnest(extconfig, extcondition) AS u(rel, condition)
	WHERE extname = 'cache' ORDER BY rel::regclass::text COLLATE "C";

-- arguments and rows that make no sense
SELECT cache_define(NULL, 'SELECT 1');
SELECT cache_define('', 'SELECT 1');
SELECT cache_define('policies_x', NULL);
SELECT cache_define('policies_x', '');
SELECT cache_define('policies_x', 'SELECT 1; SELECT 2');
SELECT cache_define('policies_x', 'DELETE FROM story');
SELECT cache_define('policies_x', 'SELECT 1 INTO made');
SELECT cache_define('policies_x', 'SELECT 1 INTO made UNION SELECT 2');
SELECT cache_define('policies_x', 'SELEC 1');
SELECT cache_define('policies_x', 'SELECT 1', 0);
SELECT cache_define('policies_x', 'SELECT 1', -5);
SELECT cache_define('policies_x', 'SELECT 1', 300, '{a,NULL}');
SELECT cache_define('policies_x', 'SELECT 1', 300, '{""}');
SELECT cache_define('policies_x', 'SELECT 1', 300, '{a}', 'policies_missing');
SELECT cache_undefine(NULL);
SELECT cache_undefine('');
SELECT cache_undefine('policies_x');
INSERT INTO cache_policies (name) VALUES ('');
INSERT INTO cache_policies (name, ttl) VALUES ('policies_x', 0);
INSERT INTO cache_policies (name, stale) VALUES ('policies_x', -1);
INSERT INTO cache_policies (name, max_entry_size) VALUES ('policies_x', 0);
INSERT INTO cache_policies (name, min_cost) VALUES ('policies_x', -1);
INSERT INTO cache_policies (name, tags) VALUES ('policies_x', '{a,NULL}');
INSERT INTO cache_policies (name, tags) VALUES ('policies_x', '{a,""}');
INSERT INTO cache_policies (name, tags)
	SELECT 'policies_x', array_agg('tag ' || i) FROM generate_series(1, 257) i;
INSERT INTO cache_policies (name) VALUES (repeat('x', 1025));
SELECT cache_define(repeat('x', 1025), 'SELECT 1');
INSERT INTO cache_queries (name, query, ttl) VALUES ('policies_x', 'SELECT 1', 0);
-- what is written by hand is checked when it is called
INSERT INTO cache_queries (name, query, tags) VALUES ('policies_x', 'DELETE FROM story', '{}');
SELECT cached('policies_x');
UPDATE cache_queries SET query = 'SELECT 1 AS x', tags = '{a,NULL}' WHERE name = 'policies_x';
UPDATE cache_queries SET query = 'SELECT 1 AS x', tags = '{x}' WHERE name = 'policies_x';
SELECT cached('policies_x');
-- as a dump is restored, a query can come before what it reads
UPDATE cache_queries SET query = 'SELECT * FROM not_there_yet' WHERE name = 'policies_x';
SELECT cached('policies_x');
CREATE TABLE not_there_yet AS SELECT 1 AS there;
SELECT cached('policies_x');
-- names are as they are written
SELECT cache_define('policies "X" $1 ''', 'SELECT 1 AS odd', 300, '{}');
SELECT cached('policies "X" $1 ''');
SELECT cache_undefine('policies "X" $1 ''');

-- a query means what it means to who calls it
SELECT cache_define('policies_who', 'SELECT title, current_user LIKE ''regress_cache%'' AS other FROM story ORDER BY id', 300, '{}');
SELECT cached('policies_who');
CREATE ROLE regress_cache_policies;
SET ROLE regress_cache_policies;
SELECT cached('policies_who');
RESET ROLE;
GRANT SELECT ON story TO regress_cache_policies;
SET ROLE regress_cache_policies;
SELECT how($$public.cached('policies_who')$$);
SELECT how($$public.cached('policies_who')$$);
-- defining is for those who are allowed to
SELECT cache_define('policies_y', 'SELECT 1', 300, '{}');
SELECT cache_undefine('policies_who');
SELECT * FROM cache_policies;
SELECT * FROM cache_queries;
INSERT INTO cache_policies (name) VALUES ('policies_y');
DELETE FROM cache_queries;
SELECT invalidate_query('policies_who');
RESET ROLE;
GRANT EXECUTE ON FUNCTION cache_define(text, text, int, text[], text), cache_undefine(text) TO regress_cache_policies;
SET ROLE regress_cache_policies;
SELECT cache_define('policies_y', 'SELECT session_user = current_user AS y', 300, '{}', 'default');
SELECT cached('policies_y');
SELECT cache_undefine('policies_y');
RESET ROLE;
REVOKE EXECUTE ON FUNCTION cache_define(text, text, int, text[], text), cache_undefine(text) FROM regress_cache_policies;
REVOKE ALL ON story FROM regress_cache_policies;
DROP ROLE regress_cache_policies;
-- a hostile search_path changes nothing
CREATE TABLE cache_queries (name text, query text, ttl int, tags text[], policy text);
CREATE FUNCTION eq(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR = (LEFTARG = text, RIGHTARG = text, FUNCTION = eq);
SET search_path = cache_test, pg_catalog, public;
SELECT cached('policies_who');
SELECT cached('policies_missing');
RESET search_path;
SET search_path = cache_test, public;
DROP OPERATOR cache_test.= (text, text);

DELETE FROM public.cache_queries WHERE name LIKE 'policies%';
DELETE FROM cache_policies WHERE name LIKE 'policies%';
UPDATE cache_policies SET ttl = 600 WHERE name = 'trending';
SELECT count(*) FROM public.cache_queries;
\set ECHO none
ALTER TABLE public.cache_policies DISABLE TRIGGER cache_policy_edited;
UPDATE public.cache_policies SET builtin = true WHERE name = 'trending';
ALTER TABLE public.cache_policies ENABLE TRIGGER cache_policy_edited;
\i :end

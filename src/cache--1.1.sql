/* src/cache--1.1.sql */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION cache" to load this file. \quit

--
-- Policies and named queries.  Both tables are extension configuration:
-- pg_dump carries what an administrator changed.
--

CREATE TABLE @extschema@.cache_policies (
	name text PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 1024),
	ttl integer CHECK (ttl > 0),
	tags text[] CHECK (tags IS NULL OR
		('' <> ALL (tags)) IS TRUE AND cardinality(tags) <= 256),
	stale integer NOT NULL DEFAULT 0 CHECK (stale >= 0),
	max_entry_size integer CHECK (max_entry_size > 0),
	min_cost double precision NOT NULL DEFAULT 0 CHECK (min_cost >= 0),
	builtin boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE @extschema@.cache_policies IS
	'named caching policies that named queries refer to';
COMMENT ON COLUMN @extschema@.cache_policies.ttl IS
	'time to live in seconds; null means cache.default_ttl';
COMMENT ON COLUMN @extschema@.cache_policies.tags IS
	'tags of the results, unless the named query has its own';
COMMENT ON COLUMN @extschema@.cache_policies.stale IS
	'for how many seconds after expiry the old result is served while one caller refreshes it';
COMMENT ON COLUMN @extschema@.cache_policies.max_entry_size IS
	'largest result kept, in bytes; null means cache.max_entry_size';
COMMENT ON COLUMN @extschema@.cache_policies.min_cost IS
	'results that took fewer milliseconds than this are not kept';
COMMENT ON COLUMN @extschema@.cache_policies.builtin IS
	'true for a policy that came with the extension and was not changed since';

CREATE TABLE @extschema@.cache_queries (
	name text PRIMARY KEY CHECK (name <> '' AND octet_length(name) <= 1024),
	query text NOT NULL,
	ttl integer CHECK (ttl > 0),
	tags text[] CHECK (tags IS NULL OR
		('' <> ALL (tags)) IS TRUE AND cardinality(tags) <= 256),
	policy text
);
COMMENT ON TABLE @extschema@.cache_queries IS
	'named queries, run by cached(); maintained by cache_define() and cache_undefine()';
COMMENT ON COLUMN @extschema@.cache_queries.query IS
	'one SELECT; its parameters are $1, $2, ...';
COMMENT ON COLUMN @extschema@.cache_queries.ttl IS
	'time to live in seconds; null means that of the policy';
COMMENT ON COLUMN @extschema@.cache_queries.tags IS
	'tags of the results; null means those of the policy';
COMMENT ON COLUMN @extschema@.cache_queries.policy IS
	'the row of cache_policies that fills in what is null here';

REVOKE ALL ON @extschema@.cache_policies FROM PUBLIC;
REVOKE ALL ON @extschema@.cache_queries FROM PUBLIC;

-- A changed policy is no longer the built-in one, and a restored or
-- hand-written one takes the place of the built-in one of that name.
CREATE FUNCTION @extschema@.cache_policy_edited() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'INSERT' THEN
		-- it may be in use, and its name is there again in a moment
		IF EXISTS (SELECT FROM @extschema@.cache_policies p
				WHERE p.name = NEW.name AND p.builtin) THEN
			SET CONSTRAINTS @extschema@.cache_policy_in_use DEFERRED;
			DELETE FROM @extschema@.cache_policies p
				WHERE p.name = NEW.name AND p.builtin;
		END IF;
	ELSE
		NEW.builtin := false;
	END IF;
	RETURN NEW;
END
$$;
COMMENT ON FUNCTION @extschema@.cache_policy_edited() IS
	'trigger function that clears cache_policies.builtin when a policy is changed';
REVOKE ALL ON FUNCTION @extschema@.cache_policy_edited() FROM PUBLIC;

-- Three of them take their time to live from the environment of the server.
CREATE FUNCTION @extschema@.cache_policy_ttl(policy text) RETURNS integer
	AS 'MODULE_PATHNAME', 'cache_policy_ttl' LANGUAGE C STRICT;
COMMENT ON FUNCTION @extschema@.cache_policy_ttl(text) IS
	'time to live of a policy that comes with the extension';
INSERT INTO @extschema@.cache_policies (name, ttl, tags, builtin)
	SELECT name, coalesce(ttl, @extschema@.cache_policy_ttl(name)), tags, true
	FROM (VALUES
		('default', 300, NULL::text[]),
		('user_profile', NULL, NULL),
		('story_listing', NULL, NULL),
		('search_results', NULL, NULL),
		('trending', 600, NULL),
		('user', 300, '{user}'),
		('story', 300, '{story}'),
		('comment', 300, '{comment}'),
		('notification', 300, '{notification}')) AS shipped (name, ttl, tags);
DROP FUNCTION @extschema@.cache_policy_ttl(text);

CREATE TRIGGER cache_policy_edited
	BEFORE INSERT OR UPDATE ON @extschema@.cache_policies
	FOR EACH ROW EXECUTE FUNCTION @extschema@.cache_policy_edited();

CREATE FUNCTION @extschema@.cache_definitions_changed() RETURNS trigger
	AS 'MODULE_PATHNAME', 'cache_definitions_changed' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.cache_definitions_changed() IS
	'trigger function that makes sessions read policies and named queries anew';
REVOKE ALL ON FUNCTION @extschema@.cache_definitions_changed() FROM PUBLIC;

-- For each row, since logical replication fires no other triggers, but for
-- TRUNCATE.
CREATE TRIGGER cache_definitions_changed
	AFTER INSERT OR UPDATE OR DELETE ON @extschema@.cache_policies
	FOR EACH ROW EXECUTE FUNCTION @extschema@.cache_definitions_changed();
CREATE TRIGGER cache_definitions_emptied
	AFTER TRUNCATE ON @extschema@.cache_policies
	FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.cache_definitions_changed();
ALTER TABLE @extschema@.cache_policies
	ENABLE ALWAYS TRIGGER cache_definitions_changed,
	ENABLE ALWAYS TRIGGER cache_definitions_emptied;
CREATE TRIGGER cache_definitions_changed
	AFTER INSERT OR UPDATE OR DELETE ON @extschema@.cache_queries
	FOR EACH ROW EXECUTE FUNCTION @extschema@.cache_definitions_changed();
CREATE TRIGGER cache_definitions_emptied
	AFTER TRUNCATE ON @extschema@.cache_queries
	FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.cache_definitions_changed();
ALTER TABLE @extschema@.cache_queries
	ENABLE ALWAYS TRIGGER cache_definitions_changed,
	ENABLE ALWAYS TRIGGER cache_definitions_emptied;

-- A policy that named queries refer to can be neither deleted nor renamed.  It
-- is no foreign key, since a dump is restored in any order.
CREATE FUNCTION @extschema@.cache_policy_in_use() RETURNS trigger
	AS 'MODULE_PATHNAME', 'cache_policy_in_use' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.cache_policy_in_use() IS
	'trigger function that keeps policies which named queries refer to';
REVOKE ALL ON FUNCTION @extschema@.cache_policy_in_use() FROM PUBLIC;

CREATE CONSTRAINT TRIGGER cache_policy_in_use
	AFTER DELETE OR UPDATE OF name ON @extschema@.cache_policies
	DEFERRABLE
	FOR EACH ROW EXECUTE FUNCTION @extschema@.cache_policy_in_use();
CREATE TRIGGER cache_policies_in_use
	AFTER TRUNCATE ON @extschema@.cache_policies
	FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.cache_policy_in_use();

SELECT pg_catalog.pg_extension_config_dump('@extschema@.cache_policies', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.cache_queries', '');

--
-- Reading through the cache.
--

CREATE FUNCTION @extschema@.cached_query(
		query text,
		ttl integer DEFAULT NULL,
		tags text[] DEFAULT NULL)
	RETURNS SETOF json
	AS 'MODULE_PATHNAME', 'cache_cached_query' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cached_query(text, integer, text[]) IS
	'result of a query, from the cache if it is there, as one json object per row';

CREATE FUNCTION @extschema@.cached_query(
		query text,
		ttl integer,
		tags text[],
		VARIADIC params "any")
	RETURNS SETOF json
	AS 'MODULE_PATHNAME', 'cache_cached_query' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cached_query(text, integer, text[], "any") IS
	'result of a query with parameters, from the cache if it is there, as one json object per row';

CREATE FUNCTION @extschema@.cached_rows(
		query text,
		ttl integer DEFAULT NULL,
		tags text[] DEFAULT NULL)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'cache_cached_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cached_rows(text, integer, text[]) IS
	'result of a query, from the cache if it is there, as typed rows';

CREATE FUNCTION @extschema@.cached_rows(
		query text,
		ttl integer,
		tags text[],
		VARIADIC params "any")
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'cache_cached_rows' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cached_rows(text, integer, text[], "any") IS
	'result of a query with parameters, from the cache if it is there, as typed rows';

CREATE FUNCTION @extschema@.cached(name text)
	RETURNS SETOF json
	AS 'MODULE_PATHNAME', 'cache_cached' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cached(text) IS
	'result of a named query, from the cache if it is there, as one json object per row';

CREATE FUNCTION @extschema@.cached(name text, VARIADIC params "any")
	RETURNS SETOF json
	AS 'MODULE_PATHNAME', 'cache_cached' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cached(text, "any") IS
	'result of a named query with parameters, from the cache if it is there, as one json object per row';

--
-- Defining named queries.
--

CREATE FUNCTION @extschema@.cache_define(
		name text,
		query text,
		ttl integer DEFAULT NULL,
		tags text[] DEFAULT NULL,
		policy text DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_define' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_define(text, text, integer, text[], text) IS
	'create a named query, or replace the one of that name';
REVOKE ALL ON FUNCTION @extschema@.cache_define(text, text, integer, text[], text) FROM PUBLIC;

CREATE FUNCTION @extschema@.cache_undefine(name text)
	RETURNS boolean
	AS 'MODULE_PATHNAME', 'cache_undefine' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_undefine(text) IS
	'remove a named query; false if there was none of that name';
REVOKE ALL ON FUNCTION @extschema@.cache_undefine(text) FROM PUBLIC;

--
-- Invalidation.  All of it takes effect when the transaction commits.
--

CREATE FUNCTION @extschema@.invalidate_tags(tags text[])
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_invalidate_tags' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.invalidate_tags(text[]) IS
	'invalidate every result that carries one of these tags; takes effect at commit';

CREATE FUNCTION @extschema@.invalidate_query(name text)
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_invalidate_query' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.invalidate_query(text) IS
	'invalidate every result of a named query; takes effect at commit';

CREATE FUNCTION @extschema@.invalidate_query(name text, VARIADIC params "any")
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_invalidate_query' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.invalidate_query(text, "any") IS
	'invalidate the result of a named query for these parameters; takes effect at commit';

CREATE FUNCTION @extschema@.invalidate_table(rel regclass)
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_invalidate_table' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.invalidate_table(regclass) IS
	'invalidate every result that depends on a table, as if all of its rows had changed; takes effect at commit';

CREATE FUNCTION @extschema@.cache_flush(tier text DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_flush' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_flush(text) IS
	'invalidate every result of the server at commit; with tier ''l1'', empty its shared memory at once instead';
REVOKE ALL ON FUNCTION @extschema@.cache_flush(text) FROM PUBLIC;

CREATE FUNCTION @extschema@.cache_invalidate()
	RETURNS trigger
	AS 'MODULE_PATHNAME', 'cache_invalidate' LANGUAGE C;
COMMENT ON FUNCTION @extschema@.cache_invalidate() IS
	'trigger function: invalidates the tags that its arguments name, with $column filled in from old and new row';

CREATE FUNCTION @extschema@.cache_attach(rel regclass, tags text[] DEFAULT NULL)
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_attach' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_attach(regclass, text[]) IS
	'make every change to a table invalidate tags; null means the name of the table';

CREATE FUNCTION @extschema@.cache_detach(rel regclass)
	RETURNS boolean
	AS 'MODULE_PATHNAME', 'cache_detach' LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_detach(regclass) IS
	'undo cache_attach; false if the table was not attached';

--
-- Statistics.
--

CREATE FUNCTION @extschema@.cache_stats(
		OUT l1_hits bigint,
		OUT l2_hits bigint,
		OUT stale_hits bigint,
		OUT misses bigint,
		OUT hit_rate double precision,
		OUT fills bigint,
		OUT fills_raced bigint,
		OUT fills_too_large bigint,
		OUT fills_unproven bigint,
		OUT evictions bigint,
		OUT expirations bigint,
		OUT invalidations bigint,
		OUT bypasses bigint,
		OUT bypass_reasons jsonb,
		OUT waits bigint,
		OUT wait_timeouts bigint,
		OUT l1_entries bigint,
		OUT l1_max_entries bigint,
		OUT l1_bytes bigint,
		OUT l1_max_bytes bigint,
		OUT l2_state text,
		OUT l2_errors bigint,
		OUT l2_rejected bigint,
		OUT l2_unsent bigint,
		OUT prepared_transactions bigint,
		OUT time_saved double precision,
		OUT stats_reset timestamptz)
	RETURNS record
	AS 'MODULE_PATHNAME', 'cache_stats' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.cache_stats() IS
	'counters and state of the cache on this server, over all databases';

CREATE VIEW @extschema@.cache_stats AS SELECT * FROM @extschema@.cache_stats();
COMMENT ON VIEW @extschema@.cache_stats IS
	'counters and state of the cache on this server, over all databases';
COMMENT ON COLUMN @extschema@.cache_stats.l1_hits IS 'results served from shared memory';
COMMENT ON COLUMN @extschema@.cache_stats.l2_hits IS 'results served from Redis';
COMMENT ON COLUMN @extschema@.cache_stats.stale_hits IS 'expired results served while another session refreshed them; counted in l1_hits as well';
COMMENT ON COLUMN @extschema@.cache_stats.misses IS 'cacheable requests that had to execute the query';
COMMENT ON COLUMN @extschema@.cache_stats.hit_rate IS 'hits of both tiers divided by hits and misses; null before the first';
COMMENT ON COLUMN @extschema@.cache_stats.fills IS 'results stored after an execution';
COMMENT ON COLUMN @extschema@.cache_stats.fills_raced IS 'results not stored because something they depend on changed meanwhile';
COMMENT ON COLUMN @extschema@.cache_stats.fills_too_large IS 'results not stored because of their size';
COMMENT ON COLUMN @extschema@.cache_stats.fills_unproven IS 'results not stored because a function of the query read more than it declares';
COMMENT ON COLUMN @extschema@.cache_stats.evictions IS 'servable entries dropped from shared memory to make room';
COMMENT ON COLUMN @extschema@.cache_stats.expirations IS 'entries found past their time to live';
COMMENT ON COLUMN @extschema@.cache_stats.invalidations IS 'tags invalidated by committed transactions';
COMMENT ON COLUMN @extschema@.cache_stats.bypasses IS 'requests that neither looked up nor stored';
COMMENT ON COLUMN @extschema@.cache_stats.bypass_reasons IS 'bypasses by reason';
COMMENT ON COLUMN @extschema@.cache_stats.waits IS 'requests that waited for another session to execute the same query';
COMMENT ON COLUMN @extschema@.cache_stats.wait_timeouts IS 'such requests that gave up waiting and executed the query themselves';
COMMENT ON COLUMN @extschema@.cache_stats.l1_entries IS 'entries in shared memory, out-of-date ones included until they are reclaimed';
COMMENT ON COLUMN @extschema@.cache_stats.l1_bytes IS 'bytes those entries hold, and dropped ones whose rows are being read';
COMMENT ON COLUMN @extschema@.cache_stats.l2_state IS 'off, connecting, up or down';
COMMENT ON COLUMN @extschema@.cache_stats.l2_errors IS 'Redis operations that failed or timed out';
COMMENT ON COLUMN @extschema@.cache_stats.l2_rejected IS 'values from Redis refused for a bad signature, length or key';
COMMENT ON COLUMN @extschema@.cache_stats.l2_unsent IS 'invalidated tag slots that Redis does not know of yet';
COMMENT ON COLUMN @extschema@.cache_stats.prepared_transactions IS 'prepared transactions that keep what they have changed out of the cache';
COMMENT ON COLUMN @extschema@.cache_stats.time_saved IS 'milliseconds of execution that hits made unnecessary';

CREATE FUNCTION @extschema@.cache_entries(
		OUT datid oid,
		OUT userid oid,
		OUT query text,
		OUT form text,
		OUT tags text[],
		OUT age interval,
		OUT ttl_left interval,
		OUT size bigint,
		OUT hits bigint,
		OUT fill_time double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'cache_entries' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.cache_entries() IS
	'the entries in shared memory that a lookup could be served from now';

CREATE VIEW @extschema@.cache_entries AS SELECT * FROM @extschema@.cache_entries();
COMMENT ON VIEW @extschema@.cache_entries IS
	'the entries in shared memory that a lookup could be served from now';

CREATE FUNCTION @extschema@.cache_query_stats(
		OUT datid oid,
		OUT userid oid,
		OUT query text,
		OUT calls bigint,
		OUT hits bigint,
		OUT misses bigint,
		OUT fill_time double precision,
		OUT bytes bigint,
		OUT shadow_hits bigint,
		OUT shadow_time_saved double precision)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'cache_query_stats' LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION @extschema@.cache_query_stats() IS
	'per query: calls, hits, misses, milliseconds spent executing it, bytes of the newest result; in mode shadow, hits there would have been and milliseconds saved';

CREATE VIEW @extschema@.cache_query_stats AS SELECT * FROM @extschema@.cache_query_stats();
COMMENT ON VIEW @extschema@.cache_query_stats IS
	'per query: calls, hits, misses, milliseconds spent executing it, bytes of the newest result; in mode shadow, hits there would have been and milliseconds saved';

GRANT SELECT ON @extschema@.cache_stats, @extschema@.cache_entries,
	@extschema@.cache_query_stats TO PUBLIC;

CREATE FUNCTION @extschema@.cache_explain(query text)
	RETURNS json
	AS 'MODULE_PATHNAME', 'cache_explain_query' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_explain(text) IS
	'what the cache would do with a plain SELECT in this session, and why; runs nothing';

CREATE FUNCTION @extschema@.cache_explain(query text, VARIADIC params "any")
	RETURNS json
	AS 'MODULE_PATHNAME', 'cache_explain_query' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_explain(text, "any") IS
	'the same, of a SELECT with parameters $1, $2, ...';

CREATE FUNCTION @extschema@.cache_reset_stats()
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_reset_stats' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_reset_stats() IS
	'set all counters back to zero';
REVOKE ALL ON FUNCTION @extschema@.cache_reset_stats() FROM PUBLIC;

CREATE FUNCTION @extschema@.cache_verify()
	RETURNS void
	AS 'MODULE_PATHNAME', 'cache_verify' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.cache_verify() IS
	'recount every shared structure; an error tells what does not add up';
REVOKE ALL ON FUNCTION @extschema@.cache_verify() FROM PUBLIC;

/* src/cache--1.0--1.1.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION cache UPDATE TO '1.1'" to load this file. \quit

--
-- Names and tags that could not be used are refused.  If a row has some, this
-- fails, and says which constraint the row violates.
--

ALTER TABLE @extschema@.cache_policies
	DROP CONSTRAINT cache_policies_name_check,
	ADD CONSTRAINT cache_policies_name_check CHECK (name <> '' AND octet_length(name) <= 1024),
	ADD CONSTRAINT cache_policies_tags_check CHECK (tags IS NULL OR
		('' <> ALL (tags)) IS TRUE AND cardinality(tags) <= 256);
ALTER TABLE @extschema@.cache_queries
	DROP CONSTRAINT cache_queries_name_check,
	ADD CONSTRAINT cache_queries_name_check CHECK (name <> '' AND octet_length(name) <= 1024),
	ADD CONSTRAINT cache_queries_tags_check CHECK (tags IS NULL OR
		('' <> ALL (tags)) IS TRUE AND cardinality(tags) <= 256);

--
-- The policies that come with the extension, but for those that an
-- administrator has changed or made.
--

CREATE OR REPLACE FUNCTION @extschema@.cache_policy_edited() RETURNS trigger
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

ALTER TABLE @extschema@.cache_policies DISABLE TRIGGER cache_policy_edited;
DELETE FROM @extschema@.cache_policies WHERE builtin;
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
		('notification', 300, '{notification}')) AS shipped (name, ttl, tags)
	ON CONFLICT (name) DO NOTHING;
DROP FUNCTION @extschema@.cache_policy_ttl(text);
ALTER TABLE @extschema@.cache_policies ENABLE TRIGGER cache_policy_edited;

--
-- Changes of policies and named queries.
--

DROP TRIGGER cache_definitions_changed ON @extschema@.cache_policies;
DROP TRIGGER cache_definitions_changed ON @extschema@.cache_queries;
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

--
-- Statistics.
--

DROP VIEW @extschema@.cache_stats;
DROP FUNCTION @extschema@.cache_stats();
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

GRANT SELECT ON @extschema@.cache_stats TO PUBLIC;

COMMENT ON FUNCTION @extschema@.invalidate_tags(text[]) IS
	'invalidate every result that carries one of these tags; takes effect at commit';
COMMENT ON FUNCTION @extschema@.invalidate_query(text) IS
	'invalidate every result of a named query; takes effect at commit';
COMMENT ON FUNCTION @extschema@.invalidate_query(text, "any") IS
	'invalidate the result of a named query for these parameters; takes effect at commit';
COMMENT ON FUNCTION @extschema@.invalidate_table(regclass) IS
	'invalidate every result that depends on a table, as if all of its rows had changed; takes effect at commit';
COMMENT ON FUNCTION @extschema@.cache_flush(text) IS
	'invalidate every result of the server at commit; with tier ''l1'', empty its shared memory at once instead';

-- What every test starts with: the extension, and a schema of its own with
-- functions that tell how a request was answered.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS cache;
DROP SCHEMA IF EXISTS cache_test CASCADE;
CREATE SCHEMA cache_test;
GRANT USAGE ON SCHEMA cache_test TO PUBLIC;
SET search_path = cache_test, public;
SET cache.ttl_jitter = 0;

-- Executes SELECT * FROM request and returns how the cache answered, and the
-- rows.  A miss whose result was not stored is a "miss unstored".
CREATE FUNCTION how(request text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a record;
	b record;
	answers text[] := '{}';
	reason record;
	result text;
BEGIN
	SELECT * INTO a FROM public.cache_stats();
	EXECUTE format('SELECT json_agg(coalesce(row_to_json(r)->%L, row_to_json(r)->%L, row_to_json(r))) FROM (SELECT * FROM %s) r',
				   'cached_query', 'cached', request) INTO result;
	SELECT * INTO b FROM public.cache_stats();
	FOR i IN 1 .. b.l1_hits + b.l2_hits - a.l1_hits - a.l2_hits LOOP
		answers := answers || 'hit'::text;
	END LOOP;
	FOR i IN 1 .. b.misses - a.misses LOOP
		answers := answers || CASE WHEN i <= b.fills - a.fills THEN 'miss'
								   ELSE 'miss unstored' END;
	END LOOP;
	FOR reason IN SELECT key FROM jsonb_each(b.bypass_reasons)
			WHERE value IS DISTINCT FROM a.bypass_reasons->key ORDER BY key COLLATE "C" LOOP
		answers := answers || ('bypass ' || reason.key);
	END LOOP;
	RETURN array_to_string(answers, ', ') || coalesce(': ' || result, '');
END
$$;

-- Shows that it was executed.
CREATE FUNCTION noisy(x anyelement) RETURNS anyelement LANGUAGE plpgsql STABLE AS $$
BEGIN
	RAISE NOTICE 'executed';
	RETURN x;
END
$$;

-- Probes: a result for each tag in the table, which arm() caches.  ended()
-- tells the tags of those that were invalidated, and arms again.
CREATE TABLE probe (tag text PRIMARY KEY);
GRANT SELECT ON probe TO PUBLIC;
CREATE PROCEDURE arm() LANGUAGE plpgsql AS $$
DECLARE
	tag text;
BEGIN
	FOR tag IN SELECT p.tag FROM cache_test.probe p LOOP
		PERFORM public.cached_query('SELECT 1 AS probe', 300, ARRAY[tag]);
	END LOOP;
END
$$;
CREATE FUNCTION ended() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	SELECT array_agg(p.tag ORDER BY p.tag COLLATE "C") INTO result
		FROM cache_test.probe p
		WHERE ARRAY[p.tag] NOT IN (SELECT e.tags FROM public.cache_entries e
			WHERE e.query = 'SELECT 1 AS probe' AND e.tags IS NOT NULL
				AND e.datid = (SELECT oid FROM pg_database WHERE datname = current_database()));
	CALL cache_test.arm();
	RETURN coalesce(result, '{}');
END
$$;
RESET client_min_messages;

--
-- What newer versions of PostgreSQL brought, as far as the server has it
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
SELECT current_setting('server_version_num')::int / 10000 >= 16 AS since_16,
	current_setting('server_version_num')::int / 10000 >= 17 AS since_17,
	current_setting('server_version_num')::int / 10000 >= 18 AS since_18 \gset
CREATE TABLE document (id int PRIMARY KEY, body jsonb);
INSERT INTO document VALUES (1, '{"d": "today", "n": 7, "t": "noon"}');
-- Is a query refused, and by what?
CREATE FUNCTION refusal(query text, tags text[] DEFAULT NULL) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM public.cached_query(query, 300, tags);
	RETURN 'cached';
EXCEPTION WHEN feature_not_supported THEN
	RETURN SQLERRM;
END
$$;
-- How often is a query without a hint answered from the cache, asked twice?
CREATE FUNCTION hits(query text) RETURNS bigint LANGUAGE plpgsql
SET cache.mode = auto SET cache.min_cost = 0 AS $$
DECLARE
	hits bigint := (SELECT l1_hits FROM public.cache_stats());
BEGIN
	EXECUTE query;
	EXECUTE query;
	RETURN (SELECT l1_hits FROM public.cache_stats()) - hits;
END
$$;
\set ECHO all

-- hints before the first token, in which the location of a statement is since 18
SET cache.mode = hint;
SELECT misses AS before FROM cache_stats \gset
/*+ cache */ SELECT id FROM document;
/* none */ SELECT id FROM document;
SELECT 1 AS one \; -- another one
/*+ cache */ SELECT id FROM document AS d\; SELECT id FROM document;
SET cache.mode = auto;
/*+ nocache */ SELECT id FROM document AS n;
RESET cache.mode;
SELECT misses - :before AS misses FROM cache_stats;

\if :since_16
\else
SELECT 'PostgreSQL 15' AS version;
\i :end
\q
\endif

-- SQL/JSON of 16
SELECT refusal('SELECT json_object(''a'': id, ''b'': body) FROM document');
SELECT refusal('SELECT json_array(id, body RETURNING jsonb) FROM document');
SELECT refusal('SELECT json_objectagg(id: body) FROM document');
SELECT refusal('SELECT id IS JSON FROM (SELECT body::text FROM document) AS d (id)');
SELECT refusal('SELECT json_array(id, now()) FROM document');
SELECT refusal('SELECT any_value(id) FROM document');
SELECT refusal('SELECT system_user');

\if :since_17
\else
SELECT 'PostgreSQL 16' AS version;
\i :end
\q
\endif

-- SQL/JSON of 17 may read any text as a time, as it runs
SELECT refusal('SELECT json_value(body, ''$.d'' RETURNING date) FROM document');
SELECT refusal('SELECT json_value(body, ''$.d'' RETURNING date) FROM document', '{t}');
SELECT refusal('SELECT json_query(body, ''$'' RETURNING text) FROM document');
SELECT refusal('SELECT json_exists(body, ''$.t.datetime().time_tz()'') FROM document');
SELECT refusal('SELECT json_value(body, ''$.n'' DEFAULT random() ON EMPTY) FROM document');
SELECT refusal('SELECT d FROM document, json_table(body, ''$'' COLUMNS (d date PATH ''$.d''))');
SELECT refusal('SELECT n FROM document, json_table(body, ''$'' COLUMNS (n int PATH ''$.n''))', '{t}');
SELECT refusal('SELECT json(body::text) FROM document');
SELECT refusal('SELECT json_scalar(now()), json_serialize(body) FROM document');
CREATE FUNCTION day(jsonb) RETURNS date IMMUTABLE RETURN json_value($1, '$.d' RETURNING date);
SELECT refusal('SELECT day(body) FROM document');
SELECT refusal('SELECT day(body) FROM document', '{t}');
SELECT hits('SELECT day(body) FROM document'), hits('SELECT json_value(body, ''$.d'' RETURNING date) FROM document');
SELECT refusal('SELECT random(1, 6)');
SELECT refusal('SELECT id AT LOCAL FROM (SELECT timestamptz ''2000-01-01 12:00+00'' FROM document) AS d (id)');
-- MERGE tells what it did
SELECT refusal('WITH m AS (MERGE INTO document d USING (VALUES (1)) s (id) ON d.id = s.id
	WHEN MATCHED THEN UPDATE SET body = ''{}'' RETURNING merge_action(), d.id) SELECT * FROM m');
SELECT how('cached_query(''SELECT count(*) FROM document WHERE body @> ''''{"n": 7}'''''')');
MERGE INTO document d USING (VALUES (1), (2)) s (id) ON d.id = s.id
	WHEN MATCHED THEN UPDATE SET body = '{}'
	WHEN NOT MATCHED THEN INSERT VALUES (s.id, '{"n": 7}')
	RETURNING merge_action(), d.id;
SELECT how('cached_query(''SELECT count(*) FROM document WHERE body @> ''''{"n": 7}'''''')');
MERGE INTO document d USING (VALUES (1)) s (id) ON d.id = s.id
	WHEN NOT MATCHED BY SOURCE THEN DELETE;
SELECT how('cached_query(''SELECT count(*) FROM document WHERE body @> ''''{"n": 7}'''''')');
-- into a view with a trigger, and into one that is updated by itself
CREATE VIEW shown AS SELECT * FROM document WHERE id < 100;
CREATE VIEW told AS SELECT id, body FROM document;
CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO document VALUES (NEW.id, NEW.body);
	RETURN NEW;
END
$$;
CREATE TRIGGER tell INSTEAD OF INSERT ON told FOR EACH ROW EXECUTE FUNCTION tell();
SELECT how('cached_query(''SELECT count(*) FROM shown'')');
MERGE INTO shown v USING (VALUES (3)) s (id) ON v.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, '{}');
SELECT how('cached_query(''SELECT count(*) FROM shown'')');
MERGE INTO told v USING (VALUES (4)) s (id) ON v.id = s.id WHEN NOT MATCHED THEN INSERT VALUES (s.id, '{}');
SELECT how('cached_query(''SELECT count(*) FROM shown'')');
-- rows that COPY leaves out
COPY document FROM stdin (ON_ERROR ignore);
x	{}
5	{}
\.
SELECT how('cached_query(''SELECT count(*) FROM shown'')');
-- MAINTAIN lets nobody read
CREATE ROLE regress_cache_newer;
GRANT MAINTAIN ON document TO regress_cache_newer;
GRANT SELECT ON shown TO regress_cache_newer;
SELECT how('cached_query(''SELECT count(*) FROM document'')');
SET ROLE regress_cache_newer;
SELECT how('cached_query(''SELECT count(*) FROM document'')');
SELECT how('cached_query(''SELECT count(*) FROM shown'')');
RESET ROLE;
-- nor does a view whose reader needs rights of his own, and it is seen at once
SELECT how('cached_query(''SELECT count(*) FROM shown'')');
ALTER VIEW shown SET (security_invoker = on);
SELECT how('cached_query(''SELECT count(*) FROM shown'')');
SET ROLE regress_cache_newer;
SELECT how('cached_query(''SELECT count(*) FROM shown'')');
RESET ROLE;
DROP OWNED BY regress_cache_newer;
DROP ROLE regress_cache_newer;
-- collations of the server's own
CREATE COLLATION own (provider = builtin, locale = 'C.UTF-8');
SELECT refusal('SELECT id FROM document ORDER BY body::text COLLATE cache_test.own');

\if :since_18
\else
SELECT 'PostgreSQL 17' AS version;
\i :end
\q
\endif

-- the planner puts the expressions of virtual columns in place of these
CREATE TABLE event (id int PRIMARY KEY, body jsonb,
	day date GENERATED ALWAYS AS (json_value(body, '$.d' RETURNING date)) VIRTUAL);
CREATE VIEW days AS SELECT id, day FROM event;
INSERT INTO event VALUES (1, '{"d": "today"}');
SELECT refusal('SELECT day FROM event');
SELECT refusal('SELECT day FROM event', '{t}');
SELECT refusal('SELECT e FROM event e');
SELECT refusal('SELECT id FROM days WHERE day = ''2000-01-01''');
SELECT refusal('SELECT id FROM document d WHERE EXISTS (SELECT FROM event e WHERE e.id = d.id AND e.day > ''2000-01-01'')');
SELECT hits('SELECT day FROM event'), hits('SELECT * FROM days');
CREATE FUNCTION days() RETURNS SETOF event STABLE LANGUAGE sql AS 'SELECT * FROM cache_test.event';
SELECT refusal('SELECT day FROM days()');
CREATE TABLE part (id int, body jsonb,
	day date GENERATED ALWAYS AS (json_value(body, '$.d' RETURNING date)) VIRTUAL) PARTITION BY LIST (id);
CREATE TABLE part_1 PARTITION OF part (day GENERATED ALWAYS AS (NULL)) FOR VALUES IN (1);
SELECT refusal('SELECT day FROM part'), refusal('SELECT day FROM part_1');
-- harmless ones are as others; a new expression is another result
CREATE TABLE pair (id int PRIMARY KEY, double int GENERATED ALWAYS AS (id * 2) VIRTUAL);
INSERT INTO pair VALUES (1), (2);
SELECT how('cached_query(''SELECT sum(double) FROM pair'')'), how('cached_query(''SELECT sum(double) FROM pair'')');
ALTER TABLE pair ALTER double SET EXPRESSION AS (id * 3);
SELECT how('cached_query(''SELECT sum(double) FROM pair'')');
SELECT cache_attach('pair', '{pair:$double}');
-- RETURNING OLD and NEW
SELECT refusal('WITH u AS (UPDATE pair SET id = id + 10 RETURNING OLD.double AS o, NEW.double AS n) SELECT * FROM u');
UPDATE pair SET id = id + 10 RETURNING OLD.double AS o, NEW.double AS n;
SELECT how('cached_query(''SELECT sum(double) FROM pair'')');
-- constraints that nobody enforces prove nothing; periods
ALTER TABLE pair ADD CONSTRAINT small CHECK (id < 5) NOT ENFORCED;
SELECT how('cached_query(''SELECT count(*) FROM pair WHERE id > 5'')');
CREATE TABLE stay (room int4range, during daterange, PRIMARY KEY (room, during WITHOUT OVERLAPS));
CREATE TABLE bill (room int4range, during daterange, FOREIGN KEY (room, PERIOD during) REFERENCES stay (room, PERIOD during));
INSERT INTO stay VALUES ('[1,2)', '[2000-01-01,2000-02-01)');
INSERT INTO bill SELECT * FROM stay;
SELECT how('cached_query(''SELECT count(*) FROM bill JOIN stay USING (room)'')');
DELETE FROM bill;
SELECT how('cached_query(''SELECT count(*) FROM bill JOIN stay USING (room)'')');
-- grouping, and functions that are new
SELECT how('cached_query(''SELECT id % 2 AS g, sum(double) FROM pair GROUP BY ROLLUP (1) ORDER BY 1'')');
SELECT how('cached_query(''SELECT id % 2 AS g, sum(double) FROM pair GROUP BY ROLLUP (1) ORDER BY 1'')');
SELECT refusal('SELECT uuidv7()'), refusal('SELECT uuidv4()');
SELECT refusal('SELECT casefold(''A''), reverse(''a''::bytea), crc32(''a''), array_sort(ARRAY[2, 1])');
CREATE COLLATION newest (provider = builtin, locale = 'PG_UNICODE_FAST');
SELECT refusal('SELECT id FROM document ORDER BY body::text COLLATE cache_test.newest');
SELECT 'PostgreSQL 18' AS version;
\i :end

--
-- Results of queries over values of every kind are the same from the cache
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
SET cache.max_entry_size = '16MB';

CREATE TYPE color AS ENUM ('red', 'green', 'Dark "Blue"');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN colors AS color[];
CREATE TYPE pair AS (a int, b text);
CREATE TYPE nested AS (p pair, ps pair[], d positive);
CREATE DOMAIN pair_domain AS pair;
CREATE TYPE textrange AS RANGE (subtype = text, collation = "C");
CREATE TABLE big (id int, plain text, external text, extended text, bytes bytea, p pair);
ALTER TABLE big ALTER plain SET STORAGE PLAIN, ALTER external SET STORAGE EXTERNAL,
	ALTER extended SET STORAGE EXTENDED, ALTER bytes SET STORAGE EXTERNAL;
INSERT INTO big VALUES
	(1, 'short', repeat('external ', 120000), repeat('compressible ', 80000),
	 decode(repeat('00ff', 500000), 'hex'), (1, repeat('inside a composite ', 50000))),
	(2, '', '', '', '', (NULL, NULL)),
	(3, NULL, NULL, NULL, NULL, NULL);
INSERT INTO big SELECT 4, repeat('p', 7000), string_agg(md5(i::text), ''), string_agg(md5(i::text), ''),
	decode(string_agg(md5(i::text), ''), 'hex'), NULL FROM generate_series(1, 32768) i;
CREATE TABLE characters AS
	SELECT block, string_agg(chr(i), '' ORDER BY i) FROM generate_series(0, 271) block, generate_series(block * 4096, block * 4096 + 4095) i
	WHERE i > 0 AND i NOT BETWEEN 55296 AND 57343 GROUP BY block;
CREATE TABLE dropped (a int, b text, c int);
INSERT INTO dropped VALUES (1, 'x', 2), (NULL, NULL, NULL);
ALTER TABLE dropped DROP COLUMN b, ADD COLUMN d text DEFAULT 'added';
-- expanded objects
CREATE FUNCTION expanded(n int) RETURNS int[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	a int[] := '{}';
BEGIN
	FOR i IN 1 .. n LOOP a[i] := i; END LOOP;
	RETURN a;
END
$$;
CREATE FUNCTION expanded_pair() RETURNS pair LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	p pair;
BEGIN
	p.a := 1; p.b := repeat('x', 3000);
	RETURN p;
END
$$;
CREATE FUNCTION outs(OUT a int, OUT b text) LANGUAGE sql IMMUTABLE AS $$ SELECT 1, 'x' $$;

CREATE TABLE corpus (name text PRIMARY KEY, query text, definition text);
INSERT INTO corpus (name, query) VALUES
('nothing', 'SELECT 1 AS a WHERE false'),
('no columns', 'SELECT FROM generate_series(1, 3)'),
('no columns, no rows', 'SELECT WHERE false'),
('nulls', 'SELECT NULL AS a, NULL::int AS b, NULL::text[] AS c, NULL::pair AS d'),
('all null rows', 'SELECT NULL::int AS a FROM generate_series(1, 5)'),
('mixed nulls', 'SELECT nullif(i % 3, 0) AS a, nullif(i % 2, 0) AS b, CASE WHEN i > 5 THEN i::text END AS c FROM generate_series(1, 10) i'),
('duplicate names', 'SELECT 1 AS a, 2 AS a, ''x'' AS a'),
('no names', 'SELECT 1, ''x'', 2 + 3, now() IS NULL'),
('odd names', 'SELECT 1 AS " ", 2 AS "A b", 3 AS "a""b", 4 AS "a\b", 5 AS U&"\00e9\+01F600"' ),
('many columns', 'SELECT ' || (SELECT string_agg(i || ' AS c' || i, ', ') FROM generate_series(1, 12) i)),
('many rows', 'SELECT i, md5(i::text) FROM generate_series(1, 10000) i'),
('duplicate rows', 'SELECT 1 AS a FROM generate_series(1, 10)'),
('order', 'SELECT i FROM generate_series(1, 100) i ORDER BY i % 7 DESC, i'),
('bool', 'VALUES (true), (false), (NULL)'),
('integers', 'SELECT (-32768)::int2, 32767::int2, (-2147483648)::int4, 2147483647::int4, (-9223372036854775808)::int8, 9223372036854775807::int8'),
('float8', 'SELECT x::float8 FROM unnest(''{0,-0,1,0.1,NaN,Infinity,-Infinity,1e308,-1e308,5e-324,2.2250738585072014e-308,1.7976931348623157e308,0.30000000000000004}''::text[]) x'),
('float4', 'SELECT x::float4 FROM unnest(''{0,-0,0.1,NaN,Infinity,-Infinity,1e-45,3.4028235e38,16777217}''::text[]) x'),
('numeric', 'SELECT x::numeric FROM unnest(''{0,0.00,-0.10,NaN,Infinity,-Infinity,1e1000,1e-1000,123456789012345678901234567890.123456789}''::text[]) x'),
('long numeric', 'SELECT factorial(500) AS f, 1.0 / 3 AS third, 10::numeric ^ 20000 AS huge'),
('numeric typmod', 'SELECT 1.5::numeric(10,3), 1::numeric(3,-2), 2::numeric(1000)'),
('money', 'SELECT ''12.34''::money, ''-92233720368547758.08''::money'),
('text', 'SELECT '''' AS e, '' '' AS s, ''a'' AS a, repeat(''x'', 126) AS short, repeat(''x'', 127) AS long'),
('char', 'SELECT ''a''::char(5), ''''::char(3), ''x''::"char", ''ab''::varchar(10), ''name''::name, '' a ''::bpchar'),
('quotes', $q$SELECT '''' AS q, '"' AS d, '\' AS b, '\n' AS n, E'\n\t\r\b\f\x01\x1f\x7f' AS c, '</script>' AS h, '{"a":1}' AS j, '$1' AS p, '%s' AS f$q$),
('unicode', $q$SELECT U&'\+01F600' AS emoji, U&'e\0301' AS combining, U&'\00e9' AS composed, U&'\+01F468\200D\+01F469\200D\+01F467' AS family, U&'\202e\05d0\05d1' AS rtl, U&'\feff\fffd\ffff\+10FFFF' AS edge$q$),
('all characters', 'SELECT * FROM characters ORDER BY block'),
('bytea', $q$SELECT ''::bytea, '\x00'::bytea, decode(string_agg(lpad(to_hex(i), 2, '0'), '' ORDER BY i), 'hex') FROM generate_series(0, 255) i$q$),
('dates', $q$SELECT x::date FROM unnest('{0001-01-01,4713-01-01 BC,5874897-12-31,infinity,-infinity,2000-02-29}'::text[]) x$q$),
('timestamps', $q$SELECT x::timestamp, x::timestamp(0), x::timestamp(3) FROM unnest('{infinity,-infinity,4713-01-01 00:00:00 BC,294276-12-31 23:59:59.999999,2000-01-01 00:00:00.000001,1999-12-31 23:59:59.9995}'::text[]) x$q$),
('timestamptz', $q$SELECT x::timestamptz, x::timestamptz(1) FROM unnest('{infinity,-infinity,2000-01-01 00:00:00+14,2038-01-19 03:14:08Z}'::text[]) x$q$),
('times', $q$SELECT '00:00'::time, '24:00'::time, '23:59:59.999999'::time(3), '12:00+15:59'::timetz, '12:00-15:59'::timetz(0)$q$),
('intervals', $q$SELECT x::interval FROM unnest('{0,1 year 2 mons -3 days 04:05:06.7,-178000000 years,1 mon -1 day,00:00:00.000001,-00:00:01}'::text[]) x$q$),
('interval typmod', $q$SELECT '1 day 2:03:04.56'::interval day to minute, '1.5 s'::interval(0)$q$),
('uuid', $q$SELECT '00000000-0000-0000-0000-000000000000'::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid$q$),
('network', $q$SELECT '10.0.0.1/8'::inet, '::1'::inet, '10.0.0.0/8'::cidr, '2001:db8::/32'::cidr, '08:00:2b:01:02:03'::macaddr, '08:00:2b:01:02:03:04:05'::macaddr8$q$),
('bits', $q$SELECT B'101', B''::varbit, B'1'::bit(3), repeat('10', 1000)::varbit, B'1111'::varbit(8)$q$),
('geometry', $q$SELECT '(1,-0)'::point, '{1,2,3}'::line, '[(0,0),(1,1)]'::lseg, '((0,0),(1,1))'::box, '[(0,0),(1,1)]'::path, '((0,0),(1,1),(2,0))'::polygon, '<(0,0),NaN>'::circle$q$),
('json', $q$SELECT '{"a" : 1, "a":2 , "b":[ ]}'::json, 'null'::json, '"x"'::json, '[1e400]'::json, '{}'::json$q$),
('jsonb', $q$SELECT '{"b":1,"a":[1,2,{"c":null}],"a":2}'::jsonb, 'null'::jsonb, '"\u00e9\n"'::jsonb, '1.50'::jsonb, '[]'::jsonb, '$.a[*]'::jsonpath$q$),
('large jsonb', $q$SELECT jsonb_object_agg('key' || i, repeat('v', i % 50)) FROM generate_series(1, 5000) i$q$),
('xml', $q$SELECT '<a b="c">&lt;</a>'::xml, ''::xml$q$),
('text search', $q$SELECT 'a:1A,2 b:3'::tsvector, ''::tsvector, to_tsvector('simple', 'it''s a \ test'), 'a & !(b <-> c:*A)'::tsquery$q$),
('arrays', $q$SELECT '{}'::int[], '{1,NULL,3}'::int[], '{{1,2},{3,4}}'::int[], '[-1:1]={1,2,3}'::int[], '{"",NULL,"NULL","a,b","{}","\"","\\"}'::text[], '{{{{{{1}}}}}}'::float8[]$q$),
('large array', 'SELECT array_agg(i) AS a, array_agg(md5(i::text)) AS b FROM generate_series(1, 5000) i'),
('arrays of composites', $q$SELECT ARRAY[ROW(1, 'x'), ROW(NULL, NULL), NULL]::pair[], '{}'::pair[], ARRAY[ARRAY[ROW(1, 'a,b")')::pair], ARRAY[ROW(2, '')::pair]]$q$),
('composites', $q$SELECT ROW(1, 'x')::pair, ROW(NULL, NULL)::pair, NULL::pair, ROW(ROW(1, 'x'), ARRAY[ROW(2, 'y')::pair, NULL], 5)::nested, ROW(1, 'd')::pair_domain$q$),
('domains', $q$SELECT 5::positive, NULL::positive, '{red,green}'::colors, ARRAY[1, 2]::positive[]$q$),
('enums', $q$SELECT unnest(enum_range(NULL::color)) AS c, '{"Dark \"Blue\"",NULL}'::color[]$q$),
('ranges', $q$SELECT 'empty'::int4range, '[1,5]'::int4range, '(,)'::int8range, '[1.5,2.5)'::numrange, '[2000-01-01,infinity]'::daterange, '[2000-01-01,)'::tsrange, '["a,b","c"]'::textrange$q$),
('multiranges', $q$SELECT '{}'::int4multirange, '{[1,3),[5,7)}'::int4multirange, '{(,)}'::nummultirange, '{["a","b"]}'::textmultirange, ARRAY['{[1,2)}'::int4multirange]$q$),
('names of things', $q$SELECT 'int4'::regtype, 'int4pl'::regproc, '+(int,int)'::regoperator, 'pg_class'::regclass, 0::oid, 4294967295::oid, '(1,2)'::tid, '16/B374D848'::pg_lsn, '3'::xid, '18446744073709551615'::xid8, '10:20:10,14'::pg_snapshot, '1 2 3'::int2vector, '1 2'::oidvector, 'c'::refcursor$q$),
('table row', 'SELECT dropped FROM dropped ORDER BY a'),
('table rows in array', 'SELECT array_agg(dropped ORDER BY a) FROM dropped'),
('dropped column', 'SELECT * FROM dropped ORDER BY a'),
('large values', 'SELECT * FROM big ORDER BY id'),
('large values in a row', 'SELECT big FROM big WHERE id <> 4 ORDER BY id'),
('large values in arrays', 'SELECT ARRAY[external, extended] AS a, ARRAY[p, p] AS b FROM big ORDER BY id'),
('large value passed through', 'SELECT (SELECT b.external) AS a, CASE WHEN id > 0 THEN bytes END AS b, coalesce(extended, '''') AS c, (p).b AS d FROM big b ORDER BY id'),
('slice of a large value', 'SELECT substr(external, 1000, 20), length(extended) FROM big ORDER BY id'),
('expanded', 'SELECT expanded(0), expanded(3), expanded(10000), expanded_pair()'),
('function rows', 'SELECT * FROM outs()'),
('anonymous records', 'SELECT ROW(1, ''x'', NULL) AS r, ARRAY[ROW(1, 2), ROW(3, 4)] AS rs, outs() AS o'),
('whole subquery rows', 'SELECT q FROM (SELECT 1 AS a, ''x'' AS "B") q'),
('lateral', 'SELECT a, b FROM generate_series(1, 3) a, LATERAL generate_series(a, 3) b ORDER BY a, b'),
('grouping', 'SELECT a % 2 AS x, a % 3 AS y, count(*), sum(a) FROM generate_series(1, 20) a GROUP BY CUBE (1, 2) ORDER BY 1, 2'),
('windows', 'SELECT a, row_number() OVER (ORDER BY a DESC), avg(a) OVER (PARTITION BY a % 2) FROM generate_series(1, 6) a ORDER BY a'),
('unions', 'SELECT 1 AS a, NULL AS b UNION ALL SELECT NULL, ''x'' UNION ALL SELECT 2.5, ''y'''),
('nested json', 'SELECT row_to_json(q) AS a, json_agg(q) AS b, to_jsonb(q) AS c FROM (SELECT 1 AS x, ARRAY[1, 2] AS y) q GROUP BY q.*');

-- Find the column definition lists.  NULL: there are no columns, or one that
-- is an anonymous record.
DO $$
DECLARE
	c corpus;
	done bool;
BEGIN
	FOR c IN SELECT * FROM corpus LOOP
		done := false;
		FOR n IN REVERSE 12 .. 0 LOOP
			BEGIN
				EXECUTE format('CREATE VIEW cache_test.v %s AS %s',
					(SELECT '(' || string_agg('c' || i, ', ' ORDER BY i) || ')' FROM generate_series(1, n) i), c.query);
				done := true;
				EXIT;
			EXCEPTION
				WHEN invalid_table_definition OR syntax_error THEN
				WHEN invalid_column_reference OR duplicate_column THEN
				WHEN feature_not_supported THEN
					IF c.name <> 'xml' THEN
						EXIT;
					END IF;
					DELETE FROM corpus WHERE name = 'xml';
					EXIT;
			END;
		END LOOP;
		IF NOT done THEN
			CONTINUE;
		END IF;
		UPDATE corpus SET definition = (
				SELECT CASE WHEN NOT bool_or(format_type(atttypid, NULL) IN ('record', 'record[]')) THEN
					string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum) END
				FROM pg_attribute WHERE attrelid = 'cache_test.v'::regclass AND attnum > 0)
			WHERE name = c.name;
		DROP VIEW cache_test.v;
	END LOOP;
END
$$;

CREATE FUNCTION same(uncached bytea[], cached bytea[]) RETURNS text LANGUAGE sql AS $$
	SELECT CASE
		WHEN cardinality(uncached) <> cardinality(cached) THEN
			format('%s rows instead of %s', cardinality(cached), cardinality(uncached))
		WHEN uncached <> cached THEN 'other values'
		ELSE 'same' END
$$;

-- For each query: that the rows are those of an execution without the cache,
-- and how they were got.
CREATE FUNCTION compare() RETURNS TABLE (name text, form text, answer text, rows text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	c record;
	uncached bytea[];
	cached bytea[];
	a record;
	b record;
BEGIN
	FOR c IN SELECT * FROM cache_test.corpus ORDER BY name COLLATE "C" LOOP
		name := c.name;

		form := 'json';
		EXECUTE format('SELECT coalesce(array_agg(convert_to(row_to_json(the_row)::text, ''UTF8'')), ''{}'') FROM (%s) the_row', c.query) INTO uncached;
		SELECT * INTO a FROM public.cache_stats();
		EXECUTE format('SELECT coalesce(array_agg(convert_to(the_row::text, ''UTF8'')), ''{}'') FROM public.cached_query(%L, 300, ''{}'') the_row', c.query) INTO cached;
		SELECT * INTO b FROM public.cache_stats();
		answer := CASE WHEN b.l1_hits > a.l1_hits THEN 'hit' WHEN b.fills > a.fills THEN 'filled' ELSE 'not stored' END;
		rows := cache_test.same(uncached, cached);
		RETURN NEXT;

		CONTINUE WHEN c.definition IS NULL;
		form := 'rows';
		EXECUTE format('SELECT coalesce(array_agg(record_send(the_row)), ''{}'') FROM (%s) the_row', c.query) INTO uncached;
		SELECT * INTO a FROM public.cache_stats();
		EXECUTE format('SELECT coalesce(array_agg(record_send(the_row)), ''{}'') FROM public.cached_rows(%L, 300, ''{}'') the_row(%s)', c.query, c.definition) INTO cached;
		SELECT * INTO b FROM public.cache_stats();
		answer := CASE WHEN b.l1_hits > a.l1_hits THEN 'hit' WHEN b.fills > a.fills THEN 'filled' ELSE 'not stored' END;
		rows := cache_test.same(uncached, cached);
		RETURN NEXT;
	END LOOP;
END
$$;

SELECT form, count(*) > 60 AS many FROM (SELECT 'json' AS form FROM corpus UNION ALL SELECT 'rows' FROM corpus WHERE definition IS NOT NULL) f GROUP BY form ORDER BY form;
SELECT name FROM corpus WHERE definition IS NULL ORDER BY name COLLATE "C";
SELECT * FROM compare() WHERE answer <> 'filled' OR rows <> 'same';
SELECT * FROM compare() WHERE answer <> 'hit' OR rows <> 'same';

-- in another session, which has never executed them
\c -
SET search_path = cache_test, public;
SET cache.ttl_jitter = 0;
SET cache.max_entry_size = '16MB';
SELECT * FROM compare() WHERE answer <> 'hit' OR rows <> 'same';

-- large values do not refer to a table that has lost them
DELETE FROM big;
VACUUM big;
SELECT length(external), md5(external), length(extended), md5(extended), length(bytes), md5(bytes), length((p).b)
	FROM cached_rows('SELECT * FROM big ORDER BY id', 300, '{}')
	AS t(id int, plain text, external text, extended text, bytes bytea, p pair) ORDER BY id;
SELECT how($$cached_rows('SELECT count(*) FROM big', 300, '{}') AS t(n bigint)$$);

-- results remember what a type was like only as long as it is
SELECT how($$cached_rows('SELECT ROW(1, ''x'')::pair', 300, '{}') AS t(p pair)$$);
SELECT how($$cached_rows('SELECT ROW(1, ''x'')::pair', 300, '{}') AS t(p pair)$$);
ALTER TYPE pair ADD ATTRIBUTE c int;
SELECT how($$cached_rows('SELECT ROW(1, ''x'', 3)::pair', 300, '{}') AS t(p pair)$$);
SELECT how($$cached_rows('SELECT ROW(1, ''x'')::pair', 300, '{}') AS t(p pair)$$);
ALTER TYPE pair DROP ATTRIBUTE c;
SELECT how($$cached_rows('SELECT ROW(1, ''x'')::pair', 300, '{}') AS t(p pair)$$);
SELECT how($$cached_query('SELECT ''green''::color AS c', 300, '{}')$$);
ALTER TYPE color RENAME VALUE 'green' TO 'lime';
SELECT how($$cached_query('SELECT ''green''::color AS c', 300, '{}')$$);
SELECT how($$cached_query('SELECT ''lime''::color AS c', 300, '{}')$$);
\set ECHO none
\i :end

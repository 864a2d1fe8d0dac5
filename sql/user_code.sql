--
-- Code of users that built-in functions, types and operators reach
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
CREATE ROLE cache_user_code_1;
CREATE ROLE cache_user_code_2;
GRANT ALL ON SCHEMA cache_test TO cache_user_code_1, cache_user_code_2;
GRANT ALL ON ALL FUNCTIONS IN SCHEMA cache_test TO PUBLIC;
ALTER DEFAULT PRIVILEGES IN SCHEMA cache_test GRANT ALL ON TABLES TO PUBLIC;

-- Asks a question in a form: plain, uncached, automatic or with tags.
CREATE FUNCTION ask(query text, form text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	IF form = 'plain' THEN
		PERFORM set_config('cache.mode', 'auto', true), set_config('cache.min_cost', '0', true);
	END IF;
	EXECUTE CASE form
		WHEN 'automatic' THEN format('SELECT string_agg(value, '', '') FROM public.cached_query(%L) c, json_each_text(c)', query)
		WHEN 'tags' THEN format('SELECT string_agg(value, '', '') FROM public.cached_query(%L, 300, ''{attack}'') c, json_each_text(c)', query)
		ELSE query END INTO result;
	PERFORM set_config('cache.mode', 'off', true);
	RETURN result;
EXCEPTION WHEN feature_not_supported THEN
	PERFORM set_config('cache.mode', 'off', true);
	RETURN 'refused: ' || replace(SQLERRM, 'query cannot be cached: ', '');
END
$$;
-- The answers of two users, tenants and states of the table, to a question that
-- gives one text; what is cached must be what is not.  Without the cache the text
-- is other each time, or the attack is none.
CREATE PROCEDURE attack(name text, query text) LANGUAGE plpgsql AS $$
DECLARE
	form text;
	who text;
	tenant text;
	round int;
	cached text;
	plain text;
	wrong text[];
	refused text;
	answers text[];
BEGIN
	FOREACH form IN ARRAY '{automatic,plain,tags}'::text[] LOOP
		wrong := '{}';
		answers := '{}';
		refused := NULL;
		FOREACH round IN ARRAY '{1,2}'::int[] LOOP
			FOREACH who IN ARRAY '{cache_user_code_1,cache_user_code_2}'::text[] LOOP
				FOREACH tenant IN ARRAY '{a,b}'::text[] LOOP
					EXECUTE format('SET ROLE %I', who);
					PERFORM set_config('app.tenant', tenant, false);
					-- the second one would be a hit
					PERFORM ask(query, form);
					COMMIT;
					cached := ask(query, form);
					COMMIT;
					plain := ask(query, 'uncached');
					COMMIT;
					IF cached LIKE 'refused: %' THEN
						refused := substr(cached, 10);
					ELSIF cached IS DISTINCT FROM plain THEN
						wrong := wrong || format('%s for %s', cached, plain);
					END IF;
					IF NOT plain = ANY (answers) THEN
						answers := answers || plain;
					END IF;
				END LOOP;
			END LOOP;
			RESET ROLE;
			UPDATE state SET n = n + 1;
			COMMIT;
			IF form = 'tags' THEN
				PERFORM public.invalidate_tags('{attack}');
				COMMIT;
			END IF;
		END LOOP;
		IF wrong <> '{}' THEN
			RAISE WARNING '% (%): wrong: %', name, form, wrong[1:2];
		END IF;
		IF cardinality(answers) = 1 THEN
			RAISE WARNING '% (%): always %', name, form, plain;
		END IF;
		IF refused IS NOT NULL THEN
			RAISE NOTICE '% (%): refused: %', name, form, refused;
		END IF;
	END LOOP;
	RESET ROLE;
END
$$;
-- How often the last of three equal questions is answered from the cache.
CREATE FUNCTION cacheable(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM cache_test.how(format('public.cached_query(%L)', query));
	RETURN split_part(cache_test.how(format('public.cached_query(%L)', query)), ':', 1);
EXCEPTION WHEN feature_not_supported THEN
	RETURN SQLERRM;
END
$$;
\set ECHO all
CREATE TABLE state (n int);
INSERT INTO state VALUES (1);
CREATE TABLE item (id int PRIMARY KEY, name text);
INSERT INTO item VALUES (1, 'one'), (2, 'two');

-- what an attacker's code tells: who asks, for which tenant, and the state
CREATE FUNCTION tells() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN concat_ws('/', current_user, current_setting('app.tenant'), (SELECT n FROM state));
END
$$;

-- types of which the functions tell: by a cast to json, to text, by an operator
CREATE TYPE pair AS ENUM ('x', 'y');
CREATE FUNCTION pair_json(pair) RETURNS json LANGUAGE plpgsql STABLE AS 'BEGIN RETURN to_json(tells()); END';
CREATE CAST (pair AS json) WITH FUNCTION pair_json(pair);
CREATE TABLE holder (id int, p pair, ps pair[]);
INSERT INTO holder VALUES (1, 'x', '{x,y}');
CREATE TYPE row_of AS (a int, p pair);
CREATE DOMAIN pair_domain AS pair;
CALL attack('to_json', 'SELECT to_json(p)::text FROM holder');
CALL attack('jsonb_build_object', 'SELECT jsonb_build_object(1, p)::text FROM holder');
CALL attack('json_agg', 'SELECT json_agg(p)::text FROM holder');
CALL attack('jsonb_object_agg', 'SELECT jsonb_object_agg(id, p)::text FROM holder');
CALL attack('row_to_json', 'SELECT row_to_json(h)::text FROM holder h');
CALL attack('anonymous row', 'SELECT row_to_json(r)::text FROM (SELECT id, p FROM holder) r');
CALL attack('array_to_json', 'SELECT array_to_json(ps)::text FROM holder');
CALL attack('named row', 'SELECT to_jsonb(ROW(1, p)::row_of)::text FROM holder');
CALL attack('constant', 'SELECT to_json(''x''::pair)::text FROM item WHERE id = 1');
CALL attack('domain', 'SELECT to_json(p::pair_domain)::text FROM holder');
SELECT ask('SELECT p FROM holder', 'automatic');
SELECT ask('SELECT ps FROM holder', 'automatic');
-- a cast to text
CREATE TYPE box_of AS (a int);
CREATE FUNCTION box_text(box_of) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN tells(); END';
CREATE CAST (box_of AS text) WITH FUNCTION box_text(box_of);
CREATE TABLE boxes (b box_of);
INSERT INTO boxes VALUES (ROW(1));
CALL attack('text ||', 'SELECT ''b'' || b FROM boxes');
CALL attack('|| text', 'SELECT b || ''b'' FROM boxes');
CALL attack('quote_literal', 'SELECT quote_literal(b) FROM boxes');
CALL attack('quote_nullable', 'SELECT quote_nullable(b) FROM boxes');

-- conditions of domains
CREATE FUNCTION passes(text) RETURNS bool LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF tells() LIKE '%/' || $1 || '/%' THEN RETURN true; END IF;
	RAISE '%', tells() USING ERRCODE = 'check_violation';
END
$$;
CREATE DOMAIN checked AS text CHECK (passes(VALUE));
CREATE DOMAIN checked_twice AS checked;
CREATE TYPE checked_row AS (c checked_twice);
SELECT ask('SELECT name::checked::text FROM item', 'automatic');
SELECT ask('SELECT name::checked_twice::text FROM item', 'automatic');
SELECT ask('SELECT (json_populate_record(NULL::checked_row, ''{"c":"a"}'')).c::text', 'automatic');
SELECT ask('SELECT (ARRAY[name]::checked[])[1]::text FROM item', 'automatic');
SELECT ask('SELECT ROW(name)::checked_row::text FROM item', 'automatic');
-- what is only read is not checked again
CREATE DOMAIN email AS text CHECK (noisy(VALUE) LIKE '%@%');
CREATE TABLE person (id int, mail email);
SET client_min_messages = warning;
INSERT INTO person VALUES (1, 'a@b');
RESET client_min_messages;
SELECT cacheable('SELECT id, mail FROM person');
SELECT cacheable('SELECT max(mail) FROM person WHERE mail LIKE ''a%''');
SELECT cacheable('SELECT ''a@c''::email');

-- operators: the negator, the commutator, those of an operator class
CREATE FUNCTION honest(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE FUNCTION lying(int, int) RETURNS bool LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN hashtext(tells()) % 2 = 0;
END
$$;
CREATE OPERATOR =#= (LEFTARG = int, RIGHTARG = int, FUNCTION = honest, NEGATOR = <#>);
CREATE OPERATOR <#> (LEFTARG = int, RIGHTARG = int, FUNCTION = lying, NEGATOR = =#=);
SELECT ask('SELECT name FROM item WHERE NOT (id =#= 1)', 'automatic');
SELECT ask('SELECT name FROM item WHERE NOT (id =#= ANY (ARRAY[1]))', 'automatic');
SELECT ask('SELECT name FROM item WHERE id =#= 1', 'automatic');
CREATE FUNCTION odd_cmp(int, int) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN CASE WHEN tells() LIKE '%/a/%' THEN sign($1 - $2) ELSE sign($2 - $1) END;
END
$$;
CREATE FUNCTION odd_lt(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
CREATE OPERATOR <! (LEFTARG = int, RIGHTARG = int, FUNCTION = odd_lt);
CREATE OPERATOR CLASS odd_ops FOR TYPE int USING btree AS OPERATOR 1 <!, OPERATOR 3 =, FUNCTION 1 odd_cmp(int, int);
CALL attack('ORDER BY USING', 'SELECT string_agg(name, '','') FROM (SELECT name FROM item ORDER BY id USING <!) i');
CALL attack('ordered aggregate', 'SELECT string_agg(name, '','' ORDER BY id USING <!) FROM item');
CALL attack('window', 'SELECT string_agg(name || r, '','' ORDER BY name) FROM (SELECT name, rank() OVER (ORDER BY id USING <!) AS r FROM item) i');
-- the default class of a type, which a superuser makes
CREATE FUNCTION json_cmp(json, json) RETURNS int LANGUAGE plpgsql STABLE AS 'BEGIN RETURN length(tells()) % 2; END';
CREATE FUNCTION json_lt(json, json) RETURNS bool LANGUAGE plpgsql STABLE AS 'BEGIN RETURN length(tells()) % 2 = 0; END';
CREATE OPERATOR < (LEFTARG = json, RIGHTARG = json, FUNCTION = json_lt);
CREATE OPERATOR = (LEFTARG = json, RIGHTARG = json, FUNCTION = json_lt);
CREATE OPERATOR CLASS json_ops DEFAULT FOR TYPE json USING btree AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 json_cmp(json, json);
SELECT ask('SELECT DISTINCT j FROM (SELECT to_json(name) AS j FROM item) i', 'automatic');
SELECT ask('SELECT count(*) FROM item GROUP BY to_json(name)', 'automatic');
SELECT ask('SELECT to_json(name) FROM item UNION SELECT to_json(1)', 'automatic');
SELECT ask('SELECT ROW(id, to_json(name)) = ROW(1, to_json(1)) FROM item', 'automatic');
SELECT ask('SELECT ARRAY[to_json(name)] = ARRAY[to_json(1)] FROM item', 'automatic');
SELECT ask('SELECT greatest(to_json(name), to_json(1)) FROM item', 'automatic');
DROP OPERATOR CLASS json_ops USING btree;
DROP OPERATOR < (json, json);
DROP OPERATOR = (json, json);

-- comparison that reads a table, which PostgreSQL calls in planning, and keeps
CREATE TYPE weight AS (n int);
CREATE FUNCTION weight_lt(weight, weight) RETURNS bool LANGUAGE sql STABLE AS 'SELECT max(n) % 2 = 0 FROM state';
CREATE FUNCTION weight_cmp(weight, weight) RETURNS int LANGUAGE sql STABLE AS 'SELECT max(n) % 2 FROM state';
CREATE OPERATOR < (LEFTARG = weight, RIGHTARG = weight, FUNCTION = weight_lt);
CREATE OPERATOR = (LEFTARG = weight, RIGHTARG = weight, FUNCTION = weight_lt);
CREATE OPERATOR CLASS weight_ops DEFAULT FOR TYPE weight USING btree AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 weight_cmp(weight, weight);
CALL attack('comparison', 'SELECT (ARRAY[''(1)''::weight] = ARRAY[''(2)''::weight])::text');
CREATE TYPE weighty AS (w weight);
CALL attack('comparison of rows', 'SELECT (''("(1)")''::weighty = ''("(2)")''::weighty)::text');
DROP OPERATOR CLASS weight_ops USING btree;
-- and through an IMMUTABLE function, of what the query does as well
CREATE FUNCTION counts(text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT EXISTS (SELECT FROM state)';
CREATE DOMAIN counted_text AS text CHECK (counts(VALUE));
CREATE FUNCTION folded(text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1::counted_text::text';
SELECT ask('SELECT ''a''::counted_text::text', 'automatic');
SELECT ask('SELECT ''a''::counted_text::text || folded(''b'')', 'automatic');
-- two functions of LANGUAGE sql in a comparison of rows
CREATE FUNCTION text_lt(text, text) RETURNS bool LANGUAGE sql STABLE AS 'SELECT $1 < $2 AND EXISTS (SELECT FROM state)';
CREATE FUNCTION int_lt(int, int) RETURNS bool LANGUAGE sql STABLE AS 'SELECT $1 < $2 AND EXISTS (SELECT FROM item)';
CREATE FUNCTION int_order(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 - $2';
CREATE FUNCTION text_order(text, text) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT length($1) - length($2)';
CREATE OPERATOR <<! (LEFTARG = int, RIGHTARG = int, FUNCTION = int_lt);
CREATE OPERATOR <<! (LEFTARG = text, RIGHTARG = text, FUNCTION = text_lt);
CREATE OPERATOR FAMILY pair_ops USING btree;
CREATE OPERATOR CLASS pair_int FOR TYPE int USING btree FAMILY pair_ops AS OPERATOR 1 <<!, FUNCTION 1 int_order(int, int);
CREATE OPERATOR CLASS pair_text FOR TYPE text USING btree FAMILY pair_ops AS OPERATOR 1 <<!, FUNCTION 1 text_order(text, text);
SELECT ask('SELECT (id, name) OPERATOR(cache_test.<<!) (1, ''x''::text) FROM item', 'automatic');

-- aggregates and their parts
CREATE FUNCTION told(text, int) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN tells(); END';
CREATE FUNCTION told_final(int) RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN tells(); END';
CREATE FUNCTION added(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE tell(int) (SFUNC = told, STYPE = text, INITCOND = '');
CREATE AGGREGATE tell_final(int) (SFUNC = added, STYPE = int, FINALFUNC = told_final, INITCOND = '0');
CREATE AGGREGATE tell_moving(int) (SFUNC = added, STYPE = int, INITCOND = '0',
	MSFUNC = added, MINVFUNC = added, MSTYPE = int, MFINALFUNC = told_final, MINITCOND = '0', FINALFUNC = told_final);
CREATE FUNCTION later(timestamptz, int) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE AGGREGATE start(int) (SFUNC = later, STYPE = timestamptz, INITCOND = 'now');
CREATE AGGREGATE total(int) (SFUNC = added, STYPE = int, INITCOND = '0');
CALL attack('aggregate', 'SELECT tell(id) FROM item');
CALL attack('final function', 'SELECT tell_final(id) FROM item');
CALL attack('moving aggregate', 'SELECT max(t) FROM (SELECT tell_moving(id) OVER (ORDER BY id ROWS 1 PRECEDING) AS t FROM item) i');
SELECT ask('SELECT start(id) FROM item', 'automatic');
SELECT cacheable('SELECT total(id) FROM item');

-- ranges
CREATE FUNCTION gap(text, text) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 1; END';
CREATE TYPE span AS RANGE (SUBTYPE = text, SUBTYPE_DIFF = gap);
CREATE FUNCTION span_json(span) RETURNS json LANGUAGE plpgsql STABLE AS 'BEGIN RETURN to_json(tells()); END';
CREATE CAST (span AS json) WITH FUNCTION span_json(span);
CALL attack('range', 'SELECT to_json(span(name, ''z''))::text FROM item WHERE id = 1');
CALL attack('multirange', 'SELECT to_json(array_agg(r))::text FROM (SELECT unnest(multirange(span(name, ''z''))) AS r FROM item WHERE id = 1) i');
DROP CAST (span AS json);
SELECT cacheable('SELECT span(name, ''z'') FROM item WHERE id = 1');

-- declared IMMUTABLE, which PostgreSQL believes
CREATE FUNCTION tenant() RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT current_setting('app.tenant') $$;
CREATE FUNCTION tenant_pl() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN current_setting('app.tenant') || current_user; END $$;
CREATE FUNCTION tenant_set() RETURNS text LANGUAGE sql IMMUTABLE SET work_mem = '1MB' AS $$ SELECT current_setting('app.tenant') || current_user $$;
CREATE FUNCTION tenant_outer(int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT tenant_pl() $$;
CREATE FUNCTION who() RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT current_user::text';
CREATE FUNCTION counted() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n FROM state';
CREATE FUNCTION counted_deeper(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT counted() + $1';
CREATE FUNCTION today() RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT CURRENT_DATE';
CALL attack('current_setting', 'SELECT tenant() || name FROM item WHERE id = 1');
CALL attack('plpgsql', 'SELECT tenant_pl() || name FROM item WHERE id = 1');
CALL attack('not looked into', 'SELECT tenant_set() || name FROM item WHERE id = 1');
CALL attack('nested', 'SELECT tenant_outer(id) || name FROM item WHERE id = 1');
CALL attack('current_user', 'SELECT who() || name FROM item WHERE id = 1');
CALL attack('a table', 'SELECT (counted() + id)::text FROM item WHERE id = 1');
CALL attack('a table deeper', 'SELECT counted_deeper(id)::text FROM item WHERE id = 1');
SELECT ask('SELECT today(), id FROM item', 'automatic');
SELECT ask('SELECT today(), id FROM item', 'tags');
SELECT ask('SELECT counted()', 'automatic');
-- texts that are set for other purposes
CREATE FUNCTION application() RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN current_setting('application_name'); END $$;
SET application_name = 'one';
SELECT ask('SELECT application()', 'automatic');
SET application_name = 'two';
SELECT ask('SELECT application()', 'automatic');
RESET application_name;
-- row security by it
CREATE TABLE secret (tenant text, data text);
INSERT INTO secret VALUES ('a', 'of a'), ('b', 'of b');
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (tenant = tenant());
GRANT SELECT ON secret TO PUBLIC;
CALL attack('row security', 'SELECT string_agg(data, '','') FROM secret');
CREATE VIEW secrets AS SELECT data FROM secret;
GRANT SELECT ON secrets TO PUBLIC;
CREATE VIEW tenants AS SELECT data FROM secret WHERE tenant = tenant();
GRANT SELECT ON tenants TO PUBLIC;
CALL attack('view', 'SELECT string_agg(data, '','') FROM tenants');
-- what is harmless, and shared between users; what is trusted
CREATE FUNCTION plus(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + 1';
CREATE FUNCTION plus_pl(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 + 1; END';
SELECT cacheable('SELECT plus(id), plus_pl(id) FROM item');
SELECT cache_explain('SELECT plus(id) FROM item')->'shared' AS looked_into,
	cache_explain('SELECT plus_pl(id) FROM item')->'shared' AS believed;
SET cache.trusted_functions = 'cache_test.plus_pl';
SELECT cache_explain('SELECT plus_pl(id) FROM item')->'shared' AS trusted;
RESET cache.trusted_functions;

-- dates and times
CREATE TYPE dated AS (d date, t text);
CREATE TYPE dated_deep AS (x int, y dated[]);
SELECT ask($$SELECT daterange '[to"day",)'$$, 'automatic');
SELECT ask($$SELECT '(to"day",x)'::dated$$, 'automatic');
SELECT ask($$SELECT '(1,"{""(\\""today\\"",x)""}")'::dated_deep$$, 'automatic');
SELECT ask($$SELECT '{to\day}'::date[]$$, 'automatic');
SELECT ask(E'SELECT date ''tod''\n''ay''', 'automatic');
SELECT ask($$SELECT date U&'\0074oday'$$, 'automatic');
SELECT ask($$SELECT date U&'!0074oday' UESCAPE '!'$$, 'automatic');
SELECT ask($$SELECT date E'tod\x61y'$$, 'automatic');
SELECT ask($q$SELECT date $$ TOMORROW $$$q$, 'automatic');
SELECT ask($$SELECT id FROM item WHERE now()::date >= 'yesterday'$$, 'tags');
SELECT ask($$SELECT '{[now,)}'::tstzmultirange$$, 'automatic');
SELECT ask($$SELECT time 'now'$$, 'automatic');
SELECT ask($$SELECT timetz '12:00'$$, 'automatic');
SELECT ask($$SELECT timetz '12:00 PST'$$, 'automatic');
SELECT ask($$SELECT timetz '12:00+01'$$, 'automatic');
SELECT ask($$SELECT '{12:00+01,12:00}'::timetz[]$$, 'automatic');
SELECT ask($$SELECT '12:00'::time::timetz$$, 'automatic');
SELECT ask($$SELECT ARRAY['12:00'::time]::timetz[]$$, 'automatic');
SELECT ask($$SELECT jsonb_path_query_tz('["12:00"]', '$[*].datetime() < "12:00+01".datetime()')$$, 'automatic');
SELECT ask($$SELECT name::date FROM item$$, 'automatic');
SELECT ask($$SELECT date '2020-01-01', name FROM item WHERE name = 'I know of todays'$$, 'automatic');
SELECT ask($$SELECT id FROM item WHERE date '2020-01-01' < 'infinity' AND name <> E'it''s \\ "odd"'$$, 'automatic');

-- samples depend on where the rows are stored
SELECT ask('SELECT id FROM item TABLESAMPLE BERNOULLI (50) REPEATABLE (1)', 'automatic');
SELECT ask('SELECT count(*) FROM item TABLESAMPLE BERNOULLI (100) REPEATABLE (1)', 'tags');

-- what only the session has
SELECT ask('SELECT inet_server_addr()', 'tags');
SELECT ask('SELECT inet_server_port()', 'tags');
SELECT ask('SELECT pg_trigger_depth()', 'tags');
SELECT ask('SELECT pg_client_encoding()', 'tags');
SELECT ask('SELECT pg_conf_load_time()', 'tags');
SELECT ask('SELECT setting FROM pg_settings WHERE name = ''work_mem''', 'tags');
CREATE FUNCTION depth() RETURNS int LANGUAGE sql STABLE AS 'SELECT pg_trigger_depth()';
SELECT ask('SELECT depth()', 'tags');
CREATE FUNCTION memory() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('work_mem') $$;
SET work_mem = '5MB';
SELECT ask('SELECT memory()', 'tags');
SET work_mem = '6MB';
SELECT ask('SELECT memory()', 'tags');
RESET work_mem;

-- cache.trusted_functions
SET cache.trusted_functions = 'pg_catalog.now';
SET cache.trusted_functions = 'cache_test.plus, pg_catalog.has_table_privilege';
SET cache.trusted_functions = 'pg_catalog."current_setting"';
SET cache.trusted_functions = 'plus';
SET cache.trusted_functions = 'a.b.c';
SET cache.trusted_functions = 'a.b,';
SET cache.trusted_functions = '"a.b';
SET cache.trusted_functions = 'cache_test.nowhere, no_schema.f';
CREATE SCHEMA "A long, Schema.with ""odd"" characters in its name";
GRANT USAGE ON SCHEMA "A long, Schema.with ""odd"" characters in its name" TO PUBLIC;
CREATE FUNCTION "A long, Schema.with ""odd"" characters in its name"."F, and its name is long as well"() RETURNS int
	LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END';
SELECT cacheable('SELECT "A long, Schema.with ""odd"" characters in its name"."F, and its name is long as well"()');
SET cache.trusted_functions = '"A long, Schema.with ""odd"" characters in its name"."F, and its name is long as well", CACHE_TEST . Plus_PL';
SELECT cacheable('SELECT "A long, Schema.with ""odd"" characters in its name"."F, and its name is long as well"()');
SELECT cache_explain('SELECT plus_pl(id) FROM item')->'shared' AS trusted;
RESET cache.trusted_functions;
SET client_min_messages = warning;
DROP SCHEMA "A long, Schema.with ""odd"" characters in its name" CASCADE;
RESET client_min_messages;
-- the hint for built-in functions
SELECT cached_query('SELECT now()');
SELECT cached_query('SELECT has_table_privilege(''item'', ''select'')');
SELECT cached_query('SELECT tells()');

-- a node of every kind is known
SELECT cacheable($$
WITH RECURSIVE tree(n) AS (SELECT 1 UNION SELECT n + 1 FROM tree WHERE n < 3) SEARCH DEPTH FIRST BY n SET o CYCLE n SET c USING p
SELECT n, CASE n WHEN 1 THEN 'a' ELSE 'b' END, coalesce(nullif(n, 1), 5), greatest(n, 2), n IS DISTINCT FROM 2, n IS NULL,
	(n > 1) IS TRUE, ARRAY[n, 2], (ARRAY[[1, 2], [3, 4]])[1:2][n:n], ROW(n, 'x'), (n, 1) < (2, 2), n IN (1, 2), n = ALL (SELECT 1),
	EXISTS (SELECT FROM item), ARRAY(SELECT id FROM item ORDER BY id), n::text::int, ARRAY[n]::text[], 'a' COLLATE "C",
	xmlelement(name e, n)::text, sum(n) OVER (ORDER BY n RANGE BETWEEN 1 PRECEDING AND CURRENT ROW), (SELECT i FROM item i WHERE i.id = n)
FROM tree$$);
SELECT cacheable('SELECT grouping(id), id, count(*) FILTER (WHERE id > 1) FROM item GROUP BY GROUPING SETS ((id), ()) HAVING count(*) > 0 ORDER BY id LIMIT 5 OFFSET 0');
SELECT cacheable('SELECT * FROM item JOIN (VALUES (1, ''v''), (2, ''w'')) v(id, w) USING (id) LEFT JOIN LATERAL generate_series(1, id) WITH ORDINALITY g(a, b) ON true');
SELECT cacheable('SELECT * FROM XMLTABLE(''/r/a'' PASSING (''<r><a>1</a></r>''::xml) COLUMNS a int PATH ''.'')');
SELECT cacheable('SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY id), mode() WITHIN GROUP (ORDER BY name), rank(1) WITHIN GROUP (ORDER BY id) FROM item');
SELECT cacheable('SELECT id FROM item EXCEPT SELECT 3 INTERSECT SELECT 4 ORDER BY 1');
\set ECHO none
ALTER DEFAULT PRIVILEGES IN SCHEMA cache_test REVOKE ALL ON TABLES FROM PUBLIC;
\i :end
DROP OWNED BY cache_user_code_1, cache_user_code_2;
DROP ROLE cache_user_code_1, cache_user_code_2;

--
-- Transactions: own writes, isolation levels, cursors, functions
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
CREATE TABLE story (id int PRIMARY KEY, title text);
INSERT INTO story VALUES (1, 'one'), (2, 'two');
CREATE TABLE other (a int);
SELECT cache_attach('story');

-- a transaction reads its own writes, and others do not
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
BEGIN;
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
INSERT INTO story VALUES (3, 'three');
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE id > 0', 300, '{story}')$$);
SELECT how($$cached_rows('SELECT count(*) FROM story', 300, '{story}') AS t(n bigint)$$);
ROLLBACK;
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE id > 0', 300, '{story}')$$);
BEGIN;
DELETE FROM story WHERE id = 2;
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
COMMIT;
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
-- also those of a savepoint, for as long as they are there
BEGIN;
SAVEPOINT s;
INSERT INTO story VALUES (4, 'four');
SELECT cached_query('SELECT count(*) FROM story', 300, '{story}');
ROLLBACK TO s;
SELECT cached_query('SELECT count(*) FROM story', 300, '{story}');
INSERT INTO story VALUES (5, 'five');
SELECT cached_query('SELECT count(*) FROM story', 300, '{story}');
ROLLBACK;
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
-- and those of the same statement's function
CREATE FUNCTION add_story(n int) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO cache_test.story VALUES (n, n::text);
	RETURN (SELECT j FROM public.cached_query('SELECT count(*) FROM cache_test.story', 300, '{story}') j);
END
$$;
SELECT add_story(10), add_story(11);
SELECT how($$cached_query('SELECT count(*) FROM story', 300, '{story}')$$);
DELETE FROM story WHERE id >= 10;
-- what is thrown away by an exception was not stored
DO $$
BEGIN
	BEGIN
		INSERT INTO story VALUES (6, 'six');
		RAISE NOTICE '%', (SELECT j FROM cached_query('SELECT max(id) FROM story', 300, '{story}') j);
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		RAISE NOTICE '%', (SELECT j FROM cached_query('SELECT max(id) FROM story', 300, '{story}') j);
	END;
END
$$;
SELECT cached_query('SELECT max(id) FROM story', 300, '{story}');
-- an error in a query leaves the cache working, in and after the transaction
DO $$
BEGIN
	FOR i IN -1 .. 1 LOOP
		BEGIN
			RAISE NOTICE '%', (SELECT j FROM cached_query('SELECT 1 / $1 AS q', 300, '{}', i) j);
		EXCEPTION WHEN division_by_zero THEN
			RAISE NOTICE 'caught';
		END;
	END LOOP;
END
$$;
SELECT how($$cached_query('SELECT 1 / $1 AS q', 300, '{}', 1)$$);
SELECT cached_query('SELECT 1 / $1 AS q', 300, '{}', 0);
SELECT how($$cached_query('SELECT 1 / $1 AS q', 300, '{}', -1)$$);

-- isolation levels
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
-- what it computes it may store: nothing has changed since
SELECT how($$cached_query('SELECT id FROM story ORDER BY id', 300, '{story}')$$);
COMMIT;
SELECT how($$cached_query('SELECT id FROM story ORDER BY id', 300, '{story}')$$);
UPDATE story SET title = 'one, again' WHERE id = 1;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
INSERT INTO story VALUES (7, 'seven');
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
SELECT how($$cached_query('SELECT 5 AS five', 300, '{}')$$);
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
COMMIT;
BEGIN ISOLATION LEVEL READ UNCOMMITTED;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
COMMIT;
SET default_transaction_isolation = 'serializable';
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
RESET default_transaction_isolation;

-- read-only transactions use the cache like any
BEGIN READ ONLY;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);
COMMIT;
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);

-- prepared transactions
BEGIN;
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);
INSERT INTO other VALUES (1);
PREPARE TRANSACTION 'regress_cache_harmless';
ROLLBACK PREPARED 'regress_cache_harmless';
-- until its end is known, what it has touched is neither served nor stored
BEGIN;
INSERT INTO story VALUES (8, 'eight');
PREPARE TRANSACTION 'regress_cache';
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);
ROLLBACK PREPARED 'regress_cache';
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);
BEGIN;
INSERT INTO story VALUES (8, 'eight');
PREPARE TRANSACTION 'regress_cache';
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);
COMMIT PREPARED 'regress_cache';
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);
BEGIN;
SELECT invalidate_tags('{story}');
PREPARE TRANSACTION 'regress_cache';
COMMIT PREPARED 'regress_cache';
SELECT how($$cached_query('SELECT count(title) FROM story', 300, '{story}')$$);
DELETE FROM story WHERE id = 8;

-- cursors: a result is complete by the time its first row goes out
BEGIN;
DECLARE c SCROLL CURSOR FOR SELECT cached_query('SELECT noisy(i) AS i FROM generate_series(1, 4) i', 300, '{}');
FETCH 2 FROM c;
FETCH BACKWARD 1 FROM c;
FETCH ALL FROM c;
FETCH ABSOLUTE 3 FROM c;
MOVE FIRST FROM c;
FETCH NEXT FROM c;
CLOSE c;
DECLARE c CURSOR FOR SELECT * FROM cached_rows('SELECT noisy(i) FROM generate_series(1, 3) i', 300, '{}') AS t(i int);
FETCH 1 FROM c;
COMMIT;
SELECT cached_query('SELECT noisy(i) AS i FROM generate_series(1, 4) i', 300, '{}');
SELECT * FROM cached_rows('SELECT noisy(i) FROM generate_series(1, 3) i', 300, '{}') AS t(i int);
BEGIN;
DECLARE held CURSOR WITH HOLD FOR SELECT cached_query('SELECT id FROM story ORDER BY id', 300, '{story}');
DECLARE early CURSOR FOR SELECT cached_query('SELECT title FROM story ORDER BY id', 300, '{story}');
FETCH 0 FROM early;
COMMIT;
INSERT INTO story VALUES (9, 'nine');
FETCH ALL FROM held;
CLOSE held;
SELECT cached_query('SELECT id FROM story ORDER BY id', 300, '{story}');
-- a cursor that is open while what it read is invalidated
BEGIN;
DECLARE c CURSOR FOR SELECT cached_query('SELECT id FROM story ORDER BY id', 300, '{story}');
FETCH 1 FROM c;
DELETE FROM story WHERE id = 9;
SELECT cache_flush('l1');
FETCH ALL FROM c;
COMMIT;
-- one that is rolled back to
BEGIN;
DECLARE c CURSOR FOR SELECT cached_query('SELECT noisy(i) AS i FROM generate_series(1, 3) i', 300, '{}');
FETCH 1 FROM c;
SAVEPOINT s;
FETCH 1 FROM c;
ROLLBACK TO s;
FETCH 1 FROM c;
COMMIT;

-- LIMIT takes its rows from a complete result
SELECT cached_query('SELECT noisy(i) AS n FROM generate_series(1, 3) i', 300, '{}') LIMIT 1;
SELECT cached_query('SELECT noisy(i) AS n FROM generate_series(1, 3) i', 300, '{}');
SELECT * FROM cached_rows('SELECT noisy(i) AS n FROM generate_series(1, 3) i', 300, '{}') AS t(n int) LIMIT 1;
SELECT * FROM cached_rows('SELECT noisy(i) AS n FROM generate_series(1, 3) i', 300, '{}') AS t(n int);
SELECT EXISTS (SELECT cached_query('SELECT noisy(i) AS e FROM generate_series(1, 2) i', 300, '{}'));
SELECT count(*) FROM cached_query('SELECT noisy(i) AS e FROM generate_series(1, 2) i', 300, '{}');

-- nested: a STABLE function that reads through the cache itself
CREATE FUNCTION inner_titles() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT string_agg(t, ',') FROM public.cached_rows('SELECT cache_test.noisy(title) FROM cache_test.story ORDER BY id', 300, '{story}') AS r(t text));
END
$$;
SELECT how($$cached_query('SELECT inner_titles() AS t', 300, '{outer}')$$);
SELECT how($$cached_query('SELECT inner_titles() AS t', 300, '{outer}')$$);
SELECT invalidate_tags('{outer}');
SELECT how($$cached_query('SELECT inner_titles() AS t', 300, '{outer}')$$);
-- one that reads what it is itself
CREATE FUNCTION countdown(n int) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN CASE WHEN n = 0 THEN 0 ELSE 1 + (SELECT v FROM public.cached_rows('SELECT cache_test.countdown($1)', 300, '{}', n - 1) AS t(v int)) END;
END
$$;
SELECT countdown(30);
SELECT how($$cached_query('SELECT cache_test.countdown(30) AS n', 300, '{}')$$);
CREATE FUNCTION endless() RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT v FROM public.cached_rows('SELECT cache_test.endless()', 300, '{}') AS t(v int));
END
$$;
DO $$
BEGIN
	PERFORM endless();
EXCEPTION WHEN statement_too_complex THEN
	RAISE NOTICE 'too deep';
END
$$;
SELECT how($$cached_query('SELECT title FROM story ORDER BY id', 300, '{story}')$$);
-- a query that writes although its function says that it does not
CREATE FUNCTION liar() RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
	PERFORM public.invalidate_tags('{lie}');
	RETURN 1;
END
$$;
SELECT how($$cached_query('SELECT liar() AS l', 300, '{}')$$);
SELECT how($$cached_query('SELECT liar() AS l', 300, '{}')$$);

-- in functions of every kind
CREATE FUNCTION rows_of(n int) RETURNS SETOF story LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY SELECT * FROM public.cached_rows('SELECT id, title FROM cache_test.story WHERE id <= $1 ORDER BY id', 300, '{story}', n) AS t(id int, title text);
END
$$;
SELECT * FROM rows_of(100);
SELECT * FROM rows_of(1);
SELECT * FROM rows_of(100);
CREATE FUNCTION sql_titles(n int) RETURNS SETOF json LANGUAGE sql AS $$
	SELECT public.cached_query('SELECT title FROM cache_test.story WHERE id = $1', 300, '{story}', n)
$$;
SELECT sql_titles(1);
SELECT sql_titles(1);
DO $$
DECLARE
	r record;
	c refcursor;
BEGIN
	FOR r IN SELECT id FROM cached_rows('SELECT id FROM story ORDER BY id', 300, '{story}') AS t(id int) LOOP
		RAISE NOTICE 'row %', r.id;
		EXIT;
	END LOOP;
	OPEN c FOR SELECT j FROM cached_query('SELECT id FROM story ORDER BY id', 300, '{story}') j;
	FETCH c INTO r;
	RAISE NOTICE 'cursor %', r.j;
	CLOSE c;
END
$$;
-- a procedure that commits between reads
CREATE PROCEDURE step_by_step() LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE '%', cache_test.how($q$public.cached_query('SELECT count(*) FROM cache_test.story', 300, '{story}')$q$);
	DELETE FROM cache_test.story;
	RAISE NOTICE '%', cache_test.how($q$public.cached_query('SELECT count(*) FROM cache_test.story', 300, '{story}')$q$);
	COMMIT;
	RAISE NOTICE '%', cache_test.how($q$public.cached_query('SELECT count(*) FROM cache_test.story', 300, '{story}')$q$);
	RAISE NOTICE '%', cache_test.how($q$public.cached_query('SELECT count(*) FROM cache_test.story', 300, '{story}')$q$);
END
$$;
SELECT how($$cached_query('SELECT count(*) FROM cache_test.story', 300, '{story}')$$);
CALL step_by_step();
-- what is written from a cached result
INSERT INTO other SELECT n FROM cached_rows('SELECT generate_series(1, 3)', 300, '{}') AS t(n int);
CREATE TABLE made AS SELECT j FROM cached_query('SELECT 1 AS a', 300, '{}') j;
SELECT count(*) FROM other;
TABLE made;
\set ECHO none
\i :end

--
-- Results without tags that depend on tags of attached tables all the same
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
-- Questions whose answers are cached.  ended_answers() tells those that are not
-- in the cache any more, asks for all of them, and compares with the answers
-- that the queries give.
CREATE TABLE question (name text PRIMARY KEY, query text NOT NULL);
CREATE FUNCTION ended_answers() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	q record;
	ended text[] := '{}';
	expected text;
	got text;
BEGIN
	FOR q IN SELECT name, query FROM cache_test.question ORDER BY name COLLATE "C" LOOP
		IF NOT EXISTS (SELECT FROM public.cache_entries e WHERE e.query = q.query
				AND e.datid = (SELECT oid FROM pg_database WHERE datname = current_database())) THEN
			ended := ended || q.name;
		END IF;
		EXECUTE format('SELECT json_agg(row_to_json(r))::text FROM (%s) r', q.query) INTO expected;
		SELECT json_agg(c)::text INTO got FROM public.cached_query(q.query) c;
		IF got IS DISTINCT FROM expected THEN
			RAISE WARNING '%: % instead of %', q.name, got, expected;
		END IF;
	END LOOP;
	RETURN ended;
END
$$;

-- The same by the first word of names, where all or none of such a group ended.
CREATE FUNCTION ended_groups() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	ended text[] := cache_test.ended_answers();
	result text[];
BEGIN
	SELECT array_agg(CASE WHEN gone = members THEN word ELSE word || ': ' || names END ORDER BY word COLLATE "C") INTO result
		FROM (SELECT split_part(name, ' ', 1) AS word, count(*) AS members,
				count(*) FILTER (WHERE name = ANY (ended)) AS gone,
				string_agg(name, ', ' ORDER BY name COLLATE "C") FILTER (WHERE name = ANY (ended)) AS names
			FROM cache_test.question GROUP BY 1) g
		WHERE gone > 0;
	RETURN coalesce(result, '{}');
END
$$;

CREATE TABLE users (id int PRIMARY KEY, name text);
CREATE TABLE story (id int PRIMARY KEY, author_id int, title text, views int DEFAULT 0);
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 9) i;
INSERT INTO story SELECT i, i % 10, 'story ' || i FROM generate_series(1, 40) i;
SELECT cache_attach('users', '{users,user:$id}');
SELECT cache_attach('story', '{story,story:$id,author:$author_id}');

-- one author's results outlive a write to another
SELECT cache_reset_stats();
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, 5)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, 7)$$);
UPDATE story SET views = views + 1 WHERE author_id = 7;
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, 5)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, 7)$$);
-- from one author to another
UPDATE story SET author_id = 5 WHERE id = 7;
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, 5)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, 7)$$);
UPDATE story SET author_id = 7 WHERE id = 7;
SELECT hits, misses FROM cache_query_stats WHERE query = 'SELECT count(*) FROM story WHERE author_id = $1';
-- parameters of other types, nulls, arrays
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, 7::bigint)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, NULL::int)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1::bigint', NULL, NULL, 7)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1::numeric', NULL, NULL, 7)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, '{7,NULL,8}'::int[])$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, '{}'::int[])$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, NULL::int[])$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, (SELECT array_agg(100 + i) FROM generate_series(1, 16) i))$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, (SELECT array_agg(100 + i) FROM generate_series(1, 17) i))$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1 AND title = $2', NULL, NULL, 7, 'x')$$);
INSERT INTO story VALUES (45, 5, 'new');
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, 7::bigint)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1', NULL, NULL, NULL::int)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1::bigint', NULL, NULL, 7)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1::numeric', NULL, NULL, 7)$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, '{7,NULL,8}'::int[])$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, '{}'::int[])$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, NULL::int[])$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, (SELECT array_agg(100 + i) FROM generate_series(1, 16) i))$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, (SELECT array_agg(100 + i) FROM generate_series(1, 17) i))$$);
INSERT INTO story VALUES (48, 8, 'new');
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = ANY ($1)', NULL, NULL, '{7,NULL,8}'::int[])$$);
SELECT how($$cached_query('SELECT count(*) FROM story WHERE author_id = $1 AND title = $2', NULL, NULL, 7, 'x')$$);
DELETE FROM story WHERE id > 40;
-- named queries as well
SELECT cache_define('narrow', 'SELECT count(*) FROM cache_test.story WHERE author_id = $1');
SELECT how($$cached('narrow', 5)$$);
UPDATE story SET views = 0 WHERE author_id = 7;
SELECT how($$cached('narrow', 5)$$);
UPDATE story SET views = 0 WHERE author_id = 5;
SELECT how($$cached('narrow', 5)$$);
SELECT cache_undefine('narrow');

-- what a query must look like: the names say whether author 7 is all it reads
-- of story ("7"), what else, or that it is not known ("all")
CREATE VIEW listed AS SELECT id, author_id AS author, title FROM story WHERE views < 1000;
CREATE VIEW counted AS SELECT author_id AS author, count(*) AS n FROM story GROUP BY author_id;
CREATE VIEW ranked AS SELECT author_id AS author, id, rank() OVER (ORDER BY id) FROM story;
CREATE VIEW twice AS SELECT author_id AS author, id FROM story UNION ALL SELECT author_id, -id FROM story;
INSERT INTO question VALUES
	('7 equality', 'SELECT count(*) FROM story WHERE author_id = 7'),
	('7 turned round', 'SELECT count(*) FROM story WHERE 7 = author_id AND views >= 0'),
	('7 cast', 'SELECT count(*) FROM story WHERE author_id = 7::bigint AND author_id::bigint = 7'),
	('7 and id', 'SELECT count(*) FROM story WHERE author_id = 7 AND id IN (7, 17)'),
	('7 in', 'SELECT count(*) FROM story WHERE author_id IN (7, NULL)'),
	('7 or', 'SELECT count(*) FROM story WHERE (author_id = 7 AND views > 3) OR (id > 3 AND 7 = author_id)'),
	('7 either', 'SELECT count(*) FROM story WHERE author_id = 7 OR author_id = 77'),
	('7 array', $$SELECT count(*) FROM story WHERE author_id = ANY ('{7,77}')$$),
	('7 join', 'SELECT u.name, s.title FROM users u JOIN story s ON s.author_id = u.id WHERE u.id = 7 ORDER BY 2'),
	('7 using', 'SELECT count(*) FROM story JOIN (SELECT id AS author_id FROM users) u USING (author_id) WHERE author_id = 7'),
	('7 chain', 'SELECT count(*) FROM story a, story b, users u WHERE a.author_id = b.author_id AND b.author_id = u.id AND u.id = 7'),
	('7 left', 'SELECT u.name, count(s.id) FROM users u LEFT JOIN story s ON s.author_id = u.id WHERE u.id = 7 GROUP BY 1'),
	('7 right', 'SELECT u.name, count(s.id) FROM story s RIGHT JOIN users u ON s.author_id = u.id WHERE u.id = 7 GROUP BY 1'),
	('7 left on', 'SELECT u.name, count(s.id) FROM users u LEFT JOIN story s ON s.author_id = u.id AND s.author_id = 7 GROUP BY 1 ORDER BY 1'),
	('7 left where', 'SELECT u.name, s.id FROM users u LEFT JOIN story s ON s.id = u.id WHERE s.author_id = 7'),
	('7 full where', 'SELECT u.name, s.id FROM users u FULL JOIN story s ON s.id = u.id WHERE s.author_id = 7 ORDER BY 2'),
	('7 inner below', 'SELECT u.name, x.id FROM users u LEFT JOIN (story s JOIN users x ON s.author_id = 7 AND x.id = s.id) ON x.id = u.id ORDER BY 1'),
	('7 exists', 'SELECT name FROM users u WHERE id = 7 AND EXISTS (SELECT FROM story s WHERE s.author_id = u.id)'),
	('7 not exists', 'SELECT name FROM users u WHERE id = 7 AND NOT EXISTS (SELECT FROM story s WHERE s.author_id = u.id AND views > 3)'),
	('7 scalar', 'SELECT name, (SELECT count(*) FROM story s WHERE s.author_id = u.id) FROM users u WHERE id = 7'),
	('7 lateral', 'SELECT u.name, x.* FROM users u LEFT JOIN LATERAL (SELECT title, views FROM story s WHERE s.author_id = u.id ORDER BY s.id LIMIT 2) x ON true WHERE u.id = 7'),
	('7 cte', 'WITH c AS (SELECT * FROM story WHERE author_id = 7) SELECT count(*), sum(c.views) FROM c JOIN c d USING (id)'),
	('7 view', 'SELECT * FROM listed WHERE author = 7 ORDER BY id'),
	('7 group', 'SELECT * FROM counted WHERE author = 7'),
	('7 setop', 'SELECT * FROM twice WHERE author = 7 ORDER BY id'),
	('7 except', 'SELECT * FROM (SELECT author_id AS a, id, views FROM story EXCEPT SELECT author_id, id, 0 FROM story) x WHERE a = 7 ORDER BY id'),
	('7 distinct', 'SELECT * FROM (SELECT DISTINCT author_id AS a, views FROM story) x WHERE a = 7 ORDER BY 2'),
	('17', 'SELECT * FROM story WHERE id = 17'),
	('17 any', $$SELECT count(*) FROM story WHERE id = ANY ('{17}'::bigint[])$$),
	('17 and 7', 'SELECT count(*) FROM story a, story b WHERE a.author_id = 7 AND b.id = 17'),
	('none null', 'SELECT count(*) FROM story WHERE author_id = NULL'),
	('none', $$SELECT count(*) FROM story WHERE author_id = ANY ('{}')$$),
	('all', 'SELECT count(*) FROM story'),
	('all but', 'SELECT count(*) FROM story WHERE NOT author_id = 7'),
	('all distinct from', 'SELECT count(*) FROM story WHERE author_id IS NOT DISTINCT FROM 7'),
	('all distinct on', 'SELECT * FROM (SELECT DISTINCT ON (views) author_id, id FROM story ORDER BY views, id) x WHERE author_id = 7'),
	('all expression', 'SELECT count(*) FROM story WHERE author_id + 0 = 7'),
	('7 left on other', 'SELECT u.name, count(s.id) FROM users u LEFT JOIN story s ON s.author_id = u.id AND u.id = 7 GROUP BY 1 ORDER BY 1'),
	('all from outer on', 'SELECT s.id, u.name FROM story s LEFT JOIN users u ON s.author_id = 7 AND u.id = s.id ORDER BY 1'),
	('all full on', 'SELECT s.id, u.name FROM story s FULL JOIN users u ON s.author_id = 7 AND s.author_id = u.id ORDER BY 1, 2'),
	('all having', 'SELECT author_id, count(*) FROM story GROUP BY 1 HAVING author_id = 7'),
	('all in select', 'SELECT count(*) FROM story WHERE author_id IN (SELECT 7)'),
	('all limit', 'SELECT * FROM (SELECT id, author_id FROM story ORDER BY id LIMIT 20) x WHERE author_id = 7'),
	('all many', 'SELECT count(*) FROM story WHERE author_id IN (7,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26)'),
	('all not all', 'SELECT count(*) FROM story WHERE author_id = ALL (ARRAY[7, NULL])'),
	('all numeric', 'SELECT count(*) FROM story WHERE author_id = 7.0'),
	('all one of two', 'SELECT count(*) FROM story a JOIN story b ON a.id = b.id + 1 WHERE a.author_id = 7'),
	('all or id', 'SELECT count(*) FROM story WHERE author_id = 7 OR id = 17'),
	('all or null', 'SELECT count(*) FROM story WHERE author_id = 7 OR author_id IS NULL'),
	('all outside', 'SELECT (SELECT count(*) FROM story), name FROM users WHERE id = 7'),
	('all range', 'SELECT count(*) FROM story WHERE author_id BETWEEN 7 AND 7'),
	('all recursive', 'WITH RECURSIVE r AS (SELECT id FROM story WHERE author_id = 7 UNION SELECT s.id FROM story s JOIN r ON s.id = r.id + 1 WHERE s.id < 20) SELECT count(*) FROM r'),
	('all select', 'SELECT count(*) FILTER (WHERE author_id = 7) FROM story'),
	('all setop', 'SELECT author_id FROM story WHERE author_id = 7 UNION SELECT views FROM story ORDER BY 1'),
	('all window', 'SELECT * FROM ranked WHERE author = 7 ORDER BY id');
SELECT cardinality(ended_answers());
SELECT ended_groups();
-- another author
UPDATE story SET views = views + 1 WHERE id = 5;
SELECT ended_groups();
UPDATE story SET views = views + 1 WHERE id = 27;
SELECT ended_groups();
UPDATE story SET views = views + 1 WHERE id = 17;
SELECT ended_groups();
-- into the answers, and out of them
INSERT INTO story VALUES (47, 7, 'new');
SELECT ended_groups();
UPDATE story SET author_id = 5 WHERE id = 47;
SELECT ended_groups();
UPDATE story SET id = 57 WHERE id = 17;
SELECT ended_groups();
UPDATE story SET id = 17 WHERE id = 57;
SELECT ended_groups();
DELETE FROM story WHERE id = 47;
SELECT ended_groups();
UPDATE story SET author_id = NULL WHERE id = 5;
SELECT ended_groups();
UPDATE story SET author_id = 5 WHERE id = 5;
SELECT ended_groups();
-- users, of whom all but some questions read one
UPDATE users SET name = 'nobody' WHERE id = 5;
SELECT ended_answers();
UPDATE users SET name = 'somebody' WHERE id = 7;
SELECT ended_answers();

-- every way to change a row
DELETE FROM question WHERE name NOT IN ('7 equality', '7 join', '7 left', '7 view', '17', 'all');
INSERT INTO question VALUES ('5', 'SELECT count(*), sum(views) FROM story WHERE author_id = 5');
SELECT ended_answers();
INSERT INTO story VALUES (5, 5, 'x') ON CONFLICT (id) DO UPDATE SET views = story.views + 1;
SELECT ended_answers();
MERGE INTO story USING (VALUES (7)) AS v(id) ON story.id = v.id WHEN MATCHED THEN UPDATE SET views = story.views + 1;
SELECT ended_answers();
MERGE INTO story USING (VALUES (45)) AS v(id) ON story.id = v.id WHEN NOT MATCHED THEN INSERT VALUES (v.id, 5, 'merged');
SELECT ended_answers();
MERGE INTO story USING (VALUES (45)) AS v(id) ON story.id = v.id WHEN MATCHED THEN DELETE;
SELECT ended_answers();
COPY story (id, author_id, title) FROM STDIN;
45	5	copied
\.
SELECT ended_answers();
WITH gone AS (DELETE FROM story WHERE id = 45 RETURNING *) SELECT count(*) FROM gone;
SELECT ended_answers();
UPDATE listed SET title = 'through a view' WHERE id = 5;
SELECT ended_answers();
-- a cascade
ALTER TABLE story ADD FOREIGN KEY (author_id) REFERENCES users ON UPDATE CASCADE ON DELETE SET NULL NOT VALID;
SELECT cardinality(ended_answers());
UPDATE users SET id = 15 WHERE id = 5;
SELECT ended_answers();
UPDATE users SET id = 5 WHERE id = 15;
SELECT ended_answers();
DELETE FROM users WHERE id = 5;
SELECT ended_answers();
ALTER TABLE story DROP CONSTRAINT story_author_id_fkey;
UPDATE story SET author_id = 5 WHERE author_id IS NULL;
SELECT cardinality(ended_answers());
-- triggers that change the row, before ours and in between
CREATE FUNCTION assign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.author_id := 7;
	RETURN NEW;
END
$$;
CREATE TRIGGER zz BEFORE INSERT OR UPDATE ON story FOR EACH ROW WHEN (NEW.title = 'assign') EXECUTE FUNCTION assign();
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE cache_test.story SET author_id = 7 WHERE id = NEW.id;
	RETURN NULL;
END
$$;
CREATE TRIGGER aa AFTER INSERT ON story FOR EACH ROW WHEN (NEW.title = 'again') EXECUTE FUNCTION again();
SELECT cardinality(ended_answers());
INSERT INTO story VALUES (46, 6, 'assign');
SELECT ended_answers();
INSERT INTO story VALUES (47, 6, 'again');
SELECT ended_answers();
INSERT INTO story VALUES (48, 6, 'neither');
SELECT ended_answers();
DELETE FROM story WHERE id > 40;
DROP TRIGGER zz ON story;
DROP TRIGGER aa ON story;
-- whatever the session does about triggers
SELECT cardinality(ended_answers());
SET session_replication_role = replica;
UPDATE story SET views = views + 1 WHERE id = 5;
SELECT ended_answers();
RESET session_replication_role;
-- changes that are not counted
SET track_counts = off;
UPDATE story SET views = views + 1 WHERE id = 6;
RESET track_counts;
SELECT ended_answers();
-- savepoints
BEGIN;
SAVEPOINT s;
UPDATE story SET views = views + 1 WHERE id = 7;
ROLLBACK TO s;
UPDATE story SET views = views + 1 WHERE id = 5;
COMMIT;
SELECT ended_answers();
BEGIN;
UPDATE story SET views = views + 1 WHERE id = 5;
SAVEPOINT s;
UPDATE users SET name = 'x' WHERE id = 1;
ROLLBACK TO s;
COMMIT;
SELECT ended_answers();
BEGIN;
SAVEPOINT s;
UPDATE story SET views = views + 1 WHERE id = 5;
RELEASE s;
SAVEPOINT s;
UPDATE story SET views = views + 1 WHERE id = 15;
COMMIT;
SELECT ended_answers();
BEGIN;
UPDATE story SET views = views + 1;
ROLLBACK;
SELECT ended_answers();
-- own writes: whoever has written to the table executes
BEGIN;
UPDATE story SET views = views + 1 WHERE id = 7;
SELECT how($$cached_query('SELECT count(*), sum(views) FROM story WHERE author_id = 5')$$);
ROLLBACK;
SELECT how($$cached_query('SELECT count(*), sum(views) FROM story WHERE author_id = 5')$$);
-- by hand
BEGIN;
SELECT invalidate_tags('{author:5}');
COMMIT;
SELECT ended_answers();
SELECT invalidate_table('story');
SELECT ended_answers();

-- changes that triggers do not tell of
TRUNCATE story;
SELECT ended_answers();
INSERT INTO story SELECT i, i % 10, 'story ' || i FROM generate_series(1, 40) i;
DROP TRIGGER cache_invalidate_truncate ON story;
SELECT cardinality(ended_answers());
BEGIN;
TRUNCATE story;
INSERT INTO story SELECT i, i % 10, 'story ' || i FROM generate_series(1, 20) i;
COMMIT;
SELECT ended_answers();
TRUNCATE story;
SELECT ended_answers();
INSERT INTO story SELECT i, i % 10, 'story ' || i FROM generate_series(1, 40) i;
SELECT ended_answers();
SELECT cache_attach('story', '{story,story:$id,author:$author_id}');
SELECT cardinality(ended_answers());
-- triggers that are switched off, and back on
ALTER TABLE story DISABLE TRIGGER cache_invalidate_row;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 5;
SELECT ended_answers();
ALTER TABLE story ENABLE TRIGGER cache_invalidate_row;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 5;
SELECT ended_answers();
ALTER TABLE story ENABLE REPLICA TRIGGER cache_invalidate_row;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 5;
SELECT ended_answers();
ALTER TABLE story ENABLE ALWAYS TRIGGER cache_invalidate_row;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 5;
SELECT ended_answers();
BEGIN;
ALTER TABLE story DISABLE TRIGGER USER;
UPDATE story SET views = views + 1 WHERE id = 7;
ALTER TABLE story ENABLE ALWAYS TRIGGER cache_invalidate_row;
COMMIT;
SELECT cardinality(ended_answers());
-- another meaning
DROP VIEW listed, counted, ranked, twice;
DELETE FROM question WHERE name = '7 view';
ALTER TABLE story ALTER COLUMN author_id TYPE bigint USING 12 - author_id;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE author_id = 5;
SELECT ended_answers();
ALTER TABLE story RENAME COLUMN author_id TO writer_id;
ALTER TABLE story RENAME COLUMN views TO author_id;
ALTER TABLE story ADD COLUMN views int DEFAULT 0;
SELECT cardinality(ended_answers());
UPDATE story SET author_id = 7 WHERE id IN (5, 7);
SELECT ended_answers();
SELECT cache_detach('story');
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 5;
SELECT ended_answers();

-- triggers by hand: those that tell of every row of every change
CREATE TRIGGER mine AFTER INSERT OR UPDATE OR DELETE ON story FOR EACH ROW EXECUTE FUNCTION cache_invalidate('author:$author_id');
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 5;
SELECT ended_answers();
ALTER TABLE story ENABLE ALWAYS TRIGGER mine;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 6;
SELECT ended_answers();
CREATE OR REPLACE TRIGGER mine AFTER INSERT OR UPDATE OR DELETE ON story FOR EACH ROW WHEN (true) EXECUTE FUNCTION cache_invalidate('author:$author_id');
ALTER TABLE story ENABLE ALWAYS TRIGGER mine;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 6;
SELECT ended_answers();
CREATE OR REPLACE TRIGGER mine AFTER INSERT OR UPDATE OF author_id OR DELETE ON story FOR EACH ROW EXECUTE FUNCTION cache_invalidate('author:$author_id');
ALTER TABLE story ENABLE ALWAYS TRIGGER mine;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 6;
SELECT ended_answers();
CREATE OR REPLACE TRIGGER mine AFTER INSERT OR UPDATE ON story FOR EACH ROW EXECUTE FUNCTION cache_invalidate('author:$author_id');
ALTER TABLE story ENABLE ALWAYS TRIGGER mine;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 6;
SELECT ended_answers();
CREATE OR REPLACE TRIGGER mine AFTER INSERT OR UPDATE OR DELETE ON story FOR EACH ROW EXECUTE FUNCTION cache_invalidate('author:$', 'author:$missing');
ALTER TABLE story ENABLE ALWAYS TRIGGER mine;
SELECT cardinality(ended_answers());
DROP TRIGGER mine ON story;
CREATE CONSTRAINT TRIGGER mine AFTER INSERT OR UPDATE OR DELETE ON story DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cache_invalidate('author:$author_id');
ALTER TABLE story ENABLE ALWAYS TRIGGER mine;
SELECT cardinality(ended_answers());
UPDATE story SET views = views + 1 WHERE id = 6;
SELECT ended_answers();
BEGIN;
UPDATE story SET views = views + 1 WHERE id = 5;
SET CONSTRAINTS mine IMMEDIATE;
SAVEPOINT s;
SET CONSTRAINTS mine DEFERRED;
UPDATE story SET views = views + 1 WHERE id = 5;
SET CONSTRAINTS mine IMMEDIATE;
ROLLBACK TO s;
COMMIT;
SELECT ended_answers();
DROP TABLE story CASCADE;
DROP TABLE users;
DELETE FROM question;

-- types: the text of equal values must be the same
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN word AS text CHECK (VALUE <> '');
CREATE COLLATION careless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE typed (id int, i2 int2, i8 int8, b bool, o oid, u uuid, d date, ts timestamp, tz timestamptz, t text, v varchar(9),
	e mood, y bytea, n name, c "char", w word, num numeric, f float8, bp char(4), tc text COLLATE careless, iv interval);
SELECT cache_attach('typed', '{i2:$i2,i8:$i8,b:$b,o:$o,u:$u,d:$d,ts:$ts,tz:$tz,t:$t,v:$v,e:$e,y:$y,n:$n,c:$c,w:$w,num:$num,f:$f,bp:$bp,tc:$tc,iv:$iv}');
INSERT INTO typed SELECT 1, 1, 1, true, 1, '11111111-1111-1111-1111-111111111111', '2001-02-03', '2001-02-03', '2001-02-03 00:00+00',
	'one', 'one', 'ok', '\x01', 'one', '1', 'one', 1, 1, 'one', 'one', '1 day';
INSERT INTO question SELECT name, 'SELECT id FROM typed WHERE ' || condition FROM (VALUES
	('1 i2', 'i2 = 1'),
	('1 i8', 'i8 = 1'),
	('1 i8 and i2', 'i8 = 1::int2'),
	('1 b', 'b = true'),
	('1 o', 'o = 1'),
	('1 u', $$u = '11111111-1111-1111-1111-111111111111'$$),
	('1 d', $$d = '2001-02-03'$$),
	('1 ts', $$ts = '2001-02-03'$$),
	('1 tz', $$tz = '2001-02-03 00:00+00'$$),
	('1 t', $$t = 'one'$$),
	('1 v', $$v = 'one'$$),
	('1 v in', $$v IN ('one', 'none')$$),
	('1 t and v', 't = v AND v = n AND n = $$one$$'),
	('1 e', $$e = 'ok'$$),
	('1 y', $$y = '\x01'$$),
	('1 n', $$n = 'one'::text$$),
	('1 c', $$c = '1'$$),
	('1 w', $$w = 'one'$$),
	('1 tc', $$tc = 'one' COLLATE "C"$$),
	('any d', $$d = '2001-02-03'::timestamp$$),
	('any ts', $$ts = '2001-02-03'::date$$),
	('any num', 'num = 1'),
	('any f', 'f = 1'),
	('any bp', $$bp = 'one'$$),
	('any tc', $$tc = 'one'$$),
	('any t', $$t = 'one' COLLATE careless$$),
	('any iv', $$iv = '24 hours'$$)) AS v(name, condition);
SELECT cardinality(ended_answers());
-- no value is that of the questions
INSERT INTO typed SELECT 2, 2, 2, false, 2, '21111111-1111-1111-1111-111111111111', '2002-02-03', '2002-02-03', '2002-02-03 00:00+00',
	'two', 'two', 'sad', '\x02', 'two', '2', 'two', 2, 2, 'two', 'two', '2 days';
SELECT ended_answers();
-- values that are the same in other words, in a session with other settings
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET bytea_output = 'escape';
UPDATE typed SET num = 1.00, f = 1.0, bp = 'one ', tc = 'ONE', iv = '24 hours', i2 = 1, i8 = 1, b = true, o = 1,
	u = '{11111111-1111-1111-1111-111111111111}', d = '03.02.2001', ts = '03.02.2001 00:00', tz = '03.02.2001 09:00 Asia/Tokyo',
	t = 'one', v = 'one', e = 'ok', y = '\001', n = 'one', c = '1', w = 'one' WHERE id = 2;
RESET TimeZone; RESET DateStyle; RESET bytea_output;
SELECT ended_answers();
DROP TABLE typed;
DELETE FROM question;

-- templates of several columns; tags that are empty
CREATE TABLE pair (a int, b text);
SELECT cache_attach('pair', '{$b,$a-$b}');
INSERT INTO pair VALUES (1, 'x'), (1, ''), (2, '');
INSERT INTO question VALUES
	('1-x', $$SELECT * FROM pair WHERE a = 1 AND b IN ('x', '')$$),
	('1-x or 2-y', $$SELECT * FROM pair WHERE a IN (1, 2) AND b IN ('x', 'y')$$),
	('empty', $$SELECT * FROM pair WHERE b = ''$$),
	('one', $$SELECT * FROM pair WHERE a = 1$$);
SELECT cardinality(ended_answers());
INSERT INTO pair VALUES (3, 'z');
SELECT ended_answers();
INSERT INTO pair VALUES (2, 'y');
SELECT ended_answers();
INSERT INTO pair VALUES (3, '');
SELECT ended_answers();
INSERT INTO pair VALUES (1, '');
SELECT ended_answers();
DROP TABLE pair;
DELETE FROM question;

-- generated columns
CREATE TABLE gen (a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
SELECT cache_attach('gen', '{twice:$twice}');
INSERT INTO question VALUES ('8', 'SELECT * FROM gen WHERE twice = 8'), ('9', 'SELECT * FROM gen WHERE twice = 9');
SELECT cardinality(ended_answers());
INSERT INTO gen VALUES (4);
SELECT ended_answers();
UPDATE gen SET a = 5;
SELECT ended_answers();
DROP TABLE gen;
DELETE FROM question;

-- partitions
CREATE TABLE part (region text, author int, id int, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a');
CREATE TABLE part_b (id int NOT NULL, dropped int, region text NOT NULL, author int);
ALTER TABLE part_b DROP COLUMN dropped;
ALTER TABLE part ATTACH PARTITION part_b FOR VALUES IN ('b');
SELECT cache_attach('part', '{author:$author,region:$region}');
INSERT INTO part VALUES ('a', 5, 1), ('b', 7, 2);
INSERT INTO question VALUES
	('5', 'SELECT * FROM part WHERE author = 5 ORDER BY id'),
	('7', 'SELECT * FROM part WHERE author = 7 ORDER BY id'),
	('7 in b', 'SELECT * FROM part_b WHERE author = 7 ORDER BY id'),
	('a', $$SELECT * FROM part WHERE region = 'a' ORDER BY id$$),
	('all', 'SELECT * FROM part ORDER BY id');
SELECT cardinality(ended_answers());
INSERT INTO part VALUES ('b', 6, 3);
SELECT ended_answers();
INSERT INTO part_b VALUES (4, 'b', 7);
SELECT ended_answers();
UPDATE part SET region = 'a' WHERE id = 2;
SELECT ended_answers();
UPDATE part SET region = 'b' WHERE id = 1;
SELECT ended_answers();
-- with a foreign key, which has its own idea of a move
CREATE TABLE note (region text, id int, FOREIGN KEY (region, id) REFERENCES part ON UPDATE CASCADE);
INSERT INTO note VALUES ('a', 2);
SELECT cardinality(ended_answers());
UPDATE part SET region = 'b' WHERE id = 2;
SELECT ended_answers();
UPDATE part SET region = 'a', author = 5 WHERE id = 2;
SELECT ended_answers();
DROP TABLE note;
-- one more, which has a trigger for rows and none for TRUNCATE
CREATE TABLE part_c PARTITION OF part FOR VALUES IN ('c');
SELECT cardinality(ended_answers());
INSERT INTO part VALUES ('c', 6, 9);
SELECT ended_answers();
TRUNCATE part_c;
SELECT ended_answers();
-- partitions that come and go
ALTER TABLE part DETACH PARTITION part_c;
INSERT INTO part_c VALUES ('c', 7, 10);
SELECT cardinality(ended_answers());
ALTER TABLE part ATTACH PARTITION part_c FOR VALUES IN ('c');
SELECT cardinality(ended_answers());
DELETE FROM part_c;
SELECT ended_answers();
-- one partition does not tell
ALTER TABLE part_c DISABLE TRIGGER cache_invalidate_row;
SELECT cardinality(ended_answers());
INSERT INTO part VALUES ('c', 7, 10);
SELECT ended_answers();
-- each partition by itself
SELECT cache_detach('part');
SELECT cache_attach('part_a', '{author:$author}');
SELECT cache_attach('part_b', '{region:$region,author:$author}');
SELECT cache_attach('part_c', '{author:$author,region:$region}');
SELECT cardinality(ended_answers());
INSERT INTO part VALUES ('a', 6, 11);
SELECT ended_answers();
SELECT invalidate_table('part');
SELECT ended_answers();
DROP TABLE part;
DELETE FROM question;

-- inheritance
CREATE TABLE base (author int, id int);
CREATE TABLE kid (extra int) INHERITS (base);
SELECT cache_attach('base', '{author:$author}');
INSERT INTO base VALUES (5, 1);
INSERT INTO kid VALUES (7, 2);
INSERT INTO question VALUES
	('5', 'SELECT * FROM base WHERE author = 5 ORDER BY id'),
	('7', 'SELECT * FROM base WHERE author = 7 ORDER BY id'),
	('7 only', 'SELECT * FROM ONLY base WHERE author = 7 ORDER BY id'),
	('7 kid', 'SELECT * FROM kid WHERE author = 7 ORDER BY id');
SELECT cardinality(ended_answers());
INSERT INTO kid VALUES (6, 3);
SELECT ended_answers();
UPDATE base SET author = 7 WHERE id = 3;
SELECT ended_answers();
-- a child that is not attached
CREATE TABLE other_kid () INHERITS (base);
SELECT cardinality(ended_answers());
INSERT INTO other_kid VALUES (7, 4);
SELECT ended_answers();
DROP TABLE base CASCADE;
DELETE FROM question;

-- row security: the policy may read other tables
CREATE TABLE membership (member text, author int);
CREATE TABLE guarded (author int, id int);
SELECT cache_attach('membership', '{member:$member}');
SELECT cache_attach('guarded', '{author:$author}');
CREATE POLICY members ON guarded USING (EXISTS (SELECT FROM cache_test.membership m WHERE m.member = 'me' AND m.author = guarded.author));
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE ROLE cache_test_reader;
GRANT SELECT ON guarded, membership TO cache_test_reader;
INSERT INTO guarded VALUES (5, 1), (7, 2);
SET ROLE cache_test_reader;
SELECT how($$cached_query('SELECT * FROM guarded WHERE author = 7')$$);
RESET ROLE;
INSERT INTO guarded VALUES (5, 3);
INSERT INTO membership VALUES ('you', 7);
SET ROLE cache_test_reader;
SELECT how($$cached_query('SELECT * FROM guarded WHERE author = 7')$$);
RESET ROLE;
INSERT INTO membership VALUES ('me', 7);
SET ROLE cache_test_reader;
SELECT how($$cached_query('SELECT * FROM guarded WHERE author = 7')$$);
RESET ROLE;
DROP OWNED BY cache_test_reader;
DROP ROLE cache_test_reader;
\set ECHO none
\i :end

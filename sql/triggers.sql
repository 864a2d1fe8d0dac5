--
-- Invalidation by triggers: cache_attach, cache_detach, cache_invalidate
--
\getenv abs_srcdir PG_ABS_SRCDIR
\set begin :abs_srcdir '/sql/include/begin.sql'
\set end :abs_srcdir '/sql/include/end.sql'
\set ECHO none
\i :begin
\set ECHO all
-- what a table has by way of triggers
CREATE VIEW attached AS
	SELECT tgrelid::regclass AS rel, tgname AS name, tgenabled AS enabled, tgtype & 1 = 1 AS per_row,
		replace(encode(tgargs, 'escape'), '\000', ' ') AS tags
	FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid WHERE p.proname = 'cache_invalidate'
	ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
INSERT INTO probe VALUES ('story'), ('story:1'), ('story:2'), ('story:3'), ('author:10'), ('author:20'), ('author:null'), ('other');

CREATE TABLE story (id int PRIMARY KEY, author int, title text, views int DEFAULT 0);
SELECT cache_attach('story', '{story,story:$id,author:$author}');
TABLE attached;
CALL arm();
SELECT ended();

INSERT INTO story VALUES (1, 10, 'one');
SELECT ended();
INSERT INTO story VALUES (2, 20, 'two'), (3, NULL, 'three');
SELECT ended();
-- both the old and the new value
UPDATE story SET author = 20 WHERE id = 1;
SELECT ended();
UPDATE story SET id = 4 WHERE id = 3;
SELECT ended();
UPDATE story SET id = 3 WHERE id = 4;
SELECT ended();
-- the same value is an update as well
UPDATE story SET title = title WHERE id = 2;
SELECT ended();
DELETE FROM story WHERE id = 3;
SELECT ended();
-- nothing changed, nothing invalidated
SELECT invalidations AS before FROM cache_stats \gset
UPDATE story SET title = 'x' WHERE id = 99;
DELETE FROM story WHERE false;
INSERT INTO story SELECT 5 WHERE false;
INSERT INTO story VALUES (1, 10, 'again') ON CONFLICT DO NOTHING;
SELECT count(*) FROM story;
SELECT count(*) FROM (SELECT * FROM story FOR UPDATE) s;
SELECT invalidations - :before AS invalidated FROM cache_stats;
SELECT ended();
-- once per statement and tag
UPDATE story SET views = views + 1;
SELECT invalidations - :before AS invalidated FROM cache_stats;
SELECT ended();
-- at the end of the transaction, or never
BEGIN;
UPDATE story SET views = views + 1;
ROLLBACK;
SELECT ended();
-- before triggers that suppress a row
CREATE FUNCTION suppress() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER suppress BEFORE UPDATE ON story FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION suppress();
CALL arm();
UPDATE story SET views = 0 WHERE id = 1;
SELECT ended();
DROP TRIGGER suppress ON story;
CALL arm();

-- INSERT ... ON CONFLICT
INSERT INTO story VALUES (1, 10, 'conflict') ON CONFLICT (id) DO UPDATE SET author = EXCLUDED.author;
SELECT ended();
INSERT INTO story VALUES (1, 10, 'conflict') ON CONFLICT (id) DO UPDATE SET author = EXCLUDED.author WHERE false;
SELECT ended();
-- MERGE
MERGE INTO story USING (VALUES (1), (3)) AS v(id) ON story.id = v.id
	WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (v.id, 20, 'merged');
SELECT ended();
MERGE INTO story USING (VALUES (2)) AS v(id) ON story.id = v.id WHEN MATCHED THEN DO NOTHING;
SELECT ended();
-- writes in a CTE
WITH gone AS (DELETE FROM story WHERE id = 3 RETURNING *) SELECT count(*) FROM gone;
SELECT ended();
WITH made AS (INSERT INTO story VALUES (1, 10, 'cte') RETURNING id) UPDATE story SET views = 1 FROM made WHERE story.id = 2;
SELECT ended();
-- COPY
COPY story (id, author, title) FROM STDIN;
3	10	copied
\.
SELECT ended();
COPY story (id, author, title) FROM STDIN WHERE id > 100;
4	10	left out
\.
SELECT ended();
-- a trigger of another table, a function, a rule
CREATE TABLE audit (story int);
CREATE FUNCTION count_view() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE cache_test.story SET views = views + 1 WHERE id = NEW.story;
	RETURN NULL;
END
$$;
CREATE TRIGGER count_view AFTER INSERT ON audit FOR EACH ROW EXECUTE FUNCTION count_view();
CREATE VIEW story_titles AS SELECT id, title FROM story;
CALL arm();
INSERT INTO audit VALUES (1);
SELECT ended();
UPDATE story_titles SET title = 'through a view' WHERE id = 2;
SELECT ended();
-- TRUNCATE: which rows went is not known, so everything ends
TRUNCATE story;
SELECT ended();
BEGIN;
TRUNCATE story;
ROLLBACK;
SELECT ended();
-- deferred constraints, checked at commit
CREATE TABLE author (id int PRIMARY KEY);
ALTER TABLE story ADD FOREIGN KEY (author) REFERENCES author ON UPDATE CASCADE ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
INSERT INTO author VALUES (10), (20);
INSERT INTO story VALUES (1, 10, 'one'), (2, 20, 'two');
CALL arm();
-- cascades
UPDATE author SET id = 30 WHERE id = 10;
SELECT ended();
DELETE FROM author WHERE id = 20;
SELECT ended();
TRUNCATE author CASCADE;
SELECT ended();

-- logical replication: the triggers are always enabled
SET session_replication_role = replica;
INSERT INTO story VALUES (1, NULL, 'replicated');
SELECT ended();
SET session_replication_role = local;
DELETE FROM story;
SELECT ended();
RESET session_replication_role;

-- attached again: the new tags take the place of the old ones
SELECT cache_attach('story');
TABLE attached;
SELECT cache_attach('story', '{other}');
TABLE attached;
CALL arm();
INSERT INTO story VALUES (1, NULL, 'one');
SELECT ended();
TRUNCATE story;
SELECT ended();
SELECT cache_detach('story');
TABLE attached;
SELECT cache_detach('story');
CALL arm();
INSERT INTO story VALUES (1, NULL, 'one');
SELECT ended();
SELECT cache_detach(NULL);

-- templates
CREATE TABLE "Odd $ name" (id int, "Odd } Name" text, "größe" int, a$b int, "select" text, camel int, "Camel" int,
	stamp timestamptz, f float8, n numeric, b bytea, e text[], day date, flag bool, twice int GENERATED ALWAYS AS (id * 2) STORED);
SELECT cache_attach('"Odd $ name"');
TABLE attached;
SELECT cache_attach('"Odd $ name"', ARRAY['$id', '$$$id$$', 'x${id}y', '$größe', '${größe}', '${select}', '$camel', '$Camel', '${Camel}',
	'$select', '$id$id', '${id}${camel}', '$ID', '$twice', 'é$id', '$id-$camel', 'plain', '{"a,b"}', '''', '\', ' ']);
TABLE attached;
SELECT cache_attach('"Odd $ name"', ARRAY['$stamp', '$f', '$n', '$b', '$e', '$day', '$flag']);
DELETE FROM probe;
INSERT INTO probe VALUES ('2000-01-01 00:00:00+00'), ('0.1'), ('0.3333333333333333'), ('1.50'), ('\x0001'), ('{1,NULL,"a b"}'), ('2000-01-02'), ('t'), ('true'), ('null');
CALL arm();
SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET extra_float_digits = -10; SET bytea_output = 'escape';
INSERT INTO "Odd $ name" (stamp, f, n, b, e, day, flag) VALUES ('2000-01-01 00:00+00', 1::float8 / 3, 1.50, '\x0001', '{1,NULL,a b}', '2000-01-02', true);
SHOW DateStyle; SHOW extra_float_digits;
RESET TimeZone; RESET DateStyle; RESET extra_float_digits; RESET bytea_output;
SELECT ended();
-- values make tags by themselves: they are not templates
SELECT cache_attach('"Odd $ name"', ARRAY['select:${select}']);
DELETE FROM probe;
INSERT INTO probe VALUES ('select:$id'), ('select:'), ('select:null'), ('select:a,b');
CALL arm();
INSERT INTO "Odd $ name" ("select") VALUES ('$id');
SELECT ended();
INSERT INTO "Odd $ name" ("select") VALUES ('');
SELECT ended();
INSERT INTO "Odd $ name" ("select") VALUES (NULL);
SELECT ended();
UPDATE "Odd $ name" SET "select" = 'a,b' WHERE "select" = '';
SELECT ended();
-- a tag that is nothing but an empty value
SELECT cache_attach('"Odd $ name"', '{$select}');
INSERT INTO "Odd $ name" ("select") VALUES ('');
-- what is wrong with them
SELECT cache_attach('"Odd $ name"', '{}');
SELECT cache_attach('"Odd $ name"', '{NULL}');
SELECT cache_attach('"Odd $ name"', '{""}');
SELECT cache_attach('"Odd $ name"', '{$missing}');
SELECT cache_attach('"Odd $ name"', '{$größe2}');
SELECT cache_attach('"Odd $ name"', ARRAY['${ID}']);
SELECT cache_attach('"Odd $ name"', ARRAY['${Odd } Name}']);
SELECT cache_attach('"Odd $ name"', '{a$}');
SELECT cache_attach('"Odd $ name"', '{$1}');
SELECT cache_attach('"Odd $ name"', ARRAY['${}']);
SELECT cache_attach('"Odd $ name"', ARRAY['${id']);
SELECT cache_attach('"Odd $ name"', ARRAY['$ id']);
SELECT cache_attach('"Odd $ name"', '{$ctid}');
DROP TABLE "Odd $ name";

-- columns that come to be missing
CREATE TABLE changing (id int, a int, b int);
SELECT cache_attach('changing', '{changing:$a}');
ALTER TABLE changing DROP COLUMN b;
INSERT INTO changing VALUES (1, 1);
ALTER TABLE changing RENAME a TO c;
INSERT INTO changing VALUES (2, 2);
ALTER TABLE changing RENAME c TO a;
INSERT INTO changing VALUES (2, 2);
ALTER TABLE changing DROP COLUMN a;
INSERT INTO changing VALUES (3);
DELETE FROM changing WHERE id = 1;
TRUNCATE changing;
SELECT cache_attach('changing', '{changing}');
INSERT INTO changing VALUES (3);
-- the type of a column changes, and with it what becomes of its value
SELECT cache_attach('changing', '{id:$id}');
DELETE FROM probe;
INSERT INTO probe VALUES ('id:5'), ('id:5.0'), ('changing'), ('renamed');
ALTER TABLE changing ALTER id TYPE numeric(4,1);
CALL arm();
INSERT INTO changing VALUES (5);
SELECT ended();
-- without tags, the name is that of when it was attached
SELECT cache_attach('changing');
ALTER TABLE changing RENAME TO renamed;
CALL arm();
INSERT INTO renamed VALUES (6);
SELECT ended();
DROP TABLE renamed;

-- partitions
CREATE TABLE part (id int, k int) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20) PARTITION BY LIST (k);
CREATE TABLE part_2_1 PARTITION OF part_2 FOR VALUES IN (1);
SELECT cache_attach('part', '{part}');
TABLE attached;
DELETE FROM probe;
INSERT INTO probe VALUES ('part'), ('part_1'), ('part:1'), ('part:11');
CALL arm();
INSERT INTO part VALUES (1, 1);
SELECT ended();
INSERT INTO part_1 VALUES (2, 1);
SELECT ended();
INSERT INTO part VALUES (11, 1);
SELECT ended();
INSERT INTO part_2_1 VALUES (12, 1);
SELECT ended();
-- from one partition to another
UPDATE part SET id = 13 WHERE id = 1;
SELECT ended();
TRUNCATE part_2_1;
SELECT ended();
TRUNCATE part;
SELECT ended();
SELECT invalidate_table('part_2_1');
SELECT ended();
-- made later
CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM (20) TO (30);
CALL arm();
INSERT INTO part_3 VALUES (21);
SELECT ended();
TRUNCATE part_3;
SELECT ended();
CREATE TABLE part_4 (id int, k int);
ALTER TABLE part ATTACH PARTITION part_4 FOR VALUES FROM (30) TO (40);
CALL arm();
COPY part_4 FROM STDIN;
31	1
\.
SELECT ended();
ALTER TABLE part DETACH PARTITION part_4;
CALL arm();
INSERT INTO part_4 VALUES (31);
SELECT ended();
DROP TABLE part_4;
SELECT cache_attach('part_1');
SELECT cache_attach('part_2');
SELECT cache_detach('part_1');
SELECT cache_attach('part', '{part:$id}');
CALL arm();
INSERT INTO part VALUES (1, 1);
SELECT ended();
UPDATE part SET id = 11 WHERE id = 1;
SELECT ended();
TRUNCATE part_3;
SELECT ended();
SELECT cache_detach('part');
TABLE attached;
-- a partition by itself, then the whole
SELECT cache_attach('part_1', '{part_1}');
SELECT cache_attach('part', '{part}');
SELECT cache_detach('part_1');
SELECT cache_attach('part', '{part}');
SELECT cache_detach('part');
DROP TABLE part;

-- tables that inherit
CREATE TABLE parent (id int);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE TABLE grandchild () INHERITS (child);
SELECT cache_attach('parent', '{parent:$id}');
TABLE attached;
SELECT cache_attach('grandchild', '{grandchild}');
SELECT cache_detach('child');
DELETE FROM probe;
INSERT INTO probe VALUES ('parent:1'), ('parent:2'), ('parent');
CALL arm();
INSERT INTO child VALUES (1);
SELECT ended();
INSERT INTO grandchild VALUES (2);
SELECT ended();
UPDATE parent SET id = 1 WHERE id = 2;
SELECT ended();
DELETE FROM ONLY parent;
SELECT ended();
TRUNCATE ONLY parent;
SELECT ended();
SELECT cache_detach('parent');
TABLE attached;
SELECT cache_attach('child', '{child}');
SELECT cache_attach('parent', '{parent}');
SELECT cache_detach('parent');
TABLE attached;
SELECT cache_detach('child');
TABLE attached;
DROP TABLE parent CASCADE;

-- what cannot be attached, and by whom
CREATE VIEW a_view AS SELECT 1 AS a;
CREATE MATERIALIZED VIEW a_matview AS SELECT 1 AS a;
CREATE SEQUENCE a_sequence;
CREATE TEMP TABLE a_temp (a int);
CREATE TYPE a_type AS (a int);
SELECT cache_attach('a_view');
SELECT cache_attach('a_matview');
SELECT cache_attach('a_sequence');
SELECT cache_attach('a_temp');
SELECT cache_attach('a_type');
SELECT cache_attach('pg_class');
SELECT cache_attach('story_pkey');
SELECT cache_attach('missing');
SELECT cache_attach(NULL);
SELECT cache_attach(NULL, '{a}');
SELECT cache_detach('a_view');
DROP TABLE a_temp;
CREATE ROLE regress_cache_triggers;
GRANT ALL ON story TO regress_cache_triggers;
SET ROLE regress_cache_triggers;
SELECT cache_attach('story');
SELECT cache_detach('story');
RESET ROLE;
-- an owner may, and whoever then writes needs nothing more
GRANT CREATE ON SCHEMA cache_test TO regress_cache_triggers;
SET ROLE regress_cache_triggers;
CREATE TABLE owned (id int);
SELECT cache_attach('owned', '{owned:$id}');
INSERT INTO owned VALUES (1);
SELECT cache_detach('owned');
RESET ROLE;
DROP TABLE owned;
REVOKE ALL ON story FROM regress_cache_triggers;
REVOKE ALL ON SCHEMA cache_test FROM regress_cache_triggers;
DROP ROLE regress_cache_triggers;

-- triggers by hand
CREATE TABLE handmade (id int, a int, b int);
CREATE TRIGGER by_hand AFTER INSERT OR UPDATE OF a OR DELETE ON handmade
	FOR EACH ROW EXECUTE FUNCTION cache_invalidate('handmade:$id', 'a:$a');
DELETE FROM probe;
INSERT INTO probe VALUES ('handmade'), ('handmade:1'), ('a:1'), ('a:2'), ('total');
CALL arm();
INSERT INTO handmade VALUES (1, 1, 1);
SELECT ended();
UPDATE handmade SET b = 2;
SELECT ended();
UPDATE handmade SET a = 2;
SELECT ended();
-- without arguments: the name of the table
CREATE TRIGGER by_statement AFTER INSERT OR UPDATE OR DELETE ON handmade FOR EACH STATEMENT EXECUTE FUNCTION cache_invalidate();
CALL arm();
UPDATE handmade SET b = 3;
SELECT ended();
-- once per statement, whether or not a row changed, is what CREATE TRIGGER says
UPDATE handmade SET b = 3 WHERE false;
SELECT ended();
CREATE TRIGGER on_condition AFTER UPDATE ON handmade FOR EACH ROW WHEN (OLD.b <> NEW.b) EXECUTE FUNCTION cache_invalidate('total');
DROP TRIGGER by_statement ON handmade;
CALL arm();
UPDATE handmade SET b = 3;
SELECT ended();
UPDATE handmade SET b = 4;
SELECT ended();
ALTER TABLE handmade DISABLE TRIGGER on_condition;
CALL arm();
UPDATE handmade SET b = 5;
SELECT ended();
-- by hand and attached
SELECT cache_attach('handmade', '{handmade}');
SELECT cache_detach('handmade');
TABLE attached;
DROP TRIGGER on_condition ON handmade;
DROP TRIGGER by_hand ON handmade;
-- such as will not do
CREATE TRIGGER before_it BEFORE INSERT ON handmade FOR EACH ROW EXECUTE FUNCTION cache_invalidate();
INSERT INTO handmade VALUES (2);
DROP TRIGGER before_it ON handmade;
CREATE TRIGGER bad_column AFTER INSERT ON handmade FOR EACH ROW EXECUTE FUNCTION cache_invalidate('$missing');
INSERT INTO handmade VALUES (2);
DROP TRIGGER bad_column ON handmade;
CREATE TRIGGER instead INSTEAD OF INSERT ON a_view FOR EACH ROW EXECUTE FUNCTION cache_invalidate();
INSERT INTO a_view VALUES (1);
SELECT cache_invalidate();
SELECT count(*) FROM handmade WHERE id = 2;
-- one of our names that is not ours
CREATE TRIGGER cache_invalidate_row AFTER INSERT ON handmade FOR EACH ROW EXECUTE FUNCTION suppress();
SELECT cache_attach('handmade');
SELECT cache_detach('handmade');
TABLE attached;

-- in a transaction that is rolled back
BEGIN;
SELECT cache_attach('audit');
ROLLBACK;
TABLE attached;
\set ECHO none
\i :end

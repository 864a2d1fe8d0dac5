-- story_platform.sql: a tutorial in psql.  A small platform where people write
-- stories, comment on them and are notified, with its cached queries and what
-- keeps them fresh.
--
--	psql -v ON_ERROR_STOP=1 -f story_platform.sql DATABASE
--
-- Wants a superuser and a server with shared_preload_libraries = 'cache'.  It
-- lives in its own schema, can be run again, and checks itself: wherever it says
-- that something was served from the cache, it has looked.
--
-- Every statement is a transaction of its own, as a transaction that has
-- written executes what it reads from the tables that it has changed.

\set QUIET on
\set VERBOSITY terse
\pset footer off
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS cache;
SELECT extnamespace::regnamespace AS cache_schema
	FROM pg_extension WHERE extname = 'cache' \gset

DROP SCHEMA IF EXISTS story_platform CASCADE;
CREATE SCHEMA story_platform;
SET search_path = story_platform, :cache_schema, pg_catalog;

\echo
\echo '== 1. The platform: users, stories, comments, notifications'

CREATE TABLE users (
	id int PRIMARY KEY,
	name text NOT NULL,
	bio text NOT NULL
);
CREATE TABLE story (
	id int PRIMARY KEY,
	author_id int NOT NULL REFERENCES users,
	title text NOT NULL,
	body text NOT NULL,
	featured boolean NOT NULL,
	views int NOT NULL DEFAULT 0,
	published timestamptz NOT NULL
);
CREATE TABLE comment (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	story_id int NOT NULL REFERENCES story ON DELETE CASCADE,
	user_id int NOT NULL REFERENCES users,
	body text NOT NULL
);
CREATE TABLE notification (
	id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	user_id int NOT NULL REFERENCES users,
	message text NOT NULL,
	unread boolean NOT NULL DEFAULT true
);

INSERT INTO users
	SELECT i, 'user ' || i, 'writes about subject ' || i % 17
	FROM generate_series(1, 200) i;
INSERT INTO story
	SELECT i, 1 + i % 200, 'Story ' || i, repeat('word ' || i % 97 || ' ', 50),
		i % 50 = 0, i * 7919 % 10007, timestamptz '2024-01-01 00:00 UTC' + i * interval '1 hour'
	FROM generate_series(1, 3000) i;
INSERT INTO comment (story_id, user_id, body)
	SELECT 1 + i * 31 % 3000, 1 + i * 17 % 200, 'Comment ' || i
	FROM generate_series(1, 9000) i;
INSERT INTO notification (user_id, message)
	SELECT 1 + i % 200, 'Notification ' || i
	FROM generate_series(1, 4000) i;
CREATE INDEX ON story (author_id);
CREATE INDEX ON comment (story_id);
CREATE INDEX ON notification (user_id);
ANALYZE users, story, comment, notification;

-- How the tutorial checks itself: mark() remembers the counters of this
-- database, expect() compares how far they have moved since.
CREATE TABLE counters (hits bigint, misses bigint);
INSERT INTO counters VALUES (0, 0);
CREATE FUNCTION counted(OUT hits bigint, OUT misses bigint) LANGUAGE sql AS $$
	SELECT coalesce(sum(s.hits), 0), coalesce(sum(s.misses), 0)
	FROM cache_query_stats s
	WHERE s.datid = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;
CREATE PROCEDURE mark() LANGUAGE sql AS $$
	UPDATE counters SET (hits, misses) = (SELECT hits, misses FROM counted())
$$;
CREATE PROCEDURE expect(what text, executed bigint, served bigint) LANGUAGE plpgsql AS $$
DECLARE
	now record;
	old record;
BEGIN
	SELECT * INTO now FROM counted();
	SELECT * INTO old FROM counters;
	IF (now.misses - old.misses, now.hits - old.hits) <> (executed, served) THEN
		RAISE EXCEPTION '%: % executed and % served from the cache, expected % and %',
			what, now.misses - old.misses, now.hits - old.hits, executed, served;
	END IF;
	UPDATE counters SET (hits, misses) = (SELECT now.hits, now.misses);
END
$$;
CREATE FUNCTION check_that(what text, truth boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF truth IS NOT TRUE THEN
		RAISE EXCEPTION 'not so: %', what;
	END IF;
END
$$;
-- What is only checked, not shown, goes there.
\set check '\\g /dev/null'

SELECT cache_flush() :check
SELECT cache_reset_stats() :check
CALL mark();

\echo
\echo '== 2. Any query: cached_query(query, ttl, tags)'
\echo '-- Each row is returned as a json object.  The first call executes the query ...'

SELECT cached_query('SELECT id, title FROM story WHERE featured ORDER BY published DESC LIMIT 3',
	300, '{story}');
CALL expect('first call', 1, 0);

\echo '-- ... and the next ones, in any session, are served the stored result.'

SELECT cached_query('SELECT id, title FROM story WHERE featured ORDER BY published DESC LIMIT 3',
	300, '{story}') :check
CALL expect('second call', 0, 1);

\echo '-- cached_rows returns typed rows, which can be joined and aggregated.'

SELECT title, published::date AS published
	FROM cached_rows('SELECT title, published FROM story WHERE featured ORDER BY published DESC LIMIT 3',
		300, '{story}') AS t (title text, published timestamptz);
CALL expect('rows', 1, 0);
SELECT count(*)
	FROM cached_rows('SELECT title, published FROM story WHERE featured ORDER BY published DESC LIMIT 3',
		300, '{story}') AS t (title text, published timestamptz) :check
CALL expect('rows again', 0, 1);

\echo '-- Parameters follow the tags.  Every set of values has its own result, and'
\echo '-- each result its own tags: here those of one author.'

SELECT cached_query('SELECT count(*) AS stories, sum(views) AS views FROM story WHERE author_id = $1',
	300, '{author:7}', 7);
SELECT cached_query('SELECT count(*) AS stories, sum(views) AS views FROM story WHERE author_id = $1',
	300, '{author:8}', 8);
CALL expect('two authors', 2, 0);

\echo
\echo '== 3. Triggers: writes invalidate'
\echo '-- A tag may be a template: $id is that column of the old and of the new row.'

SELECT cache_attach('users', '{users,author:$id}') :check
SELECT cache_attach('story', '{story,story:$id,author:$author_id}') :check
SELECT cache_attach('comment', '{story:$story_id}') :check
SELECT cache_attach('notification', '{inbox:$user_id}') :check

-- A new trigger is a new definition, and every result depends on the
-- definitions: what was cached before is not served any more.
SELECT cached_query('SELECT count(*) AS stories, sum(views) AS views FROM story WHERE author_id = $1',
	300, format('{author:%s}', author)::text[], author)
	FROM unnest(ARRAY[7, 8]) author :check
CALL mark();

\echo '-- A reader views a story of author 7.  The result of author 7 is computed anew;'
\echo '-- that of author 8 is still served.'

SELECT views FROM cached_rows('SELECT count(*), sum(views) FROM story WHERE author_id = $1',
	300, '{author:7}', 7) AS t (stories bigint, views bigint) \gset before_
UPDATE story SET views = views + 1000 WHERE id = 6;
SELECT views FROM cached_rows('SELECT count(*), sum(views) FROM story WHERE author_id = $1',
	300, '{author:7}', 7) AS t (stories bigint, views bigint) \gset after_
SELECT :before_views AS before, :after_views AS after;
SELECT check_that('the new answer is seen', :after_views = :before_views + 1000) :check
CALL mark();
SELECT cached_query('SELECT count(*) AS stories, sum(views) AS views FROM story WHERE author_id = $1',
	300, '{author:7}', 7) :check
CALL expect('the author whose story was read', 1, 0);
SELECT cached_query('SELECT count(*) AS stories, sum(views) AS views FROM story WHERE author_id = $1',
	300, '{author:8}', 8) :check
CALL expect('another author', 0, 1);

\echo '-- The same with comments: the pages of stories 10 and 11, and a comment on 10.'

SELECT cached_query('SELECT s.title, count(c.id) AS comments FROM story s
		LEFT JOIN comment c ON c.story_id = s.id WHERE s.id = $1 GROUP BY s.id',
	300, format('{story:%s}', id)::text[], id)
	FROM unnest(ARRAY[10, 11]) id;
CALL expect('two story pages', 2, 0);
INSERT INTO comment (story_id, user_id, body) VALUES (10, 3, 'I liked this one');
SELECT cached_query('SELECT s.title, count(c.id) AS comments FROM story s
		LEFT JOIN comment c ON c.story_id = s.id WHERE s.id = $1 GROUP BY s.id',
	300, format('{story:%s}', id)::text[], id)
	FROM unnest(ARRAY[10, 11]) id;
CALL expect('after a comment on one of them', 1, 1);

\echo '-- A row that moves invalidates both results: the comment goes from story 10 to 11.'

UPDATE comment SET story_id = 11 WHERE story_id = 10 AND body = 'I liked this one';
SELECT cached_query('SELECT s.title, count(c.id) AS comments FROM story s
		LEFT JOIN comment c ON c.story_id = s.id WHERE s.id = $1 GROUP BY s.id',
	300, format('{story:%s}', id)::text[], id)
	FROM unnest(ARRAY[10, 11]) id;
CALL expect('after moving it', 2, 0);

\echo '-- The inbox of user 5, and a notification for this user, then for another.'

SELECT n->>'unread' AS unread
	FROM cached_query('SELECT count(*) AS unread FROM notification WHERE user_id = $1 AND unread',
		300, '{inbox:5}', 5) n;
INSERT INTO notification (user_id, message) VALUES (5, 'user 3 commented on your story');
SELECT n->>'unread' AS unread
	FROM cached_query('SELECT count(*) AS unread FROM notification WHERE user_id = $1 AND unread',
		300, '{inbox:5}', 5) n;
CALL expect('own inbox', 2, 0);
INSERT INTO notification (user_id, message) VALUES (6, 'user 3 commented on your story');
SELECT cached_query('SELECT count(*) AS unread FROM notification WHERE user_id = $1 AND unread',
	300, '{inbox:5}', 5) :check
CALL expect('inbox of another', 0, 1);

\echo
\echo '== 4. Transactions'
\echo '-- Until it commits, only its own transaction sees a change.  A rollback'
\echo '-- invalidates nothing.'

BEGIN;
UPDATE notification SET unread = false WHERE user_id = 5;
SELECT n->>'unread' AS unread
	FROM cached_query('SELECT count(*) AS unread FROM notification WHERE user_id = $1 AND unread',
		300, '{inbox:5}', 5) n \gset inside_
ROLLBACK;
SELECT n->>'unread' AS unread
	FROM cached_query('SELECT count(*) AS unread FROM notification WHERE user_id = $1 AND unread',
		300, '{inbox:5}', 5) n \gset outside_
SELECT :inside_unread AS inside, :outside_unread AS after_rollback;
SELECT check_that('a transaction reads its own writes', :inside_unread = 0) :check
SELECT check_that('a rollback is nothing', :outside_unread = 21) :check
CALL mark();
SELECT cached_query('SELECT count(*) AS unread FROM notification WHERE user_id = $1 AND unread',
	300, '{inbox:5}', 5) :check
CALL expect('after the rollback', 0, 1);

\echo
\echo '== 5. Policies and named queries'
\echo '-- A policy is a row: how long a result lives, its tags, and more.'

SELECT cache_undefine(name) FROM cache_queries
	WHERE name IN ('trending', 'search', 'author page') :check
DELETE FROM cache_policies WHERE name = 'author page';
INSERT INTO cache_policies (name, ttl, tags, stale, max_entry_size)
	VALUES ('author page', 900, '{author pages}', 30, 65536);
UPDATE cache_policies SET tags = '{trending}' WHERE name = 'trending';
UPDATE cache_policies SET ttl = 90, tags = '{story}' WHERE name = 'search_results';
SELECT name, ttl, tags, stale, max_entry_size, builtin FROM cache_policies ORDER BY name;
SELECT check_that('a changed policy is not the built-in one',
	NOT builtin) FROM cache_policies WHERE name = 'trending' :check

\echo '-- A query is defined once and called by name; its parameters are $1, $2, ...'

SELECT cache_define('trending', '
	SELECT s.id, s.title, s.views + 50 * count(c.id) AS score
	FROM story s LEFT JOIN comment c ON c.story_id = s.id
	GROUP BY s.id ORDER BY score DESC, s.id LIMIT $1',
	policy => 'trending') :check
SELECT cache_define('search', '
	SELECT id, title FROM story
	WHERE to_tsvector(''english'', body) @@ plainto_tsquery(''english'', $1)
	ORDER BY published DESC LIMIT 3',
	policy => 'search_results') :check
SELECT cache_define('author page', '
	SELECT u.name, u.bio, count(s.id) AS stories
	FROM users u LEFT JOIN story s ON s.author_id = u.id
	WHERE u.id = $1 GROUP BY u.id',
	policy => 'author page') :check
CALL mark();

SELECT cached('trending', 3);
SELECT cached('trending', 3) :check
CALL expect('trending', 1, 1);
SELECT cached('search', 'word 42'::text);
SELECT cached('search', 'word 42'::text) :check
CALL expect('search', 1, 1);

\echo '-- The list of what is trending does not carry the tag of the stories, so that'
\echo '-- not every view invalidates it: it lives for its ttl, or until a job invalidates it.'

UPDATE story SET views = views + 100000 WHERE id = 1;
SELECT t->>'id' AS id FROM cached('trending', 1) t :check
CALL expect('trending, a top of one', 1, 0);
UPDATE story SET views = views + 200000 WHERE id = 2;
SELECT t->>'id' AS id FROM cached('trending', 1) t \gset before_
CALL expect('trending after a view', 0, 1);
SELECT invalidate_tags('{trending}') :check
SELECT t->>'id' AS id FROM cached('trending', 1) t \gset after_
CALL expect('trending after the job', 1, 0);
SELECT :before_id AS before, :after_id AS after;
SELECT check_that('the old list was served, then the new one',
	:before_id = 1 AND :after_id = 2) :check

\echo '-- invalidate_query invalidates the results of a named query, for one set of'
\echo '-- parameters or for all.'

SELECT cached('author page', author) FROM unnest(ARRAY[7, 8]) author;
CALL expect('two author pages', 2, 0);
SELECT invalidate_query('author page', 7) :check
SELECT cached('author page', 7) :check
CALL expect('the invalidated page', 1, 0);
SELECT cached('author page', 8) :check
CALL expect('the other page', 0, 1);
SELECT invalidate_query('author page') :check
SELECT cached('author page', author) FROM unnest(ARRAY[7, 8]) author :check
CALL expect('both pages', 2, 0);

\echo
\echo '== 6. No tags at all'
\echo '-- A result with an empty list of tags lives for its ttl, whatever is written.'

SELECT u->>'users' AS users
	FROM cached_query('SELECT count(*) AS users FROM users', 60, '{}') u \gset before_
INSERT INTO users VALUES (201, 'user 201', 'new here');
SELECT u->>'users' AS users
	FROM cached_query('SELECT count(*) AS users FROM users', 60, '{}') u \gset after_
CALL expect('time to live only', 1, 1);
SELECT :before_users AS before, :after_users AS after;
SELECT check_that('the old answer is served', :before_users = :after_users) :check

\echo '-- Without the argument the cache itself finds out what the result depends on:'
\echo '-- any committed change to users invalidates it, with no trigger and no tag.'

CALL mark();
SELECT u->>'users' AS users
	FROM cached_query('SELECT count(*) AS users FROM users') u \gset before_
INSERT INTO users VALUES (202, 'user 202', 'newer still');
SELECT u->>'users' AS users
	FROM cached_query('SELECT count(*) AS users FROM users') u \gset after_
CALL expect('automatic', 2, 0);
SELECT :before_users AS before, :after_users AS after;
SELECT check_that('the new answer is there', :before_users + 1 = :after_users) :check

\echo
\echo '== 7. Looking inside'
\echo '-- What is in shared memory: cache_entries.'

SELECT left(btrim(regexp_replace(query, '\s+', ' ', 'g')), 46) AS query, tags, size, hits,
		extract(epoch FROM ttl_left)::int > 0 AS alive
	FROM cache_entries
	WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())
	ORDER BY query, tags;
SELECT check_that('the story pages carry their tags',
	count(*) FILTER (WHERE '{story:10}' = tags) = 1
	AND count(*) FILTER (WHERE '{story:11}' = tags) = 1)
	FROM cache_entries
	WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database()) :check

\echo '-- How each query did: cache_query_stats.'

SELECT left(btrim(regexp_replace(query, '\s+', ' ', 'g')), 46) AS query, calls, hits, misses,
		round(fill_time::numeric, 2) AS fill_ms, bytes
	FROM cache_query_stats
	WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())
	ORDER BY calls DESC, query;

\echo '-- And the whole server: cache_stats.'

\x on
SELECT * FROM cache_stats;
\x off
SELECT check_that('every structure adds up', true) FROM cache_verify() :check
SELECT check_that('there were hits and misses', l1_hits > 0 AND misses > 0 AND fills > 0
	AND invalidations > 0 AND hit_rate BETWEEN 0 AND 1) FROM cache_stats :check

\echo
\echo '== 8. Invalidate everything: cache_flush'

SELECT cache_flush() :check
SELECT check_that('no entry can be served', count(*) = 0)
	FROM cache_entries
	WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database()) :check
CALL mark();
SELECT cached_query('SELECT count(*) AS users FROM users', 60, '{}');
CALL expect('after a flush', 1, 0);

-- Leave nothing behind but the schema.
SELECT cache_undefine(name) FROM cache_queries
	WHERE name IN ('trending', 'search', 'author page') :check
DELETE FROM cache_policies WHERE name = 'author page';
UPDATE cache_policies SET tags = NULL WHERE name = 'trending';
UPDATE cache_policies SET ttl = 120, tags = NULL WHERE name = 'search_results';

\echo
\echo '== Done; everything was as expected.'

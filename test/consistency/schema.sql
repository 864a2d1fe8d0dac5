-- What the consistency checker reads and writes.
--
-- Rows with small ids are permanent: no committed change takes one away, and
-- every committed change of one raises its version.  So sums of their versions
-- only ever grow, and a cached one can be bounded by what plain queries before
-- and after it give.  Rows with ids above 1000 come and go.
--
-- Roles torture_app1 and torture_app2 may read everything, the former may
-- write; torture_none may read next to nothing.  Roles belong to the cluster,
-- so they may be there already.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY '{torture_app1,torture_app2,torture_none}'::text[] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
			EXECUTE format('CREATE ROLE %I', r);
		END IF;
	END LOOP;
END$$;

CREATE EXTENSION cache;
CREATE SCHEMA t;
CREATE SCHEMA alt;
SET search_path = t, public;

-- Held by commands that change definitions, against who compares.
CREATE TABLE ddl_gate ();
-- Held by REFRESH.
CREATE TABLE mv_gate ();

-- A table with a trigger that writes to another one.
CREATE TABLE plain (
	id int PRIMARY KEY, grp int NOT NULL, ver bigint NOT NULL, val int NOT NULL);
CREATE TABLE tally (grp int PRIMARY KEY, ver bigint NOT NULL);
INSERT INTO tally SELECT g, 1 FROM generate_series(0, 3) g;
INSERT INTO plain SELECT i, i % 4, 1, i FROM generate_series(1, 40) i;

CREATE FUNCTION count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE t.tally SET ver = ver + 1
		WHERE grp = CASE WHEN tg_op = 'DELETE' THEN old.grp ELSE new.grp END;
	RETURN NULL;
END$$;
CREATE TRIGGER count_change AFTER INSERT OR UPDATE OR DELETE ON plain
	FOR EACH ROW EXECUTE FUNCTION count_change();

-- Partitions, of which one has partitions, and one comes and goes.
CREATE TABLE part (
	region text, id int, grp int NOT NULL, ver bigint NOT NULL, val int NOT NULL,
	PRIMARY KEY (region, id)) PARTITION BY LIST (region);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a') PARTITION BY RANGE (id);
CREATE TABLE part_a1 PARTITION OF part_a FOR VALUES FROM (MINVALUE) TO (16);
CREATE TABLE part_a2 PARTITION OF part_a FOR VALUES FROM (16) TO (MAXVALUE);
CREATE TABLE part_b PARTITION OF part FOR VALUES IN ('b');
CREATE TABLE part_c PARTITION OF part FOR VALUES IN ('c');
CREATE TABLE part_x PARTITION OF part FOR VALUES IN ('x');
INSERT INTO part SELECT substr('abc', 1 + i % 3, 1), i, i % 4, 1, i FROM generate_series(1, 30) i;
INSERT INTO part SELECT 'x', i, i % 4, 1, i FROM generate_series(1001, 1004) i;

-- Only what comes and goes: partitions to truncate, with what refers to them.
CREATE TABLE waste (kind int, id int, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
CREATE TABLE waste_1 PARTITION OF waste FOR VALUES IN (1);
CREATE TABLE waste_2 PARTITION OF waste FOR VALUES IN (2) PARTITION BY RANGE (id);
CREATE TABLE waste_21 PARTITION OF waste_2 FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
CREATE TABLE waste_note (
	kind int, id int, note text, FOREIGN KEY (kind, id) REFERENCES waste ON DELETE CASCADE);

-- A foreign key that cascades.
CREATE TABLE parent (id int PRIMARY KEY, grp int NOT NULL, ver bigint NOT NULL);
CREATE TABLE child (
	id int PRIMARY KEY, ver bigint NOT NULL,
	parent int NOT NULL REFERENCES parent ON UPDATE CASCADE ON DELETE CASCADE);
CREATE INDEX ON child (parent);
INSERT INTO parent SELECT i, i % 4, 1 FROM generate_series(1, 12) i;
INSERT INTO child SELECT i, 1, 1 + i % 12 FROM generate_series(1, 24) i;

-- Inheritance.
CREATE TABLE base (id int, ver bigint NOT NULL);
CREATE TABLE kid (extra int) INHERITS (base);
INSERT INTO base SELECT i, 1 FROM generate_series(1, 8) i;
INSERT INTO kid SELECT i, 1, i FROM generate_series(9, 16) i;

-- Attached tables, of which queries read the rows of one author.  Permanent
-- posts stay with theirs, others do not.
CREATE TABLE writer (id int PRIMARY KEY, ver bigint NOT NULL);
CREATE TABLE post (
	id int PRIMARY KEY, author int NOT NULL, ver bigint NOT NULL, val int NOT NULL);
CREATE TABLE post_part (
	region text, id int, author int NOT NULL, ver bigint NOT NULL, PRIMARY KEY (region, id))
	PARTITION BY LIST (region);
CREATE TABLE post_part_a PARTITION OF post_part FOR VALUES IN ('a');
CREATE TABLE post_part_b PARTITION OF post_part FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE post_part_b1 PARTITION OF post_part_b FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
CREATE TABLE post_base (id int, author int NOT NULL, ver bigint NOT NULL);
CREATE TABLE post_kid () INHERITS (post_base);
INSERT INTO writer SELECT i, 1 FROM generate_series(1, 4) i;
INSERT INTO post SELECT i, 1 + i % 4, 1, i FROM generate_series(1, 40) i;
INSERT INTO post_part SELECT substr('ab', 1 + i % 2, 1), i, 1 + i % 4, 1 FROM generate_series(1, 24) i;
INSERT INTO post_base SELECT i, 1 + i % 4, 1 FROM generate_series(1, 8) i;
INSERT INTO post_kid SELECT i, 1 + i % 4, 1 FROM generate_series(9, 16) i;
CREATE VIEW v_post AS
	SELECT author, count(*) AS n, sum(ver)::bigint AS v FROM post WHERE id <= 40 GROUP BY author;
SELECT cache_attach('writer', '{writer:$id}');
SELECT cache_attach('post', '{post,post:$id,author:$author}');
SELECT cache_attach('post_part', '{part_author:$author}');
SELECT cache_attach('post_base', '{base_author:$author}');

-- Row security.
CREATE TABLE secret_user (
	id int PRIMARY KEY, owner text NOT NULL, ver bigint NOT NULL, val int NOT NULL);
INSERT INTO secret_user
	SELECT i, 'torture_' || (ARRAY['app1', 'app2', 'none'])[1 + i % 3], 1, i FROM generate_series(1, 18) i;
ALTER TABLE secret_user ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON secret_user USING (owner = current_user);
CREATE TABLE secret_tenant (
	id int PRIMARY KEY, tenant text NOT NULL, ver bigint NOT NULL, val int NOT NULL);
INSERT INTO secret_tenant
	SELECT i, (ARRAY['red', 'blue'])[1 + i % 2], 1, i FROM generate_series(1, 12) i;
ALTER TABLE secret_tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY ours ON secret_tenant USING (tenant = current_setting('app.tenant', true));

-- What definitions change under.
CREATE TABLE extra (id int PRIMARY KEY, ver bigint NOT NULL);
INSERT INTO extra SELECT i, 1 FROM generate_series(1, 4) i;
CREATE TABLE priv (id int PRIMARY KEY, ver bigint NOT NULL);
INSERT INTO priv SELECT i, 1 FROM generate_series(1, 4) i;
CREATE FUNCTION label(i int) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT 'label 0 of ' || i $$;
CREATE VIEW v_plain AS SELECT grp, count(*) AS n, sum(ver)::bigint + 0 AS v FROM plain GROUP BY grp;
CREATE VIEW v_barrier WITH (security_barrier) AS
	SELECT id, ver, val FROM plain WHERE val % 2 = 0;
CREATE VIEW v_invoker WITH (security_invoker) AS SELECT id, owner, ver FROM secret_user;
CREATE MATERIALIZED VIEW mv AS SELECT grp, count(*) AS n, sum(ver)::bigint AS v FROM plain GROUP BY grp;
CREATE UNIQUE INDEX ON mv (grp);

-- One name, two tables.
CREATE TABLE t.switch (id int PRIMARY KEY, side text NOT NULL, ver bigint NOT NULL);
CREATE TABLE alt.switch (id int PRIMARY KEY, side text NOT NULL, ver bigint NOT NULL);
INSERT INTO t.switch SELECT i, 't', 1 FROM generate_series(1, 4) i;
INSERT INTO alt.switch SELECT i, 'alt', 1 FROM generate_series(1, 4) i;

-- Functions that read, to be looked into: inlined or not, declared or not, with
-- row security inside, and with names that the search path resolves.
CREATE FUNCTION of_group(g int) RETURNS TABLE (id int, ver bigint) LANGUAGE sql STABLE
	AS 'SELECT id, ver FROM t.plain WHERE grp = g AND id <= 40';
CREATE FUNCTION part_total(g int) RETURNS bigint LANGUAGE sql
	AS 'SELECT sum(ver)::bigint FROM t.part WHERE grp = g AND id <= 30';
CREATE FUNCTION mine() RETURNS TABLE (id int, owner text, ver bigint) LANGUAGE sql
BEGIN ATOMIC
	SELECT count(*) FROM t.secret_tenant;
	SELECT s.id, s.owner, s.ver FROM t.v_invoker s;
END;
CREATE FUNCTION switched(i int) RETURNS SETOF switch LANGUAGE sql STABLE
	AS 'SELECT * FROM switch s WHERE s.id = i';
CREATE FUNCTION scaled(i int) RETURNS bigint LANGUAGE sql STABLE
	AS 'SELECT ver * 1 FROM t.extra WHERE id = i';
CREATE FUNCTION twice_scaled(i int) RETURNS bigint LANGUAGE sql AS 'SELECT scaled(i) * 2';

-- For races with a script.
CREATE TABLE race_a (id int PRIMARY KEY, ver bigint NOT NULL);
CREATE TABLE race_b (id int PRIMARY KEY);
INSERT INTO race_a SELECT i, 1 FROM generate_series(1, 10) i;
INSERT INTO race_b VALUES (1);

-- Writes inside functions.
CREATE FUNCTION bump(rel text, k int, inc int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('UPDATE t.%I SET ver = ver + $2 WHERE id = $1', rel) USING k, inc;
END$$;

-- Truncates a table and puts everything back, with higher versions.  Not under
-- an old snapshot: to that one, a table truncated since is empty, and so it
-- would put back nothing.
CREATE FUNCTION refill(rel text, inc int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	contents jsonb;
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RETURN;
	END IF;
	EXECUTE format('LOCK TABLE t.%I IN ACCESS EXCLUSIVE MODE', rel);
	EXECUTE format('SELECT /*+ nocache */ coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object(''ver'', ver + $1)), ''[]'') FROM t.%I r', rel)
		INTO contents USING inc;
	EXECUTE format('TRUNCATE t.%I', rel);
	EXECUTE format('INSERT INTO t.%I SELECT * FROM jsonb_populate_recordset(NULL::t.%I, $1)', rel, rel)
		USING contents;
END$$;

-- Reading as somebody else: by cached_query, as the session does, and never
-- through the cache.
CREATE FUNCTION app1_cached(q text) RETURNS SETOF json LANGUAGE sql SECURITY DEFINER VOLATILE
	AS $$ SELECT public.cached_query(q) $$;
CREATE FUNCTION app2_cached(q text) RETURNS SETOF json LANGUAGE sql SECURITY DEFINER VOLATILE
	AS $$ SELECT public.cached_query(q) $$;
CREATE FUNCTION none_cached(q text) RETURNS SETOF json LANGUAGE sql SECURITY DEFINER VOLATILE
	AS $$ SELECT public.cached_query(q) $$;
CREATE FUNCTION app1_auto(q text) RETURNS SETOF json LANGUAGE plpgsql SECURITY DEFINER VOLATILE
	AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT row_to_json(q) FROM (' || q || ') q'; END $$;
CREATE FUNCTION app2_auto(q text) RETURNS SETOF json LANGUAGE plpgsql SECURITY DEFINER VOLATILE
	AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT row_to_json(q) FROM (' || q || ') q'; END $$;
CREATE FUNCTION none_auto(q text) RETURNS SETOF json LANGUAGE plpgsql SECURITY DEFINER VOLATILE
	AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT row_to_json(q) FROM (' || q || ') q'; END $$;
CREATE FUNCTION app1_plain(q text) RETURNS SETOF json LANGUAGE plpgsql SECURITY DEFINER VOLATILE
	AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT /*+ nocache */ row_to_json(q) FROM (' || q || ') q'; END $$;
CREATE FUNCTION app2_plain(q text) RETURNS SETOF json LANGUAGE plpgsql SECURITY DEFINER VOLATILE
	AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT /*+ nocache */ row_to_json(q) FROM (' || q || ') q'; END $$;
CREATE FUNCTION none_plain(q text) RETURNS SETOF json LANGUAGE plpgsql SECURITY DEFINER VOLATILE
	AS $$ BEGIN RETURN QUERY EXECUTE 'SELECT /*+ nocache */ row_to_json(q) FROM (' || q || ') q'; END $$;
ALTER FUNCTION app1_cached OWNER TO torture_app1;
ALTER FUNCTION app1_auto OWNER TO torture_app1;
ALTER FUNCTION app1_plain OWNER TO torture_app1;
ALTER FUNCTION app2_cached OWNER TO torture_app2;
ALTER FUNCTION app2_auto OWNER TO torture_app2;
ALTER FUNCTION app2_plain OWNER TO torture_app2;
ALTER FUNCTION none_cached OWNER TO torture_none;
ALTER FUNCTION none_auto OWNER TO torture_none;
ALTER FUNCTION none_plain OWNER TO torture_none;

GRANT USAGE ON SCHEMA t, alt TO torture_app1, torture_app2, torture_none;
GRANT SELECT ON ALL TABLES IN SCHEMA t, alt TO torture_app1, torture_app2;
GRANT INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA t, alt TO torture_app1;
GRANT SELECT ON tally, secret_user, secret_tenant, v_invoker, v_barrier, mv TO torture_none;

-- What the conformance queries read.
--
-- Made without chance, so that a failure comes again.  Every table has a key, or
-- columns enough, for a total order.  Rows are taken away and put back while the
-- queries run, by take_away() and put_back() at the end.  Roles belong to the
-- cluster, so they may be there already.
--
-- Tables of one type each (t_int4 and so on) are made by Types.pm.

\set ON_ERROR_STOP on
SET client_min_messages = warning;

DO $$
DECLARE
	r text;
BEGIN
	FOREACH r IN ARRAY '{conformance_reader,conformance_other}'::text[] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = r) THEN
			EXECUTE format('CREATE ROLE %I LOGIN', r);
		END IF;
	END LOOP;
END$$;

CREATE EXTENSION cache;
CREATE SCHEMA conf;
CREATE SCHEMA saved;
SET search_path = conf, public;

-- Types.
CREATE TYPE mood AS ENUM ('sad', 'fine', 'happy', 'Ünïcode mood');
CREATE TYPE pair AS (x int, label text);
CREATE TYPE nested AS (p pair, at date, many int[]);
CREATE TYPE floatrange AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN short_text AS varchar(12) NOT NULL DEFAULT '' CHECK (VALUE !~ '[{}]');
CREATE DOMAIN int_list AS int[] CHECK (cardinality(VALUE) < 10);
CREATE DOMAIN pair_domain AS pair CHECK ((VALUE).x IS NULL OR (VALUE).x > 0);
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu') THEN
		CREATE COLLATION folded (PROVIDER = icu, LOCALE = 'und-u-ks-level2', DETERMINISTIC = false);
		CREATE COLLATION worldly FROM "und-x-icu";
	ELSE
		CREATE COLLATION folded FROM "C";
		CREATE COLLATION worldly FROM "C";
	END IF;
END$$;

-- A thousand and three thousand rows of permuted numbers.
CREATE TABLE onek (
	unique1 int NOT NULL, unique2 int NOT NULL, two int, four int, ten int, twenty int,
	hundred int, thousand int, odd int, even int, name1 name, name2 name, word text);
INSERT INTO onek
	SELECT (i * 617 + 13) % 1000, i, i % 2, i % 4, i % 10, i % 20, i % 100, i % 1000,
		(i % 100) * 2 + 1, (i % 100) * 2, 'N' || upper(to_hex(i * 617 % 1000)), 'M' || i * 31 % 1000,
		(ARRAY['alpha', 'beta', 'gamma', 'delta'])[1 + i % 4]
	FROM generate_series(0, 999) i;
CREATE UNIQUE INDEX ON onek (unique1);
CREATE UNIQUE INDEX ON onek (unique2);
CREATE INDEX ON onek (hundred);
CREATE INDEX ON onek (name1);

CREATE TABLE tenk (LIKE onek);
INSERT INTO tenk
	SELECT (i * 1237 + 5) % 3000, i, i % 2, i % 4, i % 10, i % 20, i % 100, i % 1000,
		(i % 100) * 2 + 1, (i % 100) * 2, 'T' || i * 1237 % 3000, 'U' || i * 7 % 3000,
		(ARRAY['alpha', 'beta', 'gamma', 'delta'])[1 + i % 4]
	FROM generate_series(0, 2999) i;
CREATE UNIQUE INDEX ON tenk (unique1);
CREATE UNIQUE INDEX ON tenk (unique2);
CREATE INDEX ON tenk (hundred, thousand);

-- Few rows, special values.
CREATE TABLE int4_tbl (f1 int);
INSERT INTO int4_tbl VALUES (0), (123456), (-123456), (2147483647), (-2147483647);
CREATE TABLE int8_tbl (q1 bigint, q2 bigint);
INSERT INTO int8_tbl VALUES (123, 456), (123, 4567890123456789), (4567890123456789, 123),
	(4567890123456789, 4567890123456789), (4567890123456789, -4567890123456789);
CREATE TABLE float8_tbl (f1 float8);
INSERT INTO float8_tbl VALUES (0.0), (-34.84), (-1004.30), (-1.2345678901234e+200), (-1.2345678901234e-200), ('NaN'), ('Infinity');
CREATE TABLE text_tbl (f1 text);
INSERT INTO text_tbl VALUES ('doh!'), ('hi de ho neighbor'), (''), (NULL), ('  spaces  '), (E'line\nbreak\ttab'), ('Ünïcödé ✓ 日本');
CREATE TABLE nulls (id int PRIMARY KEY, a int, b text, c boolean);
INSERT INTO nulls VALUES (1, 1, 'a', true), (2, NULL, 'b', false), (3, 3, NULL, NULL), (4, NULL, NULL, NULL), (5, 1, 'a', NULL), (6, 2, '', true);
CREATE TABLE nothing (id int, label text, at timestamptz, body jsonb);
CREATE TABLE nocolumns ();
INSERT INTO nocolumns SELECT FROM generate_series(1, 3);
CREATE TABLE dup ("Column" int, "column" int, "two words" int, "quo""te" int, "ü" int);
INSERT INTO dup VALUES (1, 2, 3, 4, 5), (10, 20, 30, 40, 50);

-- Dropped and added columns, generated ones, identity.
CREATE TABLE altered (id int PRIMARY KEY, gone1 text, kept text, gone2 int, n int);
INSERT INTO altered SELECT i, 'gone', 'kept ' || i, i, i * 2 FROM generate_series(1, 5) i;
ALTER TABLE altered DROP COLUMN gone1;
ALTER TABLE altered ADD COLUMN added int DEFAULT 42, ADD COLUMN later text DEFAULT 'filled in';
ALTER TABLE altered DROP COLUMN gone2;
INSERT INTO altered VALUES (6, 'kept 6', 12, NULL, NULL);
CREATE TABLE made (
	id int GENERATED ALWAYS AS IDENTITY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED,
	label text DEFAULT 'none');
INSERT INTO made (n) SELECT i FROM generate_series(1, 6) i;

-- Inheritance.
CREATE TABLE person (name text, age int, location point);
CREATE TABLE employee (salary int, manager name) INHERITS (person);
CREATE TABLE student (gpa float8) INHERITS (person);
CREATE TABLE working_student (share int) INHERITS (employee, student);
INSERT INTO person SELECT 'p' || i, 20 + i, point(i, i / 2.0) FROM generate_series(1, 8) i;
INSERT INTO employee SELECT 'e' || i, 30 + i, point(-i, i), 1000 * i, 'boss' FROM generate_series(1, 6) i;
INSERT INTO student SELECT 's' || i, 18 + i, point(i, 0), 1.0 + i / 4.0 FROM generate_series(1, 5) i;
INSERT INTO working_student SELECT 'w' || i, 25, point(0, i), 500, 'e1', 2.5, 10 * i FROM generate_series(1, 3) i;

-- Partitions: by list, below that by range and by hash, with defaults.
CREATE TABLE sale (region text, id int, placed date, amount numeric(10,2), note text)
	PARTITION BY LIST (region);
CREATE TABLE sale_north PARTITION OF sale FOR VALUES IN ('north') PARTITION BY RANGE (placed);
CREATE TABLE sale_north_old PARTITION OF sale_north FOR VALUES FROM (MINVALUE) TO ('2020-07-01');
CREATE TABLE sale_north_new PARTITION OF sale_north FOR VALUES FROM ('2020-07-01') TO (MAXVALUE);
CREATE TABLE sale_south (note text, placed date, id int, region text, amount numeric(10,2));
ALTER TABLE sale ATTACH PARTITION sale_south FOR VALUES IN ('south');
CREATE TABLE sale_rest PARTITION OF sale DEFAULT PARTITION BY HASH (id);
CREATE TABLE sale_rest_0 PARTITION OF sale_rest FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE sale_rest_1 PARTITION OF sale_rest FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON sale (id);
INSERT INTO sale
	SELECT (ARRAY['north', 'south', 'east', NULL])[1 + i % 4], i, date '2020-01-01' + i * 3, i * 1.25,
		CASE WHEN i % 3 = 0 THEN 'note ' || i END
	FROM generate_series(1, 120) i;

-- A firm.
CREATE TABLE dept (id int PRIMARY KEY, name text NOT NULL UNIQUE, part_of int);
INSERT INTO dept VALUES (1, 'board', NULL), (2, 'research', 1), (3, 'sales', 1), (4, 'lab', 2), (5, 'field', 3), (6, 'empty', 3);
CREATE TABLE staff (
	id int PRIMARY KEY, name text NOT NULL, dept int, salary numeric, hired date, manager int,
	skills text[], attrs jsonb, feels mood);
INSERT INTO staff
	SELECT i, 'staff' || i, CASE WHEN i % 7 <> 0 THEN 1 + i % 5 END, 1000 + (i * 37 % 50) * 10.5,
		date '2010-03-01' + i * 97, CASE WHEN i > 1 THEN i / 2 END,
		(ARRAY['{sql,c}', '{}', NULL, '{perl,"two words",c}'])[1 + i % 4]::text[],
		CASE WHEN i % 5 <> 0 THEN jsonb_build_object('level', i % 3, 'tags', to_jsonb(ARRAY['t' || i % 4, 'x']), 'on', i % 2 = 0) END,
		(enum_range(NULL::mood))[1 + i % 4]
	FROM generate_series(1, 40) i;
CREATE TABLE edge (src int, dst int, cost int);
INSERT INTO edge VALUES (1, 2, 5), (1, 3, 1), (2, 4, 2), (3, 4, 9), (4, 5, 1), (5, 1, 7), (3, 6, 3), (6, 7, 1);

-- Documents.
CREATE TABLE doc (id int PRIMARY KEY, j json, b jsonb, x xml, words tsvector);
INSERT INTO doc
	SELECT i, format('{"id": %s,  "a": {"b": [%s, null, "z"]}, "a": %s}', i, i, i)::json,
		jsonb_build_object('id', i, 'list', (SELECT jsonb_agg(k) FROM generate_series(1, i) k),
			'o', jsonb_build_object('k', 'v' || i, 'n', NULL, 'd', i / 4.0)),
		format('<doc n="%s"><row id="1"><v>%s</v></row><row id="2"><v>b&amp;c</v><w/></row></doc>', i, i)::xml,
		to_tsvector('simple', 'the quick fox ' || i || ' jumps over word' || i % 3)
	FROM generate_series(1, 9) i;

-- Time.
CREATE TABLE event (id int PRIMARY KEY, at timestamptz, during tstzrange, took interval, day date, clock time);
INSERT INTO event
	SELECT i, timestamptz '2021-03-27 22:15:00+00' + i * interval '50 minutes',
		tstzrange('2021-03-28 00:00+00'::timestamptz + i * interval '1 hour', '2021-03-28 00:00+00'::timestamptz + i * interval '75 minutes'),
		i * interval '1 mon 2 days 03:04:05.5', date '2021-03-27' + i, time '00:00' + i * interval '37 minutes'
	FROM generate_series(1, 20) i;

-- Collations.
CREATE TABLE collated (id int PRIMARY KEY, c text COLLATE "C", p text COLLATE "POSIX", f text COLLATE folded, w text COLLATE worldly);
INSERT INTO collated SELECT n, v, v, v, v FROM unnest(ARRAY['a', 'B', 'b', 'A', 'ä', 'Z', 'é', '_', '1', NULL]) WITH ORDINALITY u(v, n);

-- Values that do not fit into a page.
CREATE TABLE big (id int PRIMARY KEY, plain text, packed text, raw bytea, many int[]);
ALTER TABLE big ALTER plain SET STORAGE EXTERNAL, ALTER raw SET STORAGE EXTERNAL;
INSERT INTO big
	SELECT i, (SELECT string_agg(md5(i::text || k), '') FROM generate_series(1, 400) k), repeat('packed ' || i, 8000),
		decode((SELECT string_agg(md5(k::text || i), '') FROM generate_series(1, 500) k), 'hex'),
		(SELECT array_agg(k * i) FROM generate_series(1, 3000) k)
	FROM generate_series(1, 4) i;

-- A hundred columns.
DO $$
BEGIN
	EXECUTE (SELECT 'CREATE TABLE wide (' || string_agg(format('c%s %s', k, (ARRAY['int', 'text', 'numeric', 'boolean'])[1 + k % 4]), ', ') || ')' FROM generate_series(1, 100) k);
	EXECUTE (SELECT 'INSERT INTO wide SELECT ' || string_agg(CASE k % 4
			WHEN 0 THEN format('i + %s', k) WHEN 1 THEN format('CASE WHEN i %% 3 <> 0 THEN %L || i END', 'v' || k)
			WHEN 2 THEN format('i / %s.0', k) ELSE format('(i + %s) %% 2 = 0', k) END, ', ') || ' FROM generate_series(1, 12) i'
		FROM generate_series(1, 100) k);
END$$;

-- Row security.
CREATE TABLE secret (id int PRIMARY KEY, owner text, tenant text, val int);
INSERT INTO secret SELECT i, (ARRAY['conformance_reader', 'conformance_other', 'postgres'])[1 + i % 3], (ARRAY['red', 'blue'])[1 + i % 2], i FROM generate_series(1, 18) i;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON secret USING (owner = current_user);
CREATE POLICY ours ON secret USING (tenant = current_setting('conf.tenant', true));

-- Views.
CREATE VIEW v_staff AS SELECT s.id, s.name, d.name AS dept, s.salary FROM staff s LEFT JOIN dept d ON d.id = s.dept;
CREATE VIEW v_total AS SELECT dept, count(*) AS n, sum(salary) AS total FROM v_staff GROUP BY dept;
CREATE VIEW v_barrier WITH (security_barrier) AS SELECT id, name, salary FROM staff WHERE salary < 1300;
CREATE VIEW v_invoker WITH (security_invoker) AS SELECT id, owner, val FROM secret;
CREATE VIEW v_definer AS SELECT id, owner, val FROM secret;
CREATE VIEW v_sale AS SELECT region, sum(amount) AS total FROM sale GROUP BY region;
CREATE VIEW v_renamed (number, "Big Label") AS SELECT x, label FROM (VALUES (1, 'one'), (2, 'two')) v (x, label);
CREATE RECURSIVE VIEW v_below (id, name, depth) AS
	SELECT id, name, 0 FROM dept WHERE part_of IS NULL
	UNION ALL SELECT d.id, d.name, b.depth + 1 FROM dept d JOIN v_below b ON d.part_of = b.id;
CREATE MATERIALIZED VIEW m_dept AS SELECT dept, count(*) AS n, sum(salary) AS total FROM staff GROUP BY dept;
CREATE MATERIALIZED VIEW m_empty AS SELECT * FROM onek WITH NO DATA;

-- Functions.
CREATE FUNCTION add_one(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 1';
CREATE FUNCTION label_of(i int) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN 'label ' || i; END $$;
CREATE FUNCTION pairs(n int) RETURNS SETOF pair LANGUAGE sql IMMUTABLE AS $$ SELECT i, 'p' || i FROM generate_series(1, n) i $$;
CREATE FUNCTION two_columns(n int, OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql IMMUTABLE AS $$ SELECT i, 'b' || i FROM generate_series(1, n) i $$;
CREATE FUNCTION staff_in(d int) RETURNS SETOF staff LANGUAGE sql STABLE AS $$ SELECT * FROM staff WHERE dept = d $$;
CREATE FUNCTION staff_count() RETURNS bigint LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT count(*) FROM conf.staff); END $$;
CREATE FUNCTION complain(i int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RAISE NOTICE 'about %', i USING DETAIL = 'It is only said.', HINT = 'Go on.';
	RETURN i;
END$$;
CREATE FUNCTION fail_at(i int, bad int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF i = bad THEN
		RAISE EXCEPTION 'it is %', i USING ERRCODE = 'P7777', DETAIL = 'That is bad.', COLUMN = 'i', TABLE = 'none';
	END IF;
	RETURN i;
END$$;
CREATE AGGREGATE join_all (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq, COMMUTATOR = ===);
CREATE FUNCTION pair_text(pair) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT $1.label || '#' || $1.x $$;
CREATE CAST (pair AS text) WITH FUNCTION pair_text(pair);
CREATE SEQUENCE counter;

-- Runs any query from PL/pgSQL.
CREATE FUNCTION execute_query(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	found_row record;
BEGIN
	FOR found_row IN EXECUTE query LOOP
		RETURN NEXT format('%s', found_row);
	END LOOP;
END$$;

-- The same as somebody else.
CREATE FUNCTION as_reader(query text) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN QUERY EXECUTE query; END $$;
CREATE FUNCTION as_other(query text) RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN QUERY EXECUTE query; END $$;
ALTER FUNCTION as_reader OWNER TO conformance_reader;
ALTER FUNCTION as_other OWNER TO conformance_other;

-- Which rows a change takes away: all, every other one, or all by TRUNCATE.  They
-- wait in schema saved.  Of a table with children only its own rows go.
CREATE FUNCTION own_rows(rel regclass) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN relkind = 'p' THEN '' ELSE 'ONLY ' END || format('conf.%I', relname) FROM pg_class WHERE oid = rel
$$;
CREATE FUNCTION take_away(name text, how text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	rel text := own_rows(format('conf.%I', name)::regclass);
BEGIN
	IF name = 'nocolumns' THEN
		DELETE FROM nocolumns;
	ELSIF how = 'truncate' THEN
		EXECUTE format('INSERT INTO saved.%I SELECT * FROM %s', name, rel);
		EXECUTE 'TRUNCATE ' || rel;
	ELSE
		EXECUTE format('WITH gone AS (DELETE FROM %s WHERE ctid = ANY (ARRAY(SELECT ctid FROM
				(SELECT ctid, row_number() OVER () AS n FROM %s) r WHERE %s)) RETURNING *)
			INSERT INTO saved.%I SELECT * FROM gone',
			rel, rel, CASE how WHEN 'half' THEN 'n % 2 = 1' ELSE 'true' END, name);
	END IF;
END$$;
CREATE FUNCTION put_back(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	columns text := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
		WHERE attrelid = format('conf.%I', name)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
BEGIN
	IF name = 'nocolumns' THEN
		INSERT INTO nocolumns SELECT FROM generate_series(1, 3);
	ELSE
		EXECUTE format('WITH back AS (DELETE FROM saved.%I RETURNING *) INSERT INTO conf.%I (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM back',
			name, name, columns, columns);
	END IF;
END$$;

GRANT USAGE ON SCHEMA conf TO conformance_reader, conformance_other;
GRANT SELECT ON ALL TABLES IN SCHEMA conf TO conformance_reader, conformance_other;
REVOKE SELECT ON dept, v_total FROM conformance_reader;
GRANT SELECT (id) ON dept TO conformance_reader;

-- Where rows wait, for every table there is; the only rows of an empty one wait there.
CREATE FUNCTION save_tables() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'conf'::regnamespace AND relkind IN ('r', 'p') LOOP
		EXECUTE format('CREATE TABLE saved.%I (LIKE conf.%I)', name, name);
	END LOOP;
	INSERT INTO saved.nothing VALUES (5, 'five', '2020-05-05 05:05+00', '{"five": 5}'), (6, NULL, NULL, NULL);
END$$;

-- The tables that a relation is made of: what a view reads, descendants.
CREATE VIEW made_of AS
	WITH RECURSIVE part (rel, below) AS (
		SELECT r.ev_class, d.refobjid FROM pg_rewrite r JOIN pg_depend d
			ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
			AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
		UNION
		SELECT inhparent, inhrelid FROM pg_inherits
	), whole (rel, below) AS (
		SELECT oid, oid FROM pg_class WHERE relnamespace = 'conf'::regnamespace
		UNION
		SELECT w.rel, p.below FROM whole w JOIN part p ON p.rel = w.below
	)
	SELECT r.relname AS relation, b.relname AS base FROM whole w
		JOIN pg_class r ON r.oid = w.rel JOIN pg_class b ON b.oid = w.below
		WHERE b.relkind IN ('r', 'p') AND b.relnamespace = 'conf'::regnamespace AND r.relkind IN ('r', 'p', 'v', 'm');

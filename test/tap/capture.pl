# Every way of changing what a query reads ends its result, with no trigger
# attached; and what changes nothing ends nothing.
#
# Each case has schemas w and w2 of its own.  The query is asked by two
# sessions, so that the second is served from the cache; another session does
# something; then the two ask again.  The first must get the answer of the plain
# query by executing it, the other the same from the cache.  If nothing was
# changed, both are served from the cache.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', fsync => 'off');

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE regress_cache_owner;
CREATE ROLE regress_cache_reader;
CREATE ROLE regress_cache_group;
SQL

sub session
{
	local $ENV{PGOPTIONS} = '-c search_path=w,public -c client_min_messages=error';
	return $node->background_psql('postgres', on_error_stop => 0);
}

my $admin = session();
my $writer = session();
my @readers = (session(), session());

# What commands in a session print, and their error, if there is one.
sub output_of
{
	my ($session, $commands) = @_;
	my $output = $session->query($commands);

	$output .= "ERROR: $1" if $session->{stderr} =~ /ERROR:  (.*)/;
	$session->{stderr} = '';
	return $output;
}

sub do_in
{
	my ($session, $commands) = @_;
	my $output = output_of($session, $commands);

	die "$commands\nfailed: $output\n" if $output =~ /ERROR: /;
	return $output;
}

sub plain
{
	my ($session, $query) = @_;
	return output_of($session, "SELECT row_to_json(q) FROM ($query) q");
}

# Ask through the cache: what the cache did, and the answer.
sub cached
{
	my ($session, $query) = @_;
	my $counters = q(SELECT 'counters', l1_hits, misses, bypasses FROM cache_stats);
	my $output = output_of($session, "$counters; SELECT cached_query(\$q\$$query\$q\$); $counters");
	my @before = $output =~ s/^counters\|(\d+)\|(\d+)\|(\d+)\n// ? ($1, $2, $3) : die $output;
	my @after = $output =~ s/\n?^counters\|(\d+)\|(\d+)\|(\d+)//m ? ($1, $2, $3) : die $output;
	my @names = qw(hit miss bypass);
	my @did = map { ($names[$_]) x ($after[$_] - $before[$_]) } 0 .. 2;

	return $output =~ /ERROR: / ? $output : join(' ', @did, $output);
}

# A case, by name:
#	setup	what is there before, besides t and u
#	read	the query, or several
#	role	who reads
#	path	the search path of those who read
#	warm	what the writing session does before
#	write	what it does then; it is new if fresh is set
#	kept	that ends nothing
#	same	that may give the same answer
#	fails	that is an error
my $tables = <<'SQL';
DROP SCHEMA IF EXISTS w, w2, w3 CASCADE;
CREATE SCHEMA w;
CREATE SCHEMA w2;
GRANT USAGE ON SCHEMA w TO PUBLIC;
CREATE TABLE t (id int PRIMARY KEY, v int);
INSERT INTO t VALUES (1, 10), (2, 20), (3, 30);
CREATE TABLE u (id int PRIMARY KEY, v int);
INSERT INTO u VALUES (1, 10), (2, 20), (3, 30);
SQL

sub check
{
	my ($name, %case) = @_;
	my @read = ref $case{read} ? @{ $case{read} } : $case{read} // 'SELECT sum(v), count(*) FROM t';
	my $enter = 'SET ROLE ' . ($case{role} // 'none') . '; SET search_path = ' . ($case{path} // 'w, public');
	my (@got, @expected, %old);

	do_in($admin, $tables . ($case{setup} // ''));
	do_in($writer, 'DISCARD ALL');
	do_in($writer, $case{warm}) if $case{warm};
	do_in($_, $enter) foreach @readers;
	foreach my $query (@read)
	{
		$old{$query} = plain($readers[0], $query);
		die "$name: $old{$query}" if $old{$query} =~ /ERROR/;
		push @got, cached($readers[0], $query), cached($readers[1], $query);
		push @expected, "miss $old{$query}", "hit $old{$query}";
	}

	my $output = $case{fresh} ? '' : output_of($writer, $case{write});
	$node->safe_psql('postgres', "SET search_path = w, public; $case{write}") if $case{fresh};
	push @got, $output if !$case{fails} && $output =~ /ERROR: /;
	push @got, "did not fail: $output" if $case{fails} && $output !~ /ERROR: /;
	foreach my $query (@read)
	{
		my $new = plain($readers[1], $query);
		my @how = $case{kept} ? ('hit ', 'hit ') : $new =~ /ERROR: / ? ('', '') : ('miss ', 'hit ');

		push @got, cached($readers[1], $query), cached($readers[0], $query);
		push @expected, map { "$_$new" } @how;
		push @expected, 'another answer' if !$case{kept} && !$case{same} && $new eq $old{$query};
	}
	is(join("\n", @got), join("\n", @expected), ($case{kept} ? 'kept: ' : 'ended: ') . $name)
	  or diag("by: $case{write}");
	output_of($writer, 'ROLLBACK');
	return;
}

sub ended { eval { check(@_); 1 } or fail("ended: $_[0]: $@"); return; }
sub kept { eval { check(@_, kept => 1); 1 } or fail("kept: $_[0]: $@"); return; }

# Statements.
ended 'INSERT', write => 'INSERT INTO t VALUES (4, 40)';
ended 'UPDATE', write => 'UPDATE t SET v = v + 1 WHERE id = 2';
ended 'DELETE', write => 'DELETE FROM t WHERE id = 2';
ended 'several commands in a transaction',
  write => 'BEGIN; UPDATE u SET v = 0; INSERT INTO t VALUES (4, 40); SELECT count(*) FROM u; COMMIT';
ended "MERGE that $_->[0]",
  write => "MERGE INTO t USING (VALUES $_->[1]) s (id, v) ON t.id = s.id
	WHEN MATCHED AND s.v < 0 THEN DELETE WHEN MATCHED THEN UPDATE SET v = s.v
	WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.v)"
  foreach [ 'inserts', '(4, 40)' ], [ 'updates', '(1, 99)' ], [ 'deletes', '(2, -1)' ];
ended "INSERT in WITH of a $_->[0]",
  write => "WITH x AS (INSERT INTO t VALUES (4, 40) RETURNING id, v) $_->[1]"
  foreach [ 'SELECT', 'SELECT * FROM x' ], [ 'SELECT that does not look at it', 'SELECT 1' ],
  [ 'INSERT', 'INSERT INTO u SELECT * FROM x' ], [ 'UPDATE that matches nothing', 'UPDATE u SET v = 0 FROM x WHERE u.id = x.id' ];
ended 'UPDATE in WITH of a DELETE',
  write => 'WITH x AS (UPDATE t SET v = v + 1 RETURNING id) DELETE FROM u USING x WHERE u.id = x.id';
ended 'DELETE in WITH in WITH',
  write => 'WITH x AS (DELETE FROM t WHERE id = 1 RETURNING id), y AS (UPDATE u SET v = 0 FROM x WHERE u.id = x.id RETURNING u.id) SELECT * FROM y';
ended 'UPDATE of what another table holds', write => 'UPDATE t SET v = u.v + 1 FROM u WHERE u.id = t.id';
ended 'INSERT ... RETURNING', write => 'INSERT INTO t VALUES (4, 40) RETURNING *';
ended 'INSERT ... ON CONFLICT DO UPDATE that updates',
  write => 'INSERT INTO t VALUES (1, 99) ON CONFLICT (id) DO UPDATE SET v = excluded.v';
ended 'INSERT ... ON CONFLICT DO UPDATE that inserts',
  write => 'INSERT INTO t VALUES (4, 40) ON CONFLICT (id) DO UPDATE SET v = excluded.v';
ended 'INSERT ... ON CONFLICT DO NOTHING that inserts',
  write => 'INSERT INTO t VALUES (1, 40), (4, 40) ON CONFLICT DO NOTHING';
ended 'EXPLAIN ANALYZE of INSERT', write => 'EXPLAIN (ANALYZE) INSERT INTO t VALUES (4, 40)';
ended 'EXPLAIN ANALYZE of EXECUTE', warm => 'PREPARE p AS DELETE FROM t WHERE id = $1',
  write => 'EXPLAIN (ANALYZE) EXECUTE p(1)';
ended 'EXPLAIN ANALYZE of WITH', write => 'EXPLAIN (ANALYZE) WITH x AS (DELETE FROM t RETURNING id) SELECT count(*) FROM x';
ended 'EXECUTE, the eighth time',
  warm => 'PREPARE p AS UPDATE t SET v = v + 1 WHERE id = $1;' . 'EXECUTE p(1);' x 7, write => 'EXECUTE p(1)';
ended 'several tables in one query', read => 'SELECT count(*) FROM t JOIN u USING (id)', write => 'DELETE FROM u WHERE id = 2';
ended 'a table read by a subquery', read => 'SELECT id FROM u WHERE EXISTS (SELECT FROM t WHERE t.id = u.id) ORDER BY id',
  write => 'DELETE FROM t WHERE id = 2';
ended 'a table read by a view of a view', setup => 'CREATE VIEW a AS SELECT * FROM t; CREATE VIEW b AS SELECT * FROM a',
  read => 'SELECT sum(v) FROM b', write => 'DELETE FROM t WHERE id = 2';

# Code.
my $function = q(CREATE FUNCTION change() RETURNS void LANGUAGE);
ended 'a function in PL/pgSQL', setup => "$function plpgsql AS 'BEGIN UPDATE t SET v = v + 1; END'", write => 'SELECT change()';
ended 'a function in PL/pgSQL, the eighth time',
  setup => "$function plpgsql AS 'BEGIN UPDATE t SET v = v + 1; END'", warm => 'SELECT change();' x 7, write => 'SELECT change()';
ended 'a function in PL/pgSQL that builds the command',
  setup => qq($function plpgsql AS 'BEGIN EXECUTE format(''INSERT INTO %I VALUES (4, 40)'', ''t''); END'), write => 'SELECT change()';
ended 'a function in SQL', setup => "$function sql AS 'UPDATE t SET v = v + 1'", write => 'SELECT change()';
ended 'a function in SQL with a body', setup => "$function sql BEGIN ATOMIC DELETE FROM t WHERE id = 1; END", write => 'SELECT change()';
ended 'a function with SECURITY DEFINER',
  setup => "$function sql SECURITY DEFINER AS 'UPDATE w.t SET v = v + 1'",
  write => 'SET ROLE regress_cache_reader; SELECT w.change(); RESET ROLE';
ended 'a function with settings of its own',
  setup => "$function plpgsql SET search_path = w2, w SET work_mem = '1MB' AS 'BEGIN UPDATE t SET v = v + 1; END'", write => 'SELECT change()';
ended 'a function in the WHERE of a SELECT', setup => "$function sql AS 'UPDATE t SET v = v + 1'", write => 'SELECT FROM u WHERE change() IS NULL';
ended 'a function in a cursor',
  setup => "$function sql AS 'UPDATE t SET v = v + 1'", write => 'BEGIN; DECLARE c CURSOR FOR SELECT change() FROM u; FETCH c; COMMIT';
ended 'a function in a cursor WITH HOLD, run by the commit',
  setup => "$function sql AS 'UPDATE t SET v = v + 1'", write => 'BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT change() FROM u; COMMIT';
ended 'a procedure that commits', setup => q(CREATE PROCEDURE change() LANGUAGE plpgsql AS 'BEGIN INSERT INTO t VALUES (4, 40); COMMIT; INSERT INTO u VALUES (4, 40); ROLLBACK; END'),
  write => 'CALL change()';
ended 'DO', write => q(DO 'BEGIN DELETE FROM t WHERE id = 1; END');
ended 'DO that commits', write => q(DO 'BEGIN FOR i IN 4 .. 6 LOOP INSERT INTO t VALUES (i, i); COMMIT; END LOOP; END');
ended 'a block with EXCEPTION', write => q(DO 'BEGIN BEGIN INSERT INTO t VALUES (4, 40); EXCEPTION WHEN OTHERS THEN NULL; END; END');
ended 'the handler of an exception', write => q(DO 'BEGIN BEGIN PERFORM 1 / 0; EXCEPTION WHEN OTHERS THEN INSERT INTO t VALUES (4, 40); END; END');
ended 'before an exception that is caught', write => q(DO 'BEGIN INSERT INTO t VALUES (4, 40); BEGIN INSERT INTO t VALUES (5, 1 / 0); EXCEPTION WHEN OTHERS THEN NULL; END; END');
ended 'a savepoint that is released', write => 'BEGIN; SAVEPOINT s; INSERT INTO t VALUES (4, 40); RELEASE s; COMMIT';
ended 'before a savepoint that is rolled back', write => 'BEGIN; INSERT INTO t VALUES (4, 40); SAVEPOINT s; INSERT INTO t VALUES (5, 50); ROLLBACK TO s; COMMIT';
ended 'after a savepoint was rolled back', write => 'BEGIN; SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; DELETE FROM t WHERE id = 1; COMMIT';
ended 'WHERE CURRENT OF', write => 'BEGIN; DECLARE c CURSOR FOR SELECT * FROM t FOR UPDATE; FETCH c; UPDATE t SET v = 99 WHERE CURRENT OF c; COMMIT';
ended 'COMMIT AND CHAIN', write => 'BEGIN; DELETE FROM t WHERE id = 1; COMMIT AND CHAIN; ROLLBACK';

# Settings of the session that writes.
ended 'session_replication_role = replica', write => 'SET session_replication_role = replica; UPDATE t SET v = v + 1';
ended 'cache.enabled = off', write => 'SET cache.enabled = off; UPDATE t SET v = v + 1';
ended 'track_counts = off', write => 'SET track_counts = off; UPDATE t SET v = v + 1';
ended 'track_counts = off for a while', write => 'BEGIN; UPDATE u SET v = 0; SET LOCAL track_counts = off; UPDATE t SET v = v + 1; SET LOCAL track_counts = on; UPDATE u SET v = 1; COMMIT';
ended 'track_counts = off for a function', setup => "$function plpgsql SET track_counts = off AS 'BEGIN UPDATE t SET v = v + 1; END'", write => 'SELECT change()';
ended 'track_counts = on before the statement ends',
  setup => q(CREATE FUNCTION count_on() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN SET track_counts = on; RETURN (SELECT count(*) FROM t); END'),
  write => 'SET track_counts = off; INSERT INTO t VALUES (4, 40) RETURNING count_on()';
ended 'track_counts = off, by COPY', write => "SET track_counts = off; COPY t FROM PROGRAM \$\$printf '4\\t40\\n'\$\$";

# Triggers.
my $trigger = q(CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE t SET v = v + 1; RETURN NEW; END';);
ended "a trigger $_", setup => "$trigger CREATE TRIGGER fired $_ EXECUTE FUNCTION fired()", write => 'UPDATE u SET v = 0 WHERE id = 1'
  foreach 'BEFORE UPDATE ON u FOR EACH ROW', 'AFTER UPDATE ON u FOR EACH ROW', 'BEFORE UPDATE ON u FOR EACH STATEMENT';
ended 'a trigger that is fired by no row', setup => "$trigger CREATE TRIGGER fired AFTER UPDATE ON u EXECUTE FUNCTION fired()", write => 'UPDATE u SET v = 0 WHERE false';
ended 'a deferred trigger', setup => "$trigger CREATE CONSTRAINT TRIGGER fired AFTER UPDATE ON u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fired()",
  write => 'BEGIN; UPDATE u SET v = 0; COMMIT';
ended 'a trigger INSTEAD OF', setup => "$trigger CREATE VIEW shown AS SELECT * FROM u; CREATE TRIGGER fired INSTEAD OF INSERT ON shown FOR EACH ROW EXECUTE FUNCTION fired()",
  write => 'INSERT INTO shown VALUES (4, 40)';
ended 'a trigger with transition tables',
  setup => q(CREATE FUNCTION copied() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO t SELECT * FROM new_rows; RETURN NULL; END';
	CREATE TRIGGER copied AFTER INSERT ON u REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION copied()),
  write => 'INSERT INTO u VALUES (4, 40)';
ended 'a trigger fired by COPY', setup => "$trigger CREATE TRIGGER fired AFTER INSERT ON u EXECUTE FUNCTION fired()", write => "COPY u FROM PROGRAM \$\$printf '4\\t40\\n'\$\$";
ended 'a trigger fired by TRUNCATE', setup => "$trigger CREATE TRIGGER fired AFTER TRUNCATE ON u EXECUTE FUNCTION fired()", write => 'TRUNCATE u';

# Foreign keys; what refers to t is read.
foreach (
	[ 'ON DELETE CASCADE', 'DELETE FROM t WHERE id = 1' ],
	[ 'ON DELETE SET NULL', 'DELETE FROM t WHERE id = 1' ],
	[ 'DEFAULT 3 REFERENCES t ON DELETE SET DEFAULT', 'DELETE FROM t WHERE id = 1' ],
	[ 'ON UPDATE CASCADE', 'UPDATE t SET id = 7 WHERE id = 1' ],
	[ 'ON UPDATE SET NULL', 'UPDATE t SET id = 7 WHERE id = 1' ],
	[ 'ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', 'DELETE FROM t WHERE id = 1' ])
{
	my ($action, $write) = @$_;
	my $refers = $action =~ /REFERENCES/ ? $action : "REFERENCES t $action";

	ended "a foreign key $action", setup => "CREATE TABLE c (a int PRIMARY KEY, b int $refers); INSERT INTO c VALUES (1, 1), (2, 2)",
	  read => 'SELECT count(*), count(b), sum(b) FROM c', write => $write;
}
ended 'a cascade of cascades',
  setup => 'CREATE TABLE c (a int PRIMARY KEY REFERENCES t ON DELETE CASCADE); CREATE TABLE d (a int REFERENCES c ON DELETE CASCADE); INSERT INTO c VALUES (1), (2); INSERT INTO d VALUES (1), (2)',
  read => 'SELECT count(*) FROM d', write => 'DELETE FROM t WHERE id = 1';

# Views and rules.
my $view = 'CREATE VIEW a AS SELECT * FROM t; CREATE VIEW b AS SELECT * FROM a WHERE v < 100;';
ended "$_ a view", setup => $view, write => $_
  foreach 'INSERT INTO b VALUES (4, 40)', 'UPDATE b SET v = 50 WHERE id = 1', 'DELETE FROM b WHERE id = 1';
ended 'a rule ALSO', setup => 'CREATE RULE r AS ON INSERT TO u DO ALSO INSERT INTO t VALUES (NEW.id, NEW.v)', write => 'INSERT INTO u VALUES (4, 40)';
ended 'a rule INSTEAD', setup => 'CREATE RULE r AS ON UPDATE TO u DO INSTEAD UPDATE t SET v = NEW.v WHERE id = NEW.id', write => 'UPDATE u SET v = 99 WHERE id = 1';
ended 'a rule of a view', setup => 'CREATE VIEW a AS SELECT 1 AS id; CREATE RULE r AS ON DELETE TO a DO INSTEAD DELETE FROM t WHERE id = OLD.id', write => 'DELETE FROM a';

# Partitions.
my $parts = <<'SQL';
CREATE TABLE p (kind text, id int, v int) PARTITION BY LIST (kind);
CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a') PARTITION BY RANGE (id);
CREATE TABLE p_a1 PARTITION OF p_a FOR VALUES FROM (0) TO (10);
CREATE TABLE p_a2 PARTITION OF p_a FOR VALUES FROM (10) TO (20);
CREATE TABLE p_b PARTITION OF p FOR VALUES IN ('b');
CREATE TABLE p_rest PARTITION OF p DEFAULT;
CREATE UNIQUE INDEX ON p (kind, id);
INSERT INTO p VALUES ('a', 1, 10), ('a', 11, 20), ('b', 1, 30), ('c', 1, 40);
SQL
my %sum = map { ($_ => "SELECT sum(v), count(*) FROM $_") } qw(p p_a p_a1 p_a2 p_b p_rest);
ended "$_->[0]", setup => $parts, read => [ @sum{@{ $_->[1] }} ], write => $_->[2]
  foreach [ 'INSERT routed from the root', [qw(p p_a p_a1)], q(INSERT INTO p VALUES ('a', 2, 1)) ],
  [ 'INSERT routed from the middle', [qw(p p_a p_a2)], q(INSERT INTO p_a VALUES ('a', 12, 1)) ],
  [ 'INSERT into a leaf', [qw(p p_a p_a1)], q(INSERT INTO p_a1 VALUES ('a', 2, 1)) ],
  [ 'INSERT routed to the default partition', [qw(p p_rest)], q(INSERT INTO p VALUES ('x', 2, 1)) ],
  [ 'INSERT of many routed rows', [qw(p p_a p_a1 p_a2 p_b p_rest)], q(INSERT INTO p SELECT k, i, 1 FROM unnest('{a,b,c}'::text[]) k, generate_series(2, 19) i ON CONFLICT DO NOTHING) ],
  [ 'INSERT ... ON CONFLICT DO UPDATE, routed', [qw(p p_b)], q(INSERT INTO p VALUES ('b', 1, 1) ON CONFLICT (kind, id) DO UPDATE SET v = 99) ],
  [ 'UPDATE of the root', [qw(p p_a p_a1 p_a2 p_b p_rest)], q(UPDATE p SET v = v + 1) ],
  [ 'UPDATE of the root that matches in a leaf', [qw(p p_a p_a2)], q(UPDATE p SET v = v + 1 WHERE id = 11) ],
  [ 'UPDATE of a leaf', [qw(p p_a p_a2)], q(UPDATE p_a2 SET v = v + 1) ],
  [ 'DELETE from the root', [qw(p p_b)], q(DELETE FROM p WHERE v = 30) ],
  [ 'UPDATE that moves a row', [qw(p_a p_a1 p_b)], q(UPDATE p SET kind = 'b', id = 5 WHERE kind = 'a' AND id = 1) ],
  [ 'UPDATE that moves a row within the middle', [qw(p_a1 p_a2)], q(UPDATE p_a SET id = 15 WHERE id = 1) ],
  [ 'MERGE that updates and inserts', [qw(p p_a p_a1 p_b)], q(MERGE INTO p USING (VALUES ('a', 1), ('b', 9)) s (kind, id) ON p.kind = s.kind AND p.id = s.id WHEN MATCHED THEN UPDATE SET v = 99 WHEN NOT MATCHED THEN INSERT VALUES (s.kind, s.id, 1)) ],
  [ 'COPY to the root', [qw(p p_a p_a1 p_b)], "COPY p FROM PROGRAM \$\$printf 'a\\t2\\t1\\nb\\t2\\t1\\n'\$\$" ],
  [ 'COPY to the middle', [qw(p p_a p_a2)], "COPY p_a FROM PROGRAM \$\$printf 'a\\t12\\t1\\n'\$\$" ],
  [ 'COPY to a leaf', [qw(p p_a p_a2)], "COPY p_a2 FROM PROGRAM \$\$printf 'a\\t12\\t1\\n'\$\$" ],
  [ 'TRUNCATE of the root', [qw(p p_a p_a1 p_b)], 'TRUNCATE p' ],
  [ 'TRUNCATE of the middle', [qw(p p_a p_a1)], 'TRUNCATE p_a' ],
  [ 'TRUNCATE of a leaf', [qw(p p_a p_a1)], 'TRUNCATE p_a1' ],
  [ 'DETACH PARTITION', [qw(p p_a)], 'ALTER TABLE p_a DETACH PARTITION p_a1' ],
  [ 'DETACH PARTITION CONCURRENTLY', [qw(p p_a)], 'ALTER TABLE p_a DETACH PARTITION p_a2 CONCURRENTLY' ],
  [ 'DROP of a leaf', [qw(p p_a)], 'DROP TABLE p_a2' ];
ended 'ATTACH PARTITION', setup => "$parts CREATE TABLE p_d (kind text, id int, v int); INSERT INTO p_d VALUES ('d', 1, 1)",
  read => [ @sum{qw(p)} ], write => q(ALTER TABLE p ATTACH PARTITION p_d FOR VALUES IN ('d'));
ended 'a partition made while the root is remembered', setup => $parts, read => [ @sum{qw(p p_a)} ],
  warm => q(UPDATE p SET v = v + 1), write => q(CREATE TABLE p_a3 PARTITION OF p_a FOR VALUES FROM (20) TO (30); INSERT INTO p_a3 VALUES ('a', 25, 1));
ended 'a partition attached before it is written to', read => [ $sum{p} ], warm => q(INSERT INTO p_d VALUES ('d', 1, 1); ALTER TABLE p ATTACH PARTITION p_d FOR VALUES IN ('d')),
  setup => "$parts CREATE TABLE p_d (kind text, id int, v int)", write => q(INSERT INTO p_d VALUES ('d', 2, 1));
ended 'a foreign key from a partition', setup => "$parts CREATE TABLE c (kind text, id int, FOREIGN KEY (kind, id) REFERENCES p (kind, id) ON DELETE CASCADE); INSERT INTO c SELECT kind, id FROM p",
  read => 'SELECT count(*) FROM c', write => q(DELETE FROM p WHERE kind = 'b');
ended 'a foreign key to partitions, followed from a leaf', setup => "$parts ALTER TABLE p ADD FOREIGN KEY (id) REFERENCES t ON DELETE CASCADE NOT VALID"
  =~ s/NOT VALID//r =~ s/\(.a., 11, 20\), //r, read => [ @sum{qw(p p_a1 p_b)} ], write => 'DELETE FROM t WHERE id = 1';

# Inheritance.
my $child = 'CREATE TABLE c () INHERITS (t); INSERT INTO c VALUES (11, 1); CREATE TABLE g () INHERITS (c); INSERT INTO g VALUES (12, 1);';
ended 'INSERT into a child', setup => $child, read => [ map { "SELECT sum(v) FROM $_" } qw(t c) ], write => 'INSERT INTO c VALUES (13, 1)';
ended 'INSERT into a grandchild', setup => $child, read => [ map { "SELECT sum(v) FROM $_" } qw(t c g) ], write => 'INSERT INTO g VALUES (13, 1)';
ended 'UPDATE of the parent', setup => $child, read => [ map { "SELECT sum(v) FROM $_" } qw(t c g) ], write => 'UPDATE t SET v = v + 1';
ended 'DELETE from the parent that matches in a grandchild', setup => $child, read => [ map { "SELECT sum(v) FROM $_" } qw(t c g) ], write => 'DELETE FROM t WHERE id = 12';
ended 'TRUNCATE of the parent', setup => $child, read => [ map { "SELECT sum(v) FROM $_" } qw(t c g) ], write => 'TRUNCATE t';
ended 'NO INHERIT', setup => $child, read => 'SELECT sum(v) FROM t', write => 'ALTER TABLE c NO INHERIT t';
ended 'INHERIT', setup => $child, read => 'SELECT sum(v) FROM t', write => 'ALTER TABLE u INHERIT t';
ended 'INSERT routed to a child by a trigger',
  setup => qq($child CREATE FUNCTION route() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO c VALUES (NEW.id, NEW.v); RETURN NULL; END'; CREATE TRIGGER route BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION route()),
  read => [ map { "SELECT sum(v) FROM $_" } qw(t c) ], write => $_
  foreach 'INSERT INTO t VALUES (13, 1)', "COPY t FROM PROGRAM \$\$printf '13\\t1\\n'\$\$";

# COPY, TRUNCATE, REFRESH.
my $data = "COPY t FROM PROGRAM \$\$printf '4\\t40\\n'\$\$";
ended 'COPY', write => $data;
ended 'COPY in a transaction', write => "BEGIN; $data; COMMIT";
ended 'COPY in a savepoint', write => "BEGIN; SAVEPOINT s; $data; RELEASE s; COMMIT";
ended 'COPY in a block with EXCEPTION', write => "DO \$do\$BEGIN BEGIN $data; EXCEPTION WHEN division_by_zero THEN NULL; END; END\$do\$";
ended 'COPY FREEZE', write => "BEGIN; TRUNCATE t; $data (FREEZE); COMMIT";
ended 'COPY of many rows', write => q(COPY t FROM PROGRAM 'seq 10 3000 | sed s/$/,1/' (FORMAT csv));
ended 'COPY of what the client sends', fresh => 1, write => "COPY t FROM stdin;\n4\t40\n\\.\n";
ended 'COPY to a view', setup => $trigger . 'CREATE VIEW shown AS SELECT * FROM u; CREATE TRIGGER fired INSTEAD OF INSERT ON shown FOR EACH ROW EXECUTE FUNCTION fired()',
  write => "COPY shown FROM PROGRAM \$\$printf '4\\t40\\n'\$\$";
ended 'COPY from a statement that writes', write => 'COPY (INSERT INTO t VALUES (4, 40) RETURNING id) TO stdout';
my $meddle = 'CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN %s; RETURN NULL; END$$; CREATE TRIGGER meddle BEFORE INSERT ON t EXECUTE FUNCTION meddle()';
ended 'COPY with a trigger that makes a temporary table of the same name', setup => sprintf($meddle, 'CREATE TEMP TABLE t (x int)'), write => $data;
ended 'COPY with a trigger that sets the search path', setup => sprintf($meddle, q(PERFORM set_config('search_path', 'public', true))), write => $data;
ended 'TRUNCATE', write => 'TRUNCATE t';
ended 'TRUNCATE of several tables', write => 'TRUNCATE u, t RESTART IDENTITY';
ended 'TRUNCATE CASCADE', setup => 'CREATE TABLE c (a int REFERENCES t); INSERT INTO c VALUES (1)', read => [ 'SELECT count(*) FROM c', 'SELECT count(*) FROM t' ], write => 'TRUNCATE t CASCADE';
ended 'TRUNCATE in a function', setup => "$function plpgsql AS 'BEGIN TRUNCATE t; END'", write => 'SELECT change()';
ended 'REFRESH MATERIALIZED VIEW', setup => 'CREATE MATERIALIZED VIEW m AS SELECT * FROM t', warm => 'DELETE FROM t WHERE id = 1', read => 'SELECT sum(v) FROM m', write => 'REFRESH MATERIALIZED VIEW m';
ended 'REFRESH MATERIALIZED VIEW CONCURRENTLY', setup => 'CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE UNIQUE INDEX ON m (id)',
  warm => 'DELETE FROM t WHERE id = 1', read => 'SELECT sum(v) FROM m', write => 'REFRESH MATERIALIZED VIEW CONCURRENTLY m';
ended 'REFRESH MATERIALIZED VIEW in DO', setup => 'CREATE MATERIALIZED VIEW m AS SELECT * FROM t', warm => 'DELETE FROM t WHERE id = 1', read => 'SELECT sum(v) FROM m', write => q(DO 'BEGIN REFRESH MATERIALIZED VIEW w.m; END');

# Definitions.
my $f = q(CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE);
ended 'CREATE OR REPLACE FUNCTION', setup => "$f plpgsql AS 'BEGIN RETURN 1; END'", read => 'SELECT f(v) FROM t', write => "$f plpgsql AS 'BEGIN RETURN 2; END'";
ended 'CREATE OR REPLACE FUNCTION, inlined', setup => "$f sql AS 'SELECT 1'", read => 'SELECT f(v) FROM t', write => "$f sql AS 'SELECT 2'";
ended 'a function called by an IMMUTABLE one', setup => "$f plpgsql AS 'BEGIN RETURN g(); END'; CREATE FUNCTION g() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'",
  read => 'SELECT f(v) FROM t', write => "CREATE OR REPLACE FUNCTION g() RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2'";
ended 'a better match for a function', setup => "CREATE FUNCTION f(bigint) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1'", read => 'SELECT f(v) FROM t', write => "$f sql AS 'SELECT 2'";
ended 'ALTER FUNCTION ... RENAME', setup => "$f sql AS 'SELECT 1'; CREATE FUNCTION g(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2'", read => 'SELECT f(v) FROM t',
  write => 'ALTER FUNCTION f(int) RENAME TO h; ALTER FUNCTION g(int) RENAME TO f';
ended 'CREATE AGGREGATE of the same name', read => 'SELECT w2.total(v) FROM t', setup => 'CREATE AGGREGATE w2.total(int) (sfunc = int4pl, stype = int)',
  write => 'DROP AGGREGATE w2.total(int); CREATE AGGREGATE w2.total(int) (sfunc = int4larger, stype = int)';
ended 'CREATE OPERATOR', path => 'w2, w, pg_catalog, public', read => 'SELECT 1 + v AS s FROM t', write => 'CREATE OPERATOR w2.+ (function = int4mul, leftarg = int, rightarg = int)';
ended 'CREATE OR REPLACE VIEW', setup => 'CREATE VIEW a AS SELECT v FROM t', read => 'SELECT sum(v) FROM a', write => 'CREATE OR REPLACE VIEW a AS SELECT v + 1 AS v FROM t';
ended 'ALTER TABLE ADD COLUMN', read => 'SELECT * FROM t', write => 'ALTER TABLE t ADD COLUMN x int DEFAULT 7';
ended 'ALTER TABLE DROP COLUMN', read => 'SELECT * FROM t', write => 'ALTER TABLE t DROP COLUMN v';
ended 'ALTER TABLE DROP COLUMN that is named', write => 'ALTER TABLE t DROP COLUMN v';
ended 'ALTER TABLE ALTER COLUMN TYPE', read => 'SELECT * FROM t', write => 'ALTER TABLE t ALTER COLUMN v TYPE numeric(8, 2)';
ended 'ALTER TABLE ALTER COLUMN TYPE USING', write => 'ALTER TABLE t ALTER COLUMN v TYPE int USING v + 1';
ended 'RENAME COLUMN', read => 'SELECT * FROM t', write => 'ALTER TABLE t RENAME COLUMN v TO x';
ended 'two columns renamed', setup => 'ALTER TABLE t ADD COLUMN x int DEFAULT 7', write => 'BEGIN; ALTER TABLE t RENAME COLUMN v TO y; ALTER TABLE t RENAME COLUMN x TO v; COMMIT';
ended 'two tables renamed', setup => 'DELETE FROM u', write => 'BEGIN; ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; COMMIT';
ended 'two tables renamed and both names read', setup => 'DELETE FROM u', read => [ 'SELECT sum(v) FROM t', 'SELECT sum(v) FROM w.u' ],
  write => 'BEGIN; ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u; COMMIT';
ended 'two schemas renamed', setup => 'CREATE TABLE w2.t AS SELECT 1 AS v', read => [ 'SELECT sum(v) FROM t', 'SELECT sum(v) FROM w.t', 'SELECT sum(v) FROM w2.t' ],
  write => 'BEGIN; ALTER SCHEMA w RENAME TO w3; ALTER SCHEMA w2 RENAME TO w; ALTER SCHEMA w3 RENAME TO w2; COMMIT';
ended 'ALTER TABLE SET SCHEMA', setup => 'CREATE TABLE w2.x AS SELECT 1 AS v; ALTER TABLE w2.x RENAME TO t', write => 'BEGIN; ALTER TABLE w.t SET SCHEMA public; ALTER TABLE w2.t SET SCHEMA w; DROP TABLE public.t; COMMIT';
ended 'DROP TABLE', write => 'DROP TABLE t';
ended 'DROP and CREATE TABLE', write => 'DROP TABLE t; CREATE TABLE t AS SELECT 1 AS v';
ended 'DROP and CREATE TABLE in a transaction', write => 'BEGIN; DROP TABLE t; CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 1); COMMIT';
ended "a table that hides another, by $_->[0]", path => 'w2, w, public', write => $_->[1]
  foreach [ 'CREATE TABLE', 'CREATE TABLE w2.t (v int)' ], [ 'CREATE TABLE AS', 'CREATE TABLE w2.t AS SELECT 1 AS v' ],
  [ 'SELECT INTO', 'SELECT 1 AS v INTO w2.t' ], [ 'EXPLAIN ANALYZE of CREATE TABLE AS', 'EXPLAIN (ANALYZE) CREATE TABLE w2.t AS SELECT 1 AS v' ],
  [ 'CREATE MATERIALIZED VIEW', 'CREATE MATERIALIZED VIEW w2.t AS SELECT 1 AS v' ], [ 'CREATE VIEW', 'CREATE VIEW w2.t AS SELECT 1 AS v' ],
  [ 'CREATE SCHEMA with elements', 'DROP SCHEMA w2; CREATE SCHEMA w2 CREATE TABLE t (v int)' ],
  [ 'EXECUTE in DO', q(DO $$BEGIN EXECUTE 'CREATE TABLE w2.t AS SELECT 1 AS v'; END$$) ];
ended 'a schema made that is first in the path', path => 'w3, w, public', write => 'CREATE SCHEMA w3; CREATE TABLE w3.t AS SELECT 1 AS v';
ended 'ALTER DOMAIN', setup => 'CREATE DOMAIN small AS int', read => 'SELECT v::small FROM t', write => 'ALTER DOMAIN small ADD CHECK (value < 25)';
ended 'ALTER TYPE ADD VALUE', setup => q(CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE x AS SELECT 'ok'::mood AS m), read => 'SELECT m FROM x', write => q(ALTER TYPE mood ADD VALUE 'great'), same => 1;
ended 'ALTER TYPE RENAME VALUE', setup => q(CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE x AS SELECT 'ok'::mood AS m), read => 'SELECT m FROM x', write => q(ALTER TYPE mood RENAME VALUE 'ok' TO 'fine');
ended 'ALTER TYPE of a composite type', setup => 'CREATE TYPE pair AS (a int, b int); CREATE TABLE x (p pair); INSERT INTO x VALUES ((1, 2))', read => 'SELECT p FROM x', write => $_
  foreach 'ALTER TYPE pair ADD ATTRIBUTE c int', 'ALTER TYPE pair RENAME ATTRIBUTE a TO z', 'ALTER TYPE pair DROP ATTRIBUTE a';
ended 'a text search configuration', setup => 'CREATE TEXT SEARCH CONFIGURATION conf (COPY = simple)', read => q(SELECT to_tsvector('w.conf', 'the cats')), write => 'ALTER TEXT SEARCH CONFIGURATION conf ALTER MAPPING FOR asciiword WITH english_stem';
ended 'a system catalog written by hand', setup => "$f plpgsql AS 'BEGIN RETURN 1; END'", read => 'SELECT f(v) FROM t', write => q(UPDATE pg_proc SET prosrc = 'BEGIN RETURN 2; END' WHERE oid = 'w.f(int)'::regprocedure);
ended 'a column of the type of a temporary table, dropped with that', setup => 'CREATE TABLE x (a int)',
  warm => 'CREATE TEMP TABLE h (b int); ALTER TABLE x ADD COLUMN h h; INSERT INTO x VALUES (1)', read => 'SELECT * FROM x', write => $_
  foreach 'DROP TABLE h CASCADE', 'DISCARD TEMP';

# Row security and privileges.
my $secure = <<'SQL';
GRANT SELECT ON t, u TO regress_cache_reader;
CREATE POLICY few ON t USING (v < 25);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
SQL
ended $_->[0], setup => $secure, role => 'regress_cache_reader', write => $_->[1]
  foreach [ 'CREATE POLICY', 'CREATE POLICY more ON t USING (v > 25)' ], [ 'CREATE POLICY AS RESTRICTIVE', 'CREATE POLICY less ON t AS RESTRICTIVE USING (v > 15)' ],
  [ 'ALTER POLICY', 'ALTER POLICY few ON t USING (v < 15)' ], [ 'ALTER POLICY ... TO', 'ALTER POLICY few ON t TO regress_cache_owner' ], [ 'DROP POLICY', 'DROP POLICY few ON t' ],
  [ 'DISABLE ROW LEVEL SECURITY', 'ALTER TABLE t DISABLE ROW LEVEL SECURITY' ], [ 'REVOKE', 'REVOKE SELECT ON t FROM regress_cache_reader' ],
  [ 'REVOKE of a schema', 'REVOKE USAGE ON SCHEMA w FROM PUBLIC' ], [ 'a table read by a policy', 'ALTER POLICY few ON t USING (EXISTS (SELECT FROM u WHERE u.id = t.id + 2))' ];
ended 'rows that a policy reads', setup => "$secure ALTER POLICY few ON t USING (EXISTS (SELECT FROM u WHERE u.id = t.id))", role => 'regress_cache_reader', write => 'DELETE FROM u WHERE id = 2';
ended 'ENABLE ROW LEVEL SECURITY', setup => "$secure ALTER TABLE t DISABLE ROW LEVEL SECURITY", role => 'regress_cache_reader', write => 'ALTER TABLE t ENABLE ROW LEVEL SECURITY';
ended 'FORCE ROW LEVEL SECURITY', setup => "$secure ALTER TABLE t OWNER TO regress_cache_reader", role => 'regress_cache_reader', write => 'ALTER TABLE t FORCE ROW LEVEL SECURITY';
ended 'NO FORCE ROW LEVEL SECURITY', setup => "$secure ALTER TABLE t OWNER TO regress_cache_reader, FORCE ROW LEVEL SECURITY", role => 'regress_cache_reader', write => 'ALTER TABLE t NO FORCE ROW LEVEL SECURITY';
ended 'ALTER ROLE BYPASSRLS', setup => $secure, role => 'regress_cache_reader', write => 'ALTER ROLE regress_cache_reader BYPASSRLS';
do_in($admin, 'ALTER ROLE regress_cache_reader NOBYPASSRLS');
ended 'GRANT of a role', setup => "$secure CREATE POLICY group_sees ON t TO regress_cache_group USING (true)", role => 'regress_cache_reader', write => 'GRANT regress_cache_group TO regress_cache_reader';
do_in($admin, 'REVOKE regress_cache_group FROM regress_cache_reader');
ended 'ALTER TABLE OWNER', setup => "$secure CREATE VIEW a AS SELECT * FROM t; GRANT SELECT ON a TO regress_cache_reader; GRANT SELECT ON t TO regress_cache_owner", role => 'regress_cache_reader',
  read => 'SELECT sum(v) FROM a', write => 'ALTER VIEW a OWNER TO regress_cache_owner';

ended "a policy that needs the type of a temporary table, dropped with that by $_", setup => "$secure DROP POLICY few ON t", role => 'regress_cache_reader',
  warm => 'CREATE TEMP TABLE h (b int); CREATE POLICY few ON t USING (NULL::h IS NULL AND v < 25)', write => $_
  foreach 'DROP TABLE h CASCADE', 'DISCARD TEMP';

# Temporary tables may have rules and triggers that write to others.
ended 'a rule of a temporary table', warm => 'CREATE TEMP TABLE h (a int); CREATE RULE r AS ON INSERT TO h DO ALSO INSERT INTO t VALUES (NEW.a, 1)', write => 'INSERT INTO h VALUES (9)';
ended 'a trigger of a temporary table', setup => $trigger, warm => 'CREATE TEMP TABLE h (a int); CREATE TRIGGER fired AFTER INSERT ON h EXECUTE FUNCTION fired()', write => 'INSERT INTO h VALUES (9)';

# What changes nothing.
kept $_, write => $_
  foreach 'UPDATE t SET v = 0 WHERE id = 99', 'UPDATE t SET v = 0 WHERE false', 'DELETE FROM t WHERE v < 0', 'INSERT INTO t SELECT * FROM t WHERE false',
  'INSERT INTO t VALUES (1, 99) ON CONFLICT DO NOTHING', 'INSERT INTO t VALUES (1, 99) ON CONFLICT (id) DO UPDATE SET v = 0 WHERE false',
  'MERGE INTO t USING u ON t.id = u.id WHEN MATCHED AND u.v < 0 THEN DELETE', 'BEGIN; UPDATE t SET v = 0; ROLLBACK', 'BEGIN; TRUNCATE t; ROLLBACK', "BEGIN; $data; ROLLBACK",
  'SELECT * FROM t FOR UPDATE', 'SELECT * FROM t FOR KEY SHARE', 'BEGIN; LOCK TABLE t; COMMIT', 'SELECT txid_current()',
  'EXPLAIN UPDATE t SET v = 0', 'EXPLAIN (ANALYZE) SELECT * FROM t', 'ANALYZE t', 'ANALYZE', 'VACUUM t', 'VACUUM (FREEZE, ANALYZE) t', 'VACUUM FULL t',
  'REINDEX TABLE t', 'REINDEX TABLE CONCURRENTLY t', 'CREATE INDEX ON t (v)', 'CREATE INDEX CONCURRENTLY ON t (v)', q(COMMENT ON TABLE t IS 'hello'), 'CREATE STATISTICS st ON id, v FROM t',
  'CREATE TEMP TABLE tmp (x int); INSERT INTO tmp VALUES (1); UPDATE tmp SET x = 2; TRUNCATE tmp; ALTER TABLE tmp ADD COLUMN y int; CREATE INDEX ON tmp (x); DROP TABLE tmp',
  'CREATE TEMP TABLE t AS SELECT 1 AS v; UPDATE t SET v = 2; DROP TABLE t', 'CREATE TEMP VIEW tv AS SELECT * FROM t', 'CREATE TEMP TABLE tmp (x int) ON COMMIT DROP',
  'SELECT 1 AS x INTO TEMP tmp; DISCARD TEMP', "CREATE TEMP TABLE tmp (x int); COPY tmp FROM PROGRAM \$\$printf '1\\n'\$\$",
  'INSERT INTO u VALUES (4, 40)', 'DELETE FROM u', 'TRUNCATE u', 'COPY t TO stdout', 'DROP TABLE IF EXISTS nothing', 'NOTIFY t', 'CHECKPOINT', 'PREPARE p AS DELETE FROM t', 'SET work_mem = 1000', 'DISCARD ALL';
kept 'a statement that fails', write => 'INSERT INTO t VALUES (4, 40), (1, 1)', fails => 1;
kept 'COPY that fails', write => "COPY t FROM PROGRAM \$\$printf '4\\t40\\n1\\t1\\n'\$\$", fails => 1;
kept 'a deferred constraint that fails', setup => 'CREATE TABLE c (a int REFERENCES t DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1)', write => 'BEGIN; DELETE FROM t WHERE id = 1; COMMIT', fails => 1;
kept 'a trigger that lets nothing through', setup => q(CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER no BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION no()), write => 'UPDATE t SET v = 0';
kept 'a rule INSTEAD NOTHING', setup => 'CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING', write => 'DELETE FROM t';
kept 'another partition', setup => $parts, read => [ @sum{qw(p_a p_a1 p_rest)} ], write => q(INSERT INTO p VALUES ('b', 2, 1); DELETE FROM p_b);
kept 'UPDATE of the root that matches elsewhere', setup => $parts, read => [ @sum{qw(p_a2 p_b)} ], write => q(UPDATE p SET v = v + 1 WHERE v = 10);
kept 'the parent, seen in a child', setup => $child, read => 'SELECT sum(v) FROM c', write => 'INSERT INTO t VALUES (4, 40); UPDATE t SET v = 1 WHERE id = 4';
kept 'REFRESH, seen in what it reads', setup => 'CREATE MATERIALIZED VIEW m AS SELECT * FROM t', write => 'REFRESH MATERIALIZED VIEW m';
kept 'a write, seen in a materialized view', setup => 'CREATE MATERIALIZED VIEW m AS SELECT * FROM t', read => 'SELECT sum(v) FROM m', write => 'DELETE FROM t';

# Temporary tables of the session that reads.
my ($mine, $other) = (session(), session());
my $query = 'SELECT sum(v) FROM t';
do_in($admin, $tables);
cached($mine, $query);
is(cached($mine, $query), 'hit {"sum":60}', 'before there is a temporary table');
do_in($mine, 'CREATE TEMP TABLE t AS SELECT 1 AS v');
like(cached($mine, $query), qr/^ERROR: .*temporary table/, 'a temporary table hides the other');
is(cached($other, $query), 'hit {"sum":60}', '... for nobody else');
do_in($mine, 'DISCARD TEMP');
like(cached($mine, $query), qr/^(?:hit|miss) \{"sum":60\}$/, '... until DISCARD TEMP');
do_in($mine, 'CREATE TEMP TABLE t AS SELECT 1 AS v; DROP TABLE pg_temp.t');
like(cached($mine, $query), qr/^(?:hit|miss) \{"sum":60\}$/, '... or until it is dropped');
do_in($mine, 'BEGIN; CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1 AS v; COMMIT');
like(cached($mine, $query), qr/^(?:hit|miss) \{"sum":60\}$/, '... or until the transaction ends');
do_in($mine, 'CREATE TEMP TABLE c () INHERITS (t); INSERT INTO c VALUES (9, 9)');
is(plain($mine, $query), '{"sum":69}', 'a temporary child is seen by its session');
like(cached($mine, $query), qr/^ERROR: .*temporary table|\{"sum":69\}/, '... which is not served what others see');
like(cached($other, $query), qr/^ERROR: .*temporary table|\{"sum":60\}/, '... and others are not served what that sees');
$mine->quit;
is(cached($other, $query) =~ s/^\w+ //r, '{"sum":60}', '... which is gone with its session');

# The name of a database is changed from another one.
$node->safe_psql('postgres', 'CREATE DATABASE regress_cache_a');
$node->safe_psql('regress_cache_a', 'CREATE EXTENSION cache');
my $name = q(SELECT cached_query('SELECT current_database(), current_catalog') ->> 'current_database');
is($node->safe_psql('regress_cache_a', "$name; $name"), "regress_cache_a\nregress_cache_a", 'the name of the database');
$node->poll_query_until('postgres', q(SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = 'regress_cache_a')));
$node->safe_psql('postgres', 'ALTER DATABASE regress_cache_a RENAME TO regress_cache_b');
is($node->safe_psql('regress_cache_b', $name), 'regress_cache_b', '... after it was changed');

is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$_->quit foreach $admin, $writer, @readers, $other;
$node->stop;
done_testing();

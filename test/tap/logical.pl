# What logical replication changes on a subscriber ends what was cached there.
#
# There is a row to wait for in every change: once the plain query shows it, the
# cache must not serve anything older.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->append_conf('postgresql.conf', <<'CONF');
max_prepared_transactions = 10
logical_decoding_work_mem = 64kB
fsync = off
CONF
$publisher->start;
my $subscriber = cache_node('subscriber', max_prepared_transactions => 10,
	max_logical_replication_workers => 10, max_worker_processes => 20, fsync => 'off');
my $reader = $subscriber->background_psql('postgres');

my $tables = <<'SQL';
CREATE TABLE t (id int PRIMARY KEY, v int);
CREATE TABLE early (id int PRIMARY KEY, v int);
CREATE TABLE late (id int PRIMARY KEY, v int);
CREATE TABLE log (id int);
SQL
$publisher->safe_psql('postgres', <<"SQL");
$tables
CREATE TABLE p (kind text, id int, v int, PRIMARY KEY (kind, id));
INSERT INTO t SELECT i, i FROM generate_series(1, 100) i;
INSERT INTO p SELECT k, i, i FROM unnest('{a,b}'::text[]) k, generate_series(1, 10) i;
CREATE PUBLICATION pub FOR TABLE t, p;
CREATE PUBLICATION pub_early FOR TABLE early;
CREATE PUBLICATION pub_late FOR TABLE late;
SQL
$subscriber->safe_psql('postgres', <<"SQL");
$tables
CREATE TABLE p (kind text, id int, v int, PRIMARY KEY (kind, id)) PARTITION BY LIST (kind);
CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a');
CREATE TABLE p_b PARTITION OF p FOR VALUES IN ('b') PARTITION BY RANGE (id);
CREATE TABLE p_b1 PARTITION OF p_b FOR VALUES FROM (0) TO (100);
CREATE TABLE p_b2 PARTITION OF p_b FOR VALUES FROM (100) TO (1000000);
CREATE FUNCTION logs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.log VALUES (NEW.id); RETURN NULL; END';
CREATE TRIGGER logs AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION logs();
ALTER TABLE t ENABLE ALWAYS TRIGGER logs;
SQL

my %query = map { ($_ => "SELECT count(*), sum(v) FROM $_") } qw(t p p_a p_b p_b1 p_b2 early late);
$query{log} = 'SELECT count(*), sum(id) FROM log';

sub plain { return $reader->query_safe("SELECT row_to_json(q) FROM ($query{$_[0]}) q"); }
sub cached { return $reader->query_safe("SELECT cached_query('$query{$_[0]}')"); }
sub hits { return $reader->query_safe('SELECT l1_hits FROM cache_stats'); }

# Make sure that these are cached, do something, wait until the plain answers
# are others, and compare.
my %old;
sub remember
{
	%old = ();
	foreach my $table (@_)
	{
		# the change before this one may be about to be reported
		foreach (1 .. 100)
		{
			my $before = hits();

			$old{$table} = cached($table);
			cached($table);
			last if hits() > $before;
			select undef, undef, undef, 0.1;
		}
		is(cached($table), plain($table), "... $table is cached");
	}
	return;
}

sub noticed
{
	my $name = shift;

	foreach my $table (sort keys %old)
	{
		my $new;

		foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
		{
			$new = plain($table);
			last if $new ne $old{$table};
			select undef, undef, undef, 0.1;
		}
		# asked once more, as what is visible may still change, but not go back
		my $cached = cached($table);
		isnt($new, $old{$table}, "$name: $table changes");
		isnt($cached, $old{$table}, '... which the cache notices');
	}
	$publisher->wait_for_catchup('sub');
	is(cached($_), plain($_), "... and $_ is as it should be") foreach sort keys %old;
	return;
}

sub replicated
{
	my ($name, $tables, $command) = @_;

	remember(@$tables);
	$publisher->safe_psql('postgres', $command);
	noticed($name);
	return;
}

# The initial copies.
remember(qw(t p p_a p_b log));
my $connection = $publisher->connstr . ' dbname=postgres application_name=sub';
$subscriber->safe_psql('postgres', <<"SQL");
CREATE SUBSCRIPTION sub CONNECTION '$connection' PUBLICATION pub
	WITH (two_phase = on, streaming = on)
SQL
foreach my $table (sort keys %old)
{
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		last if plain($table) ne $old{$table};
		select undef, undef, undef, 0.1;
	}
	isnt(cached($table), $old{$table}, "the initial copy of $table is noticed");
}
$subscriber->wait_for_subscription_sync($publisher, 'sub');
$subscriber->poll_query_until('postgres', q(SELECT subtwophasestate = 'e' FROM pg_subscription))
  or die 'two_phase is not enabled';
is(plain('t'), '{"count":100,"sum":5050}', '... which is complete');

replicated('INSERT', [qw(t log)], 'INSERT INTO t VALUES (101, 1)');
replicated('UPDATE', ['t'], 'UPDATE t SET v = v + 1 WHERE id = 1');
replicated('UPDATE of the key', ['t'], 'UPDATE t SET id = 102, v = 5 WHERE id = 2');
replicated('DELETE', ['t'], 'DELETE FROM t WHERE id = 3');
replicated('a savepoint', ['t'], 'BEGIN; INSERT INTO t VALUES (103, 1); SAVEPOINT s; INSERT INTO t VALUES (104, 1); ROLLBACK TO s; COMMIT');
replicated('INSERT into partitions', [qw(p p_a p_b p_b1)], q(INSERT INTO p VALUES ('a', 11, 1), ('b', 11, 1)));
replicated('UPDATE in a partition', [qw(p p_a)], q(UPDATE p SET v = 99 WHERE kind = 'a' AND id = 1));
replicated('UPDATE that moves a row', [qw(p_b1 p_b2)], q(UPDATE p SET id = 500 WHERE kind = 'b' AND id = 1));
replicated('DELETE from a partition', [qw(p p_b p_b2)], q(DELETE FROM p WHERE id = 500));
$subscriber->safe_psql('postgres', 'ALTER TABLE p DETACH PARTITION p_b; ALTER TABLE p_b DETACH PARTITION p_b2');
$subscriber->safe_psql('postgres', q(ALTER TABLE p_b ATTACH PARTITION p_b2 FOR VALUES FROM (100) TO (1000000); ALTER TABLE p ATTACH PARTITION p_b FOR VALUES IN ('b')));
replicated('INSERT into partitions attached again', [qw(p p_b p_b2)], q(INSERT INTO p VALUES ('b', 600, 1)));
$subscriber->safe_psql('postgres', q(ALTER SYSTEM SET track_counts = off));
$subscriber->reload;
replicated('INSERT without counters', [qw(p p_b p_b2)], q(INSERT INTO p VALUES ('b', 601, 1)));
$subscriber->safe_psql('postgres', q(ALTER SYSTEM RESET track_counts));
$subscriber->reload;

# A large transaction is streamed to files, or prepared, before it commits.
my $streamed = q(SELECT stream_count > 0 FROM pg_stat_replication_slots WHERE slot_name = 'sub');
my $open = $publisher->background_psql('postgres');
remember(qw(t p p_b2 log));
$open->query_safe(<<'SQL');
BEGIN;
INSERT INTO t SELECT i, i FROM generate_series(1001, 4000) i;
INSERT INTO p SELECT 'b', i, 1 FROM generate_series(1001, 4000) i;
SQL
$publisher->poll_query_until('postgres', $streamed) or die 'nothing is streamed';
is(cached($_), $old{$_}, "a streamed transaction changes nothing in $_ yet") foreach sort keys %old;
$open->query_safe('COMMIT');
noticed('... once it is committed');
remember(qw(t p));
$open->query_safe(qq(BEGIN; DELETE FROM t WHERE id > 1000; UPDATE p SET v = 2 WHERE id > 1000; SAVEPOINT s; UPDATE p SET v = 3 WHERE id > 1000; ROLLBACK TO s; COMMIT));
noticed('a streamed transaction with a savepoint');

# Prepared on the publisher, prepared here.
sub prepared
{
	my $commands = shift;

	$publisher->safe_psql('postgres', "BEGIN; $commands; PREPARE TRANSACTION 'pending'");
	$subscriber->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_prepared_xacts')
	  or die 'not prepared on the subscriber';
	return;
}

remember(qw(t p p_a));
prepared(q(UPDATE t SET v = 7 WHERE id = 5; UPDATE p SET v = 7 WHERE kind = 'a' AND id = 5));
is(cached($_), $old{$_}, "a prepared transaction changes nothing in $_ yet") foreach sort keys %old;
$publisher->safe_psql('postgres', q(COMMIT PREPARED 'pending'));
noticed('COMMIT PREPARED');
remember(qw(t p));
prepared(q(UPDATE t SET v = 8 WHERE id = 5; UPDATE p SET v = 8 WHERE kind = 'a' AND id = 5));
$publisher->safe_psql('postgres', q(ROLLBACK PREPARED 'pending'));
$subscriber->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_prepared_xacts') or die 'not rolled back';
is(cached($_), $old{$_}, "ROLLBACK PREPARED changes nothing in $_") foreach sort keys %old;
remember(qw(t));
prepared('INSERT INTO t SELECT i, i FROM generate_series(5001, 8000) i');
is(cached('t'), $old{t}, 'a large one changes nothing in t yet');
$publisher->safe_psql('postgres', q(COMMIT PREPARED 'pending'));
noticed('COMMIT PREPARED of a large one');
remember(qw(t));
prepared(q(UPDATE t SET v = 9 WHERE id = 5));
$reader->quit;
$subscriber->stop('immediate');
$subscriber->start;
$reader = $subscriber->background_psql('postgres');
is(cached('t'), $old{t}, 'after a crash of the subscriber with a prepared transaction');
$publisher->safe_psql('postgres', q(COMMIT PREPARED 'pending'));
noticed('... COMMIT PREPARED');

replicated('TRUNCATE', ['t'], 'TRUNCATE t');
replicated('TRUNCATE of partitions', [qw(p p_a p_b2)], 'TRUNCATE p');

# A trigger is not served results without what the worker itself has applied.
my $count = q(SELECT public.cached_query('SELECT count(*) FROM public.t'));
$subscriber->safe_psql('postgres', <<"SQL");
CREATE TABLE seen (id int, n text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS \$\$
DECLARE
	n text := ($count);
BEGIN
	INSERT INTO public.seen VALUES (new.id, n);
	RETURN NULL;
END
\$\$;
CREATE TRIGGER see AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION see();
ALTER TABLE t ENABLE ALWAYS TRIGGER see;
SQL
$subscriber->safe_psql('postgres', "SELECT set_config('search_path', '', false); $count");
$publisher->safe_psql('postgres', 'INSERT INTO t VALUES (1, 1), (2, 2)');
$subscriber->poll_query_until('postgres', 'SELECT count(*) = 2 FROM seen') or die 'not applied';
is($subscriber->safe_psql('postgres', q(SELECT string_agg(n, ' ' ORDER BY id) FROM seen)),
	'{"count":1} {"count":2}', 'a trigger sees what has been applied before it');
$subscriber->safe_psql('postgres', 'DROP TRIGGER see ON t');

# A table leaves the subscription while a transaction that has changed it waits.
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION sub2 CONNECTION '@{[ $publisher->connstr ]} dbname=postgres application_name=sub2' PUBLICATION pub_early, pub_late");
$subscriber->wait_for_subscription_sync($publisher, 'sub2');
remember(qw(early late));
my $holder = $subscriber->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE late IN SHARE MODE');
$publisher->safe_psql('postgres', 'BEGIN; INSERT INTO early VALUES (1, 1); INSERT INTO late VALUES (1, 1); COMMIT');
$subscriber->poll_query_until('postgres', q(SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'late'::regclass))
  or die 'the transaction does not wait';
$subscriber->safe_psql('postgres', 'ALTER SUBSCRIPTION sub2 DROP PUBLICATION pub_early');
$holder->query_safe('COMMIT');
noticed('a table that has left the subscription');

# Definitions may be replicated as well; only triggers for each row see that.
$publisher->safe_psql('postgres', <<'SQL');
CREATE TABLE cache_policies (name text PRIMARY KEY, ttl int, tags text[], stale int, max_entry_size int,
	min_cost float8, builtin boolean);
CREATE TABLE cache_queries (name text PRIMARY KEY, query text, ttl int, tags text[], policy text);
INSERT INTO cache_policies VALUES ('replicated', 300, '{}', 0, NULL, 0, false);
INSERT INTO cache_queries VALUES ('replicated', 'SELECT 1 AS n', NULL, NULL, 'replicated');
CREATE PUBLICATION pub_definitions FOR TABLE cache_policies, cache_queries;
SQL
$subscriber->safe_psql('postgres',
	"CREATE SUBSCRIPTION sub3 CONNECTION '@{[ $publisher->connstr ]} dbname=postgres application_name=sub3' PUBLICATION pub_definitions");
$subscriber->wait_for_subscription_sync($publisher, 'sub3');
is($reader->query_safe(q(SELECT cached('replicated'))), '{"n":1}', 'a named query is replicated');
$publisher->safe_psql('postgres', q(UPDATE cache_queries SET query = 'SELECT 2 AS n'));
$publisher->wait_for_catchup('sub3');
is($reader->query_safe(q(SELECT cached('replicated'))), '{"n":2}', '... and so is a change of it');
$publisher->safe_psql('postgres', q(UPDATE cache_policies SET name = 'renamed'));
$publisher->wait_for_catchup('sub3');
my ($failed, undef, $error) = $subscriber->psql('postgres', q(SELECT cached('replicated')));
like($error, qr/policy "replicated" of named query "replicated" does not exist/, '... and of its policy');

is($subscriber->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$_->quit foreach $open, $holder, $reader;
$subscriber->stop;
$publisher->stop;
done_testing();

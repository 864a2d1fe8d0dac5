# Commits of every kind, and those that fail, stopped at points (src/base/stop.c).
# What the cache answers is compared with the plain query.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use CacheStops;

stops_start(init => [ allows_streaming => 'logical' ], max_prepared_transactions => 10,
	wal_retrieve_retry_interval => '100ms');
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
UPDATE story SET score = 10 WHERE id = 1;
UPDATE other SET score = 3;
SQL
$query{p} = 'SELECT sum(score) FROM p';
$query{f} = 'SELECT f() AS sum';
my ($writer, $second, $old) = (session(), session(), session());

# A commit that fails after its fences are up, or whose session is ended there,
# has changed nothing, and leaves no fence; after it is in the log, it counts.
sub unchanged
{
	my $name = shift;

	is(cached('story', $_), '10 hit', "$name: nothing has changed") foreach $reader, $other;
	is(cached('other'), '3 hit', '... in another table either');
	return;
}

my $both = 'BEGIN; UPDATE story SET score = score + 1 WHERE id = 1; UPDATE other SET score = score + 1; COMMIT';
fill(qw(story other));
start_to($writer, $both, 'commit', q(DO $$BEGIN RAISE EXCEPTION 'on purpose'; END$$));
is(cached('story'), '10 fenced', 'a commit that is to fail');
is(finish($writer, 'commit'), 'ERROR: on purpose', '... fails');
unchanged('an error');
start_to($writer, $both, 'commit');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($writer->{pid})");
like(output_of($writer), qr/canceling statement/, 'a commit that is canceled');
forget_stops($writer);
unchanged('a cancel');
start_to($writer, $both, 'commit', 'SELECT pg_terminate_backend(pg_backend_pid())');
let_go($writer, 'commit');
wait_gone($writer);
unchanged('a session that ends at its commit');
verified();

my $score = 10;
foreach my $moment (qw(send tick))
{
	$writer = session();
	start_to($writer, $both, $moment);
	terminate($writer);
	$score++;
	is(cached('story'), "$score fenced", "a session that is terminated about to $moment goes on");
	let_go($writer, $moment);
	wait_gone($writer);
	is(cached('story'), "$score miss", '... its commit counts');
	is(cached('story'), "$score hit", '... and leaves no fence');
}
verified();

# What others touch in callbacks after ours is fenced at once.  Without that,
# it would be counted, but who has seen it could go back before it.
sub touched_late
{
	my ($what, $command, $late, @names) = @_;

	fill(@names);
	start_to($writer, $command, 'commit', $late);
	go_on_to($writer, 'commit', 'send');
	is(cached($_), plain($_) . ' fenced', "late: $what") foreach @names;
	finish($writer, 'send');
	is(cached($_), plain($_) . ' miss', '... which counts') foreach @names;
	is(cached($_), plain($_) . ' hit', '... and leaves no fence') foreach @names;
	return;
}

$writer = session();
my $late = 'UPDATE story SET score = score + 1 WHERE id = 1';
touched_late('another table', 'UPDATE other SET score = score + 1', $late, qw(story other));
touched_late('the same table', 'UPDATE story SET score = score + 1 WHERE id = 2', $late, 'story');
touched_late('a transaction that had written nothing', 'SELECT 1', $late, 'story');
touched_late('a function', 'SELECT 1', 'CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS \'SELECT 1\'', qw(f other));
# together these are more than can be listed
touched_late('too much', q(SELECT count(invalidate_tags(ARRAY['t:' || i])) FROM generate_series(1, 4000) i),
	q(SELECT count(invalidate_tags(ARRAY['u:' || i])) FROM generate_series(1, 400) i), qw(story other));
fill(qw(story other));
start_to($writer, 'UPDATE other SET score = score + 1', 'commit', "$late; SELECT 1 / 0");
is(finish($writer, 'commit'), 'ERROR: division by zero', 'a late touch, then an error');
is(cached($_), plain($_) . ' hit', '... is no change') foreach qw(story other);
verified();

# DETACH PARTITION CONCURRENTLY is two transactions.  After the first one the
# partition is gone for new snapshots, whatever becomes of the second: without
# the touch before the command, a result with its rows would stay if the
# command is canceled in between.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE p (id int, score int) PARTITION BY LIST (id);
CREATE TABLE p_1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE p_2 PARTITION OF p FOR VALUES IN (2);
INSERT INTO p VALUES (1, 1), (2, 2);
SQL
my $detach = 'ALTER TABLE p DETACH PARTITION p_2 CONCURRENTLY';

sub detach_half
{
	fill('p');
	$old->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; $query{p}");
	start_to($writer, $detach, 'commit');
	is(cached('p'), '3 fenced', 'DETACH CONCURRENTLY');
	go_on_to($writer, 'commit', 'send');
	compare('about to send', 'p', $reader, $other, $old);
	go_on_to($writer, 'send', 'tick');
	compare('about to tick', 'p', $reader, $other, $old);
	let_go($writer, 'tick');
	$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $writer->{pid}")
	  or die 'the command does not wait';
	compare('half of it', 'p', $reader, $other, $old);
	compared('... in the first of its commits');
	is(cached('p'), '1 hit', '... after which the rows are gone');
	return;
}

detach_half();
stop_at($writer, 'commit');
$old->query_safe('COMMIT');
await($writer, 'commit');
is(cached('p'), '1 fenced', '... in the second');
go_on_to($writer, 'commit', 'tick');
is(cached('p'), '1 fenced', '... to its end');
finish($writer, 'tick');
fill('p');
$writer->query_safe('INSERT INTO p_2 VALUES (2, 2)');
is(cached('p'), '1 hit', '... and the partition is none');

my $attach = 'DELETE FROM p_2; INSERT INTO p_2 VALUES (2, 2); ALTER TABLE p ATTACH PARTITION p_2 FOR VALUES IN (2)';
$writer->query_safe($attach);
detach_half();
$node->safe_psql('postgres', "SELECT pg_cancel_backend($writer->{pid})");
like(output_of($writer), qr/canceling statement/, '... and canceled');
is(cached('p'), '1 hit', '... without what was detached');
compare('canceled', 'p', $reader, $other, $old);
$old->query_safe('COMMIT');
output_of($writer, 'UPDATE p_2 SET score = 5');
compare('a change of it', 'p', $reader, $other, $old);
$writer->query_safe('ALTER TABLE p DETACH PARTITION p_2 FINALIZE');
compare('finalized', 'p', $reader, $other, $old);
compared('... finalized later');

$writer->query_safe($attach);
detach_half();
stop_at($writer, 'commit');
$old->query_safe('COMMIT');
await($writer, 'commit');
terminate($writer);
wait_gone($writer);
compare('terminated', 'p', $reader, $other, $old);
$writer = session();
$writer->query_safe('ALTER TABLE p DETACH PARTITION p_2 FINALIZE');
compare('finalized', 'p', $reader, $other, $old);
compared('... and terminated in the second');
verified();

# An apply worker commits like anyone else.
my $connection = $node->connstr . ' dbname=publisher';
$node->safe_psql('postgres', 'CREATE DATABASE publisher');
$node->safe_psql('publisher', <<'SQL');
CREATE TABLE other (id int PRIMARY KEY, score int);
CREATE PUBLICATION told FOR TABLE other;
SELECT pg_create_logical_replication_slot('told', 'pgoutput');
SQL
$node->safe_psql('postgres', "CREATE SUBSCRIPTION told CONNECTION '$connection' PUBLICATION told WITH (create_slot = false, slot_name = 'told', copy_data = false)");

sub apply_worker
{
	$node->poll_query_until('postgres', q(SELECT count(*) = 1 FROM pg_stat_subscription WHERE pid IS NOT NULL AND received_lsn IS NOT NULL))
	  or die 'there is no apply worker';
	return { pid => $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_subscription') };
}

sub in_the_end_hit
{
	my $name = shift;

	foreach (1 .. 1000)
	{
		last if cached($name) eq plain($name) . ' hit';
		sleep 0.01;
	}
	return cached($name);
}

$node->poll_query_until('postgres', q(SELECT srsubstate = 'r' FROM pg_subscription_rel)) or die 'it does not start';
my $worker = apply_worker();
my $before = plain('other');
fill('other');
stop_at($worker, 'commit');
$node->safe_psql('publisher', 'INSERT INTO other VALUES (2, 100)');
await($worker, 'commit');
is(plain('other'), $before, 'an apply worker');
is(cached('other'), "$before fenced", '... whose commit is not visible');
go_on_to($worker, 'commit', 'send');
is(plain('other'), $before + 100, '... which becomes visible');
is(cached('other'), $before + 100 . ' fenced', '... the cache does not go back before it');
go_on_to($worker, 'send', 'tick');
is(cached('other'), $before + 100 . ' fenced', '... nor later');
let_go($worker, 'tick');
is(in_the_end_hit('other'), $before + 100 . ' hit', '... and the new answer is cached');

stop_at($worker, 'commit');
$node->safe_psql('publisher', 'INSERT INTO other VALUES (3, 100)');
await($worker, 'commit');
$node->safe_psql('postgres', 'ALTER SUBSCRIPTION told DISABLE');
terminate($worker);
wait_gone($worker);
is(cached('other'), $before + 100 . ' hit', 'an apply worker that is terminated at its commit has changed nothing');
$node->safe_psql('postgres', 'ALTER SUBSCRIPTION told ENABLE');
$node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM other WHERE id = 3') or die 'it is not applied';
is(in_the_end_hit('other'), $before + 200 . ' hit', '... and the next one does it');
$node->safe_psql('postgres', 'ALTER SUBSCRIPTION told DISABLE; ALTER SUBSCRIPTION told SET (slot_name = NONE); DROP SUBSCRIPTION told');
verified();

# Two-phase commit: recorded and not yet prepared; ended and not yet noticed.
sub pending { return $node->safe_psql('postgres', 'SELECT prepared_transactions FROM cache_stats'); }

my $prepare = "BEGIN; UPDATE story SET score = score + 1 WHERE id = 1; PREPARE TRANSACTION 'x'";
fill('story');
my $now = plain('story');
start_to($writer, $prepare, 'prepare');
is(cached('story'), "$now fenced", 'about to prepare');
is(pending(), 1, '... on record');
finish($writer, 'prepare');
is(cached('story'), "$now fenced", '... and prepared');
$writer->query_safe(q(ROLLBACK PREPARED 'x'));
is(cached('story'), "$now hit", '... and rolled back');

start_to($writer, $prepare, 'prepare', q(DO $$BEGIN RAISE EXCEPTION 'on purpose'; END$$));
is(finish($writer, 'prepare'), 'ERROR: on purpose', 'PREPARE TRANSACTION fails');
is(pending(), 0, '... leaves no record');
is(cached('story'), "$now hit", '... nor a fence');
start_to($writer, $prepare, 'prepare', $late);
like(finish($writer, 'prepare'), qr/^ERROR: cannot invalidate cached results/, 'a late touch fails it');
is(cached('story'), "$now hit", '... and is no change');
start_to($writer, $prepare, 'prepare');
terminate($writer);
wait_gone($writer);
is(pending(), 0, 'a session that is terminated about to prepare leaves no record');
is(cached('story'), "$now hit", '... nor a fence');

# Whoever notices the end second finds nothing left to do; were the fence taken
# down twice, the next one would not hold.
$writer = session();
$writer->query_safe($prepare);
start_to($writer, q(COMMIT PREPARED 'x'), 'resolve');
$now++;
is(cached('story'), "$now fenced", 'an end that is not yet noticed');
is(cached('story'), "$now miss", '... is so by whoever meets the fence');
start_to($second, 'UPDATE story SET score = score + 1 WHERE id = 1', 'commit');
finish($writer, 'resolve');
is(cached('story'), "$now fenced", '... once');
finish($second, 'commit');
$now++;
is(cached('story'), "$now miss", '... and does not disturb the next commit');
$writer->query_safe($prepare);
start_to($writer, q(COMMIT PREPARED 'x'), 'resolve');
$now++;
go_on_to($sweeper, 'sweep', 'resolve');
finish($writer, 'resolve');
is(cached('story'), "$now miss", 'an end noticed by two: one of them acts');
start_to($second, 'UPDATE story SET score = score + 1 WHERE id = 1', 'commit');
go_on_to($sweeper, 'resolve', 'sweep');
is(cached('story'), "$now fenced", '... and the other one does not');
finish($second, 'commit');
$now++;
is(cached('story'), "$now miss", '... but to the next commit');
$writer->query_safe($prepare =~ s/story/other/r);
start_to($writer, q(COMMIT PREPARED 'x'), 'resolve');
go_on_to($sweeper, 'sweep', 'resolve');
terminate($writer);
wait_gone($writer);
is(cached('other'), plain('other') . ' fenced', 'a session that is terminated before it notices');
let_go($sweeper, 'resolve');
is(in_the_end_hit('other'), plain('other') . ' hit', '... is no loss: others do');
is(pending(), 0, '... and no record is left');
verified();
stops_end($second, $old);
done_testing();

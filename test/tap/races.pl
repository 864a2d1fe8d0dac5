# The moments around a commit: a commit that waits for a standby, sessions that
# end or fail there, and one that touches more than can be listed.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', init => [ allows_streaming => 1 ], fsync => 'off',
	max_locks_per_transaction => 1000, 'cache.fill_wait' => '10min');
my $reader = $node->background_psql('postgres', on_error_stop => 0);

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story VALUES (1, 1);
CREATE TABLE other (id int PRIMARY KEY, score int);
INSERT INTO other VALUES (1, 1);
CREATE TABLE refers (id int REFERENCES other DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
CREATE FUNCTION held(x bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	WHILE NOT pg_try_advisory_lock_shared(1) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	PERFORM pg_advisory_unlock_shared(1);
	RETURN x;
END$$;
ALTER SYSTEM SET cache.trusted_functions = 'public.held';
SELECT pg_reload_conf();
SQL

my %query = map { ($_ => "SELECT sum(score) FROM $_") } qw(story other);
$query{held} = 'SELECT held(sum(score)) AS sum FROM story';

sub plain { return $reader->query_safe($query{$_[0]}); }

# The answer of the cache, and what it did.
sub cached
{
	my ($table, $session) = (@_, $reader);
	my $count = q(SELECT l1_hits, misses, bypass_reasons ->> 'fenced', bypass_reasons ->> 'own_writes' FROM cache_stats);
	my $output = $session->query_safe("$count; SELECT cached_query('$query{$table}') ->> 'sum'; $count");
	my ($before, $answer, $after) = map { [ split /\|/ ] } split /\n/, $output;
	my @names = qw(hit miss fenced own_writes);

	return join ' ', $answer->[0], map { ($names[$_]) x (($after->[$_] || 0) - ($before->[$_] || 0)) } 0 .. 3;
}

sub fill
{
	foreach (@_)
	{
		cached($_);
		is(cached($_), plain($_) . ' hit', "$_ is cached");
	}
	return;
}

# A session, with its pid; a command in it that is not waited for.
sub session
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->{pid} = $session->query_safe('SELECT pg_backend_pid()');
	return $session;
}

sub start_command
{
	my ($session, $command) = @_;

	$session->query_until(qr/begun/, "\\echo begun\n$command;\n");
	return;
}

# Wait until a session waits for something, or is no more.
sub wait_event
{
	my ($session, $event) = @_;

	$node->poll_query_until('postgres', "SELECT wait_event FROM pg_stat_activity WHERE pid = $session->{pid}", $event)
	  or die "no wait for $event";
	return;
}

sub wait_gone
{
	my $session = shift;

	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $session->{pid}")
	  or die 'the session is still there';
	eval { $session->quit };
	return;
}

sub synchronous
{
	my $names = shift;

	$node->safe_psql('postgres', "SET synchronous_commit = local; ALTER SYSTEM SET synchronous_standby_names = '$names'");
	$node->reload;
	$node->poll_query_until('postgres', "SELECT current_setting('synchronous_standby_names') = '$names'");
	return;
}

# A commit that waits for a standby: it is in the log, and not yet visible.
sub hang
{
	my $command = shift;
	my $session = session();

	synchronous('nobody');
	start_command($session, $command);
	wait_event($session, 'SyncRep');
	return $session;
}

fill(qw(story other));
my $writer = hang('UPDATE story SET score = 2');
is(plain('story'), 1, 'a commit that waits is not visible');
is(cached('story'), '1 fenced', '... nor cached') foreach 1 .. 2;
is(cached('other'), '1 hit', '... other tables are');
synchronous('');
$writer->query_safe('');
is(cached('story'), '2 miss', 'once it is released, the new answer');
is(cached('story'), '2 hit', '... which is cached');
is(cached('other'), '1 hit', '... and others are not concerned');
$writer->quit;

$writer = hang('UPDATE story SET score = 3');
is(cached('story'), '2 fenced', 'another that waits');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($writer->{pid})");
$writer->query('');
like($writer->{stderr}, qr/WARNING:  canceling wait for synchronous replication/, '... is canceled');
$writer->{stderr} = '';
is(plain('story'), 3, '... and has committed');
is(cached('story'), '3 miss', '... which the cache knows');
is(cached('story'), '3 hit', '... for good');
synchronous('');
$writer->quit;

$writer = hang('UPDATE story SET score = 4');
is(cached('story'), '3 fenced', 'a third');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($writer->{pid})");
wait_gone($writer);
is(plain('story'), 4, '... whose session is terminated, has committed');
is(cached('story'), '4 miss', '... which the cache knows');
is(cached('story'), '4 hit', '... for good');
synchronous('');

# Definitions, two writers, and a fill that began before.
$writer = hang('ALTER TABLE other ADD COLUMN x int');
is(cached('story'), '4 fenced', 'definitions that wait');
synchronous('');
$writer->query_safe('');
$writer->quit;
fill(qw(story other));
my @writers = (hang('UPDATE story SET score = 5'), hang('UPDATE other SET score = 5'));
is(cached('story'), '4 fenced', 'two that wait: one table');
is(cached('other'), '1 fenced', '... and the other');
$node->safe_psql('postgres', "SELECT pg_cancel_backend($writers[0]{pid})");
$writers[0]->query('');
is(cached('story'), '5 miss', '... one ends');
is(cached('other'), '1 fenced', '... without the other');
synchronous('');
$writers[1]->query_safe('');
is(cached('other'), '5 miss', '... which ends later');
$_->quit foreach @writers;

my $holder = $node->background_psql('postgres');
my $leader = session();
$holder->query_safe('SELECT pg_advisory_lock(1)');
start_command($leader, "SELECT cached_query('$query{held}') ->> 'sum'");
wait_event($leader, 'PgSleep');
$writer = hang('UPDATE story SET score = 6');
$holder->query_safe('SELECT pg_advisory_unlock(1)');
is($leader->query_safe('') =~ s/\n//gr, 5, 'an execution that began before a commit');
synchronous('');
$writer->query_safe('');
is(cached('held'), '6 miss', '... is not kept for after it');
is(cached('held'), '6 hit', '... what follows is');
$writer->quit;

# The fill starts while the commit waits, and ends after it.
$holder->query_safe('SELECT pg_advisory_lock(1)');
$writer = hang('UPDATE story SET score = 7');
start_command($leader, "SELECT cached_query('$query{held}') ->> 'sum'");
wait_event($leader, 'PgSleep');
synchronous('');
$writer->query_safe('');
$holder->query_safe('SELECT pg_advisory_unlock(1)');
is($leader->query_safe('') =~ s/\n//gr, 6, 'an execution that began while a commit waited');
is(cached('held'), '7 miss', '... is not kept either');
$writer->quit;

# Sessions that end while they wait for a leader, or lead.
sub lead_and_wait
{
	my @sessions = (session(), session());

	$holder->query_safe('SELECT pg_advisory_lock(1)');
	$node->safe_psql('postgres', 'UPDATE story SET score = score + 1');
	foreach my $i (0, 1)
	{
		start_command($sessions[$i], "SELECT cached_query('$query{held}') ->> 'sum'");
		$node->poll_query_until('postgres', "SELECT wait_event_type FROM pg_stat_activity WHERE pid = $sessions[$i]{pid}",
			$i == 0 ? 'Timeout' : 'Extension') or die "session $i does not wait";
	}
	return @sessions;
}

my ($first, $second) = lead_and_wait();
$node->safe_psql('postgres', "SELECT pg_terminate_backend($second->{pid})");
wait_gone($second);
$holder->query_safe('SELECT pg_advisory_unlock(1)');
is($first->query_safe('') =~ s/\n//gr, 8, 'the session that waits is terminated: the leader goes on');
is(cached('held'), '8 hit', '... for all');
$first->quit;
($first, $second) = lead_and_wait();
$node->safe_psql('postgres', "SELECT pg_terminate_backend($first->{pid})");
wait_gone($first);
wait_event($second, 'PgSleep');
$holder->query_safe('SELECT pg_advisory_unlock(1)');
is($second->query_safe('') =~ s/\n//gr, 9, 'the leader is terminated: the session that waits executes');
is(cached('held'), '9 hit', '... for all');
$second->quit;

# Commits that fail, and sessions that end with their transaction open.
fill(qw(story other));
$writer = session();
sub fails
{
	my ($name, $error, @commands) = @_;

	$writer->{stderr} = '';
	$writer->query($_) foreach @commands;
	like($writer->{stderr}, $error, "$name fails");
	$writer->{stderr} = '';
	$writer->query_safe('ROLLBACK') if $writer->query_safe('SELECT 1') ne '1';
	is(cached('story', $_), '9 hit', '... and ends nothing') foreach $reader, $writer;
	is(cached('other'), '5 hit', '... of another table either');
	return;
}

fails('a deferred foreign key', qr/violates foreign key/, 'BEGIN; UPDATE story SET score = 0; INSERT INTO refers VALUES (7); COMMIT');
$node->safe_psql('postgres', 'CREATE CONSTRAINT TRIGGER refuses AFTER UPDATE ON story DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuses()');
fill(qw(story other));
fails('a deferred trigger', qr/ERROR:  refused/, 'BEGIN; UPDATE story SET score = 0; UPDATE other SET score = 0; COMMIT');
fails('a deferred trigger of a single command', qr/ERROR:  refused/, 'UPDATE story SET score = 0');
$node->safe_psql('postgres', 'DROP TRIGGER refuses ON story');
fill(qw(story other));

# Two that each read what the other writes: whoever commits second fails.
my $rival = session();
$rival->query_safe('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(score) FROM story');
$writer->query_safe('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(score) FROM other; UPDATE story SET score = 0');
$rival->query_safe('UPDATE other SET score = 5; COMMIT');
cached('other');
fails('a serializable transaction', qr/could not serialize access/, 'COMMIT');
$rival->quit;

$writer->query_safe('BEGIN; UPDATE story SET score = 0');
is(cached('story', $writer), '0 own_writes', 'an open transaction sees its own');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($writer->{pid})");
wait_gone($writer);
is(cached('story'), '9 hit', '... and ends nothing when its session is terminated');

# A commit whose serialization fails after the fences were up leaves none.
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');

# More than is listed: thousands of tables, and of tags.
$node->safe_psql('postgres', <<'SQL');
DO $$
BEGIN
	FOR i IN 1 .. 4200 LOOP
		EXECUTE format('CREATE TABLE m_%s (score int)', i);
	END LOOP;
END$$;
CREATE PROCEDURE write_many() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 4200 LOOP
		EXECUTE format('INSERT INTO m_%s VALUES (1)', i);
	END LOOP;
END$$;
SQL
$query{$_} = "SELECT sum(score) FROM $_" foreach qw(m_1 m_4200);
fill(qw(m_1 m_4200 story other));
$writer = session();
$writer->query_safe('BEGIN; CALL write_many()');
is(cached('m_4200'), ' hit', 'thousands of tables, not yet committed');
$writer->query_safe('ROLLBACK');
is(cached('m_4200'), ' hit', '... and rolled back');
$writer->query_safe('CALL write_many()');
is(cached('m_1'), '1 miss', '... and committed: the first');
is(cached('m_4200'), '1 miss', '... the last');
is(cached('story'), '9 miss', '... and everything else');
fill(qw(m_1 m_4200 story));
$writer->query_safe('UPDATE m_4200 SET score = 2');
is(cached('m_4200'), '2 miss', 'what comes next touches its own only');
is(cached('m_1'), '1 hit', '... and nothing else');
fill('story');
$writer->query_safe(q(BEGIN; SELECT invalidate_tags(array_agg('t:' || i)) FROM generate_series(1, 5000) i));
is(cached('story'), '9 hit', 'thousands of tags, not yet committed');
$writer->query_safe('COMMIT');
is(cached('story'), '9 miss', '... and committed');
$writer->query_safe(q(UPDATE story SET score = 10));
is(cached('story'), '10 miss', 'one table, after all that');
is(cached('story'), '10 hit', '... and no fence is left');
fill(qw(other m_1));

$writer->query_safe(q(SELECT cache_flush()));
$writer = do { $writer->quit; hang(q(WITH x AS (UPDATE story SET score = 11) SELECT cache_flush())) };
is(cached('other') =~ s/^\S+ //r, 'fenced', 'everything, by a commit that waits');
synchronous('');
$writer->query_safe('');
is(cached('story'), '11 miss', '... and ends');
is(cached('story'), '11 hit', '... is cached again');
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$_->quit foreach $reader, $holder, $leader, $writer;
$node->stop;
done_testing();

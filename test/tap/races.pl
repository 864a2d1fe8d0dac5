# The moments around a commit: a commit that waits for a standby, sessions that
# end or fail there, and one that touches more than can be listed.  Orders that
# chance hardly ever brings about are forced in stops.pl.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', init => [ allows_streaming => 1 ], fsync => 'off',
	max_locks_per_transaction => 1000);
my $reader = $node->background_psql('postgres', on_error_stop => 0);

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story VALUES (1, 1);
CREATE TABLE other (id int PRIMARY KEY, score int);
INSERT INTO other VALUES (1, 1);
CREATE TABLE refers (id int REFERENCES other DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
SQL

my %query = map { ($_ => "SELECT sum(score) FROM $_") } qw(story other);

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

# A session, with its pid.
sub session
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->{pid} = $session->query_safe('SELECT pg_backend_pid()');
	return $session;
}

# Wait until a session is no more.
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
	$session->query_until(qr/begun/, "\\echo begun\n$command;\n");
	$node->poll_query_until('postgres', "SELECT wait_event FROM pg_stat_activity WHERE pid = $session->{pid}", 'SyncRep')
	  or die 'the commit does not wait';
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
	is(cached('story', $_), '4 hit', '... and ends nothing') foreach $reader, $writer;
	is(cached('other'), '1 hit', '... of another table either');
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
$rival->query_safe('UPDATE other SET score = 1; COMMIT');
cached('other');
fails('a serializable transaction', qr/could not serialize access/, 'COMMIT');
$rival->quit;

$writer->query_safe('BEGIN; UPDATE story SET score = 0');
is(cached('story', $writer), '0 own_writes', 'an open transaction sees its own');
$node->safe_psql('postgres', "SELECT pg_terminate_backend($writer->{pid})");
wait_gone($writer);
is(cached('story'), '4 hit', '... and ends nothing when its session is terminated');

# A commit whose serialization fails after the fences were up leaves none.
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');

# More than is listed: thousands of tables, and of tags.
$node->safe_psql('postgres', <<'SQL');
DO $$
BEGIN
	FOR i IN 1 .. 4500 LOOP
		EXECUTE format('CREATE TABLE m_%s (score int)', i);
	END LOOP;
END$$;
CREATE PROCEDURE write_many() LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1 .. 4500 LOOP
		EXECUTE format('INSERT INTO m_%s VALUES (1)', i);
	END LOOP;
END$$;
SQL
$query{$_} = "SELECT sum(score) FROM $_" foreach qw(m_1 m_4500);
fill(qw(m_1 m_4500 story other));
$writer = session();
$writer->query_safe('BEGIN; CALL write_many()');
is(cached('m_4500'), ' hit', 'thousands of tables, not yet committed');
$writer->query_safe('ROLLBACK');
is(cached('m_4500'), ' hit', '... and rolled back');
$writer->query_safe('CALL write_many()');
is(cached('m_1'), '1 miss', '... and committed: the first');
is(cached('m_4500'), '1 miss', '... the last');
is(cached('story'), '4 miss', '... and everything else');
fill(qw(m_1 m_4500 story));
$writer->query_safe('UPDATE m_4500 SET score = 2');
is(cached('m_4500'), '2 miss', 'what comes next touches its own only');
is(cached('m_1'), '1 hit', '... and nothing else');
fill('story');
$writer->query_safe(q(BEGIN; SELECT invalidate_tags(array_agg('t:' || i)) FROM generate_series(1, 5000) i));
is(cached('story'), '4 hit', 'thousands of tags, not yet committed');
$writer->query_safe('COMMIT');
is(cached('story'), '4 miss', '... and committed');
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
$_->quit foreach $reader, $writer;
$node->stop;
done_testing();

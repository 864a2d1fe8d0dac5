# Two-phase commit: what a prepared transaction has changed is not served from
# the cache until it has ended, whoever ends it, after a crash or a restart too.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', max_prepared_transactions => 10, fsync => 'off',
	max_locks_per_transaction => 256);
my $reader;

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story VALUES (1, 1);
CREATE TABLE other (id int PRIMARY KEY, score int);
INSERT INTO other VALUES (1, 1);
CREATE TABLE p (id int, score int) PARTITION BY RANGE (id);
SELECT format('CREATE TABLE p_%s PARTITION OF p FOR VALUES FROM (%1$s) TO (%s)', i, i + 1) FROM generate_series(1, 200) i \gexec
INSERT INTO p SELECT i, 1 FROM generate_series(1, 200) i;
SQL

my %query = map { ($_ => "SELECT sum(score) FROM $_") } qw(story other p p_7 p_199);

sub connect_reader
{
	$reader = $node->background_psql('postgres', on_error_stop => 0);
	return;
}

sub stat_of { return $node->safe_psql('postgres', "SELECT $_[0] FROM cache_stats"); }
sub pending { return stat_of('prepared_transactions'); }
sub plain { return $reader->query_safe($query{$_[0]}); }

# The answer of the cache, and what it did.
sub cached
{
	my $table = shift;
	my $count = q(SELECT l1_hits, misses, bypass_reasons ->> 'fenced', bypass_reasons ->> 'prepared' FROM cache_stats);
	my $output = $reader->query_safe("$count; SELECT cached_query('$query{$table}') ->> 'sum'; $count");
	my ($before, $answer, $after) = map { [ split /\|/ ] } split /\n/, $output;
	my @names = qw(hit miss fenced prepared);

	return join ' ', $answer->[0], map { ($names[$_]) x ($after->[$_] - $before->[$_]) } 0 .. 3;
}

# Like cached, until what is waited for.
sub cached_in_the_end
{
	my ($table, $expected) = @_;
	my $got;

	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$got = cached($table);
		last if $got eq $expected;
		select undef, undef, undef, 0.1;
	}
	return $got;
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

sub prepare
{
	my ($name, $commands) = @_;

	return $node->safe_psql('postgres', "BEGIN; $commands; PREPARE TRANSACTION '$name'");
}

sub finish { return $node->safe_psql('postgres', "$_[0] PREPARED '$_[1]'"); }

connect_reader();

# While it is prepared, and when it ends in another session.
fill(qw(story other));
prepare('a', 'UPDATE story SET score = 2');
is(pending(), 1, 'a prepared transaction is counted');
is(cached('story'), '1 fenced', 'what it has changed bypasses') foreach 1 .. 2;
is(cached('other'), '1 hit', 'other tables do not');
finish('COMMIT', 'a');
is(pending(), 0, 'COMMIT PREPARED');
is(cached('story'), '2 miss', '... the new answer at once');
is(cached('story'), '2 hit', '... which is cached');
is(cached('other'), '1 hit', '... and other tables are not concerned');

prepare('a', 'UPDATE story SET score = 3');
is(cached('story'), '2 fenced', 'prepared again');
finish('ROLLBACK', 'a');
is(pending(), 0, 'ROLLBACK PREPARED');
is(cached('story'), '2 hit', '... ends nothing');

prepare('a', 'UPDATE story SET score = 3');
prepare('b', 'UPDATE other SET score = 3');
is(pending(), 2, 'two at once');
is(cached('story'), '2 fenced', '... one table');
is(cached('other'), '1 fenced', '... and the other');
finish('COMMIT', 'b');
is(cached('other'), '3 miss', '... one ends');
is(cached('story'), '2 fenced', '... without the other');
finish('COMMIT', 'a');
is(cached('story'), '3 miss', '... which ends later');

prepare('a', 'SELECT txid_current()');
is(pending(), 1, 'one that has changed nothing');
is(cached('story'), '3 hit', '... keeps nothing out of the cache');
finish('COMMIT', 'a');
is(cached('story'), '3 hit', '... nor does its end');

# Tags, savepoints, failure.
$node->safe_psql('postgres', 'BEGIN; SAVEPOINT s; UPDATE story SET score = 4; RELEASE s; SAVEPOINT s; UPDATE other SET score = 4; ROLLBACK TO s; PREPARE TRANSACTION \'a\'');
is(cached('story'), '3 fenced', 'a savepoint that was released');
finish('COMMIT', 'a');
is(cached('story'), '4 miss', '... and committed');
fill(qw(story other));
my ($result, $stdout, $stderr) = $node->psql('postgres', q(BEGIN; UPDATE story SET score = 5; CREATE TEMP TABLE tmp (x int); PREPARE TRANSACTION 'a'));
like($stderr, qr/ERROR:  cannot PREPARE a transaction that has operated on temporary objects/, 'PREPARE TRANSACTION fails');
is(pending(), 0, '... and leaves nothing behind');
is(cached('story'), '4 hit', '... not even a miss');
prepare('a', 'UPDATE other SET score = 5');
($result, $stdout, $stderr) = $node->psql('postgres', q(BEGIN; UPDATE story SET score = 5; PREPARE TRANSACTION 'a'));
like($stderr, qr/ERROR:  transaction identifier "a" is already in use/, 'a name in use');
is(pending(), 1, '... is counted once');
is(cached('story'), '4 hit', '... and leaves nothing behind');
finish('COMMIT', 'a');
my $tagged = q(SELECT cached_query('SELECT score FROM story', 300, '{story}') ->> 'score');
$node->safe_psql('postgres', $tagged);
prepare('a', q(UPDATE story SET score = 5; SELECT invalidate_tags('{story}')));
is($node->safe_psql('postgres', $tagged), 4, 'a tag, prepared');
finish('COMMIT', 'a');
is($node->safe_psql('postgres', $tagged), 5, '... and committed');

# More tables than one record holds: everything is kept out.
fill(qw(p p_7 p_199 other));
prepare('a', 'UPDATE p SET score = 2');
is(cached($_) =~ /^(\S+) hit$/ ? 'hit' : 'bypass', 'bypass', "many tables: $_ bypasses") foreach qw(p p_7 p_199);
finish('ROLLBACK', 'a');
is(cached($_), plain($_) . ' hit', "many tables rolled back: $_ is still cached") foreach qw(p p_7 p_199 other);
prepare('a', 'UPDATE p SET score = 2');
finish('COMMIT', 'a');
is(cached($_), "$query{$_} miss" =~ s/.* /plain($_) . ' '/er, "many tables committed: $_") foreach qw(p p_7 p_199);
is((split / /, cached('p'))[0], 400, '... and seen');

# Definitions.
fill(qw(story other));
prepare('a', 'ALTER TABLE other ADD COLUMN x int; CREATE FUNCTION made() RETURNS int LANGUAGE sql AS \'SELECT 1\'');
is(cached('story'), '5 fenced', 'definitions, prepared');
finish('COMMIT', 'a');
is(cached('story'), '5 miss', '... and committed');
fill(qw(story other));
prepare('a', 'CREATE TABLE made_too (x int)');
finish('ROLLBACK', 'a');
is(cached('story'), '5 hit', '... and rolled back');
prepare('a', 'GRANT SELECT ON story TO PUBLIC');
is(cached('story'), '5 fenced', 'GRANT, prepared');
finish('COMMIT', 'a');
is(cached('story'), '5 miss', '... and committed');

# The session that prepared it goes on, with its own writes no longer its own.
fill('story');
my $session = $node->background_psql('postgres');
$session->query_safe("BEGIN; UPDATE story SET score = 6; PREPARE TRANSACTION 'a'");
is($session->query_safe("SELECT cached_query('$query{story}') ->> 'sum'"), 5, 'the session that prepared it');
$session->query_safe("COMMIT PREPARED 'a'");
is($session->query_safe("SELECT cached_query('$query{story}') ->> 'sum'"), 6, '... and committed it');
$session->quit;
is(cached('story'), '6 hit', '... and shares it');

# A session that holds an old snapshot.
my $old = $node->background_psql('postgres');
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
prepare('a', 'UPDATE story SET score = 7');
finish('COMMIT', 'a');
is(cached('story'), '7 miss', 'committed after a snapshot was taken');
is($old->query_safe("SELECT cached_query('$query{story}') ->> 'sum'"), 6, '... which does not see it');
$old->query_safe('COMMIT');
is($old->query_safe("SELECT cached_query('$query{story}') ->> 'sum'"), 7, '... but the next');
$old->quit;

# Crashes and restarts with one pending.
sub again
{
	my $mode = shift;

	$reader->quit;
	$node->stop($mode);
	$node->start;
	connect_reader();
	return;
}

sub bypassed
{
	my $expected = shift;
	my @got = map { cached('story') } 1 .. 5;

	is(join(', ', @got), join(', ', ("$expected prepared") x 5), '... nothing is served meanwhile');
	like(cached('other'), qr/^\S+ prepared$/, '... of other tables either');
	return;
}

my $score = 7;
foreach my $mode (qw(immediate fast))
{
	foreach my $end (qw(COMMIT ROLLBACK))
	{
		my $new = $end eq 'COMMIT' ? $score + 1 : $score;

		fill('story');
		prepare('a', "UPDATE story SET score = $score + 1");
		again($mode);
		is(stat_of(q(coalesce(bypass_reasons ->> 'prepared', '0'))), 0, "after a stop, $mode, with a prepared transaction");
		bypassed($score);
		finish($end, 'a');
		is((split / /, cached('story'))[0], $new, "... until $end PREPARED");
		is(cached_in_the_end('story', "$new hit"), "$new hit", '... then the cache is used again');
		is(pending(), 0, '... and none is pending');
		$score = $new;
	}
}

# One that was there before the stop, and one prepared after it.
prepare('a', 'UPDATE story SET score = score + 1');
again('immediate');
prepare('b', 'UPDATE other SET score = score + 1');
is(cached('other') =~ s/^\S+ //r, 'prepared', 'two, one of them from before a crash');
finish('COMMIT', 'b');
bypassed($score);
finish('COMMIT', 'a');
$score++;
is(cached_in_the_end('story', "$score hit"), "$score hit", '... until that has ended');
is(cached_in_the_end('other', plain('other') . ' hit'), plain('other') . ' hit', '... for the other table too');
prepare('a', 'SELECT 1; UPDATE other SET score = 0');
is(cached('story'), "$score hit", 'later ones concern their tables only');
finish('COMMIT', 'a');
is(cached('other'), '0 miss', '... as before');

# Everything still adds up, and none is needed.
again('fast');
fill(qw(story other));
is(stat_of(q(coalesce(bypass_reasons ->> 'prepared', '0'))), 0, 'a restart with none pending bypasses nothing');
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$reader->quit;
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 0');
$node->restart;
connect_reader();
fill('story');
($result, $stdout, $stderr) = $node->psql('postgres', q(BEGIN; UPDATE story SET score = 0; PREPARE TRANSACTION 'a'));
like($stderr, qr/ERROR:  prepared transactions are disabled/, q(max_prepared_transactions = 0 is PostgreSQL's own error));
is(() = $stderr =~ /ERROR:|WARNING:/g, 1, '... and the only one');
is(cached('story'), "$score hit", '... that ends nothing');
is(pending(), 0, '... and leaves nothing behind');
$node->safe_psql('postgres', 'UPDATE story SET score = score + 1');
$score++;
is(cached('story'), "$score miss", '... and does not disturb what comes next');
is(cached('story'), "$score hit", '... which is cached');
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', '... and shared memory adds up');
$reader->quit;
$node->stop;
done_testing();

# A reader and a commit, in every order: one stops at a point (src/base/stop.c) while
# the other goes on.  What the cache answers is compared with the plain query.
#
# What would go wrong without a protection is said where it is tested; most can
# be taken out, see src/base/breakage.h.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheStops;

stops_start();
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0';
CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN 0; END';
CREATE SCHEMA near;
SQL
$query{$_} = "SELECT $_() AS sum" foreach qw(f g);

# A commit has three moments: its change is not yet visible; it is, but the
# catalog invalidations are not sent; they are, but it is not counted.  Without
# fences, who has seen the change would be served what was before it.
my $writer = session();

fill(qw(story other));
start_to($writer, 'UPDATE story SET score = 2 WHERE id = 1', 'commit');
is(plain('story'), 1, 'a commit that is not visible');
is(cached('story'), '1 fenced', '... nor cached') foreach 1 .. 2;
is(cached('other'), '1 hit', '... other tables are');
go_on_to($writer, 'commit', 'send');
is(plain('story'), 2, 'a commit that is visible');
is(cached('story'), '2 fenced', '... the cache does not go back before it') foreach 1 .. 2;
go_on_to($writer, 'send', 'tick');
is(cached('story'), '2 fenced', '... nor once it has sent catalog invalidations');
finish($writer, 'tick');
is(cached('story'), '2 miss', '... and once it is counted');
is(cached('story'), '2 hit', '... the new answer is cached');
is(cached('other'), '1 hit', '... and others are not concerned');

# Two at once: the fence of one is not that of the other.
my $second = session();
start_to($writer, 'UPDATE story SET score = 3 WHERE id = 1', 'tick');
start_to($second, 'BEGIN; UPDATE story SET score = 2 WHERE id = 2; UPDATE other SET score = 3; COMMIT', 'commit');
is(cached('story'), '3 fenced', 'two commits');
finish($writer, 'tick');
is(cached('story'), '3 fenced', '... one of which is over');
is(cached('other'), '1 fenced', '... the other has changed two tables');
finish($second, 'commit');
is(cached('story'), '5 miss', '... and is over: one');
is(cached('other'), '3 miss', '... and the other');

# A reader stops at each point of its way, and a commit at each of its moments
# meanwhile; then either goes on first.  In the middle, another session is not
# to be served anything but what it would read; in the end, nobody is.
#
# Without a protection:
#	TICK_LAST		who reads the new generation can still plan with the old
#					function, and that result is kept
#	ACCEPT			likewise, if the messages are there and not looked at
#	READ_FIRST		what was planned before a change counts as made after it
#	FRESH_SNAPSHOT	likewise, what was read before it
#	FENCE			who has seen a change is served what was before it
my $number = 100;
my %change = (
	'a row' => {
		query => 'story',
		change => sub { 'UPDATE story SET score = score + 1 WHERE id = 1' } },
	'a function' => {
		query => 'f',
		change => sub { 'CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT ' . $number++ . '$$' } },
	'a function in a new statement' => {
		query => 'f',
		forget => 'CREATE OR REPLACE FUNCTION unused() RETURNS int LANGUAGE sql AS \'SELECT 1\'',
		change => sub { 'CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT ' . $number++ . '$$' } },
	'a name' => {
		query => 'g',
		before => 'DROP FUNCTION IF EXISTS near.g()',
		change => sub { 'CREATE FUNCTION near.g() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN ' . $number++ . '; END$$' } });
my @moments = qw(commit send tick);

sub in_the_end
{
	my ($case, $name) = @_;

	compare('in the end', $name, $reader, $other, $reader);
	compared($case);
	return;
}

# A fresh start: the readers know all there is to know of the old definitions,
# but nothing is cached, and if the case wants it no statement is remembered.
sub prepare
{
	my ($change, $old_snapshot) = @_;
	my $name = $change->{query};

	$writer->query_safe($change->{before}) if $change->{before};
	plain($name, $_), answer($name, $_) foreach $reader, $other;
	$writer->query_safe($change->{forget} // 'SELECT cache_flush()');
	$reader->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; $query{$name}") if $old_snapshot;
	return;
}

# If a statement reads relations, the clock is read again once that is known.
sub read_to
{
	my ($name, $point) = @_;
	my $again = $point =~ s/ again$//;

	start_to($reader, ask($name), $point);
	go_on_to($reader, $point, $point) if $again;
	return;
}

sub finish_reading { return finish($reader, $_[0] =~ s/ again$//r); }

# In a transaction with a snapshot, the answer is that of the snapshot.
sub end_reading
{
	my ($name, $old_snapshot, $got) = @_;

	if ($old_snapshot)
	{
		same('under an old snapshot', $got, plain($name));
		same('once more', answer($name), plain($name));
		$reader->query_safe('COMMIT');
	}
	elsif ($got !~ /^\d+$/)
	{
		same('the reader', $got, 'a number');
	}
	return;
}

# A waiter for the reader's execution would wait for this test.
$other->query_safe('SET cache.fill_wait = 0');

sub reader_first
{
	my ($kind, $point, $moment, $old_snapshot) = @_;
	my $change = $change{$kind};
	my $name = $change->{query};

	prepare($change, $old_snapshot);
	read_to($name, $point);
	if ($moment ne 'end')
	{
		start_to($writer, $change->{change}(), $moment);
		compare('while both are there', $name, $other);
	}
	else
	{
		# nobody else asks, so that the reader finds nothing cached
		$writer->query_safe($change->{change}());
	}
	end_reading($name, $old_snapshot, finish_reading($point));
	compare('after the reader', $name, $other);
	finish($writer, $moment) if $moment ne 'end';
	in_the_end("$kind: " . ($old_snapshot ? 'an old snapshot' : 'a reader') . " about to $point, a commit up to its $moment", $name);
	return;
}

sub writer_first
{
	my ($kind, $point, $moment, $old_snapshot) = @_;
	my $change = $change{$kind};
	my $name = $change->{query};

	prepare($change);
	start_to($writer, $change->{change}(), $moment);
	compare('while the writer is there', $name, $other);
	$reader->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; $query{$name}") if $old_snapshot;
	read_to($name, $point);
	finish($writer, $moment);
	compare('after the writer', $name, $other);
	end_reading($name, $old_snapshot, finish_reading($point));
	in_the_end("$kind: a commit about to $moment, " . ($old_snapshot ? 'an old snapshot' : 'a reader') . " about to $point", $name);
	return;
}

foreach my $case ([ 'a function' ], [ 'a function in a new statement' ], [ 'a name' ],
	[ 'a row' ], [ 'a row', 1 ])
{
	my ($kind, $old_snapshot) = @$case;
	my @orienting = qw(read accept analyse look_up);

	push @orienting, map { "$_ again" } @orienting if $kind eq 'a row';
	foreach my $point (@orienting, qw(lead execute check store))
	{
		reader_first($kind, $point, $_, $old_snapshot) foreach @moments, 'end';
	}
	# with a fence up, the reader does not get as far as that
	foreach my $point (@orienting, 'execute')
	{
		writer_first($kind, $point, $_, $old_snapshot) foreach @moments;
	}
}

# Whoever has read the clock before a commit may look up after it.  Without
# STORE_CHECK it could find, under the generation it has read, what another one
# has seen of that commit, and its snapshot does not.
my $old = session();
$writer->query_safe('SELECT cache_flush()');
$old->query_safe("BEGIN ISOLATION LEVEL REPEATABLE READ; $query{story}");
start_to($old, ask('story'), 'look_up');
go_on_to($old, 'look_up', 'look_up');
start_to($reader, ask('story'), 'execute');
$writer->query_safe('UPDATE story SET score = 10 WHERE id = 1; UPDATE story SET score = 0 WHERE id = 2');
is(finish($reader, 'execute'), 10, 'a reading before a commit, an execution after it');
is(finish($old, 'look_up'), plain('story', $old), '... is not for an old snapshot');
$old->query_safe('COMMIT');
compare('after it', 'story', $old, $reader);
compared('... and for nobody else');

# Single flight.  A leader that ends before it executes is not waited for.  The text
# is a new one, for which others have patience.
my $now = plain('story');
$query{slow} = 'SELECT sum(score) FROM story /* not known yet */';
$other->query_safe('RESET cache.fill_wait');
start_to($writer, ask('slow'), 'lead');
$other->query_until(qr/begun/, "\\echo begun\n@{[ ask('slow') ]};\n");
$node->poll_query_until('postgres', "SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $other->{pid}")
  or die 'nobody waits';
terminate($writer);
is(output_of($other), $now, 'a leader that is terminated before it executes: who waits executes');
is(cached('slow'), "$now hit", '... for all');
wait_gone($writer);

# Who is about to wait finds that the flight has landed, though its leader leads
# another one; without the serial it would wait for that.
$writer = session();
$writer->query_safe('SELECT cache_flush()');
start_to($writer, ask('story'), 'execute');
start_to($other, ask('story'), 'wait');
is(finish($writer, 'execute'), $now, 'a leader');
start_to($writer, ask('other'), 'execute');
is(finish($other, 'wait'), $now, '... leads another one as someone comes to wait');
is(cached('story'), "$now hit", '... who executes nothing');
is(finish($writer, 'execute'), plain('other'), '... and lands that, too');

# Who is terminated as it comes to wait concerns nobody; nor does a leader
# between storing and landing.
$writer->query_safe('SELECT cache_flush()');
start_to($writer, ask('story'), 'execute');
start_to($other, ask('story'), 'wait');
terminate($other);
wait_gone($other);
is(finish($writer, 'execute'), $now, 'someone who is terminated about to wait');
is(cached('story'), "$now hit", '... the leader goes on');
$other = session();
$writer->query_safe('SELECT cache_flush()');
start_to($writer, ask('story'), 'store');
start_to($other, ask('story'), 'wait');
terminate($writer);
wait_gone($writer);
is(finish($other, 'wait'), $now, 'a leader that is terminated about to store');
is(cached('story'), "$now hit", '... the next one stores');
verified();
stops_end($second, $old);
done_testing();


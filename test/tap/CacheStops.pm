# CacheStops: what the tests share that stop sessions at points (src/base/stop.c): a
# node, two sessions that read, and the stops.  The background worker is held,
# for it drops results that have a fence, or acts on the end of prepared
# transactions, when nobody expects it.
#
#	use CacheStops;
#
#	stops_start();
#	start_to($writer, 'UPDATE story SET score = 2', 'commit');
#	is(cached('story'), '1 fenced', 'its change is not visible');
#	finish($writer, 'commit');
#
# The library has to be built with CACHE_STOP_POINTS, as make check does.

package CacheStops;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);
use CacheTest;

our @EXPORT = qw($node $reader $other $sweeper %query stops_start stops_end session output_of wait_gone terminate
  stop_at await start_to let_go go_on_to finish forget_stops ask plain answer cached fill verified
  same compare compared);

our ($node, $reader, $other, $sweeper, %query);
my $stops;
my @failures;

# The options are those of cache_node.
sub stops_start
{
	my %options = @_;

	$node = cache_node('primary', fsync => 'off', autovacuum => 'off', 'cache.fill_wait' => '10min', %options);
	$stops = $node->data_dir . '/cache_stop';
	mkdir $stops or die "$stops: $!";
	$node->safe_psql('postgres', <<'SQL');
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story VALUES (1, 1), (2, 0);
CREATE TABLE other (id int PRIMARY KEY, score int);
INSERT INTO other VALUES (1, 1);
SQL
	%query = map { ($_ => "SELECT sum(score) FROM $_") } qw(story other);
	$reader = session();
	$other = session();
	$sweeper = background_worker();
	stop_at($sweeper, 'sweep');
	return;
}

# The sessions are those that the test has made and not ended.
sub stops_end
{
	$_->quit foreach $reader, $other, @_;
	forget_stops($sweeper);
	$node->stop;
	return;
}

# Sessions.  They look into a schema that some test makes before the usual one.

sub session
{
	local $ENV{PGOPTIONS} = '-c client_min_messages=error -c search_path=near,public';
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->{pid} = $session->query_safe('SELECT pg_backend_pid()');
	return $session;
}

# What a session has printed since it was last asked, and its error.
sub output_of
{
	my ($session, $commands) = (@_, '');
	my $output = $session->query($commands) =~ s/^\n+|\n+$//gr;

	$output .= "ERROR: $1" if $session->{stderr} =~ /(?:ERROR|FATAL):  (.*)/;
	$session->{stderr} = '';
	return $output;
}

# It is not in pg_stat_activity.
sub background_worker
{
	my $postmaster = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];

	foreach my $process (glob '/proc/[0-9]*')
	{
		my $stat = eval { slurp_file("$process/stat") } // next;

		return { pid => $process =~ s!.*/!!r }
		  if $stat =~ /\) \S $postmaster / && slurp_file("$process/cmdline") =~ /cache worker/;
	}
	die 'there is no background worker';
}

# It has left a point without being let go, or is not to stop at one any more.
sub forget_stops
{
	my $session = shift;

	return unlink glob "$stops/*.$session->{pid} $stops/*.$session->{pid}.reached";
}

sub wait_gone
{
	my $session = shift;

	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $session->{pid}")
	  or die 'the session is still there';
	forget_stops($session);
	eval { $session->quit };
	return;
}

sub terminate
{
	my $session = shift;

	$node->safe_psql('postgres', "SELECT pg_terminate_backend($session->{pid})");
	return;
}

# Stops.

# A process is to stop at a point when it next gets there, and then to execute
# some SQL.
sub stop_at
{
	my ($session, $point, $sql) = @_;

	append_to_file("$stops/$point.$session->{pid}", $sql // '');
	return;
}

# Wait until it is there.
sub await
{
	my ($session, $point) = @_;

	foreach (1 .. 12000)
	{
		return if -e "$stops/$point.$session->{pid}.reached";
		sleep 0.005;
	}
	die "$point is not reached";
}

# A session does something up to a point; from there to the next one; to its end.
sub start_to
{
	my ($session, $command, $point, $sql) = @_;

	stop_at($session, $point, $sql);
	$session->query_until(qr/begun/, "\\echo begun\n$command;\n");
	await($session, $point);
	return;
}

sub let_go
{
	my ($session, $point) = @_;

	await($session, $point);
	unlink "$stops/$point.$session->{pid}.reached" or die "$point: $!";
	return;
}

sub go_on_to
{
	my ($session, $from, $point, $sql) = @_;

	stop_at($session, $point, $sql);
	let_go($session, $from);
	await($session, $point);
	return;
}

sub finish
{
	my ($session, $point) = @_;

	let_go($session, $point);
	return output_of($session);
}

# Answers.

sub plain
{
	my ($name, $session) = (@_, $reader);

	return output_of($session, $query{$name});
}

sub ask { return "SELECT cached_query('$query{$_[0]}') ->> 'sum'"; }

sub answer
{
	my ($name, $session) = (@_, $reader);

	return output_of($session, ask($name));
}

# The answer of the cache, and what it did.
sub cached
{
	my ($name, $session) = (@_, $reader);
	my @names = qw(hit miss fenced own_writes snapshot);
	my $count = 'SELECT l1_hits, misses, ' . join(', ', map { "bypass_reasons ->> '$_'" } @names[2 .. 4]) . ' FROM cache_stats';
	my $output = $session->query_safe("$count; @{[ ask($name) ]}; $count");
	my ($before, $answer, $after) = map { [ split /\|/ ] } split /\n/, $output;

	return join ' ', $answer->[0], map { ($names[$_]) x (($after->[$_] || 0) - ($before->[$_] || 0)) } 0 .. $#names;
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

sub verified
{
	is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
	return;
}

sub same
{
	my ($what, $got, $expected) = @_;

	push @failures, "$what: $got instead of $expected" if $got ne $expected;
	return;
}

# What a session gets, and what it would read.
sub compare
{
	my ($what, $name, @sessions) = @_;

	foreach my $session (@sessions)
	{
		my $answer = answer($name, $session);

		same($what, $answer, plain($name, $session));
	}
	return;
}

# All comparisons since the last time were good.
sub compared
{
	is(join('; ', splice @failures), '', $_[0]);
	return;
}

1;

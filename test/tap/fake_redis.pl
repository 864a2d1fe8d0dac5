# A Redis that answers nonsense, half, too much, or not at all: queries are
# answered right all the same.
#
# The server below speaks as much of Redis' protocol as it takes to be used,
# and misbehaves as the file "mode" says: to every command, or, as that is
# where results come from, to GET only.

use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $dir = PostgreSQL::Test::Utils::tempdir_short();

# Send some bytes; ends the process if nobody listens any more.
sub send_bytes
{
	my ($connection, $bytes) = @_;
	while (length $bytes)
	{
		my $sent = syswrite($connection, $bytes) // POSIX::_exit(0);
		substr($bytes, 0, $sent) = '';
	}
	return;
}

sub send_forever
{
	my ($connection, $bytes) = @_;
	send_bytes($connection, $bytes) while 1;
	return;
}

my $silence = sub { sleep 3600 };
my $last_set = '';
my $genuine = sub { return '$' . length($last_set) . "\r\n$last_set\r\n" };

# What to do instead of giving the right answer.
my %misbehaves = (
	silent => $silence,
	closes => sub { POSIX::_exit(0) },
	garbage => sub { send_bytes($_[0], "HTTP/1.1 400 Bad Request\r\n\r\n<html>") },
	random => sub { send_bytes($_[0], join '', map { chr(int(rand(256))) } 1 .. 300) },
	error => sub { send_bytes($_[0], "-ERR out of order\r\n") },
	loading => sub { send_bytes($_[0], "-LOADING Redis is loading the dataset in memory\r\n") },
	half => sub { send_bytes($_[0], "\$1000\r\nhalf of"); $silence->() },
	half_closed => sub { send_bytes($_[0], "\$1000\r\nhalf of"); POSIX::_exit(0) },
	no_length => sub { send_bytes($_[0], "\$\r\n\r\n") },
	negative => sub { send_bytes($_[0], "\$-17\r\n") },
	overflow => sub { send_bytes($_[0], "\$18446744073709551617\r\nx\r\n") },
	huge => sub { send_bytes($_[0], "\$9000000000000000000\r\n"); send_forever($_[0], 'x' x 8192) },
	endless => sub { send_bytes($_[0], "\$1000000000\r\n"); send_forever($_[0], 'x' x 8192) },
	endless_line => sub { send_bytes($_[0], '+'); send_forever($_[0], 'x' x 8192) },
	array => sub { send_bytes($_[0], "*1000000000\r\n"); send_forever($_[0], ":1\r\n" x 1000) },
	nested => sub { send_forever($_[0], "*1\r\n" x 1000) },
	deep => sub { send_bytes($_[0], "*1\r\n" x 300_000 . ":1\r\n"); $silence->() },
	list_in_list => sub { send_bytes($_[0], "*1\r\n*1\r\n:1\r\n") },
	wide => sub { send_bytes($_[0], "*17\r\n" . ":1\r\n" x 17) },
	pushed => sub { send_bytes($_[0], ">2\r\n+message\r\n+x\r\n" . $genuine->()) },
	map => sub { send_bytes($_[0], "%1\r\n+a\r\n+b\r\n") },
	long_line => sub { send_bytes($_[0], '+' . 'x' x 10000 . "\r\n") },
	drips_string => sub { send_bytes($_[0], "\$100000\r\n"); while (1) { send_bytes($_[0], 'x'); select undef, undef, undef, 0.01 } },
	replies => sub { send_forever($_[0], "+OK\r\n" x 1000) },
	drips => sub { while (1) { send_bytes($_[0], '+'); select undef, undef, undef, 0.01 } },
	integer => sub { send_bytes($_[0], ":12345\r\n") },
	string => sub { send_bytes($_[0], "+{\"score\":1}\r\n") },
	list => sub { send_bytes($_[0], "*2\r\n\$1\r\na\r\n\$1\r\nb\r\n") },
	empty => sub { send_bytes($_[0], "\$0\r\n\r\n") },
	nil => sub { send_bytes($_[0], "\$-1\r\n") },
	other_key => sub { send_bytes($_[0], $genuine->()) },
	one_too_many => sub { send_bytes($_[0], "\$-1\r\n" . $genuine->()) },
	late => sub { select undef, undef, undef, 0.7; send_bytes($_[0], $genuine->()) });

sub mode { return slurp_file("$dir/mode"); }

sub set_mode
{
	append_to_file("$dir/mode.new", $_[0]);
	rename "$dir/mode.new", "$dir/mode" or die "rename: $!";
	return;
}

# One command, or nothing at the end.
sub read_command
{
	my $connection = shift;
	my ($count) = (readline($connection) // return) =~ /^\*(\d+)/ or return;
	my @arguments;

	foreach (1 .. $count)
	{
		my ($length) = readline($connection) =~ /^\$(\d+)/;
		read $connection, my $argument, $length + 2;
		push @arguments, substr($argument, 0, $length);
	}
	return @arguments;
}

sub serve
{
	my $connection = shift;
	my $queued;

	while (my ($command, @arguments) = read_command($connection))
	{
		my ($where, $how) = split / /, mode();
		if ($where eq 'all' || $where eq $command)
		{
			$misbehaves{$how}->($connection);
			next;
		}
		$last_set = $arguments[1] if $command eq 'SET';
		send_bytes($connection,
			  $command eq 'MULTI' ? do { $queued = 0; "+OK\r\n" }
			: $command eq 'EXEC' ? do { my $n = $queued; undef $queued; "*$n\r\n" . ":1\r\n" x $n }
			: defined $queued ? do { $queued++; "+QUEUED\r\n" }
			: $command eq 'GET' ? "\$-1\r\n"
			: $command eq 'HSETNX' ? ":1\r\n"
			: "+OK\r\n");
	}
	return;
}

set_mode('none none');
my $listener = IO::Socket::UNIX->new(Local => "$dir/redis.sock", Listen => 50)
  or die "cannot listen: $!";
my $server = fork() // die "fork: $!";
if ($server == 0)
{
	setpgrp;
	srand 1;
	$SIG{CHLD} = 'IGNORE';
	$SIG{PIPE} = 'IGNORE';
	while (1)
	{
		my $connection = $listener->accept or next;
		my $pid = fork() // next;
		next if $pid;
		serve($connection);
		POSIX::_exit(0);
	}
}
close $listener;
my $test = $$;

END
{
	if ($server && defined $test && $$ == $test)
	{
		local $?;
		kill 'KILL', -$server;
		kill 'KILL', $server;
		waitpid $server, 0;
	}
}

my $node = cache_node('primary',
	'cache.redis_url' => "unix://$dir/redis.sock",
	'cache.l2_timeout' => '300ms');

sub stat_of
{
	return $node->safe_psql('postgres', "SELECT $_[0] FROM cache_stats");
}

sub wait_for_state
{
	$node->poll_query_until('postgres', 'SELECT l2_state FROM cache_stats', $_[0])
	  or die "the state of L2 does not become $_[0]";
	return;
}

# Ten results, each made, dropped from L1, and asked for again.
my $asked = 0;
my $ask = q(SELECT string_agg(c ->> 'x', ',') FROM generate_series(%d, %d) i,
	LATERAL cached_query('SELECT $1 AS x', 300, '{story}', i) c;);
sub answers
{
	my $query = sprintf $ask, $asked + 1, $asked + 10;
	my $expected = join ',', $asked + 1 .. $asked + 10;
	$asked += 10;
	my $got = $node->safe_psql('postgres',
		"$query SELECT cache_flush('l1'); $query SELECT invalidate_tags('{story}'); $query");
	return $got eq "$expected\n\n$expected\n\n$expected" ? 'right' : $got;
}

wait_for_state('up');
is(answers(), 'right', 'a Redis that works, but remembers nothing');
is(stat_of('l2_errors'), 0, '... to the satisfaction of the server');

foreach my $how (sort keys %misbehaves)
{
	set_mode('none none');
	wait_for_state('up');
	set_mode("GET $how");
	is(answers(), 'right', "GET: $how");
}

# Replies of the right form are not failures, but their contents are refused.
set_mode('none none');
wait_for_state('up');
foreach my $how (qw(empty other_key))
{
	set_mode("GET $how");
	my $rejected = stat_of('l2_rejected');
	answers();
	cmp_ok(stat_of('l2_rejected'), '>=', $rejected + 10, "GET: $how: rejected, and counted");
}

foreach my $how (sort grep { $_ !~ /^(?:string|integer|list|empty|nil|other_key|one_too_many)$/ } keys %misbehaves)
{
	set_mode("all $how");
	wait_for_state('down');
	is(answers(), 'right', "all commands: $how");
}

set_mode('none none');
wait_for_state('up');
is(answers(), 'right', 'it works again');
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');

# A fast stop waits for no reply, however long one may take: not of the worker, nor
# of a session.
foreach my $where (qw(all GET))
{
	set_mode('none none');
	$node->append_conf('postgresql.conf', "cache.l2_timeout = '1min'");
	$node->start if $where ne 'all';
	$node->restart if $where eq 'all';
	wait_for_state('up');
	set_mode("$where silent");
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query_until(qr/asking/, "\\echo asking\nSELECT cached_query('SELECT 1 AS x', 300, '{story}');\n");
	$node->poll_query_until('postgres', q(SELECT wait_event_type = 'Extension' FROM pg_stat_activity
		WHERE query LIKE 'SELECT cached_query%' AND state = 'active')) or die 'nobody waits';
	sleep 2;
	is(system_log('pg_ctl', '-D', $node->data_dir, '-m', 'fast', '-t', 30, 'stop'), 0, "$where: a fast stop waits for no reply");
	$node->_update_pid(0);
	$session->{run}->kill_kill;
}
done_testing();

# CacheTest: what the TAP tests share: a PostgreSQL node with the extension
# loaded, and a private Redis or Valkey on a unix socket.
#
#	use PostgreSQL::Test::Cluster;
#	use PostgreSQL::Test::Utils;
#	use Test::More;
#	use CacheTest;
#
#	my $redis = CacheTest::Redis->new;          # or ->new('valkey-server')
#	my $node = cache_node('primary', 'cache.redis_url' => $redis->url);
#	$redis->pause;                              # SIGSTOP
#
# CACHE_TEST_CONF, if set, names a file with the settings that find an
# extension that is not installed in the system.

package CacheTest;

use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(cache_conf cache_node);

# The lines of postgresql.conf that load the extension, for a node made in
# another way than by cache_node.
sub cache_conf
{
	my $conf = "shared_preload_libraries = 'cache'\n";

	$conf .= slurp_file($ENV{CACHE_TEST_CONF}) if $ENV{CACHE_TEST_CONF};
	return $conf;
}

# A new node, initialized and running, with the extension created in database
# postgres.  Of the options, start, create and init (a list of arguments for
# PostgreSQL::Test::Cluster's init) are ours, the others are settings.
sub cache_node
{
	my ($name, %options) = @_;
	my $start = delete $options{start} // 1;
	my $create = delete $options{create} // $start;
	my $init = delete $options{init} // [];
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(@$init);
	$node->append_conf('postgresql.conf', cache_conf());
	foreach my $setting (sort keys %options)
	{
		(my $value = $options{$setting}) =~ s/'/''/g;
		$node->append_conf('postgresql.conf', "$setting = '$value'");
	}
	$node->start if $start;
	$node->safe_psql('postgres', 'CREATE EXTENSION cache') if $create;
	return $node;
}

package CacheTest::Redis;

use IO::Socket::UNIX;
use POSIX ();
use Time::HiRes qw(sleep);

my @running;

# Which of the two servers are installed.
sub programs
{
	return grep {
		my $program = $_;
		grep { -x "$_/$program" } split /:/, $ENV{PATH};
	} qw(valkey-server redis-server);
}

# A running server that keeps nothing on disk; Redis unless only Valkey is
# installed, or the program named.
sub new
{
	my ($class, $program) = @_;
	my @installed = programs();
	my $self = bless {
		program => $program // $installed[-1] // die("neither redis-server nor valkey-server is installed\n"),
		dir => PostgreSQL::Test::Utils::tempdir_short(),
	}, $class;

	$self->start;
	return $self;
}

sub socket { return $_[0]->{dir} . '/redis.sock'; }
sub url { return 'unix://' . $_[0]->socket; }

# Start it, empty; options are further arguments of the server.
sub start
{
	my ($self, @options) = @_;
	my $pid = fork() // die "fork: $!\n";

	if ($pid == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$self->{dir}/redis.log";
		open STDERR, '>&', \*STDOUT;
		exec($self->{program}, '--port', '0', '--unixsocket', $self->socket,
			'--dir', $self->{dir}, '--save', '', '--daemonize', 'no', @options)
		  or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	push @running, $self;
	foreach (1 .. 100)
	{
		return if eval { $self->command('PING') eq 'PONG' };
		last if waitpid($pid, POSIX::WNOHANG()) != 0;
		sleep 0.1;
	}
	die "$self->{program} did not start; see $self->{dir}/redis.log\n";
}

# Stop it at once, paused or not, and forget what it held.
sub stop
{
	my $self = shift;
	my $pid = delete $self->{pid} // return;

	local $?;
	kill 'KILL', $pid;
	waitpid $pid, 0;
	unlink $self->socket;
	@running = grep { $_ != $self } @running;
	return;
}

# It still accepts connections then, but answers nothing.
sub pause { kill 'STOP', $_[0]->{pid}; return; }
sub resume { kill 'CONT', $_[0]->{pid}; return; }

# Send one command, its arguments one by one, and return the answer: a string,
# undef for nil, or a reference to a list.  Dies if the answer is an error.
sub command
{
	my ($self, @arguments) = @_;
	my $connection = IO::Socket::UNIX->new(Peer => $self->socket)
	  // die "cannot connect to $self->{program}: $!\n";

	print $connection '*' . @arguments . "\r\n",
	  map { '$' . length($_) . "\r\n$_\r\n" } @arguments;
	$connection->flush;
	return read_reply($connection);
}

sub read_reply
{
	my $connection = shift;
	my $line = readline($connection) // die "the connection was closed\n";
	my ($kind, $rest) = $line =~ /^(.)(.*)\r\n$/s;

	die "$rest\n" if $kind eq '-';
	return $rest if $kind eq '+' || $kind eq ':';
	return undef if $rest < 0;
	return [ map { read_reply($connection) } 1 .. $rest ] if $kind eq '*';
	read($connection, my $bytes, $rest + 2) == $rest + 2
	  or die "the connection was closed\n";
	return substr($bytes, 0, $rest);
}

END
{
	$_->stop foreach @running;
}

1;

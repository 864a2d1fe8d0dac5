# Torture::Session: one session, its connection, its records.
#
# What a session sees that it should not is a violation.  What goes wrong in
# another way is an error, and one of a kind that concurrency explains is
# expected.

package Torture::Session;

use strict;
use warnings;
use DBI;
use JSON::PP ();
use Time::HiRes 'time';

# Set when it is time to leave.
our $stop = 0;

# Are plain SELECTs cached here?
our $transparent = 0;

# What the server has said: how often there was a hit, and what it warned of.
my $hits = 0;
my @warnings;

$SIG{__WARN__} = sub {
	my ($message) = @_;

	if ($message =~ /^(?:DEBUG|LOG|INFO|NOTICE):/)
	{
		$hits++ if $message =~ /cache: hit in/;
	}
	elsif ($message =~ /^WARNING: /)
	{
		push @warnings, $message unless $message =~ /no transaction in progress/;
	}
	else
	{
		print STDERR $message;
	}
};

# Conflicts, deadlocks, lock timeouts, and the limits on locks and prepared
# transactions.
my %expected = map { $_ => 1 } qw(40001 40P01 55P03 53200);

# new(name => , directory => , dsn => )
sub new
{
	my ($class, %self) = @_;
	my $self = bless {
		%self, tail => [], counts => {}, recorded => {}, step => 0, current => 'start' }, $class;

	open($self->{log}, '>', "$self->{directory}/log.$self->{name}") or die $!;
	$self->{log}->autoflush(1);
	open($self->{found}, '>', "$self->{directory}/found.$self->{name}") or die $!;
	$self->{found}->autoflush(1);
	$self->{dbh} = connection($self->{dsn}, "torture $self->{name}");
	return $self;
}

# connection(DSN, NAME)
sub connection
{
	my ($dsn, $name) = @_;
	my $dbh = DBI->connect($dsn, 'postgres', '',
		{ RaiseError => 1, PrintError => 0, AutoCommit => 1, pg_server_prepare => 0 });

	$dbh->do("SET application_name = '$name'");
	# the level at which hits are told
	$dbh->do("SET client_min_messages = debug1");
	$dbh->do("SET cache.min_cost = 0");
	$dbh->do("SET cache.mode = " . ($transparent ? 'auto' : 'off'));
	$dbh->do("SET lock_timeout = '1500ms'");
	$dbh->do("SET statement_timeout = '60s'");
	$dbh->do("SET deadlock_timeout = '200ms'");
	$dbh->do('SET search_path = t, public');
	return $dbh;
}

sub count
{
	my ($self, $what, $n) = @_;
	$self->{counts}{$what} += $n // 1;
	return;
}

sub remember
{
	my ($self, $what) = @_;
	push @{ $self->{tail} }, sprintf('%.6f %s', time, $what);
	shift @{ $self->{tail} } if @{ $self->{tail} } > 60;
	return;
}

# log_write(XID, WHAT): for those who look into a violation
sub log_write
{
	my ($self, $xid, $what) = @_;
	printf { $self->{log} } "%.6f session %s step %d xid %s %s\n", time, $self->{name},
	  $self->{step}, $xid // '-', $what;
	return;
}

# take_hits(): how many there were since this was asked last
sub take_hits
{
	my $taken = $hits;

	$hits = 0;
	return $taken;
}

# text_of(SQL): what can be shown of it
sub text_of
{
	my ($sql) = @_;
	return ref $sql eq 'HASH' ? $sql->{text} : ref $sql ? join(' -- ', @$sql) : $sql;
}

# count_read(READ, ANSWER): one that could have come from the cache
sub count_read
{
	my ($self, $read, $answer) = @_;

	$self->count('reads');
	$self->count("reads: $read->{form}");
	$self->count("hits: $read->{form}") if $answer->{hits};
	$self->count("reads of $read->{shape}{name}");
	$self->count("reads, $read->{way}") if $read->{way};
	$self->count("hits, $read->{way}") if $read->{way} && $answer->{hits};
	return;
}

# try(SQL, LINES...): run it, with lines for COPY.  Instead of a string SQL may
# be a list of a string and its parameters, and then is prepared, or a hash with
# text to show and what to run.  Returns the texts of the first column, or the
# error, as { rows } or { state, message }, and in both cases hits.
sub try
{
	my ($self, $sql, @lines) = @_;
	my $dbh = $self->{dbh};
	my $answer;

	$self->remember(text_of($sql));
	take_hits();
	eval {
		if (ref $sql eq 'HASH')
		{
			$answer = $sql->{run}->($dbh);
		}
		elsif (ref $sql)
		{
			my ($text, @parameters) = @$sql;
			my $sth = $dbh->prepare_cached($text, { pg_server_prepare => 1, pg_switch_prepared => 1 });

			$sth->execute(@parameters);
			$answer = { rows => [ map { $_->[0] } @{ $sth->fetchall_arrayref } ] };
		}
		elsif (@lines)
		{
			$dbh->do($sql);
			$dbh->pg_putcopydata($_) foreach @lines;
			$dbh->pg_putcopyend;
			$answer = { rows => [] };
		}
		elsif ($sql =~ /^(?:SELECT|EXECUTE)/)
		{
			$answer = { rows => [ map { $_->[0] } @{ $dbh->selectall_arrayref($sql) } ] };
		}
		else
		{
			$dbh->do($sql);
			$answer = { rows => [] };
		}
		1;
	} or do
	{
		my $message = $dbh->errstr // $@;
		my $state = $dbh->state || 'XX000';

		chomp $message;
		$message =~ s/\n.*//s;
		$answer = { state => $state, message => $message };
		$self->remember("-- $state $message");
		if ($state =~ /^(?:08|57P)/ || $message =~ /server closed the connection|connection to server was lost/)
		{
			$self->record('lost connection', { sql => text_of($sql), message => $message });
			die "lost\n";
		}
	};
	$answer->{hits} = take_hits();
	$self->record('unexpected warning', { sql => text_of($sql), message => $_ }) foreach splice(@warnings);
	return $answer;
}

# must(SQL): what only concurrency may keep from working; dies if it does.
sub must
{
	my ($self, $sql, @lines) = @_;
	my $answer = $self->try($sql, @lines);

	return $answer if $answer->{rows};
	$self->give_up($answer, $sql);
	return;
}

# give_up(ANSWER, SQL, STATE...): leave the step because of an error, which is
# recorded unless it is expected, or one of these states.
sub give_up
{
	my ($self, $answer, $sql, @states) = @_;

	if ($self->is_expected($answer) || grep { $answer->{state} =~ /^$_/ } @states)
	{
		$self->count("error $answer->{state}");
	}
	else
	{
		$self->record('unexpected error', { sql => text_of($sql), state => $answer->{state}, message => $answer->{message} });
	}
	die "step\n";
}

sub is_expected
{
	my ($self, $answer) = @_;
	return $answer->{state} && $expected{ $answer->{state} };
}

# record(KIND, DETAILS): a violation, or an error
sub record
{
	my ($self, $kind, $details) = @_;

	$self->count($kind);
	# enough is enough
	return if $self->{recorded}{$kind}++ >= 5;
	print { $self->{found} } JSON::PP->new->canonical->encode(
		{	kind => $kind, session => "$self->{name}", step => $self->{step}, doing => $self->{current},
			time => sprintf('%.6f', time), role => $self->{role}, tenant => $self->{tenant},
			path => $self->{path}, tail => [ @{ $self->{tail} } ], %$details }), "\n";
	return;
}

# finish(): write down the counts
sub finish
{
	my ($self) = @_;

	open(my $fh, '>', "$self->{directory}/counts.$self->{name}") or die $!;
	print $fh JSON::PP->new->canonical->encode($self->{counts});
	close $fh;
	return;
}

1;

# Wire: a client that sees the bytes.
#
# One connection through a socket in the file system, logged in without a
# password.  Requests are collected by the methods named after messages, and
# sent by answer(), which reads until the server has said ReadyForQuery as often
# as it was asked to.  A message is [ TYPE, BODY ], the body without its length.
# Requests that wait to be sent must fit into the buffers of the socket, since
# the server stops reading while it is not read from.
#
# What this file must not do: know what an answer should be.

package Wire;

use strict;
use warnings;
use IO::Socket::UNIX;
use IO::Select;

our $patience = 60;			# seconds without a byte

# new(host => DIRECTORY, port => , user => , database => , options => TEXT)
sub new
{
	my ($class, %self) = @_;
	my $path = "$self{host}/.s.PGSQL.$self{port}";
	my $socket = IO::Socket::UNIX->new(Peer => $path) or die "cannot connect to $path: $!\n";
	my $startup = join('',
		map { "$_\0$self{$_}\0" } grep { defined $self{$_} } qw(user database options));
	my $self = bless { socket => $socket, select => IO::Select->new($socket), out => '', in => '', syncs => 0 }, $class;

	$self->{out} = pack('N N', length($startup) + 9, 196608) . "$startup\0";
	$self->{syncs} = 1;
	foreach my $message ($self->answer)
	{
		die 'cannot log in: ' . error($message)->{M} . "\n" if $message->[0] eq 'E';
		die "the server asks for a password\n" if $message->[0] eq 'R' && $message->[1] ne pack('N', 0);
	}
	return $self;
}

sub message
{
	my ($self, $type, $body) = @_;
	$self->{out} .= pack('a N a*', $type, length($body) + 4, $body);
	return $self;
}

# query(SQL): a simple query
sub query
{
	my ($self, $sql) = @_;
	$self->{syncs}++;
	return $self->message('Q', "$sql\0");
}

# parse(NAME, SQL, TYPE OID...)
sub parse
{
	my ($self, $name, $sql, @types) = @_;
	return $self->message('P', pack('Z* Z* n N*', $name, $sql, scalar @types, @types));
}

# bind(PORTAL, STATEMENT, [ VALUE... ], [ FORMAT... ], [ FORMAT... ]): the
# formats, 0 for text and 1 for binary, are those of the values and of the
# result.
sub bind
{
	my ($self, $portal, $statement, $values, $formats, $result) = @_;
	my $body = pack('Z* Z*', $portal, $statement) . pack('n n*', scalar @$formats, @$formats) . pack('n', scalar @$values);

	$body .= defined $_ ? pack('N a*', length, $_) : pack('N', 0xffffffff) foreach @$values;
	return $self->message('B', $body . pack('n n*', scalar @$result, @$result));
}

# describe(KIND, NAME): a statement, S, or a portal, P
sub describe
{
	my ($self, $kind, $name) = @_;
	return $self->message('D', pack('a Z*', $kind, $name));
}

# execute(PORTAL, ROWS): at most so many, or with 0 all
sub execute
{
	my ($self, $portal, $rows) = @_;
	return $self->message('E', pack('Z* N', $portal, $rows));
}

sub close
{
	my ($self, $kind, $name) = @_;
	return $self->message('C', pack('a Z*', $kind, $name));
}

sub flush
{
	my ($self) = @_;
	return $self->message('H', '');
}

sub sync
{
	my ($self) = @_;
	$self->{syncs}++;
	return $self->message('S', '');
}

sub send
{
	my ($self) = @_;

	while ($self->{out} ne '')
	{
		my $sent = syswrite($self->{socket}, $self->{out}) // die "lost connection: $!\n";
		substr($self->{out}, 0, $sent) = '';
	}
	return;
}

sub receive
{
	my ($self) = @_;

	$self->{select}->can_read($patience) or die "no answer for $patience seconds\n";
	sysread($self->{socket}, $self->{in}, 65536, length $self->{in}) or die "lost connection\n";
	return;
}

# answer(): send what was collected, and return the messages up to the last
# ReadyForQuery that it asks for, all of them.
sub answer
{
	my ($self) = @_;
	my $missing = $self->{syncs};
	my $at = 0;
	my @messages;

	$self->send;
	$self->{syncs} = 0;
	while ($missing > 0)
	{
		my ($type, $length);

		$self->receive while length($self->{in}) < $at + 5;
		($type, $length) = unpack("x$at a N", $self->{in});
		$self->receive while length($self->{in}) < $at + 1 + $length;
		push @messages, [ $type, substr($self->{in}, $at + 5, $length - 4) ];
		$at += 1 + $length;
		if ($at > 500_000)
		{
			substr($self->{in}, 0, $at) = '';
			$at = 0;
		}
		$missing-- if $type eq 'Z';
	}
	substr($self->{in}, 0, $at) = '';
	return @messages;
}

# error(MESSAGE): the fields of ErrorResponse or NoticeResponse by their letters
sub error
{
	my ($message) = @_;
	return { map { substr($_, 0, 1) => substr($_, 1) } grep { $_ ne '' } split(/\0/, $message->[1]) };
}

# row(MESSAGE): the values of DataRow
sub row
{
	my ($message) = @_;
	my ($count, $at, @values) = (unpack('n', $message->[1]), 2);

	foreach (1 .. $count)
	{
		my $length = unpack("x$at N", $message->[1]);
		$at += 4;
		if ($length == 0xffffffff)
		{
			push @values, undef;
			next;
		}
		push @values, substr($message->[1], $at, $length);
		$at += $length;
	}
	return @values;
}

# columns(MESSAGE): the columns of RowDescription
sub columns
{
	my ($message) = @_;
	my ($count, @fields) = unpack('n (Z* N n N n N n)*', $message->[1]);
	my @columns;

	while (my @field = splice(@fields, 0, 7))
	{
		my %column;
		@column{qw(name table number type length modifier format)} = @field;
		push @columns, \%column;
	}
	return @columns;
}

# rows(SQL): for housekeeping; dies if there is an error
sub rows
{
	my ($self, $sql) = @_;
	my @messages = $self->query($sql)->answer;

	foreach my $message (@messages)
	{
		die error($message)->{M} . ", in: $sql\n" if $message->[0] eq 'E';
	}
	return map { [ row($_) ] } grep { $_->[0] eq 'D' } @messages;
}

1;

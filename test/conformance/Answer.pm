# Answer: what makes two answers the same.
#
# Every byte of every message counts, in the order in which they came, but for
# this:
#
# - Rows of a query without an order are compared as a set.
# - Rows that are followed by an error: how many the server sent before it met
#   the error is its own business.
# - The number of a session's schema for temporary objects.
#
# What this file must not do: talk to a server.

package Answer;

use strict;
use warnings;
use Wire;

my %names = (
	1 => 'ParseComplete', 2 => 'BindComplete', 3 => 'CloseComplete', A => 'NotificationResponse',
	C => 'CommandComplete', D => 'DataRow', E => 'ErrorResponse', G => 'CopyInResponse',
	H => 'CopyOutResponse', I => 'EmptyQueryResponse', N => 'NoticeResponse', S => 'ParameterStatus',
	T => 'RowDescription', Z => 'ReadyForQuery', c => 'CopyDone', d => 'CopyData', n => 'NoData',
	s => 'PortalSuspended', t => 'ParameterDescription');

# canonical([ MESSAGE... ], ORDERED): a list of texts, equal for equal answers
sub canonical
{
	my ($messages, $ordered) = @_;
	my @texts;

	foreach my $message (@$messages)
	{
		my $text = $message->[0] . $message->[1];

		if ($message->[0] eq 'E')
		{
			pop @texts while @texts && $texts[-1] =~ /^[Dd]/;
		}
		$text =~ s/pg_temp_\d+/pg_temp/g if $message->[0] =~ /[EN]/;
		push @texts, $text;
	}
	if (!$ordered)
	{
		my @places = grep { $texts[$_] =~ /^[Dd]/ } 0 .. $#texts;
		@texts[@places] = sort @texts[@places];
	}
	return \@texts;
}

# same(A, B): of canonical answers
sub same
{
	my ($one, $other) = @_;

	return 0 if @$one != @$other;
	foreach my $i (0 .. $#$one)
	{
		return 0 if $one->[$i] ne $other->[$i];
	}
	return 1;
}

# same_but_modifiers(EXPECTED, GOT): do they differ only in that type modifiers of
# computed columns are missing?  PostgreSQL tells those of the plan, in which
# coalesce(v, NULL) has become v; who serves a result without planning has none.
sub same_but_modifiers
{
	my ($expected, $got) = @_;
	my @without = @$expected;

	return 0 if @$expected != @$got;
	foreach my $i (grep { substr($got->[$_], 0, 1) eq 'T' } 0 .. $#$got)
	{
		my @columns = Wire::columns([ 'T', substr($got->[$i], 1) ]);
		my $at = 3;

		foreach my $column (@columns)
		{
			$at += length($column->{name}) + 1;
			substr($without[$i], $at + 12, 4) = pack('N', 0xffffffff)
			  if $column->{table} == 0 && $column->{modifier} == 0xffffffff && length $without[$i] >= $at + 16;
			$at += 18;
		}
	}
	return same(\@without, $got);
}

# has_error(CANONICAL)
sub has_error
{
	my ($texts) = @_;
	return scalar grep { /^E/ } @$texts;
}

sub printable
{
	my ($text, $from) = @_;
	my $most = 120;

	return 'NULL' unless defined $text;
	$from = ($from // 0) > 40 ? $from - 40 : 0;
	my $cut = length($text) > $from + $most;
	my $shown = substr($text, $from, $most);
	$shown =~ s/([^\x20-\x7e])/sprintf('\\x%02x', ord($1))/ge;
	return ($from ? '...' : '') . $shown . ($cut ? '... (' . length($text) . ')' : '');
}

# parts(TEXT): the name of a message of a canonical answer, and what it consists of
sub parts
{
	my ($text) = @_;
	my $message = [ substr($text, 0, 1), substr($text, 1) ];
	my $type = $message->[0];
	my @parts = $message->[1];

	if ($type eq 'T')
	{
		@parts = map {
			my $column = $_;
			join(' ', map { "$_=$column->{$_}" } qw(name table number type length modifier format))
		} Wire::columns($message);
	}
	elsif ($type eq 'D')
	{
		@parts = Wire::row($message);
	}
	elsif ($type eq 'E' || $type eq 'N')
	{
		my $fields = Wire::error($message);
		@parts = map { "$_=$fields->{$_}" } sort keys %$fields;
	}
	return ($names{$type} // $type, @parts);
}

# show(TEXT): a message of a canonical answer for people
sub show
{
	my ($text) = @_;
	my ($name, @parts) = parts($text);

	return join(' | ', $name, map { printable($_) } @parts);
}

sub first_difference
{
	my ($one, $other) = @_;
	my $i = 0;

	return 0 unless defined $one && defined $other;
	$i++ while $i < length $one && substr($one, $i, 1) eq substr($other, $i, 1);
	return $i;
}

# difference(EXPECTED, GOT): the first one, for people; of messages of one type
# only the parts that differ, and the first five of those
sub difference
{
	my ($expected, $got) = @_;
	my $i = 0;

	$i++ while $i < @$expected && $i < @$got && $expected->[$i] eq $got->[$i];
	my $head = sprintf('message %d of %d, got %d', $i + 1, scalar @$expected, scalar @$got);
	my ($one, $other) = ($expected->[$i], $got->[$i]);
	if (!defined $one || !defined $other || substr($one, 0, 1) ne substr($other, 0, 1))
	{
		return join("\n    ", $head, map { $_->[0] . ' ' . (defined $_->[1] ? show($_->[1]) : 'nothing') }
			[ expected => $one ], [ 'got     ' => $other ]) . "\n";
	}
	my ($name, @expected) = parts($one);
	my (undef, @got) = parts($other);
	my @differ = grep { ($expected[$_] // "\0") ne ($got[$_] // "\0") } 0 .. ($#expected > $#got ? $#expected : $#got);

	return join("\n    ", "$head: $name", map {
			my $at = first_difference($expected[$_], $got[$_]);
			($_ + 1) . ' expected ' . printable($expected[$_], $at), ($_ + 1) . ' got      ' . printable($got[$_], $at)
		} @differ > 5 ? @differ[ 0 .. 4 ] : @differ) . "\n";
}

1;

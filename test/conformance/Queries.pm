# Queries: reads the files in queries/.
#
# A file holds blocks, separated by empty lines.  "== NAME" begins a family, "#"
# a comment.  Any other block is a query, and lines after it that begin with @:
#
#	@types TYPE, ...	types of $1, $2, ...
#	@with VALUE | ...	their values, as text; \N is NULL; a line for each execution
#	@set NAME = VALUE	a setting to run it under
#	@role NAME		a role to run it as
#	@login NAME		a user to run it as, in sessions of its own
#	@temporary SQL		what to make before, in a session of its own
#	@change SQL		what another session does meanwhile, instead of taking rows away
#	@undo SQL		and how it is taken back
#	@reads TABLE, ...	what it reads, if its text does not show that
#	@ways NAME, ...		the only ways it makes sense in
#	@unordered		its ORDER BY leaves the order open
#	@uncached WHY		it need not be answered from the cache
#	@never WHY		it must not be answered from the cache
#
# [[1..3 x#]] stands for x1, x2, x3.
#
# What this file must not do: know what the queries are about.

package Queries;

use strict;
use warnings;

my %lists = map { $_ => 1 } qw(types reads ways);
my %flags = map { $_ => 1 } qw(role login temporary change undo uncached never);

sub expand
{
	my ($from, $to, $item) = @_;
	return join(', ', map { (my $text = $item) =~ s/#/$_/g; $text } $from .. $to);
}

# Without strings, comments and what is in parentheses, is there an ORDER BY?
sub is_ordered
{
	my ($text) = @_;

	$text =~ s/'[^']*'//g;
	$text =~ s/--.*//g;
	$text =~ s/\([^()]*\)//g while $text =~ /\([^()]*\)/;
	return $text =~ /\bORDER\s+BY\b/i ? 1 : 0;
}

sub parse
{
	my ($block) = @_;
	my @lines = split(/\n/, $block);
	my %query = (types => [], with => [], set => []);
	my @text;

	foreach my $line (@lines)
	{
		my ($word, $rest) = $line =~ /^@(\w+) ?(.*)$/;

		if (!defined $word)
		{
			push @text, $line;
		}
		elsif ($lists{$word})
		{
			$query{$word} = [ split(/,\s*/, $rest) ];
		}
		elsif ($flags{$word})
		{
			$query{$word} = $rest;
		}
		elsif ($word eq 'set')
		{
			push @{ $query{set} }, $rest;
		}
		elsif ($word eq 'with')
		{
			my @values = split(/\s*\|\s*/, $rest, scalar @{ $query{types} });

			@values = ('') if !@values;
			push @{ $query{with} }, [ map { $_ eq '\N' ? undef : $_ } @values ];
			die "not a value for each of the types, in: $block\n" if @values != @{ $query{types} };
		}
		elsif ($word eq 'unordered')
		{
			$query{unordered} = 1;
		}
		else
		{
			die "what is \@$word, in: $block\n";
		}
	}
	$query{text} = join("\n", @text);
	$query{text} =~ s/\[\[(\d+)\.\.(\d+) (.*?)\]\]/expand($1, $2, $3)/ge;
	$query{ordered} = !$query{unordered} && is_ordered($query{text});
	return \%query;
}

# families(DIRECTORY): [ { name => , queries => [ ... ] }, ... ]
sub families
{
	my ($directory) = @_;
	my @families;

	foreach my $file (sort glob("$directory/*.txt"))
	{
		open(my $fh, '<', $file) or die "$file: $!\n";
		my $text = join('', grep { !/^#/ } <$fh>);

		foreach my $block (split(/\n{2,}/, $text))
		{
			$block =~ s/^\n+|\n+$//g;
			if ($block =~ /^== (.*)$/)
			{
				push @families, { name => $1, queries => [] };
			}
			elsif ($block ne '')
			{
				die "$file begins without a family\n" unless @families;
				push @{ $families[-1]{queries} }, parse($block);
			}
		}
	}
	return @families;
}

# literal(QUERY, N): its text with the Nth values in place of the parameters
sub literal
{
	my ($query, $n) = @_;
	my @values = @{ values_of($query, $n) };
	my $text = $query->{text};

	$text =~ s/\$(\d+)/constant($values[$1 - 1], $query->{types}[$1 - 1])/ge if @values;
	return $text;
}

sub constant
{
	my ($value, $type) = @_;

	return "(NULL::$type)" unless defined $value;
	$value =~ s/'/''/g;
	return "('$value'::$type)";
}

# values_of(QUERY, N): they begin anew after the last
sub values_of
{
	my ($query, $n) = @_;
	my $with = $query->{with};

	return @$with ? $with->[ $n % @$with ] : [];
}

1;

# Torture::Random: numbers that depend on nothing but a seed and a place.
#
# Every step of every session starts its own sequence, so that what a step does
# depends neither on the server's answers nor on how far earlier steps came.

package Torture::Random;

use strict;
use warnings;
use Digest::MD5 'md5';
use Exporter 'import';

our @EXPORT = qw(start_sequence below chance pick weighted);

# start_sequence(PLACE...): the numbers that follow are those of this place.
sub start_sequence
{
	srand(unpack('N', md5(join('/', @_))));
	return;
}

# below(N): 0 .. N - 1
sub below
{
	return int(rand(shift));
}

# chance(PERCENT): true that often
sub chance
{
	return rand(100) < shift;
}

# pick(CHOICE...)
sub pick
{
	return $_[ below(scalar @_) ];
}

# weighted(CHOICE => WEIGHT, ...): choices in the order given
sub weighted
{
	my @choices = @_;
	my ($total, $n) = (0, 0);

	for (my $i = 1; $i < @choices; $i += 2)
	{
		$total += $choices[$i];
	}
	$n = rand($total);
	for (my $i = 0; $i < @choices; $i += 2)
	{
		$n -= $choices[ $i + 1 ];
		return $choices[$i] if $n < 0;
	}
	return $choices[-2];
}

1;

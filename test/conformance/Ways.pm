# Ways: how a client, or a function on its behalf, can run a query.
#
# A way is run the same on every session that is compared.  It may first prepare
# something in the session, which is not part of the answer.  All requests are
# sent at once.
#
# What this file must not do: compare.

package Ways;

use strict;
use warnings;
use Queries;

# How often a named statement is executed: with parameters, often enough for
# custom plans and then a generic one.
sub repetitions
{
	my ($query) = @_;
	return @{ $query->{types} } ? 8 : 3;
}

sub one { return 1; }

# Each way: its name, how it runs, how often the query is executed by that, and
# whether the second time must be answered from the cache.  Those that make
# temporary objects run in a session that no other way uses, since such a session
# does not share.
my @ways = (
	{ name => 'simple', run => \&simple, executions => \&one, direct => 1 },
	{ name => 'text', run => \&text, executions => \&one, direct => 1 },
	{ name => 'binary', run => \&binary, executions => \&one, direct => 1 },
	{ name => 'named', run => \&named, executions => \&repetitions, direct => 1 },
	{ name => 'limits', run => \&limits, executions => \&one },
	{ name => 'portals', run => \&portals, executions => sub { 2 } },
	{ name => 'cursor', run => \&cursor, executions => sub { $_[0]{ordered} ? 2 : 1 } },
	{ name => 'switch', run => \&switch, executions => sub { 2 } },
	{ name => 'hold', run => \&hold, executions => \&one },
	{ name => 'several', run => \&several, executions => sub { 2 } },
	{ name => 'block', run => \&block, executions => sub { 5 } },
	{ name => 'prepare', run => \&prepare, executions => \&repetitions },
	{ name => 'copy', run => \&copy, executions => sub { 2 } },
	{ name => 'execute', run => \&execute, executions => \&one },
	{ name => 'loop', prepare => \&loop_function, run => \&loop, executions => sub { 2 }, temporary => 1 },
	{ name => 'function', prepare => \&sql_function, run => \&function, executions => sub { 2 }, temporary => 1 },
	{ name => 'table', run => \&table, executions => sub { 2 }, temporary => 1 },
);

sub all
{
	return @ways;
}

sub simple
{
	my ($wire, $query) = @_;
	return $wire->query(Queries::literal($query, 0))->answer;
}

sub text
{
	my ($wire, $query) = @_;
	return $wire->parse('', $query->{text}, @{ $query->{oids} })->describe('S', '')
	  ->bind('', '', Queries::values_of($query, 0), [], [])->describe('P', '')->execute('', 0)->sync->answer;
}

sub binary
{
	my ($wire, $query) = @_;
	return $wire->parse('', $query->{text}, @{ $query->{oids} })->describe('S', '')
	  ->bind('', '', $query->{binary}[0], [1], [1])->describe('P', '')->execute('', 0)->sync->answer;
}

# By turns with text and with binary results; the parameters the other way round.
sub named
{
	my ($wire, $query) = @_;
	my $sets = @{ $query->{binary} };

	$wire->parse('named', $query->{text}, @{ $query->{oids} })->sync;
	foreach my $i (0 .. repetitions($query) - 1)
	{
		my $even = $i % 2 == 0;
		$wire->bind('', 'named', $even ? $query->{binary}[ $i % $sets ] : Queries::values_of($query, $i), [ $even ? 1 : 0 ], [ $even ? 0 : 1 ])
		  ->describe('P', '')->execute('', 0)->sync;
	}
	return $wire->close('S', 'named')->sync->answer;
}

# A few rows at a time until there are no more, which a portal may be asked only
# once; columns by turns in text and binary.
sub limits
{
	my ($wire, $query) = @_;

	my $left = $query->{rows};
	my @pieces;

	while ($left >= 0 && @pieces < 10)
	{
		push @pieces, @pieces % 2 ? 3 : 1;
		$left -= $pieces[-1];
	}
	push @pieces, 0 if $left >= 0;
	$wire->parse('', $query->{text}, @{ $query->{oids} })
	  ->bind('', '', Queries::values_of($query, 0), [], [ map { $_ % 2 } 1 .. $query->{columns} ]);
	$wire->execute('', $_) foreach @pieces;
	return $wire->sync->answer;
}

# Two portals of one statement, taking turns.
sub portals
{
	my ($wire, $query) = @_;

	$wire->parse('both', $query->{text}, @{ $query->{oids} })
	  ->bind('first', 'both', Queries::values_of($query, 0), [], [])
	  ->bind('second', 'both', Queries::values_of($query, 0), [], [1]);
	$wire->execute(@$_)
	  foreach $query->{rows} > 4 ? ([ 'first', 1 ], [ 'second', 2 ], [ 'first', 3 ]) : (), [ 'second', 0 ];
	return $wire->close('P', 'second')->execute('first', 0)->sync->close('S', 'both')->sync->answer;
}

# A statement while the cache is switched off and on again, in two ways.
sub switch
{
	my ($wire, $query) = @_;

	$wire->parse('kept', $query->{text}, @{ $query->{oids} })->sync;
	foreach my $setting ('', 'SET cache.enabled = off', 'RESET cache.enabled', 'SET cache.mode = off', 'RESET cache.mode')
	{
		$wire->query($setting) if $setting ne '';
		$wire->bind('', 'kept', Queries::values_of($query, 0), [], [])->execute('', 0)->sync if $setting ne 'RESET cache.enabled';
	}
	return $wire->close('S', 'kept')->sync->answer;
}

# Back and forth; without an order only forth and in one piece.
sub cursor
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);

	return queries($wire, 'BEGIN', "DECLARE c NO SCROLL CURSOR FOR $text", 'FETCH ALL c', 'CLOSE c', 'COMMIT') unless $query->{ordered};
	return queries($wire, 'BEGIN', "DECLARE c SCROLL CURSOR FOR $text", 'FETCH 2 FROM c', 'MOVE 1 FROM c',
		'FETCH 3 FROM c', 'FETCH BACKWARD 2 FROM c', 'FETCH ABSOLUTE 1 FROM c', 'FETCH LAST FROM c',
		'FETCH RELATIVE -1 FROM c', 'FETCH FIRST FROM c', 'FETCH PRIOR FROM c', 'FETCH ALL FROM c',
		'MOVE BACKWARD ALL FROM c', 'FETCH FORWARD 5 FROM c', 'CLOSE c',
		"DECLARE c CURSOR FOR $text", 'FETCH 1 FROM c', 'MOVE 2 FROM c', 'FETCH 2 FROM c', 'COMMIT');
}

sub hold
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);

	return queries($wire, "DECLARE h CURSOR WITH HOLD FOR $text", 'FETCH ALL h', 'CLOSE h') unless $query->{ordered};
	return queries($wire, 'BEGIN', "DECLARE h BINARY SCROLL CURSOR WITH HOLD FOR $text", 'FETCH 2 FROM h', 'COMMIT',
		'FETCH BACKWARD 1 FROM h', 'FETCH ALL FROM h', 'FETCH FIRST FROM h', 'CLOSE h');
}

sub queries
{
	my ($wire, @queries) = @_;

	$wire->query($_) foreach @queries;
	return $wire->answer;
}

# Two statements in one message.
sub several
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);
	return queries($wire, "$text\n;$text\n");
}

sub block
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);
	return queries($wire, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', $text, $text, 'COMMIT',
		'BEGIN ISOLATION LEVEL SERIALIZABLE', $text, 'COMMIT',
		'BEGIN', 'SAVEPOINT s', $text, 'ROLLBACK TO s', $text, 'COMMIT');
}

sub prepare
{
	my ($wire, $query) = @_;
	my $types = join(', ', @{ $query->{types} });

	$wire->query('PREPARE p' . ($types ne '' ? " ($types)" : '') . " AS $query->{text}");
	foreach my $i (0 .. repetitions($query) - 1)
	{
		my @values = @{ Queries::values_of($query, $i) };
		my @constants = map { Queries::constant($values[$_], $query->{types}[$_]) } 0 .. $#values;

		$wire->query('EXECUTE p' . (@constants ? '(' . join(', ', @constants) . ')' : ''));
	}
	return $wire->query('DEALLOCATE p')->answer;
}

sub copy
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);

	# the first row comes with the header in binary
	return queries($wire, "COPY ($text\n) TO STDOUT",
		"COPY ($text\n) TO STDOUT (FORMAT " . ($query->{ordered} ? 'binary)' : 'csv, HEADER)'));
}

sub execute
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);
	return queries($wire, "SELECT conf.execute_query(\$conformance\$$text\$conformance\$)");
}

# It is called once, for what its compilation has to say.
sub loop_function
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);
	queries($wire, "CREATE OR REPLACE FUNCTION pg_temp.looped() RETURNS SETOF text LANGUAGE plpgsql AS \$conformance\$
DECLARE
	found_row record;
BEGIN
	FOR found_row IN $text
	LOOP
		RETURN NEXT format('%s', found_row);
	END LOOP;
END\$conformance\$", 'SELECT pg_temp.looped()');
	return;
}

sub loop
{
	my ($wire) = @_;
	return queries($wire, 'SELECT pg_temp.looped()', 'SELECT pg_temp.looped()');
}

# It is called once, too: since 18 its queries are kept.
sub sql_function
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);
	queries($wire, "CREATE OR REPLACE FUNCTION pg_temp.listed() RETURNS SETOF record LANGUAGE sql AS \$conformance\$$text\$conformance\$", 'SELECT pg_temp.listed()::text');
	return;
}

sub function
{
	my ($wire) = @_;
	return queries($wire, 'SELECT pg_temp.listed()::text', 'SELECT pg_temp.listed()::text');
}

# CREATE TABLE AS, and INSERT ... SELECT.
sub table
{
	my ($wire, $query) = @_;
	my $text = Queries::literal($query, 0);
	my $columns = $query->{columns} ? '(' . join(', ', map { "c$_" } 1 .. $query->{columns}) . ')' : '';

	return queries($wire, 'BEGIN', "CREATE TEMP TABLE created $columns AS $text", 'COPY pg_temp.created TO STDOUT',
		"INSERT INTO pg_temp.created $text", 'COPY pg_temp.created TO STDOUT',
		q(COPY (SELECT attname, atttypid, atttypmod, attcollation FROM pg_attribute
			WHERE attrelid = 'pg_temp.created'::regclass AND attnum > 0 ORDER BY attnum) TO STDOUT), 'ROLLBACK');
}

1;

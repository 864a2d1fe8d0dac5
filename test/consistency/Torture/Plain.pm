# Torture::Plain: the reads that are plain SELECTs, in sessions whose cache.mode
# is auto.
#
# A query is sent as it is, prepared, run by functions (those that functions()
# creates, one for each shape and kind), or read through a cursor.  The uncached
# answer is that of the same query with a comment that keeps the cache away.
#
# Of the read of a cursor the part "cached" opens it and fetches a few rows, and
# the part "rest" fetches the others and gives them all, with "guise" as someone
# else, of whom the shape's "who" tells.  The answer of a stable
# function has "same" beside it, what it was without the cache under the same
# snapshot.  A read with "again" is asked twice.

package Torture::Plain;

use strict;
use warnings;
use JSON::PP ();
use Torture::Random;

# What is put in front of the target list of what the cache must leave alone.
our $uncached = '/*+ nocache */';

# Of no more than one row.
my %single = map { $_ => 1 } qw(point aggregate view pruned child inherited function
  undeclared inner_path nested star privilege path partitioned);
# With functions inside that take snapshots of their own.
my %volatile = map { $_ => 1 } qw(undeclared of_function nested);

my $json = JSON::PP->new->allow_nonref;

# uncached(SQL): the query to compare with
sub uncached
{
	my ($sql) = @_;
	return "SELECT $uncached row_to_json(q)::text FROM ($sql) q";
}

# functions(SHAPES...): the commands that create what runs them
sub functions
{
	my (@commands, @procedures);

	foreach my $shape (@_)
	{
		my ($name, $sql) = @$shape{qw(name sql)};
		my $texts = "(int) RETURNS SETOF text LANGUAGE plpgsql AS \$f\$ DECLARE r record; BEGIN";
		my $next = 'RETURN NEXT row_to_json(r)::text';
		my $quoted = "\$q\$$sql\$q\$";

		push @commands,
		  "loop_$name$texts FOR r IN $sql LOOP $next; END LOOP; END \$f\$",
		  "refcursor_$name(int) RETURNS SETOF text LANGUAGE plpgsql AS \$f\$ DECLARE r record; c refcursor;"
		  . " BEGIN OPEN c FOR $sql; LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; $next; END LOOP; CLOSE c; END \$f\$",
		  "dynamic_$name$texts FOR r IN EXECUTE $quoted USING \$1 LOOP $next; END LOOP; END \$f\$",
		  "stable_$name(int) RETURNS json LANGUAGE plpgsql STABLE AS \$f\$"
		  . " DECLARE r record; a text[] = '{}'; b text[];"
		  . " BEGIN FOR r IN $sql LOOP a = a || row_to_json(r)::text; END LOOP;"
		  . " SELECT $uncached coalesce(array_agg(row_to_json(q)::text), '{}') FROM ($sql) q INTO b;"
		  . ' RETURN json_build_array(a, b); END $f$';
		# what is left of the loop's portal at a commit is fetched at once
		push @procedures,
		  "call_$name(int, INOUT a text[]) LANGUAGE plpgsql AS \$f\$ DECLARE r record;"
		  . " BEGIN a = '{}'; FOR r IN $sql LOOP a = a || row_to_json(r)::text;"
		  . ' IF cardinality(a) % 3 = 1 THEN COMMIT; END IF; END LOOP; END $f$';
		push @commands, "into_$name$texts $sql INTO r; IF FOUND THEN $next; END IF; END \$f\$"
		  if $single{$name};
		next unless $shape->{columns};
		push @commands,
		  "query_$name(int) RETURNS TABLE ($shape->{columns}) LANGUAGE plpgsql AS \$f\$"
		  . " #variable_conflict use_column\nBEGIN RETURN QUERY $sql; END \$f\$",
		  "sql_$name(int) RETURNS TABLE ($shape->{columns}) LANGUAGE sql AS \$f\$ $sql \$f\$";
	}
	return ((map { "CREATE FUNCTION t.$_" } @commands), map { "CREATE PROCEDURE t.$_" } @procedures);
}

# rows(STH): what row_to_json would make of them
sub rows
{
	my ($sth) = @_;
	my ($names, $types) = @$sth{qw(NAME pg_type)};
	my @rows;

	foreach my $row (@{ $sth->fetchall_arrayref })
	{
		my @columns = map {
			my $value = $row->[$_];
			$json->encode($names->[$_]) . ':'
			  . (!defined $value ? 'null' : $types->[$_] =~ /^(?:int|numeric)/ ? $value : $json->encode("$value"));
		} 0 .. $#$row;

		push @rows, '{' . join(',', @columns) . '}';
	}
	return \@rows;
}

# The statements that were prepared, by connection and text.
my %prepared;

# forget(DBH): what was prepared there
sub forget
{
	my ($dbh) = @_;
	delete $prepared{$dbh};
	return;
}

# asked(SQL, PARAMETERS, OPTIONS): a SELECT as it is
sub asked
{
	my ($sql, $parameters, $options) = @_;
	return {
		text => join(' -- ', $sql, @$parameters, map { "$_ $options->{$_}" } sort keys %$options),
		run => sub {
			my ($dbh) = @_;
			my $sth = $prepared{$dbh}{$sql} // $dbh->prepare($sql, $options);

			$prepared{$dbh}{$sql} = $sth if $options->{pg_server_prepare};
			$sth->execute(@$parameters);
			return { rows => rows($sth) };
		} };
}

# A stable function; after a while, its snapshot is old.
sub stable
{
	my ($name, $param) = @_;
	my $sql = "SELECT t.stable_$name($param)" . pick('', sprintf(' FROM pg_sleep(%.3f)', rand(0.02)));

	return {
		text => $sql,
		run => sub {
			my ($dbh) = @_;
			my ($cached, $same) = @{ $json->decode($dbh->selectrow_array($sql)) };

			return { rows => $cached, $volatile{$name} ? () : (same => { rows => $same }) };
		} };
}

# A procedure that commits as it reads, unless there is a transaction around it.
sub call
{
	my ($name, $param) = @_;
	my $sql = "CALL t.call_$name($param, NULL)";

	return {
		text => $sql,
		run => sub {
			my ($dbh) = @_;
			# idle, or in a transaction
			return { rows => $dbh->ping == 1
				? ($dbh->selectrow_array($sql))[0]
				: $dbh->selectcol_arrayref("SELECT t.loop_$name($param)") };
		} };
}

# A cursor, that opens here and goes on there.
sub cursor
{
	my ($read) = @_;
	my $options = weighted('NO SCROLL CURSOR' => 3, CURSOR => 4, 'SCROLL CURSOR' => 2, 'CURSOR WITH HOLD' => 2);
	my $open = "DECLARE torture $options FOR $read->{sql}";
	my $first = below(4);
	my $step = pick(1 + below(3), 'ALL');
	my $again = $options eq 'SCROLL CURSOR' && chance(50);
	my @rows;
	my $fetch = sub {
		my ($dbh, $n) = @_;
		my $sth = $dbh->prepare("FETCH $n FROM torture");
		$sth->execute;
		return @{ rows($sth) };
	};

	$read->{hold} = $options =~ /HOLD/;
	$read->{guise} = $read->{shape}{who} if !$read->{hold} && chance(25);
	$read->{cached} = {
		text => "$open; FETCH $first",
		run => sub {
			my ($dbh) = @_;
			# one that failed is still there
			$dbh->do('CLOSE ALL');
			$dbh->do($open);
			@rows = $first ? $fetch->($dbh, $first) : ();
			return { rows => [@rows] };
		} };
	$read->{rest} = {
		text => ($again ? 'MOVE ABSOLUTE 0; ' : '') . "FETCH $step ... of: $open; FETCH $first",
		run => sub {
			my ($dbh) = @_;
			if ($again)
			{
				$dbh->do('MOVE ABSOLUTE 0 FROM torture');
				@rows = ();
			}
			while (my @more = $fetch->($dbh, $step))
			{
				push @rows, @more;
			}
			$dbh->do('CLOSE torture');
			return { rows => \@rows };
		} };
	return;
}

# make(READ, WAY): fill in how a read with shape, param and sql is asked
sub make
{
	my ($read, $way) = @_;
	my ($shape, $sql) = @$read{qw(shape sql)};
	my ($name, $param) = ($shape->{name}, $read->{param} // 'NULL');
	my @parameters = defined $read->{param} ? $param : ();

	$way = 'loop' if $way eq 'into' && !$single{$name} || $way =~ /^(?:query|sql)$/ && !$shape->{columns};
	$read->{form} = 'plain SELECT';
	$read->{way} = "plain $way";
	$read->{plain} = uncached($sql);
	if ($way eq 'simple')
	{
		$read->{cached} = asked($sql, [], { pg_server_prepare => 0 });
	}
	elsif ($way eq 'unnamed')
	{
		$read->{cached} = asked($shape->{sql}, \@parameters, { pg_server_prepare => 0 });
	}
	elsif ($way eq 'prepared')
	{
		# executed unprepared the first time; prepared only then, it could have
		# other columns, and DBI would not know
		$read->{cached} = asked($shape->{sql}, \@parameters,
			{ pg_server_prepare => 1, pg_switch_prepared => 1, pg_prepare_now => 1 });
	}
	elsif ($way eq 'definer')
	{
		$read->{as} = pick('app1', 'app2', 'none');
		$read->{cached} = "SELECT $read->{as}_auto(\$q\$$sql\$q\$)::text";
		$read->{plain} = "SELECT $read->{as}_plain(\$q\$$sql\$q\$)::text";
	}
	elsif ($way =~ /^(?:query|sql)$/)
	{
		$read->{cached} = "SELECT row_to_json(r)::text FROM (SELECT * FROM t.${way}_$name($param)) r";
	}
	elsif ($way eq 'stable')
	{
		$read->{cached} = stable($name, $param);
	}
	elsif ($way eq 'call')
	{
		$read->{cached} = call($name, $param);
	}
	elsif ($way eq 'cursor')
	{
		cursor($read);
	}
	else
	{
		$read->{cached} = "SELECT t.${way}_$name($param)";
	}
	# what was just stored must be right as well
	$read->{again} = $way ne 'cursor' && chance(50);
	return $read;
}

# set_planning(SESSION): how to plan what is prepared, from now on
sub set_planning
{
	my ($session) = @_;

	$session->must('SET plan_cache_mode = '
		. weighted(auto => 5, force_generic_plan => 3, force_custom_plan => 2));
	return;
}

# fits_cursor(READ): is what is fetched later what was there at the start?  Not
# where functions take snapshots of their own.
sub fits_cursor
{
	my ($read) = @_;
	return !$volatile{ $read->{shape}{name} };
}

# random(READ): fill in some way of asking
sub random
{
	my ($read) = @_;
	my $way = weighted(simple => 20, prepared => 20, unnamed => 5, loop => 8, dynamic => 5, into => 7, refcursor => 5, call => 6,
		query => 8, sql => 8, stable => 10, cursor => 14, definer => 5);

	$way = 'definer' if $read->{shape}{secret} && chance(35);
	$way = 'simple' if $way eq 'cursor' && !fits_cursor($read);
	return make($read, $way);
}

1;

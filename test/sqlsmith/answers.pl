#!/usr/bin/perl
# answers.pl: do queries give the same answers with the cache as without it?
#
#	answers.pl [--seconds=N] FILE	queries, each with a semicolon at the end of
#					its last line
#
# Against the server and database that the environment names, while nobody else
# changes anything there.  Every query is executed twice without the cache.  If
# that gives the same rows, in any order, it is asked twice with the cache, in
# each of two ways: as it is, and by cached_query.  Both answers must be the same
# rows again.  Where they are not, the query is executed without the cache once
# more: if even that now gives other rows, nothing is proved.  Fails if an answer
# is wrong, or if there was no hit.

use strict;
use warnings;
use DBI;
use Getopt::Long;
use Time::HiRes 'time';

my $most_rows = 2000;			# larger results are left out
my $timeout = '3s';
my $canceled = '57014';			# SQLSTATE of the timeout
my %option = (seconds => 60);
GetOptions(\%option, 'seconds=i') && @ARGV == 1 or die "usage: answers.pl [--seconds=N] FILE\n";

my $dbh = connection();
# a library may be too old to cache a query as it is
my $transparent = defined $dbh->selectrow_array("SELECT current_setting('cache.mode', true)");
my %count = map { $_ => 0 } qw(queries failed large unsteady refused undecided compared wrong), 'of them empty';
my %refused;

sub connection
{
	return DBI->connect('dbi:Pg:', undef, undef, { RaiseError => 1, PrintError => 0, PrintWarn => 0 });
}

sub hits
{
	return $dbh->selectrow_array('SELECT l1_hits FROM cache_stats');
}

# queries(FILE): those that are plain SELECTs, each once, and of whole tables: a
# sample is never cached.
sub queries
{
	my ($file) = @_;
	my (@queries, %seen);

	open(my $fh, '<', $file) or die "$file: $!\n";
	local $/ = ";\n";
	while (my $query = <$fh>)
	{
		$query =~ s/;\n\z//;
		$query =~ s/ tablesample \w+ \([\d.]+\)//g;
		push @queries, $query if $query =~ /^\s*(select|with)\b/i && !$seen{$query}++;
	}
	close($fh);
	return @queries;
}

# ask(CACHED, STATEMENT): its rows as sorted text, or nothing and the error in $@.
sub ask
{
	my ($cached, $statement) = @_;

	return eval {
		# queries may call set_config()
		$dbh->do('RESET ALL');
		$dbh->do("SET client_min_messages = error");
		$dbh->do("SET statement_timeout = '$timeout'");
		$dbh->do('SET cache.enabled = ' . ($cached ? 'on' : 'off'));
		$dbh->do('SET cache.mode = ' . ($cached ? 'auto' : 'off')) if $transparent;
		my $sth = $dbh->prepare($statement, { pg_direct => 1 });
		$sth->execute;
		my $rows = $sth->{NUM_OF_FIELDS} ? $sth->fetchall_arrayref : [];
		join("\n", sort map { join("\t", map { defined $_ ? "=$_" : 'null' } @$_) } @$rows);
	};
}

# compare(QUERY, PLAIN, CACHED): the statement that gives its rows without the
# cache, and the one that may give them with it.
sub compare
{
	my ($query, $plain, $cached) = @_;
	my $expected = ask(0, $plain);
	my $again = ask(0, $plain);

	return $count{failed}++ unless defined $expected && defined $again;
	return $count{unsteady}++ if $expected ne $again;
	foreach my $time ('first', 'second')
	{
		my $got = ask(1, $cached);
		my $error = $@;

		if (!defined $got && $error =~ /query cannot be cached: (.*)/)
		{
			(my $reason = $1) =~ s/\S+\(.*\)|"\S+"|(?<=volatile function )\S+/.../;
			$refused{$reason}++;
			return $count{refused}++;
		}
		next if defined $got && $got eq $expected;
		$again = ask(0, $plain);
		return $count{undecided}++
		  if !defined $again || $again ne $expected || !defined $got && $dbh->state eq $canceled;
		printf "\n*** wrong: the %s answer with the cache\n%s;\n--- without\n%s\n--- with\n%s\n",
		  $time, $cached, $expected, defined $got ? $got : $error;
		return $count{wrong}++;
	}
	$count{'of them empty'}++ if $expected eq '';
	return $count{compared}++;
}

my $before = hits();
my $deadline = time + $option{seconds};
foreach my $query (queries($ARGV[0]))
{
	last if time > $deadline;
	$count{queries}++;
	# queries may call pg_terminate_backend()
	$dbh = connection() unless $dbh->ping;
	my $size = ask(0, "SELECT count(*) FROM ($query) q");
	if (!defined $size || substr($size, 1) > $most_rows)
	{
		$count{ defined $size ? 'large' : 'failed' }++;
		next;
	}
	compare($query, $query, $query) if $transparent;
	compare($query, "SELECT row_to_json(q) FROM ($query) q", 'SELECT cached_query(' . $dbh->quote($query) . ')');
}
$dbh->do('RESET ALL');
my $hits = hits() - $before;
$dbh->disconnect;

print "refused $refused{$_} times: $_\n" foreach sort { $refused{$b} <=> $refused{$a} } keys %refused;
printf "answers: %s, %d hits\n",
  join(', ', map { "$count{$_} $_" } qw(queries failed large unsteady refused undecided compared),
	'of them empty', 'wrong'), $hits;
exit($count{wrong} || !$hits ? 1 : 0);

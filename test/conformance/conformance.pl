#!/usr/bin/perl
# conformance.pl: the answer from the cache is the answer, byte for byte.
#
#	conformance.pl [--require-hits[=WAY,...]] [--mode=MODE] [--seconds=N]
#		[--families=REGEX] [--ways=WAY,...] [--verbose]
#
# Every query of queries/ and Types.pm is run without the cache, then twice with
# it, in the ways of Ways.pm, and the three answers are compared (Answer.pm).
# Then a table that it reads is changed, and the next answers are compared; and
# once more when it is changed back; and within a transaction that changes it
# itself.  Against the server that PGHOST and PGPORT name, in a database
# "conformance" of its own.
#
# Fails if an answer differs, if a query was served from the cache that must not
# be, or if most changes are not seen in any answer.  That a result served has no
# type modifier where the plan has one is only counted.  With --require-hits also
# if the second answer of a query that is cacheable was not served from the cache,
# in the ways named or else in those of a client that sends the query itself.  A
# server without cache.mode never serves anything.
#
# It is to be done within --seconds.  So of the ways that are not those of a
# client that sends the query itself, every third one has its turn.  A query that
# comes late is cut short: it is run in two ways of a client, and nothing changes
# meanwhile.  The last line tells how many were.  --seconds=0 runs every query in
# every way, however long that takes.

use strict;
use warnings;
use File::Basename 'dirname';
use Getopt::Long;
use Time::HiRes qw(time sleep);
use lib dirname(__FILE__);
use Answer;
use Queries;
use Types;
use Ways;
use Wire;

my %option = (mode => 'auto', families => '', ways => '', seconds => 60, shown => 3);
GetOptions(\%option, 'require-hits:s', 'mode=s', 'seconds=i', 'families=s', 'ways=s', 'verbose')
  or exit 2;
$option{shown} = 1e9 if $option{verbose};
my $share = $option{seconds} ? 3 : 1;

my $directory = dirname(__FILE__);
my %login = (host => $ENV{PGHOST}, port => $ENV{PGPORT} // 5432, database => 'conformance');
my @ways = grep { my $way = $_; $option{ways} eq '' || grep { $_ eq $way->{name} } split(/,/, $option{ways}) } Ways::all();
my %must_hit = map { $_->{name} => 1 } grep { $_->{direct} } @ways;
%must_hit = map { $_ => 1 } split(/,/, $option{'require-hits'}) if ($option{'require-hits'} // '') ne '';

my $control;			# changes tables and counts hits
my $plain;				# without the cache
my @cached;				# two sessions with it
my $lonely;				# with it, and with temporary objects
my $has_mode;
my %oids;				# of types, by name
my %binary;				# of values, by type and text
my %tables;				# that a relation is made of, by its name
my (%count, %by_way, @problems);
my $begin = time;
my ($total, $done, $short) = (0, 0, 0);	# queries
my $turns = 0;			# ways that were run

sub psql
{
	my (@arguments) = @_;
	system('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', @arguments) == 0
	  or die "conformance.pl: psql failed\n";
	return;
}

sub session
{
	my ($mode, $user) = @_;
	my $options = '-c search_path=conf,public -c statement_timeout=60s';

	$options .= " -c cache.mode=$mode -c cache.min_cost=0" if $has_mode;
	# it may be recovering from a crash
	foreach (1 .. 60)
	{
		my $wire = eval { Wire->new(%login, user => $user // 'postgres', options => $options) };
		return $wire if $wire;
		sleep(0.5);
	}
	die $@;
}

# All of them as a user, or as the superuser.
sub connect_readers
{
	my ($user) = @_;

	$plain = session('off', $user);
	@cached = map { session($option{mode}, $user) } 1, 2;
	$lonely = session($option{mode}, $user);
	return;
}

sub connect_all
{
	$control = session('off');
	$control->parse('hits', 'SELECT l1_hits + l2_hits, l2_hits FROM public.cache_stats()')->sync->answer;
	connect_readers();
	return;
}

# The schema, what the queries need to know of it, and the sessions.
sub set_up
{
	psql('-d', 'postgres', '-c', 'SET client_min_messages = warning', '-c', 'DROP DATABASE IF EXISTS conformance', '-c', 'CREATE DATABASE conformance');
	psql('-d', 'conformance', '-o', '/dev/null', '-f', "$directory/schema.sql");
	$has_mode = 0;
	$control = session('off');
	($has_mode) = map { $_->[0] } $control->rows(q(SELECT count(*) FROM pg_settings WHERE name = 'cache.mode'));
	connect_all();
	$control->rows($_) foreach Types::tables(), 'SELECT save_tables()', 'ANALYZE';
	$oids{ $_->[0] } = $_->[1]
	  foreach $control->rows(q(SELECT format_type(t.oid, NULL), t.oid FROM pg_type t));
	push @{ $tables{ $_->[0] } }, $_->[1] foreach $control->rows('SELECT relation, base FROM made_of ORDER BY 1, 2');
	return;
}

sub oid
{
	my ($type) = @_;
	($oids{$type}) = map { $_->[0] } $control->rows("SELECT '$type'::regtype::oid") unless defined $oids{$type};
	return $oids{$type};
}

# The value as binary parameter.  What has no binary form is left as it is, for
# the server to complain.
sub binary
{
	my ($type, $value) = @_;

	return undef unless defined $value;
	if (!defined $binary{$type}{$value})
	{
		my ($row) = grep { $_->[0] eq 'D' } $control->parse('', 'SELECT $1', oid($type))
		  ->bind('', '', [$value], [], [1])->execute('', 0)->sync->answer;

		$binary{$type}{$value} = $row ? (Wire::row($row))[0] : $value;
	}
	return $binary{$type}{$value};
}

# What a query needs to be run, besides what its file says.
sub complete
{
	my ($query) = @_;
	my $text = $query->{text};
	my @types = @{ $query->{types} };
	my @sets = @{ $query->{with} } ? @{ $query->{with} } : ([]);
	my %reads;

	$query->{oids} = [ map { oid($_) } @types ];
	$query->{binary} = [ map { my $values = $_; [ map { binary($types[$_], $values->[$_]) } 0 .. $#types ] } @sets ];
	$query->{reads} //= [ grep { $text =~ /\b$_\b/ } sort keys %tables ];
	$reads{$_} = 1 foreach map { @{ $tables{$_} } } @{ $query->{reads} };
	$query->{tables} = [ sort keys %reads ];
	$query->{refresh} = grep { $_ eq 'm_dept' } @{ $query->{reads} };
	return;
}

# Hits so far in both tiers, and in the second.
sub hits
{
	my ($row) = grep { $_->[0] eq 'D' } $control->bind('', 'hits', [], [], [])->execute('', 0)->sync->answer;
	return Wire::row($row);
}

sub problem
{
	my ($kind, $query, $way, $details) = @_;

	$count{$kind}++;
	return if $kind eq 'without modifiers' && !$option{verbose};
	push @problems, "*** $kind, " . ($way ? "way $way: " : '') . Answer::printable($query->{text})
	  . join('', map { ", $_" } @{ $query->{set} }, grep { defined } @$query{qw(role login)}) . "\n    $details"
	  if $count{$kind} <= $option{shown};
	return;
}

# compare(QUERY, WAY, WHAT, EXPECTED, GOT, AGAIN): AGAIN runs it once more
# without the cache
sub compare
{
	my ($query, $way, $what, $expected, $got, $again) = @_;

	$count{answers}++;
	return 1 if Answer::same($expected, $got);
	my $kind = !Answer::same($expected, $again->()) ? 'unstable'
	  : Answer::same_but_modifiers($expected, $got) ? 'without modifiers' : 'wrong';
	problem($kind, $query, $way, "$what: " . Answer::difference($expected, $got));
	return 0;
}

sub settle
{
	my ($query, @sessions) = @_;

	foreach my $wire (@sessions)
	{
		$wire->query($query->{temporary}) if defined $query->{temporary};
		$wire->query("SET $_") foreach @{ $query->{set} };
		$wire->query("SET ROLE $query->{role}") if defined $query->{role};
		$wire->answer;
	}
	return;
}

sub unsettle
{
	my ($query, @sessions) = @_;

	foreach my $wire (@sessions)
	{
		$wire->query($_) foreach 'RESET SESSION AUTHORIZATION', 'RESET ROLE', 'RESET ALL';
		$wire->query('DISCARD TEMP') if defined $query->{temporary};
		$wire->answer;
	}
	return;
}

# One way of running a query.
sub run_way
{
	my ($query, $way) = @_;
	my $name = $way->{name};
	my $turn = $turns++;
	my $answer = sub {
		my ($wire) = @_;
		return Answer::canonical([ $way->{run}->($wire, $query) ], $query->{ordered});
	};
	my ($filler, $hitter) = $way->{temporary} || defined $query->{temporary} ? ($lonely, $lonely) : @cached[ 0, ($turn >> 1) % 2 ];

	if ($way->{prepare})
	{
		$way->{prepare}->($_, $query) foreach $plain, $lonely;
	}

	# either it is filled in this way, or maybe in another one or under other settings
	$control->rows(q(SELECT public.cache_flush('l1')))
	  if $turn % 2 && !$query->{apart};

	my $expected = $answer->($plain);
	my $again = sub { return $answer->($plain); };
	my ($start) = hits();
	compare($query, $name, 'first time', $expected, $answer->($filler), $again);
	my ($before, $before_l2) = hits();
	compare($query, $name, 'second time', $expected, $answer->($hitter), $again);
	my ($after, $after_l2) = hits();

	my $executions = $way->{executions}->($query);
	$by_way{$name}{answers} += $executions;
	$by_way{$name}{hits} += $after - $before;
	$by_way{$name}{l2} += $after_l2 - $before_l2;
	if (defined $query->{never})
	{
		problem('served', $query, $name, "$query->{never}, but there were " . ($after - $start) . " hits\n") if $after > $start;
	}
	elsif ($query->{cacheable} && Answer::has_error($expected))
	{
		# only some types have no binary form, and not everything fits into a function
		problem('failed', $query, $name, Answer::show((grep { /^E/ } @$expected)[0]) . "\n")
		  if $way->{direct} && !grep { /C42883\0/ } @$expected;
	}
	elsif ($query->{cacheable})
	{
		$by_way{$name}{cacheable} += $executions;
		$by_way{$name}{cacheable_hits} += $after - $before;
		$count{cacheable} += $executions;
		$count{hits} += $after - $before;
		problem('not served', $query, $name, "$executions executions, " . ($after - $before) . " hits\n")
		  if defined $option{'require-hits'} && $must_hit{$name} && $after - $before < $executions;
	}
	return;
}

# The answers while a table changes: as one simple query, and of a statement
# prepared before.
sub read_both
{
	my ($query, $simple, $named) = @_;

	$named->bind('', 'kept', Queries::values_of($query, 0), [], [])->execute('', 0)->sync;
	return Answer::canonical([ $named->answer, $simple->query(Queries::literal($query, 0))->answer ], $query->{ordered});
}

# A change and its opposite.
sub changes
{
	my ($query, $number) = @_;

	return ($query->{change}, $query->{undo}) if defined $query->{change};

	my @tables = @{ $query->{tables} };
	my $table = $tables[ $number % @tables ];
	my $how = (qw(all half truncate))[ $number % 3 ];
	my @changes = ("SELECT conf.take_away('$table', '$how')", "SELECT conf.put_back('$table')");

	return $table eq 'nothing' ? reverse @changes : @changes;
}

sub run_writes
{
	my ($query, $number) = @_;
	my $again = sub { return read_both($query, $plain, $plain); };
	my ($simple, $named) = defined $query->{temporary} ? ($lonely, $lonely) : @cached;
	my @writes = changes($query, $number);
	my @answers;

	$_->parse('kept', $query->{text}, @{ $query->{oids} })->sync->answer foreach $plain, $named;
	foreach my $write ('before', @writes)
	{
		if ($write ne 'before')
		{
			$control->rows($write);
			$control->rows('REFRESH MATERIALIZED VIEW conf.m_dept') if $query->{refresh} && !defined $query->{change};
		}
		my $got = read_both($query, $simple, $named);
		push @answers, read_both($query, $plain, $plain);
		compare($query, '', $write, $answers[-1], $got, $again);
	}
	$count{writes}++;
	$count{changed}++ if !Answer::same(@answers[ 0, 1 ]);

	if (!defined $query->{role} && !defined $query->{login} && !defined $query->{temporary})
	{
		my $text = Queries::literal($query, 0);
		my $own = sub {
			my ($wire) = @_;
			return Answer::canonical([ Ways::queries($wire, 'BEGIN', $writes[0], $text, 'ROLLBACK', $text) ], $query->{ordered});
		};
		my $got = $own->($simple);

		compare($query, '', 'own change', $own->($plain), $got, sub { return $own->($plain); });
	}
	$_->close('S', 'kept')->sync->answer foreach $plain, $named;
	return;
}

sub run_query
{
	my ($query, $number, $late) = @_;
	my @these = grep { my $way = $_; !$query->{ways} || grep { $_ eq $way->{name} } @{ $query->{ways} } } @ways;

	complete($query);

	# something that must not be mistaken for what follows
	$query->{apart} = @{ $query->{set} } || defined $query->{role} || defined $query->{login};
	if ($query->{apart})
	{
		foreach my $wire (@cached)
		{
			Ways::simple($wire, $query);
			Ways::named($wire, $query);
		}
	}

	connect_readers($query->{login}) if defined $query->{login};
	my @sessions = defined $query->{temporary} ? ($plain, $lonely) : ($plain, @cached, $lonely);
	settle($query, @sessions);
	my @messages = Ways::simple($plain, $query);
	my ($description) = grep { $_->[0] eq 'T' } @messages;
	$query->{columns} = $description ? scalar(Wire::columns($description)) : 0;
	$query->{rows} = grep { $_->[0] eq 'D' } @messages;
	my ($error) = grep { $_->[0] eq 'E' } @messages;
	die Answer::show("E$error->[1]") . "\n" if $error && !defined $query->{uncached} && !defined $query->{never};
	$query->{cacheable} = !defined $query->{uncached} && !defined $query->{never}
	  && @{ $query->{tables} } > 0;

	foreach my $i (0 .. $#these)
	{
		run_way($query, $these[$i])
		  if $late ? $these[$i]{direct} && ($number + $i) % 2 : $these[$i]{direct} || ($number + $i) % $share == 0;
	}
	run_writes($query, $number) if @{ $query->{tables} } && !$query->{ways} && !$late;
	unsettle($query, @sessions);
	connect_readers() if defined $query->{login};
	return;
}

sub run_family
{
	my ($family) = @_;
	my $start = time;
	my $bad = 0;

	%count = map { $_ => 0 } qw(answers cacheable hits writes changed wrong unstable served), 'not served', 'failed', 'without modifiers';
	@problems = ();
	$bad++ unless @{ $family->{queries} };
	foreach my $query (@{ $family->{queries} })
	{
		my $late = $option{seconds} && time - $begin > $option{seconds} * $done / $total + 3;

		$done++;
		$short++ if $late;
		next if eval { run_query($query, $done, $late); 1; };
		problem('failed', $query, '', $@);
		connect_all();
	}
	$bad += $count{$_} foreach 'wrong', 'unstable', 'served', 'not served', 'failed';
	printf "%s - %s: %d queries, %d answers, %d hits of %d, %d of %d changed by writes%s%s\n",
	  $bad ? 'not ok' : 'ok', $family->{name}, scalar @{ $family->{queries} },
	  @count{qw(answers hits cacheable changed writes)},
	  join('', map { $count{$_} ? ", $count{$_} $_" : '' } 'wrong', 'unstable', 'served', 'not served', 'failed', 'without modifiers'),
	  $option{verbose} ? sprintf(', %.1f s', time - $start) : '';
	print @problems;
	return $bad;
}

STDOUT->autoflush(1);
set_up();
print "cache.mode does not exist, so nothing is served from the cache\n" unless $has_mode;

my $bad = 0;
my ($answers, $writes, $changed) = (0, 0, 0);
my @families = grep { $_->{name} =~ /$option{families}/ } Queries::families("$directory/queries"), Types::queries();
$total += @{ $_->{queries} } foreach @families;
foreach my $family (@families)
{
	$bad += run_family($family);
	$answers += $count{answers};
	$writes += $count{writes};
	$changed += $count{changed};
}

printf "\n%-10s %12s %12s %12s %12s %12s\n", 'way', 'second time', 'hits', 'of them L2', 'cacheable', 'hits of them';
foreach my $way (@ways)
{
	printf "%-10s %12d %12d %12d %12d %12d\n", $way->{name}, map { $by_way{ $way->{name} }{$_} // 0 } qw(answers hits l2 cacheable cacheable_hits);
}
my ($stats) = $control->rows('SELECT misses, fills, bypasses, bypass_reasons FROM public.cache_stats');
printf "misses %d, fills %d, bypasses %d: %s\n", @$stats;
$control->rows('SELECT public.cache_verify()');
if (!$has_mode && defined $option{'require-hits'})
{
	print "not ok - there can be no hits\n";
	$bad++;
}
if (2 * $changed < $writes)
{
	print "not ok - only $changed of $writes changes were seen in an answer\n";
	$bad++;
}
printf "conformance: %d queries, %d of them cut short, %d answers compared in %.0f s, %d problems\n",
  $total, $short, $answers, time - $begin, $bad;
exit($bad ? 1 : 0);

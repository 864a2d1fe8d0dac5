#!/usr/bin/perl
# torture.pl: random reads and writes, and every cached answer compared.
#
#	torture.pl [--seed=N] [--seconds=N] [--sessions=N] [--races=N] [--until-found]
#
# --sessions do random steps, --races play scripted ones (0 or 1).  Every other
# session reads in plain SELECTs, under cache.mode = auto, the rest by cached_query;
# races do both.  --until-found stops once there was a violation in reads of each
# form.  Against the server that PGHOST and PGPORT name, in a database "consistency" of
# its own.  Fails if there is a violation, an unexpected error, a lost
# connection, or too few hits to prove anything.
#
# A read is a hit if the server says so while it answers, in the messages of
# cache.log.  One that asks several times, such as a function, is a hit if
# any of that was.

use strict;
use warnings;
use File::Basename 'dirname';
use File::Path 'rmtree';
use File::Temp 'tempdir';
use Getopt::Long;
use IO::Handle;
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(time sleep);
use lib dirname(__FILE__);
use Torture::Races;
use Torture::Reads;
use Torture::Session;
use Torture::Steps;

my $least_hits = 20;			# percent of the reads
my $most_undecided = 5;			# percent of the reads
my @forms = ('cached_query', 'plain SELECT');
my %option = (seed => 1, seconds => 60, sessions => 9, races => 1);
GetOptions(\%option, 'seed=i', 'seconds=i', 'sessions=i', 'races=i', 'until-found')
  or exit 2;

my $directory = tempdir('torture.XXXXXX', TMPDIR => 1);
my $dsn = 'dbi:Pg:dbname=consistency';
my %total;
my @found;

sub psql
{
	my (@arguments) = @_;
	system('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres', @arguments) == 0
	  or die "torture.pl: psql failed\n";
	return;
}

sub stats
{
	my ($dbh) = @_;
	return $dbh->selectrow_hashref('SELECT * FROM public.cache_stats');
}

# start(NAME, CODE): a session in a process of its own
sub start
{
	my ($name, $code, $deadline) = @_;
	my $pid = fork // die "fork: $!";

	return $pid if $pid;
	local $SIG{TERM} = sub { $Torture::Session::stop = 1; };
	my $ok = eval {
		$Torture::Session::transparent = $name =~ /[13579]$/;
		my $session = Torture::Session->new(name => $name, directory => $directory, dsn => $dsn);
		my $done = eval { $code->($session, $option{seed}, $deadline); 1; };
		my $error = $@;
		$session->record('failure', { message => "$error" }) unless $done || $error eq "lost\n";
		$session->finish;
		$done;
	};
	print STDERR "session $name: $@" unless $ok || $@ eq '';
	POSIX::_exit($ok ? 0 : 1);
}

sub slurp
{
	my ($name) = @_;
	open(my $fh, '<', $name) or return ();
	my @lines = <$fh>;
	return @lines;
}

# found_in(): the forms of reads that violations were found in so far
sub found_in
{
	my %found = map { $_->{form} => 1 } map { JSON::PP::decode_json($_) }
	  grep { /"kind":"violation.*\n$/ } map { slurp($_) } glob("$directory/found.*");
	return keys %found;
}

# What sessions have written, and what became of it, shortly before a violation.
sub history
{
	my ($time) = @_;
	my @lines = grep { my ($at) = /^([\d.]+)/; defined $at && $at > $time - 0.5 && $at < $time + 0.1 }
	  map { slurp($_) } glob("$directory/log.*");

	@lines = sort @lines;
	splice(@lines, 0, @lines - 40) if @lines > 40;
	return @lines;
}

sub show
{
	my ($found) = @_;

	print "\n*** $found->{kind}: seed $option{seed}, session $found->{session}, step $found->{step} ($found->{doing})\n";
	foreach my $field (qw(query sql plain state message role tenant path isolation snapshot expected got after))
	{
		next unless defined $found->{$field} && $found->{$field} ne '';
		my $text = $found->{$field};

		$text =~ s/\n/\n            /g;
		printf "%10s: %s\n", $field, $text;
	}
	print "   the session before that:\n", map { "      $_\n" } @{ $found->{tail} } > 15 ? @{ $found->{tail} }[ -15 .. -1 ] : @{ $found->{tail} };
	print "   what was written then:\n", map { "      $_" } history($found->{time});
	return;
}

print "torture: seed $option{seed}, $option{seconds} s, $option{sessions} sessions, $option{races} with races\n";
STDOUT->autoflush(1);
psql('-d', 'postgres', '-c', 'DROP DATABASE IF EXISTS consistency', '-c', 'CREATE DATABASE consistency');
psql('-d', 'consistency', '-o', '/dev/null', '-f', dirname(__FILE__) . '/schema.sql');

my $dbh = Torture::Session::connection($dsn, 'torture');
$dbh->do($_) foreach Torture::Reads::functions();
my $before = stats($dbh);
my $deadline = time + $option{seconds};
my %running;
$running{ start($_, \&Torture::Steps::run, $deadline) } = 1 foreach 1 .. $option{sessions};
$running{ start("race$_", \&Torture::Races::run, $deadline) } = 1 foreach 1 .. $option{races};
$dbh->{InactiveDestroy} = 1;

my $failed = 0;
my $stopped;
while (%running)
{
	my $pid = waitpid(-1, POSIX::WNOHANG());

	if ($pid > 0)
	{
		delete $running{$pid};
		$failed++ if $? != 0 && !$stopped;
		print "*** a session was ended by signal ", $? & 127, "\n" if $? & 127;
		next;
	}
	last if $pid < 0;
	if (!$stopped && $option{'until-found'} && found_in() == @forms)
	{
		$stopped = 1;
		kill 'TERM', keys %running;
	}
	sleep(0.2);
}

push @found, map { JSON::PP::decode_json($_) } grep { /\n$/ } slurp($_) foreach glob("$directory/found.*");
foreach my $file (glob("$directory/counts.*"))
{
	my $counts = JSON::PP::decode_json(join('', slurp($file)));
	$total{$_} += $counts->{$_} foreach keys %$counts;
}

my $crashed = !eval {
	foreach my $gid (@{ $dbh->selectcol_arrayref('SELECT gid FROM pg_prepared_xacts WHERE database = current_database()') })
	{
		$dbh->do('ROLLBACK PREPARED ' . $dbh->quote($gid));
	}
	$dbh->do('SELECT cache_verify()');
	1;
};
print "\n*** the server does not answer: $@" if $crashed;

show($_) foreach sort { $a->{time} <=> $b->{time} } @found;

my %wrong;
$wrong{ $_->{kind} }++ foreach @found;
$total{$_} //= 0 foreach 'reads', 'equal', 'undecided', 'committed', map { ("reads: $_", "hits: $_") } @forms;
printf "\n%s\n", '-' x 60;
printf "%-28s %8d\n", $_, $total{$_} foreach sort keys %total;
if (!$crashed)
{
	my $after = stats($dbh);
	printf "cache: %s %d\n", $_, $after->{$_} - $before->{$_}
	  foreach qw(l1_hits misses fills fills_raced bypasses waits wait_timeouts invalidations);
	print "cache: bypass_reasons $after->{bypass_reasons}\n";
	$dbh->disconnect;
}
my $violations = 0;
my @shares;
my @summary;
foreach my $form (@forms)
{
	my ($reads, $hits, $wrong) = ($total{"reads: $form"}, $total{"hits: $form"}, 0);

	$wrong += $total{$_} foreach grep { /^violation.*\($form\)/ } keys %total;
	# those of sessions that could not count
	$wrong ||= grep { $_->{kind} =~ /^violation.*\($form\)/ } @found;
	$violations += $wrong;
	push @shares, $reads ? 100 * $hits / $reads : 0;
	push @summary, sprintf('%s: %d reads, %d hits (%.0f %%), %d violations', $form, $reads, $hits, $shares[-1], $wrong);
}
print "torture: seed $option{seed}: ", join('; ', @summary), "\n";

my $result = 0;

sub verdict
{
	my ($ok, $what) = @_;
	print $ok ? 'ok' : 'not ok', " - $what\n";
	$result = 1 unless $ok;
	return;
}

my @errors = grep { !/^violation/ } keys %wrong;
verdict(!$violations, 'every answer was right');
verdict(!@errors && !$failed, 'nothing failed' . join('', map { ", but: $_" } @errors));
verdict(!$crashed, 'the server survived, and its shared memory adds up');
if (!$stopped)
{
	verdict(!(grep { $_ < $least_hits } @shares), "at least $least_hits % of the reads of each form were hits");
	verdict($total{undecided} * 100 <= $total{reads} * $most_undecided, 'nearly every comparison decided something');
}
rmtree($directory);
exit $result;

# Torture::Races: races with a script.
#
# Chance alone seldom hits the moments that matter: a few microseconds between
# a commit's becoming visible and its being counted, or between a reader's look
# at the clock and its look into the cache.  Locks hold them open here.
#
#	commit	a writer that has a great many locks to release commits, while
#			others ask, without the cache and with it
#	wait	readers, some with an old snapshot, some with none yet, wait for a
#			lock amid their request, while a change commits
#
# One process plays all the parts, with a connection for each.  In each race all
# readers ask in one form, by cached_query or in plain SELECTs.

package Torture::Races;

use strict;
use warnings;
use DBD::Pg ':async';
use Time::HiRes qw(time usleep);
use Torture::Oracle;
use Torture::Plain;
use Torture::Random;
use Torture::Session;

my $rows = 'SELECT id, ver FROM race_a WHERE id <= 10 ORDER BY id';

# The parts: sessions that share the records of the first.
sub cast
{
	my ($session, $n) = @_;
	my @cast;

	foreach my $i (1 .. $n)
	{
		my $dbh = Torture::Session::connection($session->{dsn}, "torture race $i");

		push @cast, bless { %$session, dbh => $dbh, role => 'postgres', tenant => '', path => 't, public' }, 'Torture::Session';
	}
	return @cast;
}

sub run
{
	my ($session, $seed, $deadline) = @_;
	my ($writer, $locker, @readers) = cast($session, 8);

	while (time < $deadline && !$Torture::Session::stop)
	{
		my $step = ++$session->{step};

		foreach my $part ($writer, $locker, @readers)
		{
			$part->{step} = $step;
			$part->{tail} = $session->{tail};
		}
		start_sequence($seed, $session->{name}, $step);
		my $race = $session->{current} = weighted(commit => 50, wait => 50);
		$_->{current} = $race foreach $writer, $locker, @readers;
		my $done = eval {
			$race eq 'commit' ? race_commit($writer, @readers) : race_wait($writer, $locker, @readers);
			1;
		};
		die $@ unless $done || $@ eq "step\n";
		foreach my $part ($writer, $locker, @readers)
		{
			collect($part) if $part->{asked};
			$part->{dbh}->do('ROLLBACK') if $part->{dbh}->ping > 1;
		}
		$writer->try("ROLLBACK PREPARED 'race $step'") unless $done;
		$session->count("race $race");
		usleep(20_000 + below(30_000));
	}
	return;
}

# start(PART, SQL), collect(PART): ask now, get the answer later
sub start
{
	my ($part, $sql) = @_;

	$part->remember($sql);
	$part->{sth} = $part->{dbh}->prepare($sql, { pg_async => PG_ASYNC, pg_server_prepare => 0 });
	$part->{sth}->execute;
	$part->{asked} = $sql;
	return;
}

sub collect
{
	my ($part) = @_;
	my $sql = delete $part->{asked};
	my $answer;

	Torture::Session::take_hits();
	eval {
		$part->{dbh}->pg_result;
		$answer = { rows => $sql =~ /^(?:SELECT|EXECUTE)/ ? [ map { $_->[0] } @{ $part->{sth}->fetchall_arrayref } ] : [] };
		1;
	} or do
	{
		$answer = { state => $part->{dbh}->state || 'XX000', message => $@ };
	};
	delete $part->{sth};
	$answer->{hits} = Torture::Session::take_hits();
	return $answer;
}

# reading(FORM, SQL, TAGS, PARAMETERS...): as one statement.  A plain one with
# parameters has to be prepared, as "race", by what "prepare" says.
sub reading
{
	my ($form, $sql, $tags, @parameters) = @_;
	my $cached = 'SELECT cached_query(' . join(', ', "\$q\$$sql\$q\$", 'NULL', $tags ? "'{$tags}'" : 'NULL', @parameters) . ')::text';
	my $hint = $tags ? "/*+ cache(tags=$tags) */" : '';
	my $known = join(', ', @parameters);
	my $select = "SELECT $hint row_to_json(q)::text FROM ($sql) q";

	(my $plain = $sql) =~ s/\$1/$parameters[0]/ if @parameters;
	$plain //= $sql;
	$cached = @parameters ? "EXECUTE race ($known)" : $select if $form ne 'cached_query';
	return { shape => { name => 'race', rising => 'ver' }, as => '', form => $form,
		prepare => "PREPARE race (int) AS $select", cached => $cached, plain => Torture::Plain::uncached($plain) };
}

# A form of reading, for which the parts are set up.
sub choose_form
{
	my (@parts) = @_;
	my $form = pick('cached_query', 'plain SELECT');

	$_->must('SET cache.mode = ' . ($form eq 'cached_query' ? 'off' : 'auto')) foreach @parts;
	return $form;
}

sub race_commit
{
	my ($writer, @readers) = @_;
	my $read = reading(choose_form(@readers), $rows, pick('', 'race'));
	my $prepare = chance(25);
	my $id = 1 + below(10);

	$readers[0]->count_read($read, $readers[0]->must($read->{cached}));
	$writer->must('BEGIN');
	$writer->must("UPDATE race_a SET ver = ver + 1 WHERE id = $id");
	$writer->must(q(SELECT invalidate_tags('{race}')));
	$writer->must('SELECT count(pg_advisory_xact_lock(i)) FROM generate_series(1, 2500) i');
	$writer->must("PREPARE TRANSACTION 'race $writer->{step}'") if $prepare;
	start($writer, $prepare ? "COMMIT PREPARED 'race $writer->{step}'" : 'COMMIT');
	my $i = 0;
	while (!$writer->{dbh}->pg_ready)
	{
		Torture::Oracle::check_read($readers[ $i++ % 2 ], $read, 0);
	}
	my $answer = collect($writer);
	$writer->give_up($answer, 'COMMIT') unless $answer->{rows};
	# once it is reported, nothing else may be seen
	Torture::Oracle::check_read($_, $read, 1) foreach @readers[ 0, 1 ];
	return;
}

# wait_for_waiters(PART, N): until that many wait for a lock on a table
sub wait_for_waiters
{
	my ($part, $n, $table) = @_;

	foreach (1 .. 100)
	{
		my $waiting = $part->must(
			"SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't.$table'::regclass")->{rows}[0];

		last if $waiting >= $n;
		usleep(5_000);
	}
	return;
}

sub race_wait
{
	my ($writer, $locker, @readers) = @_;
	my $form = choose_form(@readers);
	my $tags = pick('', 'race', 'race');
	my $table = pick('race_a', 'race_b');
	my $change = weighted(update => 6, refill => 2, both => 2);
	my $end = weighted(COMMIT => 8, ROLLBACK => 2);
	my $inc = $end eq 'COMMIT' ? 1 : 1000;
	my $known = chance(40);
	my $number = $writer->{step};
	# new to the cache, maybe also to the session
	my $sql = 'SELECT id, ver FROM race_a WHERE id <= 10 AND id <> ALL (SELECT id + 100 FROM race_b)';
	$sql .= $known ? ' AND -$1::int <> ver ORDER BY id'
	  : $form eq 'cached_query' ? " /* $number */ AND -\$1::int <> ver ORDER BY id"
	  : " AND -$number <> ver ORDER BY id";
	my @parameters = $sql =~ /\$1/ ? $number : ();
	my $read = reading($form, $sql, $tags, @parameters);
	my @old = @readers[ 0 .. 2 ];
	my @new = @readers[ 3 .. 5 ];
	my $holder = $table eq 'race_a' ? $writer : $locker;

	if ($known)
	{
		# an answer to another question makes the statement known
		foreach my $reader (@readers)
		{
			my $other = reading($form, $sql, $tags, 0);

			if ($form ne 'cached_query')
			{
				$reader->must('DEALLOCATE ALL');
				$reader->must($other->{prepare});
			}
			$reader->count_read($other, $reader->must($other->{cached}));
		}
	}
	foreach my $reader (@old)
	{
		$reader->must('BEGIN ISOLATION LEVEL REPEATABLE READ');
		$reader->must('SELECT count(*) FROM switch');
	}
	my $before = $writer->must($read->{plain});
	$writer->must('BEGIN');
	if ($table eq 'race_b')
	{
		$locker->must('BEGIN');
		$locker->must('LOCK TABLE race_b IN ACCESS EXCLUSIVE MODE');
	}
	$writer->must('LOCK TABLE race_a IN ACCESS EXCLUSIVE MODE') if $table eq 'race_a';
	if ($change ne 'refill')
	{
		$writer->must("UPDATE race_a SET ver = ver + $inc");
	}
	# would wait for those who wait for the locker
	if ($change ne 'update' && $table eq 'race_a')
	{
		$writer->must("SELECT refill('race_a', $inc)");
	}
	$writer->must(q(SELECT invalidate_tags('{race}')));
	start($_, $read->{cached}) foreach @new, @old;
	wait_for_waiters($holder, scalar @readers, $table);
	$writer->must($end);
	$locker->must('COMMIT') if $table eq 'race_b';

	foreach my $reader (@new)
	{
		my $answer = collect($reader);

		$reader->count_read($read, $answer);
		next if $reader->is_expected($answer);
		my $after = $reader->must($read->{plain});
		# EXECUTE takes its snapshot before it waits for locks
		next if $change ne 'update' && $read->{cached} =~ /^EXECUTE/ && $answer->{rows} && !@{ $answer->{rows} };
		next if $answer->{rows} && (Torture::Oracle::text($answer) eq Torture::Oracle::text($before)
			|| Torture::Oracle::text($answer) eq Torture::Oracle::text($after));
		Torture::Oracle::violation($reader, "never true ($change, $end)", $read, $before, $answer, $after);
	}
	foreach my $reader (@old)
	{
		my $answer = collect($reader);

		$reader->count_read($read, $answer);
		next if $reader->is_expected($answer);
		my $now = $reader->must($read->{plain});
		my $again = $reader->must($read->{cached});
		$reader->count_read($read, $again);
		$reader->must('COMMIT');
		# an old snapshot sees nothing of what was truncated since
		next if $answer->{rows} && !@{ $now->{rows} } && Torture::Oracle::text($answer) eq Torture::Oracle::text($before);
		next if $answer->{rows} && Torture::Oracle::text($answer) eq Torture::Oracle::text($now)
		  && Torture::Oracle::text($again) eq Torture::Oracle::text($now);
		Torture::Oracle::violation($reader, "not of its snapshot ($change, $end)", $read, $now, $answer, $again);
	}
	# what they have left behind must be the present
	Torture::Oracle::check_read($readers[4], $read, 1);
	return;
}

1;

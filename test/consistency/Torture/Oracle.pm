# Torture::Oracle: is a cached answer right?
#
# The query is run without the cache before the cached one and after it, in the
# same session, as the same user.  The answer of a cursor is that of the moment
# at which it was opened.
#
#	exactly		nothing can have changed in between: the snapshot is one, or the
#				tables are locked.  All three must be equal, as errors as well.
#				Uncached answers that differ prove nothing, and are counted.
#	between		versions only rise, so that the sum of the cached ones must lie
#				between those of the uncached ones.
#	same		what the answer itself says that it must be equal to.  The others
#				are left alone: an old snapshot sees nothing of what was truncated.
#	owner		a row that a policy keeps for someone else is wrong in any case.

package Torture::Oracle;

use strict;
use warnings;
use JSON::PP ();
use Time::HiRes 'usleep';
use Torture::Plain;
use Torture::Random;
use Torture::Session;

my $json = JSON::PP->new->allow_nonref;

sub text
{
	my ($answer) = @_;
	return $answer->{rows} ? join("\n", @{ $answer->{rows} }) : "ERROR $answer->{state}";
}

# version(ANSWER, COLUMN)
sub version
{
	my ($answer, $column) = @_;
	my $sum = 0;

	$sum += $json->decode($_)->{$column} // 0 foreach @{ $answer->{rows} };
	return $sum;
}

# ask(SESSION, SQL): the answer, in a transaction leaving that usable
sub ask
{
	my ($session, $sql) = @_;
	my $answer;

	if ($session->{in_transaction})
	{
		$session->must('SAVEPOINT q');
		$answer = $session->try($sql);
		$session->must('ROLLBACK TO q') unless $answer->{rows};
		$session->must('RELEASE q');
	}
	else
	{
		$answer = $session->try($sql);
	}
	$session->give_up($answer, $sql) if $session->is_expected($answer);
	return $answer;
}

# ask_cached(SESSION, READ): the same of the cached answer, again if a plan that
# was kept is of no use any more
sub ask_cached
{
	my ($session, $read) = @_;
	my $answer = ask($session, $read->{cached});

	if (!$answer->{rows} && $answer->{message} =~ /cached plan must not change result type/)
	{
		Torture::Plain::forget($session->{dbh});
		$answer = ask($session, $read->{cached});
	}
	return $answer;
}

# check_read(SESSION, READ, EXACTLY, DURING): during is what happens while a
# cursor is open
sub check_read
{
	my ($session, $read, $exactly, $during) = @_;
	my $alone = $read->{rest} && !$session->{in_transaction};

	if ($alone)
	{
		$session->must('BEGIN');
		$session->{in_transaction} = 1;
	}
	my $before = ask($session, $read->{plain});
	my $first = $read->{again} && ask_cached($session, $read);
	my $cached = ask_cached($session, $read);
	my $after = ask($session, $read->{plain});
	if ($read->{rest} && $cached->{rows})
	{
		my $hits = $cached->{hits};

		# what is held is fetched at commit
		$cached = end_alone($session, \$alone) if $read->{hold};
		$during ? $during->() : usleep(below(10_000));
		if ($read->{guise})
		{
			ask_in_guise($session, $read);
			end_alone($session, \$alone);
			return;
		}
		$cached = ask($session, $read->{rest}) if $cached->{rows};
		$cached->{hits} += $hits;
	}
	end_alone($session, \$alone);
	foreach my $answer ($first || (), $cached)
	{
		$session->count_read($read, $answer);
		check_owner($session, $read, $answer);
		compare($session, $read, $exactly, $before, $answer, $after);
	}
	return $cached;
}

# Whoever goes on with a cursor as someone else gets rows of both, from the cache
# or not.  They must not come to be what others are served.
sub ask_in_guise
{
	my ($session, $read) = @_;
	my ($guise, $back) = $read->{guise} eq 'owner'
	  ? ('ROLE torture_' . pick('app1', 'app2'), 'ROLE ' . ($session->{role} eq 'postgres' ? 'NONE' : "torture_$session->{role}"))
	  : ("app.tenant = '" . pick('red', 'blue') . "'", "app.tenant = '$session->{tenant}'");

	$session->must("SET LOCAL $guise");
	ask($session, $read->{rest});
	$session->must("SET LOCAL $back");
	$session->count('cursors in guise');
	return;
}

# The end of a transaction for a cursor.
sub end_alone
{
	my ($session, $alone) = @_;
	my $answer = { rows => [] };

	if ($$alone)
	{
		$session->{in_transaction} = 0;
		$$alone = 0;
		$answer = $session->try('COMMIT');
		$session->give_up($answer, 'COMMIT') if $session->is_expected($answer);
	}
	return $answer;
}

sub compare
{
	my ($session, $read, $exactly, $before, $cached, $after) = @_;

	if ($cached->{same})
	{
		if (text($cached->{same}) eq text($cached))
		{
			$session->count('equal');
		}
		else
		{
			violation($session, 'not of its snapshot', $read, $cached->{same}, $cached, $after);
		}
	}
	elsif (text($before) eq text($cached) && text($cached) eq text($after))
	{
		$session->count('equal');
		$session->count('equally denied') unless $cached->{rows};
	}
	elsif ($exactly)
	{
		if (text($before) eq text($after))
		{
			violation($session, 'wrong answer', $read, $before, $cached, $after);
		}
		else
		{
			$session->count('undecided');
		}
	}
	elsif (!$before->{rows} || !$cached->{rows} || !$after->{rows})
	{
		# definitions may have changed, but not twice
		if (text($before) eq text($after) && defined($before->{state}) != defined($cached->{state}))
		{
			violation($session, 'wrong error', $read, $before, $cached, $after);
		}
	}
	elsif (my $column = $read->{shape}{rising})
	{
		my ($low, $got, $high) = map { version($_, $column) } $before, $cached, $after;

		violation($session, $got < $low ? 'stale answer' : 'answer from the future',
			$read, $before, $cached, $after)
		  if $got < $low || $got > $high;
	}
	return;
}

# Of a table with row security nobody but the superuser sees all.
sub check_owner
{
	my ($session, $read, $cached) = @_;
	my $who = $read->{shape}{who} or return;
	my $role = $read->{as} || $session->{role};
	my $wanted;

	return if $role eq 'postgres' || !$cached->{rows};
	$wanted = $who eq 'owner' ? "torture_$role" : $session->{tenant};
	foreach my $row (@{ $cached->{rows} })
	{
		next if $json->decode($row)->{$who} eq $wanted;
		violation($session, 'foreign row', $read, { rows => ["only rows of $wanted"] }, $cached, {});
		return;
	}
	return;
}

sub violation
{
	my ($session, $kind, $read, $before, $cached, $after) = @_;
	my $snapshot = $session->try('SELECT pg_current_snapshot()::text || $$ own xid $$ || coalesce(pg_current_xact_id_if_assigned()::text, $$none$$)');
	my $isolation = $session->try(q(SELECT current_setting('transaction_isolation')));

	$session->record("violation: $kind ($read->{form})",
		{	form => $read->{form}, query => Torture::Session::text_of($read->{rest} // $read->{cached}),
			plain => $read->{plain},
			expected => text($before), got => text($cached),
			after => $after->{rows} || $after->{state} ? text($after) : '',
			message => $cached->{message},
			snapshot => text($snapshot), isolation => text($isolation) });
	return;
}

1;

# Torture::Oracle: is a cached answer right?
#
# The plain query is run before the cached one and after it, in the same
# session, as the same user.
#
#	exactly		nothing can have changed in between: the snapshot is one, or the
#				tables are locked.  All three must be equal, as errors as well.
#				Plain answers that differ prove nothing, and are counted.
#	between		versions only rise, so that the sum of the cached ones must lie
#				between those of the plain ones.
#	owner		a row that a policy keeps for someone else is wrong in any case.

package Torture::Oracle;

use strict;
use warnings;
use JSON::PP ();

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
	return $session->try($sql) unless $session->{in_transaction};
	$session->must('SAVEPOINT q');
	my $answer = $session->try($sql);
	$session->must('ROLLBACK TO q') unless $answer->{rows};
	$session->must('RELEASE q');
	return $answer;
}

# check_read(SESSION, READ, EXACTLY)
sub check_read
{
	my ($session, $read, $exactly) = @_;
	my $before = ask($session, $read->{plain});
	$session->give_up($before, $read->{plain}) if $session->is_expected($before);
	my $cached = ask($session, $read->{cached});
	$session->count('reads');
	$session->count("reads of $read->{shape}{name}");
	$session->give_up($cached, $read->{cached}) if $session->is_expected($cached);
	check_owner($session, $read, $cached);
	my $after = ask($session, $read->{plain});
	$session->give_up($after, $read->{plain}) if $session->is_expected($after);

	if (text($before) eq text($cached) && text($cached) eq text($after))
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
	return $cached;
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

	$session->record("violation: $kind",
		{	query => ref $read->{cached} ? join(' -- ', @{ $read->{cached} }) : $read->{cached},
			plain => $read->{plain},
			expected => text($before), got => text($cached),
			after => $after->{rows} || $after->{state} ? text($after) : '',
			message => $cached->{message},
			snapshot => text($snapshot), isolation => text($isolation) });
	return;
}

1;

# Torture::Steps: what a session does, one random step after the other.
#
# A step is one transaction, or a few queries outside of one.  Its operations
# are those of its place (seed, session, number), however the server answers.

package Torture::Steps;

use strict;
use warnings;
use Time::HiRes qw(time usleep);
use Torture::Oracle;
use Torture::Plain;
use Torture::Random;
use Torture::Reads;
use Torture::Session;
use Torture::Writes;

my %steps = (
	reads => \&step_reads,
	snapshot => \&step_snapshot,
	locked => \&step_locked,
	write => \&step_write,
	autocommit => \&step_autocommit,
	refresh => \&step_refresh,
	definition => \&step_definition,
	resolve => \&step_resolve,
	temporary => \&step_temporary,
);
my @mix = (
	reads => 60, snapshot => 17, locked => 8, write => 6, autocommit => 3,
	refresh => 0.7, definition => 0.7, resolve => 4, temporary => 0.5);

# Who asks, from where, for which tenant.
sub choose_identity
{
	my ($session) = @_;
	my $role = weighted(postgres => 45, app1 => 30, app2 => 15, none => 10);
	my $tenant = weighted(red => 75, blue => 25);
	my $path = weighted('t, public' => 85, 'alt, t, public' => 15);

	return ($role, $tenant, $path);
}

# In a transaction they are set for that alone.
sub set_identity
{
	my ($session, $role, $tenant, $path) = @_;
	my $local = $session->{in_transaction} ? 'LOCAL ' : '';

	if ($session->{in_transaction} || $tenant ne ($session->{session_tenant} // ''))
	{
		$session->must("SET ${local}app.tenant = '$tenant'");
		$session->{session_tenant} = $tenant unless $local;
	}
	if ($session->{in_transaction} || $path ne ($session->{session_path} // ''))
	{
		$session->must("SET ${local}search_path = $path");
		$session->{session_path} = $path unless $local;
	}
	if ($session->{in_transaction} || $role ne ($session->{session_role} // ''))
	{
		$session->must("SET ${local}ROLE " . ($role eq 'postgres' ? 'NONE' : "torture_$role"));
		$session->{session_role} = $role unless $local;
	}
	@$session{qw(role tenant path)} = ($role, $tenant, $path);
	return;
}

sub begin
{
	my ($session, $isolation) = @_;

	$session->must('SET ROLE NONE') if ($session->{session_role} // 'postgres') ne 'postgres';
	$session->{session_role} = 'postgres';
	$session->{role} = 'postgres';
	$session->must("BEGIN ISOLATION LEVEL $isolation");
	$session->{in_transaction} = 1;
	return;
}

sub end
{
	my ($session, $how) = @_;

	$session->must($how);
	$session->{in_transaction} = 0;
	return;
}

# Reads outside of transactions.
sub step_reads
{
	my ($session) = @_;

	set_identity($session, choose_identity($session));
	foreach (1 .. 2 + below(4))
	{
		Torture::Oracle::check_read($session, Torture::Reads::random_read(chance(60)), 0);
	}
	return;
}

# One snapshot.
sub step_snapshot
{
	my ($session) = @_;
	my @identity = choose_identity($session);

	begin($session, weighted('REPEATABLE READ' => 85, 'SERIALIZABLE' => 15));
	$session->must('LOCK TABLE t.ddl_gate IN ACCESS SHARE MODE');
	set_identity($session, @identity);
	my $think = chance(30) ? below(20_000) : 0;
	foreach (1 .. 2 + below(4))
	{
		Torture::Oracle::check_read($session, Torture::Reads::random_read(0), 1);
		usleep($think) if $think;
	}
	end($session, pick('COMMIT', 'ROLLBACK'));
	return;
}

# Whoever gets the lock comes after every change.
sub step_locked
{
	my ($session) = @_;
	my @identity = choose_identity($session);
	my @reads = map { Torture::Reads::random_read(0) } 1 .. 1 + below(2);
	my %tables = map { $_ => 1 } map { @{ $_->{shape}{tables} } } @reads;

	begin($session, 'READ COMMITTED');
	$session->must('LOCK TABLE t.ddl_gate IN ACCESS SHARE MODE');
	$session->must('LOCK TABLE ' . join(', ', map { /\./ ? $_ : "t.$_" } sort keys %tables) . ' IN SHARE MODE');
	set_identity($session, @identity);
	Torture::Oracle::check_read($session, $_, 1) foreach @reads;
	end($session, 'COMMIT');
	return;
}

# run_write(SESSION, WRITE)
sub run_write
{
	my ($session, $write) = @_;
	my $answer = $session->try($write->{sql}, @{ $write->{lines} });

	# two who insert the same row; rows for a partition that is not there;
	# what the role may not do
	$session->give_up($answer, $write->{sql}, '23', $session->{role} ne 'postgres' ? '42501' : ())
	  unless $answer->{rows};
	$session->count("write $write->{name}");
	return;
}

# One change, at once.
sub step_autocommit
{
	my ($session) = @_;

	set_identity($session, pick('postgres', 'app1'), 'red', 't, public');
	my $write = Torture::Writes::random_write(1);
	run_write($session, $write);
	$session->log_write(undef, "committed $write->{name}: $write->{sql}");
	Torture::Oracle::check_read($session, Torture::Reads::random_read(1), 0);
	return;
}

# Several changes with reads between them.
sub step_write
{
	my ($session) = @_;
	my $isolation = weighted('READ COMMITTED' => 60, 'REPEATABLE READ' => 25, 'SERIALIZABLE' => 15);
	my $exactly = $isolation ne 'READ COMMITTED';
	my $end = weighted(COMMIT => 65, ROLLBACK => 20, prepare => 15);
	my $inc = $end eq 'ROLLBACK' ? 1000 : 1;
	my $role = pick('postgres', 'app1');
	my $locks = chance(5);
	my $n = 0;
	my @done;

	begin($session, $isolation);
	$session->must('LOCK TABLE t.ddl_gate IN ACCESS SHARE MODE') if $exactly;
	set_identity($session, $role, 'red', 't, public');
	foreach (1 .. 1 + below(3))
	{
		if (chance(20))
		{
			$session->must('SAVEPOINT w');
			my $undone = Torture::Writes::random_write(1000);
			run_write($session, $undone);
			Torture::Oracle::check_read($session, Torture::Reads::random_read(!$exactly), $exactly)
			  if chance(50);
			$session->must('ROLLBACK TO w');
			$session->must('RELEASE w') if chance(50);
			$session->count('savepoints');
		}
		my $write = Torture::Writes::random_write($inc);
		my $change = sub {
			run_write($session, $write);
			push @done, "$write->{name}: $write->{sql}";
		};
		write_under_cursor($session, $write, $exactly, $change) or $change->();
		Torture::Oracle::check_read($session, Torture::Reads::random_read(!$exactly), $exactly)
		  foreach 1 .. below(3);
	}
	# takes a while to release, between visible and counted
	if ($locks && $end ne 'prepare')
	{
		$session->must('SELECT count(pg_advisory_xact_lock_shared(i)) FROM generate_series(1, 1000) i');
	}
	my $xid = $session->must(q(SELECT coalesce(pg_current_xact_id_if_assigned()::text, 'none')))->{rows}[0];
	if ($end eq 'prepare')
	{
		my $name = "torture $session->{name} $session->{step}";

		end($session, "PREPARE TRANSACTION '$name'");
		$session->log_write($xid, "prepared $_") foreach @done;
		$session->count('prepared');
		return;
	}
	end($session, $end);
	$session->log_write($xid, lc("$end ") . $_) foreach @done;
	$session->count($end eq 'COMMIT' ? 'committed' : 'rolled back');
	return;
}

# While a cursor is open, which must not notice.  False if that cannot be.
sub write_under_cursor
{
	my ($session, $write, $exactly, $change) = @_;

	# no table is truncated that someone reads
	return 0 if !$Torture::Session::transparent || $write->{name} =~ /^truncate/ || !chance(30);
	my $read = Torture::Reads::random_read(!$exactly);
	return 0 if !Torture::Plain::fits_cursor($read);
	$read = Torture::Plain::make($read, 'cursor');
	return 0 if $read->{hold} || $read->{as};
	my $undone = Torture::Writes::random_write(1000);
	my $undo = $undone->{name} !~ /^truncate/ && chance(25);

	Torture::Oracle::check_read($session, $read, $exactly, sub {
		if ($undo)
		{
			$session->must('SAVEPOINT c');
			run_write($session, $undone);
			$session->must('ROLLBACK TO c');
			$session->must('RELEASE c');
		}
		$change->();
		usleep(below(5_000));
	});
	$session->count('writes under a cursor');
	return 1;
}

# The end of somebody's prepared transaction.
sub step_resolve
{
	my ($session) = @_;
	my $end = chance(75) ? 'COMMIT' : 'ROLLBACK';

	set_identity($session, 'postgres', 'red', 't, public');
	my $found = $session->must(
		q(SELECT gid FROM pg_prepared_xacts WHERE gid LIKE 'torture %' AND database = current_database() ORDER BY prepared LIMIT 1))->{rows};
	return unless @$found;
	my $answer = $session->try("$end PREPARED '$found->[0]'");
	# another session was faster
	$session->give_up($answer, "$end PREPARED", '42704', '55000', '55P03') unless $answer->{rows};
	$session->log_write(undef, lc($end) . " prepared $found->[0]");
	$session->count(lc "$end prepared");
	Torture::Oracle::check_read($session, Torture::Reads::random_read(1), 0);
	return;
}

sub step_refresh
{
	my ($session) = @_;

	begin($session, 'READ COMMITTED');
	$session->must('LOCK TABLE t.mv_gate IN EXCLUSIVE MODE');
	set_identity($session, 'postgres', 'red', 't, public');
	my $refresh = Torture::Writes::random_refresh();
	$session->must($refresh);
	Torture::Oracle::check_read($session, Torture::Reads::random_read(0), 0);
	end($session, chance(85) ? 'COMMIT' : 'ROLLBACK');
	$session->log_write(undef, $refresh);
	$session->count('write refresh');
	return;
}

# A change of definitions, alone in its time, so that others can compare.
sub step_definition
{
	my ($session) = @_;
	my $definition = Torture::Writes::random_definition();
	my $role = pick('postgres', 'app1', 'none');

	begin($session, 'READ COMMITTED');
	$session->must('LOCK TABLE t.ddl_gate IN ACCESS EXCLUSIVE MODE');
	foreach my $sql (@{ $definition->{sql} })
	{
		$session->must($sql);
	}
	set_identity($session, $role, 'red', 't, public');
	Torture::Oracle::check_read($session, Torture::Reads::random_read(1), 0) foreach 1 .. 2;
	my $end = chance(75) ? 'COMMIT' : 'ROLLBACK';
	my $xid = $session->must(q(SELECT coalesce(pg_current_xact_id_if_assigned()::text, 'none')))->{rows}[0];
	end($session, $end);
	$session->log_write($xid, lc("$end ") . join('; ', @{ $definition->{sql} }));
	$session->count("definition $definition->{name}");
	return;
}

# A temporary table in front of another one, in a session of its own, for one
# that has had temporary tables shares nothing any more.
sub step_temporary
{
	my ($session) = @_;
	my $dbh = Torture::Session::connection($session->{dsn}, "torture $session->{name} temporary");

	local $session->{dbh} = $dbh;
	local @$session{qw(role tenant path session_role session_tenant session_path)} =
	  ('postgres', 'red', 't, public', 'postgres', undef, 't, public');
	my $done = eval { read_around_temporary($session); 1; };
	my $error = $@;
	# what the server says while the connection ends finds nobody there
	$dbh->do('ROLLBACK') if $dbh->ping > 1;
	$dbh->do('SET client_min_messages = error') if $dbh->ping;
	Torture::Plain::forget($dbh);
	$dbh->disconnect;
	die $error unless $done;
	$session->count('temporary tables');
	return;
}

sub read_around_temporary
{
	my ($session) = @_;
	my $read = Torture::Reads::read_of('path', 1);
	my $plain = Torture::Plain::random({ %$read });

	Torture::Oracle::check_read($session, $_, 0) foreach $read, $plain;
	$session->must('CREATE TEMP TABLE switch AS SELECT 1 AS id, $$temp$$ AS side, 1::bigint AS ver');
	my $cached = $session->try($read->{cached});
	if (!$session->is_expected($cached) && ($cached->{state} // '') ne '0A000')
	{
		Torture::Oracle::violation($session, 'temporary table', $read, { state => '0A000' }, $cached, {});
	}
	# nobody else changes that one
	Torture::Oracle::check_read($session, $plain, 1);
	$session->must('DROP TABLE pg_temp.switch');
	Torture::Oracle::check_read($session, $_, 0) foreach $read, $plain;
	return;
}

# run(SESSION, SEED, DEADLINE)
sub run
{
	my ($session, $seed, $deadline) = @_;

	while (time < $deadline && !$Torture::Session::stop)
	{
		$session->{step}++;
		start_sequence($seed, $session->{name}, $session->{step});
		Torture::Plain::set_planning($session) if $Torture::Session::transparent && chance(5);
		$session->{current} = weighted(@mix);
		my $pause = below(4_000);
		eval { $steps{ $session->{current} }->($session); 1; } or do
		{
			die $@ if $@ ne "step\n";
			if ($session->{in_transaction})
			{
				$session->{in_transaction} = 0;
				$session->must('ROLLBACK');
			}
		};
		# what a rollback has undone is set anew
		delete @$session{qw(session_tenant session_path)} if $session->{current} ne 'reads';
		usleep($pause);
	}
	return;
}

1;

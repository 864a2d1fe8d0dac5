# Single flight: many ask at once, one executes; and whatever becomes of that
# one, the others get their answer.
#
# The queries call held(), which waits as long as this test holds an advisory
# lock.  It does so by looking again and again, for those who wait for a leader
# do not go on waiting for one that is blocked by a lock itself.  It is said to
# be expensive, for how long they wait depends on what is expected of a query; and
# each time it is in a query that nobody has executed before.

use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $clients = 60;
my $node = cache_node('primary', max_connections => $clients + 20, 'cache.fill_wait' => '10min',
	'cache.trusted_functions' => 'public.shared_held');
my $holder = $node->background_psql('postgres');

$node->safe_psql('postgres', <<'SQL');
-- Not by a setting: sessions that set things differently share no results.
CREATE TABLE session_name (pid int PRIMARY KEY, name text);
CREATE FUNCTION session_name() RETURNS text LANGUAGE sql STABLE AS
	'SELECT name FROM session_name WHERE pid = pg_backend_pid()';
CREATE FUNCTION held(x bigint DEFAULT 1) RETURNS bigint LANGUAGE plpgsql STABLE COST 1e9 AS $$
BEGIN
	RAISE LOG 'executed by %', session_name();
	WHILE NOT pg_try_advisory_lock_shared(1) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	PERFORM pg_advisory_unlock_shared(1);
	IF session_name() = 'failing' THEN
		RAISE EXCEPTION 'failed on purpose';
	END IF;
	RETURN x;
END$$;
-- One whose results are shared by sessions that set things differently.
CREATE FUNCTION shared_held(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE COST 1e9 AS
	'BEGIN RETURN held(x); END';
CREATE FUNCTION locking() RETURNS bigint LANGUAGE plpgsql STABLE COST 1e9 AS $$
BEGIN
	PERFORM held();
	PERFORM pg_advisory_lock_shared(2);
	PERFORM pg_advisory_unlock_shared(2);
	RETURN 1;
END$$;
-- Slow for some.
CREATE FUNCTION paced() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	RAISE LOG 'executed by %', session_name();
	IF session_name() = 'slow' THEN
		PERFORM pg_sleep(600);
	END IF;
	RETURN 1;
END$$;
CREATE TABLE queued ();
CREATE FUNCTION queueing() RETURNS bigint LANGUAGE plpgsql STABLE COST 1e9 AS $$
BEGIN
	PERFORM held();
	PERFORM FROM queued;
	RETURN 1;
END$$;
CREATE TABLE story AS SELECT 1::bigint AS score;
SQL

sub stat_of
{
	return $node->safe_psql('postgres', "SELECT $_[0] FROM cache_stats");
}

# What the sessions do next does not end before let_go, all of it anew.
my $log_start;
my $holds = 0;
sub hold
{
	$holds++;
	$holder->query_safe('SELECT pg_advisory_lock(1)');
	$node->safe_psql('postgres', 'SELECT cache_reset_stats(), cache_flush()');
	$log_start = -s $node->logfile;
	return;
}

sub let_go { return $holder->query_safe('SELECT pg_advisory_unlock(1)'); }

# How many executions have begun since hold.
sub executions
{
	return scalar(() = slurp_file($node->logfile, $log_start) =~ /LOG:  executed by/g);
}

# A query as it is since the last hold.
sub anew { return $_[0] =~ s/hold \d+/hold $holds/r; }

# A session by that name, with its pid.
sub session
{
	my $name = shift;
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->{pid} = $session->query_safe('SELECT pg_backend_pid()');
	$session->query_safe("INSERT INTO session_name VALUES ($session->{pid}, '$name')");
	return $session;
}

# Start a query in a session, without waiting for its end.
sub start_query
{
	my ($session, $query) = @_;
	$query = anew($query);
	$session->query_until(qr/begun/, "\\echo begun\n$query;\n");
	return;
}

# The output of what was started, or its error.
sub result_of
{
	my $session = shift;
	my $stdout = $session->query('');
	my $stderr = $session->{stderr};

	$session->{stderr} = '';
	return $stderr =~ /ERROR:  (.*)/ ? $1 : $stdout =~ s/^\n+|\n+$//gr;
}

# End sessions; some have been ended by the server.
sub quit
{
	foreach my $session (@_)
	{
		eval { $session->quit };
	}
	return;
}

# Wait until the sessions execute, wait for a leader, wait for a lock, are done.
my %doing = (
	executing => [ 'active', 'Timeout' ],
	waiting => [ 'active', 'Extension' ],
	blocked => [ 'active', 'Lock' ],
	idle => [ 'idle', 'Client' ]);
sub wait_until
{
	my ($what, @sessions) = @_;
	my ($state, $event) = @{ $doing{$what} };
	foreach my $session (@sessions)
	{
		$node->poll_query_until('postgres', qq(
			SELECT state LIKE '$state%' AND wait_event_type = '$event'
			FROM pg_stat_activity WHERE pid = $session->{pid}))
		  or die "a session is not $what";
	}
	return;
}

my $query = q(SELECT cached_query('SELECT held() /* hold 0 */', 300, '{story}') ->> 'held');

# A leader and a waiter, both on their way.
sub leader_and_waiter
{
	my ($leader_name, $leader_query) = @_;
	my $leader = session($leader_name // 'leader');
	my $waiter = session('waiter');

	hold();
	start_query($leader, $leader_query // $query);
	wait_until('executing', $leader);
	start_query($waiter, $query);
	wait_until('waiting', $waiter);
	return ($leader, $waiter);
}

# Many at once.
{
	my $script = PostgreSQL::Test::Utils::tempdir() . '/many.sql';
	append_to_file($script, <<'SQL');
SELECT cached_query('SELECT held()', 300, '{story}') ->> 'held' AS held \gset
SELECT 1 / (CASE WHEN :held = 1 THEN 1 ELSE 0 END);
SQL
	hold();
	my ($out, $err) = ('', '');
	my $many = IPC::Run::start(
		[ 'pgbench', '-n', '-c', $clients, '-j', 2, '-t', 1, '-f', $script,
			'-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \$out, '2>', \$err);
	$node->poll_query_until('postgres',
		q(SELECT count(*) FROM pg_stat_activity
			WHERE state = 'active' AND wait_event_type = 'Extension' AND backend_type = 'client backend'),
		$clients - 1)
	  or die 'not all of them wait';
	is(stat_of('misses'), 1, "$clients at once: one miss");
	let_go();
	ok($many->finish, '... all get the answer') or diag($err);
	is(executions(), 1, '... one execution');
	is(stat_of("misses || ' ' || l1_hits || ' ' || fills || ' ' || waits || ' ' || wait_timeouts"),
		join(' ', 1, $clients - 1, 1, $clients - 1, 0), '... the others hit, after waiting');
}

# The leader is cancelled or terminated.
my %ends = (cancelled => 'pg_cancel_backend', terminated => 'pg_terminate_backend');
foreach my $how (sort keys %ends)
{
	my ($leader, $waiter) = leader_and_waiter();
	$node->safe_psql('postgres', "SELECT $ends{$how}($leader->{pid})");
	wait_until('executing', $waiter);
	my $late = session('late');
	start_query($late, $query);
	wait_until('waiting', $late);
	let_go();
	is(result_of($waiter), 1, "leader $how: a waiter takes over");
	is(result_of($late), 1, '... with others waiting for it');
	is(executions(), 2, '... two executions in all');
	is(stat_of('fills'), 1, '... and one fill');
	if ($how eq 'cancelled')
	{
		like(result_of($leader), qr/canceling statement/, '... the leader has its error');
		is($leader->query_safe(anew($query)), 1, '... and may ask again');
	}
	quit($leader, $waiter, $late);
}

# It fails; of two waiters one takes over, and the other waits for it.
foreach my $case (
	[ 'in a statement', $query, undef ],
	[ 'in a savepoint', "BEGIN; SAVEPOINT s; $query", 'ROLLBACK TO s; SELECT 5' ],
	[ 'in a block with an exception handler', q(DO $$BEGIN
			BEGIN
				PERFORM cached_query('SELECT held() /* hold 0 */', 300, '{story}');
			EXCEPTION WHEN raise_exception THEN
				NULL;
			END;
			PERFORM pg_advisory_lock(3);
		END$$), undef ])
{
	my ($where, $leaders, $then) = @$case;
	$holder->query_safe('SELECT pg_advisory_lock(3)');
	my ($leader, $waiter) = leader_and_waiter('failing', $leaders);
	my $second = session('second');
	start_query($second, $query);
	wait_until('waiting', $second);
	let_go();
	is(result_of($waiter), 1, "leader fails $where: a waiter takes over");
	is(result_of($second), 1, '... the other one has its answer, too');
	is(executions(), 2, '... two executions in all');
	if ($where =~ /block/)
	{
		wait_until('blocked', $leader);
		pass('... while the transaction of the leader goes on');
	}
	else
	{
		is(result_of($leader), 'failed on purpose', '... the leader has its error');
	}
	is($leader->query_safe($then), 5, '... and goes on') if $then;
	$holder->query_safe('SELECT pg_advisory_unlock(3)');
	if ($where =~ /block/)
	{
		is(result_of($leader), '', '... to its end');
	}
	is($leader->query_safe(q(SELECT cached_query('SELECT 7 AS x', 300, '{story}') ->> 'x')), 7,
		'... and can lead again');
	quit($leader, $waiter, $second);
}

# If it fails for all, all get the error, and none waits for ever.
{
	hold();
	my @sessions = map { session('failing') } 1 .. 3;
	start_query($_, $query) foreach @sessions;
	$node->poll_query_until('postgres',
		q(SELECT count(*) FROM pg_stat_activity JOIN session_name USING (pid) WHERE name = 'failing' AND wait_event_type = 'Extension'), 2)
	  or die 'they do not wait';
	let_go();
	is(join(', ', map { result_of($_) } @sessions), join(', ', ('failed on purpose') x 3),
		'an error for all is reported by all');
	is(executions(), 3, '... after an execution each');
	quit(@sessions);
}

# A waiter does not wait longer than it wants to, and can be cancelled.
{
	my $shared = q(SELECT cached_query('SELECT shared_held(score / score) AS held /* hold 0 */ FROM story', 300, '{story}') ->> 'held');
	my ($leader, $waiter, $impatient) = map { session($_) } qw(leader waiter impatient);
	hold();
	start_query($leader, $shared);
	wait_until('executing', $leader);
	start_query($waiter, $shared);
	wait_until('waiting', $waiter);
	$impatient->query_safe(q(SET cache.fill_wait = '100ms'));
	start_query($impatient, $shared);
	wait_until('executing', $impatient);
	is(stat_of('wait_timeouts'), 1, 'cache.fill_wait: the time is up');
	my $hasty = session('hasty');
	$hasty->query_safe('SET cache.fill_wait = 0');
	start_query($hasty, $shared);
	wait_until('executing', $hasty);
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($waiter->{pid})");
	like(result_of($waiter), qr/canceling statement/, 'a waiter can be cancelled');
	start_query($waiter, $shared);
	wait_until('waiting', $waiter);
	$waiter->{run}->pump_nb;
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($waiter->{pid})");
	$node->poll_query_until('postgres',
		"SELECT count(*) FROM pg_stat_activity WHERE pid = $waiter->{pid}", 0)
	  or die 'the waiter does not end';
	pass('... and terminated');
	let_go();
	is(result_of($_), 1, 'all others get their answer') foreach $leader, $impatient, $hasty;
	is(executions(), 3, '... by an execution each');
	quit($leader, $waiter, $impatient, $hasty);
}

# The leader comes to need a lock that the waiter's transaction holds.
{
	my $locking = q(SELECT cached_query('SELECT locking()', 300, '{story}') ->> 'locking');
	my $leader = session('leader');
	my $waiter = session('waiter');
	hold();
	start_query($leader, $locking);
	wait_until('executing', $leader);
	$waiter->query_safe('BEGIN; SELECT pg_advisory_xact_lock(2)');
	start_query($waiter, $locking);
	wait_until('waiting', $waiter);
	let_go();
	is(result_of($waiter), 1, 'a waiter goes on if the leader needs its lock');
	wait_until('blocked', $leader);
	$waiter->query_safe('COMMIT');
	is(result_of($leader), 1, '... and then so does the leader');
	quit($leader, $waiter);
}

# The leader comes to wait for a lock behind a third session, which waits for the
# waiter's transaction: no lock of the waiter conflicts with the leader's.
{
	my $queueing = q(SELECT cached_query('SELECT queueing()', 300, '{story}') ->> 'queueing');
	my $leader = session('leader');
	my $waiter = session('waiter');
	my $third = session('third');
	hold();
	start_query($leader, $queueing);
	wait_until('executing', $leader);
	$waiter->query_safe('BEGIN; SELECT FROM queued');
	start_query($waiter, $queueing);
	wait_until('waiting', $waiter);
	start_query($third, 'BEGIN; LOCK TABLE queued');
	wait_until('blocked', $third);
	let_go();
	is(result_of($waiter), 1, 'a waiter goes on if the leader queues for a lock behind another session');
	wait_until('blocked', $leader);
	$waiter->query_safe('COMMIT');
	is(result_of($third), '', '... and then so does that session');
	$third->query_safe('COMMIT');
	is(result_of($leader), 1, '... and the leader');
	quit($leader, $waiter, $third);
}

# What was computed before an invalidation is not for those who asked after it.
{
	my $sum = q(SELECT cached_query('SELECT held(sum(score)::bigint) AS sum FROM story', 300, '{story}') ->> 'sum');
	my $leader = session('leader');
	my $after = session('after');
	hold();
	start_query($leader, $sum);
	wait_until('executing', $leader);
	$node->safe_psql('postgres', q(UPDATE story SET score = 2; SELECT invalidate_tags('{story}')));
	start_query($after, $sum);
	wait_until('waiting', $after);
	let_go();
	is(result_of($leader), 1, 'the leader began before the invalidation');
	is(result_of($after), 2, '... the waiter after it');
	is(stat_of('fills_raced'), 1, '... so the result of the leader was not stored');
	is($leader->query_safe($sum), 2, '... nor served');
	quit($leader, $after);
}

# One query inside another: who leads does not wait.
{
	$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION outside() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	PERFORM held();
	RETURN cached_query('SELECT held() + 10 AS x', 300, '{story}') ->> 'x';
END$$;
SQL
	my $nested = q(SELECT cached_query('SELECT outside()', 300, '{story}') ->> 'outside');
	my $inner = q(SELECT cached_query('SELECT held() + 10 AS x', 300, '{story}') ->> 'x');
	my $leader = session('leader');
	my $other = session('other');
	hold();
	start_query($leader, $nested);
	wait_until('executing', $leader);
	start_query($other, $inner);
	wait_until('executing', $other);
	let_go();
	is(result_of($leader), 11, 'a cached query in another one');
	is(result_of($other), 11, '... led by another session at that time');
	quit($leader, $other);
}

# A leader for whom the query is slow: it sleeps, or is stopped.  Others wait no
# longer than such a query is worth, and then one executes for all.
my $paced = q(SELECT cached_query('SELECT paced() /* hold 0 */', 300, '{story}') ->> 'paced');
my $followers = PostgreSQL::Test::Utils::tempdir() . '/followers.sql';

sub many_follow
{
	my ($count) = @_;
	my ($out, $err) = ('', '');

	unlink $followers;
	append_to_file($followers, anew($paced) . ";\n");
	ok(IPC::Run::run([ 'pgbench', '-n', '-c', $count, '-j', 2, '-t', 1, '-f', $followers,
			'-h', $node->host, '-p', $node->port, 'postgres' ], '>', \$out, '2>', \$err,
			IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default)),
		"... $count others have their answer") or diag($err);
	return;
}

foreach my $case ([ 'a query that was fast before', 1, 0 ], [ 'one that nobody knows', 0, 0 ], [ 'a stopped leader', 1, 1 ])
{
	my ($what, $known, $stopped) = @$case;
	my $leader = session('slow');
	hold();
	let_go();
	$node->safe_psql('postgres', anew($paced)) foreach 1 .. $known;
	$node->safe_psql('postgres', 'SELECT cache_flush()');
	$log_start = -s $node->logfile;
	start_query($leader, $paced);
	wait_until('executing', $leader);
	note("a slow leader: $what");
	kill 'STOP', $leader->{pid} if $stopped;
	many_follow(20);
	cmp_ok(executions(), '>', 1, '... not by the leader');
	cmp_ok(executions(), '<', 15, '... nor each by itself');
	cmp_ok(stat_of('wait_timeouts'), '>', 0, '... for some have given up waiting');
	kill 'CONT', $leader->{pid} if $stopped;
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($leader->{pid})");
	like(result_of($leader), qr/canceling statement/, '... and the leader ends without anyone');
	is($leader->query_safe(anew($paced)), 1, '... and is served itself');
	quit($leader);
}

# A leader that stores nothing, on terms of its own, does not speak for others.
{
	my $long = q(SELECT cached_query('SELECT shared_held(score / score) AS held /* hold 0 */ FROM story' || repeat(' ', 2000), 300, '{story}') ->> 'held');
	my @sessions = map { session($_) } qw(miser waiter second);
	hold();
	$sessions[0]->query_safe(q(SET cache.max_entry_size = '1kB'));
	start_query($sessions[0], $long);
	wait_until('executing', $sessions[0]);
	start_query($sessions[$_], $long) foreach 1, 2;
	wait_until('waiting', @sessions[1, 2]);
	let_go();
	is(result_of($_), 1, 'a leader that stores nothing') foreach @sessions;
	is(executions(), 2, '... is followed by one that does');
	is(stat_of("fills || ' ' || l1_hits"), '1 1', '... for the others');
	quit(@sessions);
}

# Results that are raced: others take turns, and do not all execute at once.
{
	my $sum = q(SELECT cached_query('SELECT held(sum(score)::bigint) AS sum /* hold 0 */ FROM story', 300, '{story}') ->> 'sum');
	my @sessions = map { session("raced$_") } 1 .. 8;
	hold();
	start_query($sessions[0], $sum);
	wait_until('executing', $sessions[0]);
	$node->safe_psql('postgres', q(UPDATE story SET score = 3; SELECT invalidate_tags('{story}')));
	start_query($_, $sum) foreach @sessions[1 .. 7];
	wait_until('waiting', @sessions[1 .. 7]);
	let_go();
	is(result_of($sessions[0]), 2, 'a result that was raced');
	is(join(' ', map { result_of($_) } @sessions[1 .. 7]), join(' ', (3) x 7), '... is not served to others');
	is(executions(), 2, '... for whom one executes');
	quit(@sessions);
}

is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
quit($holder);
$node->stop;
done_testing();

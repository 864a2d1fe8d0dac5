# The second tier: what it gives, and what becomes of it when Redis is absent,
# goes away, hangs, forgets, or lies.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use CacheTest;

my ($node, $redis);

sub stat_of
{
	return $node->safe_psql('postgres', "SELECT $_[0] FROM cache_stats");
}

sub wait_for_state
{
	$node->poll_query_until('postgres', 'SELECT l2_state FROM cache_stats', $_[0])
	  or die "the state of L2 does not become $_[0]";
	return;
}

# Wait until Redis is in use and knows of all invalidations.
sub wait_for_redis
{
	$node->poll_query_until('postgres',
		q(SELECT l2_state = 'up' AND l2_unsent = 0 FROM cache_stats))
	  or die 'Redis is not used';
	return;
}

# Score of a story through the cache; each is a query of its own.
sub score
{
	my $id = shift // 1;
	return $node->safe_psql('postgres',
		"SELECT cached_query('SELECT score FROM story WHERE id = \$1', 300, '{story}', $id) ->> 'score'");
}

# Change it, with an invalidation if there are tags.
sub change
{
	my ($score, $tags) = @_;
	my $sql = "UPDATE story SET score = $score + id";
	$sql .= "; SELECT invalidate_tags('$tags')" if $tags;
	return $node->safe_psql('postgres', "BEGIN; $sql; COMMIT");
}

sub flush_l1
{
	return $node->safe_psql('postgres', q(SELECT cache_flush('l1')));
}

# How much a counter grows while something is done.
sub growth
{
	my ($counter, $what) = @_;
	my $before = stat_of($counter);
	$what->();
	return stat_of($counter) - $before;
}

# The names of the results in Redis.
sub results
{
	my @names = grep { !/:clock$/ } @{ $redis->command('KEYS', 'cache:*') };
	return @names;
}

sub create_story
{
	$node->safe_psql('postgres',
		'CREATE TABLE story AS SELECT id, id AS score FROM generate_series(1, 9) id');
	return;
}

sub test_both_tiers
{
	wait_for_redis();
	my $errors = stat_of('l2_errors');
	create_story();
	wait_for_redis();
	is(growth(misses => sub { score() }), 1, 'miss');
	my @names = results();
	is(scalar(@names), 1, '... stored in Redis');
	cmp_ok($redis->command('PTTL', $names[0]), '<=', 300_000, '... to live no longer than its ttl');
	cmp_ok($redis->command('PTTL', $names[0]), '>', 200_000, '... nor much shorter');
	is(growth(l1_hits => sub { score() }), 1, 'hit in L1');
	flush_l1();
	change(100);
	is(growth(l2_hits => sub { is(score(), 1, 'right answer') }), 1, '... in L2');
	is(growth(l1_hits => sub { score() }), 1, '... which has filled L1');
	flush_l1();
	is(growth(misses => sub { is(score(2), 102, 'another parameter') }), 1, '... is another result');

	# It lives as long as anyone wants.
	my $lived = sub { "SELECT cached_query('SELECT score FROM story WHERE id = 9', $_[0], '{lived}')" };
	$node->safe_psql('postgres', $lived->(10));
	my ($name) = grep { my $other = $_; !grep { $_ eq $other } @names } sort { $redis->command('PTTL', $a) <=> $redis->command('PTTL', $b) } results();
	cmp_ok($redis->command('PTTL', $name), '<=', 10_000, 'a short life in Redis');
	$node->safe_psql('postgres', $lived->(1000));
	cmp_ok($redis->command('PTTL', $name), '>', 800_000, '... is prolonged by a hit in L1');
	flush_l1();
	$node->safe_psql('postgres', $lived->(2000));
	cmp_ok($redis->command('PTTL', $name), '>', 1600_000, '... and by one in L2');
	sleep 2;
	flush_l1();
	is(growth(misses => sub { $node->safe_psql('postgres', $lived->(1)) }), 1, '... is too old for who wants a younger one');
	cmp_ok($redis->command('PTTL', $name), '>', 1600_000, '... who does not shorten it');
	is(growth(l1_hits => sub { $node->safe_psql('postgres', $lived->(2000)) }), 1, '... nor is another one needed');

	change(200, '{story}');
	is(score(), 201, 'invalidation ends the result in both tiers');
	wait_for_redis();
	flush_l1();
	score(3);
	change(300, '{story}');
	wait_for_redis();
	flush_l1();
	is(score(3), 303, '... also when only Redis has it, and knows');
	is(stat_of('l2_rejected'), 0, 'nothing was rejected');
	is(stat_of('l2_errors'), $errors, 'nothing failed');

	# L2 knows nothing of before a restart
	score(4);
	change(400);
	$node->restart;
	wait_for_redis();
	is(score(4), 404, 'nothing of before a restart is used');
	return;
}

# A hit in L1 that prolongs the result in Redis: not if its reader has taken a
# version of a later generation than that of the result (see clock.c).
sub test_late_version
{
	my $late = sub { "SELECT cached_query('SELECT score FROM story WHERE id = 8', $_[0], '{late}') ->> 'score'" };
	my $session = $node->background_psql('postgres');
	my $stop = $node->data_dir . '/cache_stop/version.' . $session->query_safe('SELECT pg_backend_pid()');

	mkdir $node->data_dir . '/cache_stop';
	my $before = $node->safe_psql('postgres', $late->(10));

	# at the last of its dependencies: cluster, database, catalog, tag
	append_to_file($stop, '');
	$session->query_until(qr/begun/, "\\echo begun\n" . $late->(1000) . ";\n");
	foreach my $dependency (1 .. 4)
	{
		foreach (1 .. 12000)
		{
			last if -e "$stop.reached";
			usleep(5000);
		}
		append_to_file($stop, '') if $dependency < 4;
		unlink "$stop.reached" if $dependency < 4;
	}
	ok(-e "$stop.reached", 'a reader between generation and version');
	change(700, '{late}');
	wait_for_redis();
	unlink "$stop.reached";
	is($session->query('SELECT 1') =~ /^$before$/m, 1, '... is served what was when it began');
	$session->quit;
	flush_l1();
	is($node->safe_psql('postgres', $late->(10)), 708, '... and does not put it into Redis as new');
	return;
}

sub test_stop
{
	wait_for_redis();
	score($_) foreach 1 .. 3;
	$redis->command('SAVE');
	$redis->stop;
	flush_l1();
	change(500, '{story}');
	is(score(1), 501, 'Redis stopped: right answer');
	wait_for_state('down');
	is(growth(l1_hits => sub { is(score(1), 501, 'Redis down: right answer') }), 1, '... from L1');
	change(600, '{story}');
	is(score(2), 602, '... and invalidation');
	cmp_ok(growth(l2_errors => sub { score($_) foreach 3 .. 9 }), '<=', 7,
		'Redis down: failures do not add up');

	# It comes back with what it knew before all those changes.
	$redis->start;
	cmp_ok(scalar(results()), '>=', 3, 'Redis is back with its old contents');
	wait_for_redis();
	flush_l1();
	is(score($_), 600 + $_, "... but not used where it is out of date ($_)") foreach 1 .. 3;
	flush_l1();
	is(growth(l2_hits => sub { score($_) foreach 1 .. 3 }), 3, '... and filled again');
	return;
}

sub test_hang
{
	wait_for_redis();
	score(1);
	$redis->pause;
	flush_l1();
	my $errors = growth(
		l2_errors => sub {
			is( $node->safe_psql('postgres', q(
				SELECT count(*), sum((c ->> 'x')::int) FROM generate_series(1, 200) i,
					LATERAL cached_query('SELECT $1 AS x', 300, '{story}', i) c)),
				'200|20100', 'Redis hangs: right answers');
		});
	cmp_ok($errors, '>=', 1, '... it was noticed');
	cmp_ok($errors, '<=', 50, '... and not by each of 200 queries');
	wait_for_state('down');
	change(700, '{story}');
	is(score(1), 701, '... invalidation');
	$redis->resume;
	wait_for_redis();
	flush_l1();
	is(score(1), 701, '... is not lost as Redis goes on, with the old result in it');
	return;
}

sub test_flushall
{
	wait_for_redis();
	score(1);
	$redis->command('FLUSHALL');
	flush_l1();
	is(growth(misses => sub { is(score(1), 701, 'FLUSHALL: right answer') }), 1, '... from a miss');
	flush_l1();
	is(growth(l2_hits => sub { is(score(1), 701, 'stored again') }), 1, '... and used');
	change(800, '{story}');
	wait_for_redis();
	flush_l1();
	is(score(1), 801, 'invalidation goes on');
	return;
}

sub test_forged
{
	$redis->command('FLUSHALL');
	wait_for_redis();
	flush_l1();
	score(1);
	my ($one) = results();
	score(2);
	my ($two) = grep { $_ ne $one } results();
	my $value = $redis->command('GET', $one);
	my $other = $redis->command('GET', $two);
	my $length = length $value;
	my %forged;

	# A bit of every eighth byte, and of the last one.
	for (my $i = 0; $i < $length + 7; $i += 8)
	{
		my $at = $i < $length ? $i : $length - 1;
		my $copy = $value;
		substr($copy, $at, 1) ^= "\x01";
		$forged{"bit $at flipped"} = $copy;
	}
	$forged{"cut to $_"} = substr($value, 0, $_) foreach 0, 1, 31, 32, 64, 100, $length - 1;
	$forged{'one byte longer'} = "$value\0";
	$forged{'twice'} = $value . $value;
	$forged{'zeros'} = "\0" x $length;
	$forged{'ones'} = "\xff" x $length;
	$forged{'text'} = '{"score":12345}';
	$forged{'of another key'} = $other;

	my @wrong;
	my $rejected = growth(
		l2_rejected => sub {
			foreach my $kind (sort keys %forged)
			{
				$redis->command('SET', $one, $forged{$kind});
				flush_l1();
				my $got = score(1);
				push @wrong, "$kind: $got" if $got ne 801;
			}
		});
	is(join(', ', @wrong), '', 'no altered value is believed');
	is($rejected, scalar(keys %forged), '... and each is counted');

	$redis->command('SET', $one, $value);
	flush_l1();
	is(growth(l2_hits => sub { is(score(1), 801, 'the genuine one') }), 1, '... is believed');

	$redis->command('RENAME', $two, $one);
	flush_l1();
	is(score(1), 801, 'a renamed value is not used');
	$redis->command('DEL', $one);
	$redis->command('RPUSH', $one, $value);
	flush_l1();
	is(growth(misses => sub { is(score(1), 801, 'a value of another type') }), 1, '... is a miss');
	$redis->command('DEL', $one);

	# An old value, once genuine.
	wait_for_redis();
	flush_l1();
	score(1);
	$value = $redis->command('GET', $one);
	change(900, '{story}');
	$redis->command('SET', $one, $value);
	flush_l1();
	is(score(1), 901, 'an old value is not used');
	wait_for_redis();
	flush_l1();
	$redis->command('SET', $one, $value);
	is(score(1), 901, '... nor later');

	# Together with what Redis knows of versions.
	score(1);
	$value = $redis->command('GET', $one);
	my ($clock) = grep { /:clock$/ } @{ $redis->command('KEYS', 'cache:*') };
	my $dump = $redis->command('DUMP', $clock);
	change(1000, '{story}');
	wait_for_redis();
	$redis->command('RESTORE', $clock, 0, $dump, 'REPLACE');
	$redis->command('SET', $one, $value);
	flush_l1();
	is(score(1), 1001, '... not even with the old clock');
	return;
}

# All that is in Redis, in one string.
sub contents
{
	my @all;
	foreach my $name (@{ $redis->command('KEYS', '*') })
	{
		my $value = $redis->command($redis->command('TYPE', $name) eq 'hash' ? 'HGETALL' : 'GET', $name);
		push @all, $name, ref $value ? @$value : $value;
	}
	return join "\n", @all;
}

# Nothing of a key can be read in Redis, nor be tried out on what people are shown.
sub test_secrets
{
	$redis->command('FLUSHALL');
	wait_for_redis();
	my $before = results();
	my $ask = q(SET marker.setting = 'marked setting'; SET ROLE pg_monitor; RESET ROLE;
		SELECT c ->> 'n' FROM cached_query('SELECT count(*) AS n, current_user AS marked_column FROM story
			WHERE $1 <> ''marked text'' AND version() <> current_setting(''marker.setting'')',
			300, '{marked tag}', 'marked parameter') c);
	my $count = $node->safe_psql('postgres', $ask);
	cmp_ok(scalar(results()), '>', $before, 'a result with a long key is in Redis');
	like(contents(), qr/marked_column/, '... with its rows');
	unlike(contents() =~ s/marked_column//gr, qr/mark/, '... and without text, tag, setting or parameter');
	flush_l1();
	is(growth(l2_hits => sub { is($node->safe_psql('postgres', $ask), $count, 'its answer') }), 1, '... is served');

	my $name = q(SELECT cache_explain('SELECT count(*) FROM story') ->> 'key');
	my $shown = $node->safe_psql('postgres', $name);
	like($shown, qr/^[0-9a-f]{16}$/, 'a short name of a key');
	is($node->safe_psql('postgres', $name), $shown, '... stays the same');
	$node->restart;
	like($node->safe_psql('postgres', $name), qr/^(?!$shown)[0-9a-f]{16}$/, '... for one run of the server');
	wait_for_redis();
	return;
}

# A value that Redis keeps for longer than it was told to.
sub test_overdue
{
	$redis->command('FLUSHALL');
	wait_for_redis();
	my $ask = q(SELECT cached_query('SELECT max(score) FROM story', 1, '{story}'));
	$node->safe_psql('postgres', $ask);
	$redis->command('PERSIST', $_) foreach results();
	is(scalar(results()), 1, 'a result that Redis keeps for ever');
	$node->safe_psql('postgres', 'SELECT pg_sleep(1.1)');
	flush_l1();
	is(growth(misses => sub { $node->safe_psql('postgres', $ask) }), 1, '... is not used after its time');
	return;
}

# Point the server to another url and wait.
sub use_url
{
	my ($url, $state) = @_;
	$node->safe_psql('postgres', "ALTER SYSTEM SET cache.redis_url = '$url'");
	$node->reload;
	$node->poll_query_until('postgres',
		q(SELECT setting FROM pg_settings WHERE name = 'cache.redis_url'), $url);
	wait_for_state($state);
	return;
}

# Is it used under this url?
sub test_url
{
	my ($url, $what) = @_;
	my $shown = $url =~ s/.*(?=redis\.sock)/.../r =~ s/:\d{4,5}/:.../r;
	use_url('', 'off');
	use_url($url, 'up');
	wait_for_redis();
	flush_l1();
	score(5);
	flush_l1();
	is(growth(l2_hits => sub { score(5) }), 1, "$what: $shown");
	return;
}

sub test_urls
{
	my $socket = $redis->socket;
	$redis->command('FLUSHALL');
	$redis->command('ACL', 'SETUSER', 'reader@home', 'on', '>s3cret/:@', '~*', '&*', '+@all');
	test_url("unix://reader%40home:s3cret%2f%3a%40\@$socket?db=3", 'user, password and database');
	like($redis->command('INFO', 'keyspace'), qr/^db3:keys=2,/m, '... in that database');
	unlike($redis->command('INFO', 'keyspace'), qr/^db0:/m, '... and in no other');

	use_url("unix://reader%40home:hunter2\@$socket", 'down');
	is(growth(misses => sub { score(6) }), 1, 'wrong password: as without Redis');
	use_url("unix://$socket?db=999", 'down');
	is(growth(misses => sub { score(7) }), 1, 'no such database: as without Redis');

	# the statements themselves are in the log, too
	my $log = join '', grep { !/statement: |parameter "cache.redis_url" changed/ }
	  split /^/, slurp_file($node->logfile);
	unlike($log, qr/hunter2|s3cret/, 'passwords are not logged');

	my $port = PostgreSQL::Test::Cluster::get_free_port();
	$redis->stop;
	$redis->start('--port', $port, '--bind', '127.0.0.1');
	$redis->command('CONFIG', 'SET', 'requirepass', 'geheim');
	test_url("redis://:geheim\@127.0.0.1:$port/1", 'TCP');
	test_url("valkey://default:geheim\@localhost:$port", 'TCP, by name');
	return;
}

my @programs = CacheTest::Redis::programs();
plan skip_all => 'neither redis-server nor valkey-server is installed' unless @programs;

foreach my $program (@programs)
{
	note("with $program");
	$redis = CacheTest::Redis->new($program);
	my $url = $redis->url;
	$redis->stop;

	# long enough for a slow machine, but for a Redis that hangs
	$node = cache_node($program =~ s/-.*//r, 'cache.redis_url' => $url, 'cache.l2_timeout' => '500ms');
	wait_for_state('down');
	is($node->safe_psql('postgres', q(SELECT cached_query('SELECT 1 AS x', 300, '{x}'))),
		'{"x":1}', 'Redis is absent at the start');
	is($node->safe_psql('postgres', q(SELECT cached_query('SELECT 1 AS x', 300, '{x}'))),
		'{"x":1}', '... L1 works');
	is(stat_of('l1_hits'), 1, '... as a hit shows');
	$redis->start;
	test_both_tiers();
	test_late_version();
	test_stop();
	test_hang();
	test_flushall();
	test_forged();
	test_secrets();
	test_overdue();
	test_urls();
	is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
	$node->stop;
	$redis->stop;
}

done_testing();

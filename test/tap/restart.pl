# Starting, stopping and crashing; what the server needs to be told.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $read = q(SELECT cached_query('SELECT score FROM story', 300, '{story}') ->> 'score');
my $node = cache_node('primary', restart_after_crash => 'on');

sub stat_of
{
	return $node->safe_psql('postgres', "SELECT $_[0] FROM cache_stats");
}

# The table changes without an invalidation, so an old answer can be told.
$node->safe_psql('postgres', 'CREATE TABLE story AS SELECT 1 AS score');
sub change { return $node->safe_psql('postgres', "UPDATE story SET score = $_[0]"); }

is($node->safe_psql('postgres', $read), 1, 'first reading');
change(2);
is($node->safe_psql('postgres', $read), 1, 'served from the cache');

$node->restart;
is(stat_of('l1_entries'), 0, 'a restart leaves no entries');
is($node->safe_psql('postgres', $read), 2, 'nothing survives a restart');
change(3);
is($node->safe_psql('postgres', $read), 2, 'the cache works after a restart');

$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $read), 3, 'nothing survives a crash');
change(4);
is($node->safe_psql('postgres', $read), 3, 'the cache works after a crash');

# A backend that dies in the middle of an execution, with others waiting for
# it, takes shared memory along.
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION held() RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
	WHILE NOT pg_try_advisory_lock_shared(1) LOOP
		PERFORM pg_sleep(0.01);
	END LOOP;
	RETURN 1;
END$$
SQL
my $holder = $node->background_psql('postgres');
$holder->query_safe('SELECT pg_advisory_lock(1)');

my %session;
my %pid;
my %waits_for = (leader => 'Timeout', waiter => 'Extension');
foreach my $name (qw(leader waiter))
{
	my $session = $session{$name} = $node->background_psql('postgres');
	$pid{$name} = $session->query_safe('SELECT pg_backend_pid()');
	$session->query_until(qr/started/,
		"\\echo started\nSELECT cached_query('SELECT held()', 300, '{story}');\n");
	$node->poll_query_until('postgres',
		"SELECT wait_event_type FROM pg_stat_activity WHERE pid = $pid{$name}",
		$waits_for{$name})
	  or die "the $name does not wait";
}
kill 'KILL', $pid{leader};
$_->{run}->finish foreach $holder, values %session;
$node->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()')
  or die 'the server did not come back';
is($node->safe_psql('postgres', $read), 4, 'nothing survives the crash of a backend');
change(5);
is($node->safe_psql('postgres', $read), 4, 'the cache works after the crash of a backend');
is($node->safe_psql('postgres', q(SELECT cached_query('SELECT held()', 300, '{story}'))),
	'{"held":1}', 'the query that crashed can be executed');
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$node->stop;

# Without shared_preload_libraries.
my $bare = cache_node('bare', start => 0);
$bare->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$bare->start;
foreach my $command ('CREATE EXTENSION cache', q(LOAD 'cache'))
{
	my ($result, $stdout, $stderr) = $bare->psql('postgres', $command);
	isnt($result, 0, "$command fails if the library is not preloaded");
	like($stderr, qr/ERROR:  cache is not loaded\nHINT:  .*shared_preload_libraries/,
		'... and says what to do');
	is(() = $stderr =~ /(?:ERROR|WARNING):/g, 1, '... once');
}
is($bare->safe_psql('postgres', q(SELECT count(*) FROM pg_extension WHERE extname = 'cache')),
	0, '... and leaves nothing behind');
$bare->stop;

# Settings from the environment.
my $env = cache_node('environment', start => 0);

# Start it with these variables, and return the three settings.
sub settings_with
{
	local %ENV = (%ENV, @_);
	$env->start;
	return $env->safe_psql('postgres',
		q(SELECT string_agg(current_setting(s), ' ') FROM unnest('{cache.redis_url,cache.l1_max_entries,cache.l1_ttl}'::text[]) s));
}

my $nowhere = 'unix:///nonexistent/redis.sock';
is(settings_with(VALKEY_URL => $nowhere, L1_CACHE_MAX_SIZE => 77, L1_CACHE_DEFAULT_TTL => 33),
	"$nowhere 77 33s", 'defaults come from the environment');
# Times to live of policies, for an extension made now.
sub policies_with
{
	my (%variables) = @_;
	local %ENV = (%ENV, map { ("CACHE_TTL_$_" => $variables{$_}) } keys %variables);
	$env->restart;
	return $env->safe_psql('postgres', q(CREATE EXTENSION cache;
		SELECT string_agg(name || ' ' || ttl, ', ' ORDER BY name) FROM cache_policies
			WHERE name IN ('default', 'search_results', 'story_listing', 'trending', 'user_profile');
		DROP EXTENSION cache));
}
is(policies_with(USER_PROFILE => 1800, STORY_LISTING => '', SEARCH_RESULTS => '2147483647'),
	'default 300, search_results 2147483647, story_listing 300, trending 600, user_profile 1800',
	'... and those of policies as well');
is(policies_with(USER_PROFILE => '0', STORY_LISTING => '-5', SEARCH_RESULTS => '5 minutes'),
	'default 300, search_results 300, story_listing 300, trending 600, user_profile 300',
	'... where they fit');
$env->stop;
is(settings_with(VALKEY_URL => $nowhere, L1_CACHE_MAX_SIZE => 77, L1_CACHE_DEFAULT_TTL => 33),
	"$nowhere 77 33s", '... and again');
$env->safe_psql('postgres', 'CREATE EXTENSION cache');
is($env->safe_psql('postgres', 'SELECT l1_max_entries FROM cache_stats'), 77,
	'... and are used');
$env->stop;
is(settings_with(VALKEY_URL => '', L1_CACHE_MAX_SIZE => '', L1_CACHE_DEFAULT_TTL => ''),
	' 1000 1min', 'empty variables are as good as none');
$env->stop;

my $log_end = -s $env->logfile;
is(settings_with(VALKEY_URL => 'http://user:hunter2@host', L1_CACHE_MAX_SIZE => 'many', L1_CACHE_DEFAULT_TTL => '-1'),
	' 1000 1min', 'variables that do not fit are ignored');
my $log = slurp_file($env->logfile, $log_end);
like($log, qr/WARNING:  ignoring environment variable $_\b/, "... with a warning about $_")
  foreach qw(VALKEY_URL L1_CACHE_MAX_SIZE L1_CACHE_DEFAULT_TTL);
unlike($log, qr/hunter2/, '... that does not tell the password');
$env->stop;

$env->append_conf('postgresql.conf', "cache.l1_ttl = 44\ncache.l1_max_entries = 88");
is(settings_with(VALKEY_URL => $nowhere, L1_CACHE_MAX_SIZE => 77, L1_CACHE_DEFAULT_TTL => 33),
	"$nowhere 88 44s", 'postgresql.conf has precedence over the environment');

# cache.redis_url.
foreach my $url ('http://localhost', 'localhost:6379', 'redis://', 'redis://:6379',
	'redis://host:0', 'redis://host:65536', 'redis://host/x', 'redis://[::1',
	'redis://user@host', 'redis://:%zz@host', 'unix://relative', 'unix:///path?x=1',
	'unix:///' . 'p' x 200, 'redis://' . 'h' x 5000)
{
	my ($result, $stdout, $stderr) =
	  $env->psql('postgres', "ALTER SYSTEM SET cache.redis_url = '$url'");
	ok($result != 0 && $stderr =~ /ERROR:  invalid value for parameter "cache.redis_url".*^HINT:/ms,
		'refused: ' . substr($url, 0, 40));
}
foreach my $url ('', 'redis://localhost', 'redis://user:secret@10.0.0.1:7000/3',
	'valkey://:secret@[::1]:6380', 'unix:///tmp/redis.sock?db=2')
{
	is($env->psql('postgres', "ALTER SYSTEM SET cache.redis_url = '$url'"), 0, "accepted: '$url'");
}

$env->safe_psql('postgres', 'CREATE ROLE regress_cache_user LOGIN');
my ($result, $stdout, $stderr) =
  $env->psql('postgres', 'SET ROLE regress_cache_user; SHOW cache.redis_url');
isnt($result, 0, 'others than superusers cannot see cache.redis_url');
unlike($stdout . $stderr, qr/nonexistent/, '... not even in the error');
is($env->safe_psql('postgres',
		q(SET ROLE regress_cache_user; SELECT count(*) FROM pg_settings WHERE name = 'cache.redis_url')),
	0, '... nor in pg_settings');
isnt($env->psql('postgres', q(SET cache.redis_url = '')), 0, 'a session cannot set it');

# A bad one in postgresql.conf.
$env->append_conf('postgresql.conf', "cache.redis_url = 'http://localhost'");
$env->safe_psql('postgres', 'ALTER SYSTEM RESET cache.redis_url');
$env->restart;
is($env->safe_psql('postgres', 'SELECT l2_state FROM cache_stats'), 'off',
	'the server starts without Redis if the url is bad');
$env->stop;

done_testing();

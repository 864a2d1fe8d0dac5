# A name server that does not answer holds up neither the stop of the server, nor a
# change of settings, nor queries.

use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $dir = PostgreSQL::Test::Utils::tempdir();
my $library = "$dir/slow_names.so";
plan skip_all => 'there is no compiler'
  unless system('cc', '-O1', '-fPIC', '-shared', '-o', $library, dirname(__FILE__) . '/slow_names.c', '-ldl') == 0;

my $node = cache_node('primary', start => 0, 'cache.redis_url' => 'redis://slow.example:6379');
$ENV{SLOW_NAMES_ASKED} = "$dir/asked";
{
	local $ENV{LD_PRELOAD} = $library;
	$node->start;
}
$node->safe_psql('postgres', 'CREATE EXTENSION cache');

sub wait_until_asked
{
	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return unlink "$dir/asked" if -e "$dir/asked";
		select undef, undef, undef, 0.1;
	}
	die 'nobody looks up the host';
}

wait_until_asked();
is($node->safe_psql('postgres', q(SELECT cached_query('SELECT 1 AS x', 300, '{x}'))), '{"x":1}', 'a query is answered');
is(system_log('pg_ctl', '-D', $node->data_dir, '-m', 'fast', '-t', 30, 'stop'), 0, 'a fast stop does not wait for it');
$node->_update_pid(0);

{
	local $ENV{LD_PRELOAD} = $library;
	$node->start;
}
wait_until_asked();
$node->safe_psql('postgres', "ALTER SYSTEM SET cache.redis_url = ''");
$node->reload;
ok($node->poll_query_until('postgres', 'SELECT l2_state FROM cache_stats', 'off'), 'nor does a change of settings');
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$node->stop('immediate');
done_testing();

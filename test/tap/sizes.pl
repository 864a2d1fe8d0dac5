# L1 of extreme sizes: one entry, hardly any memory, ten million entries, more
# than can be had.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', autovacuum => 'off', 'cache.ttl_jitter' => 0);

sub restart_with
{
	my ($entries, $memory) = @_;

	$node->append_conf('postgresql.conf', "cache.l1_max_entries = $entries\ncache.l1_memory = '$memory'");
	$node->restart;
	return;
}

# The rows of results of some length, each asked for twice in a row.
sub asked
{
	my ($count, $length) = @_;

	return $node->safe_psql('postgres', qq(
		SELECT count(*), count(*) FILTER (WHERE a::text = b::text AND length(a ->> 'repeat') = $length)
		FROM generate_series(1, $count) i,
			LATERAL cached_query('SELECT repeat(chr(64 + \$1), \$2)', 300, '{}', i % 26 + 1, $length) a,
			LATERAL cached_query('SELECT repeat(chr(64 + \$1), \$2)', 300, '{}', i % 26 + 1, $length) b));
}

sub stat_of { return $node->safe_psql('postgres', "SELECT $_[0] FROM cache_stats"); }

foreach my $size ([ 1, '64MB' ], [ 2, '64MB' ], [ 1000, '64kB' ], [ 1, '64kB' ], [ 10_000_000, '1MB' ])
{
	my ($entries, $memory) = @$size;

	restart_with($entries, $memory);
	is(stat_of("l1_max_entries || ' ' || (l1_max_bytes / 1024)"),
		$entries . ' ' . $node->safe_psql('postgres', "SELECT pg_size_bytes('$memory') / 1024"), "$entries entries, $memory");
	is(asked(200, $_), '200|200', "... results of $_ bytes are right") foreach 10, 3000, 20_000, 100_000, 10;
	cmp_ok(stat_of('l1_entries'), '<=', $entries, '... no more entries than allowed');
	cmp_ok(stat_of('l1_entries'), '>', 0, '... but some');
	ok(stat_of('l1_bytes <= l1_max_bytes'), '... in no more memory than allowed');
	cmp_ok(stat_of('l1_hits'), '>', 100, '... from which results are served');
	is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', '... shared memory adds up');
	$node->safe_psql('postgres', 'SELECT cache_flush($$l1$$)');
	is(stat_of("l1_entries || ' ' || l1_bytes"), '0 0', '... and all of it comes back');
}

restart_with(1000, '901GB');
like(slurp_file($node->logfile), qr/outside the valid range for parameter "cache\.l1_memory"/,
	'more memory than can be managed');
is($node->safe_psql('postgres', 'SHOW cache.l1_memory'), '64MB', '... is ignored');
$node->stop;
done_testing();

# A streaming standby hears of no invalidation, so that it serves only what
# lives by its ttl alone; and it becomes a full server when it is promoted.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $redis = CacheTest::Redis::programs() ? CacheTest::Redis->new : undef;
my $primary = cache_node('primary',
	init => [ allows_streaming => 1 ],
	$redis ? ('cache.redis_url' => $redis->url) : ());

$primary->safe_psql('postgres', <<'SQL');
CREATE TABLE story AS SELECT 1 AS score;
SELECT cache_attach('story');
CREATE VIEW shown AS SELECT score FROM story;
SELECT cache_define('score', 'SELECT score FROM story', 300, '{story}');
SQL
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
$standby->start;

sub catch_up
{
	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	return;
}

sub stat_of
{
	return $standby->safe_psql('postgres', "SELECT $_[0] FROM cache_stats");
}

my $tagged = q(SELECT cached_query('SELECT score FROM story', 300, '{story}') ->> 'score');
my $by_ttl = q(SELECT cached_query('SELECT score FROM story', 300, '{}') ->> 'score');
my $named = q(SELECT cached('score') ->> 'score');
my $view = q(SELECT cached_query('SELECT * FROM shown', 300, '{}'));

is(stat_of('l2_state'), 'off', 'a standby does not use Redis');
is($standby->safe_psql('postgres', $_), 1, 'first reading') foreach $tagged, $named, $by_ttl;
is($standby->safe_psql('postgres', $view), '{"score":1}', '... of a view');
$primary->safe_psql('postgres', 'UPDATE story SET score = 2');
catch_up();
is($standby->safe_psql('postgres', $tagged), 2, 'what has tags is executed');
is($standby->safe_psql('postgres', $named), 2, '... and named queries');
is(stat_of(q((bypass_reasons ->> 'standby')::int)), 4, '... for that reason');
is($standby->safe_psql('postgres', $by_ttl), 1, 'what lives by its ttl is served');
is(stat_of('l1_hits'), 1, '... from L1');

# definitions change by replay, and privileges
$primary->safe_psql('postgres', 'CREATE OR REPLACE VIEW shown AS SELECT score, score * 10 AS ten FROM story');
catch_up();
is($standby->safe_psql('postgres', $view), '{"score":2,"ten":20}', 'a view replaced on the primary');
$primary->safe_psql('postgres', 'CREATE ROLE regress_cache_reader; GRANT SELECT ON story TO regress_cache_reader');
catch_up();
my $session = $standby->background_psql('postgres', on_error_stop => 0);
$session->query_safe('SET ROLE regress_cache_reader');
is($session->query_safe($by_ttl), 1, 'a role shares the result');
$primary->safe_psql('postgres', 'REVOKE SELECT ON story FROM regress_cache_reader');
catch_up();
$session->query($by_ttl);
like($session->{stderr}, qr/permission denied/, '... and no longer once that is revoked on the primary');
$session->quit;

foreach my $call (q(invalidate_tags('{story}')), q(invalidate_query('score')),
	q(invalidate_table('story')), q(cache_flush()))
{
	my ($result, $stdout, $stderr) = $standby->psql('postgres', "SELECT $call");
	isnt($result, 0, "$call fails");
	like($stderr, qr/ERROR:  [^\n]*(?:recovery|standby)/, '... and says why');
	is(() = $stderr =~ /ERROR:/g, 1, '... once');
}
is($standby->safe_psql('postgres', q(SELECT cache_flush('l1'))), '', q(cache_flush('l1') works));
is($standby->safe_psql('postgres', $by_ttl), 2, '... as seen');
is($standby->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');

# The primary goes, the standby takes its place.
$primary->safe_psql('postgres', $tagged);
$primary->safe_psql('postgres', 'UPDATE story SET score = 3');
catch_up();
$primary->stop;
$standby->promote;
$standby->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()') or die 'not promoted';
if ($redis)
{
	$standby->poll_query_until('postgres', q(SELECT l2_state = 'up' AND l2_unsent = 0 FROM cache_stats))
	  or die 'Redis is not used';
}
$standby->safe_psql('postgres', 'SELECT cache_reset_stats()');
is($standby->safe_psql('postgres', $tagged), 3, 'promoted: the present is read');
is($standby->safe_psql('postgres', $tagged), 3, '... twice');
is(stat_of(q(misses || ' ' || l1_hits || ' ' || l2_hits)), '1 1 0',
	'... first from the table, then from L1');
$standby->safe_psql('postgres', 'UPDATE story SET score = 4');
is($standby->safe_psql('postgres', $tagged), 4, '... changes are noticed');
$standby->safe_psql('postgres', q(SELECT invalidate_tags('{story}')));
if ($redis)
{
	$standby->poll_query_until('postgres', 'SELECT l2_unsent = 0 FROM cache_stats');
	$standby->safe_psql('postgres', "$tagged; SELECT cache_flush('l1'); $tagged");
	is(stat_of('l2_hits'), 1, '... and Redis is used');
}
$standby->stop;
done_testing();

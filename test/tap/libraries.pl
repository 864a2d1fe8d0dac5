# Beside pg_stat_statements and auto_explain, loaded before the cache or after
# it: they see a request as the statement it is, and what it executes, if it
# does, as a statement in that; and changes are captured through their hooks.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my ($sharedir) = run_command([ $ENV{PG_CONFIG} // 'pg_config', '--sharedir' ]);
plan skip_all => 'there is no pg_stat_statements'
  unless -e "$sharedir/extension/pg_stat_statements.control";

my $query = 'SELECT id, score FROM story WHERE id < 4';
my $ask = "SELECT cached_query('$query') ->> 'score'";

# What pg_stat_statements has of the requests, and of what they execute.
my $counts = q(SELECT string_agg(format('%s %s of %s rows', CASE WHEN toplevel THEN 'asked' ELSE 'executed' END, calls, rows), ', ' ORDER BY toplevel DESC)
	FROM pg_stat_statements WHERE query LIKE 'SELECT cached_query%' OR query LIKE 'SELECT id, score%');

foreach my $order ('cache, pg_stat_statements, auto_explain', 'auto_explain, pg_stat_statements, cache')
{
	my $node = cache_node($order =~ /^cache/ ? 'before' : 'after', start => 0, fsync => 'off',
		'pg_stat_statements.track' => 'all', 'auto_explain.log_min_duration' => 0,
		'auto_explain.log_nested_statements' => 'on', 'auto_explain.log_analyze' => 'on',
		'auto_explain.log_buffers' => 'on', 'auto_explain.log_triggers' => 'on',
		shared_preload_libraries => $order, max_prepared_transactions => 5);
	$node->start;
	$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION cache;
CREATE EXTENSION pg_stat_statements;
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story SELECT i, i FROM generate_series(1, 10) i;
CREATE MATERIALIZED VIEW stories AS TABLE story;
SQL
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $log_start;

	# How often the query was explained since this was last asked.
	my $explained = sub {
		my $log = slurp_file($node->logfile, $log_start);

		$log_start += length $log;
		return scalar(() = $log =~ /plan:\n\s*Query Text: SELECT id, score/g);
	};

	$session->query_safe('SELECT pg_stat_statements_reset(); SELECT cache_reset_stats()');
	$log_start = -s $node->logfile;
	is($session->query_safe($ask), "1\n2\n3", "$order: a miss");
	is($session->query_safe($counts), 'asked 1 of 3 rows, executed 1 of 3 rows', '... is counted, with its execution');
	is($explained->(), 1, '... which is explained');
	is($session->query_safe($ask), "1\n2\n3", 'a hit') foreach 1 .. 2;
	is($session->query_safe($counts), 'asked 3 of 9 rows, executed 1 of 3 rows', '... is counted, without');
	is($explained->(), 0, '... and there is nothing to explain');
	is($session->query_safe("BEGIN ISOLATION LEVEL SERIALIZABLE; $ask; COMMIT"), "1\n2\n3", 'a bypass');
	is($session->query_safe($counts), 'asked 4 of 12 rows, executed 2 of 6 rows', '... is counted, with its execution');
	is($explained->(), 1, '... which is explained');
	is($session->query_safe('SELECT misses, l1_hits, bypasses FROM cache_stats'), '1|2|1', 'the cache counts the same');

	# What changes the table or its definition, by every hook.
	foreach my $change (
		'UPDATE story SET score = score + 1 WHERE id = 1',
		'WITH u AS (UPDATE story SET score = score + 1 WHERE id = 2 RETURNING 1) SELECT count(*) FROM u',
		'DO $$BEGIN DELETE FROM story WHERE id = 3; END$$',
		"COPY story FROM stdin;\n3\t33\n\\.\n",
		'ALTER TABLE story RENAME TO tale; CREATE VIEW story AS SELECT id, score * 2 AS score FROM tale',
		'DROP VIEW story; ALTER TABLE tale RENAME TO story',
		"BEGIN; UPDATE story SET score = 5 WHERE id = 1; PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'",
		'TRUNCATE story')
	{
		my $before = $session->query_safe($ask);

		$node->safe_psql('postgres', $change);
		my $plain = $session->query_safe("SELECT score FROM story WHERE id < 4");
		isnt($plain, $before, $change =~ s/\n.*//sr);
		is($session->query_safe($ask), $plain, '... is captured');
	}
	my $count = q(SELECT cached_query('SELECT count(*) FROM stories') ->> 'count');
	is($session->query_safe($count), 10, 'a materialized view');
	$node->safe_psql('postgres', 'REFRESH MATERIALIZED VIEW stories');
	is($session->query_safe($count), 0, '... refreshed');

	is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
	$session->quit;
	$node->stop;
}
done_testing();

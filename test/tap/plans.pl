# Plans of plain statements: beside a library that copies them (copies.c), and
# in portals that the protocol names.

use strict;
use warnings;
use File::Basename;
use lib dirname(__FILE__) . '/../conformance';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;
use Wire;

my $library = "$PostgreSQL::Test::Utils::tmp_check/copies.so";
my $include = $ENV{PG_CONFIG} ? `$ENV{PG_CONFIG} --includedir-server` : `pg_config --includedir-server`;
chomp $include;
my $compiled = system('cc', '-O1', '-fPIC', '-shared', '-w', "-I$include", '-o', $library, dirname(__FILE__) . '/copies.c') == 0;

my $schema = <<'SQL';
CREATE EXTENSION cache;
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story SELECT i, i * 10 FROM generate_series(1, 1000) i;
VACUUM ANALYZE story;
CREATE FUNCTION best(n int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	result int;
BEGIN
	SELECT max(score) INTO result FROM story WHERE id <= n;
	RETURN CASE WHEN n > 997 THEN result ELSE best(n + 1) END;
END
$$;
SQL
my %settings = ('cache.mode' => 'auto', 'cache.min_cost' => 0, fsync => 'off');

my $hits = q(SELECT l1_hits - current_setting('my.hits')::int, set_config('my.hits', l1_hits::text, false) <> '' FROM cache_stats());

SKIP:
{
	skip 'no C compiler', 1 unless $compiled;
	foreach my $order ("cache, $library", "$library, cache")
	{
		my $node = cache_node($order =~ /^cache/ ? 'kept' : 'bound', start => 0, %settings, shared_preload_libraries => $order);

		$node->start;
		$node->safe_psql('postgres', $schema);
		foreach my $how (qw(none copy text))
		{
			my $session = $node->background_psql('postgres', on_error_stop => 0);

			$session->query_safe("SET copies.how = $how; SET plan_cache_mode = force_generic_plan; SELECT set_config('my.hits', l1_hits::text, false) FROM cache_stats()");
			$session->query_safe("PREPARE p AS SELECT id, score FROM story WHERE id < 4 AND '$how' <> '' ORDER BY score");
			is($session->query_safe('EXECUTE p'), "1|10\n2|20\n3|30", "$how, $order: a miss");
			is($session->query_safe('EXECUTE p'), "1|10\n2|20\n3|30", '... hits') foreach 1 .. 3;
			is($session->query_safe($hits), '3|t', '... and is one');
			is($session->query_safe('SELECT best(995)'), '9980', '... in a function that calls itself') foreach 1 .. 2;
			$session->query_safe('UPDATE story SET score = score + 1; UPDATE story SET score = score - 1');
			is($session->query_safe('EXECUTE p'), "1|10\n2|20\n3|30", '... a miss after a change');
			is($session->query_safe('EXECUTE p'), "1|10\n2|20\n3|30", '... and a hit');
			$session->query_safe('SELECT cache_flush()');
			is($session->query_safe('EXECUTE p'), "1|10\n2|20\n3|30", '... and a miss');
			like($session->query_safe('EXPLAIN EXECUTE p'), qr/hit L1/, '... and an explained hit');
			like($session->query_safe("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; EXPLAIN (ANALYZE) SELECT count(*) FROM story WHERE '$how' <> ''"),
				qr/Cache Status: miss.*Workers Launched/s, '... and a parallel execution');
			is($session->query_safe("SELECT count(*) FROM story WHERE '$how' <> ''"), 1000, '... of all');
			$session->quit;
		}
		unlike(slurp_file($node->logfile), qr/written to|PANIC|TRAP|signal 11/, "$order: nothing went wrong");
		$node->stop;
	}
}

# Portals.  WHERE CURRENT OF asks the executor where a portal is.
my $node = cache_node('portals', %settings);
my %login = (host => $node->host, port => $node->port, user => (getpwuid $<)[0], database => 'postgres');

$node->safe_psql('postgres', $schema =~ s/CREATE EXTENSION cache;//r);

# What a portal of that name gives, in a row or an error each, and whether it
# was a hit; it is then updated at its second row.
sub cursor
{
	my ($wire, $name, $sql) = @_;
	my @answer;

	($hits) = $wire->rows('SELECT l1_hits FROM cache_stats()');
	$wire->query('BEGIN')->answer;
	$wire->parse('', $sql)->bind($name, '', [], [], [])->execute($name, 2)->flush;
	$wire->sync;
	@answer = map { $_->[0] eq 'E' ? Wire::error($_)->{M} : join('|', Wire::row($_)) } grep { $_->[0] =~ /[DE]/ } $wire->answer;
	push @answer, map { Wire::error($_)->{M} } grep { $_->[0] eq 'E' }
	  $wire->query(qq(UPDATE story SET score = score WHERE CURRENT OF "$name"))->answer;
	$wire->query('ROLLBACK')->answer;
	my ($after) = $wire->rows('SELECT l1_hits FROM cache_stats()');
	return join(', ', @answer, $after->[0] > $hits->[0] ? 'hit' : 'no hit');
}

my $wire = Wire->new(%login);
$wire->query('SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off')->answer;
foreach my $name ('c', '<c>')
{
	foreach my $sql (
		'SELECT id, score FROM story ORDER BY id',
		'SELECT id, score FROM story WHERE id > 0',
		'SELECT id, score FROM story ORDER BY id LIMIT 5',
		'SELECT id, score FROM story WHERE id < 5 UNION ALL SELECT 0, 0')
	{
		$wire->rows("SELECT count(*) FROM ($sql) s");
		$wire->rows($sql);
		my $plain = do
		{
			$wire->query('SET cache.mode = off')->answer;
			cursor($wire, $name, $sql);
		};
		$wire->query('SET cache.mode = auto')->answer;
		is(cursor($wire, $name, $sql), $plain, "$name: WHERE CURRENT OF on $sql");
		is(cursor($wire, $name, $sql), $plain, '... again');
	}
}
$wire->query('RESET enable_sort; SET enable_indexscan = off; RESET enable_seqscan')->answer;
my $sorted = 'SELECT id, score FROM story ORDER BY score';
$wire->rows($sorted);
is(cursor($wire, 'c', $sorted), '1|10, 2|20, cursor "c" is not a simply updatable scan of table "story", hit',
	'what no plan would let be updated is served');
is(cursor($wire, 'c', 'SELECT max(id), 1 FROM story'), '1000|1, cursor "c" is not a simply updatable scan of table "story", no hit', 'an aggregate');
is(cursor($wire, 'c', 'SELECT max(id), 1 FROM story'), '1000|1, cursor "c" is not a simply updatable scan of table "story", hit', '... is served');

done_testing();

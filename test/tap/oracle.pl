# The oracle: writers and readers in a heap, and every cached answer compared
# with the truth.
#
# Each row has a version that committed changes only ever raise, so that an
# answer must lie between what a plain query gives before it and what a plain
# query gives after it.  Changes that are rolled back raise it by a million.
# The longer it runs the better: CACHE_ORACLE_SECONDS says how long.

use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $seconds = $ENV{CACHE_ORACLE_SECONDS} // 15;
my $dir = PostgreSQL::Test::Utils::tempdir();
my $redis = CacheTest::Redis::programs() ? CacheTest::Redis->new : undef;
my $node = cache_node('primary',
	max_connections => 60,
	log_statement => 'none',
	'cache.l2_timeout' => '1s',
	$redis ? ('cache.redis_url' => $redis->url) : ());

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE item (k int PRIMARY KEY, version bigint NOT NULL) WITH (fillfactor = 50);
INSERT INTO item SELECT k, 1 FROM generate_series(1, 100) k;
CREATE TABLE copy AS SELECT * FROM item;
SELECT cache_attach('item', '{item,item-$k}');

CREATE FUNCTION check_between(low bigint, answer bigint, high bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF answer IS NULL OR answer NOT BETWEEN low AND high THEN
		RAISE EXCEPTION 'wrong answer: % is not between % and %', answer, low, high;
	END IF;
END$$;
SQL

# Scripts for pgbench.  Where ":k" must stay "-k" is written.
my $row = q(coalesce(max((c ->> 'version')::bigint), -1) AS answer
	FROM cached_query('SELECT version FROM item WHERE k = $1', 300, ARRAY['item-' || :k], :k) c);
my $sum = q(coalesce(max((c ->> 'sum')::bigint), -1) AS answer
	FROM cached_query('SELECT sum(version)::bigint AS sum FROM item', 300, '{item}') c);
my $auto = q(coalesce(max((c ->> 'version')::bigint), -1) AS answer
	FROM cached_query('SELECT version FROM item WHERE k = $1', 300, NULL, :k) c);
my $low = 'SELECT version AS low FROM item WHERE k = :k \gset';
my $high = 'SELECT version AS high FROM item WHERE k = :k \gset';
my $check = 'SELECT check_between(:low, :answer, :high);';

my %writers = (
	autocommit => [ 40, q(
		UPDATE item SET version = version + 1 WHERE k = :k;) ],
	transaction => [ 20, qq(
		BEGIN;
		UPDATE item SET version = version + 1 WHERE k = :k RETURNING version AS low \\gset
		SELECT $row \\gset
		SELECT check_between(:low, :answer, :low);
		SELECT $auto \\gset
		SELECT check_between(:low, :answer, :low);
		COMMIT;) ],
	rollback => [ 20, qq(
		BEGIN;
		UPDATE item SET version = version + 1000000 WHERE k = :k RETURNING version AS low \\gset
		SELECT $row \\gset
		SELECT check_between(:low, :answer, :low);
		ROLLBACK;) ],
	savepoint => [ 20, qq(
		BEGIN;
		SAVEPOINT s;
		UPDATE item SET version = version + 1000000 WHERE k = :k;
		ROLLBACK TO s;
		UPDATE item SET version = version + 1 WHERE k = :k RETURNING version AS low \\gset
		SELECT $row \\gset
		SELECT check_between(:low, :answer, :low);
		COMMIT;) ],
	upsert => [ 10, q(
		INSERT INTO item VALUES (:k, 0) ON CONFLICT (k) DO UPDATE SET version = item.version + 1;) ],
	with => [ 10, q(
		WITH changed AS (UPDATE item SET version = version + 1 WHERE k = :k RETURNING k)
		SELECT count(*) FROM changed;) ],
	truncate => [ 1, q(
		BEGIN;
		LOCK TABLE item IN ACCESS EXCLUSIVE MODE;
		TRUNCATE copy;
		INSERT INTO copy SELECT k, version + 1 FROM item;
		TRUNCATE item;
		INSERT INTO item SELECT * FROM copy;
		COMMIT;) ],
	copy => [ 1, qq(
		BEGIN;
		LOCK TABLE item IN SHARE ROW EXCLUSIVE MODE;
		COPY (SELECT k, version + 1 FROM item) TO '$dir/item.data';
		DELETE FROM item;
		COPY item FROM '$dir/item.data';
		COMMIT;) ],
	flush => [ 3, q(SELECT cache_flush('l1');) ]);

my %readers = (
	row => [ 10, "$low\nSELECT $row \\gset\n$high\n$check" ],
	automatic => [ 2, "$low\nSELECT $auto \\gset\n$high\n$check" ],
	sum => [ 1, qq(
		SELECT sum(version)::bigint AS low FROM item \\gset
		SELECT $sum \\gset
		SELECT sum(version)::bigint AS high FROM item \\gset
		$check) ],
	# the lock, taken before the snapshot, keeps TRUNCATE away: to an older
	# snapshot the table would be empty
	repeatable => [ 5, qq(
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		LOCK TABLE item IN ACCESS SHARE MODE;
		$low
		SELECT $row \\gset
		SELECT check_between(:low, :answer, :low);
		SELECT $auto \\gset
		SELECT check_between(:low, :answer, :low);
		SELECT sum(version)::bigint AS low FROM item \\gset
		SELECT $sum \\gset
		SELECT check_between(:low, :answer, :low);
		COMMIT;) ]);

# Start pgbench with these scripts.
sub start_pgbench
{
	my ($scripts, $output, @options) = @_;
	my @files;

	foreach my $name (sort keys %$scripts)
	{
		my ($weight, $script) = @{ $scripts->{$name} };
		append_to_file("$dir/$name.sql", "\\set k random(1, 100)\n$script\n");
		push @files, '-f', "$dir/$name.sql\@$weight";
	}
	return IPC::Run::start(
		[ 'pgbench', '-n', '-c', 8, '-j', 1, '-T', $seconds, @options, @files,
			'-h', $node->host, '-p', $node->port, 'postgres' ],
		'>&', $output);
}

if ($redis)
{
	$node->poll_query_until('postgres', q(SELECT l2_state = 'up' FROM cache_stats))
	  or die 'Redis is not used';
}
my ($writers_output, $readers_output) = ('', '');
my $writers = start_pgbench(\%writers, \$writers_output, '--rate', 60);
my $readers = start_pgbench(\%readers, \$readers_output);
ok($readers->finish, "no reader had a wrong answer in $seconds s") or diag($readers_output);
ok($writers->finish, '... and no writer') or diag($writers_output);
note($readers_output, $writers_output);

my ($hits, $l2_hits, $misses, $rejected) = split /\|/, $node->safe_psql('postgres',
	'SELECT l1_hits, l2_hits, misses, l2_rejected FROM cache_stats');
note("$hits hits in L1, $l2_hits in L2, $misses misses");
cmp_ok($hits, '>', $misses, 'there were more hits than misses');
cmp_ok($misses, '>', 100, '... and enough misses');
cmp_ok($l2_hits, '>', 0, '... and hits in L2') if $redis;
is($rejected, 0, '... nothing was rejected');
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$node->stop;
done_testing();

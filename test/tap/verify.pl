# cache_verify() beside transactions that start, change rows, are prepared and
# end: shared memory adds up at every moment.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', max_prepared_transactions => 10, fsync => 'off');

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE busy (id int PRIMARY KEY, score int);
INSERT INTO busy SELECT i, 0 FROM generate_series(1, 20) i;
SELECT cache_attach('busy', '{busy,busy:$id}');
CREATE TABLE stop (x int);
CREATE PROCEDURE keep_busy() LANGUAGE plpgsql AS $$
BEGIN
	WHILE NOT EXISTS (SELECT FROM stop) LOOP
		UPDATE busy SET score = score + 1 WHERE id = 1 + random() * 18;
		PERFORM cached_query('SELECT sum(score) FROM busy WHERE id = ' || (1 + random() * 18)::int, 300, '{busy}');
		COMMIT;
	END LOOP;
END $$;
CREATE FUNCTION verify_often() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	done bigint := 0;
	finish timestamptz := clock_timestamp() + interval '3 s';
BEGIN
	WHILE clock_timestamp() < finish LOOP
		PERFORM cache_verify();
		done := done + 1;
	END LOOP;
	RETURN done;
END $$;
SQL

my @sessions = map { $node->background_psql('postgres') } 1 .. 2;
$_->query_until(qr/begun/, "\\echo begun\nCALL keep_busy();\n") foreach @sessions;
my $preparer = $node->background_psql('postgres');
$preparer->query_until(qr/begun/, "\\echo begun\n" . join('', map {
		my $end = $_ % 2 ? 'COMMIT' : 'ROLLBACK';
		"BEGIN; INSERT INTO busy SELECT i, 0 FROM generate_series(1000 * $_, 1000 * $_ + $_) i; PREPARE TRANSACTION 'p'; $end PREPARED 'p';\n"
	} 1 .. 200));

my ($result, $stdout, $stderr) = $node->psql('postgres', 'SELECT verify_often()');
is($stderr, '', 'no alarm while transactions start and end');
cmp_ok($stdout || 0, '>', 10, '... however often one looks');

$node->safe_psql('postgres', 'INSERT INTO stop VALUES (1)');
$_->quit foreach @sessions, $preparer;
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$node->stop;
done_testing();

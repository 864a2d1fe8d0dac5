# Rows are handed out where they lie in shared memory.  Whoever reads them
# slowly gets them as they were, whatever becomes of the entry; and whatever
# becomes of the reader, the memory comes back.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', autovacuum => 'off', restart_after_crash => 'on',
	'cache.mode' => 'auto', 'cache.min_cost' => 0, 'cache.l1_memory' => '4MB');

# A thousand stories of 300 bytes each; nothing is read in the order of the
# table, so that no cursor is one for WHERE CURRENT OF.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE story AS
	SELECT id, repeat(md5(id::text), 9) AS body FROM generate_series(1, 1000) id;
CREATE TABLE change (n int);
SQL

sub query { return "SELECT id, body FROM story WHERE id > $_[0] ORDER BY body"; }

# A session that is not to disturb by what it does itself.
my $plain = $node->background_psql('postgres', on_error_stop => 0);
$plain->query_safe('SET cache.mode = off');

sub plain { return $plain->query_safe($_[0]); }
sub stat_of { return $plain->query_safe("SELECT $_[0] FROM cache_stats"); }
sub flush { return $plain->query_safe('SELECT cache_flush($$l1$$)'); }

sub verified
{
	is($plain->query_safe('SELECT cache_verify()'), '', "$_[0]: shared memory adds up");
	return;
}

# Nothing is kept for anyone once the entries are gone.
sub returned
{
	my $name = shift;

	flush();
	ok($node->poll_query_until('postgres', 'SELECT l1_bytes = 0 FROM cache_stats'), "$name: the memory comes back");
	verified($name);
	return;
}

sub session
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);

	$session->{pid} = $session->query_safe('SELECT pg_backend_pid()');
	return $session;
}

# Open a cursor on what is in the cache, and read some of it.
sub hold
{
	my ($session, $cursor, $query, $options) = (@_, '');
	my $hits;

	$node->safe_psql('postgres', $query);
	$hits = stat_of('l1_hits');
	$session->query_safe('BEGIN') if $cursor eq 'c';
	$session->query_safe("DECLARE $cursor CURSOR $options FOR $query");
	my $rows = $session->query_safe("FETCH 10 FROM $cursor");
	is(stat_of('l1_hits'), $hits + 1, 'a cursor on what is cached');
	return $rows;
}

# What becomes of the entry.
my $session = session();
my $all = plain(query(0));

sub reads_on
{
	my ($name, $happens) = @_;
	my $rows = hold($session, 'c', query(0));

	$happens->();
	verified($name);
	is($rows . "\n" . $session->query_safe('FETCH ALL FROM c'), $all, "$name: a reader reads on");
	$session->query_safe('COMMIT');
	returned($name);
	return;
}

reads_on('swept', \&flush);
ok($node->safe_psql('postgres', query(0)) eq $all, 'what comes next is right');
reads_on('evicted', sub {
	my $evictions = stat_of('evictions');

	$node->safe_psql('postgres', join ';', map { query($_) } 1 .. 40);
	cmp_ok(stat_of('evictions'), '>', $evictions, 'there are evictions');
});
reads_on('replaced', sub {
	# as it was, so that the next reader compares with the same rows
	$node->safe_psql('postgres', 'UPDATE story SET body = body');
	is($node->safe_psql('postgres', query(0)), $all, 'replaced: another reader reads as well');
});
reads_on('truncated and restored', sub {
	$node->safe_psql('postgres', 'CREATE TABLE kept AS TABLE story; DELETE FROM story');
	is($node->safe_psql('postgres', query(0)), '', 'deleted: another reader reads nothing');
	$node->safe_psql('postgres', 'INSERT INTO story TABLE kept; DROP TABLE kept');
});

# Several readers of one result.
hold($session, 'c', query(0));
my $rows = hold($session, 'd', query(0));
my $other = session();
is(hold($other, 'c', query(0)), $rows, 'two sessions read the same');
flush();
my $bytes = stat_of('l1_bytes');
cmp_ok($bytes, '>', 300_000, 'an entry is gone, but not its memory');
$session->query_safe('CLOSE c');
$session->query_safe('COMMIT');
is(stat_of('l1_bytes'), $bytes, '... as long as there is one reader');
$other->query_safe('ROLLBACK');
is(stat_of('l1_bytes'), 0, '... and no longer');
returned('several readers');

# What becomes of the reader.
sub ends
{
	my ($name, $happens) = @_;

	flush();
	cmp_ok(stat_of('l1_bytes'), '>', 300_000, "$name: the memory is kept");
	$happens->();
	returned($name);
	return;
}

hold($session, 'c', query(0));
ends('closed', sub { $session->query_safe('CLOSE c'); });
$session->query_safe('COMMIT');
hold($session, 'c', query(0));
ends('error', sub { $session->query('SELECT 1 / 0'); });
$session->{stderr} = '';
$session->query_safe('ROLLBACK');
$session->query_safe('BEGIN; SAVEPOINT s');
hold($session, 'd', query(0));
ends('savepoint', sub { $session->query_safe('ROLLBACK TO s'); });
$session->query_safe('COMMIT');
$rows = hold($session, 'c', query(0), 'WITH HOLD');
ends('held over', sub { $session->query_safe('COMMIT'); });
is($rows . "\n" . $session->query_safe('FETCH ALL FROM c'), $all, 'a cursor that was held over is whole');
hold($other, 'c', query(0));
ends('session ends', sub { $other->quit; });
$other = session();
hold($other, 'c', query(0));
ends('terminated', sub { $node->safe_psql('postgres', "SELECT pg_terminate_backend($other->{pid})"); });

# In the middle of a statement.
sub in_loop
{
	my ($name, $function) = @_;

	$other = session();
	$node->safe_psql('postgres', query(0));
	$other->query_until(qr/started/, "\\echo started\nDO \$\$ DECLARE r record; BEGIN FOR r IN " . query(0) .
		" LOOP PERFORM pg_sleep(600); END LOOP; END \$\$;\n");
	$node->poll_query_until('postgres', "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $other->{pid}")
	  or die 'the loop does not run';
	ends($name, sub { $node->safe_psql('postgres', "SELECT $function($other->{pid})"); });
	return;
}

in_loop('cancelled in a loop', 'pg_cancel_backend');
$other->{stderr} = '';
is($other->query('SELECT 1'), 1, 'the session goes on');
$other->quit;
in_loop('terminated in a loop', 'pg_terminate_backend');

# Functions: values that are returned one by one are the payload's own, typed
# rows are not.
sub by_function { return "SELECT $_[0]('" . query(0) . "', 300, '{}') $_[1]"; }
$session->query_safe('CLOSE ALL');
$rows = hold($session, 'c', by_function('cached_query', ''));
flush();
cmp_ok(stat_of('l1_bytes'), '>', 300_000, 'cached_query: the memory is kept');
is($rows . "\n" . $session->query_safe('FETCH ALL FROM c'),
	plain('SELECT row_to_json(q) FROM (' . query(0) . ') q'),
	'cached_query: a reader reads on');
is(stat_of('l1_bytes'), 0, 'cached_query: who has read the last row keeps nothing');
$session->query_safe('COMMIT');
returned('cached_query');
$rows = hold($session, 'c', "SELECT * FROM cached_rows('" . query(0) . "', 300, '{}') t(id int, body text)");
flush();
is(stat_of('l1_bytes'), 0, 'cached_rows: nothing is kept');
is($rows . "\n" . $session->query_safe('FETCH ALL FROM c'), $all, 'cached_rows: a reader reads on');
$session->query_safe('COMMIT');
is($session->query_safe("SELECT count(*) FROM (SELECT cached_query('" . query(0) . "', 300, '{}') LIMIT 5) q"),
	5, 'not all rows are read') for 1, 2;
returned('not all rows are read');

# Readers that keep more than their share get copies: there is always room for
# what is asked for now.
my @sessions = map { session() } 1 .. 12;
my @first = map { hold($sessions[$_], 'c', query($_)) } 0 .. $#sessions;
flush();
cmp_ok(stat_of('l1_bytes'), '<=', 1024 * 1024, 'no more than a fourth of the memory is kept');
cmp_ok(stat_of('l1_bytes'), '>', 300_000, '... though something is');
verified('many readers');
my $hits = stat_of('l1_hits');
$node->safe_psql('postgres', query(100)) for 1, 2;
is(stat_of('l1_hits'), $hits + 1, 'there is room for others');
is_deeply([ map { $first[$_] . "\n" . $sessions[$_]->query_safe('FETCH ALL FROM c') } 0 .. $#sessions ],
	[ map { plain(query($_)) } 0 .. $#sessions ], 'all of them read on');
$_->quit foreach @sessions;
returned('many readers');

# All of it at once.
my $scripts = PostgreSQL::Test::Utils::tempdir();
append_to_file("$scripts/read", "\\set k random(0, 15)\n" . query(':k') . ";\n");
append_to_file("$scripts/stop", "\\set k random(0, 15)\nBEGIN;\nDECLARE c CURSOR FOR " . query(':k') .
	";\nFETCH 3 FROM c;\nSAVEPOINT s;\nDECLARE d CURSOR FOR " . query(':k + 1') .
	";\nFETCH 3 FROM d;\nROLLBACK TO s;\nFETCH 500 FROM c;\nEND;\n");
append_to_file("$scripts/write", "UPDATE story SET body = body WHERE id = 1;\n");
append_to_file("$scripts/flush", "SELECT cache_flush();\n");
$node->command_ok([ 'pgbench', '--no-vacuum', '--client=6', '--transactions=60', '--file', "$scripts/read\@10",
	'--file', "$scripts/stop\@5", '--file', "$scripts/write\@1", '--file', "$scripts/flush\@1", 'postgres' ],
	'readers, writers and flushes at once');
returned('at once');

# Were a pin lost, there would be ever fewer.
hold($session, 'c', query(0));
ends('after all that', sub { $session->query_safe('COMMIT'); });

# Who crashes takes all of it along.
hold($session, 'c', query(0));
kill 'KILL', $session->{pid};
$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
is($node->safe_psql('postgres', 'SELECT l1_bytes FROM cache_stats'), 0, 'a crash leaves nothing');
is($node->safe_psql('postgres', query(0)), $all, 'the cache goes on') for 1, 2;
is($node->safe_psql('postgres', 'SELECT l1_hits FROM cache_stats'), 1, '... and serves');
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
eval { $_->quit } foreach $plain, $session;
$node->stop;
done_testing();

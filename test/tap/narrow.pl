# Results that depend on rows of an attached table, and changes of rows that no
# trigger tells of: those of C code (quiet.c), and of logical replication, whose
# triggers do.

use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(allows_streaming => 'logical');
$publisher->append_conf('postgresql.conf', "fsync = off\n");
$publisher->start;
my $node = cache_node('subscriber', max_prepared_transactions => 5, fsync => 'off');
my @readers = map { $node->background_psql('postgres') } 1 .. 2;
my $writer = $node->background_psql('postgres');

my %query = (
	five => 'SELECT count(*), sum(views) FROM story WHERE author = 5',
	seven => 'SELECT count(*), sum(views) FROM story WHERE author = 7',
	part => 'SELECT count(*), sum(views) FROM part WHERE author = 7',
	leaf => 'SELECT count(*), sum(views) FROM part_a WHERE author = 7',
	all => 'SELECT count(*), sum(views) FROM story');

sub hits { return $readers[0]->query_safe('SELECT l1_hits FROM cache_stats'); }

# The names of those whose results are still served, to both readers; all of
# them must be right.
sub served
{
	my ($what) = @_;
	my @served;

	foreach my $name (sort keys %query)
	{
		my $plain = $readers[0]->query_safe("SELECT row_to_json(q) FROM ($query{$name}) q");
		my $before = hits();
		my $cached = $readers[0]->query_safe("SELECT cached_query('$query{$name}')");

		push @served, $name if hits() > $before;
		is($cached, $plain, "$what: $name is right");
		is($readers[1]->query_safe("SELECT cached_query('$query{$name}')"), $plain, "... for another session, too");
	}
	return "@served";
}

# after(NAME, COMMANDS, SERVED): these results outlive the commands.
sub after
{
	my ($what, $commands, $expected) = @_;

	served("before $what");
	$writer->query_safe($commands);
	is(served($what), $expected, "$what: what is served still");
	return;
}

my $tables = <<'SQL';
CREATE TABLE story (id int PRIMARY KEY, author int, views int);
SQL
$publisher->safe_psql('postgres', <<"SQL");
$tables
ALTER TABLE story REPLICA IDENTITY FULL;
INSERT INTO story SELECT i, 5 + i % 3, i FROM generate_series(1, 30) i;
CREATE PUBLICATION pub FOR TABLE story;
SQL
$node->safe_psql('postgres', <<"SQL");
$tables
ALTER TABLE story DROP CONSTRAINT story_pkey;	-- quiet.c does not know of indexes
CREATE TABLE part (author int, views int) PARTITION BY LIST (author);
CREATE TABLE part_a PARTITION OF part DEFAULT;
SELECT cache_attach('story', '{story:\$id,author:\$author}');
SELECT cache_attach('part', '{part:\$author}');
INSERT INTO story VALUES (101, 5, 1), (102, 7, 1), (103, 6, 1);
SQL

SKIP:
{
	my $library = $node->data_dir . '/quiet.so';
	my $include = `$ENV{PG_CONFIG} --includedir-server` if $ENV{PG_CONFIG};
	$include //= `pg_config --includedir-server`;
	chomp $include;
	system('cc', '-O1', '-fPIC', '-shared', '-w', "-I$include", '-o', $library, dirname(__FILE__) . '/quiet.c') == 0
	  or skip 'no C compiler', 1;
	$node->safe_psql('postgres', <<"SQL");
CREATE FUNCTION quiet_insert(regclass, record) RETURNS void AS '$library' LANGUAGE C STRICT;
CREATE FUNCTION quiet_delete(regclass, tid) RETURNS void AS '$library' LANGUAGE C STRICT;
SQL

	after('an ordinary change', 'UPDATE story SET views = views + 1 WHERE author = 5', 'leaf part seven');
	after('a quiet change', 'SELECT quiet_insert($$story$$, ROW(110, 7, 1)::story)', 'leaf part');
	after('a quiet DELETE', 'SELECT quiet_delete($$story$$, ctid) FROM story WHERE id = 110', 'leaf part');
	after('a quiet change after an ordinary one',
		'BEGIN; UPDATE story SET views = views + 1 WHERE author = 5; SELECT quiet_insert($$story$$, ROW(111, 7, 1)::story); COMMIT', 'leaf part');
	after('a quiet change before an ordinary one',
		'BEGIN; SELECT quiet_insert($$story$$, ROW(112, 7, 1)::story); UPDATE story SET views = views + 1 WHERE author = 5; COMMIT', 'leaf part');
	# as many as were told of, and undone
	after('a quiet change after a savepoint', <<'SQL', 'leaf part');
BEGIN;
SAVEPOINT s;
INSERT INTO story VALUES (113, 5, 1), (114, 5, 1);
ROLLBACK TO s;
SELECT quiet_insert('story', ROW(113 + i, 7, 1)::story) FROM generate_series(0, 1) i;
COMMIT
SQL
	after('a quiet change in a savepoint', <<'SQL', 'leaf part seven');
BEGIN;
SAVEPOINT s;
SELECT quiet_insert('story', ROW(115, 7, 1)::story);
ROLLBACK TO s;
INSERT INTO story VALUES (115, 5, 1);
COMMIT
SQL
	after('a quiet change in a partition', 'SELECT quiet_insert($$part_a$$, ROW(7, 1)::part_a)', 'all five seven');
	after('a quiet change that is prepared',
		'BEGIN; SELECT quiet_insert($$story$$, ROW(116, 7, 1)::story); PREPARE TRANSACTION $$p$$; COMMIT PREPARED $$p$$', 'leaf part');
	# two triggers that tell of the same
	$node->safe_psql('postgres', <<'SQL');
CREATE TRIGGER also AFTER INSERT OR UPDATE OR DELETE ON story FOR EACH ROW EXECUTE FUNCTION cache_invalidate('also:$author');
ALTER TABLE story ENABLE ALWAYS TRIGGER also;
SQL
	after('a quiet change, and an ordinary one that is told of twice',
		'BEGIN; SELECT quiet_insert($$story$$, ROW(117, 7, 1)::story); UPDATE story SET views = 0 WHERE id = 101; COMMIT', 'leaf part');
	$node->safe_psql('postgres', 'DROP TRIGGER also ON story');
}

after('changes that are not counted',
	'SET track_counts = off; UPDATE story SET views = views + 1 WHERE author = 5; RESET track_counts', 'leaf part');
after('a prepared change', 'BEGIN; UPDATE story SET views = views + 1 WHERE author = 5; PREPARE TRANSACTION $$p$$; COMMIT PREPARED $$p$$',
	'leaf part seven');

# Logical replication.
served('before the initial copy');
my $connection = $publisher->connstr . ' dbname=postgres application_name=sub';
$node->safe_psql('postgres', "CREATE SUBSCRIPTION sub CONNECTION '$connection' PUBLICATION pub");
$node->wait_for_subscription_sync($publisher, 'sub');
served('the initial copy');

sub replicated
{
	my ($what, $commands, $expected) = @_;

	served("before $what");
	$publisher->safe_psql('postgres', $commands);
	$publisher->wait_for_catchup('sub');
	is(served($what), $expected, "$what: what is served still");
	return;
}

# the apply worker may be at some commit yet that it has reported
$node->poll_query_until('postgres', q(SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate <> 'r')) or die 'not ready';
replicated('a replicated INSERT', 'INSERT INTO story VALUES (201, 5, 1)', 'leaf part seven');
replicated('a replicated UPDATE', 'UPDATE story SET views = 9 WHERE id = 201', 'leaf part seven');
replicated('a replicated UPDATE of the author', 'UPDATE story SET author = 7 WHERE id = 201', 'leaf part');
replicated('a replicated DELETE', 'DELETE FROM story WHERE id = 201', 'five leaf part');
replicated('a replicated TRUNCATE', 'TRUNCATE story', '');

is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$_->quit foreach @readers, $writer;
$node->stop;
$publisher->stop;
done_testing();

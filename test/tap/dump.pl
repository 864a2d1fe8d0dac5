# pg_dump carries what was made with the extension: policies, named queries
# and triggers.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', create => 0);
my $dir = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql('source', <<'SQL');
CREATE SCHEMA tools;
CREATE EXTENSION cache SCHEMA tools;
SET search_path = public, tools;

CREATE TABLE story (id int PRIMARY KEY, author int, score int);
INSERT INTO story VALUES (1, 7, 10), (2, 7, 20);
CREATE TABLE parted (id int, at date) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2000-01-01') TO ('2001-01-01');
SELECT cache_attach('story', '{story,author:$author}');
SELECT cache_attach('parted');

INSERT INTO cache_policies (name, ttl, tags, stale, max_entry_size, min_cost)
	VALUES ('own', 77, '{story}', 5, 4096, 0.5);
UPDATE cache_policies SET ttl = 999, tags = '{story}' WHERE name = 'trending';
SELECT cache_define('top', 'SELECT id FROM public.story ORDER BY score DESC LIMIT $1', NULL, NULL, 'trending');
SELECT cache_define('best', 'SELECT max(score) FROM public.story', 33, '{story}', 'own');
SQL

# What should be the same in a restored database.
my %same = (
	policies => 'SELECT * FROM tools.cache_policies ORDER BY name',
	'named queries' => 'SELECT * FROM tools.cache_queries ORDER BY name',
	triggers => q(SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), tgenabled, tgparentid <> 0
		FROM pg_trigger WHERE tgfoid = 'tools.cache_invalidate'::regproc ORDER BY 1, 2));
my %source = map { $_ => $node->safe_psql('source', $same{$_}) } keys %same;

cmp_ok(scalar(() = $source{triggers} =~ /^/mg), '>=', 6, 'tables and partitions have triggers');
like($source{policies}, qr/^trending\|999\|\{story\}.*\|f$/m, 'a built-in policy was changed');

# Compare, and look whether it works.
sub check_restored
{
	my ($database, $how) = @_;

	is($node->safe_psql($database, $same{$_}), $source{$_}, "$how: $_") foreach sort keys %same;
	is($node->safe_psql($database, q(SET search_path = tools, public; SELECT cached('top', 1))),
		'{"id":2}', '... a named query can be called');
	$node->safe_psql($database, 'UPDATE story SET score = 30 WHERE id = 1');
	is($node->safe_psql($database, q(SET search_path = tools, public; SELECT cached('top', 1))),
		'{"id":1}', '... and the triggers invalidate it');
	$node->safe_psql($database, q(UPDATE tools.cache_policies SET ttl = 1 WHERE name = 'default'));
	is($node->safe_psql($database, q(SELECT builtin FROM tools.cache_policies WHERE name = 'default')),
		'f', '... and notice a changed policy');
	return;
}

my @connection = ('-h', $node->host, '-p', $node->port);

$node->command_ok([ 'pg_dump', @connection, '-f', "$dir/plain.sql", 'source' ], 'pg_dump');
unlike(slurp_file("$dir/plain.sql"), qr/^user_profile\t/m, '... leaves out what came with the extension');
$node->safe_psql('postgres', 'CREATE DATABASE plain');
$node->command_ok([ 'psql', '-X', '-q', @connection, '-v', 'ON_ERROR_STOP=1', '-d', 'plain', '-f', "$dir/plain.sql" ],
	'... and psql');
check_restored('plain', 'plain');

$node->command_ok([ 'pg_dump', @connection, '-Fc', '-f', "$dir/custom.dump", 'source' ], 'pg_dump -Fc');
$node->safe_psql('postgres', 'CREATE DATABASE custom');
$node->command_ok([ 'pg_restore', @connection, '-e', '-d', 'custom', "$dir/custom.dump" ],
	'... and pg_restore');
check_restored('custom', 'custom');

$node->command_ok([ 'pg_restore', @connection, '-e', '-c', '-d', 'custom', "$dir/custom.dump" ],
	'once more, over what is there, with pg_restore -c');
check_restored('custom', 'custom, -c');

# With pg_restore -j the contents of tables come in any order: here the worst.
my ($contents) = run_command([ 'pg_restore', '-l', "$dir/custom.dump" ]);
my @list = map { "$_\n" } split /\n/, $contents;
my @data = grep { / TABLE DATA / } @list;
my ($first) = grep { $list[$_] =~ / TABLE DATA / } 0 .. $#list;
my $queries = (grep { / cache_queries / } @data)[0];
@list = grep { !/ TABLE DATA / } @list;
splice @list, $first, 0, $queries, grep { $_ ne $queries } @data;
append_to_file("$dir/list", join '', @list);
$node->safe_psql('postgres', 'CREATE DATABASE anyhow');
$node->command_ok([ 'pg_restore', @connection, '-e', '-L', "$dir/list", '-d', 'anyhow', "$dir/custom.dump" ],
	'pg_restore, named queries before policies');
check_restored('anyhow', 'any order');

$node->stop;
done_testing();

# A database with version 1.0 of the extension is updated: what was made with it
# is kept and works, and there is no difference from a new 1.1.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', create => 0);

my (undef, undef, $missing) = $node->psql('postgres', q(BEGIN; CREATE EXTENSION cache VERSION '1.0'));
if ($missing =~ /no installation script|could not open|has no .*version/)
{
	plan skip_all => 'the script of version 1.0 is not installed (test/upgrade)';
}

$node->safe_psql('postgres', 'CREATE DATABASE updated');
$node->safe_psql('postgres', 'CREATE DATABASE made');
$node->safe_psql('made', 'CREATE SCHEMA tools; CREATE EXTENSION cache SCHEMA tools');
$node->safe_psql('updated', <<'SQL');
CREATE SCHEMA tools;
CREATE EXTENSION cache SCHEMA tools VERSION '1.0';
SET search_path = public, tools;
CREATE TABLE story (id int PRIMARY KEY, author int, score int);
INSERT INTO story VALUES (1, 7, 10), (2, 7, 20);
SELECT cache_attach('story', '{story,author:$author}');
INSERT INTO cache_policies (name, ttl, tags, stale) VALUES ('own', 77, '{story}', 5), ('user', 11, NULL, 0);
UPDATE cache_policies SET ttl = 999, tags = '{story}' WHERE name = 'trending';
SELECT cache_define('top', 'SELECT id FROM public.story ORDER BY score DESC LIMIT $1', NULL, NULL, 'trending');
SELECT cache_define('best', 'SELECT max(score) FROM public.story', 33, '{story}', 'own');
SELECT cache_define('listed', 'SELECT count(*) FROM public.story', NULL, NULL, 'story_listing');
SQL

# Before the update
my ($result, $stdout, $stderr) = $node->psql('updated', 'SELECT * FROM tools.cache_stats');
isnt($result, 0, 'a view of the older version cannot be read');
like($stderr, qr/ERROR:  extension "cache" is of another version than its library\nHINT:  Run ALTER EXTENSION cache UPDATE/,
	'... and says what to do');
is($node->safe_psql('updated', q(SET search_path = tools; SELECT cached('top', 1))), '{"id":2}', 'a named query can be called');

$node->safe_psql('updated', 'ALTER EXTENSION cache UPDATE');
is($node->safe_psql('updated', q(SELECT extversion FROM pg_extension WHERE extname = 'cache')), '1.1', 'updated');

# What is the same in an updated and in a new database.
my %same = (
	functions => q(SELECT p.oid::regprocedure, pg_get_functiondef(p.oid), p.proacl::text, obj_description(p.oid, 'pg_proc')
		FROM pg_proc p WHERE pronamespace = 'tools'::regnamespace),
	relations => q(SELECT c.relname, c.relkind, c.relacl::text, obj_description(c.oid, 'pg_class'), pg_get_viewdef(c.oid)
		FROM pg_class c WHERE relnamespace = 'tools'::regnamespace ORDER BY 1),
	columns => q(SELECT attrelid::regclass, attname, atttypid::regtype, attnotnull, col_description(attrelid, attnum)
		FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'tools'::regnamespace AND attnum > 0),
	constraints => q(SELECT conrelid::regclass, conname, pg_get_constraintdef(oid)
		FROM pg_constraint WHERE connamespace = 'tools'::regnamespace),
	triggers => q(SELECT tgrelid::regclass, tgname, pg_get_triggerdef(t.oid), tgenabled
		FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = 'tools'::regnamespace),
	members => q(SELECT pg_describe_object(classid, objid, objsubid)
		FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
			AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'cache') ORDER BY 1),
	configuration => q(SELECT unnest(extconfig)::regclass, unnest(extcondition) FROM pg_extension WHERE extname = 'cache'),
	'policies that were not touched' => q(SELECT * FROM tools.cache_policies WHERE name NOT IN ('own', 'user', 'trending') ORDER BY name));
foreach my $what (sort keys %same)
{
	my $made = $node->safe_psql('made', $same{$what});

	isnt($made, '', "there are $what");
	is_deeply([ sort split /\n/, $node->safe_psql('updated', $same{$what}) ], [ sort split /\n/, $made ], '... the same');
}

is($node->safe_psql('updated', q(SELECT name, ttl, tags, stale, builtin FROM tools.cache_policies WHERE name IN ('own', 'user', 'trending') ORDER BY name)),
	"own|77|{story}|5|f\ntrending|999|{story}|0|f\nuser|11||0|f", 'policies of an administrator are kept');
is($node->safe_psql('updated', q(SELECT name, ttl, tags, policy FROM tools.cache_queries ORDER BY name)),
	"best|33|{story}|own\nlisted|||story_listing\ntop|||trending", 'named queries are kept');

# It works.
$node->safe_psql('updated', 'UPDATE story SET score = 30 WHERE id = 1');
is($node->safe_psql('updated', q(SET search_path = tools, public; SELECT cached('top', 1))), '{"id":1}', 'an attached table invalidates');
($result, $stdout, $stderr) = $node->psql('updated', q(DELETE FROM tools.cache_policies WHERE name = 'own'));
isnt($result, 0, 'a policy in use is kept');
is($node->safe_psql('updated', 'SELECT l1_hits IS NOT NULL FROM tools.cache_stats'), 't', 'statistics can be read');
$node->safe_psql('updated', 'SELECT tools.cache_verify()');
$node->safe_psql('updated', 'DROP EXTENSION cache CASCADE');

# What cannot be kept
$node->safe_psql('postgres', 'CREATE DATABASE odd');
$node->safe_psql('odd', q(CREATE EXTENSION cache VERSION '1.0'; INSERT INTO cache_policies (name, tags) VALUES ('odd', '{a,NULL}')));
($result, $stdout, $stderr) = $node->psql('odd', 'ALTER EXTENSION cache UPDATE');
isnt($result, 0, 'a row that could not be used stops the update');
like($stderr, qr/check constraint "cache_policies_tags_check".* is violated by some row/, '... which says so');
is($node->safe_psql('odd', q(SELECT extversion FROM pg_extension WHERE extname = 'cache')), '1.0', '... and changes nothing');

$node->stop;
done_testing();

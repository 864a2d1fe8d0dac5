# What one user does in one database, and the results of other databases: nobody
# invalidates more than what he was granted.  And databases that change their
# owner or name, go away, and come back under the same oid.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', max_prepared_transactions => 10, fsync => 'off',
	'cache.tag_slots' => 65536);
my %reader;

sub fill_database
{
	my $db = shift;

	$node->safe_psql($db, <<'SQL');
CREATE EXTENSION IF NOT EXISTS cache;
CREATE TABLE story (id int PRIMARY KEY, score int);
INSERT INTO story VALUES (1, 1);
GRANT ALL ON story TO PUBLIC;
GRANT CREATE ON SCHEMA public TO PUBLIC;
SQL
	return;
}

my $query = 'SELECT sum(score) FROM story';
my %form = (
	automatic => qq[SELECT cached_query('$query') ->> 'sum'],
	tagged => qq[SELECT cached_query('$query', 300, '{t}') ->> 'sum']);

# What the cache does for both forms in a database: "hit", "miss" or other.
sub served
{
	my ($db, @forms) = @_;
	my $count = q(SELECT l1_hits, misses FROM cache_stats);
	my @served;

	$reader{$db} //= $node->background_psql($db);
	foreach my $form (@forms)
	{
		my @lines = split /\n/, $reader{$db}->query_safe("$count; $form{$form}; $count");
		my ($h0, $m0) = split /\|/, $lines[0];
		my ($h1, $m1) = split /\|/, $lines[2];
		push @served, $h1 > $h0 ? 'hit' : $m1 > $m0 ? 'miss' : 'bypass';
	}
	return join ' ', @served;
}

sub fill { served($_, qw(automatic tagged)) foreach @_; return; }

# Each of the commands is run by a user who was granted nothing special; what do
# the databases other and postgres say afterwards?
sub harmless
{
	my ($name, $sql, $here) = @_;

	fill(qw(postgres other));
	$node->psql('postgres', $sql, connstr => $node->connstr('postgres') . ' user=plain');
	# a tag may share its slot with one of so many
	is(served('other', $name =~ /\d tags/ ? 'automatic' : qw(automatic tagged)) =~ s/^hit$/hit hit/r, 'hit hit',
		"$name: other databases are not concerned");
	is(served('postgres', qw(automatic tagged)), $here, "... and this one: $here");
	return;
}

$node->safe_psql('postgres', 'CREATE ROLE plain LOGIN; CREATE DATABASE other');
fill_database($_) foreach qw(postgres other);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE mine (id int, v int);
ALTER TABLE mine OWNER TO plain;
SELECT cache_attach('mine', '{mine:$id}');
SQL

harmless('6000 tags', q[SELECT invalidate_tags(array_agg('x' || i)) FROM generate_series(1, 6000) i], 'miss miss');
harmless('6000 tags, one by one', q[SELECT count(invalidate_tags(ARRAY['x' || i])) FROM generate_series(1, 6000) i], 'miss miss');
harmless('65 tags, prepared', q[BEGIN; SELECT count(invalidate_tags(ARRAY['x' || i])) FROM generate_series(1, 65) i; PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'], 'hit hit');
harmless('6000 tags, prepared', q[BEGIN; SELECT count(invalidate_tags(ARRAY['x' || i])) FROM generate_series(1, 6000) i; PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'], 'miss miss');
harmless('ALTER ROLE SET', q[ALTER ROLE plain SET work_mem = '8MB'; ALTER ROLE plain RESET ALL], 'hit hit');
harmless('a password', q[ALTER ROLE plain PASSWORD 'secret'], 'hit hit');
harmless('a command about roles that is refused', q[BEGIN; INSERT INTO mine VALUES (1, 1); SAVEPOINT s; CREATE ROLE nobody; ROLLBACK TO s; GRANT postgres TO plain; ROLLBACK TO s; ALTER ROLE postgres NOLOGIN; ROLLBACK TO s; COMMIT], 'hit hit');
harmless('... in a block', q[INSERT INTO mine VALUES (1, 1); DO $$ BEGIN CREATE ROLE nobody; EXCEPTION WHEN OTHERS THEN INSERT INTO mine VALUES (2, 2); END $$], 'hit hit');
harmless('TRUNCATE of an attached table', 'INSERT INTO mine VALUES (1, 1); TRUNCATE mine', 'miss miss');
harmless('definitions', 'CREATE TABLE more (x int)', 'miss miss');
harmless('default privileges', 'ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC', 'hit hit');
harmless('REASSIGN OWNED', 'REASSIGN OWNED BY plain TO plain', 'hit hit');

# What is rolled back to a savepoint is forgotten, and what comes after counts.
fill(qw(postgres other));
$node->safe_psql('postgres', 'BEGIN; SAVEPOINT s; ALTER ROLE plain NOINHERIT; RELEASE s; SAVEPOINT s; ALTER ROLE plain INHERIT; ROLLBACK TO s; COMMIT');
is(served($_, qw(automatic tagged)), 'miss miss', "a role is changed, for $_") foreach qw(postgres other);
fill(qw(postgres other));
$node->safe_psql('postgres', 'BEGIN; SAVEPOINT a; SAVEPOINT s; ALTER ROLE plain NOINHERIT; RELEASE s; ROLLBACK TO a; SELECT txid_current(); COMMIT');
is(served($_, qw(automatic tagged)), 'hit hit', "a role is not changed, for $_") foreach qw(postgres other);

# More tags than a transaction holds, and a role: both count.
$node->safe_psql('postgres', q[BEGIN; SELECT count(invalidate_tags(ARRAY['x' || i])) FROM generate_series(1, 6000) i; ALTER ROLE plain INHERIT; COMMIT]);
is(served($_, qw(automatic tagged)), 'miss miss', "more tags than one transaction holds, and a role, for $_") foreach qw(postgres other);

# So many tags reach every slot that tags have, but no relation's.
fill('other');
foreach my $n (1 .. 50)
{
	$node->safe_psql('postgres', "SELECT count(invalidate_tags(ARRAY['x$n-' || i])) FROM generate_series(1, 4000) i");
}
is(served('other', 'automatic'), 'hit', 'any number of tags leaves what depends on relations');

# Owners of databases, from another database.
my $owner = q[SELECT count(*) FROM owned];
$form{owned} = qq[SELECT cached_query('$owner') ->> 'count'];
$node->safe_psql('other', <<'SQL');
CREATE TABLE owned (x int);
INSERT INTO owned VALUES (1), (2);
GRANT SELECT ON owned TO PUBLIC;
ALTER TABLE owned ENABLE ROW LEVEL SECURITY;
CREATE POLICY owner ON owned TO pg_database_owner USING (true);
SQL
my $plain = $node->background_psql('other', extra_params => [ '-U', 'plain' ]);
sub asked_by_plain
{
	$plain->query_safe($form{owned}) foreach 1 .. 2;
	return $plain->query_safe($form{owned});
}
foreach my $change (
	[ 'ALTER DATABASE OWNER', 'ALTER DATABASE other OWNER TO plain', 'ALTER DATABASE other OWNER TO postgres' ],
	[ 'REASSIGN OWNED', 'ALTER DATABASE other OWNER TO plain', 'REASSIGN OWNED BY plain TO postgres' ],
	[ 'by hand', q[UPDATE pg_database SET datdba = 'plain'::regrole WHERE datname = 'other'], q[UPDATE pg_database SET datdba = 10 WHERE datname = 'other'] ])
{
	my ($name, $give, $take) = @$change;

	is(asked_by_plain(), 0, "$name: not the owner");
	$node->safe_psql('postgres', $give);
	is(asked_by_plain(), 2, '... the owner');
	$node->safe_psql('postgres', $take);
	is(asked_by_plain(), 0, '... no longer');
}
fill(qw(postgres other));
$node->safe_psql('postgres', 'ALTER DATABASE other OWNER TO plain; ALTER DATABASE other OWNER TO postgres');
is(served('postgres', qw(automatic tagged)), 'hit hit', 'the owner of another database is nothing to this one');
is(served('other', qw(automatic tagged)), 'miss miss', '... but to that one');

# Catalogs that somebody writes to by hand: those of a database, and shared ones.
fill(qw(postgres other));
$node->safe_psql('postgres', "COPY pg_description FROM stdin;\n1\t1\t0\tx\n\\.\n");
is(served('postgres', qw(automatic tagged)), 'miss miss', 'COPY into a catalog');
is(served('other', qw(automatic tagged)), 'hit hit', '... of this database');
$node->safe_psql('postgres', q[DELETE FROM pg_description WHERE objoid = 1]);
is(served('postgres', qw(automatic tagged)), 'miss miss', 'DELETE from one');
$node->safe_psql('postgres', "COPY pg_shdescription FROM stdin;\n1\t1\tx\n\\.\n");
is(served($_, qw(automatic tagged)), 'miss miss', "COPY into a shared catalog, for $_") foreach qw(postgres other);
$node->safe_psql('postgres', q[DELETE FROM pg_shdescription WHERE objoid = 1]);
is(served($_, qw(automatic tagged)), 'miss miss', "DELETE from one, for $_") foreach qw(postgres other);

$plain->quit;

# A database that is dropped, and another one under its oid, with the same tables.
(delete $reader{other})->quit;
$node->safe_psql('postgres', 'CREATE DATABASE first TEMPLATE other');
my $oid = $node->safe_psql('postgres', q[SELECT oid FROM pg_database WHERE datname = 'first']);
fill('first');
is(served('first', qw(automatic tagged)), 'hit hit', 'a database');
(delete $reader{first})->quit;
$node->safe_psql('other', 'UPDATE story SET score = 2');
$node->safe_psql('postgres', 'DROP DATABASE first');
$node->safe_psql('postgres', "CREATE DATABASE second TEMPLATE other OID = $oid");
foreach my $form (qw(automatic tagged))
{
	is($node->safe_psql('second', $form{$form}), 2, "another one under its oid: $form");
}
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$_->quit foreach values %reader;
$node->stop;
done_testing();

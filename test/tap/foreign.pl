# Rows that are fetched from another server under one user's mapping are served to
# nobody else: of a foreign table, a partition or child that is one, also if it
# came later, through a view, and through a function that reads one.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary');
my ($host, $port) = ($node->host, $node->port);

$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION postgres_fdw;
CREATE ROLE regress_one LOGIN;
CREATE ROLE regress_two LOGIN;
CREATE TABLE secret (owner name, data text);
INSERT INTO secret VALUES ('regress_one', 'of one'), ('regress_two', 'of two');
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
GRANT SELECT ON secret TO PUBLIC;
CREATE SERVER there FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'postgres');
CREATE USER MAPPING FOR regress_one SERVER there OPTIONS (user 'regress_one', password_required 'false');
CREATE USER MAPPING FOR regress_two SERVER there OPTIONS (user 'regress_two', password_required 'false');
CREATE FOREIGN TABLE remote (owner name, data text) SERVER there OPTIONS (table_name 'secret');
CREATE TABLE whole (owner name, data text) PARTITION BY LIST (owner);
CREATE FOREIGN TABLE part PARTITION OF whole DEFAULT SERVER there OPTIONS (table_name 'secret');
CREATE TABLE parent (owner name, data text);
CREATE FOREIGN TABLE child () INHERITS (parent) SERVER there OPTIONS (table_name 'secret');
CREATE TABLE later (owner name, data text);
CREATE VIEW seen WITH (security_barrier) AS SELECT data FROM remote;
CREATE FUNCTION looked_into() RETURNS text LANGUAGE sql STABLE AS 'SELECT string_agg(data, '','') FROM remote';
CREATE FUNCTION opaque() RETURNS text LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT string_agg(data, '','') FROM remote); END';
CREATE FUNCTION lying() RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN (SELECT string_agg(data, '','') FROM remote); END';
GRANT SELECT ON remote, whole, parent, later, seen TO PUBLIC;
SQL

# What a user is told by the cache, or without it.
sub told
{
	my ($user, $query, $cached) = @_;
	my $tagged = $query =~ s/'/''/gr;

	return $node->safe_psql('postgres', $cached
		? "SET ROLE $user; SELECT value FROM cached_query('$tagged', 300, '{tag}') c, json_each_text(c)"
		: "SET ROLE $user; $query");
}

sub check
{
	my ($name, $query) = @_;

	foreach my $user (qw(regress_one regress_two regress_one regress_two))
	{
		is(told($user, $query, 1), told($user, $query, 0), "$name: $user is told its own");
	}
}

my $list = q(SELECT string_agg(data, ',') FROM);
check('foreign table', "$list remote");
check('partition', "$list whole");
check('child', "$list parent");
check('join', "$list (SELECT r.data FROM remote r JOIN parent USING (data)) j");
check('subquery', 'SELECT (SELECT max(data) FROM remote)');
check('LANGUAGE sql', 'SELECT looked_into()');
check('PL/pgSQL', 'SELECT opaque()');
check('IMMUTABLE', 'SELECT lying()');
# a view fetches under its owner's mapping, which a superuser needs none for
$node->safe_psql('postgres', 'ALTER VIEW seen OWNER TO regress_one');
check('view', "$list seen");

# a child that comes later
check('before', "$list later");
$node->safe_psql('postgres', q(CREATE FOREIGN TABLE late () INHERITS (later) SERVER there OPTIONS (table_name 'secret')));
check('after', "$list later");

# another mapping
$node->safe_psql('postgres', q(ALTER USER MAPPING FOR regress_one SERVER there OPTIONS (SET user 'regress_two')));
check('other mapping', "$list remote");
is(told('regress_one', "$list remote", 1), 'of two', 'a result of the old mapping is gone');

# nothing of it is cached without tags
like(($node->psql('postgres', "SET ROLE regress_one; SELECT cached_query('SELECT * FROM parent')"))[2],
	qr/it reads the foreign table "child"/, 'refused without tags');

$node->stop;
done_testing();

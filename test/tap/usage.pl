# Every setting of the server is in the table of src/key/usage.c, which says what
# it has a say in.  A new one is neither believed to be harmless nor forgotten.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary');
my $source = slurp_file('src/key/usage.c');
my @names = $source =~ /\{"([^"]+)", USAGE_[A-Z]+\}/g;
my %usage = map { $_ => 1 } @names;

is_deeply(\@names, [ sort { lc $a cmp lc $b } @names ], 'the table is sorted, for bsearch');
is(scalar(keys %usage), scalar(@names), 'nothing is in it twice');

# Those of other libraries, and of PL/pgSQL, are unknown.
my $shown = $node->safe_psql('postgres', q(SELECT name FROM pg_settings WHERE name !~ '\.' OR name ~ '^cache\.'));
my ($description) = run_command([ $node->config_data('--bindir') . '/postgres', '--describe-config' ]);
my @described = $description =~ /^([^\t\n]+)/mg;

foreach my $list ([ 'pg_settings', split /\n/, $shown ], [ 'postgres --describe-config', @described ],
	[ 'what neither shows', qw(is_superuser role seed session_authorization) ])
{
	my ($where, @settings) = @$list;

	cmp_ok(scalar(@settings), '>', 3, "there are settings in $where");
	is(join(' ', grep { !$usage{$_} } @settings), '', '... each of them in the table');
}

# What no session can change is in no key.
my @fixed = split /\n/, $node->safe_psql('postgres',
	q(SELECT name FROM pg_settings WHERE context IN ('internal', 'postmaster', 'sighup') AND name !~ '\.'));
my %none = map { $_ => 1 } $source =~ /\{"([^"]+)", USAGE_NONE\}/g;
is(join(' ', grep { !$none{$_} } @fixed), '', 'what no session can change has no say in rows');

$node->stop;
done_testing();

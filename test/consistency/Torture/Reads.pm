# Torture::Reads: the queries that are compared.
#
# A shape is
#	sql		the query; $1 is an integer
#	domain	the largest value of $1, 0 if it is not there
#	columns	of the result, for cached_rows; without them it is not used
#	tables	that must be locked to keep the result as it is
#	rising	a column whose sum over the rows no committed change lowers
#	who		a column that says whom a row belongs to: "owner" or "tenant"
# Every shape gives its rows in one order only.

package Torture::Reads;

use strict;
use warnings;
use Torture::Plain;
use Torture::Random;
use Torture::Session;

my @shapes = (
	{	name => 'point', weight => 4, domain => 4, tables => ['plain'],
		sql => 'SELECT id, grp, ver, val FROM plain WHERE id = $1',
		columns => 'id int, grp int, ver bigint, val int', rising => 'ver' },
	{	name => 'range', weight => 2, domain => 3, tables => ['plain'],
		sql => 'SELECT id, ver, val FROM plain WHERE id BETWEEN $1 AND $1 + 9 ORDER BY id',
		columns => 'id int, ver bigint, val int', rising => 'ver' },
	{	name => 'aggregate', weight => 4, domain => 3, tables => ['plain'],
		sql => 'SELECT count(*) AS n, sum(ver)::bigint AS v FROM plain WHERE grp = $1 AND id <= 40',
		columns => 'n bigint, v bigint', rising => 'v' },
	{	name => 'everything', weight => 1, domain => 0, tables => ['plain'],
		sql => 'SELECT id, grp, ver, val FROM plain ORDER BY id' },
	{	name => 'join', weight => 2, domain => 3, tables => [ 'plain', 'tally' ],
		sql => 'SELECT p.id, p.ver, y.ver AS tver FROM plain p JOIN tally y USING (grp) WHERE p.grp = $1 ORDER BY p.id',
		columns => 'id int, ver bigint, tver bigint' },
	{	name => 'subquery', weight => 1, domain => 3, tables => ['plain'],
		sql => 'SELECT id, ver FROM plain WHERE ver >= (SELECT avg(ver) FROM plain WHERE grp = $1) ORDER BY id',
		columns => 'id int, ver bigint' },
	{	name => 'exists', weight => 1, domain => 3, tables => [ 'parent', 'child' ],
		sql => 'WITH p AS (SELECT id FROM parent WHERE grp = $1) SELECT id, parent, ver FROM child c WHERE EXISTS (SELECT FROM p WHERE p.id = c.parent) ORDER BY id',
		columns => 'id int, parent int, ver bigint' },
	{	name => 'union', weight => 1, domain => 3, tables => [ 'plain', 'part' ],
		sql => 'SELECT id, ver FROM plain WHERE grp = $1 UNION ALL SELECT id, ver FROM part WHERE grp = $1 ORDER BY 1, 2',
		columns => 'id int, ver bigint' },
	{	name => 'trigger', weight => 4, domain => 0, tables => ['tally'],
		sql => 'SELECT grp, ver FROM tally ORDER BY grp',
		columns => 'grp int, ver bigint', rising => 'ver' },
	{	name => 'view', weight => 2, domain => 3, tables => ['plain'],
		sql => 'SELECT grp, n, v FROM v_plain WHERE grp = $1', columns => 'grp int, n bigint, v bigint' },
	{	name => 'barrier', weight => 1, domain => 0, tables => ['plain'],
		sql => 'SELECT id, ver, val FROM v_barrier ORDER BY id', columns => 'id int, ver bigint, val int' },
	{	name => 'matview', weight => 3, domain => 0, tables => ['mv_gate'],
		sql => 'SELECT grp, n, v FROM mv ORDER BY grp', columns => 'grp int, n bigint, v bigint' },
	{	name => 'partitioned', weight => 4, domain => 3, tables => ['part'],
		sql => 'SELECT count(*) AS n, sum(ver)::bigint AS v FROM part WHERE grp = $1 AND id <= 30',
		columns => 'n bigint, v bigint', rising => 'v' },
	{	name => 'partitions', weight => 2, domain => 0, tables => ['part'],
		sql => 'SELECT region, id, ver FROM part ORDER BY region, id', columns => 'region text, id int, ver bigint' },
	{	name => 'pruned', weight => 2, domain => 4, tables => ['part'],
		sql => q(SELECT region, id, ver FROM part WHERE region = 'a' AND id = $1) },
	{	name => 'branch', weight => 2, domain => 0, tables => ['part_a'],
		sql => 'SELECT id, ver, val FROM part_a ORDER BY id', columns => 'id int, ver bigint, val int' },
	{	name => 'leaf', weight => 3, domain => 0, tables => ['part_a1'],
		sql => 'SELECT id, ver, val FROM part_a1 ORDER BY id', columns => 'id int, ver bigint, val int' },
	{	name => 'loose', weight => 2, domain => 0, tables => ['part_x'],
		sql => 'SELECT id, ver, val FROM part_x ORDER BY id', columns => 'id int, ver bigint, val int' },
	{	name => 'waste', weight => 4, domain => 0, tables => ['waste'],
		sql => 'SELECT kind, id FROM waste ORDER BY kind, id', columns => 'kind int, id int' },
	{	name => 'waste_leaf', weight => 2, domain => 2, tables => ['waste'],
		sql => 'SELECT w.id, v.kind FROM waste_21 w FULL JOIN waste_1 v USING (id) WHERE w.id % 3 <> $1 ORDER BY 1',
		columns => 'id int, kind int' },
	{	name => 'waste_note', weight => 3, domain => 0, tables => ['waste_note'],
		sql => 'SELECT kind, id, count(*) AS n FROM waste_note GROUP BY 1, 2 ORDER BY 1, 2',
		columns => 'kind int, id int, n bigint' },
	{	name => 'cascade', weight => 2, domain => 3, tables => [ 'parent', 'child' ],
		sql => 'SELECT p.id, p.ver, c.id AS cid, c.ver AS cver FROM parent p LEFT JOIN child c ON c.parent = p.id WHERE p.grp = $1 ORDER BY 1, 3',
		columns => 'id int, ver bigint, cid int, cver bigint' },
	{	name => 'child', weight => 3, domain => 0, tables => ['child'],
		sql => 'SELECT sum(ver)::bigint AS v FROM child WHERE id <= 24', columns => 'v bigint', rising => 'v' },
	{	name => 'children', weight => 2, domain => 0, tables => ['child'],
		sql => 'SELECT id, parent, ver FROM child ORDER BY id', columns => 'id int, parent int, ver bigint' },
	{	name => 'inherited', weight => 3, domain => 0, tables => ['base'],
		sql => 'SELECT sum(ver)::bigint AS v FROM base WHERE id <= 16', columns => 'v bigint', rising => 'v' },
	{	name => 'only', weight => 1, domain => 0, tables => ['base'],
		sql => 'SELECT id, ver FROM ONLY base ORDER BY id', columns => 'id int, ver bigint' },
	{	name => 'heir', weight => 1, domain => 0, tables => ['kid'],
		sql => 'SELECT id, ver, extra FROM kid ORDER BY id', columns => 'id int, ver bigint, extra int' },
	{	name => 'author', weight => 4, domain => 4, tables => ['post'],
		sql => 'SELECT count(*) AS n, sum(ver)::bigint AS v FROM post WHERE author = $1 AND id <= 40',
		columns => 'n bigint, v bigint', rising => 'v' },
	{	name => 'posts', weight => 5, domain => 4, tables => ['post'],
		sql => 'SELECT id, author, ver, val FROM post WHERE author = $1 ORDER BY id',
		columns => 'id int, author int, ver bigint, val int' },
	{	name => 'post', weight => 3, domain => 8, tables => ['post'],
		sql => 'SELECT id, author, ver FROM post WHERE id = $1',
		columns => 'id int, author int, ver bigint', rising => 'ver' },
	{	name => 'authors', weight => 2, domain => 3, tables => ['post'],
		sql => 'SELECT author, count(*) AS n, sum(ver)::bigint AS v FROM post WHERE author IN ($1, 4) GROUP BY 1 ORDER BY 1',
		columns => 'author int, n bigint, v bigint' },
	{	name => 'writer', weight => 3, domain => 4, tables => [ 'post', 'writer' ],
		sql => 'SELECT w.id, w.ver, count(p.id) AS n, sum(p.ver)::bigint AS v FROM writer w LEFT JOIN post p ON p.author = w.id WHERE w.id = $1 GROUP BY 1',
		columns => 'id int, ver bigint, n bigint, v bigint' },
	{	name => 'writers', weight => 2, domain => 4, tables => [ 'post', 'writer' ],
		sql => 'SELECT w.id, w.ver, (SELECT max(val) FROM post p WHERE p.author = w.id) AS val FROM writer w WHERE w.id = $1 AND EXISTS (SELECT FROM post q WHERE q.author = w.id AND q.id > 1000)',
		columns => 'id int, ver bigint, val int' },
	{	name => 'author_view', weight => 3, domain => 4, tables => ['post'],
		sql => 'SELECT author, n, v FROM v_post WHERE author = $1',
		columns => 'author int, n bigint, v bigint', rising => 'v' },
	{	name => 'author_part', weight => 4, domain => 4, tables => ['post_part'],
		sql => 'SELECT region, id, ver FROM post_part WHERE author = $1 ORDER BY id, region',
		columns => 'region text, id int, ver bigint' },
	{	name => 'author_leaf', weight => 2, domain => 4, tables => ['post_part_b1'],
		sql => 'SELECT id, ver FROM post_part_b1 WHERE author = $1 ORDER BY id',
		columns => 'id int, ver bigint' },
	{	name => 'author_base', weight => 2, domain => 4, tables => ['post_base'],
		sql => 'SELECT count(*) AS n, sum(ver)::bigint AS v FROM post_base WHERE author = $1',
		columns => 'n bigint, v bigint' },
	{	name => 'of_user', weight => 4, domain => 0, tables => ['secret_user'], secret => 1, who => 'owner',
		sql => 'SELECT id, owner, ver, val FROM secret_user ORDER BY id',
		columns => 'id int, owner text, ver bigint, val int' },
	{	name => 'of_invoker', weight => 2, domain => 2, tables => ['secret_user'], secret => 1, who => 'owner',
		sql => 'SELECT id, owner, ver FROM v_invoker WHERE id > $1 ORDER BY id' },
	{	name => 'of_tenant', weight => 4, domain => 0, tables => ['secret_tenant'], secret => 1, who => 'tenant',
		sql => 'SELECT id, tenant, ver FROM secret_tenant ORDER BY id',
		columns => 'id int, tenant text, ver bigint' },
	{	name => 'function', weight => 2, domain => 2, tables => ['plain'],
		sql => 'SELECT id, label(id) AS l, ver FROM plain WHERE id = $1', columns => 'id int, l text, ver bigint' },
	{	name => 'inlined', weight => 2, domain => 3, tables => ['plain'],
		sql => 'SELECT id, ver FROM of_group($1) ORDER BY id', columns => 'id int, ver bigint', rising => 'ver' },
	{	name => 'undeclared', weight => 3, domain => 3, tables => ['part'],
		sql => 'SELECT part_total($1) AS v', columns => 'v bigint', rising => 'v' },
	{	name => 'of_function', weight => 3, domain => 0, tables => [ 'secret_user', 'secret_tenant' ], secret => 1, who => 'owner',
		sql => 'SELECT id, owner, ver FROM mine() ORDER BY id', columns => 'id int, owner text, ver bigint' },
	{	name => 'inner_path', weight => 2, domain => 2, tables => [ 't.switch', 'alt.switch' ],
		sql => 'SELECT id, side, ver FROM switched($1)', columns => 'id int, side text, ver bigint' },
	{	name => 'nested', weight => 3, domain => 2, tables => ['extra'],
		sql => 'SELECT twice_scaled($1) AS v', columns => 'v bigint' },
	{	name => 'star', weight => 3, domain => 2, tables => ['extra'],
		sql => 'SELECT * FROM extra WHERE id = $1' },
	{	name => 'privilege', weight => 3, domain => 2, tables => ['priv'],
		sql => 'SELECT id, ver FROM priv WHERE id = $1', columns => 'id int, ver bigint' },
	{	name => 'path', weight => 3, domain => 2, tables => [ 't.switch', 'alt.switch' ],
		sql => 'SELECT id, side, ver FROM switch WHERE id = $1', columns => 'id int, side text, ver bigint' },
);

# functions(): the commands that create the functions of the plain reads
sub functions
{
	return Torture::Plain::functions(@shapes);
}

# read_of(NAME, PARAMETER): a certain read, in the simplest way
sub read_of
{
	my ($name, $param) = @_;
	my ($shape) = grep { $_->{name} eq $name } @shapes;
	(my $sql = $shape->{sql}) =~ s/\$1/$param/g;

	return { shape => $shape, param => $param, sql => $sql, as => '', way => 'json', form => 'cached_query',
		plain => Torture::Plain::uncached($sql),
		cached => "SELECT cached_query(\$q\$$sql\$q\$)::text" };
}

# random_read(RISING): a shape, of those that have a rising column if so wanted,
# with its parameter, and as what to run without the cache and with it.
sub random_read
{
	my ($rising) = @_;
	my @choice = grep { !$rising || $_->{rising} } @shapes;
	my $n = weighted(map { $_ => $choice[$_]{weight} } 0 .. $#choice);
	my $shape = $choice[$n];
	my $param = $shape->{domain} ? 1 + below($shape->{domain}) : undef;
	my %read = (shape => $shape, param => $param);

	$read{sql} = $shape->{sql};
	$read{sql} =~ s/\$1/$param/g if defined $param;
	$read{as} = '';
	return Torture::Plain::random(\%read) if $Torture::Session::transparent && chance(90);

	$read{form} = 'cached_query';
	my $way = weighted(json => 35, params => 20, bound => 15, rows => 20, definer => 10);
	$way = 'json' if ($way eq 'params' || $way eq 'bound') && !defined $param;
	$way = 'json' if $way eq 'rows' && !$shape->{columns};
	$way = 'definer' if $shape->{secret} && chance(35);
	$read{way} = $way;
	my $plain = Torture::Plain::uncached($read{sql});
	if ($way eq 'definer')
	{
		$read{as} = pick('app1', 'app2', 'none');
		$read{cached} = "SELECT $read{as}_cached(\$q\$$read{sql}\$q\$)::text";
		$plain = "SELECT $read{as}_plain(\$q\$$read{sql}\$q\$)::text";
	}
	elsif ($way eq 'rows')
	{
		my $args = chance(50) && defined $param ? "\$q\$$shape->{sql}\$q\$, NULL, NULL, $param" : "\$q\$$read{sql}\$q\$";
		$read{cached} = "SELECT row_to_json(r)::text FROM cached_rows($args) AS r($shape->{columns})";
	}
	elsif ($way eq 'bound')
	{
		$read{cached} = [ 'SELECT cached_query(?, NULL, NULL, ?::int)::text', $shape->{sql}, $param ];
	}
	elsif ($way eq 'params')
	{
		$read{cached} = "SELECT cached_query(\$q\$$shape->{sql}\$q\$, NULL, NULL, $param)::text";
	}
	else
	{
		$read{cached} = "SELECT cached_query(\$q\$$read{sql}\$q\$)::text";
	}
	$read{plain} = $plain;
	return \%read;
}

1;

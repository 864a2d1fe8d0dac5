# Types: one table of values for each type, and the same questions about each.
#
# A table t_NAME has a key, a value and an array of values.  What can be asked
# depends on what a type can do: be compared, be sorted.
#
# What this file must not do: run anything.

package Types;

use strict;
use warnings;

# name, type, what it can do (= or <, which includes =), values; every type has NULL as well
my @types = (
	[ bool => 'bool', '<', 't', 'f' ],
	[ char => '"char"', '<', 'a', '', '\377' ],
	[ int2 => 'int2', '<', '0', '1', '-1', '32767', '-32768' ],
	[ int4 => 'int4', '<', '0', '1', '-1', '2147483647', '-2147483648' ],
	[ int8 => 'int8', '<', '0', '1', '-1', '9223372036854775807', '-9223372036854775808' ],
	[ float4 => 'float4', '<', '0', '-0', '1.1', '3.4e38', '1e-45', 'NaN', 'Infinity', '-Infinity' ],
	[ float8 => 'float8', '<', '0', '-0', '0.1', '1.7976931348623157e308', '5e-324', 'NaN', 'Infinity', '-Infinity' ],
	[ numeric => 'numeric', '<', '0', '0.00', '-1.10', '12345678901234567890.0987654321', 'NaN', 'Infinity', '-Infinity', '1e-30' ],
	[ price => 'numeric(9,2)', '<', '0', '1.1', '-9999999.99', '100' ],
	[ money => 'money', '<', '0', '12.34', '-1000000.01' ],
	[ text => 'text', '<', '', 'a', 'Ünïcödé ✓', "line\nbreak\ttab", 'back\\slash', q(quo'te"s), ' spaces ' ],
	[ varchar => 'varchar(20)', '<', '', 'abc', 'ends in space ' ],
	[ bpchar => 'char(6)', '<', '', 'abc', 'ab    ' ],
	[ name => 'name', '<', '', 'abc', 'Two words' ],
	[ bytea => 'bytea', '<', '\x', '\x00', '\xdeadbeef', '\x275c22' ],
	[ date => 'date', '<', '2020-02-29', '0044-03-15 BC', 'infinity', '-infinity', '5874897-12-31' ],
	[ time => 'time', '<', '00:00', '23:59:59.999999', '24:00' ],
	[ time3 => 'time(3)', '<', '12:34:56.789123' ],
	[ timetz => 'timetz', '<', '00:00+00', '12:00+05:30', '23:59:59.5-08' ],
	[ timestamp => 'timestamp', '<', '2020-02-29 12:34:56.789', '0044-03-15 01:02:03 BC', 'infinity', '-infinity', '294276-12-31 23:59:59' ],
	[ timestamptz => 'timestamptz', '<', '2020-02-29 12:34:56.789+00', '1900-01-01 00:00:00+00:19:32', 'infinity', '-infinity', '2021-03-28 01:30:00+00' ],
	[ interval => 'interval', '<', '0', '1 year 2 mons -3 days 04:05:06.789', '-1 mon', '100:00:00', '1 mon', '30 days' ],
	[ intervalds => 'interval day to second(2)', '<', '3 days 04:05:06.789', '-00:00:00.01' ],
	[ json => 'json', '', '{"a": 1,  "a": 2}', '[]', 'null', '"x\u00e9\n"', '1.50' ],
	[ jsonb => 'jsonb', '<', '{"b": 2, "a": [1, {"c": null}]}', '[]', 'null', '"x"', '1.50', '{}' ],
	[ jsonpath => 'jsonpath', '', '$.a[*] ? (@.b > 1)', 'strict $', '$.**' ],
	[ xml => 'xml', '', '<a/>', 'text &amp; more', '<a b="c">d<e/></a>' ],
	[ uuid => 'uuid', '<', '00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' ],
	[ inet => 'inet', '<', '10.0.0.1', '10.0.0.1/8', '::1', '2001:db8::/32' ],
	[ cidr => 'cidr', '<', '10.0.0.0/8', '2001:db8::/32' ],
	[ macaddr => 'macaddr', '<', '08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff' ],
	[ macaddr8 => 'macaddr8', '<', '08:00:2b:01:02:03:04:05' ],
	[ bit => 'bit(5)', '<', '00000', '10101' ],
	[ varbit => 'varbit', '<', '', '1', '101010101' ],
	[ point => 'point', '', '(0,0)', '(1.5,-2)', '(Infinity,NaN)' ],
	[ line => 'line', '', '{1,-1,0}', '[(0,0),(1,2)]' ],
	[ lseg => 'lseg', '=', '[(0,0),(1,1)]', '[(1,2),(3,4.5)]' ],
	[ box => 'box', '', '(1,1),(0,0)', '(3,4),(-1,2)' ],
	[ path => 'path', '', '[(0,0),(1,1)]', '((0,0),(1,0),(1,1))' ],
	[ polygon => 'polygon', '', '((0,0),(1,0),(1,1))', '((5,5))' ],
	[ circle => 'circle', '', '<(0,0),1>', '<(1,2),0>' ],
	[ int4range => 'int4range', '<', '[1,5)', '(,)', 'empty', '[1,4]' ],
	[ numrange => 'numrange', '<', '[1.1,2.20]', '(,5)' ],
	[ tsrange => 'tsrange', '<', '[2020-01-01 00:00,2020-01-02 12:00)', '[infinity,)' ],
	[ tstzrange => 'tstzrange', '<', '[2020-01-01 00:00+00,2020-01-02 12:00+00]' ],
	[ daterange => 'daterange', '<', '[2020-01-01,2020-02-01]', '(,infinity)' ],
	[ floatrange => 'floatrange', '<', '[1.5,2.5)', '(-Infinity,NaN]' ],
	[ int4multirange => 'int4multirange', '<', '{}', '{[1,3),[5,9]}' ],
	[ datemultirange => 'datemultirange', '<', '{[2020-01-01,2020-02-01)}' ],
	[ tsvector => 'tsvector', '<', '', q('a':1A 'b':2,3 'it''s'), 'plain words' ],
	[ tsquery => 'tsquery', '<', q('a' & !'b'), q('a':* <2> ('b' | 'c':B)) ],
	[ oid => 'oid', '<', '0', '4294967295' ],
	[ regclass => 'regclass', '<', 'onek', 'pg_class', '-', 'cache_stats' ],
	[ regtype => 'regtype', '<', 'integer', 'mood', 'pair[]' ],
	[ regproc => 'regproc', '<', 'add_one', 'sin' ],
	[ tid => 'tid', '<', '(0,1)', '(4294967295,65535)' ],
	[ xid8 => 'xid8', '<', '0', '18446744073709551615' ],
	[ pg_lsn => 'pg_lsn', '<', '0/0', 'FFFFFFFF/FFFFFFFF' ],
	[ pg_snapshot => 'pg_snapshot', '', '10:20:10,14,15' ],
	[ int2vector => 'int2vector', '<', '1 2 3', '-5' ],
	[ oidvector => 'oidvector', '<', '1 2 3', '7' ],
	[ aclitem => 'aclitem', '=', 'postgres=r*w/postgres', '=U/postgres' ],
	[ mood => 'mood', '<', 'sad', 'fine', 'Ünïcode mood' ],
	[ positive => 'positive', '<', '1', '2147483647' ],
	[ int_list => 'int_list', '<', '{}', '{1,2,NULL}' ],
	[ pair => 'pair', '<', '(1,x)', '(,)', '(2,"a ""b""")' ],
	[ nested => 'nested', '<', '("(1,x)",2020-01-01,"{1,2}")', '(,,)' ],
	[ pair_domain => 'pair_domain', '<', '(1,x)', '(2,)' ],
	[ int4_array => 'int4[]', '<', '{}', '{1,NULL,3}', '{{1,2},{3,4}}', '[5:6]={7,8}' ],
	[ text_array => 'text[]', '<', '{}', '{a,"b c",NULL,"NULL","q\\\\u\\"x"}' ],
	[ mood_array => 'mood[]', '<', '{sad,NULL}' ],
	[ pair_array => 'pair[]', '<', '{"(1,x)",NULL,"(2,\"a b\")"}' ],
	[ range_array => 'int4range[]', '<', '{"[1,3)",empty}' ],
	[ timestamptz_array => 'timestamptz[]', '<', '{"2020-01-01 00:00+00",infinity}' ],
);

# What keeps a result out of the cache: a part of the query, and why.
my $record = [ 'unnest', 'u is of type record' ];
my %uncached = (
	aclitem => [ '::text', 'what its output function reads is not known' ],
	pair => $record,
	nested => $record,
	pair_domain => $record,
	'pair[]' => $record,
);

# Questions: what it takes, the query with T for the table, and whether it has a
# parameter of the type.
my @questions = (
	[ '', 'SELECT * FROM T ORDER BY id' ],
	[ '', 'SELECT id, v::text, vs::text, v IS NULL FROM T ORDER BY id DESC' ],
	[ '', 'SELECT count(v), array_agg(v ORDER BY id), (SELECT vs FROM T WHERE id = 1) FROM T' ],
	[ '', 'SELECT t, to_jsonb(v) FROM T t ORDER BY id' ],
	[ '', 'SELECT a.id, u FROM T a, unnest(a.vs) WITH ORDINALITY u ORDER BY a.id, u.ordinality' ],
	[ '', 'SELECT id, lag(v) OVER (ORDER BY id), CASE WHEN id % 2 = 1 THEN v END AS odd FROM T ORDER BY id' ],
	[ '', 'SELECT $1 AS p, id, coalesce(v, $1) FROM T ORDER BY id', 1 ],
	[ '', 'SELECT id, v FROM T WHERE v::text = $1::text ORDER BY id', 1 ],
	[ '=', 'SELECT id, v FROM T WHERE v = $1 OR id = 1 ORDER BY id', 1 ],
	[ '<', 'SELECT DISTINCT v FROM T ORDER BY v DESC NULLS LAST' ],
	[ '<', 'SELECT v, count(*) FROM T a JOIN T b USING (v) GROUP BY v ORDER BY v' ],
	[ '<', 'SELECT v FROM T WHERE v >= $1 UNION ALL SELECT v FROM T WHERE v IS NULL ORDER BY 1', 1 ],
);

sub literal
{
	my ($value) = @_;

	return 'NULL' unless defined $value;
	$value =~ s/'/''/g;
	return "'$value'";
}

# tables(): the statements that make the tables
sub tables
{
	my @statements;

	foreach my $entry (@types)
	{
		my ($name, $type, $can, @values) = @$entry;
		my $array = $type =~ /\]$/ ? 'ARRAY[v, v]' : 'ARRAY[v, NULL, v]';
		my $n = 0;

		push @statements, "CREATE TABLE t_$name (id int PRIMARY KEY, v $type, vs $type\[])",
		  "INSERT INTO t_$name (id, v) VALUES " . join(', ', map { '(' . ++$n . ', ' . literal($_) . ')' } @values, undef),
		  "UPDATE t_$name SET vs = $array\::$type\[]";
	}
	return @statements;
}

# queries(): families as Queries.pm has them
sub queries
{
	my @families;

	foreach my $entry (@types)
	{
		my ($name, $type, $can, @values) = @$entry;
		my @queries;

		foreach my $question (@questions)
		{
			my ($takes, $text, $asks) = @$question;

			next unless $takes eq '' || $takes eq $can || $can eq '<';
			$text =~ s/\bT\b/t_$name/g;
			# arrays of arrays have to have the same dimensions
			$text =~ s/array_agg\(v /array_agg(v::text / if $type =~ /\]$|vector$|_list$/;
			push @queries, { text => $text, ordered => 1, set => [], types => $asks ? [$type] : [], with => $asks ? [ map { [$_] } @values, undef ] : [],
				$uncached{$type} && index($text, $uncached{$type}[0]) >= 0 ? (uncached => $uncached{$type}[1]) : () };
		}
		push @families, { name => "type $name", queries => \@queries };
	}
	return @families;
}

1;

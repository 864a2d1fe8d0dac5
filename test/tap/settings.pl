# Whatever a session sets, the cache answers as the query itself would: every
# setting that a plain user can change is set to other values, and a family of
# queries is asked both ways, as json and as rows, with tags and without.  What
# was cached under one value must not be served under another.

use strict;
use warnings;
use utf8;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary', init => [ extra => [ '--encoding', 'UTF8' ] ], fsync => 'off',
	'cache.l1_max_entries' => 50000, 'cache.l1_memory' => '256MB', log_statement => 'none');

$node->safe_psql('postgres', <<'SQL');
CREATE ROLE regress_cache_user LOGIN;
CREATE SCHEMA s1;
CREATE SCHEMA s2;
CREATE TABLE moments (id int, d date, ts timestamp, tz timestamptz, t time, iv interval, r tstzrange);
INSERT INTO moments VALUES
	(1, '2024-02-03', '2024-02-03 04:05:06.789', '2024-02-03 22:05:06.789+00', '23:59', '1 year 2 months -3 days 04:05:06.7', '[2024-02-03 22:00+00,)'),
	(2, '0044-03-15 BC', 'infinity', '1999-07-08 01:02:03+09', '00:00', '-1 hour', 'empty');
CREATE TABLE numbers (id int, f8 float8, f4 float4, n numeric, m money, b bytea, fs float8[]);
INSERT INTO numbers VALUES (1, 1.0 / 3, 1.0 / 3, 12345.678, 12345.67, '\x00ff5c41', '{0.1,NULL,1e300}'),
	(2, 'NaN', '-Infinity', -0.5, -1, 'abc\\', NULL);
CREATE TABLE texts (id int, x text, a text);
INSERT INTO texts VALUES (1, '<a>é</a>', '{NULL,"null",b}'), (2, '<a/><b/>', '{}');
CREATE TABLE "Odd one" (r regclass, p regprocedure, t regtype);
INSERT INTO "Odd one" VALUES ('"Odd one"', 'lower(text)', 'timestamptz');
CREATE TABLE s1.both AS SELECT 's1' AS v;
CREATE TABLE s2.both AS SELECT 's2' AS v;
INSERT INTO "Odd one" VALUES ('s1.both', 'upper(text)', 's2.both');
CREATE VIEW shown AS SELECT id, tz::date AS d, tz::text AS tz, tz > '2024-02-04' AS later FROM moments;
CREATE TABLE secret (tenant text, v int);
INSERT INTO secret VALUES ('a', 1), ('b', 2), ('', 4);
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (tenant = current_setting('app.x', true));
CREATE FUNCTION tenants() RETURNS bigint STABLE LANGUAGE sql SET search_path = public AS 'SELECT count(*) FROM secret';
GRANT SELECT ON ALL TABLES IN SCHEMA public, s1, s2 TO regress_cache_user;
GRANT USAGE ON SCHEMA s1, s2 TO regress_cache_user;
SQL

# Query, columns for cached_rows; the last says that it needs tags.
my @queries = (
	[ 'SELECT d, ts, tz, t, r FROM public.moments ORDER BY id', 'd date, ts timestamp, tz timestamptz, t time, r tstzrange' ],
	[ 'SELECT d::text, ts::text, tz::text AS z, r::text, array[d, d]::text AS a FROM public.moments ORDER BY id', 'd text, ts text, z text, r text, a text' ],
	[ 'SELECT iv, iv::text AS i, justify_days(iv) AS j FROM public.moments ORDER BY id', 'iv interval, i text, j interval' ],
	[ 'SELECT f8, f4, f8::text AS t, f4::text AS u, fs, fs::text AS v FROM public.numbers ORDER BY id', 'f8 float8, f4 float4, t text, u text, fs float8[], v text' ],
	[ 'SELECT b, b::text AS t FROM public.numbers ORDER BY id', 'b bytea, t text' ],
	[ q(SELECT m, m::text AS t, n::money AS k, '1.50'::money AS c FROM public.numbers ORDER BY id), 'm money, t text, k money, c money' ],
	[ 'SELECT xmlelement(name a, xmlattributes(b AS b), f8) AS x, xmlelement(name t, b)::text AS t FROM public.numbers ORDER BY id', 'x xml, t text' ],
	[ 'SELECT x::xml AS x FROM public.texts ORDER BY id', 'x xml' ],
	[ q(SELECT '<a/><b/>'::xml AS x), 'x xml' ],
	[ q(SELECT to_tsvector('the cats sat')::text AS v, plainto_tsquery('die Katzen')::text AS q, ts_headline('the cats', to_tsquery('cat')) AS h), 'v text, q text, h text' ],
	[ 'SELECT r, r::text AS s, p, t, format_type(t, -1) AS f FROM public."Odd one" ORDER BY r::oid', 'r regclass, s text, p regprocedure, t regtype, f text' ],
	[ q(SELECT to_char(tz, 'TMDay, DD TMMonth YYYY HH24:MI TZ') AS a, to_char(ts, 'TMDy') AS b, to_char(1234.5, 'L9G999D99') AS c, to_date('3 2 24', 'DD MM YY') AS d FROM public.moments ORDER BY id), 'a text, b text, c text, d date' ],
	[ q(SELECT to_jsonb(tz) AS a, json_build_object('t', tz, 'i', iv) AS b, row_to_json(m) AS c FROM public.moments m ORDER BY id), 'a jsonb, b json, c json' ],
	[ q(SELECT '{NULL,"null",a}'::text[] AS a, '{null}'::int[] AS b), 'a text[], b int[]' ],
	[ 'SELECT a::text[] AS a FROM public.texts ORDER BY id', 'a text[]', 1 ],
	[ q(SELECT 'a\\nb' AS a, 'it\\\\''s' AS b, E'a\\nb' AS c, 'a' LIKE '\\a' AS d), 'a text, b text, c text, d bool' ],
	[ q(SELECT E'it\\'s' AS a), 'a text' ],
	[ q(SELECT '2024-01-02 03:04:05'::timestamptz AS a, '01/02/03'::date AS b, '2024-07-02 03:04 IST'::timestamptz AS c, '1 2:03'::interval AS d), 'a timestamptz, b date, c timestamptz, d interval' ],
	[ q(SELECT '13/01/2024'::date AS a), 'a date' ],
	[ q(SELECT id FROM public.moments WHERE tz < '2024-02-03 22:30' AND d < '04/03/2024' ORDER BY id), 'id int' ],
	[ q(SELECT date_trunc('day', tz) AS a, extract(hour FROM tz) AS b, tz::date AS c, ts::timestamptz AS d, tz + interval '1 day' AS e FROM public.moments ORDER BY id), 'a timestamptz, b numeric, c date, d timestamptz, e timestamptz' ],
	[ 'SELECT * FROM public.shown ORDER BY id', 'id int, d date, tz text, later bool' ],
	[ 'SELECT * FROM public.shown s, public.numbers n WHERE s.id = n.id AND n.f8 = NULL', 'id int, d date, tz text, later bool, i int, f8 float8, f4 float4, n numeric, m money, b bytea, fs float8[]' ],
	[ 'SELECT count(*) AS c FROM public.texts WHERE NULL = NULL OR x = NULL', 'c bigint' ],
	[ 'SELECT v FROM both', 'v text' ],
	[ q(SELECT format('%I', 'plain') AS f, quote_ident('plain') AS q), 'f text, q text' ],
	[ q(SELECT pg_get_viewdef('public.shown'::regclass) AS d), 'd text', 1 ],
	[ q(SELECT current_schema() AS s, current_schemas(true) AS p, current_setting('DateStyle') AS d), 's name, p name[], d text' ],
	[ 'SELECT tenant, v FROM public.secret', 'tenant text, v int' ],
	[ q(SELECT current_setting('app.x', true) AS s), 's text' ],
	[ 'SELECT public.tenants() AS n', 'n bigint', 1 ],
	[ q(SELECT 'é' AS e, upper('é') AS u, convert_to('é', 'LATIN1') AS c, length('é') AS l), 'e text, u text, c bytea, l int' ],
	[ 'SELECT id, 1 / (id - 2) AS q FROM public.texts ORDER BY id', 'id int, q int' ],
);

# Each query plain, then twice in every form.
my @labels;
my $script = '';
sub probe
{
	my ($label, $command) = @_;

	push @labels, $label;
	$script .= "\\echo \@\@\n$command;\n\\if :ERROR\n\\echo ERROR: :LAST_ERROR_MESSAGE\n\\endif\n";
	return;
}
foreach my $number (0 .. $#queries)
{
	my ($query, $columns, $needs_tags) = @{ $queries[$number] };

	probe("$number json plain", "SELECT row_to_json(answer) FROM ($query) answer");
	probe("$number rows plain", $query);
	foreach my $tags ($needs_tags ? () : 'NULL', q('{x}'))
	{
		foreach my $time (qw(first second))
		{
			probe("$number json $tags $time", "SELECT public.cached_query(\$cached\$$query\$cached\$, 300, $tags)");
			next if $tags ne 'NULL' && !$needs_tags;
			probe("$number rows $tags $time", "SELECT * FROM public.cached_rows(\$cached\$$query\$cached\$, 300, $tags) AS t($columns)");
		}
	}
}

my $session = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-U', 'regress_cache_user' ]);

# The error of a command in the session; it may say other things as well.
sub error_of
{
	$session->query($_[0]);
	my $error = $session->{stderr} =~ /ERROR:  (.*)/ ? $1 : undef;
	$session->{stderr} = '';
	return $error;
}

# Ask everything, as the session is; returns how many were served from the cache.
sub ask
{
	my $name = shift;
	my $hits = q(SELECT l1_hits FROM public.cache_stats);
	my $before = $node->safe_psql('postgres', $hits);
	my $output = $session->query("$script\\echo \@\@\n");
	my (undef, @answers) = split /^@@\n?/m, "$output\n";
	my (%plain, @differences);

	$session->{stderr} = '';
	foreach my $i (0 .. $#labels)
	{
		my ($number, $form, $how) = split / /, $labels[$i], 3;
		my $answer = $answers[$i] // 'no answer';

		if ($how eq 'plain')
		{
			$plain{"$number $form"} = $answer;
		}
		elsif ($answer ne $plain{"$number $form"})
		{
			push @differences, "$queries[$number][0]\n$form $how: $answer  plain: " . $plain{"$number $form"};
		}
	}
	is(join("\n", @differences), '', $name);
	return $node->safe_psql('postgres', $hits) - $before;
}

# What values a setting gets.
my %values = (
	'app.x' => [ 'a', 'b', '' ],
	application_name => ['other'],
	client_encoding => [qw(UTF8 LATIN1 WIN1252 SQL_ASCII)],
	DateStyle => [ 'ISO, DMY', 'ISO, YMD', 'SQL, DMY', 'SQL, MDY', 'German', 'Postgres, MDY' ],
	TimeZone => [ 'UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata', '<+05>-05' ],
	default_text_search_config => [qw(simple english german)],
	extra_float_digits => [ -15, 0, 3 ],
	search_path => [ 's1', 's2', 's2, s1', 's1, public', 'pg_catalog, s1', '"$user", public', 'public, pg_catalog, s2' ],
	timezone_abbreviations => [qw(Default Australia India)],
	(map { ($_ => [qw(C POSIX C.UTF-8 en_US.UTF-8 de_DE.UTF-8)]) } qw(lc_monetary lc_numeric lc_time)),
);

# Not one that ends the session at an error, nor those of the transaction; nor the
# one that forces plain queries into workers, which do not know of a custom
# setting that was reset.
my $settings = $node->safe_psql('postgres', <<'SQL');
SELECT name, vartype, setting, min_val, max_val, array_to_string(enumvals, ',')
FROM pg_settings
WHERE context = 'user' AND name NOT IN ('exit_on_error', 'debug_parallel_query') AND name NOT LIKE 'transaction\_%'
ORDER BY name
SQL
foreach my $line (split /\n/, $settings)
{
	my ($name, $type, $value, $min, $max, $enum) = split /\|/, $line, -1;

	next if $values{$name};
	if ($type eq 'bool') { $values{$name} = [ $value eq 'on' ? 'off' : 'on' ]; }
	elsif ($type eq 'enum') { $values{$name} = [ split /,/, $enum ]; }
	elsif ($type eq 'string') { $values{$name} = [ $value ]; }
	else
	{
		# no timeout that a slow machine could meet
		my $other = $name =~ /timeout/ ? 3600000 : $value > 0 ? $value * 2 : 1000;

		$values{$name} = [ $min, $other > $max ? $max : $other ];
	}
}

# Without a cache, or not at this isolation level.
my %unused = ('cache.enabled = off' => 1, 'default_transaction_isolation = serializable' => 1);
my $set = 0;

ask('nothing is set');
foreach my $name (sort keys %values)
{
	foreach my $value (@{ $values{$name} })
	{
		# a list of names is not a string
		my $written = $name eq 'search_path' ? $value : "'$value'";

		my $error = error_of("SET $name = $written");
		if (defined $error)
		{
			note("$name cannot be set to $value: $error");
			next;
		}
		$set++;

		my $hits = ask("$name = $value");
		if ($unused{"$name = $value"})
		{
			is($hits, 0, '... with which nothing is served from the cache');
		}
		else
		{
			cmp_ok($hits, '>=', @queries, '... with hits');
		}
		error_of("RESET $name") and die "cannot reset $name";
	}
}
cmp_ok($set, '>', 150, 'most of them could be set');
cmp_ok(ask('nothing is set any more'), '>', 3 * @queries, '... with hits');

# Several at once, in turn with none.
foreach my $values ("DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Kolkata'; SET search_path = s2; SET app.x = 'a'; SET IntervalStyle = sql_standard",
	"DateStyle = 'SQL, DMY'; SET TimeZone = 'Europe/Berlin'; SET search_path = s2; SET app.x = 'b'; SET standard_conforming_strings = off",
	"ROLE none; SET transform_null_equals = on; SET array_nulls = off; SET bytea_output = escape; SET xmlbinary = hex")
{
	$session->query_safe("SET $values");
	ask("SET $values");
	$session->query_safe('RESET ALL');
	ask('... and reset');
}
is($node->safe_psql('postgres', 'SELECT cache_verify()'), '', 'shared memory adds up');
$session->quit;
$node->stop;
done_testing();

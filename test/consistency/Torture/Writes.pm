# Torture::Writes: the changes that are made.
#
# A write is a name and what to run: an SQL command, a list of them, or for COPY
# a command and its lines.  inc is what versions are raised by.  Rows with ids
# above 1000 belong to no one; they come and go.

package Torture::Writes;

use strict;
use warnings;
use Torture::Random;

sub loose_id { return 1001 + below(40); }

my @writes = (
	update => 12, sub { 'UPDATE plain SET ver = ver + %d, val = val + 1 WHERE id = ' . (1 + below(40)) },
	update_group => 4, sub { 'UPDATE plain SET ver = ver + %d WHERE id <= 40 AND grp = ' . below(4) },
	update_nothing => 2, sub { 'UPDATE plain SET ver = ver + %d WHERE id = 0' },
	insert => 3, sub { my $i = loose_id(); "INSERT INTO plain VALUES ($i, $i % 4, %d, $i)" },
	delete => 3, sub { 'DELETE FROM plain WHERE id > 1000 AND grp = ' . below(4) },
	merge => 4, sub {
		my $i = pick(1 + below(40), loose_id());
		"MERGE INTO plain p USING (VALUES ($i)) s(id) ON p.id = s.id"
		  . ' WHEN MATCHED THEN UPDATE SET ver = p.ver + %d'
		  . " WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.id % 4, 1, s.id)" },
	on_conflict => 4, sub {
		my $i = pick(1 + below(40), loose_id());
		"INSERT INTO plain VALUES ($i, $i % 4, 1, $i) ON CONFLICT (id) DO UPDATE SET ver = plain.ver + %d" },
	cte => 4, sub {
		'WITH w AS (UPDATE parent SET ver = ver + %d WHERE grp = ' . below(4) . ' RETURNING id) SELECT count(*) FROM w' },
	cte_trigger => 2, sub {
		'WITH w AS (UPDATE plain SET ver = ver + %d WHERE id = ' . (1 + below(40)) . ' RETURNING id) SELECT * FROM w' },
	copy => 3, sub {
		my $i = loose_id();
		return [ 'COPY plain FROM STDIN', map { sprintf("%d\t%d\t1\t7\n", $_, $_ % 4) } $i .. $i + 1 ] },
	copy_part => 3, sub {
		my $i = loose_id();
		return [ 'COPY part FROM STDIN', map { sprintf("%s\t%d\t%d\t1\t7\n", pick('a', 'b', 'c'), $_, $_ % 4) } $i .. $i + 1 ] },
	function => 4, sub { sprintf(q(SELECT t.bump('%s', %d, %%d)), pick('plain', 'part', 'base', 'child'), 1 + below(16)) },
	do_block => 3, sub { 'DO $do$ BEGIN UPDATE t.child SET ver = ver + %d WHERE id = ' . (1 + below(24)) . '; END $do$' },
	do_exception => 2, sub {
		'DO $do$ BEGIN BEGIN UPDATE t.tally SET ver = ver + 1000; RAISE division_by_zero;'
		  . ' EXCEPTION WHEN division_by_zero THEN UPDATE t.base SET ver = ver + %d WHERE id = '
		  . (1 + below(16)) . '; END; END $do$' },
	truncate_leaf => 2, sub { sprintf(q(SELECT t.refill('%s', %%d)), pick('part_a1', 'part_a2', 'part_b')) },
	truncate_part => 1, sub { q(SELECT t.refill('part', %d)) },
	truncate_branch => 1, sub { q(SELECT t.refill('part_a', %d)) },
	truncate_plain => 1, sub { q(SELECT t.refill('plain', %d)) },
	truncate_waste => 2, sub { 'TRUNCATE ' . pick('waste', 'waste_1', 'waste_2', 'waste_21') . ' CASCADE' },
	truncate_note => 1, sub { 'TRUNCATE waste_note' },
	waste => 7, sub {
		sprintf('INSERT INTO waste SELECT %d, i FROM generate_series(%d, %d) i ON CONFLICT DO NOTHING',
			1 + below(2), (map { $_, $_ + 2 } below(20))) },
	waste_note => 3, sub { sprintf(q(INSERT INTO waste_note SELECT kind, id, 'n' FROM waste WHERE id = %d), below(20)) },
	delete_waste => 2, sub { sprintf('DELETE FROM waste WHERE id = %d', below(20)) },
	part => 5, sub { 'UPDATE part SET ver = ver + %d WHERE id = ' . (1 + below(30)) },
	cross_partition => 6, sub {
		sprintf(q(UPDATE part SET ver = ver + %%d, region = '%s' WHERE id = %d), pick('a', 'b', 'c'), 1 + below(30)) },
	leaf => 4, sub { sprintf('UPDATE %s SET ver = ver + %%d WHERE id <= 30 AND grp = %d', pick('part_a', 'part_a1', 'part_b'), below(4)) },
	insert_leaf => 2, sub { sprintf(q(INSERT INTO part_b VALUES ('b', %d, 1, 1, 1)), loose_id()) },
	insert_part => 2, sub { sprintf(q(INSERT INTO part VALUES ('%s', %d, 1, 1, 1)), pick('a', 'b', 'x'), loose_id()) },
	delete_part => 2, sub { sprintf(q(DELETE FROM part WHERE id > 1000 AND region = '%s'), pick('a', 'b', 'c', 'x')) },
	loose => 2, sub { 'UPDATE part_x SET ver = ver + %d' },
	cascade_update => 4, sub {
		my $i = 1 + below(12);
		"UPDATE parent SET ver = ver + %d, id = CASE WHEN id > 100 THEN id - 100 ELSE id + 100 END WHERE id IN ($i, $i + 100)" },
	cascade_insert => 2, sub {
		my $i = loose_id();
		"WITH p AS (INSERT INTO parent VALUES ($i, $i % 4, %d) RETURNING id) INSERT INTO child SELECT p.id, 1, 1 FROM p" },
	cascade_child => 2, sub { sprintf('UPDATE child SET parent = (SELECT min(id) FROM parent WHERE id > 1000) WHERE id > 1000 AND EXISTS (SELECT FROM parent WHERE id > 1000)') },
	cascade_delete => 2, sub { 'DELETE FROM parent WHERE id > 1000' },
	inherited => 3, sub { 'UPDATE base SET ver = ver + %d WHERE id = ' . (1 + below(16)) },
	heir => 2, sub { 'UPDATE kid SET ver = ver + %d WHERE id = ' . (9 + below(8)) },
	insert_heir => 1, sub { 'INSERT INTO kid VALUES (' . loose_id() . ', 1, 1)' },
	delete_heir => 1, sub { 'DELETE FROM base WHERE id > 1000' },
	post => 6, sub { 'UPDATE post SET ver = ver + %d, val = val + 1 WHERE id = ' . (1 + below(40)) },
	post_author => 2, sub { 'UPDATE post SET ver = ver + %d WHERE author = ' . (1 + below(4)) },
	post_insert => 4, sub { sprintf('INSERT INTO post VALUES (%d, %d, %%d, 1) ON CONFLICT (id) DO UPDATE SET author = EXCLUDED.author, val = 2', loose_id(), 1 + below(4)) },
	post_move => 8, sub { sprintf('UPDATE post SET author = %d, val = val + 1 WHERE id IN (SELECT id FROM post WHERE id > 1000 ORDER BY id LIMIT 2)', 1 + below(4)) },
	post_delete => 3, sub { 'DELETE FROM post WHERE id > 1000 AND author = ' . (1 + below(4)) },
	post_merge => 3, sub {
		my $i = pick(1 + below(40), loose_id());
		"MERGE INTO post p USING (VALUES ($i)) s(id) ON p.id = s.id"
		  . ' WHEN MATCHED AND p.id > 1000 THEN DELETE'
		  . ' WHEN MATCHED THEN UPDATE SET ver = p.ver + %d'
		  . " WHEN NOT MATCHED THEN INSERT VALUES (s.id, 1 + s.id % 4, 1, s.id)" },
	post_copy => 2, sub {
		my $i = loose_id();
		return [ 'COPY post FROM STDIN', map { sprintf("%d\t%d\t1\t7\n", $_, 1 + $_ % 4) } $i .. $i + 1 ] },
	post_function => 2, sub { sprintf(q(SELECT t.bump('post', %d, %%d)), 1 + below(40)) },
	post_truncate => 0.3, sub { sprintf(q(SELECT t.refill('%s', %%d)), pick('post', 'post_part', 'post_part_b1')) },
	writer => 2, sub { 'UPDATE writer SET ver = ver + %d WHERE id = ' . (1 + below(4)) },
	post_part => 3, sub { 'UPDATE post_part SET ver = ver + %d WHERE id = ' . (1 + below(24)) },
	post_part_insert => 3, sub { sprintf(q(INSERT INTO post_part VALUES ('%s', %d, %d, 1) ON CONFLICT DO NOTHING), pick('a', 'b'), loose_id(), 1 + below(4)) },
	post_part_move => 5, sub {
		sprintf(q(UPDATE post_part SET ver = ver + %%d, region = '%s' WHERE id = %d), pick('a', 'b'), 1 + below(24)) },
	post_part_author => 3, sub {
		sprintf(q(UPDATE post_part SET author = %d, region = '%s' WHERE id = %d), 1 + below(4), pick('a', 'b'), 1 + below(24)) },
	post_leaf => 2, sub { sprintf('UPDATE post_part_b1 SET author = %d WHERE id = %d', 1 + below(4), 1 + below(24)) },
	post_part_delete => 2, sub { sprintf(q(DELETE FROM post_part WHERE id > 1000 AND region = '%s'), pick('a', 'b')) },
	post_base => 2, sub { sprintf('UPDATE %s SET ver = ver + %%d, author = %d WHERE id = %d', pick('post_base', 'post_kid'), 1 + below(4), 1 + below(16)) },
	owner => 3, sub {
		sprintf(q(UPDATE secret_user SET ver = ver + %%d, owner = 'torture_%s' WHERE id = %d), pick('app1', 'app2', 'none'), 1 + below(18)) },
	tenant => 3, sub {
		sprintf(q(UPDATE secret_tenant SET ver = ver + %%d, tenant = '%s' WHERE id = %d), pick('red', 'blue'), 1 + below(12)) },
	extra => 1, sub { 'UPDATE extra SET ver = ver + %d WHERE id = ' . (1 + below(4)) },
	priv => 1, sub { 'UPDATE priv SET ver = ver + %d WHERE id = ' . (1 + below(4)) },
	switch => 2, sub { sprintf('UPDATE %s.switch SET ver = ver + %%d WHERE id = %d', pick('t', 'alt'), 1 + below(4)) },
);

my (@weights, %makers);
for (my $i = 0; $i < @writes; $i += 3)
{
	push @weights, $writes[$i], $writes[ $i + 1 ];
	$makers{ $writes[$i] } = $writes[ $i + 2 ];
}

# random_write(INC): a hash of name, sql and maybe lines
sub random_write
{
	my ($inc) = @_;
	my $name = weighted(@weights);
	my $made = $makers{$name}->();
	my ($sql, @lines) = ref $made ? @$made : ($made);

	# no sprintf: there are other percent signs
	$sql =~ s/%d/$inc/;
	return { name => $name, sql => $sql, lines => \@lines };
}

# random_refresh(): how to refresh the materialized view
sub random_refresh
{
	return 'REFRESH MATERIALIZED VIEW ' . (chance(50) ? 'CONCURRENTLY ' : '') . 't.mv';
}

my @definitions = (
	view => 3, sub {
		sprintf('CREATE OR REPLACE VIEW t.v_plain AS SELECT grp, count(*) AS n, sum(ver)::bigint + %d AS v FROM t.plain GROUP BY grp', below(1000)) },
	function => 3, sub {
		sprintf('CREATE OR REPLACE FUNCTION t.label(i int) RETURNS text LANGUAGE sql IMMUTABLE AS $f$ SELECT \'label %d of \' || i $f$', below(1000)) },
	inner_function => 3, sub {
		sprintf('CREATE OR REPLACE FUNCTION t.scaled(i int) RETURNS bigint LANGUAGE sql STABLE AS $f$ SELECT ver * %d FROM t.extra WHERE id = i $f$', below(1000)) },
	add_column => 3, sub { sprintf('ALTER TABLE t.extra ADD COLUMN IF NOT EXISTS c%d int DEFAULT %d', below(2), below(1000)) },
	drop_column => 3, sub { sprintf('ALTER TABLE t.extra DROP COLUMN IF EXISTS c%d', below(2)) },
	create_policy => 2, sub {
		my $m = below(3);
		('DROP POLICY IF EXISTS few ON t.secret_user',
		 "CREATE POLICY few ON t.secret_user AS RESTRICTIVE USING (id % 3 <> $m OR val < 5)") },
	drop_policy => 2, sub { 'DROP POLICY IF EXISTS few ON t.secret_user' },
	alter_policy => 2, sub {
		pick(q(ALTER POLICY ours ON t.secret_tenant USING (tenant = current_setting('app.tenant', true))),
			q(ALTER POLICY ours ON t.secret_tenant USING (tenant = current_setting('app.tenant', true) AND id > 4))) },
	grant => 3, sub { 'GRANT SELECT ON t.priv TO torture_' . pick('app1', 'app2', 'none') },
	revoke => 3, sub { 'REVOKE SELECT ON t.priv FROM torture_' . pick('app1', 'app2', 'none') },
	detach => 4, sub {
		q(DO $do$ BEGIN IF (SELECT relispartition FROM pg_class WHERE oid = 't.part_x'::regclass) THEN
			ALTER TABLE t.part DETACH PARTITION t.part_x;
		ELSE ALTER TABLE t.part ATTACH PARTITION t.part_x FOR VALUES IN ('x'); END IF; END $do$) },
	inherit => 1, sub {
		q(DO $do$ BEGIN IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = 't.part_x'::regclass) THEN NULL;
		ELSE UPDATE t.part_x SET ver = ver + 1; END IF; END $do$) },
	told => 4, sub {
		sprintf('ALTER TABLE t.%s %s TRIGGER cache_invalidate_row', pick('post', 'post_part_b1', 'post_kid'),
			weighted('ENABLE ALWAYS' => 60, 'DISABLE' => 25, 'ENABLE' => 15)) },
	attach => 2, sub {
		sprintf(q(SELECT public.cache_attach('t.post', ARRAY['post', 'post:$id', '%s'])), pick('author:$author', 'by:$author')) },
	index => 2, sub { pick('CREATE INDEX IF NOT EXISTS plain_val ON t.plain (val)', 'DROP INDEX IF EXISTS t.plain_val') },
	analyze => 2, sub { 'ANALYZE t.' . pick('plain', 'part', 'child') },
);
my (@definition_weights, %definition_makers);
for (my $i = 0; $i < @definitions; $i += 3)
{
	push @definition_weights, $definitions[$i], $definitions[ $i + 1 ];
	$definition_makers{ $definitions[$i] } = $definitions[ $i + 2 ];
}

# random_definition(): the name and the commands of a change of definitions
sub random_definition
{
	my $name = weighted(@definition_weights);
	return { name => $name, sql => [ $definition_makers{$name}->() ] };
}

1;

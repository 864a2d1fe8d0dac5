# Everything that a server's catalogs hold is known: of every built-in function,
# kind of expression and kind of range table entry somebody has said that it is
# harmless, or that it is refused.  A new one is neither believed nor forgotten.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use CacheTest;

my $node = cache_node('primary');
my $headers = $node->config_data('--includedir-server');
my $source = slurp_file('src/query/builtin.c');
my $depend = slurp_file('src/query/depend.c') . slurp_file('src/base/compat.h');

# Functions that are left out of builtin.c on purpose, in this version or a later one.
my @opaque = (
	# what somebody may do, maybe in other databases
	qr/^F_HAS_\w+_PRIVILEGE_/, qr/^F_PG_HAS_ROLE_/, qr/^F_ROW_SECURITY_ACTIVE_/,
	# statistics
	qr/^F_PG_STAT_GET_/,
	# catalogs, and names looked up in them
	qr/^F_PG_GET_/, qr/^F_PG_\w+_IS_VISIBLE$/, qr/^F_REG\w+IN$/, qr/^F_REGCLASS$/, qr/^F_TO_REG\w+$/,
	qr/^F_PG_INDEX\w*_HAS_PROPERTY$/,
	qw(F_ACLEXPLODE F_ACLITEMIN F_ACLITEMOUT F_COL_DESCRIPTION F_ENUM_FIRST F_ENUM_LAST
	  F_ENUM_RANGE_ANYENUM F_ENUM_RANGE_ANYENUM_ANYENUM F_OBJ_DESCRIPTION_OID
	  F_OBJ_DESCRIPTION_OID_NAME F_SHOBJ_DESCRIPTION F_PG_BASETYPE F_PG_COLLATION_FOR
	  F_PG_COLUMN_IS_UPDATABLE F_PG_DESCRIBE_OBJECT F_PG_EXTENSION_UPDATE_PATHS F_PG_FILENODE_RELATION
	  F_PG_IDENTIFY_OBJECT F_PG_IDENTIFY_OBJECT_AS_ADDRESS F_PG_MCV_LIST_ITEMS F_PG_OPTIONS_TO_TABLE
	  F_PG_RELATION_FILENODE F_PG_RELATION_FILEPATH F_PG_RELATION_IS_PUBLISHABLE
	  F_PG_RELATION_IS_UPDATABLE F_PG_REPLICATION_ORIGIN_OID F_PG_SEQUENCE_PARAMETERS
	  F_PG_TABLESPACE_DATABASES F_PG_TABLESPACE_LOCATION F_SATISFIES_HASH_PARTITION),
	# the state of the server, its files, its counters
	qr/^F_PG_TIMEZONE_/,
	qw(F_AGE_XID F_MXID_AGE F_PG_AVAILABLE_EXTENSIONS F_PG_AVAILABLE_EXTENSION_VERSIONS F_PG_CONFIG
	  F_PG_NUMA_AVAILABLE F_PG_POSTMASTER_START_TIME F_PG_SETTINGS_GET_FLAGS F_PG_SPLIT_WALFILE_NAME),
	# how a value is stored
	qw(F_PG_COLUMN_COMPRESSION F_PG_COLUMN_SIZE F_PG_COLUMN_TOAST_CHUNK_ID),
	# text that is read as a value, maybe as a time
	qr/^F_JSONB?_POPULATE_RECORD/, qr/^F_JSONB?_TO_RECORD/, qr/^F_PG_INPUT_/,
	# whole tables
	qr/^F_(TABLE|SCHEMA|DATABASE)_TO_XML/,
	# LANGUAGE sql, and looked into
	qw(F_ANYTEXTCAT F_TEXTANYCAT F_QUOTE_LITERAL_ANYELEMENT F_QUOTE_NULLABLE_ANYELEMENT
	  F_TS_DEBUG_REGCONFIG_TEXT F_TS_DEBUG_TEXT),
	# parsers by name; what the time zone makes of the time
	qw(F_TS_PARSE_TEXT_TEXT F_TS_TOKEN_TYPE_TEXT),
	qw(F_TIMEZONE_TIMESTAMP F_TIMEZONE_TIMESTAMPTZ F_TIMEZONE_TIMETZ),
	# encodings
	qw(F_PG_CHAR_TO_ENCODING F_PG_ENCODING_TO_CHAR),
	# what no query calls, and output of types that no value has
	qr/^F_FMGR_\w+_VALIDATOR$/, qr/SEND$/, qr/^F_ANY\w*_OUT$/, qr/_HANDLER_OUT$/,
	qw(F_EVENT_TRIGGER_OUT F_PG_DDL_COMMAND_OUT F_SHELL_OUT F_TRIGGER_OUT));

# Kinds of expressions that are refused, or parts of others.
my @refused = qw(
  AlternativeSubPlan CaseWhen CurrentOfExpr FieldStore InferenceElem JsonBehavior JsonExpr
  MergeSupportFunc NextValueExpr PlaceHolderVar ReturningExpr SetToDefault SubPlan TargetEntry
  WindowFuncRunCondition);

my %opaque = map { $_ => 1 } grep { !ref } @opaque;
my @patterns = grep { ref } @opaque;

sub is_opaque
{
	my ($name) = @_;
	return $opaque{$name} || grep { $name =~ $_ } @patterns;
}

# names of functions by their oids
my %macro = reverse slurp_file("$headers/utils/fmgroids.h") =~ /^#define (F_\w+) (\d+)$/mg;

# kinds in the table by name: a label stands for those before the next return
my (%kind, @labels);
foreach my $line (split /\n/, $source)
{
	push(@labels, $1) if $line =~ /^\s+case (F_\w+):/;
	next unless $line =~ /^\s+return BUILTIN_(\w+);/;
	$kind{$_} = $1 foreach @labels;
	@labels = ();
}
cmp_ok(scalar(keys %kind), '>', 300, 'there is a table');
is(join(' ', grep { $opaque{$_} } sort keys %kind), '', 'nothing is known and left out');

my @functions = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT p.oid, provolatile, prolang = 14, proname,
	EXISTS (SELECT FROM unnest(proargtypes) a JOIN pg_type t ON t.oid = a
		WHERE typtype = 'p' AND typname NOT IN ('cstring', 'internal')),
	'internal'::regtype = ANY (proargtypes)
FROM pg_proc p WHERE p.oid < 16384 ORDER BY 1
SQL
cmp_ok(scalar(@functions), '>', 3000, 'there are functions');

my (@forgotten, @volatile, @nameless, %name);
foreach (@functions)
{
	my ($oid, $volatility, $sql, $proname, $generic, $internal) = @$_;
	my $macro = $macro{$oid};

	$name{$macro} = $proname if $macro;
	push(@volatile, $macro) if $macro && $volatility eq 'v' && $kind{$macro};
	# no query can call these, and the others are harmless as declared
	next if $internal eq 't' || $volatility eq 'v' || ($volatility eq 'i' && $generic eq 'f');
	# made by initdb, in LANGUAGE sql, and looked into
	push(@nameless, $proname) if !$macro && $sql eq 'f';
	push(@forgotten, $macro) if $macro && !$kind{$macro} && !is_opaque($macro);
}
is(join(' ', @forgotten), '', 'every function that needs it is known, or left out on purpose');
is(join(' ', @nameless), '', '... also those without a name in fmgroids.h');
is(join(' ', @volatile), '', 'no VOLATILE function is known');

# What cannot be trusted.
my %untrusted = map { $name{$_} => 1 }
  grep { $name{$_} && (($kind{$_} // '') =~ /^(PERSONAL|TIME|SESSION)$/ || /^F_HAS_|^F_PG_HAS_ROLE|^F_ROW_SECURITY/) }
  keys %name;
my @trusted;
foreach my $name (sort keys %untrusted, qw(clock_timestamp timeofday))
{
	my ($result) = $node->psql('postgres', "SET cache.trusted_functions = 'pg_catalog.$name'");
	push(@trusted, $name) unless $result;
}
cmp_ok(scalar(keys %untrusted), '>', 60, 'there are functions that cannot be trusted');
is(join(' ', @trusted), '', '... none of which can be named');

# Kinds of expressions.
my @nodes = slurp_file("$headers/nodes/primnodes.h") =~ /^typedef struct (\w+)\s*\{[^}]*?\bExpr\s+xpr;/mg;
my %known = map { $_ => 1 } $depend =~ /\b(?:case T_|IsA\(\w+, )(\w+)/g;
cmp_ok(scalar(@nodes), '>', 40, 'there are kinds of expressions');
is(join(' ', grep { my $n = $_; !$known{$n} && !grep { $n eq $_ } @refused } @nodes), '',
	'... each of them is known or refused on purpose');

# Kinds of range table entries.
my ($kinds) = slurp_file("$headers/nodes/parsenodes.h") =~ /typedef enum RTEKind\s*\{(.*?)\}/s;
my @kinds = $kinds =~ /^\s*(RTE_\w+)/mg;
cmp_ok(scalar(@kinds), '>', 7, 'there are kinds of range table entries');
is(join(' ', grep { $depend !~ /\b$_\b/ } @kinds), '', '... each of them is known');

$node->stop;
done_testing();

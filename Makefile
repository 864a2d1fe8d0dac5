# Builds, installs and tests the extension cache.
#
#	make, make install, make installcheck	as for every extension (PGXS)
#	make check	the one gate: builds and tests a private copy, installs nothing
#			but missing packages; ONLY="regress tap" runs some stages
#	make check-fresh	make demo and make check on machines made new, as root;
#			STATES="minimal both" runs some, SUITES=trixie elsewhere
#	make check-matrix	make check, check-upstream and the packages in Debian
#			suites, as root; SUITES="trixie forky" STAGES="check package"
#	make check-upstream	PostgreSQL's own tests, without and with the library;
#			SUITES="parallel serial isolation"
#	make check-apps		applications with the cache and without: Django, node,
#			psycopg, PgBouncer, monitoring; APPS="django node"
#	make demo, make bench	show it, measure it; make demo-stop ends the demo
#	make indent	format the C sources
#	make torture	random reads and writes, every cached answer compared;
#			SECONDS=600 SEED=7; make torture-proof: tests notice what is broken
#	make fuzz	sqlsmith's random queries: crashes, wrong answers; SECONDS=, SEED=
#
# installcheck wants a running server with shared_preload_libraries = cache.

PG_CONFIG ?= pg_config
PGXS := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))
SERVER_H := $(wildcard $(shell $(PG_CONFIG) --includedir-server 2>/dev/null)/postgres.h)

MODULE_big = cache
# Every file of every room is built and linked.
OBJS = $(patsubst %.c,%.o,$(sort $(wildcard src/*.c src/*/*.c)))

EXTENSION = cache
DATA = src/cache--1.1.sql src/cache--1.0--1.1.sql

# sql/NAME.sql, test/isolation/specs/NAME.spec and test/tap/NAME.pl
REGRESS = basic values params keys functions tags transactions triggers policies named hints \
	parallel stats relstats transparent plain kept watch settings narrow monsters plans user_code newer
ISOLATION = automatic by_hand commit ddl narrow own_writes policies prepared privileges \
	raced_fill raced_function repeatable_read rollback savepoint subtransactions \
	wait_for_lock
ISOLATION_OPTS = --inputdir=$(srcdir)/test/isolation
PROVE_TESTS := $(sort $(wildcard test/tap/*.pl))
TAP_TESTS := $(if $(PROVE_TESTS),1)

# Parameters of callbacks and SQL functions are PostgreSQL's choice, so unused
# ones are not warned about.
# hiredis.pc may name the directory of hiredis.h; we include <hiredis/hiredis.h>.
# PostgreSQL's own headers, as system headers, are not warned about.
PG_CPPFLAGS = $(patsubst -I%/hiredis,-I%,$(shell pkg-config --cflags hiredis)) \
	-I$(srcdir)/src -isystem $(includedir_server) \
	-DPGDLLEXPORT='__attribute__((visibility("default")))'
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -fvisibility=hidden -MMD -MP
SHLIB_LINK = $(or $(shell pkg-config --libs hiredis),-lhiredis)
EXTRA_CLEAN = src/*.d src/*/*.d
override with_llvm = no

# Some environments put directories of stub libraries here.
unexport LIBRARY_PATH

# PGXS has a target check that only complains, so our targets take its place.
OURS = check check-fresh check-matrix check-upstream check-apps demo demo-stop bench indent torture torture-proof fuzz

ifneq ($(filter $(OURS),$(MAKECMDGOALS)),)

.PHONY: $(MAKECMDGOALS)

# Packages first: what follows needs them.
check:
	test/setup.sh
	@PG_CONFIG='$(PG_CONFIG)' ONLY='$(ONLY)' BREAK='$(BREAK)' REGRESS='$(REGRESS)' \
		ISOLATION='$(ISOLATION)' PROVE_TESTS='$(PROVE_TESTS)' \
		test/check.sh

check-fresh:
	test/setup.sh debootstrap git
	@SUITES='$(SUITES)' STATES='$(STATES)' ONLY='$(ONLY)' test/fresh/fresh.sh

check-matrix:
	test/setup.sh debootstrap git
	@SUITES='$(SUITES)' STAGES='$(STAGES)' ONLY='$(ONLY)' test/matrix/matrix.sh

check-upstream:
	test/setup.sh dpkg-dev
	@PG_CONFIG='$(PG_CONFIG)' SUITES='$(SUITES)' test/upstream/upstream.sh

check-apps:
	test/setup.sh nodejs npm pgbouncer python3-django python3-psycopg2 python3-psycopg
	@PG_CONFIG='$(PG_CONFIG)' APPS='$(APPS)' test/apps/apps.sh

demo:
	test/setup.sh
	@PG_CONFIG='$(PG_CONFIG)' test/demo/demo.sh

demo-stop:
	@PG_CONFIG='$(PG_CONFIG)' test/demo/demo.sh stop

bench:
	test/setup.sh
	@PG_CONFIG='$(PG_CONFIG)' test/bench/bench.sh

torture:
	test/setup.sh
	@PG_CONFIG='$(PG_CONFIG)' TORTURE_SECONDS='$(SECONDS)' SEED='$(SEED)' \
		test/consistency/torture.sh

torture-proof:
	test/setup.sh
	@PG_CONFIG='$(PG_CONFIG)' TORTURE_SECONDS='$(SECONDS)' SEED='$(SEED)' \
		test/consistency/proof.sh

fuzz:
	test/setup.sh dpkg-dev sqlsmith
	@PG_CONFIG='$(PG_CONFIG)' FUZZ_SECONDS='$(SECONDS)' SEED='$(SEED)' \
		test/sqlsmith/sqlsmith.sh

indent:
	test/setup.sh
	@PG_CONFIG='$(PG_CONFIG)' bash -c '. test/lib.sh && export PG_CONFIG && test/indent.pl'

$(filter-out $(OURS),$(MAKECMDGOALS)):
	$(MAKE) $@

else ifeq ($(and $(PGXS),$(SERVER_H)),)

$(error $(PG_CONFIG) has no headers of a PostgreSQL server; run test/setup.sh, \
	or name one that has, as in make PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config)

else

include $(PGXS)
PG_PROVE_FLAGS += -I $(srcdir)/test/tap
-include $(OBJS:.o=.d)

endif

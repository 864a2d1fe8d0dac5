#!/bin/bash
# proof.sh: does a test notice when a protection is missing?
#
# Builds the library without one protection at a time (src/base/breakage.h).  Each
# line of the table below names a protection and the test that must fail without
# it.  First all of these tests must pass with every protection; otherwise their
# failures would say nothing about what is missing.
#
# "torture" is the consistency checker, which must find a violation both in reads
# by cached_query and in plain SELECTs.  TORTURE_SECONDS bounds each run (90).
# Without STORE_CHECK a plain SELECT shows none: it is stored under a snapshot older
# than its reading of the clock, so the generations already tell what it has missed.
# The other tests are named as "make check" takes them.
#
# BREAK="WATCH UNTOLD" proves some protections only.

set -u
cd "$(dirname "$0")" || exit 1
export TORTURE_SECONDS=${TORTURE_SECONDS:-90}
output=$(mktemp "${TMPDIR:-/tmp}/cache-proof.XXXXXX") || exit 1
trap 'rm -f "$output"' EXIT
status=0

table='
FENCE		torture
STORE_CHECK	torture
ROLE		torture
OWN_WRITES	torture
OLD_ROW		torture
TICK_LAST	tap	stops
ACCEPT		tap	stops
READ_FIRST	tap	stops
FRESH_SNAPSHOT	tap	stops
OVERFLOW	regress	tags
PLAN_KEY	regress	kept
USER_CODE	regress	user_code
IMMUTABLE	regress	user_code
WATCH		regress	watch
UNTOLD		regress	narrow
PERMITTED	regress	plans
SIGNATURE	tap	redis
'

# The tests of a kind that the table names for the chosen protections.
tests_of()
{
	echo "$chosen" | awk -v kind="$1" '$2 == kind { print $3 }' | sort -u
}

# check BREAK STAGES REGRESS TAP
check()
{
	ONLY=$2 BREAK=$1 REGRESS=$3 ISOLATION='' PROVE_TESTS=$(printf 'test/tap/%s.pl ' $4) \
		../check.sh >"$output" 2>&1
}

fail()
{
	echo "not ok - $1"
	tail -30 "$output" | sed 's/^/    /'
	status=1
}

prove_by_torture()
{
	local form
	BREAK=$1 ./torture.sh >"$output" 2>&1
	for form in 'cached_query' 'plain SELECT'; do
		if grep -q "^\*\*\* violation.* ($form): " "$output"; then
			echo "ok - without $1, $form: $(sed -n "s/^\*\*\* \(violation.* ($form): .*\)/\1/p" "$output" | head -1)"
			[ -z "${VERBOSE:-}" ] || cat "$output"
		elif [ "$1 $form" = 'STORE_CHECK plain SELECT' ]; then
			echo "ok - without $1, $form: no violation, nor is one to be expected"
		else
			fail "without $1, $form: no violation was found"
		fi
	done
	echo "    $(sed -n 's/^torture: \(.*violations\)$/\1/p' "$output")"
}

# prove_by_check PROTECTION STAGE TEST: that stage fails, and no other.
prove_by_check()
{
	local regress='' tap=''
	if [ "$2" = tap ]; then tap=$3; else regress=$3; fi
	check "$1" "$2" "$regress" "$tap"
	if grep -q "^make check: FAILED: $2;" "$output"; then
		echo "ok - without $1: $2 $3 fails"
		[ -z "${VERBOSE:-}" ] || cat "$output"
	else
		fail "without $1: $2 $3 does not fail as it should"
	fi
}

chosen=$(echo "$table" | sed '/^$/d')
if [ -n "${BREAK:-}" ]; then
	chosen=$(echo "$chosen" | grep -wE "^($(echo $BREAK | tr ' ' '|'))")
	[ "$(echo "$chosen" | wc -l)" = "$(wc -w <<<"$BREAK")" ] ||
		{ echo "proof.sh: not all in the table: $BREAK"; exit 1; }
fi

# the control: nothing missing, long enough for what is found below
if echo "$chosen" | grep -qw torture; then
	if BREAK='' TORTURE_SECONDS=${CONTROL_SECONDS:-30} ./torture.sh >"$output" 2>&1; then
		echo "ok - with every protection: $(sed -n 's/^torture: \(.*violations\)$/\1/p' "$output")"
	else
		fail 'with every protection the checker fails as well'
		exit 1
	fi
fi
regress=$(tests_of regress) tap=$(tests_of tap)
if [ -n "$regress$tap" ]; then
	if check '' "${regress:+regress} ${tap:+tap}" "$(echo $regress)" "$tap"; then
		echo "ok - with every protection:" $regress $tap
	else
		fail 'with every protection some of the tests fail as well'
		exit 1
	fi
fi

while read -r protection kind name <&3; do
	case $kind in
		torture) prove_by_torture "$protection" ;;
		*) prove_by_check "$protection" "$kind" "$name" ;;
	esac
done 3<<<"$chosen"
exit $status

#!/bin/bash
# matrix.sh: everything, in every Debian suite: in a new root of each, one after
# the other, what suite.sh does there.  Ends with a table of results.
#
#	SUITES		which ("bookworm trixie forky")
#	STAGES		of suite.sh ("check upstream package")
#	ONLY		stages of make check (all)
#	KEEP=1		keep the roots
#
# Takes about half an hour and 3 GB for a suite.

set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../fresh/roots.sh"
suites=${SUITES:-bookworm trixie forky}
export LC_ALL=C

failed=					# what has failed; its logs are kept
roots_work cache-matrix

# told LOG WHAT: what suite.sh has said of something, or a dash.
told()
{
	local said
	said=$(sed -n "s/^suite.sh: $2: //p" "$1" | tail -n 1)
	echo "${said:--}"
}

format='%-10s %-11s %-8s %-18s %-26s %-30s %s\n'
summary=$(printf "$format" suite PostgreSQL hiredis 'Redis, Valkey' check upstream package)$'\n'
for suite in $suites; do
	echo "== $suite"
	log=$work/$suite.log
	roots_make "$work" "$suite" "$(dirname "$0")/suite.sh" || lib_die "debootstrap failed"
	roots_enter "$work/$suite.base" "$work/$suite.packages" STAGES="${STAGES:-}" ONLY="${ONLY:-}" \
		bash /fresh/suite.sh >"$log" 2>&1 ||
		{ failed="$failed $suite"; sed 's/^/    /' "$log" | tail -n 100; }
	sed -n 's/^suite.sh: /    /p' "$log"
	summary+=$(printf "$format" "$suite" "$(told "$log" PostgreSQL)" "$(told "$log" hiredis)" \
		"$(told "$log" servers)" "$(told "$log" check)" "$(told "$log" upstream)" \
		"$(told "$log" package)")$'\n'
	[ -n "${KEEP:-}" ] || rm -rf "${work:?}/$suite.base" "$work/$suite.packages"
done
printf '\n%s' "$summary"
[ -z "$failed" ] || { echo "make check-matrix: FAILED:$failed"; exit 1; }
echo "make check-matrix: all well"

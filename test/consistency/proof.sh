#!/bin/bash
# proof.sh: does the consistency checker notice when a protection is missing?
#
# Runs it on libraries built without one protection each (src/base/breakage.h), until
# there was a violation both in reads by cached_query and in plain SELECTs.
# TORTURE_SECONDS bounds each run (90).  Not so STORE_CHECK: what a plain SELECT
# stores is of a snapshot older than the clock it has read, so its generations tell
# as much, and nothing is to be found.  Fails if either goes through, or if the
# whole library does not, for then what is found says nothing about what is
# missing.

set -u
cd "$(dirname "$0")" || exit 1
export TORTURE_SECONDS=${TORTURE_SECONDS:-90}
output=$(mktemp "${TMPDIR:-/tmp}/cache-proof.XXXXXX") || exit 1
trap 'rm -f "$output"' EXIT
status=0

# the control: nothing missing, long enough for what is found below
if BREAK='' TORTURE_SECONDS=${CONTROL_SECONDS:-30} ./torture.sh >"$output" 2>&1; then
	echo "ok - with every protection: $(sed -n 's/^torture: \(.*violations\)$/\1/p' "$output")"
else
	echo "not ok - with every protection the checker fails as well"
	grep -A 3 '^\*\*\*' "$output" | sed 's/^/    /' | head -30
	tail -6 "$output" | sed 's/^/    /'
	exit 1
fi

for protection in ${BREAK:-FENCE STORE_CHECK ROLE OWN_WRITES OLD_ROW}; do
	BREAK=$protection ./torture.sh >"$output" 2>&1
	summary=$(sed -n 's/^torture: \(.*violations\)$/\1/p' "$output")
	for form in 'cached_query' 'plain SELECT'; do
		if grep -q "^\*\*\* violation.* ($form): " "$output"; then
			echo "ok - without $protection, $form: $(sed -n "s/^\*\*\* \(violation.* ($form): .*\)/\1/p" "$output" | head -1)"
			[ -z "${VERBOSE:-}" ] || cat "$output"
		elif [ "$protection $form" = 'STORE_CHECK plain SELECT' ]; then
			echo "ok - without $protection, $form: no violation, nor is one to be expected"
		else
			echo "not ok - without $protection, $form: no violation was found"
			tail -30 "$output" | sed 's/^/    /'
			status=1
		fi
	done
	echo "    $summary"
done
exit $status

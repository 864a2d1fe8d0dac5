#!/bin/bash
# fresh.sh: make demo and make check, from a clone, on machines that were just
# made: Debian roots by debootstrap, each in namespaces of its own, one for each
# of the states that state.sh knows.  Ends with a line for each state.
#
#	SUITES		of which Debian suites (bookworm)
#	STATES		which ("minimal server client both majors upgrade indent
#			locale blank twice sudo")
#	ONLY		stages of make check (all)
#	KEEP=1		keep the roots
#
# Takes about ten minutes and 2 GB for a state, one at a time.

set -u
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/roots.sh"
suites=${SUITES:-bookworm}
states=${STATES:-minimal server client both majors upgrade indent locale blank twice sudo}
export LC_ALL=C

failed=					# what has failed; its logs are kept
roots_work cache-fresh

summary=
for suite in $suites; do
	roots_make "$work" "$suite" "$(dirname "$0")/state.sh" || lib_die "debootstrap failed"
	for state in $states; do
		root=$work/$suite.$state
		echo "== $suite, $state"
		cp -a "$work/$suite.base" "$root" || exit 1
		roots_enter "$root" "$work/$suite.packages" SUITE="$suite" MIRROR="$mirror" \
			ONLY="${ONLY:-}" bash /fresh/state.sh "$state" >"$root.log" 2>&1
		result=$?
		line=$(sed -n 's/^state.sh: //p' "$root.log" | tail -n 1)
		if [ $result = 0 ]; then
			line="ok     $suite $line"
		else
			failed="$failed $suite.$state"
			sed 's/^/    /' "$root.log" | tail -n 60
			line="FAILED $suite $line"
		fi
		echo "$line"
		summary="$summary$line"$'\n'
		[ -n "${KEEP:-}" ] || rm -rf "$root"
	done
	[ -n "${KEEP:-}" ] || rm -rf "${work:?}/$suite.base"
done
printf '\n%s' "$summary"
[ -z "$failed" ] || { echo "make check-fresh: FAILED:$failed"; exit 1; }
echo "make check-fresh: all well"

#!/bin/bash
# suite.sh: run in a new root by matrix.sh.  In a clone there, with the PostgreSQL
# of the suite, and with both Redis and Valkey if the suite has them, which the
# tests of Redis then use in turn:
#
#	check		make check
#	upstream	make check-upstream
#	package		builds the Debian packages, installs them, and runs their tests
#			(debian/tests) against what is installed
#
# Each is run whatever became of those before.  Lines that begin with "suite.sh: "
# say how it went.
#
# From matrix.sh: STAGES, ONLY.

set -u
stages=${STAGES:-check upstream package}
checkout=/root/cache
failed=

say() { printf 'suite.sh: %s: %s\n' "$1" "$2"; }
die() { say failed "$*"; exit 1; }
. /fresh/system.sh

# version PACKAGE: the version that is installed, without Debian's part.
version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null | sed 's/^[0-9]*://; s/[-+~].*//'; }

# prepare: what make check would install, and the servers it has no need of.
prepare()
{
	local extra=
	install ca-certificates
	apt-cache show redis-server >/dev/null 2>&1 && extra="$extra redis-server"
	apt-cache show valkey-server >/dev/null 2>&1 && extra="$extra valkey-server"
	install $extra
	command git clone -q /fresh/cache.bundle "$checkout" || die "cannot clone"
	"$checkout/test/setup.sh" || die "setup.sh failed"
	say PostgreSQL "$(pg_config --version | awk '{ print $2 }')"
	say hiredis "$(pkg-config --modversion hiredis)"
	say servers "$(version redis-server)${extra:+ }$(version valkey-server)"
}

stage_check()
{
	local result
	make -C "$checkout" check ONLY="$ONLY" 2>&1 | tee /tmp/check.out
	result=${PIPESTATUS[0]}
	say check "$(sed -n 's/^make check: //p' /tmp/check.out | tail -n 1 | sed 's/ passed (.*//')"
	return "$result"
}

stage_upstream()
{
	local result
	make -C "$checkout" check-upstream 2>&1 | tee /tmp/upstream.out
	result=${PIPESTATUS[0]}
	say upstream "$(awk '$1 ~ /^(parallel|serial|isolation)$/ && NF >= 9 {
			printf "%s%s %s/%s", separator, $1, $4, $3
			separator = ", "
		}' /tmp/upstream.out)$([ "$result" = 0 ] || echo ' FAILED')"
	return "$result"
}

# The sources that are given to dpkg-buildpackage are a copy of the clone.
build_package()
{
	install build-essential debhelper fakeroot postgresql-server-dev-all libhiredis-dev pkgconf
	mkdir -p /tmp/package && cp -r "$checkout" /tmp/package/source &&
		cd /tmp/package/source && pg_buildext updatecontrol &&
		dpkg-buildpackage -us -uc -b
}

stage_package()
{
	(build_package) || { say package 'FAILED to build'; return 1; }
	(install /tmp/package/postgresql-*-cache_*.deb) || { say package 'FAILED to install'; return 1; }
	(cd /tmp/package/source && git clean -qdfx && git checkout -q . &&
		LC_ALL=C.UTF-8 sh debian/tests/installcheck) || { say package 'FAILED its tests'; return 1; }
	say package "$(dpkg-query -W -f '${Package} ${Version}\n' 'postgresql-*-cache' | paste -sd ' ')"
}

prepare
for stage in $stages; do
	"stage_$stage" || failed="$failed $stage"
done
[ -z "$failed" ] || die "$failed"

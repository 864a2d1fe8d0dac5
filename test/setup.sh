#!/bin/bash
# setup.sh: install with apt-get whatever is missing to build and test the
# extension, and the packages that are named as arguments.  Installs nothing that
# is there, and starts nothing.
#
# lib.sh says which pg_config is used; what is installed here completes it.  Only
# pg_bsd_indent is optional: without it "make check" skips one stage.
#
# "setup.sh --install PACKAGE..." is how it calls itself as root.

set -euo pipefail
named=${PG_CONFIG:-pg_config}
source "$(dirname "$0")/lib.sh"
export LC_ALL=C
packages=()

# install PACKAGE...: as root.  Another setup.sh waits for its turn: there is one
# file that keeps servers from being started.
install()
{
	local policy=/usr/sbin/policy-rc.d

	exec 9</var/lib/dpkg
	flock -w 1800 9 || lib_die "another setup.sh has not ended for half an hour"
	if [ ! -e "$policy" ]; then		# a package's scripts ask it
		trap "rm -f $policy" EXIT
		trap 'exit 130' INT TERM
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	env -u LIBRARY_PATH DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
		--no-install-recommends -o DPkg::Lock::Timeout=600 "$@" 9>&-
}

if [ "${1-}" = --install ]; then
	shift
	install "$@"
	exit
fi

# need PACKAGE COMMAND...: the package is needed unless the command succeeds.
need()
{
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || packages+=("$package")
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		lib_die "only root can install what is missing: ${packages[*]}"
	fi
}

# available PACKAGE...: does apt have them all?
available()
{
	local package
	for package in "$@"; do
		grep -q '^ *Candidate: [^(]' <<<"$(apt-cache policy "$package" 2>/dev/null)" || return
	done
}

# Without a pg_config and a server to complete: the newest that apt has.
newest_postgresql()
{
	local major newest=
	for major in $LIB_MAJORS; do
		if available "postgresql-$major" && available "postgresql-server-dev-$major"; then
			newest=$major
		fi
	done
	[ -n "$newest" ] ||
		lib_die "apt has no PostgreSQL of a version that the extension is for ($LIB_MAJORS)"
	echo "postgresql-$newest postgresql-server-dev-$newest"
}

need gcc command -v gcc
need libc6-dev test -f /usr/include/stdio.h
need make command -v make
need pkg-config command -v pkg-config
need libhiredis-dev pkg-config --exists hiredis
need perl command -v prove
need libdbd-pg-perl perl -MDBD::Pg -e 1
need libipc-run-perl perl -MIPC::Run -e 1
command -v valkey-server >/dev/null || need redis-server command -v redis-server
for package in "$@"; do
	case $package in
		debootstrap) need debootstrap test -x /usr/sbin/debootstrap ;;
		dpkg-dev) need dpkg-dev command -v dpkg-source ;;
		nodejs) need nodejs command -v node ;;
		pgbouncer) need pgbouncer test -x /usr/sbin/pgbouncer ;;
		python3-*) need "$package" /usr/bin/python3 -c "import ${package#python3-}" ;;
		*) need "$package" command -v "$package" ;;
	esac
done

# A pg_config that nobody named and that is not complete may be anybody's.
lacking=postgresql
if [ "$PG_CONFIG" != pg_config ]; then
	lacking=$(lib_lacks "$PG_CONFIG") ||
		lib_die "PG_CONFIG names $PG_CONFIG, which is no pg_config"
fi
packages+=($lacking)

if [ ${#packages[@]} -gt 0 ]; then
	command -v apt-get >/dev/null ||
		lib_die "there is no apt-get; please install what Debian calls ${packages[*]}"
	as_root apt-get update -q ||
		echo "setup.sh: apt-get update failed, see above; going on with what apt knows" >&2
	if [ "$named" = pg_config ] && ! { [ "$PG_CONFIG" != pg_config ] && available $lacking; }; then
		newest=$(newest_postgresql)
		packages=($(printf '%s\n' "${packages[@]}" | grep -v '^postgresql') $newest)
	fi
	for package in "${packages[@]}"; do
		available "$package" || lib_die "apt does not know the package $package;" \
			"see what apt-get update says, and whether the network can be reached"
	done
fi

# Nobody is asked for a password for what is optional.
optional=()
if ! command -v pg_bsd_indent >/dev/null && available pg-bsd-indent; then
	if [ ${#packages[@]} -gt 0 ] || [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; then
		optional=(pg-bsd-indent)
	fi
fi
[ $((${#packages[@]} + ${#optional[@]})) -gt 0 ] || exit 0

echo "setup.sh: installing ${packages[*]} ${optional[*]}"
if ! as_root "$LIB_CHECKOUT/test/setup.sh" --install "${packages[@]}" "${optional[@]}"; then
	[ ${#packages[@]} -eq 0 ] ||
		lib_die "apt-get could not install ${packages[*]}, see above"
	echo "setup.sh: going on without ${optional[*]}" >&2
fi

PG_CONFIG=$named
PG_CONFIG=$(lib_pg_config)
lacking=$(lib_lacks "$PG_CONFIG") && [ -z "$lacking" ] ||
	lib_die "$PG_CONFIG still lacks what should have come with ${lacking:-PostgreSQL}"

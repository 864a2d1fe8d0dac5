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
source "$(dirname "$0")/lib.sh"
export LC_ALL=C

# need PACKAGE COMMAND...: the package is needed unless the command succeeds.
need()
{
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || packages+=("$package")
}

# find_missing PACKAGE...: sets packages to what is missing, with those named.  If
# no PostgreSQL is complete, which one is to be is not known before apt is asked.
find_missing()
{
	local package lacking=postgresql
	packages=()
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
	if [ "$PG_CONFIG" != pg_config ]; then
		lacking=$(lib_lacks "$PG_CONFIG") ||
			lib_die "PG_CONFIG names $PG_CONFIG, which is no pg_config"
	fi
	packages+=($lacking)
}

# available PACKAGE...: could apt install them?
available()
{
	apt-get install -q --simulate --no-install-recommends "$@" >/dev/null 2>&1
}

indent_wanted()
{
	! command -v pg_bsd_indent >/dev/null && available pg-bsd-indent
}

# postgresql_packages: what completes the newest PostgreSQL that apt can complete;
# if servers are installed, rather one of them.
postgresql_packages()
{
	local major packages servers='' others=''
	for major in $(lib_majors); do
		if [ -x "/usr/lib/postgresql/$major/bin/postgres" ]; then
			servers="$servers $major"
		else
			others="$others $major"
		fi
	done
	for major in $servers $others; do
		packages=$(lib_lacks "/usr/lib/postgresql/$major/bin/pg_config")
		if available $packages; then
			echo $packages
			return
		fi
	done
	lib_die "apt can install none of the PostgreSQL versions that the extension is for" \
		"($LIB_MAJORS); see what apt-get update says, and whether the network can be reached"
}

# install PACKAGE...: as root, one at a time: there is one file that keeps servers
# from being started, and in the middle of an installation apt is no help.
install()
{
	local package lacking policy=/usr/sbin/policy-rc.d

	exec 9</var/lib/dpkg
	flock -w 1800 9 || lib_die "another setup.sh has not ended for half an hour"
	PG_CONFIG=$(lib_pg_config)		# another may have completed one
	find_missing "$@"
	if [ ${#packages[@]} -gt 0 ]; then
		apt-get update -q ||
			echo "setup.sh: apt-get update failed, see above; going on with what apt knows" >&2
		if [ "$PG_CONFIG" = pg_config ]; then
			lacking=$(postgresql_packages)
			packages=("${packages[@]::${#packages[@]}-1}" $lacking)
		fi
		for package in "${packages[@]}"; do
			available "$package" || lib_die "apt cannot install the package $package;" \
				"see what apt-get update says, and whether the network can be reached"
		done
	fi
	if indent_wanted; then
		packages+=(pg-bsd-indent)
	fi
	[ ${#packages[@]} -gt 0 ] || return 0

	if [ ! -e "$policy" ]; then		# a package's scripts ask it
		trap "rm -f $policy" EXIT
		trap 'exit 130' INT TERM
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod 755 "$policy"
	fi
	echo "setup.sh: installing ${packages[*]}"
	env -u LIBRARY_PATH DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
		--no-install-recommends -o DPkg::Lock::Timeout=600 "${packages[@]}" 9<&- ||
		lib_die "apt-get could not install ${packages[*]}, see above"
}

# install_as_root PACKAGE...
install_as_root()
{
	local sudo=
	[ "$(id -u)" = 0 ] || sudo=sudo
	$sudo env PG_CONFIG="$PG_CONFIG" "$LIB_CHECKOUT/test/setup.sh" --install "$@"
}

if [ "${1-}" = --install ]; then
	shift
	install "$@"
	exit
fi

find_missing "$@"
if [ ${#packages[@]} -gt 0 ]; then
	command -v apt-get >/dev/null ||
		lib_die "there is no apt-get; please install what Debian calls ${packages[*]}"
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
		lib_die "only root can install what is missing: ${packages[*]}"
	install_as_root "$@"
elif indent_wanted && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
	install_as_root "$@" || echo "setup.sh: going on without pg_bsd_indent" >&2
fi

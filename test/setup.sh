#!/bin/bash
# setup.sh: install with apt-get whatever is missing to build and test the
# extension, and the packages that are named as arguments.  Installs nothing that
# is there, and starts nothing.

set -euo pipefail
PG_CONFIG=${PG_CONFIG:-pg_config}
packages=()

# need PACKAGE COMMAND...: the package is needed unless the command succeeds.
need()
{
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || packages+=("$package")
}

has_pgxs()
{
	[ -f "$("$PG_CONFIG" --pgxs)" ]
}

has_server()
{
	[ -x "$("$PG_CONFIG" --bindir)/postgres" ]
}

# The versions that apt knows server headers of, newest last.
apt_versions()
{
	apt-cache search --names-only '^postgresql-server-dev-[0-9]+$' |
		sed 's/^postgresql-server-dev-\([0-9]*\).*/\1/' | sort -n
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "setup.sh: these packages are missing and only root can install them: ${packages[*]}" >&2
		exit 1
	fi
}

need gcc command -v gcc
need libc6-dev test -f /usr/include/stdio.h
need make command -v make
need pkg-config command -v pkg-config
need libhiredis-dev pkg-config --exists hiredis
need libdbd-pg-perl perl -MDBD::Pg -e 1
need libipc-run-perl perl -MIPC::Run -e 1
command -v valkey-server >/dev/null || need redis-server command -v redis-server
need postgresql-server-dev has_pgxs
need postgresql has_server
for package in "$@"; do
	case $package in
		dpkg-dev) need dpkg-dev command -v dpkg-source ;;
		nodejs) need nodejs command -v node ;;
		pgbouncer) need pgbouncer test -x /usr/sbin/pgbouncer ;;
		python3-*) need "$package" /usr/bin/python3 -c "import ${package#python3-}" ;;
		*) need "$package" command -v "$package" ;;
	esac
done
if [ ${#packages[@]} -eq 0 ] && command -v pg_bsd_indent >/dev/null; then
	exit 0
fi

if ! command -v apt-get >/dev/null; then
	[ ${#packages[@]} -eq 0 ] && exit 0		# can do without pg_bsd_indent
	echo "setup.sh: please install what Debian calls ${packages[*]}" >&2
	exit 1
fi

if [ ${#packages[@]} -gt 0 ] || [ -z "$(apt-cache policy pg-bsd-indent)" ]; then
	as_root apt-get update -q
fi
if [ -n "$(apt-cache search --names-only '^pg-bsd-indent$')" ]; then
	need pg-bsd-indent command -v pg_bsd_indent
fi
[ ${#packages[@]} -gt 0 ] || exit 0

# The version that is there, else the newest one.
if has_pgxs 2>/dev/null; then
	version=$("$PG_CONFIG" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
else
	version=$(apt_versions | tail -1)
	for candidate in $(apt_versions); do
		[ -x "/usr/lib/postgresql/$candidate/bin/postgres" ] && version=$candidate
	done
fi
packages=("${packages[@]/%postgresql/postgresql-$version}")
packages=("${packages[@]/%postgresql-server-dev/postgresql-server-dev-$version}")

# While this says no, a package's scripts start no server.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	trap 'as_root rm -f "$policy"' EXIT
	printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
	as_root chmod 755 "$policy"
fi

echo "setup.sh: installing ${packages[*]}"
as_root env -u LIBRARY_PATH DEBIAN_FRONTEND=noninteractive \
	apt-get install -q -y --no-install-recommends "${packages[@]}"

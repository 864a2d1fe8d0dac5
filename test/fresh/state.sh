#!/bin/bash
# state.sh STATE: run in a new root by fresh.sh.  Makes of the minimal machine,
# which has make and git and nothing else, the one that STATE says; runs both
# commands there in a new clone; looks at what they leave behind.  The last line
# that begins with "state.sh: " says how it went.
#
# From fresh.sh: SUITE, MIRROR, ONLY.

set -u
state=$1
checkout=$HOME/cache		# where the clone goes
user=root					# who runs the commands
skips=						# the stage that must be skipped; no other may be
times=

# the major of the suite, and another suite with a newer one
case $SUITE in
	bookworm) major=15 newer=trixie newer_major=17 ;;
	trixie) major=17 newer=forky newer_major=18 ;;
	*) major=18 newer= newer_major= ;;
esac

say() { printf 'state.sh: %-8s %s\n' "$state" "$*"; }
die() { say "$times$*"; exit 1; }
. /fresh/system.sh

# add_user NAME
add_user()
{
	user=$1
	useradd --create-home --shell /bin/bash "$user"
	checkout=/home/$user/cache
}

clone() { as_user git -c advice.detachedHead=false clone -q /fresh/cache.bundle "$1" || die "cannot clone"; }

as_user()
{
	if [ "$user" = root ]; then
		"$@"
	else
		runuser -u "$user" -- env HOME="/home/$user" USER="$user" "$@"
	fi
}

# timed WHAT COMMAND...: its time is part of the last line.
timed()
{
	local what=$1 begin=$SECONDS
	shift
	"$@" || die "$what failed"
	times=$times"$what $((SECONDS - begin)) s, "
}

# check CHECKOUT OUTPUT: make check, and is what it skips what it must?
check()
{
	as_user make -C "$1" check ONLY="$ONLY" 2>&1 | tee "$2"
	[ "${PIPESTATUS[0]}" = 0 ] || return
	last=$(grep '^make check: [0-9]* tests passed' "$2") || return
	last=$(sed -n 's/.*; skipped: //p' <<<"$last" | sed 's/ ([^)]*)//g; s/, /\n/g' |
		grep -v '^part of ')
	[ "$last" = "$skips" ] || { echo "it skipped what it must not: $last"; return 1; }
}

demo() { as_user make -C "$1" demo; }

check_both()
{
	local first result=0
	check "$checkout" /tmp/first.out & first=$!
	check "$checkout.second" /tmp/second.out || result=1
	wait "$first" || result=1
	return $result
}

case $state in
	minimal) ;;
	server) install postgresql-$major ;;
	client) install libpq-dev ;;
	both) install postgresql-$major libpq-dev ;;
	majors | upgrade)
		# majors: the pg_config in PATH is the newer one's, which lacks its headers;
		# upgrade: no server has headers, and apt has those of both
		[ -n "$newer" ] || { say 'there is no newer major'; exit 0; }
		case $state in
			majors) install postgresql-$major postgresql-server-dev-$major ;;
			upgrade) install postgresql-$major ;;
		esac
		echo "deb $MIRROR $newer main" >/etc/apt/sources.list.d/newer.list
		install postgresql-$newer_major libpq-dev
		[ "$(pg_config --version | cut -d ' ' -f 2 | cut -d . -f 1)" = $newer_major ] ||
			die "pg_config is not that of the newer version"
		;;
	indent)
		# somebody who cannot install anything, and no pg_bsd_indent to be had
		printf 'Package: pg-bsd-indent\nPin: release *\nPin-Priority: -1\n' \
			>/etc/apt/preferences.d/indent
		clone /root/cache
		/root/cache/test/setup.sh || die "setup.sh failed"
		add_user somebody
		skips=format
		;;
	locale)
		[ -z "$(locale -a | grep -vxE 'C|POSIX|C\.utf8|C\.UTF-8')" ] || die "there are more locales"
		export LANG=en_US.UTF-8		# as ssh brings it along
		;;
	blank) checkout="/root/a checkout of/the cache" ;;
	twice) clone "$checkout.second" ;;
	sudo)
		install sudo
		add_user somebody
		echo "$user ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/somebody
		;;
	*) die "there is no such state" ;;
esac
clone "$checkout"
if [ "$state" = twice ]; then	# before anything is installed
	timed 'both checks' check_both
	timed demo demo "$checkout"
else
	timed demo demo "$checkout"
	timed check check "$checkout" /tmp/first.out
fi
as_user make -C "$checkout" demo-stop || die "demo-stop failed"

left=$(as_user git -C "$checkout" status --porcelain)
[ -z "$left" ] || die "the checkout has changed: $left"
left=$(find /tmp -mindepth 1 -maxdepth 1 -name 'cache-*')
[ -z "$left" ] || die "there is still $left"
[ ! -e /usr/sbin/policy-rc.d ] || die "services are still kept from starting"
left=$(cat /proc/[0-9]*/comm 2>/dev/null | grep -E 'postgres|redis|valkey' | sort -u)
[ -z "$left" ] || die "there still run" $left
say "$times$(sed -n 's/^make check: \([^(]*\) (.*/\1/p' /tmp/first.out)${skips:+, skipped: $skips}"

# system.sh: what the scripts that run in a new root share.  Sourced after they
# have defined die.

# install PACKAGE...: what the machine has had before.  Servers that come with it
# are not started: they would be on the network of the machine outside.
install()
{
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
	chmod 755 /usr/sbin/policy-rc.d
	apt-get update -q &&
		DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" ||
		die "cannot install $*"
	rm /usr/sbin/policy-rc.d
}

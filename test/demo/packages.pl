#!/usr/bin/perl
# packages.pl: turn a Debian package index (stdin) into files for COPY in the
# directory named: maintainer, package, dependency.
#
# The index is a list of paragraphs of "Field: value" lines, as apt-cache
# dumpavail prints and /var/lib/dpkg/status holds.  Of several versions of a
# package the first counts.  A dependency on "a (>= 1) | b:any" becomes two
# alternatives; one on a virtual package, or on one that is not in the index,
# has a name but no id.

use strict;
use warnings;
use Encode qw(decode);

my $dir = shift // die "usage: packages.pl DIRECTORY < INDEX\n";
my @kinds = ('Pre-Depends', 'Depends', 'Recommends', 'Suggests');
my (%package, %maintainer, @dependencies);

# A row of COPY's text format; undef is NULL.
sub row
{
	return join("\t", map {
		my $v = $_;
		if (defined $v)
		{
			$v =~ s/\0//g;
			$v =~ s/\\/\\\\/g;
			$v =~ s/\t/\\t/g;
			$v =~ s/\n/\\n/g;
			$v =~ s/\r/\\r/g;
		}
		$v // '\N';
	} @_) . "\n";
}

sub output
{
	my ($name) = @_;
	open(my $file, '>:encoding(UTF-8)', "$dir/$name.copy")
		or die "$dir/$name.copy: $!\n";
	return $file;
}

my $packages = output('package');
my $maintainers = output('maintainer');
my $dependencies = output('dependency');

$/ = '';						# paragraphs
while (my $text = <STDIN>)
{
	$text = decode('UTF-8', $text);	# what is not UTF-8 becomes U+FFFD
	my %field = $text =~ /^([^\s:]+):[ \t]*((?:.*)(?:\n[ \t].*)*)/mg;
	my $name = $field{'Package'};
	next if !defined $name || exists $package{$name};
	next if ($field{'Status'} // 'installed') !~ /\binstalled$/;

	my $id = $package{$name} = 1 + keys %package;
	my $who = $field{'Maintainer'} // 'unknown';
	if (!exists $maintainer{$who})
	{
		$maintainer{$who} = 1 + keys %maintainer;
		my ($person, $email) = $who =~ /^\s*"?(.*?)"?\s*<([^>]*)>/;
		print $maintainers row($maintainer{$who}, $person // $who, $email);
	}
	my ($description) = ($field{'Description'} // '') =~ /^(.*)/;
	my ($size) = ($field{'Installed-Size'} // '') =~ /^(\d{1,15})$/;
	print $packages row($id, $name, $field{'Version'} // '',
		$field{'Section'} // 'unknown', $maintainer{$who}, $size // 0,
		$description);

	for my $kind (@kinds)
	{
		my $position = 0;
		for my $group (split(/\s*,\s*/, $field{$kind} // ''))
		{
			my $alternative = 0;
			$position++;
			for my $target (split(/\s*\|\s*/, $group))
			{
				my ($on, $version) =
				  $target =~ /^\s*([^\s:(\[]+)(?::\S+)?\s*(?:\(([^)]*)\))?/
				  or next;
				push @dependencies,
				  [ $id, lc $kind, $position, ++$alternative, $on, $version ];
			}
		}
	}
}

print $dependencies row(@$_, $package{ $_->[4] }) for @dependencies;

for my $file ($packages, $maintainers, $dependencies)
{
	close($file) or die "cannot write to $dir: $!\n";
}

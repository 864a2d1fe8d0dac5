#!/usr/bin/perl
# indent.pl: format the C sources as PostgreSQL formats its own.
#
#	indent.pl [--check] [FILE...]
#
# Without files: all of src/ and test/.  With --check, changes nothing, shows
# what would change and fails if anything would; prints a line "ok - FILE" for
# every file that is well.
#
# pg_bsd_indent must know the names of types.  They are read from our sources
# and from what the preprocessor makes of everything these include, and those
# in test/typedefs.list are added.  The rest is what PostgreSQL's pgindent
# does around pg_bsd_indent.

use strict;
use warnings;
use File::Basename;
use File::Temp qw(tempdir);

chdir(dirname($0) . '/..') or die "indent.pl: $!\n";

my @flags = qw(-bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 -nfc1
  -i4 -l79 -lp -lpl -nip -npro -sac -tpg -ts4);
my $check = @ARGV && $ARGV[0] eq '--check' && shift @ARGV;
my @files = @ARGV ? @ARGV : glob('src/*.[ch] src/*/*.[ch] test/*/*.[ch]');
my $dir = tempdir(CLEANUP => 1);
my (%our_types, %types);    # sets of names

sub slurp
{
	my $name = shift;
	open my $handle, '<', $name or die "indent.pl: $name: $!\n";
	local $/;
	return scalar <$handle>;
}

sub spew
{
	my ($name, $text) = @_;
	open my $handle, '>', $name or die "indent.pl: $name: $!\n";
	print $handle $text;
	close $handle or die "indent.pl: $name: $!\n";
}

# The names that C text, without comments, makes types of.
sub typedef_names
{
	my $text = shift;
	my @names;

	$text =~ s/^\s*#.*(\\\n.*)*$//gm;
	1 while $text =~ s/\{[^{}]*\}/ /g;
	while ($text =~ /\btypedef\b([^;]*);/g)
	{
		my $typedef = $1;

		$typedef =~ s/__attribute__\s*(\((?:[^()]|(?1))*\))//g;
		if ($typedef =~ /^[^(]*?\(\s*\*\s*(\w+)\s*\)/    # pointer to function
			|| $typedef =~ /(\w+)\s*\([^()]*\)\s*$/      # function
			|| $typedef =~ /(\w+)\s*(\[.*\]\s*)*$/s)
		{
			push @names, $1;
		}
	}
	return @names;
}

# C text without comments and strings.
sub bare
{
	my $text = shift;

	$text =~ s!/\*.*?\*/! !gs;
	$text =~ s/"(?:[^"\\\n]|\\.)*"/""/g;
	return $text;
}

# The types of whatever our sources include.
sub foreign_types
{
	chomp(my $include = `@{[ $ENV{PG_CONFIG} || 'pg_config' ]} --includedir-server`);
	my @headers = ('postgres.h',
	  join('', map { slurp($_) } glob('src/*.[ch] src/*/*.[ch]')) =~ /^#include [<"](.*)[>"]/gm);

	spew("$dir/all.c", join '', map { qq(#if __has_include("$_")\n#include "$_"\n#endif\n) } @headers);
	return grep { !/^#/ } split(/\n/, slurp('test/typedefs.list')),
	  typedef_names(scalar `cc -E -P -w -D_GNU_SOURCE -Isrc -I$include $dir/all.c`);
}

# The types that a file uses.  A name of a foreign type that the file gives to
# a variable is no type there.
sub types_in
{
	my $text = bare(shift);
	my %used = map { $_ => 1 } $text =~ /\w+/g;
	my %variables = map { $_ => 1 } $text =~ /\w[\s*]*[\s*](\w+)\s*(?=[;,=)\[])/g;

	return grep { $used{$_} && ($our_types{$_} || !$variables{$_}) } sort keys %types;
}

sub before_indent
{
	my $text = shift;

	$text =~ s/[ \t]+$//gm;
	$text =~ s!^([ \t]*)//(.*)$!$1/* $2 */!gm;
	$text =~ s!/\* +---!/*---X_X!g;    # keep comments that begin with dashes
	return $text;
}

sub after_indent
{
	my $text = shift;
	my $word = qr/[a-zA-Z_][a-zA-Z_0-9]*/;
	my $comment = qr!/\*.*\*/!;

	$text =~ s!/\*---X_X!/* ---!g;
	$text =~ s!\*/(/\*.*\*/)$!*/\t$1!gm;
	$text =~ s!^([A-Za-z_]\S*)[ \t]+\*$!$1 *!gm;
	$text =~ s!^\}\t+(\w+;)$!} $1!gm;    # variable of an unnamed struct

	# the name of a function in a prototype belongs on the line of its type
	$text =~ s!
		(\n$word[^(\n]*)\n
		(
			$word\(\n?
			(?:.*,(?:[ \t]*$comment)?[ \t]*\n)*
			.*\);(?:[ \t]*$comment)?$
		)
	!$1 . (substr($1, -1) eq '*' ? '' : ' ') . $2!gmxe;
	return $text;
}

my $ours = bare(join "\n", map { slurp($_) } @files, glob('src/*.[ch] src/*/*.[ch]'));
%our_types = map { $_ => 1 } typedef_names($ours);
%types = (%our_types, map { $_ => 1 } foreign_types());

my $changed = 0;
$| = 1;						# diff writes in between
foreach my $file (@files)
{
	my $old = slurp($file);

	spew("$dir/typedefs", join '', map { "$_\n" } types_in($old));
	spew("$dir/file.c", before_indent($old));
	system("cd '$dir' && pg_bsd_indent @flags -Utypedefs file.c file.out >messages 2>&1") == 0
	  or die "indent.pl: $file: " . slurp("$dir/messages");
	my $new = after_indent(slurp("$dir/file.out"));
	if ($new eq $old)
	{
		print "ok - $file\n" if $check;
	}
	elsif ($check)
	{
		$changed++;
		spew("$dir/new", $new);
		system('diff', '-u', '--label', $file, '--label', "$file, formatted", $file, "$dir/new");
	}
	else
	{
		spew($file, $new);
		print "$file\n";
	}
}
exit($changed ? 1 : 0);

# shellcheck shell=bash
# Plain make, C++: RE2 as its Makefile builds it, static and shared, with some of its tests.  Debian's source package
# leaves out the generated tables; RE2's own scripts make them from the system's Unicode data.
source=re2
compilers='gcc clang'
least=50

prepare() {
	sed -i 's|https://www.unicode.org/Public/[0-9.]*/ucd|/usr/share/unicode|; s/^from six.moves import urllib/import urllib/' re2/unicode.py
	make REBUILD_TABLES=1 re2/perl_groups.cc re2/unicode_casefold.cc re2/unicode_groups.cc >/dev/null
}

build() {
	make -j"$J" -O CXX="$CXX" all obj/test/charclass_test obj/test/parse_test obj/test/re2_test obj/test/simplify_test
}

try() {
	local name
	for name in charclass parse re2 simplify; do
		obj/test/${name}_test
	done
}

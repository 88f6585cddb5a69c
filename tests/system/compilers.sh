#!/usr/bin/env bash
# Every compiler that Debian packages and we name: C and C++, native and cross, compiled on a worker that has none of them.
# limit: 180 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# remote COMPILER OUTPUT OPTION...
remote() {
	local compiler=$1 output=$2
	shift 2
	on client env ICEMESH_REMOTE=only icemesh-cc "$compiler" "$@" -o "$output"
}

# same_object COMPILER SOURCE OPTION...: compiled here and there.
same_object() {
	local compiler=$1 source=$2 tools=''
	shift 2
	case $compiler in *-linux-gnu-*) tools=${compiler%gcc} ;; esac
	"$compiler" "$@" -c "$source" -o local.o || return 1
	remote "$compiler" remote.o "$@" -c "$source" || return 1
	OBJCOPY=${tools}objcopy OBJDUMP=${tools}objdump "$TREE/tests/codecmp.sh" local.o remote.o
}

# same_deps COMPILER SOURCE: -MD writes what it writes locally.
same_deps() {
	"$1" -MD -MP -MF local.d -c "$2" -o x.o && cp local.d keep.d && remote "$1" x.o -MD -MP -MF local.d -c "$2" && cmp local.d keep.d
}

same_assembly() {
	"$1" -O2 -S "$2" -o local.s && remote "$1" remote.s -O2 -S "$2" && cmp local.s remote.s
}

same_warnings() {
	"$1" -Wall -c "$2" -o x.o 2>local.txt
	on client icemesh-cc "$1" -Wall -c "$2" -o x.o 2>remote.txt
	[ -s local.txt ] && diff local.txt remote.txt
}

plan 32
lan_up client w1
config client 'slots = 0'
mesh_up client w1 || bail "no mesh"
hide_compilers w1
cd "$W/src" || bail "no folder"
cat >a.c <<'X'
#include <stdio.h>
#include <string.h>
static const char *words[] = { "one", "two", __FILE__ };
int count(const char *s) { int unused; return (int)strlen(s) + __LINE__ + printf("%s\n", words[1]); }
X
cat >b.cc <<'X'
#include <map>
#include <string>
#include <vector>
template <class T> T twice(T x) { return x + x; }
std::map<std::string, std::vector<int>> table;
int add(const std::string &s) { int unused; table[s].push_back(twice(21)); return static_cast<int>(table.size()); }
X
for pair in gcc:a.c g++:b.cc clang:a.c clang++:b.cc aarch64-linux-gnu-gcc:a.c; do
	compiler=${pair%:*} source=${pair#*:}
	if ! command -v "$compiler" >/dev/null; then
		for what in plain debug pic deps assembly warnings; do
			skip "$compiler: $what" "not installed"
		done
		continue
	fi
	check "$compiler: -O2" same_object "$compiler" "$source" -O2
	check "$compiler: -O0 -g" same_object "$compiler" "$source" -O0 -g
	check "$compiler: -fPIC -DX=1 -I. -O3" same_object "$compiler" "$source" -fPIC -DX=1 -I. -O3
	check "$compiler: dependencies" same_deps "$compiler" "$source"
	check "$compiler: -S" same_assembly "$compiler" "$source"
	check "$compiler: warnings" same_warnings "$compiler" "$source"
done

# A compiler that lives where the job writes, or in /tmp, which every job has for itself.
ln -s "$(command -v gcc)" own-gcc
check "a compiler in the folder of its output" same_object "$PWD/own-gcc" a.c -O2
on client ln -s "$(command -v gcc)" /tmp/own-gcc
check "a compiler in /tmp" on client env ICEMESH_REMOTE=only icemesh-cc /tmp/own-gcc -O2 -c a.c -o remote.o

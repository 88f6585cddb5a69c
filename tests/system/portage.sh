#!/usr/bin/env bash
# A build as Portage runs one: another user, an environment of few variables, no network, process ids and IPC of its own, and a sandbox
# that takes every attempt to write outside of the build folder for a crime.  Settings come from /etc/icemesh/icemesh.conf, peers have
# no compiler, and every file that the build makes is the one that the plain compiler makes at the same place.
# limit: 240 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

builddir=/var/tmp/portage/app-misc/demo-1
trace=/var/tmp/icemesh.trace
words='CC=icemesh-cc gcc|CXX=icemesh-cc g++'

# The user portage; rootless there is nobody else to be.
user=()
[ "$(awk 'NR == 1 { print $3 }' /proc/self/uid_map)" = 1 ] || user=(setpriv --reuid 250 --regid 250 --clear-groups --inh-caps=-all)

# What an ebuild's src_compile sees of the world, FEATURES="ipc-sandbox network-sandbox pid-sandbox userpriv"; "$words" holds CC and CXX.
ebuild() {
	local vars
	IFS='|' read -ra vars <<<"$words"
	on client unshare -m -n -p -i --fork --kill-child --mount-proc "${user[@]}" env -i PATH="$W/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=$builddir/homedir \
		PORTAGE_TMPDIR=/var/tmp PORTAGE_BUILDDIR=$builddir WORKDIR=$builddir/work S=$builddir/work/demo-1 T=$builddir/temp TMPDIR=$builddir/temp \
		CFLAGS='-O2 -g -pipe' CXXFLAGS='-O2 -g -pipe' MAKEOPTS=-j8 LC_MESSAGES=C "${vars[@]}" sh -c 'cd "$S" && "$@"; exit $?' ebuild "$@"
}

# C and C++, a library, a program, dependency files, a generated header, a folder for objects, a test program of configure.
write_package() {
	local dir=$W/src/demo i
	write_sources "$dir" 6
	mkdir -p "$dir/include" "$dir/cxx"
	echo 'template <class T> T twice(T x) { return x + x; }' >"$dir/include/twice.h"
	for i in 1 2 3; do
		printf '#include <string>\n#include <vector>\n#include "twice.h"\n#include "made.h"\n' >"$dir/cxx/p$i.cc"
		printf 'std::vector<std::string> keep%d(const char *s) { return {twice(std::string(s)), MADE}; }\n' $i >>"$dir/cxx/p$i.cc"
	done
	printf '#include <stdio.h>\nint weigh1(int);\nint main(void) { printf("%%d\\n", weigh1(3)); return 0; }\n' >"$dir/main.c"
	echo 'int main(void) { return 0; }' >"$dir/conftest.c"
	# Seconds of work for the compiler, in few bytes.
	cat >"$dir/long.cc" <<-'X'
		constexpr long turn(long n) { long s = 0; for (long i = 0; i < n; i++) s += i % 7; return s; }
		static_assert(turn(2000000000) > 0, "");
	X
	cat >"$dir/Makefile" <<-'X'
		.RECIPEPREFIX = >
		C = $(patsubst %.c,obj/%.o,$(wildcard s*.c))
		P = $(patsubst cxx/%.cc,obj/%.o,$(wildcard cxx/*.cc))
		all: demo libdemo.a
		demo: obj/main.o libdemo.a
		> $(CC) $(CFLAGS) -o $@ $^
		libdemo.a: $(C) $(P)
		> ar rcsD $@ $^
		obj/%.o: %.c obj/probe
		> $(CC) $(CFLAGS) -MMD -MP -c $< -o $@
		obj/%.o: cxx/%.cc obj/probe obj/made.h
		> $(CXX) $(CXXFLAGS) -Iinclude -Iobj -MMD -MF obj/$*.dep -c $< -o $@
		obj/probe: conftest.c
		> mkdir -p obj && $(CC) $(CFLAGS) -o $@ conftest.c
		obj/made.h: obj/probe
		> echo '#define MADE "made"' >$@
		long.o: long.cc
		> $(CXX) -std=c++17 -fconstexpr-loop-limit=2147483647 -fconstexpr-ops-limit=2147483647 -c long.cc -o long.o
		.DELETE_ON_ERROR:
	X
}

# unpack: a fresh build folder; what stood there before goes to "$1".
unpack() {
	[ -z "${1:-}" ] || on client mv $builddir/work/demo-1 "$W/src/$1"
	on client sh -c "rm -rf $builddir && mkdir -p $builddir/work $builddir/temp $builddir/homedir && cp -a $W/src/demo $builddir/work/demo-1"
	[ ${#user[@]} = 0 ] || on client chown -R 250:250 $builddir
	on client sh -c ": >$trace; chmod 666 $trace"
}

plain_build() {
	local words='CC=gcc|CXX=g++'
	ebuild make -j8 all
}

mesh_build() {
	ebuild make -j8 all
}

# The same build, with every attempt to write in $W/src/calls.
watched_build() {
	local calls=clone,clone3,fork,vfork,open,openat,openat2,creat,mkdir,mkdirat,mknod,mknodat,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,symlink,symlinkat
	calls+=,chdir,fchdir,chmod,fchmodat,chown,lchown,fchownat,truncate,utime,utimes,utimensat
	ebuild strace -f -y -s 400 -e "trace=$calls" -o $builddir/temp/calls make -j8 all >/dev/null && on client mv $builddir/temp/calls "$W/src/calls"
}

# The paths which the build tried to write, those of its own folder and /dev/null left aside.
written_outside() {
	awk -v own="$builddir/" -v start="$builddir/work/demo-1" '
		# A process begins in the folder of the one that made it, unless it has already gone elsewhere.
		/(clone3?|v?fork)(\(| resumed>).* = [0-9]+$/ { if (!($NF in cwd)) cwd[$NF] = $1 in cwd ? cwd[$1] : start }
		/ (resumed|\+\+\+|---)/ { next }
		/ open(at|at2)?\(/ && !/O_(WRONLY|RDWR|CREAT|TRUNC|APPEND|TMPFILE)/ { next }
		/ fchdir\(/ && match($0, /<[^>]*>/) { cwd[$1] = substr($0, RSTART + 1, RLENGTH - 2) }
		/ chdir\(/ && split($0, part, "\"") { cwd[$1] = part[2] }
		/ f?chdir\(/ { next }
		match($0, / [a-z0-9]+\(/) {
			rest = substr($0, RSTART + RLENGTH)
			# Every path of the call, with the folder it is relative to.
			while (match(rest, /^[^"]*"/)) {
				before = substr(rest, 1, RLENGTH)
				rest = substr(rest, RLENGTH + 1)
				dir = $1 in cwd ? cwd[$1] : start
				if (match(before, /[0-9]<[^>]*>, "$/))
					dir = substr(before, RSTART + 2, RLENGTH - 6)
				path = rest
				sub(/".*/, "", path)
				sub(/^[^"]*"/, "", rest)
				if (path !~ /^\//)
					path = dir "/" path
				if (index(path, own) != 1 && path != "/dev/null")
					print path
			}
		}' "$W/src/calls" | sort | uniq -c
}

# Every file is the plain build's; only what is equal to itself by nature, the trace, does not count.
equal_to_plain() {
	on client diff -r --brief "$W/src/plain" $builddir/work/demo-1 && [ "$(find "$W/src/plain" -name '*.o' | wc -l)" = 10 ]
}

# traced VERDICT REASON N: so many lines of the trace that the configuration names; "" and null are no reason.
traced() {
	local n
	n=$(on client jq -s --arg v "$1" --arg r "$2" 'map(select(.verdict == $v and (.reason // "") == $r)) | length' $trace)
	[ "$n" = "$3" ] || { echo "$n instead of $3 with $1 $2:"; on client jq -c '[.file, .verdict, .reason, .text]' $trace; return 1; }
}

# Nothing was made beside the build: no slots of this user, nothing in his home or in $T.
left_nothing() {
	local said
	said=$(on client find /tmp /var/tmp $builddir/homedir $builddir/temp -mindepth 1 ! -path '/var/tmp/portage*' ! -path $trace)
	[ -z "$said" ] || { echo "$said"; return 1; }
}

processes() {
	on client sh -c 'cat /proc/[0-9]*/comm 2>/dev/null' | grep -cE '^(icemesh-cc|make|cc1|cc1plus|as|ld)$'
}

running_on_peers() {
	[ $(($(compilers_on w1) + $(compilers_on w2))) -gt 0 ]
}

all_gone() {
	[ "$(processes)" = 0 ] && ! running_on_peers
}

# The make is told to end, as Portage does when its user presses Ctrl-C.
ended_build() {
	ebuild make long.o >/dev/null 2>&1 &
	wait_until 20 running_on_peers || { echo "no compile began"; return 1; }
	on client sh -c 'for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" != make ] || kill -TERM ${p#/proc/}; done'
	wait_until 5 all_gone || { echo "on the client: $(processes), on the peers: $(compilers_on w1) $(compilers_on w2)"; return 1; }
	[ -z "$(on client find $builddir/work -name '.icemesh*' -o -name 'long.o*')" ] || { echo "a file is left"; return 1; }
}

# The same as check, for what only a daemon of the system does as it should: rootless it is a user's own, and the build is his, too.
check_as_root() {
	if [ ${#user[@]} = 0 ]; then skip "$1" rootless; else check "$@"; fi
}

plan 19
lan_up client w1 w2
on client mount -t tmpfs -o mode=1777 none /var/tmp
on client mkdir -m 755 /run/lock
config client 'slots = 0' 'local_slots = 2' "trace = $trace" 'remote = only'
config w1 'slots = 4'
config w2 'slots = 4'
mesh_up client w1 w2 || bail "no mesh"
hide_compilers w1
hide_compilers w2
write_package
unpack
plain_build >/dev/null || bail "the plain build"
# shellcheck disable=SC2016
connect='exec 3<>/dev/tcp/10.77.0.2/9777'
check "the machine reaches a peer, its build does not" eval 'on client bash -c "$connect" && refuses "unreachable" ebuild bash -c "$connect"'
unpack plain

check "make -j8 CC='icemesh-cc gcc'" watched_build
check "every file is the plain build's" equal_to_plain
check "every compile ran on a peer" traced remote '' 10
check "what links stayed here" traced local linking 2
# O_TMPFILE, when the compiler is packed for the first time: sandbox.conf allows it.
check_as_root "nothing is written outside of the build folder but the trace" eval 'said=$(written_outside); echo "$said"; [ -z "$(grep -vE " ($trace|/var/tmp)$" <<<"$said")" ]'
check "two toolchains were packed into files without a name" eval '[ "$(written_outside | awk '\''$2 == "/var/tmp" { print $1 }'\'')" = 2 ]'
check_as_root "nothing is left beside the build" left_nothing

unpack
mkdir "$W/links"
for name in gcc g++; do
	ln -s ../bin/icemesh-cc "$W/links/$name"
done
words='CC=gcc|CXX=g++'
check "the links in front of PATH, CC=gcc" ebuild env PATH="$W/links:$W/bin:/usr/bin:/bin" make -j8 all
words='CC=icemesh-cc gcc|CXX=icemesh-cc g++'
check "every compile ran on a peer then" traced remote '' 10

unpack
check "SIGTERM to a make: gone on both sides within seconds, without a file" ended_build
check_as_root "nothing is left beside it" left_nothing

stop_daemon client
config client 'remote = auto'
unpack
check "no daemon: the same build" watched_build
check "every file is the plain build's" equal_to_plain
check "every compile ran here, and says why" traced local no-daemon 10
check_as_root "nothing is written outside of the build folder but the trace" eval 'said=$(written_outside); echo "$said"; [ -z "$(grep -v " $trace$" <<<"$said")" ]'
# As after a boot without icemeshd.
on client rm -rf /run/lock/icemesh-slots
unpack
check "no daemon since the machine started: the same build" mesh_build
check "every file is the plain build's" equal_to_plain
check_as_root "with slots of this user in /tmp" [ "$(on client find /tmp -mindepth 1 -maxdepth 1)" = "/tmp/icemesh-slots-$(on client stat -c %u $builddir/work/demo-1)" ]

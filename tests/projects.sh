#!/usr/bin/env bash
# make projects: other people's programs over a LAN of one client and three workers, from Debian's source packages (needs apt's
# network and deb-src, which it adds for itself alone).  Redis in C with its own Makefile, LevelDB and RE2 in C++; with gcc and with clang.  Every
# object, every .d file and every compile's messages must be the local build's, and every compile must have gone in source mode.
# limit: 1800 s
set -u
cd "$(dirname "$0")/.." || exit 1
# Builds call make themselves; what this script was started with is not for them.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES "${!ICEMESH_@}"
export LC_ALL=C.UTF-8
. tests/lan.sh

# Sources are fetched outside, where there is a network: into a folder that goes away with this script.
fetch() {
	local sources=$1 file
	mkdir -p "$sources/lists/partial" "$sources/cache" "$sources/parts"
	chmod 755 "$sources"
	# the machine's own package sources, asked for source packages
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		[ -f "$file" ] && sed 's/^deb /deb-src /; s/^Types:.*/Types: deb-src/' "$file" >"$sources/parts/${file##*/}"
	done
	mv -f "$sources/parts/sources.list" "$sources/parts/main.list" 2>/dev/null
	# one package source that fails does not matter, as long as the others have what is wanted
	(cd "$sources" && for step in update 'source --download-only redis' 'source --download-only leveldb' 'source --download-only re2'; do
		# shellcheck disable=SC2086
		apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$sources/parts" -o Dir::State::Lists="$sources/lists" \
			-o Dir::Cache="$sources/cache" -o APT::Sandbox::User=root $step >"$sources/log" 2>&1 || [ "$step" = update ] ||
			{ tail -n 5 "$sources/log"; exit 1; }
	done)
}

if [ -z "${LAN_INSIDE:-}" ]; then
	SOURCES=${SOURCES:-}
	if [ -z "$SOURCES" ]; then
		SOURCES=$(mktemp -d)
		trap 'rm -rf "$SOURCES"' EXIT
		fetch "$SOURCES" || exit 1
	fi
	export SOURCES
	(lan_enter "$@")
	exit
fi
lan_enter "$@"

# unpack NAME FOLDER
unpack() {
	mkdir -p "$2"
	tar -C "$2" --strip-components=1 -xf "$SOURCES"/"$1"_*.orig.tar.*[z2]
}

seconds() {
	awk -v ms=$(($(now_ms) - $1)) 'BEGIN { printf "%.1f", ms / 1000 }'
}

# project NAME COMPILER: builds it in $W/src/NAME twice, with build_NAME COMMAND-OF-THE-COMPILER, and compares.
project() {
	local name=$1 cc=$2 begin local_s mesh_s dir=$W/src/$1 trace=$W/src/$1.$2.trace
	rm -rf "$dir"
	unpack "$name" "$dir" && (cd "$dir" && "prepare_$name") || bail "$name: no sources"
	cp -a "$dir" "$W/src/pristine"
	begin=$(now_ms)
	build "$name" "$cc" '' || bail "$name: the local build fails"
	local_s=$(seconds "$begin")
	mv "$dir" "$W/src/local" && mv "$W/src/pristine" "$dir"
	begin=$(now_ms)
	check "$name, $cc: builds over the mesh" build "$name" "$cc" 'icemesh-cc ' ICEMESH_REMOTE=only ICEMESH_TRACE="$trace"
	mesh_s=$(seconds "$begin")
	check "$name, $cc: every object, .d file and message is the local one's" same_files "$W/src/local" "$dir"
	echo "#   $said"
	check "$name, $cc: every compile in source mode" all_in_source_mode "$trace"
	echo "#   $said; local $local_s s, mesh $mesh_s s on the same cores"
	rm -rf "$W/src/local"
}

# same_files LOCAL MESH: what the builds made (.o, .d), and what each compile printed (.said).
same_files() {
	local file bad=0 n=0
	while read -r file; do
		n=$((n + 1))
		cmp "$1/$file" "$2/$file" || bad=$((bad + 1))
	done < <(cd "$1" && find . -name '*.[od]' -o -name '*.said' | sort)
	echo "$n files, $((n - bad)) equal"
	[ $bad = 0 ] && [ "$n" -gt 60 ]
}

# Links, -E, -MM and questions are no compiles.
all_in_source_mode() {
	jq -rs 'map(select(.reason | IN("linking", "preprocess-only", "asks-compiler", "no-source", "configure-probe") | not)) |
		"\(length) compiles, \(map(select(.verdict == "remote" and .mode == "source")) | length) in source mode",
		(map(select(.verdict != "remote" or .mode != "source")) | group_by(.reason)[] | "  not: \(.[0].reason) \(.[0].file): \(length)")' "$1"
	jq -es 'map(select(.reason | IN("linking", "preprocess-only", "asks-compiler", "no-source", "configure-probe") | not)) |
		length > 20 and all(.verdict == "remote" and .mode == "source")' "$1" >/dev/null
}

# build NAME COMPILER WRAPPER [VARIABLE=VALUE]: on the client, where it was unpacked.
build() {
	local name=$1 cc=$2 wrapper=$3
	shift 3
	(cd "$W/src/$name" && on client env "$@" bash -c "$(declare -f build_redis build_leveldb build_re2); build_$name $cc '$W/bin/listen $wrapper'") >"$W/src/log" 2>&1 ||
		{ tail -n 20 "$W/src/log"; return 1; }
}

prepare_redis() {
	:
}
# Debian's source package leaves out the bundled jemalloc; release.c takes its date from the environment.
build_redis() {
	SOURCE_DATE_EPOCH=1 make -j8 CC="$2$1" MALLOC=libc OPTIMIZATION=-O2
}

# makefile COMMAND-LINE-OPTIONS SOURCE...: compiles each.
makefile() {
	local f
	echo "CXXFLAGS = -O2 -g -std=c++17 -Wall -Wextra -MD $1"
	shift
	printf 'OBJS ='
	for f; do
		case $f in *_test.cc | *_main.cc | *leveldbutil.cc | *_windows.cc | *testutil.cc | *_bench.cc | *test/* | *fuzzing/* | *testing/*) continue ;; esac
		printf ' %s' "${f%.cc}.o"
	done
	printf '\nall: $(OBJS)\n%%.o: %%.cc\n\t$(CXX) $(CXXFLAGS) -c $< -o $@\n'
}

prepare_leveldb() {
	makefile '-I. -Iinclude -DLEVELDB_PLATFORM_POSIX=1 -DHAVE_FDATASYNC=1 -DHAVE_O_CLOEXEC=1' db/*.cc table/*.cc util/*.cc >Makefile
	mkdir -p port
	sed 's/#cmakedefine01 \(.*\)/#ifndef \1\n#define \1 0\n#endif/' port/port_config.h.in >port/port_config.h
}
build_leveldb() {
	local cxx=g++
	[ "$1" = gcc ] || cxx=clang++
	make -j8 CXX="$2$cxx"
}

prepare_re2() {
	makefile '-I.' re2/*.cc util/*.cc >Makefile
}
build_re2() {
	build_leveldb "$@"
}

# redis-server of this build says PONG on a socket of its own.
answers_ping() {
	local dir=$W/src/redis/src
	on client "$dir/redis-server" --port 0 --unixsocket "$W/src/redis.sock" --save '' --daemonize no >/dev/null 2>&1 &
	wait_until 10 test -S "$W/src/redis.sock" || return 1
	[ "$(on client "$dir/redis-cli" -s "$W/src/redis.sock" ping)" = PONG ]
}

# listen COMMAND...: a compile's messages also go to OUTPUT.said.
cat_listen() {
	cat <<-'X'
		#!/bin/bash
		out=
		for ((i = 1; i < $#; i++)); do [ "${!i}" != -o ] || { i=$((i + 1)); out=${!i}; }; done
		case $out in '' | /dev/*) exec "$@" ;; esac
		"$@" 2>"$out.said"
		status=$?
		cat "$out.said" >&2
		exit $status
	X
}

plan 19
lan_up client w1 w2 w3
config client 'slots = 0'
mesh_up client w1 w2 w3 || bail "no mesh of four"
for host in w1 w2 w3; do
	hide_compilers "$host"
done
cat_listen >"$W/bin/listen" && chmod +x "$W/bin/listen"
# Toolchains are brought first: while they travel, local slots help.
echo 'int first;' >"$W/src/first.c"
for cc in gcc g++ clang clang++; do
	for host in w1 w2 w3; do
		wait_until 30 on client env ICEMESH_REMOTE=only ICEMESH_PEER=$host icemesh-cc $cc -c "$W/src/first.c" -o "$W/src/first.o" 2>/dev/null || bail "$cc does not reach $host"
	done
done
for cc in gcc clang; do
	project redis $cc
	[ $cc != gcc ] || check "redis-server answers PING" answers_ping
	project leveldb $cc
	project re2 $cc
done
[ "$test_failed" = 0 ]

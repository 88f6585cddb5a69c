#!/usr/bin/env bash
# make projects: other people's programs over a LAN of one client and three workers, from Debian's source packages (needs apt's
# network and deb-src, which it adds for itself alone).  Redis in C with its own Makefile, LevelDB in C++.
# limit: 1200 s
set -u
cd "$(dirname "$0")/.." || exit 1
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
	(cd "$sources" && for step in update 'source --download-only redis' 'source --download-only leveldb'; do
		# shellcheck disable=SC2086
		apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$sources/parts" -o Dir::State::Lists="$sources/lists" \
			-o Dir::Cache="$sources/cache" -o APT::Sandbox::User=root $step >"$sources/log" 2>&1 || { tail -n 5 "$sources/log"; return 1; }
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
	tar -C "$2" --strip-components=1 -xf "$SOURCES"/"$1"_*.orig.tar.*z*
}

seconds() {
	awk -v ms=$(($(now_ms) - $1)) 'BEGIN { printf "%.1f", ms / 1000 }'
}

# project NAME: builds it in $W/src/NAME twice, with build_NAME PREFIX-OF-THE-COMPILER, and compares.
project() {
	local name=$1 begin local_s mesh_s dir=$W/src/$1 trace=$W/src/$1.trace
	unpack "$name" "$dir" && (cd "$dir" && "prepare_$name") || bail "$name: no sources"
	cp -a "$dir" "$W/src/pristine"
	begin=$(now_ms)
	build "$name" '' || bail "$name: the local build fails"
	local_s=$(seconds "$begin")
	mv "$dir" "$W/src/local" && mv "$W/src/pristine" "$dir"
	begin=$(now_ms)
	check "$name: builds over the mesh" build "$name" 'icemesh-cc ' ICEMESH_TRACE="$trace"
	mesh_s=$(seconds "$begin")
	check "$name: the code of every object is the local one's" tests/codecmp.sh "$W/src/local" "$dir"
	echo "#   $said"
	check "$name: more than 90 % remote" [ "$(remote_share "$trace")" -gt 90 ]
	echo "#   $name: $(remote_share "$trace") % of the compiles remote; local $local_s s, mesh $mesh_s s on the same cores"
	jq -rs 'map(select(.verdict != "remote")) | group_by(.reason)[] | "#   local: \(.[0].reason): \(length)"' "$trace"
	rm -rf "$W/src/local"
}

# build NAME WRAPPER [VARIABLE=VALUE]: on the client, where it was unpacked; release.c of redis takes its date from SOURCE_DATE_EPOCH.
build() {
	local name=$1 wrapper=$2
	shift 2
	(cd "$W/src/$name" && on client env SOURCE_DATE_EPOCH=1 "$@" bash -c "$(declare -f "build_$name"); build_$name '$wrapper'") >"$W/src/log" 2>&1 ||
		{ tail -n 20 "$W/src/log"; return 1; }
}

prepare_redis() {
	:
}
# Debian's source package leaves out the bundled jemalloc.
build_redis() {
	make -j8 CC="${1}gcc" MALLOC=libc
}

prepare_leveldb() {
	local f
	{
		echo 'CXXFLAGS = -O2 -g -std=c++17 -I. -Iinclude -DLEVELDB_PLATFORM_POSIX=1 -DHAVE_FDATASYNC=1 -DHAVE_O_CLOEXEC=1'
		printf 'OBJS ='
		for f in db/*.cc table/*.cc util/*.cc; do
			case $f in *_test.cc | *_main.cc | *leveldbutil.cc | *_windows.cc | *testutil.cc | *_bench.cc) continue ;; esac
			printf ' %s' "${f%.cc}.o"
		done
		printf '\nall: libleveldb.a\nlibleveldb.a: $(OBJS)\n\t$(AR) rcs $@ $^\n%%.o: %%.cc\n\t$(CXX) $(CXXFLAGS) -c $< -o $@\n'
	} >Makefile
	mkdir -p port
	sed 's/#cmakedefine01 \(.*\)/#ifndef \1\n#define \1 0\n#endif/' port/port_config.h.in >port/port_config.h
}
build_leveldb() {
	make -j8 CXX="${1}g++"
}

# redis-server of this build says PONG on a socket of its own.
answers_ping() {
	local dir=$W/src/redis/src
	on client "$dir/redis-server" --port 0 --unixsocket "$W/src/redis.sock" --save '' --daemonize no >/dev/null 2>&1 &
	wait_until 10 test -S "$W/src/redis.sock" || return 1
	[ "$(on client "$dir/redis-cli" -s "$W/src/redis.sock" ping)" = PONG ]
}

plan 7
lan_up client w1 w2 w3
config client 'slots = 0'
mesh_up client w1 w2 w3 || bail "no mesh of four"
for host in w1 w2 w3; do
	hide_compilers "$host"
done
project redis
check "redis-server answers PING" answers_ping
project leveldb
[ "$test_failed" = 0 ]

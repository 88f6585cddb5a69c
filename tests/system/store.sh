#!/usr/bin/env bash
# store_size is kept by real daemons: a worker that has room for one toolchain lends itself to two compilers by turns, and removes the
# tree and tarball that it does not use; the client's builds go on, whatever was removed.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# Bytes on the worker's disk below its store.
on_disk() {
	on worker du -sb --apparent-size "$(store_dir worker)" | cut -f1
}

# compile COMPILER SOURCE: runs on the worker, within some tries, since the toolchain has to get there first.
compile() {
	wait_until 30 remote_once "$@"
}

remote_once() {
	local before
	before=$(submitted client remote)
	on client sh -c 'cd "$1" && icemesh-cc "$2" -O1 -c "$3" -o out.o' sh "$W/src" "$@" || return 1
	[ "$(submitted client remote)" -gt "$before" ]
}

holds_one() {
	[ "$(toolchains_of worker)" = 1 ]
}

lives() {
	daemon_signal "$1" 0
}

plan 8
lan_up client worker
config client "slots = 0"
mesh_up client worker || bail "no mesh of two"
hide_compilers worker
echo 'int one(int x) { return x + 1; }' >"$W/src/a.c"
echo 'template <class T> T two(T x) { return x + 2; } int y(int x) { return two(x); }' >"$W/src/b.cc"
check "the first compile runs on the worker" compile gcc a.c
one=$(on_disk)
stop_daemon worker
# Room for the larger of both, not for two.
config worker "store_size = $((one * 17 / 10))"
start_daemon worker && wait_until 10 sees client 2
check "the toolchain is still there after a restart" compile gcc a.c
check "a second compiler finds room" compile g++ b.cc
check "the first toolchain went for it" wait_until 10 holds_one
check "the store keeps to its limit" [ "$(on_disk)" -le $((one * 17 / 10)) ]
check "the first compiler comes back in its place" compile gcc a.c
check "there is one again" wait_until 10 holds_one
check "both daemons live" eval 'lives worker && lives client'

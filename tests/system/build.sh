#!/usr/bin/env bash
# One client and three workers that have no compiler of their own build icemesh; the objects hold the same code as a local build's.
# limit: 240 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

over_90_per_cent() {
	local share
	share=$(remote_share "$trace")
	echo "$share % of $(wc -l <"$trace") compiles were remote"
	[ "$share" -gt 90 ]
}

# every worker has served some, by its own count
all_served() {
	local host served
	for host in w1 w2 w3; do
		served=$(on $host icemesh status --json | jq .served.done)
		[ "${served:-0}" -gt 0 ] || { echo "$host served nothing"; return 1; }
	done
}

error_comes_back() {
	local status
	echo 'int f(void) { return undeclared_name; }' >bad.c
	on client icemesh-cc gcc -c bad.c -o bad.o >bad.txt 2>&1
	status=$?
	cat bad.txt
	[ $status = 1 ] && grep -q "bad.c:1:.*error: .*undeclared_name" bad.txt && [ ! -e bad.o ]
}

# same_answer ARGUMENT...: the wrapper says what the compiler says.
same_answer() {
	[ "$(on client icemesh-cc gcc "$@" 2>&1)" = "$(gcc "$@" 2>&1)" ]
}

plan 15
lan_up client w1 w2 w3
config client 'slots = 0'
mesh_up client w1 w2 w3 || bail "no mesh of four"
for host in w1 w2 w3; do
	hide_compilers $host
done
counts_the_same() {
	[ "$(submitted client remote)" = "$(jq -s 'map(select(.verdict == "remote")) | length' "$trace")" ]
}

copy_tree "$W/src/src"
cd "$W/src/src" || bail "no sources"
trace=$W/src/trace
check "a local build to compare with" make -s -j4 B=build-local CFLAGS='-O1 -g'
check "make -j8 CC=\"icemesh-cc gcc\"" on client env ICEMESH_TRACE="$trace" make -s -j8 B=build-mesh CC='icemesh-cc gcc' CFLAGS='-O1 -g'
check "more than 90 % of the compiles were remote" over_90_per_cent
check "each worker took part" all_served
check "every object has the code of the local one" "$TREE/tests/codecmp.sh" build-local build-mesh
check "the program runs" build-mesh/icemesh --version
check "the daemon counts the same" wait_until 5 counts_the_same
check "trace lines are whole" jq -e -s 'all(has("time") and has("file") and has("verdict") and has("peer_name") and has("exit") and (.ms | has("total")))' "$trace"
check "one toolchain at each worker" [ "$(toolchains_of w1) $(toolchains_of w2) $(toolchains_of w3)" = "1 1 1" ]

check "a compile error is the compiler's" error_comes_back
check "--version is passed through" same_answer --version
check "-E is passed through" same_answer -E -dM -xc /dev/null
check "an empty command line" same_answer

stop_daemon w1 && start_daemon w1
wait_until 10 sees client 4
echo 'int again;' >again.c
check "toolchains survive a restart" eval 'on client env ICEMESH_REMOTE=only ICEMESH_PEER=w1 icemesh-cc gcc -c again.c && [ "$(toolchains_of w1)" = 1 ]'
check "icemesh toolchain list names it" eval '[ "$(on w1 icemesh toolchain list --json | jq length)" = 1 ]'

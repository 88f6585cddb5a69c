#!/usr/bin/env bash
# Ctrl-C at a make, and the sudden death of a wrapper: the compiler at the peer is gone within a second.
# limit: 90 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

running() {
	[ "$(compilers_on w1)" -ge 1 ]
}

idle() {
	[ "$(compilers_on w1)" = 0 ]
}

# Starts make on the client as a terminal would: in a process group of its own, with SIGINT not ignored.
begin() {
	on client env --default-signal=INT setsid sh -c "echo \$\$ >'$W/src/group'; exec make -C '$W/src' CC='icemesh-cc g++' x.o" >/dev/null 2>&1 &
	wait_until 20 running || { echo "no compile began"; return 1; }
}

gone_within_a_second() {
	local begin
	begin=$(now_ms)
	"$@" || return 1
	wait_until 5 idle || { echo "still there after 5 s"; return 1; }
	[ $(($(now_ms) - begin)) -le 1000 ] || { echo "took $(($(now_ms) - begin)) ms"; return 1; }
}

interrupt() {
	on client sh -c "kill -INT -\$(cat '$W/src/group')"
}

kill_wrapper() {
	on client sh -c 'for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" != icemesh-cc ] || kill -KILL ${p#/proc/}; done'
}

plan 8
lan_up client w1
config client 'slots = 0' 'remote = only'
mesh_up client w1 || bail "no mesh"
# Seconds of work for the compiler, in few bytes.
cat >"$W/src/x.cc" <<'X'
constexpr long turn(long n) { long s = 0; for (long i = 0; i < n; i++) s += i % 7; return s; }
static_assert(turn(2000000000) > 0, "");
X
printf 'x.o: x.cc\n\t$(CC) -std=c++17 -fconstexpr-loop-limit=2147483647 -fconstexpr-ops-limit=2147483647 -c x.cc -o x.o\n' >"$W/src/Makefile"
check "a long compile runs at the peer" begin
check "SIGINT of the make: gone within a second" gone_within_a_second interrupt
check "it leaves no object" [ ! -e "$W/src/x.o" ]
check "a long compile again" begin
check "SIGKILL of the wrapper: gone within a second" gone_within_a_second kill_wrapper
check "a last long compile" begin
check "the client's machine vanishes: gone within a few seconds" eval 'kill_host client; wait_until 15 idle'
check "the peer is well" eval '[ "$(on w1 icemesh status --json | jq .served.running)" = 0 ]'

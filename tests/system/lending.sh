#!/usr/bin/env bash
# What a machine's owner says counts: a paused node takes nothing until it is resumed, and one that is told to end or to leave lets the
# others' jobs finish.
# limit: 180 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# Some seconds of work for a compiler.
write_long_source() {
	local i
	for i in $(seq 3000); do
		echo "int f$i(int x) { int s = 0; for (int k = 0; k < x; k++) s += k * $i ^ s >> (k & 7); return s; }"
	done >"$1"
}

compile() {
	on client env -C "$W/src" icemesh-cc gcc -O2 -c "$1" -o "$W/src/out.o"
}

state_of() {
	on "$1" icemesh peers --json | jq -r --arg name "$2" '.[] | select(.name == $name) | .state'
}

is_in_state() {
	[ "$(state_of "$1" "$2")" = "$3" ]
}

# One compile; so many more than before have run at peers then.
remote_compiles() {
	local before
	before=$(submitted client remote)
	compile s1.c || return 1
	wait_until 5 eval "[ \$((\$(submitted client remote) - $before)) = $1 ]"
}

compiles_at() {
	[ "$(compilers_on "$1")" -gt 0 ]
}

# A compile in the background, under way at the worker.
begin_long() {
	rm -f "$W/src/status" "$W/src/out.o"
	(
		compile long.c >"$W/src/log" 2>&1
		echo $? >"$W/src/status"
	) &
	wait_until 30 compiles_at worker
}

ended_well() {
	wait_until 60 test -s "$W/src/status" && [ "$(cat "$W/src/status")" = 0 ] && cmp "$W/src/out.o" "$W/src/local.o" &&
		[ "$(submitted client retried)" = "$1" ]
}

plan 14
lan_up client worker
config client 'slots = 0' 'local_slots = 1'
mesh_up client worker || bail "no mesh of two"
mkdir -p "$W/src"
write_sources "$W/src" 1
write_long_source "$W/src/long.c"
(cd "$W/src" && gcc -O2 -c long.c -o local.o) || bail "no object here"

check "the peer compiles" wait_until 30 remote_compiles 1
check "paused: the owner's command succeeds" on worker icemesh pause
check "all see that it is paused" wait_until 10 is_in_state client worker paused
check "and so does it" is_in_state worker worker paused
check "compiles stay here" remote_compiles 0
check "resumed" eval 'on worker icemesh resume && wait_until 10 is_in_state client worker up'
check "the peer compiles again" wait_until 30 remote_compiles 1
check "a pause of a second ends by itself" eval 'on worker icemesh pause 1s && wait_until 10 is_in_state worker worker up'

begin_long
daemon_signal worker TERM
check "told to end, it lets the job finish: it was not sent twice" ended_well 0
check "and is gone then" wait_until 5 daemon_gone worker
start_daemon worker
wait_until 10 sees client 2
begin_long
daemon_signal worker TERM
daemon_signal worker TERM
check "told twice, it ends at once; the compile is right all the same" eval 'wait_until 3 daemon_gone worker && ended_well 1'

start_daemon worker
wait_until 10 sees client 2
begin_long
check "told to leave, it does" on worker icemesh leave
check "after the job: it was not sent twice" ended_well 1
check "and is in no mesh" eval 'wait_until 5 sees client 1 && on worker icemesh leave 2>&1 | grep -q "in no mesh"'

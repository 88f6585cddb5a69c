#!/usr/bin/env bash
# Workers die in the middle of a build, one with a crash and one with the whole machine: it costs time, not the build.
# limit: 180 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

compiled() {
	[ "$(ls "$W"/src/mesh/*.o 2>/dev/null | wc -l)" -ge "$1" ]
}

ended() {
	[ -s "$W/src/status" ]
}

# begin_build -jN: on the client, in the background.
begin_build() {
	rm -f "$W/src/status" "$W"/src/mesh/*.o
	(
		on client env ICEMESH_TRACE="$W/src/trace" make -s "$1" -C "$W/src/mesh" CC='icemesh-cc gcc' >"$W/src/make.log" 2>&1
		echo $? >"$W/src/status"
	) &
}

succeeded() {
	wait_until 60 ended || { echo "the build hangs"; return 1; }
	cat "$W/src/make.log"
	[ "$(cat "$W/src/status")" = 0 ]
}

plan 8
lan_up client w1 w2 w3
config client 'slots = 0' 'local_slots = 2'
mesh_up client w1 w2 w3 || bail "no mesh of four"
write_sources "$W/src/local" 40
write_sources "$W/src/mesh" 40
make -s -j4 -C "$W/src/local" || bail "local build"

begin_build -j6
check "some objects are there" wait_until 30 compiled 8
kill_host w1
stop_daemon w2 KILL
check "two workers died: the build succeeds" succeeded
check "every object has the code of the local one" "$TREE/tests/codecmp.sh" "$W/src/local" "$W/src/mesh"
check "and a survivor did most of it" [ "$(submitted client remote)" -gt 20 ]

start_daemon w2
wait_until 10 sees client 3
begin_build -j6
wait_until 30 compiled 8
stop_daemon client KILL
check "the client's own daemon died: the build succeeds" succeeded
check "objects once more" "$TREE/tests/codecmp.sh" "$W/src/local" "$W/src/mesh"

start_daemon client
wait_until 10 sees client 3
begin_build -j6
wait_until 30 compiled 8
kill_host w2
kill_host w3
check "every worker died: the build succeeds" succeeded
check "objects a last time" "$TREE/tests/codecmp.sh" "$W/src/local" "$W/src/mesh"

#!/usr/bin/env bash
# Why compiles ran where they ran: the trace, `icemesh why` and `icemesh why FILE` say the same of each, and no user sees another's.
# limit: 300 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# compiled SOURCE OPTION...: over the mesh, traced, into SOURCE's .o.
compiled() {
	on client env ICEMESH_TRACE="$W/src/trace" "${variables[@]}" icemesh-cc gcc -O2 -c "$1" -o "${1%.c}.o" "${@:2}"
}

# The last line of the trace, and the last of `why`, hold for this jq expression.
traced() {
	tail -n 1 trace | jq -e "$1" >/dev/null || { tail -n 1 trace; return 1; }
}

known() {
	on client icemesh why --json | jq -e "last | $1" >/dev/null || { on client icemesh why --json | jq -c last; return 1; }
}

both() {
	traced "$1" && known "$1"
}

# Everything of every trace line but what a compile here finds out later, and the time, which the daemon reckons back from its own clock.
told() {
	jq -c 'del(.time, .uid, .exit, .ms.total) | if .verdict == "remote" then . else del(.ms) end'
}

same_as_trace() {
	on client icemesh why --json | jq -c '.[]' | told | sort >why.lines
	told <trace | sort >trace.lines
	[ "$(wc -l <why.lines)" -ge 10 ] || { echo "too few"; return 1; }
	diff trace.lines why.lines
}

local_for() {
	compiled "${@:2}" && both ".verdict == \"local\" and .reason == \"$1\" and .mode == \"\" and .peer == \"\"" && traced '.exit == 0 and .ms.total >= .ms.compile'
}

goes_remote() {
	compiled far.c && both '.verdict == "remote" and .reason == "" and .mode == "source" and .peer_name == "w1" and .exit == 0 and .retries == 0
		and .bytes_out > 0 and .bytes_in > 0 and (.toolchain | length) == 64 and (.job | length) == 16 and .hedged == false
		and .file == "'"$W"'/src/far.c" and .output == "'"$W"'/src/far.o"'
}

links() {
	on client env ICEMESH_TRACE="$W/src/trace" icemesh-cc gcc far.o main.o -o prog && both '.verdict == "local" and .reason == "linking"'
}

fails_there() {
	! compiled wrong.c && both '.verdict == "remote" and .exit == 1 and .reason == ""'
}

preprocessed() {
	local variables=(ICEMESH_MODE=preprocessed)
	compiled far.c && both '.verdict == "remote" and .mode == "preprocessed"'
}

# The outer one cannot pack a script, runs it here, and that starts the inner one, whose line is the first.
nested() {
	printf '#!/bin/sh\nexec icemesh-cc gcc "$@"\n' >gcc-script && chmod +x gcc-script
	on client env ICEMESH_TRACE="$W/src/trace" icemesh-cc ./gcc-script -c far.c -o nested.o &&
		jq -se '.[-2].reason == "nested" and .[-1].reason == "toolchain"' trace >/dev/null || { tail -n 2 trace; return 1; }
}

# The compiler is killed: 128 + 9, with the trace's line.
dies() {
	# shellcheck disable=SC2016
	printf '#!/bin/sh\ncase $* in *dies.c*) kill -9 $$ ;; esac\nexec gcc "$@"\n' >gcc-dies && chmod +x gcc-dies
	on client env ICEMESH_TRACE="$W/src/trace" sh -c 'icemesh-cc ./gcc-dies -E -c dies.c; [ $? = 137 ]' 2>/dev/null
	both '.reason == "preprocess-only"' && traced '.exit == 137 and .verdict == "local"'
}

running_on() {
	[ "$(compilers_on "$1")" -gt 0 ]
}

# Somebody ends it while a peer has it.
cancelled() {
	# shellcheck disable=SC2016
	on client env ICEMESH_TRACE="$W/src/trace" sh -c 'echo $$ >pid; exec icemesh-cc gcc -O2 -c heavy.c -o cancelled.o' &
	wait_until 30 running_on w1 && on client sh -c 'kill -TERM "$(cat pid)"'
	wait $!
	[ $? = 143 ] && traced '.exit == 143 and .verdict == "remote" and .peer_name == "w1" and (.output | endswith("/cancelled.o"))'
}

# Its compile is stopped there, its machine goes away, and another one does it: sent there once more, or the second copy that is
# there already.
# shellcheck disable=SC2030
retried() {
	local status=$W/src/status first
	rm -f "$status"
	(
		compiled heavy.c
		echo $? >"$status"
	) &
	wait_until 30 eval 'running_on w1 || running_on w2' || return 1
	first=w1 && running_on w2 && first=w2
	kill_host $first
	wait_until 120 test -s "$status" || { echo "it hangs"; return 1; }
	[ "$(cat "$status")" = 0 ] && both '.verdict == "remote" and (.retries == 1 or .hedged) and (.text | startswith("'$first': ")) and .peer_name != "'$first'"' &&
		on client icemesh why heavy.o | grep "^  before   $first: "
}

# says PATTERN COMMAND...
says() {
	local text
	text=$("${@:2}" 2>&1) || { echo "failed: $text"; return 1; }
	grep -qE -- "$1" <<<"$text" || { echo "no /$1/ in: $text"; return 1; }
}

# another COMMAND...: as another user of the client.
another() {
	as=(setpriv --reuid 1600 --regid 1600 --clear-groups --inh-caps=-all)
	on client "$@"
	local status=$?
	as=()
	return $status
}

apart() {
	another icemesh why --json | jq -e '. == []' >/dev/null || { echo "sees them"; return 1; }
	another env ICEMESH_REMOTE=never icemesh-cc gcc -c "$W/src/far.c" -o "$W/src/other/secret.o" || return 1
	another icemesh why --json | jq -e 'map(.output) == ["'"$W"'/src/other/secret.o"]' >/dev/null || { echo "does not see its own"; return 1; }
	refuses 'no compile of .heavy.o. is known' another icemesh why heavy.o
	on client icemesh why --json | jq -e 'last | .uid == 1600' >/dev/null || { echo "root does not see all"; return 1; }
}

plan 18
[ -z "${LAN_LOOPBACK:-}" ] || bail "machines that die need namespaces"
variables=()
lan_up client w1
config client 'slots = 0' 'local_slots = 2'
config w1 'slots = 3'
cd "$W/src" || bail "no folder"
echo 'int far(void) { return 4; }' >far.c
echo 'int far(void); int main(void) { return far() - 4; }' >main.c
echo 'int wrong(void) { return ; } }' >wrong.c
echo 'int dies;' >dies.c
: >none.specs
echo 'int conftest;' >conftest.c
{
	echo 'typedef int t0;'
	for ((i = 0; i < 800; i++)); do
		echo "int f$i(int x) { int y = 0; for (int i = 0; i < x; i++) { if (x % (i + $i)) y += i * $i; else y ^= x >> (i & 7); } return y; }"
	done
} >heavy.c

check "no daemon: said in one line" refuses '^icemesh: no icemeshd is reached .*\(no-daemon\); start it' on client icemesh why
check "no daemon: the compile is traced with that reason" eval 'compiled main.c && traced ".verdict == \"local\" and .reason == \"no-daemon\" and .exit == 0"'
check "no daemon: jobs are the local slots" [ "$(on client icemesh jobs)" = 2 ]
rm trace
mesh_up client w1 >/dev/null || bail "no mesh"
wait_until 30 on client env ICEMESH_REMOTE=only icemesh-cc gcc -c far.c -o far.o 2>/dev/null || bail "no peer"
stop_daemon client && start_daemon client && wait_until 20 sees client 2 || bail "no client"
check "jobs: the local slots and the peer's" wait_until 5 eval '[ "$(on client icemesh jobs)" = 5 ]'

check "remote" goes_remote
check "linking" links
check "an option" local_for 'option -specs=' far.c -specs=none.specs
check "remote-never" eval 'variables=(ICEMESH_REMOTE=never); local_for remote-never far.c'
variables=()
check "a configure probe" local_for configure-probe conftest.c
check "an error there" fails_there
check "preprocessed" preprocessed
check "one inside the other" nested
check "a compiler that is killed" dies
check "trace and why agree on every compile" same_as_trace
check "in words" says 'linking \(1\): Linking needs this machine' on client icemesh why

check "one that is ended while a peer has it" cancelled

lan_up w2
start_daemon w2 && on w2 icemesh join "$(on client icemesh invite | tail -n 1)" >/dev/null && wait_until 20 sees client 3 || bail "no second peer"
check "a lost peer" retried

mkdir -m 777 other
if [ "$(awk '{ print $3 }' /proc/self/uid_map | head -n 1)" = 1 ]; then
	skip "another user sees nothing of it" "rootless"
else
	check "another user sees nothing of it" apart
fi

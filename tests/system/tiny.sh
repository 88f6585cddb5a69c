#!/usr/bin/env bash
# Tiny compiles over a slow line: once it is known that the trip takes longer than the compile, a free local slot is taken instead; never
# otherwise, and never with remote = only.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# compile: the table over the mesh; its object is the local one.
compile() {
	rm -f table.o
	on client env ICEMESH_TRACE="$W/src/trace" ICEMESH_REMOTE="${remote:-auto}" icemesh-cc gcc -c table.c -o table.o && cmp local.o table.o
}

# went VERDICT [REASON]: the last compile.
went() {
	tail -n 1 trace | jq -e --arg v "$1" --arg r "${2:-}" '.verdict == $v and .reason == $r' >/dev/null || { tail -n 1 trace; return 1; }
}

# Only what has not changed for two seconds is remembered.
settled() {
	[ -z "$(find "$W/src" -name '*.[ch]' -newerct '3 seconds ago')" ]
}

# One trip to remember the inputs, if that was not done yet, and two to measure.
stays_at_last() {
	local trips=0
	while compile && went remote && [ $trips -lt 4 ]; do
		trips=$((trips + 1))
	done >/dev/null
	[ $trips -ge 2 ] && went local tiny
}

with_the_slot_taken() {
	local status
	# shellcheck disable=SC2016
	on client sh -c 'exec flock /tmp/icemesh-slots/0 sh -c "echo taken >$0; read -r line <$1"' "$W/src/taken" "$W/src/free" &
	wait_until 5 test -s "$W/src/taken" || return 1
	compile && went remote
	status=$?
	echo free >"$W/src/free"
	wait $!
	return $status
}

with_remote_only() {
	local remote=only
	compile && went remote
}

plan 3
[ -z "${LAN_LOOPBACK:-}" ] || bail "a slow line needs namespaces"
lan_up client w1
config client 'slots = 0' 'local_slots = 1'
mesh_up client w1 >/dev/null || bail "no mesh"
hide_compilers w1
cd "$W/src" || bail "no folder"
{
	echo 'unsigned char table[] = {'
	od -An -v -tu1 -N 24000 /dev/urandom | sed 's/\([0-9]\) /\1,/g; s/$/,/'
	echo '};'
} >table.c
gcc -c table.c -o local.o || bail "no local compile"
mkfifo free
wait_until 30 on client env ICEMESH_REMOTE=only icemesh-cc gcc -c table.c -o table.o 2>/dev/null || bail "no peer"
wait_until 10 settled
on w1 tc qdisc add dev eth0 root tbf rate 100kbit burst 4kb latency 9s || bail "no slow line"

check "after some trips a tiny compile stays here" stays_at_last
check "not when the local slot is taken" with_the_slot_taken
check "not with remote = only" with_remote_only

#!/usr/bin/env bash
# Peers that lose against this machine, here because of a slow line: once that is known from compiles that stayed because all peers were busy,
# a free local slot comes first; never with remote = only.
# limit: 240 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

FUNCTIONS=500 TABLE=200000 # a compile of seconds, whose object takes longer over the line
ROUNDS=8

# compile NAME: over the mesh; the object is the local one.
compile() {
	rm -f "$1.o"
	on client env ICEMESH_TRACE="$W/src/trace.$1" ICEMESH_REMOTE="${remote:-auto}" icemesh-cc gcc -O2 -c "$1.c" -o "$1.o" && cmp "$1.local" "$1.o"
}

# went NAME VERDICT [REASON]: its last compile.
went() {
	tail -n 1 "trace.$1" | jq -e --arg v "$2" --arg r "${3:-}" '.verdict == $v and .reason == $r' >/dev/null || { tail -n 1 "trace.$1"; return 1; }
}

last_of_all() {
	tail -qn 1 trace.one trace.two trace.three
}

# Only what has not changed for two seconds is remembered.
settled() {
	[ -z "$(find "$W/src" -name '*.[ch]' -newerct '3 seconds ago')" ]
}

# Three at once: one runs at the peer, one waits there, the last finds it busy and stays, until that is seen to be the faster way.
stays_when_peers_are_busy() {
	local i first second
	for i in $(seq $ROUNDS); do
		compile one &
		first=$!
		compile two &
		second=$!
		compile three && wait $first && wait $second || return 1
		[ "$(last_of_all | grep -c '"verdict":"local"')" -ge 1 ] || { echo "round $i"; last_of_all; return 1; }
		! last_of_all | grep -q '"reason":"faster-here"' || return 0
	done
	tail -n $ROUNDS trace.*
	return 1
}

# One in so many goes to the peer all the same.
stays_at_last() {
	local i
	for i in 1 2 3; do
		compile one || return 1
		! went one local faster-here >/dev/null || return 0
	done
	tail -n 3 trace.one
	return 1
}

with_the_slot_taken() {
	local status
	# shellcheck disable=SC2016
	on client sh -c 'exec flock /tmp/icemesh-slots/0 sh -c "echo taken >$0; read -r line <$1"' "$W/src/taken" "$W/src/free" &
	wait_until 5 test -s "$W/src/taken" || return 1
	compile two && went two remote
	status=$?
	echo free >"$W/src/free"
	wait $!
	return $status
}

with_remote_only() {
	local remote=only
	compile two && went two remote
}

plan 4
[ -z "${LAN_LOOPBACK:-}" ] || bail "a slow line needs namespaces"
lan_up client w1
config client 'slots = 0' 'local_slots = 1'
config w1 'slots = 1'
mesh_up client w1 >/dev/null || bail "no mesh"
hide_compilers w1
cd "$W/src" || bail "no folder"
for name in one two three; do
	for i in $(seq $FUNCTIONS); do
		printf 'unsigned mix(unsigned);\nunsigned %s%d(unsigned *p, unsigned n)\n{\n\tunsigned s = %d;\n\tfor (unsigned i = 0; i < n; i++) { s += p[i] * %du; s ^= s >> %d; if (s & %du) s = mix(s); p[i] = s; }\n\treturn s;\n}\n' \
			$name "$i" "$i" $((i * 7 + 3)) $((i % 13 + 1)) $((1 << i % 20))
	done >$name.c
	{
		echo "const unsigned char table_${name}[] = {"
		od -An -v -tu1 -N $TABLE /dev/urandom | sed 's/\([0-9]\) /\1,/g; s/$/,/'
		echo '};'
	} >>$name.c
	gcc -O2 -c $name.c -o $name.local || bail "no local compile"
done
mkfifo free
wait_until 10 settled
for name in one two three; do
	wait_until 60 on client env ICEMESH_REMOTE=only icemesh-cc gcc -O2 -c $name.c -o $name.o 2>/dev/null || bail "no peer"
done
on w1 tc qdisc add dev eth0 root tbf rate 400kbit burst 16kb latency 500ms || bail "no slow line"

check "some stay while the peer is busy" stays_when_peers_are_busy
check "then compiles stay that would be slower there" stays_at_last
check "not when the local slot is taken" with_the_slot_taken
check "not with remote = only" with_remote_only

#!/usr/bin/env bash
# Nodes find each other, and notice who goes: by multicast of either kind, by seeds alone, and again after a restart.
# limit: 180 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# seen_within MS HOST COUNT
seen_within() {
	local begin
	begin=$(now_ms)
	wait_until 10 sees "$2" "$3" || { echo "$2 sees $(peers_seen "$2"), not $3"; return 1; }
	[ $(($(now_ms) - begin)) -le "$1" ] || { echo "took $(($(now_ms) - begin)) ms"; return 1; }
}

listed() {
	[ "$(on "$1" icemesh peers --json | jq length)" = "$2" ]
}

# all_again forget|remember LINE...: every daemon stops, then starts with more configuration, with or without its table of peers.
all_again() {
	local how=$1 host
	shift
	for host in a b c; do
		stop_daemon $host
		config $host "$@"
		[ "$how" = remember ] || on $host rm -f "$(state_dir $host)/peers"
	done
	for host in a b c; do
		start_daemon $host || return 1
	done
}

plan 15
lan_up a b c
mesh_up a b c || bail "no mesh of three"
check "stopped by SIGTERM: it says goodbye" stop_daemon c
check "and is gone at once" seen_within 700 a 2
check "it starts again" start_daemon c
check "seen by the first within 2 s" seen_within 2000 a 3
check "seen by the second" seen_within 500 b 3
check "it sees both" seen_within 2000 c 3
check "killed: it stays no longer than a few intervals" eval 'stop_daemon c KILL && seen_within 9000 a 2'
check "and is listed no more" wait_until 20 listed a 2
start_daemon c

# Without what they remember, or they would ask each other by unicast.
check "IPv6 multicast alone" eval 'all_again forget "group = off" "group6 = [ff12::9777]:9777"; seen_within 3000 a 3'
check "IPv4 multicast alone" eval 'all_again forget "group = 239.255.97.77:9777" "group6 = off"; seen_within 3000 a 3'
check "no daemon went without a group it was told to use" eval '! grep "beacons go without" "$W"/[abc]/log'
check "no multicast: the table on disk is enough" eval 'all_again remember "group = off"; seen_within 3000 a 3 && seen_within 3000 c 3'
check "no multicast and no table: nobody is seen" eval 'all_again forget; ! seen_within 3000 a 3 >/dev/null'

for host in a b c; do
	stop_daemon $host
	on $host sh -c "rm -rf '$(state_dir $host)'/*"
done
config b "seeds = 10.77.0.1"
config c "seeds = 10.77.0.1:9777"
check "no multicast, no table, only seeds: a mesh" mesh_up a b c
check "those who know one node learn of the others" seen_within 3000 b 3

#!/usr/bin/env bash
# Beyond one multicast segment: two networks with a router that passes no multicast, and one seed; then a network whose switch drops
# multicast.  In both everybody sees everybody, and what is wrong is said.
# limit: 180 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# second_bridge HOST...: these hosts move to 10.78.0/24 and fd78::/64 behind a router that is this namespace.
second_bridge() {
	local host number=0 port
	echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
	ip link add br1 type bridge mcast_snooping 0
	ip link set br1 up
	ip addr add 10.77.0.254/24 dev br0 && ip addr add 10.78.0.254/24 dev br1
	for host; do
		number=$((number + 1))
		port=p${numbers[$host]}
		ip link set "$port" nomaster
		ip link set "$port" master br1
		on "$host" sh -c "ip addr flush dev eth0 scope global && ip addr add 10.78.0.$number/24 brd + dev eth0 &&
			ip route replace default via 10.78.0.254"
		wait_until 5 link_forwards "$port"
	done
	for host in a b; do
		on "$host" ip route replace default via 10.77.0.254
	done
}

all_see() {
	local count=$1 host
	shift
	for host; do
		wait_until 15 sees "$host" "$count" || { echo "$host sees $(peers_seen "$host"), not $count"; return 1; }
	done
}

# address_of HOST PEER: where HOST believes it to be.
address_of() {
	on "$1" icemesh peers --json | jq -r --arg name "$2" '.[] | select(.name == $name) | .address'
}

addressed() {
	[[ "$(address_of "$1" "$2")" == "$3"* ]]
}

knows_address() {
	wait_until 15 addressed "$1" "$2" "$3" || { echo "$1 has $2 at $(address_of "$1" "$2"), not $3"; return 1; }
}

id_of() {
	on "$1" icemesh status --json | jq -r .node.id
}

has_problem() {
	on "$1" icemesh status --json | jq -e '.problems[] | select(.what | test("multicast is filtered"))' >/dev/null
}

no_problem() {
	! has_problem "$1"
}

declare -A numbers=([a]=1 [b]=2 [c]=3 [d]=4 [e]=5)
plan 15
lan_up a b c d e
second_bridge c d e
# Only one node of the second network knows one of the first; the others join through the token's address, which seeds only them.
config c 'seeds = 10.77.0.2'
mesh_up a b c d e || bail "no mesh of five over two segments"
for host in a b c d e; do
	stop_daemon $host
	on $host rm -f "$(state_dir $host)/peers"
	# What a token named is forgotten as well: c's seed alone joins the two segments.
	on $host sh -c "rm -f '$(state_dir $host)/seeds'"
done
for host in a b c d e; do
	start_daemon $host
done
check "one seed joins two segments" all_see 5 a b c d e
check "the first segment knows where the second is" knows_address a e 10.78.0.3
check "and the other way" knows_address e a 10.77.0.1
check "multicast works in each: no problem is stated" eval 'no_problem a && no_problem e'
check "the seed's owner may go" eval 'stop_daemon c && all_see 4 a b d e'
check "and the seed itself" eval 'stop_daemon b && all_see 3 a d e'
check "both are back" eval 'start_daemon b && start_daemon c && all_see 5 a b c d e'

id=$(id_of e)
on e ip addr flush dev eth0 scope global
ip link set p5 nomaster && ip link set p5 master br0
on e sh -c 'ip addr add 10.77.0.9/24 brd + dev eth0 && ip route replace default via 10.77.0.254'
check "a laptop moves to the other segment: its old neighbours know" knows_address d e 10.77.0.9
check "so do the new ones" knows_address a e 10.77.0.9
check "it is the same node" [ "$(id_of e)" = "$id" ]
check "and everybody is there" all_see 5 a b c d e

# A switch that drops multicast: no bridge port forwards it any more, neighbour discovery included.
for host in a b e; do
	ip link set "p${numbers[$host]}" type bridge_slave mcast_flood off
done
ip link set br0 type bridge mcast_snooping 0
check "filtered multicast is stated" wait_until 40 has_problem a
check "with a remedy, and in the log" eval 'on a icemesh status | grep -q "querier" && wait_until 10 grep -q "no multicast arrives from" "$W/a/log"'
check "they see one another all the same" all_see 5 a b c d e
for host in a b e; do
	ip link set "p${numbers[$host]}" type bridge_slave mcast_flood on
done
check "when it works again the problem is gone" wait_until 40 no_problem a

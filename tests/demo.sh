#!/usr/bin/env bash
# make demo: four nodes on this machine build icemesh together.  Each is in a network namespace of its own where that is allowed,
# otherwise they share the loopback interface.  Leaves nothing running and nothing behind, also when it is interrupted.
set -u
cd "$(dirname "$0")/.." || exit 1
LAN_OR_LOOPBACK=yes
. tests/lan.sh
lan_enter "$@"

nodes=(anna ben cleo dora)
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' plain=$'\e[0m'
fi

say() {
	printf '%s%s%s\n' "$bold" "$*" "$plain"
}

fail() {
	test_failed=1
	echo "demo: $*" >&2
	exit 1
}

# timed COMMAND...: runs it; its seconds go to $took, what it says to $W/said.
timed() {
	local begin status
	begin=$(now_ms)
	"$@" >"$W/said" 2>&1 </dev/null
	status=$?
	took=$(awk -v ms=$(($(now_ms) - begin)) 'BEGIN { printf "%.1f s", ms / 1000 }')
	return $status
}

where='each in a network namespace of its own'
[ -z "${LAN_LOOPBACK:-}" ] || where='on the loopback interface, since network namespaces are not allowed here'
say "icemesh demo: four nodes on this machine, $where"
lan_up "${nodes[@]}"
for node in "${nodes[@]}"; do
	config "$node" 'slots = 2' "name = $node"
done
config anna 'local_slots = 1'
timed mesh_up "${nodes[@]}" || { cat "$W/said"; fail "the nodes did not find each other"; }
echo "anna made a mesh, ben, cleo and dora joined it with a token: $took"
echo
on anna icemesh peers
echo

copy_tree "$W/src/icemesh"
cd "$W/src/icemesh" || fail "no sources"
jobs='-j6'
say "anna$ make $jobs CC=\"icemesh-cc cc\""
timed on anna env ICEMESH_TRACE="$W/src/trace" make -s $jobs B=build-mesh CC='icemesh-cc cc' CFLAGS='-O1 -g' ||
	{ tail -n 20 "$W/said"; fail "the build failed"; }
echo "built icemesh in $took, the first compile with packing and sending the compiler included; its compiles ran on"
jq -rs 'map(select(.reason != "linking" and .reason != "preprocess-only" and .reason != "configure-probe"))
	| group_by(if .verdict == "remote" then .peer_name else "" end)[]
	| "  \(if .[0].verdict == "remote" then .[0].peer_name else "anna itself (\(map(.reason) | unique | join(", ")))" end)\t\(length)"' "$W/src/trace"
echo
timed make -s $jobs B=build-local CC=cc CFLAGS='-O1 -g' || { tail -n 20 "$W/said"; fail "the local build failed"; }
say "compared with a local build ($took, on the same cores)"
tests/codecmp.sh build-local build-mesh || fail "the builds differ"
echo
echo "Nothing is left running, nothing is left behind.  README.md says how to do this with real machines."

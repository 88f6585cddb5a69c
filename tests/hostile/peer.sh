#!/usr/bin/env bash
# What a hostile peer sends to a living daemon is refused with one line in its log that names the cause; nothing is stored, nothing
# runs, the daemon lives on.  tests/hostile/peer.c plays the peer.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

# What the victim keeps: every file of its state and store that a hostile peer could have brought.
kept() {
	on victim sh -c "find '$(store_dir victim)' '$(state_dir victim)' -type f ! -name '*peers*' -exec sha256sum {} + | sort"
}

# peer CASE [STATE_DIR]: sends it from the host "evil".
peer() {
	on evil "$W/bin/peer" "$1" 10.77.0.1 9777 "$token" "${@:2}"
}

# refused CASE PATTERN [STATE_DIR]: one new line in the victim's log, it names the cause, and everything else is as before.
refused() {
	local lines before new
	lines=$(wc -l <"$W/victim/log")
	before=$(kept)
	peer "$1" "${@:3}" || return 1
	logged_since "$lines" "$2" || { echo "the log says: $(tail -n "+$((lines + 1))" "$W/victim/log")"; return 1; }
	new=$(tail -n "+$((lines + 1))" "$W/victim/log" | grep -c .)
	[ "$new" = 1 ] || { echo "$new lines instead of one:"; tail -n "+$((lines + 1))" "$W/victim/log"; return 1; }
	[ "$(kept)" = "$before" ] || { echo "something was stored:"; diff <(echo "$before") <(kept); return 1; }
	[ "$(on victim icemesh status --json | jq .served.done)" = "${served:-0}" ] || { echo "something ran"; return 1; }
	[ "$(daemon_signal victim 0 && cat "$W/victim/pid")" = "$pid" ]
}

logged_since() {
	wait_until 8 eval "tail -n +$(($1 + 1)) '$W/victim/log' | grep -qiE -- '$2'"
}

answered() {
	local answer
	answer=$(peer "$1" "${@:3}")
	grep -qiE -- "$2" <<<"$answer" || { echo "the answer is: $answer"; return 1; }
}

same_as() {
	[ "$(kept)" = "$1" ]
}

# leaves_nothing CASE...: a transfer that breaks off leaves no file, not even one that does not count.
leaves_nothing() {
	local before
	before=$(kept)
	peer "$@" && peer "$@" || return 1
	wait_until 5 same_as "$before" || diff <(echo "$before") <(kept)
}

# evil_stops: its daemon ends, and the victim has written so.
evil_stops() {
	local before
	before=$(goodbyes)
	stop_daemon evil && wait_until 10 eval "[ \"\$(goodbyes)\" -gt $before ]"
}

goodbyes() {
	grep -c 'evil is gone' "$W/victim/log"
}

plan 29
lan_up victim evil
cp "$B/hostile/peer" "$W/bin/"
mesh_up victim evil || bail "no mesh of two"
token=$(on victim icemesh invite | tail -n 1)
pid=$(cat "$W/victim/pid")
evil_stops || bail "evil stays"
# A member gone bad: key and certificate as their owner would use them.
member=$W/evil/member
mkdir -m 700 "$member"
on evil install -m 600 "$(state_dir evil)/node.key" "$(state_dir evil)/cert" "$member/"

check "a beacon with a bad signature" refused beacon-altered 'beacon.*signature'
check "a member's beacon with a bad signature" refused beacon-altered 'beacon.*signature' "$member"
check "a truncated beacon" refused beacon-cut 'beacon.*(truncated|early|malformed)'
check "no intruder is listed" [ "$(on victim icemesh peers --json | jq 'map(select(.name | test("ntruder"))) | length')" = 0 ]
check "a truncated frame" refused frame-cut 'truncated|ends too early|end.* early' "$member"
check "an altered frame" refused frame-altered 'signature|MAC|altered' "$member"
check "a frame of two gigabytes" refused frame-huge 'limit|too (long|large)|bytes' "$member"
check "another mesh" refused other-mesh 'mesh'
check "a token that nobody gave" refused join-invented 'token'
check "the joiner hears the cause" answered join-invented 'error 10: .*token'
check "a certificate with another's key" refused stolen-certificate 'certificate|key' "$member"
check "an altered toolchain tarball" refused toolchain-altered 'toolchain.*(digest|signature|content)' "$member"
check "its sender hears the cause" answered toolchain-altered 'error 5: .*digest' "$member"
check "a tarball signed by an unknown key" refused toolchain-stranger 'toolchain.*(unknown key|nobody vouched)' "$member"
check "its sender hears the cause too" answered toolchain-stranger 'error 7: ' "$member"
check "a toolchain under another's name" refused toolchain-renamed 'toolchain.*(digest|signature)' "$member"
check "a well signed tarball that is no archive" answered toolchain-noise 'error' "$member"
check "is not unpacked" [ "$(toolchains_of victim)" = 0 ]
check "a sender that goes away in the middle leaves nothing" leaves_nothing toolchain-stop "$member"
start_daemon evil
check "the victim still works with an honest node" wait_until 10 sees victim 2

# The inputs of a source job, from a member that once was honest and has brought its toolchain.
echo 'int f(void) { return 0; }' >"$W/evil/a.c"
wait_until 10 sees evil 2
check "it does" on evil env ICEMESH_REMOTE=only icemesh-cc cc -c "$W/evil/a.c" -o "$W/evil/a.o"
served=$(on victim icemesh status --json | jq .served.done)
toolchain=$(on evil icemesh toolchain list --json | jq -r 'map(select(.compiler))[0].digest')
evil_stops || bail "evil stays"
check "an altered blob" refused blob-altered 'input .*digest' "$member" "$toolchain"
check "its sender hears the cause" answered blob-altered 'error 5: .*digest' "$member" "$toolchain"
check "a blob that nobody asked for" refused blob-unasked 'not asked for' "$member" "$toolchain"
check "a blob under a tree's name that is none" refused tree-malformed 'tree .*malformed' "$member" "$toolchain"
check "a tree that leads out of its folder" refused tree-climbs 'tree .*malformed' "$member" "$toolchain"
check "the cause is heard" answered tree-climbs 'error 2: .*malformed' "$member" "$toolchain"
check "a blob's sender that goes away leaves nothing" leaves_nothing blob-stop "$member" "$toolchain"
start_daemon evil
check "the victim works on" wait_until 10 sees victim 2

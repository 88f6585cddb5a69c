#!/usr/bin/env bash
# make -j64 on a machine with two local slots: never more than two compilers at one time, counted without a gap by tests/system/census.c, with
# links and preprocessors; with no daemon, with no peer, with peers that die, for two users at once.
# limit: 300 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

OBJECTS=80 LINKS=10

# write_project FOLDER: objects, and programs of some of them.
write_project() {
	local i
	write_sources "$1" $OBJECTS
	for i in $(seq $LINKS); do
		printf 'int weigh%d(int);\nint main(int c, char **v)\n{\n\treturn weigh%d(c) + !v;\n}\n' "$i" "$i" >"$1/p$i.c"
	done
	printf 'CFLAGS = -O0\nall: $(patsubst %%.c,%%.o,$(wildcard s*.c)) $(patsubst %%.c,%%,$(wildcard p*.c))\n' >"$1/Makefile"
	printf '%%.o: %%.c\n\t$(CC) $(CFLAGS) -c $< -o $@\np%%: p%%.o s%%.o\n\t$(CC) $^ -o $@\n.SECONDARY:\n' >>"$1/Makefile"
}

# The census' file, empty: most, began and running, the drivers' number before lto1's.
new_census() {
	truncate -s 0 "$W/src/census" && truncate -s 64K "$W/src/census" && chmod 666 "$W/src/census"
}

census() {
	od -An -v -td4 -j "$1" -N 4 "$W/src/census" | tr -d ' '
}

# two FEWEST: at most two ran at one time, and both slots were used; so many began at least.
two() {
	echo "at once: $(census 0), begun: $(census 8)"
	[ "$(census 0)" = 2 ] && [ "$(census 8)" -ge "$1" ]
}

# build FOLDER [VARIABLE=VALUE]...: with all that it makes anew.
build() {
	local dir=$1
	shift
	rm -f "$dir"/*.o "$dir"/p? "$dir"/p??
	on client env "$@" make -s -j64 -C "$dir" CC='icemesh-cc gcc'
}

# same FOLDER: every file of it is the one of the local build.
same() {
	local file n=0
	for file in "$W"/src/local/*.o "$W"/src/local/p? "$W"/src/local/p??; do
		cmp "$file" "$1/${file##*/}" || return 1
		n=$((n + 1))
	done
	[ $n = $((OBJECTS + 2 * LINKS)) ]
}

# Peers have done so many.
done_there() {
	[ "$(grep -c '"verdict":"remote"' "$W/src/trace")" -ge "$1" ] 2>/dev/null
}

# A build, and every peer dies in the middle of it.
build_and_kill() {
	local status
	build "$W/src/mesh" ICEMESH_TRACE="$W/src/trace" >"$W/src/log" 2>&1 &
	wait_until 60 done_there 3 || { echo "no object of a peer"; cat "$W/src/log"; }
	kill_host w1
	kill_host w2
	wait $!
	status=$?
	cat "$W/src/log"
	return $status
}

# Root and somebody else, each in a folder of his own.
build_twice() {
	local status
	build "$W/src/mesh" >"$W/src/log" 2>&1 &
	as=(setpriv --reuid 1500 --regid 1500 --clear-groups)
	build "$W/src/other" || { as=(); wait $!; return 1; }
	as=()
	wait $!
	status=$?
	cat "$W/src/log"
	return $status
}

# compile_other: one compile of the other user, who then has a pool of his own.
compile_other() {
	local status
	as=(setpriv --reuid 1500 --regid 1500 --clear-groups)
	on client icemesh-cc gcc -c "$W/src/other/s1.c" -o "$W/src/other/s1.o" && on client rm -r /tmp/icemesh-slots-1500
	status=$?
	as=()
	return $status
}

# The common folder closed to others, or a file in it: then each user has his own, and nothing fails.
compile_apart() {
	local status
	on client chmod 700 /tmp/icemesh-slots && compile_other || return 1
	on client chmod 755 /tmp/icemesh-slots
	on client chmod 600 /tmp/icemesh-slots/queue
	compile_other
	status=$?
	on client chmod 644 /tmp/icemesh-slots/queue
	return $status
}

plan 17
[ -z "${LAN_LOOPBACK:-}" ] || bail "counting compilers needs an /etc of its own"
lan_up client w1 w2
config client 'slots = 0' 'local_slots = 2'
for dir in local mesh other; do
	write_project "$W/src/$dir"
done
chmod 777 "$W/src/other"
make -s -j4 -C "$W/src/local" || bail "local build"
cc -shared -fPIC -O1 -D_GNU_SOURCE -DCENSUS="\"$W/src/census\"" "$TREE/tests/system/census.c" -o "$W/src/census.so" || bail "census"
echo "$W/src/census.so" >"$W/client/etc/ld.so.preload"

new_census
on client make -s -j8 -C "$W/src/mesh" CC=gcc s1.o s2.o s3.o s4.o s5.o s6.o s7.o s8.o || bail "gcc"
check "the census counts: without icemesh more than two run at one time" [ "$(census 0)" -gt 2 ]

new_census
check "no daemon, -j64" build "$W/src/mesh"
check "two at one time, links among them" two 100
check "all files are right" same "$W/src/mesh"

if [ "$(wc -l </proc/self/uid_map)" = 1 ] && [ "$(awk '{ print $3 }' /proc/self/uid_map)" = 1 ]; then
	for name in "two users" "two at one time for both" "the files of both" "a closed folder"; do
		skip "$name" "rootless"
	done
else
	new_census
	check "two users at once, -j64 each" build_twice
	check "two at one time for both" two 200
	check "the files of both are right" eval 'same "$W/src/mesh" && same "$W/src/other"'
	check "a user whom root's folder does not let in has his own" compile_apart
fi

start_daemon client
new_census
check "a daemon and no mesh, -j64" build "$W/src/mesh"
check "two at one time" two 100

stop_daemon client && on client rm -rf "$(state_dir client)"
mesh_up client w1 w2 || bail "no mesh of three"
hide_compilers w1
hide_compilers w2
new_census
check "peers, preprocessed mode, -j64" build "$W/src/mesh" ICEMESH_MODE=preprocessed
check "two at one time, preprocessors among them" two $OBJECTS
check "all files are right then" same "$W/src/mesh"
new_census
check "all peers die in the middle" build_and_kill
check "some were done by peers, and some here" [ "$(jq -r .verdict "$W/src/trace" | sort -u | wc -l)" -ge 2 ]
check "two at one time" two 10
check "all files are right at last" same "$W/src/mesh"

#!/usr/bin/env bash
# Without a daemon, and with one that knows nobody, a build succeeds and never runs more than local_slots compilers at once.
# limit: 120 s
. "$(dirname "$0")/../lan.sh"
lan_enter "$@"

most_at_once() {
	cat "$W/work/most"
}

build() {
	rm -f "$W"/work/mesh/*.o
	echo 0 >"$W/work/running"
	echo 0 >"$W/work/most"
	on client make -s -j64 -C "$W/work/mesh" CC="icemesh-cc $W/work/bin/gcc"
}

plan 8
lan_up client
config client 'local_slots = 2'
write_sources "$W/work/local" 40
write_sources "$W/work/mesh" 40
make -s -j4 -C "$W/work/local" || bail "local build"
# A compiler that counts how many of it run.
mkdir "$W/work/bin"
cat >"$W/work/bin/gcc" <<X
#!/bin/sh
count() {
	flock 9
	n=\$((\$(cat $W/work/running) + \$1))
	echo \$n >$W/work/running
	[ \$n -le \$(cat $W/work/most) ] || echo \$n >$W/work/most
	flock -u 9
}
exec 9>>$W/work/lock
count 1
$(command -v gcc) "\$@" 9>&-
status=\$?
count -1
exit \$status
X
chmod +x "$W/work/bin/gcc"

check "no daemon, make -j64" build
check "never more than local_slots compilers, and all of them used" [ "$(most_at_once)" = 2 ]
check "every object is the local one" "$TREE/tests/codecmp.sh" "$W/work/local" "$W/work/mesh"
check "no daemon, ICEMESH_REMOTE=only: a clear failure" refuses 'icemesh' on client env ICEMESH_REMOTE=only icemesh-cc gcc -c "$W/work/mesh/s1.c" -o "$W/work/x.o"

start_daemon client
check "a daemon without a mesh, make -j64" build
check "never more than local_slots compilers" [ "$(most_at_once)" -le 2 ]
on client icemesh init alone >/dev/null
check "a mesh of one, make -j64" build
check "never more than local_slots compilers then" [ "$(most_at_once)" -le 2 ]

# shellcheck shell=bash
# Plain make with libraries below it, C: redis.  Debian's source package leaves out the bundled jemalloc; release.c takes its date
# from the environment.
source=redis
compilers='gcc clang'
remote=only
least=130

build() {
	SOURCE_DATE_EPOCH=1 make -j"$J" -O CC="$CC" MALLOC=libc OPTIMIZATION=-O2
}

# redis-server of this build says PONG on a socket of its own.
try() {
	local i
	src/redis-server --port 0 --unixsocket "$W/src/redis.sock" --save '' --daemonize no >/dev/null 2>&1 &
	for ((i = 0; i < 200; i++)); do
		[ ! -S "$W/src/redis.sock" ] || break
		sleep 0.05
	done
	[ "$(src/redis-cli -s "$W/src/redis.sock" ping)" = PONG ]
	src/redis-cli -s "$W/src/redis.sock" shutdown nosave
	wait
}

# shellcheck shell=bash
# Plain make, C: Lua 5.4 as its Makefile builds it for Linux.  Its test suite is not in the tarball; `make test` asks the version.
source=lua5.4
compilers='gcc clang'
least=33

build() {
	make -j"$J" -O linux CC="$CC -std=gnu99"
}

try() {
	make test
	echo 'local t = {} for i = 1, 1e5 do t[i] = math.sin(i) end table.sort(t) assert(#t == 1e5)
		assert(string.format("%5.2f|%s", math.pi, ("x"):rep(3)) == " 3.14|xxx")
		assert(load(string.dump(function(a) return a // 2 end))(7) == 3)' >"$W/src/some.lua"
	src/lua "$W/src/some.lua"
	src/luac -l -l -p "$W/src/some.lua" >/dev/null
}

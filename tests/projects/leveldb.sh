# shellcheck shell=bash
# CMake and ninja, C++: LevelDB as its CMakeLists.txt says, without the parts that need submodules.  The compiler is two words here,
# which CMake writes down in its own way, and then finds no gcc-ar: its three files about that are outside.
source=leveldb
compilers='gcc clang'
outside='*/CMakeFiles/CMakeOutput.log */CMakeFiles/CMakeError.log */.ninja_log */.ninja_deps
	./out/CMakeCache.txt */CMakeC*Compiler.cmake */CMakeFiles/rules.ninja'
unsaid='Check for working C'
least=35

# ninja keeps .d files when it is told to.
build() {
	cmake -G Ninja -S . -B out -DCMAKE_BUILD_TYPE=RelWithDebInfo -DLEVELDB_BUILD_TESTS=OFF -DLEVELDB_BUILD_BENCHMARKS=OFF
	ninja -C out -j"$J" -d keepdepfile
}

try() {
	g++ -x c -Iinclude db/c_test.c -x none out/libleveldb.a -lpthread -o "$W/src/c_test"
	(cd "$W/src" && TEST_TMPDIR=$W/src ./c_test) 2>&1 | tail -n 1 | grep PASS
}

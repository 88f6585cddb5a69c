# shellcheck shell=bash
# CMake and ninja, C with assembler: Zstandard with its tests.  icemesh-cc is the compiler's launcher.
source=libzstd
compilers='gcc clang'
way=launcher
outside='*/CMakeFiles/CMakeOutput.log */CMakeFiles/CMakeError.log */.ninja_log */.ninja_deps'
least=70

build() {
	cmake -G Ninja -S build/cmake -B out -DCMAKE_BUILD_TYPE=Release -DZSTD_BUILD_TESTS=ON -DCMAKE_C_COMPILER_LAUNCHER="$LAUNCHER" \
		-DCMAKE_CXX_COMPILER_LAUNCHER="$LAUNCHER"
	ninja -C out -j"$J" -d keepdepfile
}

# Its tests run for hours unless they are given a time.
try() {
	out/tests/fuzzer -v -T15s
	out/tests/zstreamtest -v -T15s
	out/programs/zstd -q --ultra -20 -c out/programs/zstd | out/programs/zstd -q -d -c | cmp - out/programs/zstd
}

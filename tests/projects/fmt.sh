# shellcheck shell=bash
# CMake and ninja, C++ with many templates: {fmt} with its tests.  Debian's source package leaves out the bundled googletest; the
# system's takes its place.
source=fmtlib
compilers=gcc
way=launcher
outside='*/CMakeFiles/CMakeOutput.log */CMakeFiles/CMakeError.log */.ninja_log */.ninja_deps'
least=25

prepare() {
	mkdir test/gtest
	printf '%s\n' 'find_package(GTest REQUIRED)' 'add_library(gtest INTERFACE)' \
		'target_link_libraries(gtest INTERFACE GTest::gtest GTest::gmock)' >test/gtest/CMakeLists.txt
}

build() {
	cmake -G Ninja -S . -B out -DFMT_PEDANTIC=ON -DFMT_DOC=OFF -DCMAKE_CXX_COMPILER_LAUNCHER="$LAUNCHER"
	ninja -C out -j"$J" -d keepdepfile
}

try() {
	ctest --test-dir out --output-on-failure
}

#!/usr/bin/env bash
# The promises of tests/lint/checks, each held by this tree and each noticed when a small tree breaks it.
# limit: 120 s
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lint/checks
. tests/lan.sh

# breaks CHECK FILE LINE...: a tree in which FILE holds these lines is refused by CHECK.
breaks() {
	local check=$1 file=$2 dir
	shift 2
	dir=$(mktemp -d) || return 1
	mkdir -p "$dir"/{crypto,gossip,exec,mesh,client,man,tests/unit,tests/lint,.ci}
	cp tests/deps.sh "$dir/tests/"
	cp .clang-format Makefile "$dir/"
	: >"$dir/README.md"
	printf '%s\n' "$@" >"$dir/$file"
	# "no output" must not pass for "found": the check itself has to run and fail.
	(cd "$dir" && git init -q . && git add -A && export LINT_TREE=/a/tree && ! "$check" >/dev/null 2>&1)
	local status=$?
	rm -rf "$dir"
	return $status
}

long_function() {
	echo 'static void'
	echo 'long_one(void)'
	echo '{'
	yes '	;' | head -n 60
	echo '}'
}

mapfile -t long < <(long_function)
plan 32
check "layers" lint_layers
check "layers: noticed" breaks lint_layers crypto/a.c '#include "gossip/b.h"'
check "headers of libraries stay in their wrappers" lint_wrappers
check "wrappers: noticed" breaks lint_wrappers mesh/a.c '#include <sodium.h>'
check "own header first, includes from the root" lint_includes
check "includes: noticed" breaks lint_includes mesh/a.c '#include "b.h"'
check "no forbidden calls" lint_calls
check "calls: noticed" breaks lint_calls exec/a.c 'int f(char *a) { return atoi(a); }'
check "pure parts are pure" lint_pure
check "purity: noticed" breaks lint_pure gossip/a.c 'long f(void) { return time(0); }'
check "only programs print and exit" lint_quiet
check "printing: noticed" breaks lint_quiet mesh/a.c '	printf("x");'
check "no mutable globals" lint_globals
check "globals: noticed" breaks lint_globals mesh/a.c 'static int counter;'
check "sizes of functions and files" lint_sizes
check "sizes: noticed" breaks lint_sizes exec/a.c "${long[@]}"
check "nothing left open" lint_marks
check "marks: noticed" breaks lint_marks exec/a.c '/* FIXME */'
check "clang-format changes nothing" lint_format
check "format: noticed" breaks lint_format exec/a.c 'int f( void ){return 1;}'
check "manual pages" lint_manual
check "manual: noticed" breaks lint_manual man/icemesh.1 '.Xx nothing'
check "shell scripts" lint_shell
check "shell: noticed" breaks lint_shell tests/a.sh '#!/bin/sh' 'if then'
check "README names what it must" lint_readme
check "README: noticed" breaks lint_readme .ci/run 'make it-so'
check "top level" lint_top
check "top level: noticed" breaks lint_top extra 'x'
check "no path of this machine" lint_paths
check "paths: noticed" breaks lint_paths exec/a.c '/* /a/tree/exec */'
check "every module has its unit test" lint_units
check "unit tests: noticed" breaks lint_units exec/a.c 'int a;'
[ "${test_failed:-1}" = 0 ]

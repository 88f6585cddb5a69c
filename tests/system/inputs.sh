#!/usr/bin/env bash
# Files that options name (profiles, lists), each compiled by the plain compiler and over the mesh, compared byte for byte.
# limit: 300 s
. "$(dirname "$0")/../lan.sh"
. "$(dirname "$0")/../twice.sh"
lan_enter "$@"


write_profiles() {
	mkdir -p d "$W/src/t"
	cat >counts.c <<-'X'
		static int odd(int x) { return x > 3 ? x * 2 : x - 1; }
		int f(int n) { int s = 0; for (int i = 0; i < n; i++) s += odd(i % 7); return s; }
		int main(void) { return f(1000) == 7; }
	X
	cp counts.c d/counts.c
	cp -a . "$W/src/t/"
	(cd "$W/src/t" && gcc -O1 -fprofile-generate -c counts.c && gcc -fprofile-generate counts.o -o run && ./run &&
		gcc -O1 -fprofile-generate=many -c counts.c -o d/out.o && gcc -fprofile-generate d/out.o -o run && ./run &&
		gcc -O1 -fprofile-generate=many -c d/../counts.c -o d/../d/up.o && gcc -fprofile-generate d/up.o -o run && ./run &&
		gcc -O1 -fprofile-generate=many -fprofile-prefix-path="$W/src" -c counts.c -o d/cut.o && gcc -fprofile-generate d/cut.o -o run && ./run)
	mv "$W/src/t/counts.gcda" .
	mv "$W/src/t/many" .
	cp counts.gcda d/beside.gcda
	rm -rf "$W/src/t"
	if command -v llvm-profdata >/dev/null; then
		clang -O1 -fprofile-generate counts.c -o run && LLVM_PROFILE_FILE=raw ./run && llvm-profdata merge -o ir.profdata raw
		clang -O1 -fprofile-instr-generate counts.c -o run && LLVM_PROFILE_FILE=raw ./run && llvm-profdata merge -o instr.profdata raw
		rm -f run raw
		mkdir merged
		cp ir.profdata merged/default.profdata
		cp ir.profdata default.profdata
		ln -s ir.profdata linked.profdata
	fi
	printf 'f:1000:100\n 1: 100\nmain:2000:1\n 1: 1000\n' >sample.prof
	echo 'no profile' >bad.prof
	echo 'fun:f' >list.txt
	printf '[always]\nfun:f\n[never]\nfun:main\n' >attr.txt
	printf '!f\n' >blocks.txt
	printf 'name 1f 1g\n' >remap.txt
}

write_template() {
	write_profiles
}

table() {
	cat <<-'X'
		source $CC -O2 -g -fprofile-use -c counts.c
		source $CC -O2 -g -fprofile-use -MD -c $PWD/counts.c -o $PWD/counts.o
		source $CC -O2 -g -fprofile-use -c d/counts.c -o counts.o
		source $CC -O2 -g -fprofile-use -c counts.c -o d/beside.o
		source $CC -O2 -g -fprofile-use -S counts.c -o d/beside.s
		source $CC -O2 -g -fbranch-probabilities -c counts.c
		source $CC -O2 -g -fprofile-use=many -c counts.c -o d/out.o
		source $CC -O2 -g -fprofile-use=$PWD/many/ -c counts.c -o d/out.o
		source $CC -O2 -g -fprofile-use -fprofile-dir=many -c counts.c -o d/out.o
		source $CC -O2 -g -fprofile-use=nothing -fprofile-use=many -c d/../counts.c -o d/../d/up.o
		source $CC -O2 -g -fprofile-use=many -fprofile-prefix-path=${PWD%/t} -c counts.c -o d/cut.o
		source $CC -O2 -g -fprofile-use=many -c counts.c -o none.o
		source $CC -O2 -g -fprofile-use=many -Werror -c counts.c -o none.o
		source $CC -O2 -g -fprofile-use=counts.gcda -c counts.c
		source $CC -O2 -fprofile-use -c counts.c; rm counts.gcda; $CC -O2 -fprofile-use -c counts.c -o 2.o; cp d/beside.gcda 3.gcda; $CC -O2 -fprofile-use -c counts.c -o 3.o
		source $CC -O2 -fprofile-use -c counts.c -o 1.o; cp counts.gcda 1.gcda; $CC -O2 -fprofile-use -c counts.c -o 1.o; : >1.gcda; $CC -O2 -fprofile-use -c counts.c -o 1.o
		source $CC -O2 -fprofile-use --coverage -frandom-seed=1 -c counts.c
		source $CC -O2 -fauto-profile -c counts.c
		source $CC -O2 -fauto-profile=bad.prof -c counts.c
		source $CXX -O2 -g -fprofile-use -c counts.c
		source $CLANG -O2 -g -fprofile-use -c counts.c
		source $CLANG -O2 -g -fprofile-use=merged -c counts.c
		source $CLANG -O2 -g -fprofile-use=d -c counts.c
		source $CLANG -O2 -g -fprofile-use=linked.profdata -MD -c counts.c
		source $CLANG -O2 -g -fprofile-use=$PWD/instr.profdata -c counts.c
		source $CLANG -O2 -g -fprofile-instr-use=instr.profdata -c counts.c
		source $CLANG -O2 -g -fprofile-instr-use -c counts.c
		source $CLANG -O2 -g -fprofile-instr-use=nope -c counts.c
		source $CLANG -O2 -g -fprofile-instr-use=merged -c counts.c
		source $CLANG -O2 -g -fprofile-sample-use=sample.prof -c counts.c
		source $CLANG -O2 -g -fauto-profile=sample.prof -c counts.c
		source $CLANG -O2 -fprofile-sample-use=nope.prof -c counts.c
		source $CLANG -O2 -fprofile-sample-use=bad.prof -c counts.c
		source $CLANG -O2 -fprofile-use=ir.profdata -fprofile-remapping-file=remap.txt -c counts.c
		source $CLANG -O2 -fprofile-use=ir.profdata -fprofile-remapping-file=list.txt -c counts.c
		source $CLANG -O2 -fprofile-list=list.txt -fprofile-generate -c counts.c
		source $CLANG -O2 -g -fsanitize=address -fsanitize-ignorelist=list.txt -MD -c counts.c
		source $CLANG -O2 -g -fsanitize=address -fsanitize-blacklist=$PWD/list.txt -c counts.c
		source $CLANG -O2 -g -fsanitize=address -fsanitize-ignorelist=nope.txt -c counts.c
		source $CLANG -O2 -fsanitize=address -fsanitize-system-ignorelist=list.txt -c counts.c
		source $CLANG -O2 -fsanitize-coverage=trace-pc-guard -fsanitize-coverage-allowlist=list.txt -fsanitize-coverage-ignorelist=attr.txt -c counts.c
		source $CLANG -O2 -fxray-instrument -fxray-always-instrument=list.txt -fxray-never-instrument=attr.txt -c counts.c
		source $CLANG -O2 -fxray-instrument -fxray-attr-list=attr.txt -c counts.c
		source $CLANG -O2 -fbasic-block-sections=list=blocks.txt -c counts.c
		source $CLANG -O2 -fbasic-block-sections=list=nope.txt -c counts.c
		local echo x | $CLANG -O2 -fprofile-instr-use=- -c counts.c
		local $CLANG -O2 -fprofile-sample-use=/dev/null -c counts.c
	X
}

twice_up
mapfile -t lines < <(table)
plan ${#lines[@]}
twice_run "${lines[@]}"

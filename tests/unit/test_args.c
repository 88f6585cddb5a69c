#include "exec/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/args_inputs.h"
#include "tests/unit/args_line.h"
#include "tests/unit/args_outputs.h"
#include "tests/unit/args_spellings.h"

/* clang-format off */
static const struct line lines[] = {
	{.line = "gcc -c a.c",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc -c src/a.c",
		.source = "src/a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only src/a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c src/a.c -o a.o"},
	{.line = "gcc -S src/a.b.c",
		.source = "src/a.b.c",
		.output = "a.b.s",
		.cpp = "cc -E -fdirectives-only src/a.b.c",
		.remote = "cc -fpreprocessed -fdirectives-only -S src/a.b.c -o a.b.s"},
	{.line = "gcc -O2 -g -c a.c -o x/a.o",
		.source = "a.c",
		.output = "x/a.o",
		.cpp = "cc -E -fdirectives-only -O2 -g a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -O2 -g -c a.c -o x/a.o"},
	{.line = "gcc -ox/a.o -c a.c",
		.source = "a.c",
		.output = "x/a.o",
		.cpp = "cc -E -fdirectives-only a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -ox/a.o -c a.c"},
	{.line = "gcc -DA -D B=1 -UC -U D -I. -I inc -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -DA -D B=1 -UC -U D -I. -I inc a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc -include h.h -imacros m.h -isystem s -iquote q -idirafter d -isysroot r -nostdinc -undef -Aa=b -H -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -include h.h -imacros m.h -isystem s -iquote q -idirafter d -isysroot r -nostdinc -undef -Aa=b -H a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc --sysroot=/s --sysroot /t -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only --sysroot=/s --sysroot /t a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc -MD -c a.c -o x/a.o",
		.source = "a.c",
		.output = "x/a.o",
		.deps = "x/a.d",
		.cpp = "cc -E -fdirectives-only -MD a.c -MF x/a.d -MQ x/a.o",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o x/a.o"},
	{.line = "gcc -MMD -MP -c src/a.c",
		.source = "src/a.c",
		.output = "a.o",
		.deps = "a.d",
		.cpp = "cc -E -fdirectives-only -MMD -MP src/a.c -MF a.d",
		.remote = "cc -fpreprocessed -fdirectives-only -c src/a.c -o a.o"},
	{.line = "gcc -MMD -MF d/a.d -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.deps = "d/a.d",
		.cpp = "cc -E -fdirectives-only -MMD -MF d/a.d a.c -MQ a.o",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc -MMD -MFd/a.d -MTx -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.deps = "d/a.d",
		.cpp = "cc -E -fdirectives-only -MMD -MFd/a.d -MTx a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc -MD -MT x -MQ y -MF d -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.deps = "d",
		.cpp = "cc -E -fdirectives-only -MD -MT x -MQ y -MF d a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc -Wp,-MD,d/.a.d -c a.c -o x/a.o",
		.source = "a.c",
		.output = "x/a.o",
		.deps = "d/.a.d",
		.cpp = "cc -E -fdirectives-only -Wp,-MD,d/.a.d a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o x/a.o"},
	{.line = "gcc -Wp,-MMD,d/.a.d,-MT,t -Wp,-DX,-UY -c a.c -o x/a.o",
		.source = "a.c",
		.output = "x/a.o",
		.deps = "d/.a.d",
		.cpp = "cc -E -fdirectives-only -Wp,-MMD,d/.a.d,-MT,t -Wp,-DX,-UY a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o x/a.o"},
	{.line = "gcc -MD -c a.c -o x/a",
		.source = "a.c",
		.output = "x/a",
		.deps = "x/a.d",
		.cpp = "cc -E -fdirectives-only -MD a.c -MF x/a.d -MQ x/a",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o x/a"},
	{.line = "gcc -MD -c a.c -o x.y/.o",
		.source = "a.c",
		.output = "x.y/.o",
		.deps = "x.y/.d",
		.cpp = "cc -E -fdirectives-only -MD a.c -MF x.y/.d -MQ x.y/.o",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o x.y/.o"},
	{.line = "gcc -Wunused-macros -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -Wunused-macros a.c",
		.remote = "cc -fpreprocessed -Wunused-macros -c a.c -o a.o"},
	{.line = "gcc -traditional-cpp -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -traditional-cpp a.c",
		.remote = "cc -fpreprocessed -c a.c -o a.o"},
	{.line = "gcc -finput-charset=latin1 -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -finput-charset=latin1 a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc -x c -c a.txt -o a.o",
		.source = "a.txt",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -x c a.txt",
		.remote = "cc -fpreprocessed -fdirectives-only -x c -c a.txt -o a.o"},
	{.line = "gcc -xc++ -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -xc++ a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -xc++ -c a.c -o a.o"},
	{.line = "gcc -x none -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -x none a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -x none -c a.c -o a.o"},
	{.line = "gcc -L/x -lfoo -Wl,-O1 -Xlinker x -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -L/x -lfoo -Wl,-O1 -Xlinker x a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.c -o a.o"},
	{.line = "gcc -Wa,--noexecstack -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -Wa,--noexecstack a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -Wa,--noexecstack -c a.c -o a.o"},
	{.line = "gcc -flto -fPIC -march=x86-64-v2 -std=gnu11 -fsanitize=address,undefined -fvisibility=hidden -fdebug-prefix-map=/a=/b --param ggc-min-expand=10 -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only -flto -fPIC -march=x86-64-v2 -std=gnu11 -fsanitize=address,undefined -fvisibility=hidden -fdebug-prefix-map=/a=/b --param ggc-min-expand=10 a.c",
		.remote = "cc -fpreprocessed -fdirectives-only -flto -fPIC -march=x86-64-v2 -std=gnu11 -fsanitize=address,undefined -fvisibility=hidden -fdebug-prefix-map=/a=/b --param ggc-min-expand=10 -c a.c -o a.o"},
	{.line = "gcc -c a.i -o a.o",
		.source = "a.i",
		.output = "a.o",
		.cpp = "!",
		.remote = "cc -fpreprocessed -c a.i -o a.o"},
	{.line = "gcc -x cpp-output -c a.txt -o a.o",
		.source = "a.txt",
		.output = "a.o",
		.cpp = "!",
		.remote = "cc -fpreprocessed -x cpp-output -c a.txt -o a.o"},
	{.line = "g++ -c a.ii -o a.o",
		.source = "a.ii",
		.output = "a.o",
		.cpp = "!",
		.remote = "cc -fpreprocessed -c a.ii -o a.o"},
	{.line = "g++ -c a.cc",
		.source = "a.cc",
		.output = "a.o",
		.cpp = "cc -E -fdirectives-only a.cc",
		.remote = "cc -fpreprocessed -fdirectives-only -c a.cc -o a.o"},
	{.line = "clang -c a.c",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E a.c",
		.remote = "cc -Qunused-arguments -c -x cpp-output a.c -o a.o"},
	{.line = "clang++ -c a.cc",
		.source = "a.cc",
		.output = "a.o",
		.cpp = "cc -E a.cc",
		.remote = "cc -Qunused-arguments -c -x c++-cpp-output a.cc -o a.o"},
	{.line = "clang++ -c a.c",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E a.c",
		.remote = "cc -Qunused-arguments -c -x c++-cpp-output a.c -o a.o"},
	{.line = "clang -x c++ -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -x c++ a.c",
		.remote = "cc -Qunused-arguments -c -x c++-cpp-output a.c -o a.o"},
	{.line = "clang -c a.m",
		.source = "a.m",
		.output = "a.o",
		.cpp = "cc -E a.m",
		.remote = "cc -Qunused-arguments -c -x objective-c-cpp-output a.m -o a.o"},
	{.line = "clang -c a.mm",
		.source = "a.mm",
		.output = "a.o",
		.cpp = "cc -E a.mm",
		.remote = "cc -Qunused-arguments -c -x objective-c++-cpp-output a.mm -o a.o"},
	{.line = "clang -c a.i",
		.source = "a.i",
		.output = "a.o",
		.cpp = "!",
		.remote = "cc -Qunused-arguments -c -x cpp-output a.i -o a.o"},
	{.line = "clang --target=aarch64-linux-gnu -target x -stdlib=libc++ -Wa,--noexecstack -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E --target=aarch64-linux-gnu -target x -stdlib=libc++ a.c",
		.remote = "cc -Qunused-arguments --target=aarch64-linux-gnu -target x -Wa,--noexecstack -c -x cpp-output a.c -o a.o"},
	{.line = "clang -Wp,-MMD,d/.a.d -c a.c -o x/a.o",
		.source = "a.c",
		.output = "x/a.o",
		.deps = "d/.a.d",
		.cpp = "cc -E -Wp,-MMD,d/.a.d a.c -MQ x/a.o",
		.remote = "cc -Qunused-arguments -c -x cpp-output a.c -o x/a.o"},
	{.line = "clang -Xclang -fno-builtin -mllvm -inline-threshold=5 -c a.c -o a.o",
		.source = "a.c",
		.output = "a.o",
		.cpp = "cc -E -Xclang -fno-builtin -mllvm -inline-threshold=5 a.c",
		.remote = "cc -Qunused-arguments -Xclang -fno-builtin -mllvm -inline-threshold=5 -c -x cpp-output a.c -o a.o"},
	{.line = "gcc -c a.C", .source = "a.C", .output = "a.o"},
	{.line = "gcc -c a.cpp", .source = "a.cpp", .output = "a.o"},
	{.line = "gcc -c a.c++", .source = "a.c++", .output = "a.o"},
	{.line = "gcc -c a.cxx", .source = "a.cxx", .output = "a.o"},
	{.line = "gcc -c a.cp", .source = "a.cp", .output = "a.o"},
	{.line = "gcc -c a.M", .source = "a.M", .output = "a.o"},
	{.line = "gcc -frandom-seed=x/a.o -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -fmax-errors=3 -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -fdiagnostics-color=always -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -fdiagnostics-format=json -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -gdwarf-4 -gz=zlib -ggdb2 -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -Werror=format-security -Wformat=2 -Wno-error -c a.c",
		.source = "a.c",
		.output = "a.o"},
	{.line = "gcc -pedantic -ansi -w -pipe -pthread -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -static -shared -nostdlib -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -static-libgcc -no-pie -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -fpatchable-function-entry=16,16 -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -fopenmp -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -mno-red-zone -mcmodel=kernel -mpreferred-stack-boundary=3 -c a.c",
		.source = "a.c",
		.output = "a.o"},
	{.line = "gcc -Wa,-march=armv8-a,--gdwarf-5 -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -Wa,--defsym,X=1 -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -Wmissing-include-dirs -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -fno-plugin -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -fno-working-directory -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc -c a.c -o ../x/a.o", .source = "a.c", .output = "../x/a.o"},
	{.line = "gcc -c /abs/a.c -o /abs/o/a.o", .source = "/abs/a.c", .output = "/abs/o/a.o"},
	{.line = "gcc -Ofast -Os -Oz -c a.c", .source = "a.c", .output = "a.o"},
	{.line = "gcc a.c", .reason = "linking", .source = "a.c"},
	{.line = "gcc a.o b.o -o prog", .reason = "linking", .source = "a.o", .output = "prog"},
	{.line = "gcc -fplugin=x a.c -o a", .reason = "linking", .source = "a.c", .output = "a"},
	{.line = "gcc -shared -o x.so a.o", .reason = "linking", .source = "a.o", .output = "x.so"},
	{.line = "gcc -E a.c", .reason = "preprocess-only", .source = "a.c"},
	{.line = "gcc -E -c a.c", .reason = "preprocess-only", .source = "a.c"},
	{.line = "gcc -M a.c", .reason = "preprocess-only", .source = "a.c"},
	{.line = "gcc -MM -c a.c", .reason = "preprocess-only", .source = "a.c"},
	{.line = "gcc -fsyntax-only a.c", .reason = "preprocess-only", .source = "a.c"},
	{.line = "gcc", .reason = "no-source"},
	{.line = "gcc -c", .reason = "no-source"},
	{.line = "gcc -O2", .reason = "no-source"},
	{.line = "gcc -v", .reason = "asks-compiler"},
	{.line = "gcc --version", .reason = "asks-compiler"},
	{.line = "gcc -dumpmachine", .reason = "asks-compiler"},
	{.line = "gcc -print-search-dirs", .reason = "asks-compiler"},
	{.line = "gcc --print-file-name=libc.so", .reason = "asks-compiler"},
	{.line = "gcc -### -c a.c", .reason = "asks-compiler", .source = "a.c"},
	{.line = "gcc --help=target", .reason = "asks-compiler"},
	{.line = "gcc -c a.c b.c", .reason = "several-sources", .source = "a.c"},
	{.line = "gcc -c a.c b.o", .reason = "several-sources", .source = "a.c"},
	{.line = "gcc -c -", .reason = "stdin", .source = "-"},
	{.line = "gcc -x c -c -", .reason = "stdin", .source = "-"},
	{.line = "gcc -c a.s", .only = "assembler", .source = "a.s"},
	{.line = "gcc -c a.S", .only = "assembler", .source = "a.S"},
	{.line = "gcc -x assembler-with-cpp -c a.c", .only = "assembler", .source = "a.c"},
	{.line = "gcc -c a.f90", .reason = "language", .source = "a.f90"},
	{.line = "gcc -c a.h", .reason = "language", .source = "a.h"},
	{.line = "gcc -c a", .reason = "language", .source = "a"},
	{.line = "gcc -c a.cu", .reason = "language", .source = "a.cu"},
	{.line = "gcc -x c++-header -c a.h", .reason = "language", .source = "a.h"},
	{.line = "gcc -x cuda -c a.c", .reason = "language", .source = "a.c"},
	{.line = "gcc -x c++-module -c a.cc", .reason = "language", .source = "a.cc"},
	{.line = "gcc -c conftest.c", .reason = "configure-probe", .source = "conftest.c"},
	{.line = "gcc -c -o x.o d/tmp.conftest.c",
		.reason = "configure-probe",
		.source = "d/tmp.conftest.c"},
	{.line = "gcc -o .sconf_temp/conftest_0.o -c .sconf_temp/conftest_0.c",
		.reason = "configure-probe"},
	{.line = "gcc ../test.c -c -o /b/.conf_check_1/testbuild/test.c.1.o", .reason = "configure-probe"},
	{.line = "g++ -c -o main.o ../../../qt/config.tests/x11/main.cpp", .reason = "configure-probe"},
	{.line = "gcc -o CMakeFiles/cmTC_1a2b.dir/src.c.o -c /b/CMakeFiles/CMakeScratch/TryCompile-x/src.c",
		.reason = "configure-probe",
		.source = "/b/CMakeFiles/CMakeScratch/TryCompile-x/src.c"},
	{.line = "gcc -o CMakeFiles/cmTC_1a2b.dir/t.c.o -c /usr/share/t.c",
		.reason = "configure-probe",
		.source = "/usr/share/t.c"},
	{.line = "gcc -c /b/meson-private/tmpx/testfile.c -o /b/meson-private/tmpx/output.obj",
		.reason = "configure-probe",
		.source = "/b/meson-private/tmpx/testfile.c"},
	{.line = "gcc -c -x c /dev/null -o t.o", .reason = "configure-probe", .source = "/dev/null"},
	{.line = "gcc -c a.c -o -", .reason = "output-special", .source = "a.c", .output = "-"},
	{.line = "gcc -c a.c -o /dev/null",
		.reason = "output-special",
		.source = "a.c",
		.output = "/dev/null"},
	{.line = "gcc -c a.c -MD -MF - -o a.o",
		.reason = "output-special",
		.source = "a.c",
		.output = "a.o"},
	{.line = "gcc -c a.c -MD -MF /dev/stdout -o a.o",
		.reason = "output-special",
		.source = "a.c",
		.output = "a.o"},
	{.line = "gcc -fplugin=./x.so -c a.c", .reason = "option -fplugin=", .source = "a.c"},
	{.line = "gcc -fplugin-arg-x-k=v -c a.c",
		.reason = "option -fplugin-arg-x-k=",
		.source = "a.c"},
	{.line = "gcc -specs=x -c a.c", .reason = "option -specs=", .source = "a.c"},
	{.line = "gcc --specs=x -c a.c", .reason = "option --specs=", .source = "a.c"},
	{.line = "gcc -B/opt -c a.c", .reason = "option -B", .source = "a.c"},
	{.line = "gcc -B /opt -c a.c", .reason = "option -B", .source = "a.c"},
	{.line = "gcc -wrapper gdb,--args -c a.c", .reason = "option -wrapper", .source = "a.c"},
	{.line = "gcc -save-temps -c a.c", .only = "option -save-temps", .source = "a.c"},
	{.line = "gcc -save-temps=obj -c a.c", .only = "option -save-temps=", .source = "a.c"},
	{.line = "gcc --save-temps -c a.c", .only = "option --save-temps", .source = "a.c"},
	{.line = "gcc -gsplit-dwarf -c a.c", .only = "option -gsplit-dwarf", .source = "a.c"},
	{.line = "gcc -gsplit-dwarf=split -c a.c",
		.only = "option -gsplit-dwarf=",
		.source = "a.c"},
	{.line = "gcc -fstack-usage -c a.c", .only = "option -fstack-usage", .source = "a.c"},
	{.line = "gcc -fcallgraph-info=su -c a.c",
		.only = "option -fcallgraph-info=",
		.source = "a.c"},
	{.line = "gcc -fdump-tree-all -c a.c", .reason = "option -fdump-tree-all", .source = "a.c"},
	{.line = "gcc -ftime-report -c a.c", .reason = "option -ftime-report", .source = "a.c"},
	{.line = "clang -ftime-trace -c a.c", .only = "option -ftime-trace", .source = "a.c"},
	{.line = "clang -ftime-trace=x -c a.c", .only = "option -ftime-trace=", .source = "a.c"},
	{.line = "gcc -fprofile-arcs -c a.c", .only = "option -fprofile-arcs", .source = "a.c"},
	{.line = "gcc -fprofile-generate -c a.c",
		.only = "option -fprofile-generate",
		.source = "a.c"},
	{.line = "gcc -fprofile-use=x -c a.c", .only = "option -fprofile-use=", .source = "a.c"},
	{.line = "clang -fprofile-instr-use=x -c a.c",
		.only = "option -fprofile-instr-use=",
		.source = "a.c"},
	{.line = "gcc -ftest-coverage -c a.c", .only = "option -ftest-coverage", .source = "a.c"},
	{.line = "gcc --coverage -c a.c", .only = "option --coverage", .source = "a.c"},
	{.line = "gcc -fauto-profile=x -c a.c", .only = "option -fauto-profile=", .source = "a.c"},
	{.line = "gcc -fbranch-probabilities -c a.c",
		.only = "option -fbranch-probabilities",
		.source = "a.c"},
	{.line = "clang -fsave-optimization-record -c a.c",
		.only = "option -fsave-optimization-record",
		.source = "a.c"},
	{.line = "gcc -fsave-optimization-record -c a.c",
		.only = "option -fsave-optimization-record",
		.source = "a.c"},
	{.line = "g++ -fmodules-ts -c a.cc", .reason = "option -fmodules-ts", .source = "a.cc"},
	{.line = "clang++ -fmodule-file=x -c a.cc",
		.reason = "option -fmodule-file=",
		.source = "a.cc"},
	{.line = "g++ -fdeps-file=x -c a.cc", .reason = "option -fdeps-file=", .source = "a.cc"},
	{.line = "gcc -g3 -c a.c",
		.only = "option -g3",
		.source = "a.c"},
	{.line = "gcc -ggdb3 -c a.c",
		.only = "option -ggdb3",
		.source = "a.c"},
	{.line = "clang -g -fdebug-macro -c a.c",
		.only = "option -fdebug-macro",
		.source = "a.c"},
	{.line = "clang -fsanitize=undefined -c a.c",
		.only = "option -fsanitize=",
		.source = "a.c"},
	{.line = "clang -Weverything -c a.c",
		.only = "option -Weverything",
		.source = "a.c"},
	{.line = "clang -Wdocumentation-html -c a.c",
		.only = "option -Wdocumentation-html",
		.source = "a.c"},
	{.line = "gcc -Wall -c a.c", .only = "option -Wall", .source = "a.c"},
	{.line = "gcc --all-warnings -c a.c", .only = "option --all-warnings", .source = "a.c"},
	{.line = "gcc -Werror=misleading-indentation -c a.c",
		.only = "option -Werror=misleading-indentation",
		.source = "a.c"},
	{.line = "clang -fsanitize-ignorelist=x -c a.c",
		.only = "option -fsanitize-ignorelist=",
		.source = "a.c"},
	{.line = "clang -fsanitize-blacklist=x -c a.c",
		.only = "option -fsanitize-blacklist=",
		.source = "a.c"},
	{.line = "clang -include-pch x -c a.c", .reason = "option -include-pch", .source = "a.c"},
	{.line = "clang -Xclang -include-pch -Xclang x -c a.c",
		.reason = "option -Xclang",
		.source = "a.c"},
	{.line = "clang -Xclang -load -Xclang x -c a.c", .reason = "option -Xclang", .source = "a.c"},
	{.line = "clang -mllvm -info-output-file=x -c a.c",
		.reason = "option -mllvm",
		.source = "a.c"},
	{.line = "gcc -aux-info x -c a.c", .only = "option -aux-info", .source = "a.c"},
	{.line = "gcc -dumpdir x -c a.c", .reason = "option -dumpdir", .source = "a.c"},
	{.line = "gcc -dumpbase x -c a.c", .reason = "option -dumpbase", .source = "a.c"},
	{.line = "gcc -dA -c a.c", .reason = "option -d", .source = "a.c"},
	{.line = "gcc -fopt-info-vec=f -c a.c", .reason = "option -fopt-info-vec=", .source = "a.c"},
	{.line = "gcc -frecord-gcc-switches -c a.c",
		.only = "option -frecord-gcc-switches",
		.source = "a.c"},
	{.line = "gcc -Wa,-adhln=a.lst -c a.c", .reason = "option -Wa,-adhln=", .source = "a.c"},
	{.line = "gcc -Wa,-a -c a.c", .reason = "option -Wa,-a", .source = "a.c"},
	{.line = "gcc -Wa,-I/x -c a.c", .reason = "option -Wa,-I/x", .source = "a.c"},
	{.line = "gcc -Wa,--noexecstack,x.s -c a.c",
		.reason = "option -Wa,--noexecstack,x.s",
		.source = "a.c"},
	{.line = "gcc -Xassembler -a -c a.c", .reason = "option -Xassembler", .source = "a.c"},
	{.line = "gcc -Xpreprocessor -DX -c a.c", .only = "option -Xpreprocessor", .source = "a.c"},
	{.line = "gcc -Wp,-dM -c a.c", .reason = "option -Wp,-dM", .source = "a.c"},
	{.line = "gcc -Wp,-include,x.h -c a.c", .reason = "option -Wp,-include,x.h", .source = "a.c"},
	{.line = "gcc -Wp,-MD -c a.c", .reason = "option -Wp,-MD", .source = "a.c"},
	{.line = "gcc -Wp,-MT,x -c a.c", .reason = "option -Wp,-MT,x", .source = "a.c"},
	{.line = "clang -Wp,-MD,d,-MT,x -c a.c", .reason = "option -Wp,-MD,d,-MT,x", .source = "a.c"},
	{.line = "gcc -Wp,-MD,x -MD -c a.c", .reason = "option -Wp,-MD", .source = "a.c"},
	{.line = "gcc -Wp,-MD,x -Wp,-MD,y -c a.c", .reason = "option -Wp,-MD,y", .source = "a.c"},
	{.line = "gcc -Wp,-MD,x -MF y -c a.c", .reason = "option -MF", .source = "a.c"},
	{.line = "gcc -MF x -c a.c", .reason = "option -MF", .source = "a.c"},
	{.line = "gcc -MT x -c a.c", .reason = "option -MT", .source = "a.c"},
	{.line = "gcc -MD -MG -c a.c", .reason = "option -MG", .source = "a.c"},
	{.line = "gcc -MD -c a.i", .reason = "option -MD", .source = "a.i"},
	{.line = "clang -MJ x -c a.c", .reason = "option -MJ", .source = "a.c"},
	{.line = "clang -ivfsoverlay x -c a.c", .reason = "option -ivfsoverlay", .source = "a.c"},
	{.line = "gcc -march=native -c a.c", .only = "option -march=native", .source = "a.c"},
	{.line = "gcc -mtune=native -c a.c", .only = "option -mtune=native", .source = "a.c"},
	{.line = "gcc -mcpu=native -c a.c", .only = "option -mcpu=native", .source = "a.c"},
	{.line = "gcc -mmcu=atmega8 -c a.c", .reason = "option -mmcu=", .source = "a.c"},
	{.line = "gcc -fdiagnostics-format=json-file -c a.c",
		.reason = "option -fdiagnostics-format=",
		.source = "a.c"},
	{.line = "gcc -fdiagnostics-format=sarif-file -c a.c",
		.reason = "option -fdiagnostics-format=",
		.source = "a.c"},
	{.line = "gcc -fdiagnostics-add-output=sarif:file=x -c a.c",
		.reason = "option -fdiagnostics-add-output=",
		.source = "a.c"},
	{.line = "gcc -fpch-preprocess -c a.c", .reason = "option -fpch-preprocess", .source = "a.c"},
	{.line = "gcc -fcompare-debug -c a.c", .reason = "option -fcompare-debug", .source = "a.c"},
	{.line = "gcc -no-integrated-cpp -c a.c",
		.only = "option -no-integrated-cpp",
		.source = "a.c"},
	{.line = "clang -fno-integrated-as -c a.c",
		.only = "option -fno-integrated-as",
		.source = "a.c"},
	{.line = "gcc -fdirectives-only -c a.c",
		.only = "option -fdirectives-only",
		.source = "a.c"},
	{.line = "gcc -fpreprocessed -c a.c", .reason = "option -fpreprocessed", .source = "a.c"},
	{.line = "gcc -fexec-charset=latin1 -c a.c",
		.reason = "option -fexec-charset=",
		.source = "a.c"},
	{.line = "gcc -P -c a.c", .only = "option -P", .source = "a.c"},
	{.line = "gcc -CC -c a.c", .only = "option -CC", .source = "a.c"},
	{.line = "gcc -fxyz=file -c a.c", .reason = "option -fxyz=", .source = "a.c"},
	{.line = "gcc --unknown -c a.c", .reason = "option --unknown", .source = "a.c"},
	{.line = "gcc -zed -c a.c -o", .reason = "option -o", .source = "a.c"},
	{.line = "gcc -c a.c -I", .reason = "option -I", .source = "a.c"},
	{.line = "gcc -c a.c -o a.o -o b.o", .reason = "option -o", .source = "a.c", .output = "b.o"},
	{.line = "gcc -c -S a.c", .reason = "option -S", .source = "a.c"},
	{.line = "gcc -c a.c @x", .reason = "response-file", .source = "a.c"},
	{.line = "clang -arch x86_64 -c a.c", .reason = "option -arch", .source = "a.c"},
	{.line = "clang -emit-llvm -c a.c", .only = "option -emit-llvm", .source = "a.c"},
	{.line = "clang -serialize-diagnostics x -c a.c",
		.only = "option -serialize-diagnostics",
		.source = "a.c"},
	{.line = "clang -fembed-bitcode -c a.c", .reason = "option -fembed-bitcode", .source = "a.c"},
	{.line = "clang -fpass-plugin=x -c a.c", .reason = "option -fpass-plugin=", .source = "a.c"},
	{.line = "clang -resource-dir x -c a.c", .reason = "option -resource-dir", .source = "a.c"},
	{.line = "clang --config x -c a.c", .reason = "option --config", .source = "a.c"},
	{.line = "gcc -fverbose-asm -S a.c", .reason = "option -fverbose-asm", .source = "a.c"},
	{.line = "clang -fverbose-asm -S a.c", .only = "option -fverbose-asm", .output = "a.s"},
	{.line = "clang -emit-llvm -S b/a.x.c", .only = "option -emit-llvm", .output = "a.x.ll"},
	{.line = "clang -emit-llvm -c a.c", .only = "option -emit-llvm", .output = "a.bc"},
	{.line = "clang -emit-ast -c a.c", .reason = "option -emit-ast"},
	{.line = "clang -grecord-gcc-switches -g -c a.c", .reason = "option -grecord-gcc-switches"},
	{.line = "clang -frecord-gcc-switches -c a.c", .reason = "option -frecord-gcc-switches"},
	{.line = "gcc -fopt-info-vec-missed -O3 -c a.c", .only = "option -fopt-info-vec-missed"},
	{.line = "gcc -g3 -march=native -c a.c", .only = "option -g3"},
	{.line = "gcc -C -g3 -c a.c", .only = "option -C"},
	{.line = "gcc -Xassembler --noexecstack -c a.c", .only = "option -Xassembler"},
	{.line = "gcc -Xpreprocessor -include -c a.c", .reason = "option -Xpreprocessor"},
	{.line = "gcc -fprofile-list=x -c a.c", .reason = "option -fprofile-list="},
	{.line = "clang -fprofile-instr-generate=x -c a.c", .only = "option -fprofile-instr-generate="},
	{.line = "gcc -aux-info - -c a.c", .reason = "output-special"},
	{.line = "gcc -fprofile-note=/dev/null --coverage -c a.c", .reason = "output-special"},
	{.line = "clang -aux-info x -c a.c", .reason = "several-sources"},
	{.line = "gcc -serialize-diagnostics x -c a.c", .reason = "several-sources"},
	{.line = "gcc -S a.S", .reason = "assembler", .output = "a.s"},
	{.line = "gcc -Wa,-a -c a.s", .reason = "option -Wa,-a"},
	{.line = "gcc -x assembler -MD -g3 -c a.c", .only = "assembler", .output = "a.o", .deps = "a.d"},
	{.line = "gcc -c b/.c", .source = "b/.c", .output = ".c.o"},
	{.line = "clang -c b/.c", .source = "b/.c", .output = ".o"},
	{.line = "gcc -MD -c b/.c", .output = ".c.o", .deps = ".c.d"},
	{.line = "gcc -finput-charset=latin1 -g3 -c a.c", .reason = "option -finput-charset="},
	{.line = "gcc -finput-charset=utf-8 -g3 -c a.c", .only = "option -g3"},
	{.line = "gcc -- -c a.c", .reason = "option --", .source = "a.c"},
};
/* clang-format on */

static void
test_lines(void **state)
{
	(void)state;
	lines_check(lines, sizeof(lines) / sizeof(lines[0]));
}

static void
test_inputs(void **state)
{
	(void)state;
	lines_check(args_inputs, sizeof(args_inputs) / sizeof(args_inputs[0]));
}

static void
test_outputs(void **state)
{
	(void)state;
	lines_check(args_outputs, sizeof(args_outputs) / sizeof(args_outputs[0]));
}

static void
test_spellings(void **state)
{
	(void)state;
	lines_check(args_spellings, sizeof(args_spellings) / sizeof(args_spellings[0]));
}

static void
test_no_directives(void **state)
{
	char text[4096], **argv = NULL;
	struct words w;
	struct args a;

	(void)state;
	words_split(&w, "gcc -c a.c -o a.o");
	args_analyse(&a, w.argc, w.argv, FOR_GCC);
	assert_int_equal(args_preprocess(&a, "cc", false, &argv), 0);
	assert_string_equal(words_join(argv, text, sizeof(text)), "cc -E a.c");
	free(argv);
	assert_int_equal(args_remote(&a, "/usr/bin/cc", false, &argv), 0);
	assert_string_equal(
	        words_join(argv, text, sizeof(text)), "/usr/bin/cc -fpreprocessed -c a.c -o a.o");
	free(argv);
	args_fini(&a);
}

static void
test_local_makes_no_commands(void **state)
{
	char **argv = NULL;
	struct words w;
	struct args a;

	(void)state;
	words_split(&w, "gcc -fplugin=x -c a.c");
	args_analyse(&a, w.argc, w.argv, FOR_GCC);
	assert_int_equal(args_preprocess(&a, "cc", true, &argv), IM_ERR_UNSUPPORTED);
	assert_int_equal(args_remote(&a, "cc", true, &argv), IM_ERR_UNSUPPORTED);
	assert_int_equal(args_source(&a, "/cc", NULL, &argv), IM_ERR_UNSUPPORTED);
	assert_null(argv);
	args_fini(&a);
}

static void
test_text_only(void **state)
{
	static const char *const line[] = {"gcc -finput-charset=latin1 -c a.c",
	        "gcc -finput-charset=UTF-8 -c a.c", "gcc -c a.c"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct words w;
		struct args a;

		words_split(&w, line[i]);
		args_analyse(&a, w.argc, w.argv, FOR_GCC);
		assert_int_equal(a.verdict, ARGS_REMOTE);
		assert_int_equal(a.text_only, i == 0);
		assert_false(a.source_only);
		args_fini(&a);
	}
}

static void
test_source_only_makes_one_command(void **state)
{
	char text[4096], **argv = NULL;
	struct words w;
	struct args a;

	(void)state;
	words_split(&w, "gcc -save-temps -c a.c");
	args_analyse(&a, w.argc, w.argv, FOR_GCC);
	assert_int_equal(args_preprocess(&a, "cc", true, &argv), IM_ERR_UNSUPPORTED);
	assert_int_equal(args_remote(&a, "cc", true, &argv), IM_ERR_UNSUPPORTED);
	assert_int_equal(args_source(&a, "/cc", NULL, &argv), 0);
	assert_string_equal(words_join(argv, text, sizeof(text)), "/cc -save-temps -c a.c");
	free(argv);
	args_fini(&a);
}

static void
test_compiler(void **state)
{
	(void)state;
	assert_int_equal(args_compiler("/usr/bin/x86_64-linux-gnu-gcc-12"), FOR_GCC);
	assert_int_equal(args_compiler("/usr/lib/llvm-14/bin/clang"), FOR_CLANG);
	assert_int_equal(args_compiler("/opt/clang/bin/gcc"), FOR_GCC);
	assert_int_equal(args_compiler("clang++-14"), FOR_CLANG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_lines),
	        cmocka_unit_test(test_inputs),
	        cmocka_unit_test(test_outputs),
	        cmocka_unit_test(test_spellings),
	        cmocka_unit_test(test_no_directives),
	        cmocka_unit_test(test_local_makes_no_commands),
	        cmocka_unit_test(test_source_only_makes_one_command),
	        cmocka_unit_test(test_text_only),
	        cmocka_unit_test(test_compiler),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#!/usr/bin/env bash
# The manners of icemesh-cc as a process: status and signal, inherited signals, descriptors, limits, umask, odd outputs and odd names, each by the
# plain compiler and through the wrapper, here and over the mesh.  tests/system/cancel.sh has what happens at the peer.
# limit: 600 s
. "$(dirname "$0")/../lan.sh"
. "$(dirname "$0")/../twice.sh"
lan_enter "$@"

# $WRAP stands before compilers of one's own; $HOW says how its command ended.
exec_user() {
	on client umask_bash env WRAP="${wrap:-}" HOW="$W/bin/how" "$@"
}

# how COMMAND...: "exit 3" or "signal 9"; which of the two no shell can tell.
make_tools() {
	cat >"$W/how.c" <<-'X'
		#include <stdio.h>
		#include <sys/wait.h>
		#include <unistd.h>
		int main(int argc, char **argv)
		{
			int status;
			pid_t pid = fork();
			if (pid == 0) { execvp(argv[1], argv + 1); _exit(127); }
			if (argc < 2 || waitpid(pid, &status, 0) != pid) return 1;
			if (WIFSIGNALED(status)) printf("signal %d\n", WTERMSIG(status)); else printf("exit %d\n", WEXITSTATUS(status));
			return 0;
		}
	X
	# What a compiler is born with.
	cat >"$W/show.c" <<-'X'
		#include <fcntl.h>
		#include <signal.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/resource.h>
		#include <sys/stat.h>
		#include <unistd.h>
		extern char **environ;
		int main(int argc, char **argv)
		{
			char name[64], to[4096];
			struct sigaction act;
			struct rlimit l;
			sigset_t mask;
			mode_t m = umask(0);
			for (int i = 0; i < argc; i++) printf("arg %d: <%s>\n", i, argv[i]);
			sigprocmask(SIG_BLOCK, NULL, &mask);
			for (int i = 1; i < 65; i++) {
				if (sigismember(&mask, i) == 1) printf("blocked %d\n", i);
				if (sigaction(i, NULL, &act) == 0 && act.sa_handler == SIG_IGN) printf("ignored %d\n", i);
			}
			printf("umask %o in %s\n", m, getcwd(to, sizeof to) ? to : "?");
			for (int i = 0; i < RLIM_NLIMITS; i++)
				if (getrlimit(i, &l) == 0) printf("limit %d: %lu %lu\n", i, (unsigned long)l.rlim_cur, (unsigned long)l.rlim_max);
			for (char **e = environ; *e; e++)
				if (strncmp(*e, "ICEMESH_", 8) && strncmp(*e, "_=", 2) && strncmp(*e, "WRAP=", 5) && !strstr(*e, "=icemesh-cc ") && (*e)[1] != 'C' &&
					(*e)[0] != 'C' && strncmp(*e, "ARM=", 4)) printf("%s\n", *e);
			for (int i = 0; i < 1024; i++) {
				snprintf(name, sizeof name, "/proc/self/fd/%d", i);
				ssize_t n = readlink(name, to, sizeof to - 1);
				to[n > 0 ? n : 0] = 0;
				if (n > 0 && !strstr(to, "icemesh-slots")) printf("fd %d%s%s flags %o\n", i, i == 1 || i == 2 ? "" : " ", i == 1 || i == 2 ? "" : to, (unsigned)fcntl(i, F_GETFL));
			}
			return 3;
		}
	X
	gcc -O1 -o "$W/bin/how" "$W/how.c" && gcc -O1 -o "$W/bin/show" "$W/show.c" && cp "$W/bin/show" "$W/bin/gcc-show"
}

write_template() {
	mkdir -p inc out other/out2 bin
	cat >bin/die <<-'X'
		#!/bin/sh
		echo dying; echo dying >&2
		kill -$1 $$
	X
	chmod +x bin/*
	echo 'int f(int a) { int unused; return a; }' >a.c
	echo 'int f(void) { return x; }' >err.c
	cp a.c 'sp ace.c'; cp a.c $'new\nline.c'; cp a.c 'quo"te'"'"'.c'; cp a.c $'\xff\xfe.c'; cp a.c -- -dash.c; cp a.c 'back\slash.c'; cp a.c '$HOME.c'; cp a.c '%s%n.c'
	echo old >out/old.o
	cp out/old.o out/x.o; chmod 755 out/x.o
	echo old >out/ro.o; chmod 444 out/ro.o
	: >out/none.o; chmod 600 out/none.o
	ln -s old.o out/here.o
	echo old >other/far.o; chmod 640 other/far.o; ln -s ../other/far.o out/far.o
	: >other/void.o; ln -s ../other/void.o out/void.o
	ln -s ../other/made.o out/dangling.o
	ln -s /dev/null out/null.o
	ln -s nowhere/x.o out/lost.o
	ln -s loop.o out/loop.o
	ln -s other/out2 outlink
	mkdir out/folder.o
	mkfifo out/fifo.o
}

table() {
	cat <<-'X'
		source $HOW $CC -c a.c
		source $HOW $CC -c err.c
		local $HOW $CC -c
		local $HOW ${WRAP}./bin/die KILL
		local $HOW ${WRAP}./bin/die SEGV
		local $HOW ${WRAP}./bin/die TERM
		any unset ICEMESH_TRACE; $HOW ${WRAP}./bin/die SEGV
		any unset ICEMESH_TRACE; $HOW ${WRAP}./bin/die INT
		local ${WRAP}show a '' 'b  c' $'new\nline' -- "\"'\\"
		local env --ignore-signal=HUP,INT,PIPE,CHLD,XFSZ,USR1 --block-signal=TERM,USR2,CHLD ${WRAP}show
		any unset ICEMESH_TRACE; env --ignore-signal=HUP,INT,PIPE,CHLD,XFSZ,USR1 --block-signal=TERM,USR2,CHLD ${WRAP}show
		source env --ignore-signal=HUP,INT,PIPE,CHLD,XFSZ,USR1 --block-signal=TERM,USR2,CHLD $HOW $CC -c a.c
		text export ICEMESH_MODE=preprocessed; env --ignore-signal=HUP,INT,PIPE,CHLD,XFSZ,USR1 --block-signal=TERM,USR2,CHLD $HOW $CC -c a.c
		local exec 5<a.c 7>out/7; ${WRAP}show
		any exec 5<a.c 7>out/7; unset ICEMESH_TRACE; ${WRAP}show
		local exec <&-; ${WRAP}show
		local exec 2>&-; ${WRAP}show
		any exec <&- 2>&-; unset ICEMESH_TRACE; ${WRAP}show
		local umask 077; ulimit -n 100; ulimit -f 5000; ${WRAP}show
		any $CC -Wall -c a.c 2>&-
		any $CXX -Wall -c a.c 2>&-
		any $CC -Wall -c a.c 1>&- 2>&-
		any $CC -Wall -c a.c <&- 1>&- 2>&-
		any $CC -c err.c 2>&-
		any $CLANG -Wall -c a.c 2>&-
		any mkfifo p; (exec 3<>p 4>p 3<&-; $HOW $CC -Wall -c a.c 2>&4)
		any mkfifo p; (exec 3<>p 4>p 3<&-; $HOW $CC -c err.c 2>&4)
		any mkfifo p; (exec 3<>p 4>p 3<&-; $HOW $CLANG -Wall -c a.c 2>&4)
		any mkfifo p; (exec 3<>p 4>p 3<&-; env --ignore-signal=PIPE $HOW $CC -Wall -c a.c 2>&4)
		any $CC -Wall -c a.c 2>/dev/full
		any $HOW $CC -c err.c 2>/dev/full
		any $HOW $CLANG -Wall -c a.c 2>/dev/full
		source umask 077; $CC -Wall -c a.c -MD -fstack-usage
		source umask 000; $CC -Wall -c a.c -MD -fstack-usage
		source umask 002; $CLANG -Wall -c a.c -MD -o out/x.o
		any umask 777; $CC -Wall -c a.c -MD
		text export ICEMESH_MODE=preprocessed; umask 000; $CC -c a.c -MD -o out/x.o
		source $CC -c a.c -o out/old.o
		source $CC -c a.c -o out/x.o
		any $CC -c a.c -o out/ro.o
		source $CC -c a.c -o out/none.o
		source $CC -c a.c -o out/here.o
		source $CC -c a.c -o out/far.o
		source $CC -c a.c -o out/void.o
		source $CC -c a.c -o out/dangling.o
		any $CC -c a.c -o out/null.o
		any $CC -c a.c -o out/lost.o
		any $CC -c a.c -o out/loop.o
		any $CC -c a.c -o out/folder.o
		source $CC -c a.c -o outlink/o.o -MD
		source $CC -c err.c -o out/far.o -MD
		source $CC -c err.c -o out/dangling.o
		any $CC -c err.c -o out/ro.o
		any $CC -c err.c -o out/lost.o
		any $CC -S a.c -o out/far.o
		any $CC -S a.c -o out/ro.o
		any $CC -S a.c -o out/void.o
		any $CC -S a.c -o out/dangling.o
		any $CC -S a.c -o out/null.o
		any $CC -S err.c -o out/far.o
		any $CC -S err.c -o out/old.o
		any $CLANG -c a.c -o out/old.o
		any $CLANG -c a.c -o out/x.o
		any $CLANG -c a.c -o out/ro.o
		any $CLANG -c a.c -o out/none.o
		any $CLANG -c a.c -o out/here.o
		any $CLANG -c a.c -o out/far.o
		any $CLANG -c a.c -o out/void.o
		any $CLANG -c a.c -o out/dangling.o
		any $CLANG -c a.c -o out/null.o
		any $CLANG -c a.c -o out/lost.o
		any $CLANG -c a.c -o out/loop.o
		any $CLANG -c a.c -o out/folder.o
		any $CLANG -c a.c -o outlink/o.o -MD
		any $CLANG -c err.c -o out/far.o -MD
		any $CLANG -c err.c -o out/dangling.o
		any $CLANG -S a.c -o out/far.o
		any $CLANG -c a.c -o a.c
		any $CLANG -c a.c -o none/x.o
		any $CC -c a.c -o none/x.o
		any $CC -c a.c -MD -MF none/x.d -o out/x.o
		any $CC -c a.c -MD -MF out/ro.o -o y.o
		any $CC -c a.c -MD -MF out/far.o -o y.o
		any $CC -c a.c -MD -MF out/dangling.o -o y.o
		any $CC -c a.c -MD -MF out/folder.o -o y.o
		any $CC -c a.c -MD -MF a.c -o y.o
		any $CC -c a.c -o $PWD/a.c
		any ln a.c b.c; $CC -c a.c -o b.c
		any ln -s a.c b.c; $CC -c a.c -o b.c
		any ln -s a.c b.c; $CC -c b.c -o a.c
		any chmod 555 out; $CC -c a.c -o out/x.o; chmod 755 out
		any chmod 555 out; $CC -c a.c -o out/new.o; chmod 755 out
		any chmod 555 out; $CC -c a.c -o out/far.o -MD; chmod 755 out
		any chmod 555 out; $CLANG -c a.c -o out/x.o; chmod 755 out
		any chmod 555 .; $CC -c a.c -o out/x.o -save-temps; chmod 755 .
		any TMPDIR=/nonexistent $CC -c a.c
		any TMPDIR=/proc $CLANG -c a.c
		any TMPDIR=a.c $CC -c a.c -Wall
		any TMPDIR=out $CC -c a.c
		any TMPDIR= $CC -c a.c
		source $CC -Wall -c 'sp ace.c' -MD
		any $CC -Wall -c $'new\nline.c' -MD
		any $CC -Wall -c $'quo"te\'.c' -MD
		any $CC -Wall -c $'\xff\xfe.c' -MD
		any $CLANG -Wall -c $'\xff\xfe.c' -MD
		any $CC -Wall -c ./-dash.c -MD -o ./-dash.o
		any $CC -Wall -c ./-dash.c -MD
		any $CLANG -Wall -c ./-dash.c -MD
		any $CC -c -- -dash.c
		any $CLANG -c -- -dash.c
		any $CC -Wall -c 'back\slash.c' -MD
		any $CC -Wall -c '$HOME.c' -MD
		any $CC -Wall -c '%s%n.c' -MD
		any $CC -c a.c -o $'out/\xff.o' -MD
		any $CC -c a.c -o $'out/new\nline.o' -MD
		any $CC -c a.c ''
		any $CC '' -c a.c
		any $CC -c ''
		any $CC -c a.c -o ''
		any $CC -c a.c -I ''
		any $CC -I -c a.c
		any $CC -c a.c -D ''
		any $CC -c a.c -include ''
		any $CC -c a.c -MD -MF ''
		any $CC -c a.c -o
		any $CC
		any ${WRAP:+icemesh-cc} $CC -c a.c
		any $HOW $CC -x c - -c -o y.o <a.c
		any echo 'int y;' | $CC -x c - -c -o y.o
		any $CC -x c - -c -o y.o <&-
		any $CC -x c /dev/stdin -c -o y.o <a.c
		any $CC -c a.c -o /dev/stdout | cat >y.o
		any $CC -c a.c -o /dev/fd/1 >y.o
		any $CC -S a.c -o /dev/stdout
		any $CC -c a.c $(head -c 100000 /dev/zero | tr '\0' 'x' | sed 's/^/-DX=/')
		any $HOW $CC -c a.c $(head -c 130900 /dev/zero | tr '\0' 'x' | sed 's/^/-DX=/')
		any $HOW $CC -c a.c $(for i in $(seq 30000); do echo -DVAR_$i=some_long_value_$i; done) 2>&1 | head -c 300
		any $HOW $CLANG -c a.c $(for i in $(seq 50000); do echo -DVAR_$i=some_long_value_$i; done) 2>&1 | head -c 300
		any ulimit -n 20; $HOW $CC -c a.c
		any ulimit -n 12; $HOW $CC -c a.c
		any ulimit -n 9; $HOW $CC -c a.c
		any ulimit -n 8; $HOW $CC -c a.c
		any ulimit -n 7; $HOW $CC -c a.c
		any ulimit -n 6; $HOW $CC -c a.c
		any ulimit -n 5; $HOW $CC -c a.c
		any ulimit -f 1; $HOW $CC -g3 -c a.c -include stdio.h
		any ulimit -f 1; $HOW $CLANG -g -c a.c -include stdio.h
		any ulimit -f 1; unset ICEMESH_TRACE; $HOW $CC -g3 -c a.c -include stdio.h
		any ulimit -f 1; env --ignore-signal=XFSZ $HOW $CC -g3 -c a.c -include stdio.h
		any ulimit -v 400000; $HOW $CC -c a.c
		any ulimit -t 1; $HOW $CC -c a.c
		any ulimit -s 256; $HOW $CC -c a.c
		any mkdir d; cd d; rmdir ../d; $HOW $CC -c ../a.c; true
		any env -i PATH="$PATH" $CC -c a.c
		any unset HOME; $CC -c a.c
		any $CC -v
		any $CC -v -c a.c
		any $CC -### -c a.c
		any $CLANG -v
		any $CLANG -### -c a.c
		any $CC --version
		any $CC -print-search-dirs
		any $CC -print-prog-name=cc1
		any $CC --help
		any $CC -nope
		any $CC nofile.c -c
		any $CLANG nofile.c -c
		any $CLANG -nope
	X
}

make_tools
twice_up
mapfile -t lines < <(table)
plan ${#lines[@]}
twice_run "${lines[@]}"

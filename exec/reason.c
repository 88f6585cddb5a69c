#include "exec/reason.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Sorted by word (tested). */
static const struct reason rows[] = {
        {"asks-compiler", "The command asks the compiler something (--version, -print-...), which"
                          " is answered here; nothing needs to be done."},
        {"assembler", "Assembler sources travel in source mode only, and not with -S; "
                      "ICEMESH_MODE=auto lets them."},
        {"busy", "Every peer was busy and a local slot was free; add nodes or slots if this is "
                 "frequent."},
        {"compile-error", "The compiler crashed on a peer, or failed in preprocessed mode or with "
                          "an output behind a link, and "
                          "ran again here, so that its messages are this machine's own; mend what"
                          " they say."},
        {"configure-probe", "A configure script's test program runs here, where it is answered "
                            "soonest; nothing needs to be done."},
        {"date-time", "__TIMESTAMP__ is exact only here, and so are __DATE__ and __TIME__ with "
                      "clang and in preprocessed mode; leave them out to let the compile travel."},
        {"diagnostics", "The compiler printed messages that are exact only here (translated "
                        "ones, some for a terminal, some that nobody reads, and all of "
                        "preprocessed mode); mend what it"
                        " warns of, or set LC_ALL=C."},
        {"environment", "The named variable changes what the compiler does; unset it to let the "
                        "compile travel."},
        {"faster-here", "Compiles took less than half as long here as at peers lately, and a local "
                        "slot was free; faster peers, or a faster line, would change that."},
        {"include-missed",
                "A peer's compile looked for a file that stands here and was not sent, or made one "
                "that was not expected, and its result was thrown away; this is a defect of "
                "icemesh, please report it with the name that the trace shows."},
        {"include-undecided", "An include could not be decided without the preprocessor, and "
                              "preprocessed mode was switched off or cannot do this compile; write "
                              "its name without macros, or set ICEMESH_MODE=auto."},
        {"input-changed", "An input changed while it was being sent; let the build's rules make "
                          "it before the compile begins."},
        {"job-failed", "Peers could not run it (time, memory, sandbox, disk, or refused); try "
                       "'icemesh doctor' on the peer that the cause names."},
        {"language", "The source is not C, C++, Objective-C or Objective-C++; if it is, say "
                     "so with -x."},
        {"linking", "Linking needs this machine's libraries; a command that also compiles "
                    "can be split, with -c in its first part."},
        {"nested", "Another icemesh-cc started this command, and it decided already; let "
                   "only one of them stand in PATH, CC or CXX."},
        {"no-compatible-peer",
                "No peer can run this compiler; see 'icemesh peers' for platforms and states."},
        {"no-daemon", "icemeshd was not reached, and without it every compile runs here; "
                      "start it, or see 'icemesh doctor'."},
        {"no-mesh",
                "This machine is in no mesh; 'icemesh init' makes one, 'icemesh join' enters one."},
        {"no-source", "The command names no source file that is there; check its words."},
        {"option", "The named option reads or writes files that cannot travel, asks for what only "
                   "source mode can do, or is not known; leave it out if you can."},
        {"output-special",
                "An output is standard output, a device, an input, or nothing that may be written; "
                "name a file, with an umask that lets you write it."},
        {"path", "The output's folder is not there, or a path cannot be said exactly to "
                 "a peer; make the folder, and leave out '..' behind links and control "
                 "characters."},
        {"pch", "A precompiled header that cannot travel would be taken (clang's, several in a "
                "folder, or "
                "without its header); remove it to let the compile travel."},
        {"peer-lost", "The peer went away in the middle, and no other took the compile; see "
                      "'icemesh peers' if this is frequent."},
        {"pragma", "A #pragma pop_macro or poison in preprocessed mode, and the compile "
                   "asks for warnings or sanitizers, is exact only here; ICEMESH_MODE=auto"
                   " lets source mode do it."},
        {"preprocess-only", "Preprocessing, dependency lists and syntax checks run here; nothing "
                            "needs to be done."},
        {"remote-never", "Remote compiles are switched off by ICEMESH_REMOTE or the "
                         "configuration; remote = auto switches them on."},
        {"response-file", "A response file (@file) could not be read or is over the limits; check"
                          " it, or give its words on the command line."},
        {"several-sources",
                "The command names several inputs; compile each by a command of its own."},
        {"stdin", "The source, or a file that it names, comes from standard input or "
                  "stands in /proc; compile from a file."},
        {"system-error", "A system call failed here while the compile was being prepared; the "
                         "cause says which, and 'icemesh doctor' what may be wrong."},
        {"tiny", "The trip to a peer took longer than the compile before, and a local slot was "
                 "free; "
                 "nothing needs to be done."},
        {"toolchain", "The compiler could not be packed or was refused; 'icemesh toolchain create' "
                      "says why."},
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

const struct reason *
reason_find(const char *text)
{
	size_t len = strcspn(text, " ");

	for (size_t i = 0; i < ROWS; i++)
		if (strlen(rows[i].word) == len && memcmp(rows[i].word, text, len) == 0)
			return &rows[i];
	return NULL;
}

const struct reason *
reason_row(unsigned i)
{
	return i < ROWS ? &rows[i] : NULL;
}

void
reason_set(char reason[REASON_SIZE], const char *word, const char *detail)
{
	if (detail)
		snprintf(reason, REASON_SIZE, "%s %s", word, detail);
	else
		snprintf(reason, REASON_SIZE, "%s", word);
	for (char *p = reason; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
}

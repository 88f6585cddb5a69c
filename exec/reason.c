#include "exec/reason.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Sorted by word (tested). */
static const struct reason rows[] = {
        {"asks-compiler", "The command asks the compiler something (--version, -print-...); it "
                          "always runs here."},
        {"assembler", "Assembler sources run here: they are too short to be worth a trip."},
        {"busy", "Every peer was busy and a local slot was free; add nodes or slots if this is "
                 "frequent."},
        {"compile-error", "The compile failed on a peer and ran again here, so that the messages "
                          "are this machine's own."},
        {"configure-probe",
                "A configure script's test program runs here, where it is answered soonest."},
        {"date-time", "The source uses __DATE__, __TIME__ or __TIMESTAMP__; set SOURCE_DATE_EPOCH "
                      "to let it travel."},
        {"diagnostics", "The compiler printed messages, and those are exact only here."},
        {"environment", "The named variable changes what the compiler does; unset it to let the "
                        "compile travel."},
        {"include-undecided", "An include could not be decided without the preprocessor; it ran in "
                              "preprocessed mode or here."},
        {"job-failed", "Peers could not run it (time, memory, sandbox, disk, or refused); see "
                       "'icemesh status'."},
        {"language", "The source is not C, C++, Objective-C or Objective-C++."},
        {"linking", "Linking needs this machine's libraries."},
        {"no-compatible-peer",
                "No peer can run this compiler; see 'icemesh peers' for platforms and states."},
        {"no-daemon", "icemeshd was not reached; start it, or see 'icemesh doctor'."},
        {"no-mesh",
                "This machine is in no mesh; 'icemesh init' makes one, 'icemesh join' enters one."},
        {"no-source", "The command names no source file."},
        {"option", "The named option reads or writes files that cannot travel, or is not known; "
                   "leave it out if you can."},
        {"output-special", "The output is standard output or a device."},
        {"path", "A path goes through a symbolic link and \"..\", or cannot be said exactly to a "
                 "peer."},
        {"peer-lost", "The peer went away in the middle, and no other took the compile."},
        {"pragma", "A #pragma pop_macro or poison, and the compile asks for warnings or "
                   "sanitizers: exact only here."},
        {"preprocess-only", "Preprocessing, dependency lists and syntax checks run here."},
        {"remote-never",
                "Remote compiles are switched off by ICEMESH_REMOTE or the configuration."},
        {"response-file", "A response file (@file) could not be read or is over the limits."},
        {"several-sources",
                "The command names several inputs; compile each by a command of its own."},
        {"stdin", "The source comes from standard input."},
        {"system-error",
                "A system call failed here while the compile was being prepared; see the message."},
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

/*
 * Exit statuses of icemesh-cc's own errors, each with one line on standard error; every other
 * status is the compiler's. A compiler that was killed by signal n gives 128 + n.  icemesh-cc(1)
 * lists them.
 */
#ifndef CLIENT_EXIT_H
#define CLIENT_EXIT_H

enum exit_status {
	EXIT_STATUS_USAGE = 2,    /* no argument at all */
	EXIT_STATUS_NO_CC = 110,  /* no compiler of that name in PATH but icemesh-cc itself */
	EXIT_STATUS_CONFIG = 111, /* a configuration file or an ICEMESH_ variable is wrong */
	EXIT_STATUS_EXEC = 112,   /* the compiler could not be started */
	EXIT_STATUS_ONLY =
	        113, /* ICEMESH_REMOTE=only, and the compile could not be done remotely */
	EXIT_STATUS_SLOTS = 114, /* no local slot: its folder cannot be used */
	EXIT_STATUS_SYSTEM =
	        115, /* a system call failed that nothing works without: fork, memory */
};

#endif

/*
 * One call of the icemesh command: its table row, its configuration, and what it says.
 *
 * Commands write into buffers and return an exit status; the file with main() owns the descriptors.  So every command can be
 * run by a test, and nothing is printed half.
 */
#ifndef CLIENT_CALL_H
#define CLIENT_CALL_H

#include <stdbool.h>
#include "client/ask.h"
#include "crypto/buf.h"
#include "mesh/config.h"

#define CALL_OUTPUT_MAX (64 * 1024 * 1024)

enum call_status { CALL_DONE = 0, CALL_FAILED = 1, CALL_USAGE = 2 };

struct call;

struct command {
	const char *name;
	const char *synopsis; /* a line for each form, without newline at the end */
	const char *summary;  /* for the list of commands */
	const char *help;     /* some lines, newline at the end */
	int (*run)(struct call *c, int argc, char **argv); /* argv[0] is the command's name */
};

struct call {
	const struct command *command;
	struct config config;          /* after call_config() */
	struct buf out, err;           /* not flushed yet */
	bool tty, colour;              /* of standard output */
	unsigned width, height;        /* columns and lines of the terminal, 0 when piped */
	void (*flush)(struct call *c); /* writes out what is there, for long work; NULL: not yet */
};

void call_init(struct call *c, const struct command *command);
void call_fini(struct call *c);
/* Writes a line to standard output, cleaned for a terminal (client/printable.h), as the next two are. */
void call_say(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "icemesh: ..." on standard error; returns CALL_FAILED. */
int call_fail(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with the command's synopsis behind it; returns CALL_USAGE. */
int call_usage(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Takes the operands of a command without options, at most max; those that are not there are left as they were. CALL_DONE or, with the cause said, CALL_USAGE. */
int call_operands(struct call *c, int argc, char **argv, const char **out, int max);
/* Appends "usage: icemesh ..." lines. */
void command_usage(const struct command *command, struct buf *out);
/* Writes what is there when somebody listens. */
void call_flush(struct call *c);

/* Reads the configuration; CALL_DONE or, with the cause said, CALL_FAILED. */
int call_config(struct call *c);
/* The configuration and a connection to the daemon; CALL_DONE or, with the remedy said, CALL_FAILED. */
int call_open(struct call *c, struct ask *a);
/* Says why a question to the daemon failed; returns CALL_FAILED. */
int call_ask_failed(struct call *c, const struct ask *a, int err);

int cmd_init(struct call *c, int argc, char **argv);
int cmd_invite(struct call *c, int argc, char **argv);
int cmd_join(struct call *c, int argc, char **argv);
int cmd_leave(struct call *c, int argc, char **argv);
int cmd_pause(struct call *c, int argc, char **argv);
int cmd_resume(struct call *c, int argc, char **argv);
int cmd_peers(struct call *c, int argc, char **argv);
int cmd_status(struct call *c, int argc, char **argv);
int cmd_toolchain(struct call *c, int argc, char **argv);
int cmd_doctor(struct call *c, int argc, char **argv);
int cmd_why(struct call *c, int argc, char **argv);
int cmd_jobs(struct call *c, int argc, char **argv);

#endif

/* icemesh: the command for people.  The table of commands, and where their words go. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "client/call.h"
#include "client/suggest.h"
#include "crypto/key.h"

#define COMMANDS (sizeof commands / sizeof commands[0])

static int cmd_help(struct call *c, int argc, char **argv);

static const struct command commands[] = {
        {"init", "icemesh init [NAME]", "make a mesh, with this machine as its first node",
                "Makes the mesh's root key and gives this node a certificate with every role.\n"
                "Starts icemeshd in the background where none runs.\n",
                cmd_init},
        {"invite", "icemesh invite [--role member|signer] [--uses N] [--expires TIME]",
                "print a token that lets a machine join",
                "The token is the last line of the output. Whoever has it can join until it "
                "expires\n"
                "(24h, unless --expires says 90s, 15m, 7d...) or was used N times (once, unless "
                "--uses).\n",
                cmd_invite},
        {"join", "icemesh join [TOKEN] [--seed HOST[:PORT]]", "join a mesh with this machine",
                "Starts icemeshd in the background where none runs. Without a token the machine "
                "lends\n"
                "its cores as a spare. --seed names a node to ask where multicast does not "
                "reach.\n",
                cmd_join},
        {"leave", "icemesh leave", "leave the mesh and forget this node's certificate",
                "Lets running jobs end, says goodbye to the peers and forgets the certificate.\n",
                cmd_leave},
        {"pause", "icemesh pause [TIME]", "lend none of this machine's cores for a while",
                "For TIME (90s, 15m, 2h...), or until icemesh resume. What others have running "
                "here "
                "ends\n"
                "in its own time; this machine's own compiles are not touched.\n",
                cmd_pause},
        {"resume", "icemesh resume", "lend this machine's cores again", "", cmd_resume},
        {"peers", "icemesh peers [--json] [--watch]", "list every node of the mesh",
                "--watch draws the list anew each second, until Ctrl-C.\n", cmd_peers},
        {"status", "icemesh status [--json]", "this node: its mesh, its work, its problems",
                "Problems stand at the end, each with its remedy.\n", cmd_status},
        {"why", "icemesh why [--json] [FILE|REASON]\nicemesh why --reasons [--json]",
                "why the last compiles ran where they ran",
                "The last compiles, and what can be done about each reason for one that ran "
                "here.\n"
                "FILE, a source or an object, by its path or the end of it: all about its last "
                "compiles.\n"
                "REASON, a word as a trace has it: what it means; --reasons: what each of them "
                "means.\n"
                "A file with the name of a reason is ./NAME.\n",
                cmd_why},
        {"jobs", "icemesh jobs", "print the -j to use now",
                "For make -j$(icemesh jobs): the local slots, and the slots that are free at peers "
                "that\n"
                "can compile for this machine. Without a daemon the local slots.\n",
                cmd_jobs},
        {"toolchain",
                "icemesh toolchain create [-o FILE] [COMPILER ...]\n"
                "icemesh toolchain list [--json]\n"
                "icemesh toolchain verify FILE [SIGFILE]",
                "make, list and verify toolchain tarballs",
                "create packs each compiler (cc, when none is named) and lets the daemon sign and "
                "store it;\n"
                "-o writes FILE and FILE.minisig, too. verify checks FILE against SIGFILE "
                "(FILE.minisig)\n"
                "and the root of this node's mesh.\n",
                cmd_toolchain},
        {"doctor", "icemesh doctor", "check everything that can keep this node from working",
                "Each finding comes with its remedy. Exit status 0 when nothing is in the way.\n",
                cmd_doctor},
        {"help", "icemesh help [COMMAND]", "explain a command",
                "icemesh(1) is the full reference.\n", cmd_help},
        {"--version", "icemesh --version", "print the version", "", NULL},
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void
list_commands(struct buf *out)
{
	buf_printf(out, "commands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		if (commands[i].run != NULL)
			buf_printf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
	buf_printf(out, "\n'icemesh help COMMAND' says more.\n");
}

/* Every synopsis, as icemesh(1) has it, and the list. */
static void
put_overview(struct buf *out)
{
	struct buf one;
	const char *text;

	buf_init(&one, CALL_OUTPUT_MAX);
	for (size_t i = 0; i < COMMANDS; i++) {
		buf_reset(&one);
		command_usage(&commands[i], &one);
		text = buf_text(&one);
		if (text != NULL)
			buf_printf(out, "%-6s%s", i == 0 ? "usage:" : "", text + strlen("usage:"));
	}
	buf_fini(&one);
	buf_printf(out, "\n");
	list_commands(out);
}

static void
put_help(const struct command *command, struct buf *out)
{
	command_usage(command, out);
	buf_printf(out, "\n%s", command->help);
}

static int
unknown_command(struct call *c, const char *name)
{
	const char *names[COMMANDS], *near;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	near = suggest(name, names, COMMANDS);
	if (near != NULL)
		call_fail(c, "unknown command '%.80s'; did you mean '%s'?", name, near);
	else
		call_fail(c, "unknown command '%.80s'; 'icemesh help' lists them", name);
	return CALL_USAGE;
}

static int
cmd_help(struct call *c, int argc, char **argv)
{
	const struct command *command;

	if (argc > 2)
		return call_usage(c, "unexpected word '%.80s'", argv[2]);
	if (argc < 2) {
		put_overview(&c->out);
		return CALL_DONE;
	}
	command = find_command(argv[1]);
	if (command == NULL)
		return unknown_command(c, argv[1]);
	put_help(command, &c->out);
	return CALL_DONE;
}

static void
write_out(struct call *c)
{
	if (c->out.len > 0)
		fwrite(c->out.data, 1, c->out.len, stdout);
	fflush(stdout);
	if (c->err.len > 0)
		fwrite(c->err.data, 1, c->err.len, stderr);
	buf_reset(&c->out);
	buf_reset(&c->err);
}

static void
look_at_terminal(struct call *c)
{
	const char *no_color = getenv("NO_COLOR");
	struct winsize size;

	c->tty = isatty(STDOUT_FILENO) == 1;
	if (!c->tty)
		return;
	c->colour = no_color == NULL || no_color[0] == 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
		c->width = size.ws_col;
		c->height = size.ws_row;
	}
}

static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

/* argv[0] is the command's name. */
static int
run(struct call *c, int argc, char **argv)
{
	if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0) {
		put_overview(&c->out);
		return CALL_DONE;
	}
	c->command = find_command(argv[0]);
	if (c->command == NULL)
		return unknown_command(c, argv[0]);
	if (c->command->run == NULL) {
		call_say(c, "icemesh %s", IM_VERSION);
		return CALL_DONE;
	}
	if (asks_for_help(argc, argv)) {
		put_help(c->command, &c->out);
		return CALL_DONE;
	}
	if (crypto_start() != 0)
		return call_fail(c, "libsodium does not start; is it installed whole?");
	return c->command->run(c, argc, argv);
}

int
main(int argc, char **argv)
{
	struct call c;
	int status;

	call_init(&c, NULL);
	c.flush = write_out;
	look_at_terminal(&c);
	if (argc < 2) {
		buf_printf(&c.err, "usage: icemesh COMMAND ...\n\n");
		list_commands(&c.err);
		status = CALL_USAGE;
	} else {
		status = run(&c, argc - 1, argv + 1);
	}
	if (buf_err(&c.out) != 0) {
		buf_reset(&c.out);
		status = call_fail(&c, "the output is %s", im_strerror(IM_ERR_LIMIT));
	}
	write_out(&c);
	call_fini(&c);
	if (ferror(stdout) != 0 || fclose(stdout) != 0)
		return CALL_FAILED;
	return status;
}

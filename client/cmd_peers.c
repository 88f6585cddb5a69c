#include "client/call.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "client/opts.h"
#include "client/peer.h"

#define WATCH_MS 1000
#define SCREEN_HOME "\033[H"
#define LINE_CLEAR "\033[K"
#define SCREEN_CLEAR_BELOW "\033[J"

static int
put_table(const struct peer *peers, uint32_t n, const struct call *c, struct buf *out)
{
	struct grid t;
	int err;

	grid_init(&t, peer_columns, PEER_NCOLUMNS);
	for (uint32_t i = 0; i < n; i++)
		peer_row(&peers[i], &t);
	err = grid_print(&t, c->width, c->colour, out);
	grid_fini(&t);
	return err;
}

static void
put_json(const struct peer *peers, uint32_t n, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_open_array(&j);
	for (uint32_t i = 0; i < n; i++)
		peer_json(&peers[i], &j);
	json_close_array(&j);
}

/* Asks once and appends the answer to out. */
static int
show(struct call *c, struct ask *a, bool json, struct buf *out)
{
	struct ask_command q = {.type = CONTROL_PEERS, .pass_fd = -1, .timeout_ms = ASK_MS};
	struct peer *peers = NULL;
	struct reply r;
	uint32_t n;
	int err = ask_daemon(a, &q, &r);

	if (err != 0)
		return call_ask_failed(c, a, err);
	err = peers_decode(&peers, &n, packet_root(r.packet));
	reply_fini(&r);
	if (err != 0)
		return call_ask_failed(c, a, err);
	if (json)
		put_json(peers, n, out);
	else
		err = put_table(peers, n, c, out);
	free(peers);
	return err != 0 ? call_fail(c, "%s", im_strerror(err)) : CALL_DONE;
}

/* Over the old screen line by line, so that nothing flickers; what is below its last line is left out. */
static void
put_screen(struct buf *screen, unsigned height, struct buf *out)
{
	const char *line = buf_text(screen), *end;

	buf_printf(out, SCREEN_HOME);
	for (unsigned i = 1; line != NULL && *line != 0 && (height == 0 || i < height);
	        line = end + 1, i++) {
		end = strchr(line, '\n');
		buf_printf(out, "%.*s" LINE_CLEAR "\n", (int)(end - line), line);
	}
	buf_printf(out, SCREEN_CLEAR_BELOW);
}

/* Until Ctrl-C, or until the daemon goes. */
static int
watch(struct call *c, struct ask *a)
{
	struct buf screen;
	int status;

	buf_init(&screen, CALL_OUTPUT_MAX);
	for (;;) {
		buf_reset(&screen);
		status = show(c, a, false, &screen);
		if (status != CALL_DONE)
			break;
		put_screen(&screen, c->height, &c->out);
		call_flush(c);
		(void)poll(NULL, 0, WATCH_MS);
	}
	buf_fini(&screen);
	return status;
}

int
cmd_peers(struct call *c, int argc, char **argv)
{
	static const struct opt table[] = {{"json", 0, false}, {"watch", 0, false}};
	bool json = false, watching = false;
	struct opts o;
	struct ask a;
	int got, status;

	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, table, 2)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (got == OPTS_OPERAND)
			return call_usage(c, "unexpected word '%.80s'", o.value);
		json = json || got == 0;
		watching = watching || got == 1;
	}
	if (watching && (json || !c->tty))
		return call_usage(c,
		        "--watch draws on a terminal; without one, ask for --json again and again");
	status = call_open(c, &a);
	if (status != CALL_DONE)
		return status;
	if (watching)
		buf_printf(&c->out, SCREEN_HOME SCREEN_CLEAR_BELOW);
	status = watching ? watch(c, &a) : show(c, &a, json, &c->out);
	ask_close(&a);
	return status;
}

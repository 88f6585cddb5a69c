#include "client/call.h"

#include "client/opts.h"
#include "client/status.h"

static int
show(struct call *c, struct ask *a, bool json)
{
	struct ask_command q = {.type = CONTROL_STATUS, .pass_fd = -1, .timeout_ms = ASK_MS};
	struct status s;
	struct reply r;
	int err = ask_daemon(a, &q, &r);

	if (err != 0)
		return call_ask_failed(c, a, err);
	err = status_decode(&s, packet_root(r.packet));
	reply_fini(&r);
	if (err != 0)
		return call_ask_failed(c, a, err);
	if (json)
		status_json(&s, &c->out);
	else
		status_text(&s, &c->out);
	status_fini(&s);
	return CALL_DONE;
}

int
cmd_status(struct call *c, int argc, char **argv)
{
	static const struct opt table[] = {{"json", 0, false}};
	bool json = false;
	struct opts o;
	struct ask a;
	int got, status;

	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, table, 1)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (got == OPTS_OPERAND)
			return call_usage(c, "unexpected word '%.80s'", o.value);
		json = true;
	}
	status = call_open(c, &a);
	if (status != CALL_DONE)
		return status;
	status = show(c, &a, json);
	ask_close(&a);
	return status;
}

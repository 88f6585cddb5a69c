/* pause and resume: whether this machine's cores are lent just now. */
#include "client/call.h"

#include "mesh/units.h"

/* Asks for it and says what was done. */
static int
carry_out(struct call *c, uint8_t type, const struct buf *body, const char *said)
{
	struct ask_command q = {.type = type, .body = body, .pass_fd = -1, .timeout_ms = ASK_MS};
	struct reply r;
	struct ask a;
	int err;

	if (call_open(c, &a) != CALL_DONE)
		return CALL_FAILED;
	err = ask_daemon(&a, &q, &r);
	if (err != 0) {
		err = call_ask_failed(c, &a, err);
	} else {
		call_say(c, "%s", said);
		reply_fini(&r);
	}
	ask_close(&a);
	return err;
}

int
cmd_pause(struct call *c, int argc, char **argv)
{
	const char *time = NULL;
	unsigned seconds = 0;
	struct buf body;
	int err = call_operands(c, argc, argv, &time, 1);

	if (err != CALL_DONE)
		return err;
	if (time != NULL && (parse_duration(&seconds, time) != 0 || seconds == 0))
		return call_usage(c, "'%s' is no time: 90s, 15m, 2h...", time);
	buf_init(&body, 64);
	pack_map(&body, time != NULL);
	if (time != NULL)
		pack_kuint(&body, 1, seconds);
	err = carry_out(c, CONTROL_PAUSE, &body,
	        time != NULL
	                ? "This machine lends nothing until then; 'icemesh resume' ends it sooner."
	                : "This machine lends nothing until 'icemesh resume'.");
	buf_fini(&body);
	return err;
}

int
cmd_resume(struct call *c, int argc, char **argv)
{
	int err = call_operands(c, argc, argv, NULL, 0);

	return err != CALL_DONE ? err
	                        : carry_out(c, CONTROL_RESUME, NULL, "This machine lends again.");
}

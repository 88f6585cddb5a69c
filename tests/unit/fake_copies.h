/*
 * Two copies of one job at two made-up peers, for fake_peer.h, which includes this: a script's "(1+1T2+2T2g1X)" answers one WANT.  Each step
 * is a digit (which copy) and a letter: one of enum fake_step, or what enum fake_act has from FAKE_GONE_END on or for source mode.
 */
#ifndef TESTS_FAKE_COPIES_H
#define TESTS_FAKE_COPIES_H

enum fake_step {
	FAKE_STEP_GRANT = '+',  /* its slot; that of copy 2 as a hedge */
	FAKE_STEP_TAKE = 'T',   /* takes the job */
	FAKE_STEP_NAMES = 'S',  /* the same, and what it names, in source mode */
	FAKE_STEP_REST = 'Q',   /* after FAKE_HALF the remaining output, and DONE */
	FAKE_STEP_CLOSED = 'X', /* waits until the wrapper closes */
	FAKE_STEP_TOLD = 'R'    /* waits for a message of the wrapper's to the daemon */
};

static inline void
fake_closed(struct fake_channel *f, char *log)
{
	static uint8_t bytes[4096];

	while (read(f->fd, bytes, sizeof bytes) > 0)
		;
	fake_say(log, "closed");
}

static inline void
fake_drop(struct fake_channel *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}

/* Waits for one message of the wrapper's. */
static inline void
fake_hear(int control, char *log)
{
	struct buf body;
	uint8_t type;
	int fd;

	buf_init(&body, CONTROL_LEN_MAX);
	if (control_recv(control, &type, &body, &fd) == 0)
		fake_told(type, &body, fd, log);
	buf_fini(&body);
}

/* Both copies of one job, step by step; where the steps end. */
static inline const char *
fake_copies(int control, const char *step, char *log)
{
	static uint8_t out[2][FAKE_TEXT_MAX + MAGIC_LEN];
	struct fake_channel copies[2] = {{.fd = -1}, {.fd = -1}};
	size_t len[2] = {0, 0};

	for (; *step != ')'; step += 2) {
		unsigned i = (unsigned)(step[0] - '1');
		char act = step[1];
		struct fake_channel *f = &copies[i];

		if (act == FAKE_STEP_TOLD)
			fake_hear(control, log);
		else if (act == FAKE_STEP_GRANT)
			fake_grant(control, f, i + 1, i > 0);
		else if (act == FAKE_STEP_NAMES)
			(void)!fake_take_source(f, FAKE_SOURCE, log, out[i] + MAGIC_LEN, &len[i]);
		else if (act == FAKE_STEP_TAKE)
			(void)!fake_take_job(f, log, out[i] + MAGIC_LEN, &len[i]);
		else if (act == FAKE_STEP_REST) {
			fake_out(f, out[i] + MAGIC_LEN, len[i]);
			fake_send(f, WIRE_DONE, NULL, 0);
		} else if (act == FAKE_GONE)
			fake_drop(f);
		else if (act == FAKE_STEP_CLOSED)
			fake_closed(f, log);
		else if (strchr(FAKE_SOURCE_ACTS, act) != NULL)
			fake_source(f, (enum fake_act)act, log);
		else
			fake_finish(f, (enum fake_act)act, out[i], len[i]);
	}
	fake_drop(&copies[0]);
	fake_drop(&copies[1]);
	return step + 1;
}

#endif

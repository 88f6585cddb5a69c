#include "client/attempt.h"

#include <stdio.h>
#include <string.h>

#define OUTPUT_STDOUT 0
#define OUTPUT_STDERR 1
#define OUTPUT_FILE 2

void
attempt_init(struct attempt *a, const struct plan *plan, const struct digest *toolchain,
        uint64_t output_max)
{
	memset(a, 0, sizeof *a);
	link_init(&a->link);
	a->plan = plan;
	a->toolchain = *toolchain;
	a->output_max = output_max;
	output_init(&a->output, plan->output, plan->way, plan->object);
}

int
attempt_start(struct attempt *a, const struct answer *grant, enum plan_cpp cpp, int64_t now)
{
	int r = link_open(&a->link, grant->fd, grant->channel);

	if (r != 0)
		return r;
	a->state = ATTEMPT_SENDING;
	a->idle = a->job_sent = a->skip = false;
	a->blocks_sent = 0;
	a->current = 0;
	a->current_size = 0;
	a->queue_ms = 0;
	a->node = grant->node;
	memcpy(a->peer, grant->peer, sizeof a->peer);
	a->cpp = cpp;
	a->start_ms = a->moved_ms = a->heard_ms = now;
	a->moved_bytes = a->link.bytes_out;
	return 0;
}

static void
over(struct attempt *a, enum attempt_end end, const char *text)
{
	if (a->state == ATTEMPT_OVER)
		return;
	a->state = ATTEMPT_OVER;
	a->end = end;
	snprintf(a->text, sizeof a->text, "%s", text);
}

static int
send_job(struct attempt *a)
{
	struct job job = a->plan->job;
	struct buf b;
	int r;

	job.toolchain = a->toolchain;
	job.argv = (const char **)a->plan->remote[a->cpp];
	for (job.argc = 0; job.argv[job.argc] != NULL; job.argc++)
		;
	buf_init(&b, JOB_LEN_MAX);
	r = job_encode(&job, &b);
	if (r == 0)
		r = link_send(&a->link, WIRE_JOB, b.data, b.len);
	buf_fini(&b);
	a->job_sent = true;
	return r;
}

static int
send_end(struct attempt *a, const struct input *in)
{
	struct buf b;
	int r;

	buf_init(&b, 256);
	wire_end_encode(&b, &in->digest, in->size);
	r = buf_err(&b);
	if (r == 0)
		r = link_send(&a->link, WIRE_END, b.data, b.len);
	buf_fini(&b);
	return r;
}

void
attempt_pump(struct attempt *a, const struct input *in, int64_t now)
{
	int r = 0;

	if (a->state == ATTEMPT_NONE || a->state == ATTEMPT_OVER)
		return;
	if (!a->job_sent && send_job(a) != 0) {
		over(a, ATTEMPT_REFUSED, "the command line is too long for a job");
		return;
	}
	while (r == 0 && a->blocks_sent < in->nblocks && link_room(&a->link)) {
		const struct input_block *b = &in->blocks[a->blocks_sent++];
		r = link_send(&a->link, WIRE_DATA, b->data, b->len);
	}
	if (r == 0 && a->state == ATTEMPT_SENDING && in->state == INPUT_READY &&
	        a->blocks_sent == in->nblocks) {
		r = send_end(a, in);
		a->state = ATTEMPT_WAITING;
		a->sent_ms = now;
	}
	if (r == 0)
		r = link_flush(&a->link);
	if (r != 0)
		over(a, ATTEMPT_LOST, "the peer closed the connection");
	if (a->link.bytes_out != a->moved_bytes || a->link.out.len == 0) {
		a->moved_bytes = a->link.bytes_out;
		a->moved_ms = now;
	}
}

/* Steps over outputs that are absent or complete. */
static void
next_output(struct attempt *a)
{
	while (a->current < a->result.noutputs) {
		const struct job_output *o = &a->result.outputs[a->current];
		if (o->present && a->current_size < o->size)
			return;
		a->current++;
		a->current_size = 0;
	}
}

/* Sizes are what the peer says: bounded before anything is written. */
static bool
sizes_fit(const struct attempt *a)
{
	uint64_t sum = 0, max = a->skip ? ATTEMPT_SKIP_MAX : a->output_max;

	for (uint32_t i = 0; i < a->result.noutputs; i++) {
		if (!a->result.outputs[i].present)
			continue;
		if (a->result.outputs[i].size > max - sum)
			return false;
		sum += a->result.outputs[i].size;
	}
	return true;
}

/* What the result says, once all of it is here. */
static enum attempt_end
result_end(const struct job_result *r)
{
	if (r->end == JOB_REFUSED)
		return ATTEMPT_REFUSED;
	if (r->end != JOB_EXITED)
		return ATTEMPT_FAILED;
	if (r->exit_code != 0 || r->signal != 0)
		return ATTEMPT_COMPILE_ERROR;
	if (r->outputs[OUTPUT_STDOUT].size > 0 || r->outputs[OUTPUT_STDERR].size > 0)
		return ATTEMPT_DIAGNOSTICS;
	return ATTEMPT_ACCEPTED;
}

static void
take_result(struct attempt *a, const uint8_t *body, size_t len, int64_t now)
{
	int r;

	if (job_result_decode(&a->result, body, len) != 0 ||
	        a->result.noutputs != OUTPUT_FILE + a->plan->job.noutputs) {
		over(a, ATTEMPT_LOST, "the peer sent a result that cannot be read");
		return;
	}
	a->state = ATTEMPT_RECEIVING;
	a->result_ms = now;
	a->skip = result_end(&a->result) != ATTEMPT_ACCEPTED;
	if (!sizes_fit(a)) {
		over(a, a->skip ? result_end(&a->result) : ATTEMPT_LOST,
		        "the peer announced outputs over the limit");
		return;
	}
	next_output(a);
	if (a->skip)
		return;
	r = output_open(&a->output, &a->result.outputs[OUTPUT_FILE], a->output_max);
	if (r == IM_ERR_SYSTEM)
		over(a, ATTEMPT_NO_SPACE, "the output cannot be written here");
	else if (r != 0)
		over(a, ATTEMPT_LOST, "the peer did not make the output");
}

static void
take_block(struct attempt *a, const uint8_t *body, size_t len)
{
	uint8_t raw[WIRE_BLOCK_MAX];
	size_t n;
	int r = 0;

	if (a->current >= a->result.noutputs || wire_block_decode(body, len, raw, &n) != 0 ||
	        n == 0 || n > a->result.outputs[a->current].size - a->current_size) {
		over(a, ATTEMPT_LOST, "the peer sent output bytes that it had not announced");
		return;
	}
	if (!a->skip && a->current == OUTPUT_FILE)
		r = output_put(&a->output, raw, n);
	if (r == IM_ERR_SYSTEM)
		over(a, ATTEMPT_NO_SPACE, "the output cannot be written here");
	else if (r != 0)
		over(a, ATTEMPT_LOST, "the peer sent an output that is no object file");
	a->current_size += n;
	next_output(a);
}

static void
take_done(struct attempt *a)
{
	enum attempt_end end = result_end(&a->result);
	char text[WIRE_TEXT_SIZE] = "";

	if (a->current < a->result.noutputs) {
		over(a, ATTEMPT_LOST, "the peer sent less than it had announced");
		return;
	}
	if (end == ATTEMPT_ACCEPTED && output_check(&a->output) != 0) {
		over(a, ATTEMPT_LOST, "the output differs from its digest");
		return;
	}
	a->idle = true;
	if (end == ATTEMPT_FAILED || end == ATTEMPT_REFUSED)
		snprintf(text, sizeof text, "the peer could not run it: %s",
		        job_end_name(a->result.end));
	else if (end == ATTEMPT_COMPILE_ERROR)
		snprintf(text, sizeof text, "exit status %d, signal %d there", a->result.exit_code,
		        a->result.signal);
	over(a, end, text);
}

static void
take_error(struct attempt *a, const uint8_t *body, size_t len)
{
	char text[WIRE_TEXT_SIZE];
	uint32_t code;

	if (wire_error_decode(body, len, &code, text) != 0) {
		over(a, ATTEMPT_LOST, "the peer sent an error that cannot be read");
		return;
	}
	a->idle = a->state == ATTEMPT_WAITING;
	switch (code) {
	case WERR_REFUSED:
	case WERR_LIMIT:
		over(a, ATTEMPT_REFUSED, text);
		break;
	case WERR_PROTOCOL:
	case WERR_DIGEST:
		a->idle = false;
		over(a, ATTEMPT_LOST, text);
		break;
	default:
		over(a, ATTEMPT_FAILED, text);
	}
}

static void
take_message(struct attempt *a, uint8_t type, const uint8_t *body, size_t len)
{
	bool receiving = a->state == ATTEMPT_RECEIVING;

	switch (type) {
	case WIRE_PING:
		return;
	case WIRE_STARTED:
		if (!receiving && wire_started_decode(body, len, &a->queue_ms) == 0)
			return;
		break;
	case WIRE_RESULT:
		if (a->state == ATTEMPT_WAITING) {
			take_result(a, body, len, a->heard_ms);
			return;
		}
		break;
	case WIRE_OUT:
		if (receiving) {
			take_block(a, body, len);
			return;
		}
		break;
	case WIRE_DONE:
		if (receiving) {
			take_done(a);
			return;
		}
		break;
	case WIRE_ERROR:
		take_error(a, body, len);
		return;
	}
	over(a, ATTEMPT_LOST, "the peer sent a message that is out of place");
}

void
attempt_receive(struct attempt *a, int64_t now)
{
	const uint8_t *body;
	uint8_t type;
	size_t len;
	int filled, r = 0;

	if (a->state == ATTEMPT_NONE || a->state == ATTEMPT_OVER)
		return;
	filled = link_fill(&a->link);
	if (filled == 0)
		a->heard_ms = now;
	while (r == 0 && a->state != ATTEMPT_OVER) {
		r = link_next(&a->link, &type, &body, &len);
		if (r == 0)
			take_message(a, type, body, len);
	}
	if (r != 0 && r != IM_ERR_ABSENT)
		over(a, ATTEMPT_LOST, "the peer sent a broken frame");
	else if (filled != 0)
		over(a, ATTEMPT_LOST, "the peer closed the connection");
	if (a->state == ATTEMPT_OVER)
		a->idle = a->idle && link_idle(&a->link);
}

void
attempt_tick(struct attempt *a, int64_t now, int64_t job_ms)
{
	int64_t since = a->heard_ms > a->sent_ms ? a->heard_ms : a->sent_ms;

	if (a->state == ATTEMPT_NONE || a->state == ATTEMPT_OVER)
		return;
	if (a->state == ATTEMPT_SENDING || a->link.out.len > 0)
		since = a->link.out.len > 0 ? a->moved_ms : now;
	if (now - since > WIRE_SILENCE_MS)
		over(a, ATTEMPT_LOST, "the peer fell silent");
	else if (now - a->start_ms > job_ms)
		over(a, ATTEMPT_LOST, "the peer did not finish in time");
}

void
attempt_close(struct attempt *a)
{
	link_close(&a->link);
	output_abort(&a->output);
	a->state = ATTEMPT_NONE;
	a->idle = false;
	a->sent_ms = 0;
}

void
attempt_fini(struct attempt *a)
{
	attempt_close(a);
}

#include "client/attempt.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "client/holders.h"

#define EXIT_ICE 4 /* of gcc, after an internal error */

int
attempt_init(struct attempt *a, const struct plan *plan, struct bundle *bundle,
        const struct digest *toolchain, uint64_t output_max)
{
	memset(a, 0, sizeof *a);
	link_init(&a->link);
	buf_init(&a->blob, TREE_FILE_MAX);
	a->plan = plan;
	a->bundle = bundle;
	a->toolchain = *toolchain;
	if (bundle != NULL)
		return results_init(
		        &a->results, bundle->products, bundle->job.noutputs, true, output_max);
	a->product = (struct product){
	        .path = plan->output, .way = plan->way, .object = plan->object, .required = true};
	return results_init(&a->results, &a->product, 1, false, output_max);
}

int
attempt_start(struct attempt *a, const struct answer *grant, enum plan_cpp cpp, int64_t now)
{
	int r = link_open(&a->link, grant->fd, grant->channel);

	if (r != 0)
		return r;
	a->state = ATTEMPT_SENDING;
	a->idle = a->job_sent = false;
	a->blocks_sent = 0;
	a->nneed = a->need_at = a->blobs_sent = 0;
	a->blob_open = false;
	a->queue_ms = 0;
	a->node = grant->node;
	memcpy(a->peer, grant->peer, sizeof a->peer);
	a->cpp = cpp;
	a->start_ms = a->moved_ms = a->heard_ms = now;
	a->moved_bytes = a->taken_bytes = a->link.bytes_out;
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
	struct job job = a->bundle != NULL ? a->bundle->job : a->plan->job;
	struct node_id holders[JOB_HOLDERS_MAX];
	struct buf b;
	int r;

	job.toolchain = a->toolchain;
	if (a->bundle != NULL) {
		job.holders = holders;
		job.nholders = holders_find(a->bundle->graph, &job, &a->node, holders);
	} else {
		job.argv = (const char **)a->plan->remote[a->cpp];
		for (job.argc = 0; job.argv[job.argc] != NULL; job.argc++)
			;
	}
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

/* Preprocessed mode: blocks as they appear, then END. */
static int
pump_text(struct attempt *a, const struct input *in, int64_t now)
{
	int r = 0;

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
	return r;
}

/* Announces the next blob; its bytes are read now. */
static int
open_blob(struct attempt *a)
{
	const struct digest *d = &a->need[a->need_at];
	struct buf b;
	int r;

	buf_reset(&a->blob);
	a->blob_at = 0;
	r = bundle_blob(a->bundle, d, &a->blob);
	if (r == IM_ERR_ABSENT) {
		over(a, ATTEMPT_LOST, "the peer asked for what is no part of the job");
		return r;
	}
	if (r == IM_ERR_MEMORY) {
		over(a, ATTEMPT_NO_SPACE, im_strerror(r));
		return r;
	}
	if (r != 0) {
		over(a, ATTEMPT_CHANGED, "an input changed while it was being sent");
		return r;
	}
	a->blob_open = true;
	buf_init(&b, 256);
	wire_blob_encode(&b, d, a->blob.len);
	r = buf_err(&b) != 0 ? buf_err(&b) : link_send(&a->link, WIRE_BLOB, b.data, b.len);
	buf_fini(&b);
	return r;
}

/* One block of the open blob, or its end. */
static int
send_blob(struct attempt *a)
{
	size_t left = a->blob.len - a->blob_at, len = left < WIRE_BLOCK_MAX ? left : WIRE_BLOCK_MAX;
	struct buf b;
	int r;

	buf_init(&b, 2 * WIRE_BLOCK_MAX);
	if (len > 0) {
		r = wire_block_encode(&b, a->blob.data + a->blob_at, len);
		if (r == 0)
			r = link_send(&a->link, WIRE_DATA, b.data, b.len);
		a->blob_at += len;
	} else {
		wire_end_encode(&b, &a->need[a->need_at++], a->blob.len);
		r = buf_err(&b) != 0 ? buf_err(&b) : link_send(&a->link, WIRE_END, b.data, b.len);
		a->blob_open = false;
	}
	buf_fini(&b);
	return r;
}

/* Source mode: what the peer asked for. */
static int
pump_blobs(struct attempt *a, int64_t now)
{
	int r = 0;

	while (r == 0 && a->need_at < a->nneed && link_room(&a->link))
		r = a->blob_open ? send_blob(a) : open_blob(a);
	if (r == 0 && a->state == ATTEMPT_SENDING && a->need_at == a->nneed) {
		a->state = ATTEMPT_WAITING;
		a->sent_ms = now;
	}
	return r;
}

void
attempt_pump(struct attempt *a, const struct input *in, int64_t now)
{
	int r;

	if (a->state == ATTEMPT_NONE || a->state == ATTEMPT_OVER)
		return;
	r = a->job_sent ? 0 : send_job(a);
	if (r == IM_ERR_LIMIT)
		over(a, ATTEMPT_TOO_LARGE, "command line and file names are too long for a job");
	else if (r != 0)
		over(a, ATTEMPT_NO_SPACE, im_strerror(r));
	if (r != 0)
		return;
	r = a->bundle != NULL ? pump_blobs(a, now) : pump_text(a, in, now);
	if (r == 0)
		r = link_flush(&a->link);
	if (r != 0)
		over(a, ATTEMPT_LOST, "the peer closed the connection");
	if (a->link.bytes_out != a->moved_bytes) {
		a->moved_bytes = a->link.bytes_out;
		a->taken_bytes = link_taken(&a->link, NULL);
		a->moved_ms = now;
	} else if (a->link.out.len == 0) {
		a->moved_ms = now;
	}
}

short
attempt_events(const struct attempt *a, const struct input *in)
{
	bool more = a->bundle != NULL ? a->need_at < a->nneed : a->blocks_sent < in->nblocks;

	return (short)(link_events(&a->link) | (a->state == ATTEMPT_SENDING && more ? POLLOUT : 0));
}

static void
take_need(struct attempt *a, const uint8_t *body, size_t len)
{
	if (a->bundle == NULL || a->state != ATTEMPT_WAITING) {
		over(a, ATTEMPT_LOST, "the peer sent a message that is out of place");
		return;
	}
	if (a->need == NULL)
		a->need = calloc(WIRE_NEED_MAX, sizeof *a->need);
	if (a->need == NULL || wire_need_decode(body, len, a->need, &a->nneed) != 0 ||
	        a->nneed > bundle_blobs(a->bundle) - a->blobs_sent) {
		over(a, ATTEMPT_LOST, "the peer asked for what cannot be sent");
		return;
	}
	a->blobs_sent += a->nneed;
	a->need_at = 0;
	a->state = ATTEMPT_SENDING;
}

/* What the result says, once all of it is here. */
static enum attempt_end
result_end(const struct attempt *a)
{
	const struct job_result *r = &a->results.said;

	if (r->end == JOB_REFUSED)
		return ATTEMPT_REFUSED;
	if (r->end != JOB_EXITED)
		return ATTEMPT_FAILED;
	if (r->signal != 0 || (r->exit_code != 0 && a->bundle == NULL) || r->exit_code >= EXIT_ICE)
		return ATTEMPT_COMPILE_ERROR;
	if (r->outputs[0].size > 0 || r->outputs[1].size > 0)
		return a->bundle == NULL || a->bundle->translated ? ATTEMPT_DIAGNOSTICS
		                                                  : ATTEMPT_ACCEPTED;
	return ATTEMPT_ACCEPTED;
}

static void
result_trouble(struct attempt *a, int r, const char *text)
{
	if (r == IM_ERR_SYSTEM)
		over(a, ATTEMPT_NO_SPACE, "the output cannot be written here");
	else if (r != 0)
		over(a, ATTEMPT_LOST, text);
}

static void
take_result(struct attempt *a, const uint8_t *body, size_t len, int64_t now)
{
	int r = results_said(&a->results, body, len);
	enum attempt_end end;

	if (r != 0) {
		over(a, ATTEMPT_LOST,
		        r == IM_ERR_LIMIT ? "the peer announced outputs over the limit"
		                          : "the peer sent a result that cannot be read");
		return;
	}
	end = result_end(a);
	a->state = ATTEMPT_RECEIVING;
	a->result_ms = now;
	r = results_open(&a->results, end != ATTEMPT_ACCEPTED);
	if (end != ATTEMPT_ACCEPTED && r != 0)
		over(a, end, "");
	else
		result_trouble(a, r, "the peer did not make the output");
}

static void
take_block(struct attempt *a, const uint8_t *body, size_t len)
{
	uint8_t raw[WIRE_BLOCK_MAX];
	size_t n;

	if (wire_block_decode(body, len, raw, &n) != 0) {
		over(a, ATTEMPT_LOST, "the peer sent a block that cannot be read");
		return;
	}
	result_trouble(a, results_put(&a->results, raw, n),
	        "the peer sent an output that is not what it announced");
}

/* All is here and as announced: does it count? */
static enum attempt_end
judge(struct attempt *a, char *text)
{
	enum attempt_end end = result_end(a);
	const struct buf *said = &a->results.console[1];
	int err;

	if (end != ATTEMPT_ACCEPTED || a->bundle == NULL)
		return end;
	err = bundle_findings(a->bundle, &a->results.findings,
	        &a->results.said.outputs[a->results.said.noutputs - 1].digest, text);
	if (err != 0)
		return err == IM_ERR_ABSENT ? ATTEMPT_LEARNED : ATTEMPT_LACKED;
	if (results_damaged(&a->results))
		return ATTEMPT_COMPILE_ERROR;
	return terminal_fits(&a->bundle->terminal, (const char *)said->data, said->len) &&
	                       results_heard(&a->results)
	               ? ATTEMPT_ACCEPTED
	               : ATTEMPT_DIAGNOSTICS;
}

static void
take_done(struct attempt *a)
{
	char text[WIRE_TEXT_SIZE] = "";
	enum attempt_end end;

	if (!results_full(&a->results)) {
		over(a, ATTEMPT_LOST, "the peer sent less than it had announced");
		return;
	}
	if (!a->results.skip && results_check(&a->results) != 0) {
		over(a, ATTEMPT_LOST, "the output differs from its digest");
		return;
	}
	end = judge(a, text);
	a->idle = true;
	if (end == ATTEMPT_FAILED || end == ATTEMPT_REFUSED)
		snprintf(text, sizeof text, "the peer could not run it: %s",
		        job_end_name(a->results.said.end));
	else if (end == ATTEMPT_COMPILE_ERROR)
		snprintf(text, sizeof text, "exit status %d, signal %d there",
		        a->results.said.exit_code, a->results.said.signal);
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
	case WIRE_NEED:
		take_need(a, body, len);
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
	uint64_t had = a->link.bytes_in;
	int filled, r = 0;

	if (a->state == ATTEMPT_NONE || a->state == ATTEMPT_OVER)
		return;
	filled = link_fill(&a->link);
	if (a->link.bytes_in != had)
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

/* The last moment at which the peer does not count as silent. */
static int64_t
patience(const struct attempt *a)
{
	if (a->link.out.len > 0)
		return a->moved_ms + WIRE_SILENCE_MS;
	if (a->state == ATTEMPT_SENDING)
		return INT64_MAX; /* it is for us to speak */
	return (a->heard_ms > a->sent_ms ? a->heard_ms : a->sent_ms) + WIRE_SILENCE_MS;
}

int64_t
attempt_deadline(const struct attempt *a, int64_t job_ms)
{
	int64_t silent = patience(a), late = a->start_ms + job_ms;

	return (silent < late ? silent : late) + 1;
}

/* For signs of life that are no event: on a slow line there are fewer bytes than a poll waits for, either way. */
static void
look_again(struct attempt *a, int64_t now)
{
	uint32_t ago_ms;
	uint64_t taken = link_taken(&a->link, &ago_ms);

	if (taken > a->taken_bytes) {
		a->taken_bytes = taken;
		a->moved_ms = now - ago_ms;
		a->heard_ms = a->heard_ms > a->moved_ms ? a->heard_ms : a->moved_ms;
	}
	attempt_receive(a, now);
}

void
attempt_tick(struct attempt *a, int64_t now, int64_t job_ms)
{
	if (a->state != ATTEMPT_NONE && a->state != ATTEMPT_OVER && now > patience(a))
		look_again(a, now);
	if (a->state == ATTEMPT_NONE || a->state == ATTEMPT_OVER)
		return;
	if (now > patience(a))
		over(a, ATTEMPT_LOST, "the peer fell silent");
	else if (now - a->start_ms > job_ms)
		over(a, ATTEMPT_LOST, "the peer did not finish in time");
}

void
attempt_close(struct attempt *a)
{
	link_close(&a->link);
	results_abort(&a->results);
	a->state = ATTEMPT_NONE;
	a->idle = false;
	a->sent_ms = 0;
}

void
attempt_fini(struct attempt *a)
{
	attempt_close(a);
	results_fini(&a->results);
	buf_fini(&a->blob);
	free(a->need);
	a->need = NULL;
}

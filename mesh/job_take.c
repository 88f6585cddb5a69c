#include "mesh/job_take.h"

#include <stdio.h>
#include "exec/args.h"

/* The peer's job against the same table that its own wrapper used. 0 or the cause in why. */
static int
check_job(const struct session *s, char why[WIRE_TEXT_SIZE])
{
	const struct job *j = &s->job;
	if (!digest_equal(&j->toolchain, &s->toolchain)) {
		snprintf(why, WIRE_TEXT_SIZE,
		        "the job names another toolchain than its reservation");
		return IM_ERR_REFUSED;
	}
	for (uint32_t i = 0; i < j->nenv; i++) {
		if (!env_allowed(j->env[i])) {
			snprintf(why, WIRE_TEXT_SIZE,
			        "environment variable %.60s is not allowed in a job", j->env[i]);
			return IM_ERR_REFUSED;
		}
	}
	unsigned streamed = 0;
	for (uint32_t i = 0; i < j->ninputs; i++)
		streamed += j->inputs[i].streamed != 0;
	if (streamed != j->ninputs || streamed + 1 > PIPE_FDS_MAX ||
	        (j->mode == JOB_SOURCE && streamed)) {
		snprintf(why, WIRE_TEXT_SIZE, "a job's inputs are streamed, or stand in trees");
		return IM_ERR_REFUSED;
	}
	return args_check(j, why, WIRE_TEXT_SIZE);
}

static void
refuse_set(struct session *s, const struct job_set_error *e)
{
	session_refuse(s, e->code, "%s", e->why);
}

static void next_round(struct session *s);

/* BLOB, DATA or END of the fetch. */
static int
take_fetched(void *arg, uint8_t type, const uint8_t *p, size_t len)
{
	struct session *s = arg;
	struct job_set_error e;
	int r = job_set_take(s->set, type, p, len, &e);
	if (r < 0)
		log_hostile(&serve_node(s->serve)->log, loop_now_ms(), "%s: %s",
		        fetch_name(s->fetch), e.why);
	else
		session_set(s, SESSION_RECEIVING, WIRE_LEASE_MS);
	return r;
}

static void
fetch_ended(void *arg)
{
	struct session *s = arg;
	fetch_free(s->fetch);
	s->fetch = NULL;
	if (job_set_withdraw(s->set) == 0)
		s->holders_asked = 0;
	next_round(s);
}

/* True when a member is asked for what `need` says, because it is much. */
static bool
fetch_begin(struct session *s, const struct buf *need)
{
	static const struct fetch_ops ops = {take_fetched, fetch_ended};
	struct node *n = serve_node(s->serve);
	uint64_t bytes;
	uint32_t blobs = job_set_asked(s->set, &bytes);
	const struct member *holder;
	if (blobs <= FETCH_BLOBS_MIN && bytes <= FETCH_BYTES_MIN)
		return false;
	holder = fetch_choose(n, s->job.holders, s->job.nholders, &s->holders_asked);
	s->fetch = holder ? fetch_new(n, holder, need, &ops, s) : NULL;
	return s->fetch != NULL;
}

/* Asks for what lacks, or lays out what came. */
static void
next_round(struct session *s)
{
	struct job_set_error e;
	struct buf body;
	buf_init(&body, CHANNEL_MESSAGE_MAX);
	int r = job_set_need(s->set, &body, &e);
	if (r < 0)
		refuse_set(s, &e);
	else if (r > 0 && !fetch_begin(s, &body))
		session_send(s, WIRE_NEED, &body);
	else if (r == 0)
		job_take_lay_out(s);
	buf_fini(&body);
}

void
job_take_lay_out(void *arg)
{
	struct session *s = arg;
	struct job_set_error e;
	int r = job_set_lay_out(s->set, &e);
	if (r < 0)
		refuse_set(s, &e);
	else if (r > 0)
		timer_set(s->laying_out, 0); /* others wait for this loop, too */
	else
		serve_ready(s->serve, s);
}

static void
begin_set(struct session *s)
{
	struct job_set_error e;
	s->set = job_set_new(serve_node(s->serve), &s->job, &e);
	if (s->set)
		next_round(s);
	else
		refuse_set(s, &e);
}

static void
on_job(struct session *s, const uint8_t *p, size_t len)
{
	char why[WIRE_TEXT_SIZE];
	if (s->state != SESSION_LEASED) {
		session_refuse(s, WERR_LEASE, "JOB without a reservation");
		return;
	}
	buf_reset(&s->spec);
	buf_put(&s->spec, p, len);
	int err = buf_err(&s->spec);
	if (err == 0)
		err = job_decode(&s->job, s->spec.data, s->spec.len);
	if (err < 0) {
		session_refuse(s, WERR_PROTOCOL, "malformed job: %s", im_strerror(err));
		return;
	}
	if (check_job(s, why) < 0) {
		session_refuse(s, WERR_REFUSED, "job refused: %s", why);
		return;
	}
	for (uint32_t i = 0; i < s->job.ninputs; i++) {
		if (job_stream_begin(&s->inputs[i], SERVE_INPUT_MAX) < 0) {
			session_refuse(s, WERR_DISK, "no room for the job's input");
			return;
		}
		s->ninputs = i + 1;
	}
	session_set(s, SESSION_RECEIVING, WIRE_LEASE_MS);
	s->complete_by_ms = loop_now_ms() + serve_node(s->serve)->config.job_time_s * 1000ULL;
	if (s->job.mode == JOB_SOURCE)
		begin_set(s);
	else if (s->ninputs == 0)
		serve_ready(s->serve, s);
}

/* BLOB, DATA or END of a source job. */
static void
take_blob(struct session *s, uint8_t type, const uint8_t *p, size_t len)
{
	struct job_set_error e;
	if (s->fetch) {
		session_refuse(s, WERR_PROTOCOL, "input that was not asked for");
		return;
	}
	int r = job_set_take(s->set, type, p, len, &e);
	if (r < 0) {
		refuse_set(s, &e);
		return;
	}
	session_set(s, SESSION_RECEIVING, WIRE_LEASE_MS);
	if (r > 0)
		next_round(s);
}

static void
on_data(struct session *s, const uint8_t *p, size_t len)
{
	int err = job_stream_block(&s->inputs[s->at], p, len);
	if (err < 0)
		session_refuse(s, err == IM_ERR_LIMIT ? WERR_LIMIT : WERR_PROTOCOL,
		        "input of the job: %s", im_strerror(err));
	else
		session_set(s, SESSION_RECEIVING, WIRE_LEASE_MS);
}

static void
on_end(struct session *s, const uint8_t *p, size_t len)
{
	struct digest d;
	uint64_t size;
	if (wire_end_decode(p, len, &d, &size) < 0) {
		session_refuse(s, WERR_PROTOCOL, "malformed END");
		return;
	}
	if (job_stream_end(&s->inputs[s->at], &d, size) < 0) {
		session_refuse(
		        s, WERR_DIGEST, "input of the job: digest differs: altered on the way");
		return;
	}
	const struct job_stream *in = &s->inputs[s->at];
	uint64_t left = in->max - in->size; /* the limit is for all inputs together */
	if (++s->at == s->ninputs)
		serve_ready(s->serve, s);
	else
		s->inputs[s->at].max = left;
}

void
job_take(struct session *s, uint8_t type, const uint8_t *p, size_t len)
{
	if (type == WIRE_JOB)
		on_job(s, p, len);
	else if (s->state != SESSION_RECEIVING)
		session_refuse(s, WERR_PROTOCOL, "input outside of a job");
	else if (loop_now_ms() >= s->complete_by_ms)
		session_refuse(s, WERR_LEASE, "the job's input took longer than a job may");
	else if (s->set)
		take_blob(s, type, p, len);
	else if (type == WIRE_BLOB)
		session_refuse(s, WERR_PROTOCOL, "BLOB in a job without trees");
	else if (type == WIRE_DATA)
		on_data(s, p, len);
	else
		on_end(s, p, len);
}

#include "client/submit.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "client/holders.h"
#include "client/home.h"
#include "client/local.h"
#include "client/now.h"
#include "client/policy.h"
#include "client/trip.h"

#define TICK_MS 500 /* while no peer has the job: deadlines are checked this often */

enum watch {
	WATCH_SIGNAL,
	WATCH_DAEMON,
	WATCH_OUT,
	WATCH_ERR,
	WATCH_LINK, /* of the first copy */
	WATCH_COUNT = WATCH_LINK + SUBMIT_COPIES
};

static bool
is_over(const struct submit *s)
{
	return s->state >= SUBMIT_DONE;
}

static void
give_up(struct submit *s, const char *reason, const char *text)
{
	if (is_over(s))
		return;
	s->state = SUBMIT_LOCAL;
	reason_set(s->reason, reason, NULL);
	if (text != s->text)
		snprintf(s->text, sizeof s->text, "%s", text);
}

/* Ends all attempts, so that their channels are closed if nobody took them back, and their peers drop the
 * job. */
static void
drop_attempts(struct submit *s)
{
	for (unsigned i = 0; i < s->nattempts; i++)
		attempt_close(&s->attempts[i]);
}

static unsigned
count_running(const struct submit *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->nattempts; i++)
		n += s->attempts[i].state != ATTEMPT_NONE;
	return n;
}

static void
ask(struct submit *s, int64_t now)
{
	s->state = SUBMIT_ASKING;
	s->ask_ms = now;
	if (daemon_want(s->daemon, &s->want) != 0)
		give_up(s, "no-daemon", "the connection to icemeshd broke");
}

/* --- the preprocessor --- */

static void
start_input(struct submit *s)
{
	int r;

	if (s->cpp == PLAN_PLAIN && s->plan->text_file != NULL)
		r = input_start_file(&s->input, s->plan->text_file);
	else
		r = input_start(&s->input, s->plan->cpp[s->cpp], s->env, s->cpp == PLAN_DIRECTIVES);
	if (r != 0)
		give_up(s, "system-error", "the preprocessor could not be started");
}

/* Plain preprocessing in the place of what failed; a job that a peer has already got is withdrawn.
 */
static void
start_over(struct submit *s, int64_t now)
{
	bool running = s->state == SUBMIT_RUNNING;

	drop_attempts(s);
	s->cpp = PLAN_PLAIN;
	start_input(s);
	if (running && !is_over(s))
		ask(s, now);
}

static void
give_slot(struct submit *s)
{
	if (s->slot_fd >= 0)
		local_slot_give(s->slot_fd);
	s->slot_fd = -1;
}

static void
on_input(struct submit *s, int64_t now)
{
	input_read(&s->input);
	switch (s->input.state) {
	case INPUT_READY:
		give_slot(s);
		break;
	case INPUT_DATED:
		if (s->plan->plain_loses)
			give_up(s, "date-time", "without its macros the source compiles otherwise");
		else
			start_over(s, now);
		break;
	case INPUT_PRAGMA:
		if (s->plan->plain_loses)
			give_up(s, "pragma", "without its macros the source compiles otherwise");
		else
			start_over(s, now);
		break;
	case INPUT_FAILED:
		if (s->cpp == PLAN_DIRECTIVES && !s->plan->plain_loses)
			start_over(s, now);
		else
			give_up(s, "compile-error", "the preprocessor failed");
		break;
	case INPUT_TALKED:
		give_up(s, "diagnostics", "the preprocessor wrote messages");
		break;
	case INPUT_TOO_BIG:
		give_up(s, "system-error", "the preprocessed text is too large to be kept");
		break;
	case INPUT_BROKEN:
		give_up(s, "system-error", "out of memory");
		break;
	case INPUT_NONE:
	case INPUT_RUNNING:
		break;
	}
}

/* --- the daemon --- */

/* The place of a further copy, or NULL: there is no room for one, or no need since a result is on its way. */
static struct attempt *
free_attempt(struct submit *s)
{
	struct attempt *found = NULL;

	for (unsigned i = 0; i < s->nattempts; i++) {
		if (s->attempts[i].state == ATTEMPT_RECEIVING)
			return NULL;
		if (s->attempts[i].state == ATTEMPT_NONE)
			found = &s->attempts[i];
	}
	if (found != NULL || s->nattempts == SUBMIT_COPIES)
		return found;
	found = &s->attempts[s->nattempts];
	if (attempt_init(found, s->plan, s->bundle, &s->toolchain, s->output_max) != 0) {
		attempt_fini(found);
		return NULL;
	}
	s->nattempts++;
	return found;
}

/* A slot for a second copy, unasked for: what cannot be used now is given up. */
static void
on_hedge(struct submit *s, struct answer *a, int64_t now)
{
	struct attempt *t = s->state == SUBMIT_RUNNING ? free_attempt(s) : NULL;

	if (t == NULL)
		close(a->fd);
	else if (attempt_start(t, a, s->cpp, now) == 0)
		s->hedged = true;
}

static void
on_grant(struct submit *s, struct answer *a, int64_t now)
{
	if (a->hedge) {
		on_hedge(s, a, now);
		return;
	}
	if (s->state != SUBMIT_ASKING && s->state != SUBMIT_QUEUED) {
		close(a->fd);
		return;
	}
	s->ms.lease += (uint64_t)(now - s->ask_ms);
	s->attempt = &s->attempts[0];
	if (attempt_start(s->attempt, a, s->cpp, now) != 0) {
		give_up(s, "system-error", "the channel could not be used");
		return;
	}
	s->attempted = true;
	s->state = SUBMIT_RUNNING;
}

static void
on_daemon(struct submit *s, int64_t now)
{
	bool waiting = s->state == SUBMIT_ASKING || s->state == SUBMIT_QUEUED;
	struct answer a;
	int r = daemon_answer(s->daemon, &a);

	if (r == IM_ERR_ABSENT)
		return;
	if (r != 0) {
		daemon_fini(s->daemon);
		if (waiting)
			give_up(s, "no-daemon", "icemeshd closed the connection");
		return;
	}
	if (a.type == CONTROL_GRANT)
		on_grant(s, &a, now);
	else if (a.type == CONTROL_BUSY && s->state == SUBMIT_ASKING) {
		s->state = SUBMIT_QUEUED;
		s->busy_ms = now;
		s->cold = a.cold;
	} else if (a.type == CONTROL_LOCAL && waiting)
		give_up(s, s->lost > 0 ? "peer-lost" : a.reason, s->lost > 0 ? s->text : a.text);
	else if (a.type == CONTROL_ERROR && waiting)
		give_up(s, "no-daemon", a.text);
	explicit_bzero(a.channel, sizeof a.channel);
}

/* --- the peer --- */

static void
take_back(struct submit *s, struct attempt *t)
{
	uint8_t state[CHANNEL_STATE_LEN];

	if (!t->idle)
		return;
	channel_export(&t->link.channel, state);
	if (daemon_return(s->daemon, state, &t->node, t->link.fd) != 0 && s->daemon->fd >= 0)
		daemon_fini(s->daemon);
	explicit_bzero(state, sizeof state);
}

/* A trip that nothing but itself made long. */
static void
measure_trip(const struct submit *s, int64_t now)
{
	const struct attempt *t = s->attempt;
	uint64_t compile_us = t->results.said.wall_us, total_us;
	struct trip trip;

	if (!s->bundle->recalled || t->blobs_sent != 0 || s->retries != 0 || s->hedged ||
	        s->busy_ms != 0)
		return;
	total_us = (uint64_t)(now - s->start_ms - t->queue_ms) * 1000;
	if (total_us > TRIP_MOST_US || compile_us > total_us)
		return;
	trip_find(&trip, s->bundle->graph, &s->bundle->key);
	if (trip_add(&trip, (uint32_t)compile_us, (uint32_t)(total_us - compile_us)))
		trip_keep(&trip, s->bundle->graph, &s->bundle->key);
	if (t->results.said.exit_code == 0)
		home_took(s->bundle->graph, &s->toolchain, HOME_THERE, total_us, s->predicted_ms);
}

static void
accept_result(struct submit *s, int64_t now)
{
	struct attempt *t = s->attempt;

	for (unsigned i = 0; i < s->nattempts; i++)
		if (&s->attempts[i] != t)
			attempt_close(&s->attempts[i]);
	if (results_commit(&t->results) != 0) {
		give_up(s, "system-error", "the output could not be written");
		return;
	}
	results_print(&t->results);
	if (s->bundle != NULL) {
		holders_note(s->bundle->graph, &s->bundle->job, &t->node, s->want.job);
		if (t->results.said.exit_code == 0)
			bundle_keep(s->bundle);
		measure_trip(s, now);
	}
	s->exit_code = t->results.said.exit_code;
	s->ms.send = (uint64_t)(t->sent_ms - t->start_ms);
	s->ms.queue = t->queue_ms;
	s->compile_us = t->results.said.wall_us;
	s->ms.compile = s->compile_us / 1000;
	s->ms.receive = (uint64_t)(now - t->result_ms);
	s->state = SUBMIT_DONE;
}

static void
blame(struct submit *s, enum outcome outcome)
{
	daemon_report(s->daemon,
	        &(struct account){.verdict = VERDICT_REMOTE,
	                .outcome = outcome,
	                .reason = outcome == OUTCOME_PEER_LOST ? "peer-lost" : "job-failed",
	                .node = &s->attempt->node,
	                .job = s->want.job,
	                .retries = s->retries,
	                .hedged = count_running(s) > 1,
	                .exit = -1,
	                .ms.total = (uint64_t)(now_ms() - s->start_ms)});
}

/* The other copy, if there is one; else the next peer, or here when enough have been tried. */
static void
try_elsewhere(struct submit *s, const char *reason, int64_t now)
{
	bool avoided = s->want.navoid < DAEMON_AVOID_MAX;

	snprintf(s->text, sizeof s->text, "%s: %s", s->attempt->peer, s->attempt->text);
	attempt_close(s->attempt);
	if (avoided)
		s->want.avoid[s->want.navoid++] = s->attempt->node;
	if (count_running(s) > 0)
		return;
	if (s->lost >= SUBMIT_TRIES || s->failed >= SUBMIT_FAILURES || !avoided) {
		give_up(s, reason, s->text);
		return;
	}
	s->retries++;
	ask(s, now);
}

static void
on_refused(struct submit *s, int64_t now)
{
	blame(s, OUTCOME_JOB_FAILED);
	if (count_running(s) > 1)
		try_elsewhere(s, "job-failed", now);
	else
		give_up(s, "job-failed", s->attempt->text);
}

static void
on_attempt_over(struct submit *s, struct attempt *t, int64_t now)
{
	s->attempt = t;
	take_back(s, t);
	switch (t->end) {
	case ATTEMPT_ACCEPTED:
		accept_result(s, now);
		break;
	case ATTEMPT_DIAGNOSTICS:
		give_up(s, "diagnostics", "the compiler wrote messages");
		break;
	case ATTEMPT_COMPILE_ERROR:
		give_up(s, "compile-error", s->attempt->text);
		break;
	case ATTEMPT_LEARNED:
		s->learned = true;
		give_up(s, "include-missed", s->attempt->text);
		break;
	case ATTEMPT_LACKED:
		give_up(s, "include-missed", s->attempt->text);
		break;
	case ATTEMPT_CHANGED:
		give_up(s, "input-changed", s->attempt->text);
		break;
	case ATTEMPT_LOST:
		s->lost++;
		blame(s, OUTCOME_PEER_LOST);
		try_elsewhere(s, "peer-lost", now);
		break;
	case ATTEMPT_FAILED:
		s->failed++;
		blame(s, OUTCOME_JOB_FAILED);
		try_elsewhere(s, "job-failed", now);
		break;
	case ATTEMPT_REFUSED:
		on_refused(s, now);
		break;
	case ATTEMPT_TOO_LARGE:
		give_up(s, "job-failed", s->attempt->text);
		break;
	case ATTEMPT_NO_SPACE:
		give_up(s, "system-error", s->attempt->text);
		break;
	}
}

/* --- the loop --- */

static void
on_signal(struct submit *s)
{
	int signal = signals_next(&s->signals);

	if (signal == 0)
		return;
	s->signal = signal;
	s->state = SUBMIT_KILLED;
}

/* While the mesh is busy: a free local slot does as well, unless somebody waits for it. */
static void
try_local(struct submit *s, int64_t now)
{
	struct policy p = {.busy = s->state == SUBMIT_QUEUED,
	        .cold = s->cold,
	        .busy_ms = now - s->busy_ms,
	        .input_ready = s->bundle != NULL || s->input.state == INPUT_READY,
	        .remote_only = s->remote_only};

	if (policy_local(&p) && s->slot_fd < 0 &&
	        local_slot_try(s->slot_folder, s->slots, &s->slot_fd) == 0)
		give_up(s, "busy", "every peer was busy");
}

static void
tick(struct submit *s, int64_t now)
{
	if (s->state == SUBMIT_ASKING && now - s->ask_ms > SUBMIT_ASK_MS)
		give_up(s, "no-daemon", "icemeshd does not answer");
	if (s->state == SUBMIT_QUEUED && now - s->busy_ms > SUBMIT_QUEUE_MS)
		give_up(s, "busy", "every peer was busy for too long");
	if (s->state == SUBMIT_QUEUED)
		try_local(s, now);
	for (unsigned i = 0; i < s->nattempts && s->state == SUBMIT_RUNNING; i++) {
		attempt_pump(&s->attempts[i], &s->input, now);
		attempt_tick(&s->attempts[i], now, s->job_ms);
		if (s->attempts[i].state == ATTEMPT_OVER)
			on_attempt_over(s, &s->attempts[i], now);
	}
}

/* What one copy says is weighed before the other is heard, so that of two results only one is ever checked. */
static void
hear_peers(struct submit *s, const struct pollfd *links, int64_t now)
{
	for (unsigned i = 0; i < s->nattempts && s->state == SUBMIT_RUNNING; i++) {
		if ((links[i].revents & ~POLLOUT) != 0)
			attempt_receive(&s->attempts[i], now);
		if (s->attempts[i].state == ATTEMPT_OVER)
			on_attempt_over(s, &s->attempts[i], now);
	}
}

/* How long nothing needs to be done without an event. */
static int
longest_sleep(const struct submit *s)
{
	int64_t left = INT64_MAX;

	if (s->state == SUBMIT_QUEUED && (s->bundle != NULL || s->input.state == INPUT_READY))
		return POLICY_TRY_MS;
	/* who was started to ignore SIGCHLD never hears of the preprocessor's end */
	if (s->state != SUBMIT_RUNNING || s->input.state == INPUT_RUNNING)
		return TICK_MS;
	for (unsigned i = 0; i < s->nattempts; i++)
		if (s->attempts[i].state != ATTEMPT_NONE) {
			int64_t one = attempt_deadline(&s->attempts[i], s->job_ms);

			left = one < left ? one : left;
		}
	left -= now_ms();
	return left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;
}

static void
wait_events(const struct submit *s, struct pollfd p[WATCH_COUNT])
{
	/* a process that has ended behind its pipes is told by SIGCHLD */
	p[WATCH_SIGNAL] = (struct pollfd){.fd = s->signals.fd, .events = POLLIN};
	p[WATCH_DAEMON] = (struct pollfd){.fd = s->daemon->fd, .events = POLLIN};
	p[WATCH_OUT] = (struct pollfd){.fd = s->input.out_fd, .events = POLLIN};
	p[WATCH_ERR] = (struct pollfd){.fd = s->input.err_fd, .events = POLLIN};
	for (unsigned i = 0; i < SUBMIT_COPIES; i++)
		p[WATCH_LINK + i] = (struct pollfd){.fd = -1};
	for (unsigned i = 0; i < s->nattempts; i++)
		p[WATCH_LINK + i] = (struct pollfd){.fd = s->attempts[i].link.fd,
		        .events = attempt_events(&s->attempts[i], &s->input)};
	if (poll(p, WATCH_COUNT, longest_sleep(s)) < 0)
		for (int i = 0; i < WATCH_COUNT; i++)
			p[i].revents = 0;
}

static void
step(struct submit *s)
{
	struct pollfd p[WATCH_COUNT];
	int64_t now;

	wait_events(s, p);
	now = now_ms();
	if (p[WATCH_SIGNAL].revents != 0)
		on_signal(s);
	if (!is_over(s) && s->input.state == INPUT_RUNNING)
		on_input(s, now);
	hear_peers(s, p + WATCH_LINK, now);
	if (!is_over(s) && p[WATCH_DAEMON].revents != 0)
		on_daemon(s, now);
	if (!is_over(s))
		tick(s, now);
}

static void
start(struct submit *s)
{
	input_init(&s->input);
	s->attempt = &s->attempts[0];
	s->nattempts = 1;
	if (attempt_init(s->attempt, s->plan, s->bundle, &s->toolchain, s->output_max) != 0)
		give_up(s, "system-error", "out of memory");
	s->want.toolchain = s->toolchain;
	s->want.peer = s->peer;
	s->want.predicted_ms = s->predicted_ms;
	random_bytes(&s->want.job, sizeof s->want.job);
	if (is_over(s) || s->bundle != NULL)
		return;
	s->cpp = s->plan->cpp[PLAN_DIRECTIVES] != NULL ? PLAN_DIRECTIVES : PLAN_PLAIN;
	start_input(s);
}

void
submit_run(struct submit *s)
{
	s->start_ms = now_ms();
	s->state = SUBMIT_ASKING;
	signals_take(&s->signals);
	start(s);
	if (s->signals.fd < 0)
		give_up(s, "system-error", "signalfd failed");
	if (!is_over(s))
		ask(s, s->start_ms);
	while (!is_over(s))
		step(s);
	drop_attempts(s);
	for (unsigned i = 0; i < s->nattempts; i++) {
		s->bytes_out += s->attempts[i].link.bytes_out;
		s->bytes_in += s->attempts[i].link.bytes_in;
	}
	input_stop(&s->input);
	signals_give_back(&s->signals);
}

void
submit_fini(struct submit *s)
{
	for (unsigned i = 0; i < s->nattempts; i++)
		attempt_fini(&s->attempts[i]);
	input_fini(&s->input);
}

#include "mesh/job_run.h"

#include <stdio.h>
#include <unistd.h>
#include "mesh/files.h"
#include "mesh/helper.h"

#define SENDING_AHEAD (1u << 20) /* result bytes put into the connection at a time */
#define SENDING_MS 60000         /* for a peer to take so many */

/* Puts more of the result into the connection while it takes it. */
void
job_run_pump(struct session *s)
{
	uint8_t raw[WIRE_BLOCK_MAX];
	struct buf body;
	buf_init(&body, 2 * WIRE_BLOCK_MAX);
	int err = 0;
	while (err == 0 && s->sending < s->noutputs && conn_waiting(s->conn) < SENDING_AHEAD) {
		int fd = s->outputs[s->sending];
		ssize_t n = fd < 0 ? 0 : read(fd, raw, sizeof raw);
		if (n <= 0) {
			if (fd >= 0)
				close(fd);
			s->outputs[s->sending++] = -1;
			continue;
		}
		buf_reset(&body);
		err = wire_block_encode(&body, raw, (size_t)n);
		if (err == 0)
			err = conn_send_buf(s->conn, WIRE_OUT, &body);
	}
	buf_fini(&body);
	if (err < 0) {
		serve_gone(s->serve, s);
	} else if (s->sending == s->noutputs) {
		session_idle(s);
		session_send(s, WIRE_DONE, NULL);
	} else {
		session_set(s, SESSION_SENDING, SENDING_MS);
	}
}

/* Sizes, digests and descriptors of what the helper handed over. */
static int
take_outputs(struct session *s, struct job_result *r, int *fds, unsigned nfds)
{
	unsigned at = 0;
	int err = 0;
	for (unsigned i = 0; i < r->noutputs; i++) {
		struct job_output *o = &r->outputs[i];
		s->outputs[i] = -1;
		s->noutputs = i + 1;
		if (!o->present)
			continue;
		if (at == nfds)
			return IM_ERR_FORMAT;
		s->outputs[i] = fds[at];
		fds[at++] = -1;
		if (err == 0)
			err = digest_of_fd(&o->digest, &o->size, s->outputs[i]);
		s->result_bytes += o->size;
		if (lseek(s->outputs[i], 0, SEEK_SET) < 0)
			err = IM_ERR_SYSTEM;
	}
	return err;
}

static void
on_done(void *arg, const struct pipe_msg *m, int *fds, unsigned nfds)
{
	struct session *s = arg;
	struct node *n = serve_node(s->serve);
	struct job_result r = m->result;
	struct buf body;
	s->run = 0;
	job_set_free(s->set); /* the input is not needed any more */
	s->set = NULL;
	s->noutputs = s->sending = 0;
	s->result_bytes = 0;
	int err = m->type == PIPE_DONE && r.noutputs <= JOB_RESULTS_MAX
	                  ? take_outputs(s, &r, fds, nfds)
	                  : IM_ERR_FORMAT;
	for (unsigned i = 0; i < nfds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (r.end == JOB_SANDBOX || err < 0) {
		session_set(s, SESSION_SENDING, 0); /* the slot is free */
		session_refuse(s, WERR_SANDBOX, "the job could not run: %.*s", 200,
		        err < 0 ? im_strerror(err) : m->text);
		return;
	}
	n->counters.served++;
	tally_add(n->counters.by_peer, &n->counters.nby_peer, NODE_SERVED_MAX,
	        conn_cert(s->conn) ? conn_cert(s->conn)->name : "unknown");
	session_set(s, SESSION_SENDING, SENDING_MS);
	serve_changed(s->serve); /* the next job may start before this result is out */
	buf_init(&body, 64 * 1024);
	err = job_result_encode(&r, &body);
	if (err == 0)
		err = conn_send_buf(s->conn, WIRE_RESULT, &body);
	buf_fini(&body);
	if (err < 0)
		serve_gone(s->serve, s);
	else
		job_run_pump(s);
}

int
session_start(struct session *s)
{
	struct node *n = serve_node(s->serve);
	int fds[PIPE_FDS_MAX];
	struct buf body;
	fds[0] = files_memory("icemesh-job", s->spec.data, s->spec.len);
	for (unsigned i = 0; i < s->ninputs; i++)
		fds[1 + i] = s->inputs[i].fd;
	s->run = fds[0] < 0 ? 0
	                    : helper_ask(n->helper, PIPE_RUN, &s->toolchain, fds, 1 + s->ninputs,
	                              on_done, s);
	if (fds[0] >= 0)
		close(fds[0]);
	if (!s->run)
		return IM_ERR_SYSTEM;
	session_set(s, SESSION_RUNNING, 0);
	struct toolchain *t = store_find(n->store, &s->toolchain);
	if (t)
		t->used_ms = loop_now_ms();
	buf_init(&body, 64);
	wire_started_encode(&body, (uint32_t)(loop_now_ms() - s->ready_ms));
	int err = conn_send_buf(s->conn, WIRE_STARTED, &body);
	buf_fini(&body);
	return err;
}

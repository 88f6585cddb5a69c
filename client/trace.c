#include "client/trace.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include "client/json.h"

#define TRACE_LINE_MAX (64 * 1024)

static const char *
verdict_name(enum verdict v)
{
	return v == VERDICT_REMOTE ? "remote" : v == VERDICT_LOCAL ? "local" : "fallback";
}

static void
put_times(struct json *j, const struct trace_times *ms)
{
	json_key(j, "ms");
	json_open_object(j);
	json_kuint(j, "plan", ms->plan);
	json_kuint(j, "lease", ms->lease);
	json_kuint(j, "send", ms->send);
	json_kuint(j, "queue", ms->queue);
	json_kuint(j, "compile", ms->compile);
	json_kuint(j, "receive", ms->receive);
	json_kuint(j, "total", ms->total);
	json_close_object(j);
}

static void
put_place(struct json *j, const struct trace *t)
{
	char node[NODE_ID_TEXT_SIZE] = "", toolchain[DIGEST_HEX_SIZE] = "", job[17] = "";

	if (t->node != NULL)
		node_id_text(t->node, node);
	if (t->toolchain != NULL)
		digest_hex(t->toolchain, toolchain);
	if (t->job != 0)
		snprintf(job, sizeof job, "%016" PRIx64, t->job);
	json_ktext(j, "peer", node);
	json_ktext(j, "peer_name", t->peer);
	json_ktext(j, "toolchain", toolchain);
	json_ktext(j, "job", job);
}

void
trace_encode(struct buf *b, const struct trace *t, uint64_t epoch_ms)
{
	struct json j;

	json_init(&j, b);
	json_open_object(&j);
	json_key(&j, "time");
	json_scaled(&j, epoch_ms, 1000);
	json_ktext(&j, "file", t->file);
	json_ktext(&j, "output", t->output);
	json_ktext(&j, "verdict", verdict_name(t->verdict));
	json_ktext(&j, "reason", t->reason);
	json_ktext(&j, "text", t->text);
	json_ktext(&j, "mode", t->mode);
	put_place(&j, t);
	json_kuint(&j, "exit", (uint64_t)t->exit);
	json_kuint(&j, "bytes_out", t->bytes_out);
	json_kuint(&j, "bytes_in", t->bytes_in);
	put_times(&j, &t->ms);
	json_kuint(&j, "retries", t->retries);
	json_kbool(&j, "hedged", false);
	json_close_object(&j);
}

void
trace_write(const char *path, const struct trace *t, uint64_t epoch_ms)
{
	static const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction too_large;
	struct buf b;
	int fd;

	buf_init(&b, TRACE_LINE_MAX);
	trace_encode(&b, t, epoch_ms);
	fd = buf_err(&b) == 0
	             ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0666)
	             : -1;
	if (fd >= 0) {
		/* a trace over RLIMIT_FSIZE is lost, and nothing else */
		sigaction(SIGXFSZ, &ignore, &too_large);
		(void)!write(fd, b.data, b.len);
		sigaction(SIGXFSZ, &too_large, NULL);
		close(fd);
	}
	buf_fini(&b);
}

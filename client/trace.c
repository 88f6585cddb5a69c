#include "client/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define TRACE_LINE_MAX (64 * 1024)

static const char *
verdict_name(enum verdict v)
{
	return v == VERDICT_REMOTE ? "remote" : v == VERDICT_LOCAL ? "local" : "fallback";
}

static void
put_text(struct json *j, const char *key, const char *text)
{
	json_ktext(j, key, text != NULL ? text : "");
}

static void
put_times(struct json *j, const struct account_times *ms)
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
put_place(struct json *j, const struct account *t)
{
	char node[NODE_ID_TEXT_SIZE] = "", toolchain[DIGEST_HEX_SIZE] = "", job[17] = "";

	if (t->node != NULL)
		node_id_text(t->node, node);
	if (t->toolchain != NULL)
		digest_hex(t->toolchain, toolchain);
	if (t->job != 0)
		snprintf(job, sizeof job, "%016" PRIx64, t->job);
	json_ktext(j, "peer", node);
	put_text(j, "peer_name", t->peer);
	json_ktext(j, "toolchain", toolchain);
	json_ktext(j, "job", job);
}

void
trace_members(struct json *j, const struct account *t, uint64_t epoch_ms)
{
	json_key(j, "time");
	json_scaled(j, epoch_ms, 1000);
	put_text(j, "file", t->file);
	put_text(j, "output", t->output);
	json_ktext(j, "verdict", verdict_name(t->verdict));
	put_text(j, "reason", t->reason);
	put_text(j, "text", t->text);
	put_text(j, "mode", t->mode);
	put_place(j, t);
	json_key(j, "exit");
	if (t->exit >= 0)
		json_uint(j, (uint64_t)t->exit);
	else
		json_null(j);
	json_kuint(j, "bytes_out", t->bytes_out);
	json_kuint(j, "bytes_in", t->bytes_in);
	put_times(j, &t->ms);
	json_kuint(j, "retries", t->retries);
	json_kbool(j, "hedged", t->hedged);
}

void
trace_encode(struct buf *b, const struct account *t, uint64_t epoch_ms)
{
	struct json j;

	json_init(&j, b);
	json_open_object(&j);
	trace_members(&j, t, epoch_ms);
	json_close_object(&j);
}

/* A pipe that nobody reads is no file to wait for; one with a reader may be slow. */
static int
open_file(const char *path)
{
	int fd =
	        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);

	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, O_APPEND);
	return fd;
}

/* All of it by one write, so that nothing of another wrapper gets in between; 0 or errno.  A reader that is gone, or a limit on files,
 * costs the trace and nothing else. */
static int
append(int fd, const struct buf *b)
{
	static const struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction unread, too_large;
	ssize_t n;
	int r;

	sigaction(SIGPIPE, &ignore, &unread);
	sigaction(SIGXFSZ, &ignore, &too_large);
	n = write(fd, b->data, b->len);
	r = n < 0 ? errno : (size_t)n < b->len ? ENOSPC : 0;
	sigaction(SIGXFSZ, &too_large, NULL);
	sigaction(SIGPIPE, &unread, NULL);
	return r;
}

int
trace_write(const char *path, const struct account *t, uint64_t epoch_ms)
{
	struct buf b;
	int fd, r;

	buf_init(&b, TRACE_LINE_MAX);
	trace_encode(&b, t, epoch_ms);
	r = buf_err(&b);
	if (r == 0) {
		fd = open_file(path);
		errno = fd < 0 ? errno : append(fd, &b);
		r = errno == 0 ? 0 : IM_ERR_SYSTEM;
		if (fd >= 0)
			close(fd); /* of a file that is only appended to: errno stays */
	}
	buf_fini(&b);
	return r;
}

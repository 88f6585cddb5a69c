#include "client/question.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/child.h"
#include "client/now.h"
#include "exec/query.h"

/* The environment with messages in the C locale; for free(). */
static char **
plain_environment(char *const *environment)
{
	static char locale[] = "LC_ALL=C";
	size_t n = 0, kept = 0;
	char **copy;

	while (environment[n])
		n++;
	copy = malloc((n + 2) * sizeof(*copy));
	if (!copy)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (strncmp(environment[i], "LC_ALL=", 7) != 0)
			copy[kept++] = environment[i];
	copy[kept++] = locale;
	copy[kept] = NULL;
	return copy;
}

/* Whoever closed stderr is about to end. */
static int
await_end(struct child *c, int64_t deadline)
{
	while (!child_ended(c)) {
		if (now_ms() >= deadline)
			return IM_ERR_TIMEOUT;
		poll(NULL, 0, 1);
	}
	return WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0 ? 0 : IM_ERR_SYSTEM;
}

static int
run(const struct question *q, char *const *environment, struct buf *out)
{
	int64_t deadline = now_ms() + QUESTION_TIME_MS;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), ends_of[2] = {-1, -1};
	struct child_fds fds = {{q->input, null, null, -1}};
	struct child child = {.pid = 0};
	int r = IM_ERR_SYSTEM;

	if (null < 0 || pipe2(ends_of, O_CLOEXEC) != 0)
		goto out;
	if (q->input < 0)
		fds.fd[0] = null;
	fds.fd[q->stream] = ends_of[1];
	r = child_start(&child, q->argv, environment, &fds);
	close(ends_of[1]);
	ends_of[1] = -1;
	if (r == 0)
		r = query_drain(ends_of[0], deadline, out);
	if (r == 0)
		r = await_end(&child, deadline);
out:
	child_kill(&child);
	if (null >= 0)
		close(null);
	for (int i = 0; i < 2; i++)
		if (ends_of[i] >= 0)
			close(ends_of[i]);
	return r;
}

int
question_ask(const struct question *q, struct buf *out)
{
	char **plain = plain_environment(q->environment);
	int r = plain ? run(q, plain, out) : IM_ERR_MEMORY;

	free(plain);
	return r;
}

#include "client/results.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CONSOLES 2 /* outputs[0] is stdout, [1] stderr, then the products */

int
results_init(
        struct results *r, const struct product *products, uint32_t n, bool source, uint64_t max)
{
	memset(r, 0, sizeof *r);
	r->products = products;
	r->nproducts = n;
	r->source = source;
	r->max = max;
	for (int i = 0; i < CONSOLES; i++)
		buf_init(&r->console[i], RESULTS_CONSOLE_MAX);
	buf_init(&r->findings, FINDINGS_LEN_MAX);
	r->outputs = calloc(n > 0 ? n : 1, sizeof *r->outputs);
	if (r->outputs == NULL)
		return IM_ERR_MEMORY;
	for (uint32_t i = 0; i < n; i++)
		output_init(&r->outputs[i], products[i].path, products[i].way, products[i].object);
	return 0;
}

void
results_abort(struct results *r)
{
	for (uint32_t i = 0; r->outputs != NULL && i < r->nproducts; i++)
		output_abort(&r->outputs[i]);
	for (int i = 0; i < CONSOLES; i++)
		buf_reset(&r->console[i]);
	buf_reset(&r->findings);
	r->current = 0;
	r->current_size = 0;
	r->skip = false;
}

void
results_fini(struct results *r)
{
	results_abort(r);
	for (int i = 0; i < CONSOLES; i++)
		buf_fini(&r->console[i]);
	buf_fini(&r->findings);
	free(r->outputs);
	r->outputs = NULL;
}

/* Where the bytes of output i are kept in memory, or NULL for a product. */
static struct buf *
memory_of(struct results *r, uint32_t i)
{
	if (i < CONSOLES)
		return &r->console[i];
	return i == CONSOLES + r->nproducts ? &r->findings : NULL;
}

static uint64_t
limit_of(const struct results *r, uint32_t i)
{
	if (i < CONSOLES)
		return RESULTS_CONSOLE_MAX;
	return i == CONSOLES + r->nproducts ? FINDINGS_LEN_MAX : r->max;
}

/* Steps over outputs that are absent or complete. */
static void
next_output(struct results *r)
{
	while (r->current < r->said.noutputs) {
		const struct job_output *o = &r->said.outputs[r->current];

		if (o->present && r->current_size < o->size)
			return;
		r->current++;
		r->current_size = 0;
	}
}

/* As many outputs as the job named; without findings a compile in source mode says nothing. */
static bool
is_whole(const struct results *r)
{
	uint32_t n = CONSOLES + r->nproducts + (r->source ? 1 : 0);

	return r->said.noutputs == n &&
	       (!r->source || r->said.end != JOB_EXITED || r->said.outputs[n - 1].present);
}

int
results_said(struct results *r, const void *body, size_t len)
{
	uint64_t sum = 0;

	results_abort(r);
	if (job_result_decode(&r->said, body, len) != 0 || !is_whole(r)) {
		r->said.noutputs = 0;
		return IM_ERR_FORMAT;
	}
	for (uint32_t i = 0; i < r->said.noutputs; i++) {
		const struct job_output *o = &r->said.outputs[i];

		if (!o->present)
			continue;
		if (o->size > limit_of(r, i))
			return IM_ERR_LIMIT;
		if (memory_of(r, i) != NULL)
			continue;
		if (o->size > r->max - sum)
			return IM_ERR_LIMIT;
		sum += o->size;
	}
	next_output(r);
	return 0;
}

static int
open_products(struct results *r)
{
	bool succeeded = r->said.exit_code == 0 && r->said.signal == 0;

	for (uint32_t i = 0; i < r->nproducts; i++) {
		const struct job_output *o = &r->said.outputs[CONSOLES + i];
		int err;

		if (!o->present && r->products[i].required && succeeded)
			return IM_ERR_FORMAT;
		if (!o->present)
			continue;
		/* a marker that came back, or what a compile that failed left, is no object file */
		r->outputs[i].object = r->products[i].object && succeeded;
		err = output_open(&r->outputs[i], o, r->max);
		if (err != 0)
			return err;
	}
	return 0;
}

int
results_open(struct results *r, bool skip)
{
	uint64_t sum = 0;

	r->skip = skip;
	for (uint32_t i = 0; skip && i < r->said.noutputs; i++)
		sum += r->said.outputs[i].present ? r->said.outputs[i].size : 0;
	if (skip)
		return sum > RESULTS_SKIP_MAX ? IM_ERR_LIMIT : 0;
	return open_products(r);
}

int
results_put(struct results *r, const void *bytes, size_t len)
{
	struct buf *memory;
	int err = 0;

	if (r->current >= r->said.noutputs || len == 0 ||
	        len > r->said.outputs[r->current].size - r->current_size)
		return IM_ERR_LIMIT;
	memory = memory_of(r, r->current);
	if (memory != NULL && !r->skip) {
		buf_put(memory, bytes, len);
		err = buf_err(memory);
	} else if (!r->skip) {
		err = output_put(&r->outputs[r->current - CONSOLES], bytes, len);
	}
	r->current_size += len;
	next_output(r);
	return err;
}

bool
results_full(const struct results *r)
{
	return r->current >= r->said.noutputs;
}

int
results_check(struct results *r)
{
	for (uint32_t i = 0; i < r->said.noutputs; i++) {
		const struct job_output *o = &r->said.outputs[i];
		struct buf *memory = memory_of(r, i);
		struct digest got;
		int err = 0;

		if (!o->present)
			continue;
		if (memory != NULL) {
			digest_of(&got, memory->data, memory->len);
			err = digest_equal(&got, &o->digest) ? 0 : IM_ERR_DIGEST;
		} else {
			err = output_check(&r->outputs[i - CONSOLES]);
		}
		if (err != 0)
			return err;
	}
	return 0;
}

/* The compile neither wrote nor removed it. */
static bool
is_untouched(const struct results *r, uint32_t i)
{
	struct digest marker;

	if (!r->products[i].stood || !r->said.outputs[CONSOLES + i].present)
		return false;
	digest_of(&marker, RESULTS_MARKER, strlen(RESULTS_MARKER));
	return digest_equal(&marker, &r->said.outputs[CONSOLES + i].digest);
}

bool
results_damaged(const struct results *r)
{
	for (uint32_t i = 0; r->said.exit_code != 0 && i < r->nproducts; i++)
		if (r->products[i].linked && !is_untouched(r, i))
			return true;
	return false;
}

static int
commit_product(struct results *r, uint32_t i)
{
	if (is_untouched(r, i)) {
		output_abort(&r->outputs[i]);
		return r->products[i].required && r->said.exit_code == 0 ? IM_ERR_SYSTEM : 0;
	}
	if (r->said.outputs[CONSOLES + i].present)
		return output_commit(&r->outputs[i]);
	if (r->products[i].stood && unlink(r->products[i].path) != 0 && errno != ENOENT)
		return IM_ERR_SYSTEM;
	return 0;
}

int
results_commit(struct results *r)
{
	/* the main output last: make looks at nothing else */
	for (uint32_t i = r->nproducts; i-- > 0;) {
		int err = commit_product(r, i);

		if (err != 0)
			return err;
	}
	return 0;
}

/* /dev/null takes everything; what others do with it the compiler must find out. */
static bool
is_odd_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) != 0 ||
	       (S_ISCHR(st.st_mode) && st.st_rdev != makedev(1, 3) && isatty(fd) == 0);
}

/* What is closed at exec was closed when the wrapper was started: client/run.h. */
static bool
is_heard(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || (flags & FD_CLOEXEC) != 0 || is_odd_device(fd))
		return false;
	return poll(&p, 1, 0) < 0 || (p.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0;
}

bool
results_heard(const struct results *r)
{
	return (r->console[0].len == 0 || is_heard(STDOUT_FILENO)) &&
	       (r->console[1].len == 0 || is_heard(STDERR_FILENO));
}

static void
print(int fd, const struct buf *b)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	size_t at = 0;

	while (at < b->len) {
		ssize_t n = write(fd, b->data + at, b->len - at);

		if (n < 0 && errno == EAGAIN) /* whoever shares it made it so */
			(void)!poll(&p, 1, -1);
		else if (n < 0 && errno != EINTR)
			return; /* nobody reads it; a compiler would go on, too */
		at += n > 0 ? (size_t)n : 0;
	}
}

void
results_print(const struct results *r)
{
	print(STDOUT_FILENO, &r->console[0]);
	print(STDERR_FILENO, &r->console[1]);
}

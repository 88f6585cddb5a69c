#include "client/parallel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client/local.h"
#include "client/lto.h"

static void
serve(void *jobserver)
{
	jobserver_step(jobserver);
}

static void
begin_serving(struct parallel *p, struct run *run, const struct parallel_request *q)
{
	if (jobserver_open(&p->jobserver, q->folder, q->slots, getenv("MAKEFLAGS")) != 0)
		return;
	if (setenv("MAKEFLAGS", p->jobserver.flags, 1) != 0) {
		jobserver_close(&p->jobserver);
		return;
	}
	p->serves = true;
	run->env = environ;
	run->step = serve;
	run->step_arg = &p->jobserver;
	run->step_ms = JOBSERVER_STEP_MS;
}

/* The descriptors of the further slots are inherited and closed by nobody: they are the linker's to its end. */
static void
limit_linker(struct parallel *p, struct run *run, const struct parallel_request *q)
{
	unsigned most = lto_jobs(q->argc, q->argv, q->slots), n = 1;
	size_t argc = 0;
	int fd;

	while (run->argv[argc] != NULL)
		argc++;
	p->argv = calloc(argc + 2, sizeof *p->argv);
	if (p->argv == NULL)
		return;
	while (n < most && local_slot_try(q->folder, q->slots, &fd) == 0)
		n++;
	snprintf(p->option, sizeof p->option, "-Wl,-plugin-opt=jobs=%u", n);
	memcpy(p->argv, run->argv, argc * sizeof *p->argv);
	p->argv[argc] = p->option;
	run->argv = p->argv;
}

void
parallel_begin(struct parallel *p, struct run *run, const struct parallel_request *q)
{
	enum lto lto = lto_look(q->argc, q->argv, q->compiler);

	*p = (struct parallel){.serves = false};
	if (lto == LTO_PARALLEL && q->compiler == FOR_CLANG)
		limit_linker(p, run, q);
	else if (q->compiler == FOR_GCC &&
	         (lto == LTO_PARALLEL ||
	                 (lto == LTO_SERIAL && jobserver_named(getenv("MAKEFLAGS")))))
		begin_serving(p, run, q);
}

void
parallel_end(struct parallel *p)
{
	if (p->serves)
		jobserver_close(&p->jobserver);
	p->serves = false;
	free(p->argv);
	p->argv = NULL;
}

/* One compile in preprocessed mode in a private folder, for tests of client/submit against fake_peer.h. */
#ifndef TESTS_SUBMIT_RIG_H
#define TESTS_SUBMIT_RIG_H

#include <fcntl.h>
#include <sys/stat.h>
#include "client/local.h"
#include "client/submit.h"
#include "tests/unit/fake_peer.h"

#define TEXT "int main(void) { return 42; }\n"
#define DATED "const char *when = __DATE__;\n"

struct bench {
	char dir[64], source[96], dated[96], output[96], slots[96];
	struct fake fake;
	struct daemon daemon;
	struct plan plan;
	struct submit s;
	char *cpp[2][4], *remote[2][4];
};

static inline void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static inline void
make_plan(struct bench *b)
{
	for (int i = 0; i < 2; i++) {
		b->cpp[i][0] = (char *)"/bin/cat";
		b->cpp[i][1] = b->source;
		b->remote[i][0] = (char *)"/usr/bin/gcc";
		b->plan.cpp[i] = b->cpp[i];
		b->plan.remote[i] = b->remote[i];
	}
	b->remote[PLAN_DIRECTIVES][1] = (char *)"directives";
	b->remote[PLAN_PLAIN][1] = (char *)"plain";
	b->plan.input = (struct job_input){.path = "/src/a.c", .mode = 0644, .streamed = 1};
	b->plan.outputs[0] = "/src/a.o";
	b->plan.env[0] = NULL;
	b->plan.job = (struct job){.cwd = "/src",
	        .env = b->plan.env,
	        .inputs = &b->plan.input,
	        .ninputs = 1,
	        .outputs = b->plan.outputs,
	        .noutputs = 1,
	        .mode = JOB_PREPROCESSED};
	b->plan.way = OUTPUT_RENAME;
	b->plan.object = true;
	snprintf(b->plan.output, sizeof b->plan.output, "%s", b->output);
}

static inline void
bench_open(struct bench *b, const char *script)
{
	memset(b, 0, sizeof *b);
	snprintf(b->dir, sizeof b->dir, "/tmp/icemesh-submit-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->source, sizeof b->source, "%s/a.c", b->dir);
	snprintf(b->dated, sizeof b->dated, "%s/dated.c", b->dir);
	snprintf(b->output, sizeof b->output, "%s/a.o", b->dir);
	snprintf(b->slots, sizeof b->slots, "%s/slots", b->dir);
	write_file(b->source, TEXT);
	write_file(b->dated, DATED);
	make_plan(b);
	fake_start(&b->fake, script);
	assert_int_equal(fcntl(b->fake.fd, F_SETFL, O_NONBLOCK), 0);
	daemon_init(&b->daemon, b->fake.fd);
	b->s = (struct submit){.daemon = &b->daemon,
	        .plan = &b->plan,
	        .env = environ,
	        .output_max = 64 << 20,
	        .job_ms = 20000,
	        .slot_folder = b->slots,
	        .slots = 1};
	assert_int_equal(local_slot_take(b->slots, 1, &b->s.slot_fd), 0);
}

static inline void
remove_folder(const char *dir)
{
	char command[160];

	snprintf(command, sizeof command, "rm -r '%s'", dir);
	assert_int_equal(system(command), 0);
}

/* How many files of ours the folder holds: nothing temporary may be among them. */
static inline bool
has_temporary(const struct bench *b)
{
	char command[160];

	snprintf(command, sizeof command, "test -n \"$(find '%s' -name '.icemesh-*')\"", b->dir);
	return system(command) == 0;
}

static inline void
bench_close(struct bench *b)
{
	if (b->s.slot_fd >= 0)
		local_slot_give(b->s.slot_fd);
	submit_fini(&b->s);
	fake_free(&b->fake);
	remove_folder(b->dir);
}

static inline void
run(struct bench *b)
{
	submit_run(&b->s);
	daemon_fini(&b->daemon);
	assert_int_equal(fake_end(&b->fake), 0);
	assert_false(has_temporary(b));
}

static inline void
assert_output(const struct bench *b, const char *text)
{
	char got[4096];
	int fd = open(b->output, O_RDONLY);
	ssize_t n = read(fd, got, sizeof got);

	close(fd);
	assert_int_equal(n, (ssize_t)strlen(text) + 4);
	assert_memory_equal(got, "\177ELF", 4);
	assert_memory_equal(got + 4, text, strlen(text));
}

#endif

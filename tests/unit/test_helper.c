/*
 * The daemon's end of the helper, against a made-up one: this program itself, which mesh/helper.c starts as icemesh-exec.
 */
#define RIG_REAL_HELPER
#include "mesh/helper.h"

#include <sys/stat.h>
#include "mesh/programs.h"
#include "tests/unit/node_rig.h"

/* What the made-up helper does is said by its first limit, niceness. */
enum mood { OBEYS, SILENT, WRONG_FIRST, DIES_AT_RUN, NEVER_READS };

static struct node n;
static unsigned lost;

int
program_find(const char *name, char *out, size_t size)
{
	if (strcmp(name, "icemesh-exec") != 0)
		return IM_ERR_ABSENT;
	ssize_t len = readlink("/proc/self/exe", out, size - 1);
	if (len < 0)
		return IM_ERR_SYSTEM;
	out[len] = 0;
	return 0;
}

/* --- the made-up helper --- */

/* RUN is answered when it is killed, UNPACK and DROP at once; with as many descriptors as came. */
static int
fake_main(int mood)
{
	struct pipe_msg m = {.type = mood == WRONG_FIRST ? PIPE_DONE : PIPE_READY, .level = 2};
	int fds[PIPE_FDS_MAX];
	unsigned nfds;
	if (mood == SILENT)
		return 0;
	snprintf(m.text, sizeof m.text, "no cgroup");
	if (pipe_send(PIPE_HELPER_FD, &m, NULL, 0) < 0)
		return 1;
	if (mood == NEVER_READS) {
		struct stat st;
		while (stat("go", &st) < 0) /* in its working directory, which is the test's */
			usleep(1000);
	}
	while (pipe_recv(PIPE_HELPER_FD, &m, fds, &nfds) == 0) {
		struct pipe_msg a = {.type = PIPE_UNPACKED, .id = m.id};
		if (m.type == PIPE_RUN && mood == DIES_AT_RUN)
			return 0;
		if (m.type == PIPE_KILL)
			a = (struct pipe_msg){
			        .type = PIPE_DONE, .id = m.id, .result.end = JOB_KILLED};
		if (m.type != PIPE_RUN && pipe_send(PIPE_HELPER_FD, &a, fds, nfds) < 0)
			return 1;
		for (unsigned i = 0; i < nfds; i++)
			close(fds[i]);
	}
	return 0;
}

/* --- tests --- */

struct answer {
	unsigned calls, nfds;
	struct pipe_msg m;
};

static void
on_answer(void *arg, const struct pipe_msg *m, int *fds, unsigned nfds)
{
	struct answer *a = arg;
	a->calls++;
	a->nfds = nfds;
	a->m = *m;
	while (nfds)
		close(fds[--nfds]);
}

static void
on_lost(void *arg)
{
	(void)arg;
	lost++;
}

/* err: what attaching must say. */
static void
start(enum mood mood, int err)
{
	char why[256] = "";
	memset(&n, 0, sizeof n);
	config_defaults(&n.config, CONFIG_USER);
	n.config.nice = mood;
	n.loop = rig_loop = loop_new();
	lost = 0;
	n.helper = helper_start(&n.config, why);
	if (!n.helper)
		fail_msg("%s", why);
	assert_int_equal(helper_attach(n.helper, &n, on_lost, NULL, why), err);
	if (err)
		assert_non_null(strstr(why, "does not start"));
}

static void
test_asks(void **state)
{
	(void)state;
	struct answer a = {0}, b = {0};
	struct digest d = {{1}};
	int fd = files_memory("x", "x", 1);
	start(OBEYS, 0);
	assert_int_equal(helper_level(n.helper), 2);
	assert_string_equal(helper_level_text(n.helper), "no cgroup");
	unsigned before = rig_open_fds();
	uint64_t run = helper_ask(n.helper, PIPE_RUN, &d, &fd, 1, on_answer, &a);
	uint64_t unpack = helper_ask(n.helper, PIPE_UNPACK, &d, &fd, 1, on_answer, &b);
	assert_true(run && unpack && run != unpack);
	UNTIL(b.calls);
	assert_int_equal(b.m.type, PIPE_UNPACKED);
	assert_int_equal(b.nfds, 1);
	assert_int_equal(a.calls, 0);
	helper_kill(n.helper, run);
	UNTIL(a.calls);
	assert_int_equal(a.m.result.end, JOB_KILLED);
	assert_int_equal(rig_open_fds(), before);
	close(fd);
	helper_stop(n.helper);
}

/* Nobody wants the answer any more: its descriptors are closed. */
static void
test_forget(void **state)
{
	(void)state;
	struct answer a = {0}, b = {0};
	int fd = files_memory("x", "x", 1);
	start(OBEYS, 0);
	unsigned before = rig_open_fds();
	helper_forget(n.helper, helper_ask(n.helper, PIPE_UNPACK, NULL, &fd, 1, on_answer, &a));
	helper_ask(n.helper, PIPE_UNPACK, NULL, NULL, 0, on_answer, &b);
	UNTIL(b.calls);
	assert_int_equal(a.calls, 0);
	assert_int_equal(rig_open_fds(), before);
	close(fd);
	helper_stop(n.helper);
}

static void
test_does_not_start(void **state)
{
	(void)state;
	start(SILENT, IM_ERR_CLOSED);
	helper_stop(n.helper);
	loop_free(rig_loop);
	start(WRONG_FIRST, IM_ERR_FORMAT);
	helper_stop(n.helper);
}

static void
test_dies(void **state)
{
	(void)state;
	struct answer a = {0};
	start(DIES_AT_RUN, 0);
	assert_true(helper_ask(n.helper, PIPE_RUN, NULL, NULL, 0, on_answer, &a) != 0);
	UNTIL(lost);
	assert_int_equal(lost, 1);
	assert_int_equal(a.calls, 0);
	helper_stop(n.helper);
}

/* The pipe is full: no more asks, and a kill goes out when there is room again. */
static void
test_full_pipe(void **state)
{
	(void)state;
	char dir[] = "/tmp/icemesh-test-XXXXXX", path[64];
	struct answer a = {0};
	uint64_t id, last = 0;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	start(NEVER_READS, 0);
	while ((id = helper_ask(n.helper, PIPE_RUN, NULL, NULL, 0, on_answer, &a)))
		last = id;
	assert_true(last > 0);
	helper_kill(n.helper, last);
	snprintf(path, sizeof path, "%s/go", dir);
	assert_int_equal(files_write(path, "", 0, 0600), 0);
	UNTIL(a.calls);
	assert_int_equal(a.m.id, last);
	helper_stop(n.helper);
	unlink(path);
	assert_int_equal(chdir("/"), 0);
	rmdir(dir);
}

int
main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "helper") == 0)
		return fake_main(argv[3][0] - '0');
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_asks, rig_teardown),
	        cmocka_unit_test_teardown(test_forget, rig_teardown),
	        cmocka_unit_test_teardown(test_does_not_start, rig_teardown),
	        cmocka_unit_test_teardown(test_dies, rig_teardown),
	        cmocka_unit_test_teardown(test_full_pipe, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "mesh/clients.h"

#include <sys/resource.h>
#include <time.h>
#include "mesh/compile.h"
#include "tests/unit/node_talk.h"

static struct rig a;

static void
test_malformed(void **state)
{
	(void)state;
	struct ctl c;
	struct buf m;
	rig_open(&a, "a");
	rig_init(&a);
	buf_init(&m, 64);
	buf_put(&m, "\xdd\xff\xff\xff\xff", 5);
	for (uint8_t type = CONTROL_COMPILER; type <= CONTROL_WANT; type++) {
		ctl_open(&c, &a);
		ctl_send(&c, type, &m, -1);
		assert_int_equal(ctl_wait(&c), CONTROL_ERROR);
		assert_int_equal(ctl_wait(&c), 0); /* and closed */
		ctl_close(&c);
	}
	ctl_open(&c, &a);
	ctl_send(&c, CONTROL_GRAPH, NULL, -1); /* no graph yet: nothing to forget, no answer */
	ctl_send(&c, 99, NULL, -1);
	assert_int_equal(ctl_wait(&c), CONTROL_ERROR);
	ctl_close(&c);
	buf_fini(&m);
	rig_close(&a);
}

static void
test_socket_in_use(void **state)
{
	(void)state;
	char why[256] = "";
	struct stat st;
	rig_open(&a, "a");
	assert_null(clients_open(&a.n, why));
	assert_non_null(strstr(why, "another icemeshd"));
	assert_int_equal(stat(a.n.config.socket, &st), 0);
	assert_int_equal(st.st_mode & 0777, a.n.config.socket_mode);
	rig_stop(&a);
	assert_int_equal(stat(a.n.config.socket, &st), -1);
	assert_int_equal(
	        files_write(a.n.config.socket, "", 0, 0600), 0); /* what a killed daemon left */
	rig_start(&a);
	rig_close(&a);
}

/* A client that sends without end does not keep the others waiting, and one that never reads is cut off. */
static void
test_greedy_client(void **state)
{
	(void)state;
	struct ctl c, d;
	int err = 0;
	rig_open(&a, "a");
	rig_init(&a);
	ctl_open(&c, &a);
	ctl_open(&d, &a);
	for (int i = 0; i < 200000 && err == 0; i++) {
		err = control_send(c.fd, CONTROL_ROOT, NULL, -1);
		if (err == IM_ERR_SYSTEM && errno == EAGAIN) {
			err = 0;
			rig_spin();
		}
	}
	assert_int_equal(err, IM_ERR_CLOSED);
	assert_int_equal(ctl_ask_text(&d, CONTROL_ROOT, NULL), CONTROL_OK);
	ctl_close(&d);
	ctl_close(&c);
	UNTIL(a.n.clients->count == 0);
	rig_close(&a);
}

/* With no descriptor left the socket stays ready: the daemon must not run in circles over it, and serves again afterwards. */
static void
test_no_descriptors(void **state)
{
	(void)state;
	struct rlimit was, few;
	struct ctl c;
	rig_open(&a, "a");
	rig_init(&a);
	rig_spin();
	ctl_open(&c, &a);
	int next = dup(0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	clock_t used = clock();
	uint64_t end = loop_now_ms() + 300;
	UNTIL(loop_now_ms() >= end);
	used = clock() - used;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_true(used < CLOCKS_PER_SEC / 10);
	assert_int_equal(ctl_ask_text(&c, CONTROL_ROOT, NULL), CONTROL_OK);
	ctl_close(&c);
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_malformed, rig_teardown),
	        cmocka_unit_test_teardown(test_no_descriptors, rig_teardown),
	        cmocka_unit_test_teardown(test_socket_in_use, rig_teardown),
	        cmocka_unit_test_teardown(test_greedy_client, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

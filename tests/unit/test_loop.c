/* The event loop: descriptors, timers and signals call back, and may be freed while they do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "mesh/loop.h"

#define LATE_MS 10000

struct rig {
	struct loop *l;
	struct watch *w, *sig;
	struct timer *t, *late;
	int pair[2], calls, events, signo;
	bool is_late;
};

static void
on_late(void *arg)
{
	struct rig *r = arg;

	r->is_late = true;
	loop_stop(r->l);
}

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	if (!r || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, r->pair) < 0)
		return -1;
	r->l = loop_new();
	r->late = timer_new(r->l, on_late, r);
	timer_set(r->late, LATE_MS);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	watch_free(r->w);
	watch_free(r->sig);
	timer_free(r->t);
	timer_free(r->late);
	loop_free(r->l);
	close(r->pair[0]);
	close(r->pair[1]);
	free(r);
	return 0;
}

static void
on_fd(void *arg, int events)
{
	struct rig *r = arg;

	r->calls++;
	r->events = events;
	loop_stop(r->l);
}

static void
go(struct rig *r)
{
	assert_int_equal(loop_run(r->l), 0);
	assert_false(r->is_late);
}

static void
test_watch(void **state)
{
	struct rig *r = *state;
	char c;

	r->w = watch_new(r->l, r->pair[0], LOOP_READ, on_fd, r);
	assert_non_null(r->w);
	assert_int_equal(write(r->pair[1], "x", 1), 1);
	go(r);
	assert_int_equal(r->events, LOOP_READ);
	go(r); /* as long as it is there */
	assert_int_equal(r->calls, 2);
	watch_set(r->w, LOOP_READ | LOOP_WRITE);
	go(r);
	assert_int_equal(r->events, LOOP_READ | LOOP_WRITE);
	assert_int_equal(read(r->pair[0], &c, 1), 1);
	go(r);
	assert_int_equal(r->events, LOOP_WRITE);
	watch_set(r->w, 0);
	timer_set(r->late, 1);
	assert_int_equal(loop_run(r->l), 0);
	assert_true(r->is_late); /* nothing else to tell */
	assert_int_equal(r->calls, 4);
}

static void
free_watch(void *arg, int events)
{
	struct rig *r = arg;

	watch_free(r->w);
	r->w = NULL;
	on_fd(r, events);
}

static void
test_free_in_own_callback(void **state)
{
	struct rig *r = *state;

	r->w = watch_new(r->l, r->pair[0], LOOP_WRITE, free_watch, r);
	go(r);
	assert_int_equal(r->calls, 1);
	watch_free(NULL);
	timer_free(NULL);
	loop_free(NULL);
}

static void
on_time(void *arg)
{
	on_fd(arg, 0);
}

static void
free_timer(void *arg)
{
	struct rig *r = arg;

	timer_free(r->t);
	r->t = NULL;
	on_fd(r, 0);
}

static void
test_timer(void **state)
{
	struct rig *r = *state;
	uint64_t begin = loop_now_ms();

	r->t = timer_new(r->l, on_time, r);
	timer_set(r->t, 1000000);
	timer_set(r->t, 20); /* replaces */
	go(r);
	assert_true(loop_now_ms() - begin >= 19);
	assert_int_equal(r->calls, 1);
	timer_set(r->late, 5);
	assert_int_equal(loop_run(r->l), 0); /* once only */
	assert_true(r->is_late);
	assert_int_equal(r->calls, 1);
	r->is_late = false;
	timer_set(r->t, 0);
	timer_stop(r->t);
	timer_set(r->late, 5);
	assert_int_equal(loop_run(r->l), 0);
	assert_int_equal(r->calls, 1);
	timer_free(r->t);
	r->is_late = false;
	timer_set(r->late, LATE_MS);
	r->t = timer_new(r->l, free_timer, r);
	timer_set(r->t, 0);
	go(r);
	assert_null(r->t);
}

static void
on_signal(void *arg, int signo)
{
	struct rig *r = arg;

	r->signo = signo;
	loop_stop(r->l);
}

static void
test_signal(void **state)
{
	struct rig *r = *state;

	r->sig = watch_signal(r->l, SIGUSR1, on_signal, r);
	assert_non_null(r->sig);
	raise(SIGUSR1);
	go(r);
	assert_int_equal(r->signo, SIGUSR1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(test_watch),
	        T(test_free_in_own_callback),
	        T(test_timer),
	        T(test_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

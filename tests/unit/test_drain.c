/* Draining: at once when nothing of others is here; else when it has ended, or when it is told to for the second time. */
#include "mesh/drain.h"

#include "tests/unit/node_pair.h"

static unsigned done;

static void
on_done(void *arg)
{
	(void)arg;
	done++;
}

static uint32_t
lent(const struct pair *p)
{
	struct load l;
	serve_load(p->worker.n.serve, &l);
	return l.slots;
}

static void
test_idle(void **state)
{
	struct pair *p = pair_open();
	uint32_t slots = lent(p);

	(void)state;
	done = 0;
	struct drain *d = drain_new(&p->worker.n, on_done, NULL);
	assert_int_equal(lent(p), slots);
	drain_begin(d);
	assert_int_equal(done, 1);
	assert_false(drain_waits(d));
	assert_int_equal(lent(p), 0);
	drain_free(d);
	assert_int_equal(lent(p), slots);
	pair_close(p);
}

/* Two at once, of which one does not wait any more. */
static void
test_job(void **state)
{
	struct pair *p = pair_open();
	uint32_t slots = lent(p);

	(void)state;
	done = 0;
	struct drain *one = drain_new(&p->worker.n, on_done, NULL),
	             *two = drain_new(&p->worker.n, on_done, NULL);
	pair_reserve(p);
	drain_begin(one);
	drain_begin(two);
	assert_int_equal(done, 0);
	assert_true(drain_waits(one) && drain_waits(two));
	drain_begin(two);
	assert_int_equal(done, 1);
	assert_false(drain_waits(two));
	drain_free(two);
	assert_int_equal(lent(p), 0);
	talk_end(&p->t);
	UNTIL(done == 2);
	assert_false(drain_waits(one));
	drain_free(one);
	assert_int_equal(lent(p), slots);
	pair_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_idle, rig_teardown),
	        cmocka_unit_test_teardown(test_job, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

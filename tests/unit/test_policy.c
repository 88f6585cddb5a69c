/* client/policy: a local slot is tried only when the mesh is busy, the text is there, and it is
 * allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "client/policy.h"

static void
test_all_conditions(void **state)
{
	const struct policy good = {
	        .busy = true, .busy_ms = POLICY_PATIENCE_MS, .input_ready = true};
	struct policy p = good;

	(void)state;
	assert_true(policy_local(&p));
	p.busy = false;
	assert_false(policy_local(&p));
	p = good;
	p.busy_ms = POLICY_PATIENCE_MS - 1;
	assert_false(policy_local(&p));
	p = good;
	p.cold = true; /* a toolchain on its way is worth more patience */
	assert_false(policy_local(&p));
	p.busy_ms = POLICY_PATIENCE_COLD_MS;
	assert_true(policy_local(&p));
	p = good;
	p.input_ready = false;
	assert_false(policy_local(&p));
	p = good;
	p.remote_only = true;
	assert_false(policy_local(&p));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_conditions)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

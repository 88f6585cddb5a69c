/* Calls: what a command says, where it goes, and how it is cleaned. */
#include "client/call.h"

#include "tests/unit/fake_daemon.h"

static const struct command command = {"two", "icemesh two A\nicemesh two B", "", "", NULL};

static void
test_lines(void **state)
{
	struct call c;

	(void)state;
	call_init(&c, &command);
	call_say(&c, "made %s", "a\033[31m\n");
	assert_string_equal(out_of(&c), "made a?[31m?\n");
	assert_int_equal(call_fail(&c, "no %d", 7), CALL_FAILED);
	assert_string_equal(err_of(&c), "icemesh: no 7\n");
	buf_reset(&c.err);
	assert_int_equal(call_usage(&c, "wrong"), CALL_USAGE);
	assert_string_equal(
	        err_of(&c), "icemesh: wrong\nusage: icemesh two A\n       icemesh two B\n");
	call_fini(&c);
}

static void
expect(int err, const char *want)
{
	struct ask a;
	struct call c;

	ask_use(&a, -1);
	snprintf(a.error, sizeof a.error, "the mesh is full");
	call_init(&c, &command);
	assert_int_equal(call_ask_failed(&c, &a, err), CALL_FAILED);
	if (strstr(err_of(&c), want) == NULL)
		assert_string_equal(err_of(&c), want);
	call_fini(&c);
}

static void
test_causes(void **state)
{
	(void)state;
	expect(IM_ERR_REFUSED, "icemesh: the mesh is full\n");
	expect(IM_ERR_TIMEOUT, "did not answer in time");
	expect(IM_ERR_CLOSED, "ended before it answered");
	expect(IM_ERR_FORMAT, "an answer that is malformed; are both of the same version?");
}

static void
test_config(void **state)
{
	struct fake f;
	struct call c;
	FILE *config;

	(void)state;
	fake_start(&f, NULL);
	call_init(&c, &command);
	assert_int_equal(call_config(&c), CALL_DONE);
	assert_string_equal(c.config.name, "here");
	config = fopen(f.config, "a");
	assert_non_null(config);
	fprintf(config, "slotz = 3\n");
	fclose(config);
	assert_int_equal(call_config(&c), CALL_FAILED);
	assert_non_null(strstr(err_of(&c), ":3: unknown key 'slotz'"));
	call_fini(&c);
	fake_stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_lines),
	        cmocka_unit_test(test_causes), cmocka_unit_test(test_config)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "client/call.h"

#include "tests/unit/fake_status.h"

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)root;
	(void)fd;
	assert_int_equal(type, CONTROL_STATUS);
	out->with_file = true;
	fake_status(&out->file, "home", NULL);
}

/* An answer that is a map, but none of a status. */
static void
stranger(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)type;
	(void)root;
	(void)fd;
	out->with_file = true;
	pack_map(&out->file, 1);
	pack_ktext(&out->file, 1, "what?");
}

static void
test_text_and_json(void **state)
{
	struct fake f;
	struct call c;

	(void)state;
	fake_start(&f, handler);
	assert_int_equal(fake_call(&c, cmd_status, WORDS("status")), CALL_DONE);
	assert_memory_equal(out_of(&c), "node       here", 15);
	call_fini(&c);
	assert_int_equal(fake_call(&c, cmd_status, WORDS("status", "--json")), CALL_DONE);
	assert_memory_equal(out_of(&c), "{\"node\":{", 9);
	assert_memory_equal(out_of(&c) + c.out.len - 2, "}\n", 2);
	call_fini(&c);
	fake_stop(&f);
}

static void
test_usage(void **state)
{
	struct fake f;
	struct call c;

	(void)state;
	fake_start(&f, handler);
	assert_int_equal(fake_call(&c, cmd_status, WORDS("status", "all")), CALL_USAGE);
	assert_non_null(strstr(err_of(&c), "unexpected word 'all'"));
	call_fini(&c);
	assert_int_equal(fake_call(&c, cmd_status, WORDS("status", "--yaml")), CALL_USAGE);
	assert_non_null(strstr(err_of(&c), "--yaml"));
	assert_int_equal(c.out.len, 0);
	call_fini(&c);
	fake_stop(&f);
}

static void
test_no_good_answer(void **state)
{
	struct fake f;
	struct call c;

	(void)state;
	fake_start(&f, NULL);
	assert_int_equal(fake_call(&c, cmd_status, WORDS("status")), CALL_FAILED);
	assert_non_null(strstr(err_of(&c), "no daemon answers at "));
	call_fini(&c);
	fake_stop(&f);
	fake_start(&f, stranger);
	assert_int_equal(fake_call(&c, cmd_status, WORDS("status", "--json")), CALL_FAILED);
	assert_true(c.err.len > 0);
	assert_int_equal(c.out.len, 0);
	call_fini(&c);
	fake_stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_text_and_json),
	        cmocka_unit_test(test_usage), cmocka_unit_test(test_no_good_answer)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

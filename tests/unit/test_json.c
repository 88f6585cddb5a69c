#include "client/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
test_document(void **state)
{
	struct json j;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	json_init(&j, &b);
	json_open_object(&j);
	json_kuint(&j, "n", UINT64_MAX);
	json_key(&j, "list");
	json_open_array(&j);
	json_open_object(&j);
	json_close_object(&j);
	json_bool(&j, true);
	json_null(&j);
	json_scaled(&j, 1234, 100);
	json_scaled(&j, 5, 1000);
	json_scaled(&j, 7, 1);
	json_close_array(&j);
	json_kbool(&j, "no", false);
	json_ktext(&j, "t", "x");
	json_close_object(&j);
	assert_string_equal(buf_text(&b), "{\"n\":18446744073709551615,\"list\":[{},true,null,12."
	                                  "34,0.005,7],\"no\":false,\"t\":\"x\"}\n");
	buf_fini(&b);
}

static void
expect_text(const char *text, const char *want)
{
	struct json j;
	struct buf b;

	buf_init(&b, 4096);
	json_init(&j, &b);
	json_text(&j, text);
	assert_string_equal(buf_text(&b), want);
	buf_fini(&b);
}

static void
test_escapes(void **state)
{
	(void)state;
	expect_text("a\"b\\c", "\"a\\\"b\\\\c\"");
	expect_text("\n\t\001\033", "\"\\n\\t\\u0001\\u001b\"");
	expect_text("\302\233", "\"\\u009b\"");
	expect_text("\342\200\256", "\"\\u202e\"");
	expect_text("\363\240\200\201", "\"\\udb40\\udc01\"");
	expect_text("caf\303\251", "\"caf\303\251\"");
	expect_text("\377x", "\"\\ufffdx\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_document), cmocka_unit_test(test_escapes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "client/call.h"

#include "tests/unit/fake_daemon.h"

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)type;
	(void)root;
	(void)fd;
	out->with_file = true;
	pack_map(&out->file, 1);
	pack_uint(&out->file, 1);
	pack_array(&out->file, 2);
	fake_peer(&out->file, "bbbbbbbb00000000000000000000000b", "alpha\xc2\x9b", false);
	fake_peer(&out->file, "aaaaaaaa00000000000000000000000a", "zeta", true);
}

static void
test_peers(void **state)
{
	struct fake f;
	struct call c;

	(void)state;
	fake_start(&f, handler);
	assert_int_equal(fake_call(&c, cmd_peers, WORDS("peers")), CALL_DONE);
	assert_memory_equal(out_of(&c), "NAME    PLATFORM", 16);
	assert_non_null(strstr(out_of(&c), "\nzeta "));
	assert_non_null(strstr(out_of(&c), "\nalpha? "));
	call_fini(&c);
	assert_int_equal(fake_call(&c, cmd_peers, WORDS("peers", "--json")), CALL_DONE);
	assert_memory_equal(out_of(&c), "[{\"id\":\"aaaaaaaa", 16);
	assert_non_null(strstr(out_of(&c), "\"name\":\"alpha\\u009b\""));
	assert_memory_equal(out_of(&c) + c.out.len - 3, "}]\n", 3);
	call_fini(&c);
	assert_int_equal(
	        fake_call(&c, cmd_peers, WORDS("peers", "--watch")), CALL_USAGE); /* no terminal */
	call_fini(&c);
	assert_int_equal(fake_call(&c, cmd_peers, WORDS("peers", "all")), CALL_USAGE);
	call_fini(&c);
	fake_stop(&f);
}

static void
test_no_daemon(void **state)
{
	char want[256];
	struct fake f;
	struct call c;

	(void)state;
	fake_start(&f, NULL);
	assert_int_equal(fake_call(&c, cmd_peers, WORDS("peers", "--json")), CALL_FAILED);
	snprintf(want, sizeof want,
	        "icemesh: no daemon answers at %s; start it with 'icemeshd' or 'icemesh join'\n",
	        f.socket);
	assert_string_equal(err_of(&c), want);
	assert_int_equal(c.out.len, 0);
	call_fini(&c);
	fake_stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_peers), cmocka_unit_test(test_no_daemon)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

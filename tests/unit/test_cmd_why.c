/* icemesh why: its words, with and without a daemon. */
#include "client/call.h"

#include "tests/unit/fake_daemon.h"
#include "tests/unit/fake_history.h"

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)root;
	(void)fd;
	assert_int_equal(type, CONTROL_WHY);
	out->with_file = true;
	fake_history(&out->file);
}

static void
nothing(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)type;
	(void)root;
	(void)fd;
	out->with_file = true;
	pack_map(&out->file, 1);
	pack_uint(&out->file, 1);
	pack_array(&out->file, 0);
}

/* A call with two words at most; its exit status, and that its output and its complaint hold these. */
static void
expect(int status, const char *word, const char *more, const char *said, const char *complained)
{
	struct call c;

	assert_int_equal(
	        fake_call(&c, cmd_why, word != NULL ? WORDS("why", word, more) : WORDS("why")),
	        status);
	if (strstr(out_of(&c), said) == NULL || strstr(err_of(&c), complained) == NULL)
		fail_msg("said: %s; complained: %s", out_of(&c), err_of(&c));
	assert_int_equal(complained[0] != 0, c.err.len > 0);
	call_fini(&c);
}

static void
test_compiles(void **state)
{
	struct fake f;

	(void)state;
	fake_start(&f, handler);
	expect(CALL_DONE, NULL, NULL, "5 compiles known: 1 ran elsewhere, 4 here", "");
	expect(CALL_DONE, "--json", NULL, "[{\"time\":999.934,", "");
	expect(CALL_DONE, "a/main.c", NULL, "  where    box (abcd0000), source mode\n", "");
	expect(CALL_DONE, "./a/main.o", NULL, "/src/a/main.c\n", "");
	expect(CALL_DONE, "/src/b/main.c", NULL, "  reason   option -fplugin=\n", "");
	expect(CALL_DONE, "--json", "/src/a/main.o", "\"exit\":1,", "");
	expect(CALL_FAILED, "/main.c", NULL, "", "no compile of '/main.c' is known");
	expect(CALL_FAILED, "other.c", NULL, "", "no compile of 'other.c' is known");
	expect(CALL_FAILED, "./linking", NULL, "", "no compile of './linking' is known");
	expect(CALL_FAILED, "--json", "other.c", "[]\n", "no compile of 'other.c' is known");
	fake_stop(&f);
}

static void
test_none_yet(void **state)
{
	struct fake f;

	(void)state;
	fake_start(&f, nothing);
	expect(CALL_DONE, NULL, NULL, "no compile is known yet", "");
	expect(CALL_DONE, "--json", NULL, "[]\n", "");
	fake_stop(&f);
}

/* What words mean can be asked without a daemon. */
static void
test_no_daemon(void **state)
{
	struct fake f;

	(void)state;
	fake_start(&f, NULL);
	expect(CALL_FAILED, NULL, NULL, "",
	        "without it every compile runs here (no-daemon); start it");
	expect(CALL_FAILED, "a.c", NULL, "", "(no-daemon)");
	expect(CALL_DONE, "linking", NULL, "linking: Linking needs this machine's libraries; ", "");
	expect(CALL_DONE, "option -fplugin=", NULL, "option: The named option ", "");
	expect(CALL_DONE, "--reasons", NULL, "\ntoolchain: The compiler could not be packed", "");
	expect(CALL_DONE, "--json", "busy", "[{\"reason\":\"busy\",\"advice\":\"Every peer", "");
	expect(CALL_DONE, "--json", "--reasons", "},{\"reason\":\"busy\",", "");
	fake_stop(&f);
}

static void
test_usage(void **state)
{
	(void)state;
	expect(CALL_USAGE, "a.c", "b.c", "", "unexpected word 'b.c'");
	expect(CALL_USAGE, "", NULL, "", "unexpected word ''");
	expect(CALL_USAGE, "--yaml", NULL, "", "--yaml");
	expect(CALL_USAGE, "--reasons", "a.c", "", "--reasons lists them all");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_compiles),
	        cmocka_unit_test(test_none_yet), cmocka_unit_test(test_no_daemon),
	        cmocka_unit_test(test_usage)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "client/call.h"

#include "tests/unit/fake_daemon.h"

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	uint64_t seconds = 0;

	(void)fd, (void)out;
	if (type == CONTROL_PAUSE && item_get(root, 1) &&
	        (item_uint(root, 1, UINT32_MAX, &seconds) != 0 || seconds != 900))
		_exit(7);
	if (type != CONTROL_PAUSE && type != CONTROL_RESUME)
		_exit(8);
}

static struct fake fake;

static int
set_up(void **state)
{
	(void)state;
	fake_start(&fake, handler);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fake_stop(&fake);
	return 0;
}

static void
expect(int (*run)(struct call *, int, char **), const char *const *words, int status,
        const char *text)
{
	struct call c;

	assert_int_equal(fake_call(&c, run, words), status);
	assert_non_null(strstr(status == CALL_DONE ? out_of(&c) : err_of(&c), text));
	call_fini(&c);
}

static void
test_words(void **state)
{
	(void)state;
	expect(cmd_pause, WORDS("pause"), CALL_DONE, "until 'icemesh resume'");
	expect(cmd_pause, WORDS("pause", "15m"), CALL_DONE, "ends it sooner");
	expect(cmd_pause, WORDS("pause", "soon"), CALL_USAGE, "'soon' is no time");
	expect(cmd_pause, WORDS("pause", "0"), CALL_USAGE, "'0' is no time");
	expect(cmd_pause, WORDS("pause", "15m", "15m"), CALL_USAGE, "unexpected word '15m'");
	expect(cmd_pause, WORDS("pause", "--now"), CALL_USAGE, "unknown option '--now'");
	expect(cmd_resume, WORDS("resume"), CALL_DONE, "lends again");
	expect(cmd_resume, WORDS("resume", "now"), CALL_USAGE, "unexpected word 'now'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_words)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

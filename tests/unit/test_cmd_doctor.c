/* cmd_doctor: what it makes of the daemon and of the configuration; the checks themselves are tested in test_doctor. */
#include "client/call.h"

#include "tests/unit/fake_status.h"

static char said[65536];

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)root;
	(void)fd;
	assert_int_equal(type, CONTROL_STATUS);
	out->with_file = true;
	fake_status(&out->file, "home", "the roof leaks");
}

static void
refuser(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)type;
	(void)root;
	(void)fd;
	fake_error(out, "not today");
}

/* Runs it; what it says is in `said` afterwards. */
static int
doctor(const char *const *words)
{
	struct call c;
	int status = fake_call(&c, cmd_doctor, words);

	snprintf(said, sizeof said, "%s", out_of(&c));
	call_fini(&c);
	return status;
}

static void
says(const char *text)
{
	if (!strstr(said, text))
		print_message("%s\n", said);
	assert_non_null(strstr(said, text));
}

static void
test_daemon_with_a_problem(void **state)
{
	struct fake f;

	(void)state;
	fake_start(&f, handler);
	assert_int_equal(doctor(WORDS("doctor")), CALL_FAILED);
	says("the configuration can be read");
	says("the daemon answers");
	says("this node is a member of mesh 'home'");
	says("the roof leaks");
	says("do this");
	says(" in the way.\n");
	fake_stop(&f);
}

static void
test_no_good_daemon(void **state)
{
	char want[256];
	struct fake f;

	(void)state;
	fake_start(&f, NULL);
	assert_int_equal(doctor(WORDS("doctor")), CALL_FAILED);
	snprintf(want, sizeof want, "no daemon answers at %s", f.socket);
	says(want);
	says("start it with 'icemeshd'");
	fake_stop(&f);
	fake_start(&f, refuser);
	assert_int_equal(doctor(WORDS("doctor")), CALL_FAILED);
	says(" does not answer well: not today");
	fake_stop(&f);
}

/* The rest is looked at all the same. */
static void
test_bad_configuration(void **state)
{
	struct fake f;
	FILE *config;

	(void)state;
	fake_start(&f, NULL);
	config = fopen(f.config, "w");
	assert_non_null(config);
	fputs("slots = many\n", config);
	fclose(config);
	assert_int_equal(doctor(WORDS("doctor")), CALL_FAILED);
	says("configuration: ");
	says("icemesh.conf(5) lists the keys");
	says("no daemon answers at ");
	fake_stop(&f);
}

static void
test_usage(void **state)
{
	struct fake f;

	(void)state;
	fake_start(&f, NULL);
	assert_int_equal(doctor(WORDS("doctor", "me")), CALL_USAGE);
	assert_string_equal(said, "");
	fake_stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_daemon_with_a_problem),
	        cmocka_unit_test(test_no_good_daemon), cmocka_unit_test(test_bad_configuration),
	        cmocka_unit_test(test_usage)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

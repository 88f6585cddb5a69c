/* client/answers: what each kind of change on the disk does to answers that were kept; random ones are test_recall's business. */
#include "client/answers.h"

#include "client/reach.h"
#include "tests/unit/inputs_case.h"

#define DAY_NS (24 * 3600 * 1000000000LL)

static struct buf kept;

/* src/a.c includes a.h beside it, b.h by a link from inc, and c.h, which is nowhere. */
static void
keep(int64_t later_ns)
{
	const struct reach *r;

	assert_int_equal(mkdir("src", 0755), 0);
	assert_int_equal(mkdir("inc", 0755), 0);
	assert_int_equal(mkdir("real", 0755), 0);
	text("src/a.c", "#include \"a.h\"\n#include <b.h>\n#include <c.h>\n");
	text("src/a.h", "");
	text("real/b.h", "");
	text("real/other.h", "");
	assert_int_equal(symlink("../real/b.h", "inc/b.h"), 0);
	rig_search(rig, "inc");
	rig->later_ns = later_ns;
	find_in("src/a.c");
	r = rig->in.memory;
	buf_init(&kept, 1u << 20);
	assert_int_equal(answers_put(&kept, &r->folders, NULL, 0), 0);
	assert_true(answers_hold(kept.data, kept.len));
}

static bool
holds(void)
{
	return answers_hold(kept.data, kept.len);
}

static void
a_file_changes(void **state)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1}};

	(void)state;
	keep(DAY_NS / 2);
	assert_int_equal(utimensat(AT_FDCWD, "src/a.h", times, 0), 0);
	assert_false(holds());
	buf_fini(&kept);
}

/* Its times speak for c.h. */
static void
an_old_folder_changes(void **state)
{
	(void)state;
	keep(2 * DAY_NS);
	text("inc/unasked.h", "");
	assert_false(holds());
	buf_fini(&kept);
}

static void
a_young_folder_is_asked_by_name(void **state)
{
	(void)state;
	keep(DAY_NS / 2);
	text("inc/unasked.h", "");
	text("src/unasked.h", "");
	assert_true(holds());
	text("inc/c.h", "");
	assert_false(holds());
	assert_int_equal(unlink("inc/c.h"), 0);
	assert_true(holds());
	assert_int_equal(mkdir("inc/c.h", 0755), 0);
	assert_false(holds());
	buf_fini(&kept);
}

/* Seen by what it does not see: nobody looks for the name that stands in the place of c.h. */
static void
a_young_folder_that_did_not_change_is_not_asked(void **state)
{
	uint8_t *at;

	(void)state;
	keep(DAY_NS / 2);
	text("src/new.h", "");
	at = memmem(kept.data, kept.len, "c.h", sizeof("c.h"));
	assert_non_null(at);
	memcpy(at, "b.h", sizeof("b.h"));
	assert_true(holds());
	text("inc/unasked.h", "");
	assert_false(holds());
	buf_fini(&kept);
}

static void
a_link_leads_elsewhere(void **state)
{
	(void)state;
	keep(DAY_NS / 2);
	assert_int_equal(unlink("inc/b.h"), 0);
	assert_false(holds());
	assert_int_equal(symlink("../real/other.h", "inc/b.h"), 0);
	assert_false(holds());
	buf_fini(&kept);
}

static void
a_folder_is_another(void **state)
{
	(void)state;
	keep(DAY_NS / 2);
	assert_int_equal(rename("real", "was"), 0);
	assert_false(holds());
	assert_int_equal(symlink("was", "real"), 0);
	assert_false(holds());
	assert_int_equal(unlink("real"), 0);
	assert_int_equal(rename("was", "real"), 0);
	assert_true(holds());
	buf_fini(&kept);
}

/* An output that only the compiler looked for; what the source asks for is no output (client/bundle.h). */
static void
outputs_are_left_out(void **state)
{
	char object[PATH_MAX + 16], header[PATH_MAX + 16];
	const char *but[] = {object, header};
	const struct reach *r;

	(void)state;
	keep(DAY_NS / 2);
	snprintf(object, sizeof(object), "%s/src/a.o", rig->cwd);
	snprintf(header, sizeof(header), "%s/src/a.h", rig->cwd);
	assert_false(inputs_lacks(&rig->in, object));
	inputs_keep(&rig->in);
	r = rig->in.memory;
	buf_reset(&kept);
	assert_int_equal(answers_put(&kept, &r->folders, but, 2), 0);
	text("src/a.o", "");
	assert_true(holds());
	assert_int_equal(unlink("src/a.h"), 0);
	assert_false(holds());
	buf_fini(&kept);
}

static void
damaged_bytes_do_not_hold(void **state)
{
	uint8_t *copy;

	(void)state;
	keep(DAY_NS / 2);
	assert_false(answers_hold(kept.data, 0));
	copy = malloc(kept.len);
	assert_non_null(copy);
	for (size_t i = 0; i < kept.len; i++) {
		memcpy(copy, kept.data, kept.len);
		copy[i] ^= 0x55;
		/* some bytes say nothing of a name, so either answer is right; it must only end */
		(void)answers_hold(copy, kept.len);
		memset(copy + i, 0xff, kept.len - i);
		assert_false(answers_hold(copy, kept.len));
	}
	free(copy);
	buf_fini(&kept);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(a_file_changes), TEST(an_old_folder_changes),
	        TEST(a_young_folder_is_asked_by_name),
	        TEST(a_young_folder_that_did_not_change_is_not_asked), TEST(a_link_leads_elsewhere),
	        TEST(a_folder_is_another), TEST(outputs_are_left_out),
	        TEST(damaged_bytes_do_not_hold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

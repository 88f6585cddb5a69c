#include "client/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/inputs_rig.h"

#define LATER_NS 10000000000LL

static struct rig *rig;
static struct folders t;
static struct identity id;
static char path[2 * PATH_MAX];

/* Begins a job, `later` after now. */
static void
begin(int64_t later)
{
	struct timespec now;

	folders_fini(&t);
	clock_gettime(CLOCK_REALTIME, &now);
	assert_int_equal(folders_init(&t, rig->graph,
	                         now.tv_sec * 1000000000LL + now.tv_nsec + later, rig->why),
	        0);
}

static void
look(void)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	identity_of(&id, &st);
}

static int
start(void **state)
{
	if (rig_enter(state))
		return -1;
	rig = *state;
	memset(&t, 0, sizeof(t));
	snprintf(path, sizeof(path), "%s/x.h", rig->cwd);
	return scratch_text(path, "#include <y.h>\n#define M \"z.h\"\n");
}

static int
stop(void **state)
{
	folders_fini(&t);
	return rig_leave(state);
}

static void
check(const struct facts *f, const char *text, const char *operand)
{
	enum include_kind kind;
	const char *name;
	struct digest d;
	size_t at = 0, len;

	digest_of(&d, text, strlen(text));
	assert_true(digest_equal(&d, &f->digest));
	assert_true(includes_next(f->list, f->list_len, &at, &kind, &name, &len));
	assert_int_equal(kind, INCLUDE_ANGLE);
	assert_int_equal(len, strlen(operand));
	assert_memory_equal(name, operand, len);
}

static void
kept_while_the_file_stays(void **state)
{
	static const char first[] = "#include <y.h>\n#define M \"z.h\"\n",
	                  second[] = "#include <v.h>\n#define M \"z.h\"\n";
	const struct timespec old[2] = {{1000000, 5}, {1000000, 5}};
	struct identity was;
	struct facts f;
	uint64_t used;

	(void)state;
	look();
	begin(LATER_NS);
	assert_int_equal(facts_find(&f, &t, path, &id, true), 0);
	check(&f, first, "y.h");
	used = rig_used(rig);
	begin(LATER_NS);
	assert_int_equal(facts_find(&f, &t, path, &id, true), 0);
	check(&f, first, "y.h");
	/* by opening it, too */
	assert_int_equal(facts_find(&f, &t, path, &id, false), 0);
	check(&f, first, "y.h");
	assert_int_equal(rig_used(rig), used);
	/* Another file of the same size and age at its place. */
	was = id;
	assert_int_equal(
	        unlink(path) || scratch_text(path, second) || utimensat(AT_FDCWD, path, old, 0), 0);
	assert_int_equal(facts_find(&f, &t, path, &id, false), 0);
	check(&f, second, "v.h");
	assert_false(identity_equal(&was, &id));
}

static void
young_files_are_not_kept(void **state)
{
	struct facts f;
	uint64_t used = rig_used(rig);

	(void)state;
	look();
	/* What the file's clock says is at most a tick behind. */
	begin(0);
	assert_int_equal(facts_find(&f, &t, path, &id, true), 0);
	if (t.now_ns - id.ctime_ns < 50000000)
		assert_int_equal(rig_used(rig), used);
	begin(0);
	t.now_ns = id.ctime_ns + 49000000;
	assert_int_equal(facts_find(&f, &t, path, &id, true), 0);
	t.now_ns = id.ctime_ns + 51000000;
	used = rig_used(rig);
	assert_int_equal(facts_find(&f, &t, path, &id, true), 0);
	assert_true(rig_used(rig) > used || id.ctime_ns % 1000000000 == 0);
}

static void
what_cannot_be_read(void **state)
{
	struct facts f;

	(void)state;
	begin(0);
	look();
	assert_int_equal(unlink(path), 0);
	assert_int_equal(facts_find(&f, &t, path, &id, true), IM_ERR_REFUSED);
	assert_non_null(strstr(rig->why, "x.h: No such file"));
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(facts_find(&f, &t, path, &id, true), IM_ERR_REFUSED);
	assert_int_equal(unlink(path) || mkfifo(path, 0644), 0);
	assert_int_equal(facts_find(&f, &t, path, &id, true), IM_ERR_REFUSED);
	assert_non_null(strstr(rig->why, "no regular file"));
	assert_int_equal(
	        unlink(path) || scratch_text(path, "") || truncate(path, INCLUDES_TEXT_MAX + 1), 0);
	assert_int_equal(facts_find(&f, &t, path, &id, true), IM_ERR_REFUSED);
	assert_non_null(strstr(rig->why, "too large"));
	/* What says nothing of its size can only be read. */
	assert_int_equal(facts_find(&f, &t, "/proc/self/status", &id, true), IM_ERR_REFUSED);
	assert_non_null(strstr(rig->why, "changes while it is read"));
}

static void
an_empty_file(void **state)
{
	struct facts f;

	(void)state;
	assert_int_equal(truncate(path, 0), 0);
	look();
	begin(LATER_NS);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(facts_find(&f, &t, path, &id, true), 0);
		assert_int_equal(f.list_len, 0);
		assert_int_equal(f.flags, 0);
	}
}

static void
meanings_are_kept_for_each_macro(void **state)
{
	enum include_kind kind;
	struct meaning m;
	struct buf text;
	const char *name;
	uint64_t used = 0;

	(void)state;
	look();
	buf_init(&text, 1 << 20);
	for (int i = 0; i < 2; i++) {
		size_t at = 0, len;

		begin(LATER_NS);
		assert_int_equal(facts_meaning(&m, &t, path, &id, "M", &text), 0);
		assert_false(m.undecided);
		assert_true(includes_next(m.list, m.list_len, &at, &kind, &name, &len));
		assert_int_equal(kind, INCLUDE_QUOTE);
		assert_memory_equal(name, "z.h", 3);
		assert_int_equal(facts_meaning(&m, &t, path, &id, "N", &text), 0);
		assert_int_equal(m.list_len, 0);
		assert_true(i == 0 || rig_used(rig) == used);
		used = rig_used(rig);
		/* not even opened the second time */
		buf_fini(&text);
		if (i == 0)
			assert_int_equal(unlink(path), 0);
	}
	assert_int_equal(scratch_text(path, "#define M(x) x\n"), 0);
	assert_int_equal(facts_meaning(&m, &t, path, &id, "O", &text), IM_ERR_REFUSED);
	look();
	assert_int_equal(facts_meaning(&m, &t, path, &id, "M", &text), 0);
	assert_true(m.undecided);
	buf_fini(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(kept_while_the_file_stays),
	        TEST(young_files_are_not_kept), TEST(what_cannot_be_read), TEST(an_empty_file),
	        TEST(meanings_are_kept_for_each_macro)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

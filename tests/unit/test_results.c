/* client/results: what a peer sends back, in order, within its limits, and what stands on the disk afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/wait.h>
#include "client/results.h"
#include "tests/unit/scratch.h"

#define OBJECT "\177ELF and so on"
#define MAX 1000

static char cwd[PATH_MAX];
static struct product products[2];
static struct results r;

static int
start(void **state)
{
	(void)state;
	products[0] = (struct product){
	        .path = "a.o", .way = OUTPUT_RENAME, .object = true, .required = true};
	products[1] = (struct product){.path = "a.d", .way = OUTPUT_WRITE};
	return scratch_enter(cwd) || results_init(&r, products, 2, true, MAX);
}

static int
stop(void **state)
{
	(void)state;
	results_fini(&r);
	return scratch_leave(cwd);
}

/* A result whose outputs are these texts, NULL for an absent one: stdout, stderr, a.o, a.d, findings. */
static struct job_result
result_of(int exit_code, const char *const texts[5])
{
	struct job_result said = {.exit_code = exit_code, .noutputs = 5};

	for (int i = 0; i < 5; i++)
		if (texts[i] != NULL) {
			said.outputs[i].present = 1;
			said.outputs[i].size = strlen(texts[i]);
			digest_of(&said.outputs[i].digest, texts[i], strlen(texts[i]));
		}
	return said;
}

static int
say(const struct job_result *said)
{
	struct buf b;
	int err;

	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_result_encode(said, &b), 0);
	err = results_said(&r, b.data, b.len);
	buf_fini(&b);
	return err;
}

#define TEXTS(...) ((const char *const[5]){__VA_ARGS__})

/* Says and sends everything, in pieces; the first error, or 0. */
static int
take(int exit_code, const char *const texts[5])
{
	struct job_result said = result_of(exit_code, texts);
	int err = say(&said);

	if (err == 0)
		err = results_open(&r, false);
	for (int i = 0; err == 0 && i < 5; i++)
		for (size_t at = 0; err == 0 && texts[i] != NULL && texts[i][at] != 0;) {
			size_t left = strlen(texts[i] + at), n = left < 5 ? left : 5;

			assert_false(results_full(&r));
			err = results_put(&r, texts[i] + at, n);
			at += n;
		}
	if (err != 0)
		return err;
	assert_true(results_full(&r));
	return results_check(&r);
}

static void
assert_file(const char *path, const char *text)
{
	size_t len;
	char *got = scratch_read(path, &len);

	if (text == NULL) {
		assert_null(got);
		return;
	}
	assert_non_null(got);
	assert_string_equal(got, text);
	free(got);
}

static bool
has_temporary(void)
{
	return system("ls -A | grep -q icemesh") == 0;
}

static void
stand(unsigned i, const char *text)
{
	assert_int_equal(scratch_text(products[i].path, text), 0);
	products[i].stood = true;
}

/* What goes to a descriptor while results_print() runs. */
static void
assert_printed(int fd, const char *text)
{
	int saved = dup(fd), file = open("printed", O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(saved >= 0 && file >= 0);
	fflush(NULL);
	dup2(file, fd);
	results_print(&r);
	dup2(saved, fd);
	close(saved);
	close(file);
	assert_file("printed", text);
}

static void
test_success(void **state)
{
	int null = open("/dev/null", O_WRONLY), saved;

	(void)state;
	assert_int_equal(take(0, TEXTS("told\n", "warned\n", OBJECT, "a.o: a.c\n", "m/none")), 0);
	assert_file("a.o", NULL);
	assert_file("a.d", NULL);
	assert_int_equal(results_commit(&r), 0);
	assert_file("a.o", OBJECT);
	assert_file("a.d", "a.o: a.c\n");
	assert_false(has_temporary());
	assert_int_equal(r.findings.len, 6);
	fflush(NULL);
	saved = dup(STDERR_FILENO);
	dup2(null, STDERR_FILENO);
	assert_printed(STDOUT_FILENO, "told\n");
	dup2(saved, STDERR_FILENO);
	saved = dup(STDOUT_FILENO);
	dup2(null, STDOUT_FILENO);
	assert_printed(STDERR_FILENO, "warned\n");
	dup2(saved, STDOUT_FILENO);
	close(null);
}

static void
test_empty_outputs(void **state)
{
	(void)state;
	products[0].object = false;
	assert_int_equal(take(0, TEXTS("", "", "", "", "")), 0);
	assert_int_equal(results_commit(&r), 0);
	assert_file("a.o", "");
	assert_file("a.d", "");
}

/* A compile that fails leaves nothing, removes what stood there, or leaves it, as its marker says. */
static void
test_failed_compile(void **state)
{
	(void)state;
	assert_int_equal(take(1, TEXTS("", "error\n", NULL, NULL, "")), 0);
	assert_int_equal(results_commit(&r), 0);
	assert_file("a.o", NULL);
	stand(0, "old object");
	stand(1, "old rule");
	assert_int_equal(take(1, TEXTS("", "error\n", NULL, RESULTS_MARKER, "")), 0);
	assert_int_equal(results_commit(&r), 0);
	assert_file("a.o", NULL);
	assert_file("a.d", "old rule");
	stand(0, "old object");
	assert_int_equal(take(1, TEXTS("", "error\n", RESULTS_MARKER, NULL, "")), 0);
	assert_int_equal(results_commit(&r), 0);
	assert_file("a.o", "old object");
	assert_file("a.d", NULL);
	/* gone already */
	assert_int_equal(take(1, TEXTS("", "error\n", RESULTS_MARKER, NULL, "")), 0);
	assert_int_equal(results_commit(&r), 0);
	assert_false(has_temporary());
}

/* Written before it failed: a rule, and half an object, which need not look like one. */
static void
test_failed_compile_writes(void **state)
{
	(void)state;
	stand(1, "old rule");
	assert_int_equal(take(1, TEXTS("", "error\n", "half", "new rule", "")), 0);
	assert_int_equal(results_commit(&r), 0);
	assert_file("a.o", "half");
	assert_file("a.d", "new rule");
}

/* Nothing but a marker's own bytes, where nothing stood, is a file like others; a success that leaves the main output as it was is none. */
static void
test_markers(void **state)
{
	(void)state;
	assert_int_equal(take(0, TEXTS("", "", OBJECT, RESULTS_MARKER, "")), 0);
	assert_int_equal(results_commit(&r), 0);
	assert_file("a.d", RESULTS_MARKER);
	stand(0, "old");
	assert_int_equal(take(0, TEXTS("", "", RESULTS_MARKER, NULL, "")), IM_ERR_FORMAT);
	results_fini(&r);
	products[0].object = false;
	assert_int_equal(results_init(&r, products, 2, true, MAX), 0);
	assert_int_equal(take(0, TEXTS("", "", RESULTS_MARKER, NULL, "")), 0);
	assert_int_equal(results_commit(&r), IM_ERR_SYSTEM);
	assert_file("a.o", "old");
}

static void
test_required(void **state)
{
	(void)state;
	assert_int_equal(take(0, TEXTS("", "", NULL, "rule", "")), IM_ERR_FORMAT);
	results_abort(&r);
	assert_false(has_temporary());
	assert_int_equal(take(0, TEXTS("", "", "no object", NULL, "")), IM_ERR_FORMAT);
	results_abort(&r);
	assert_false(has_temporary());
}

static void
test_not_this_jobs(void **state)
{
	struct job_result said = result_of(0, TEXTS("", "", OBJECT, NULL, ""));
	struct results text;

	(void)state;
	assert_int_equal(results_said(&r, "nonsense", 8), IM_ERR_FORMAT);
	assert_true(results_full(&r));
	said.noutputs = 4;
	assert_int_equal(say(&said), IM_ERR_FORMAT);
	said.noutputs = 6;
	assert_int_equal(say(&said), IM_ERR_FORMAT);
	/* findings must be said, unless nothing ran */
	said = result_of(0, TEXTS("x", "", OBJECT, NULL, NULL));
	assert_int_equal(say(&said), IM_ERR_FORMAT);
	assert_int_equal(results_put(&r, "x", 1), IM_ERR_LIMIT);
	said.end = JOB_TIMEOUT;
	assert_int_equal(say(&said), 0);
	/* in preprocessed mode there are none */
	assert_int_equal(results_init(&text, products, 1, false, MAX), 0);
	said = result_of(0, TEXTS("", "", OBJECT, NULL, NULL));
	said.noutputs = 3;
	{
		struct buf b;

		buf_init(&b, JOB_LEN_MAX);
		assert_int_equal(job_result_encode(&said, &b), 0);
		assert_int_equal(results_said(&text, b.data, b.len), 0);
		buf_fini(&b);
	}
	results_fini(&text);
}

static void
test_announces_too_much(void **state)
{
	struct job_result said;

	(void)state;
	for (int i = 0; i < 5; i++) {
		static const uint64_t limits[] = {
		        RESULTS_CONSOLE_MAX, RESULTS_CONSOLE_MAX, MAX, MAX, FINDINGS_LEN_MAX};

		said = result_of(0, TEXTS("", "", "", NULL, ""));
		said.outputs[i].present = 1;
		said.outputs[i].size = limits[i];
		assert_int_equal(say(&said), 0);
		said.outputs[i].size++;
		assert_int_equal(say(&said), IM_ERR_LIMIT);
		said.outputs[i].size = 1ULL << 50;
		assert_int_equal(say(&said), IM_ERR_LIMIT);
	}
	/* together; what is printed has its own limits */
	said = result_of(0, TEXTS("told", "warned", "", "", ""));
	said.outputs[2].size = MAX - 10;
	said.outputs[3].size = 10;
	assert_int_equal(say(&said), 0);
	said.outputs[3].size = 11;
	assert_int_equal(say(&said), IM_ERR_LIMIT);
}

static void
test_bytes_that_do_not_fit(void **state)
{
	struct job_result said = result_of(0, TEXTS("", "abc", OBJECT, NULL, ""));

	(void)state;
	assert_int_equal(say(&said), 0);
	assert_int_equal(results_open(&r, false), 0);
	assert_int_equal(results_put(&r, "", 0), IM_ERR_LIMIT);
	assert_int_equal(
	        results_put(&r, "abcd", 4), IM_ERR_LIMIT); /* a block ends where its output does */
	assert_int_equal(results_put(&r, "abc", 3), 0);
	assert_int_equal(results_put(&r, OBJECT "x", strlen(OBJECT) + 1), IM_ERR_LIMIT);
	assert_int_equal(results_put(&r, OBJECT, strlen(OBJECT)), 0);
	assert_true(results_full(&r));
	assert_int_equal(results_put(&r, "x", 1), IM_ERR_LIMIT);
	assert_int_equal(results_check(&r), 0);
	results_abort(&r);
	assert_false(has_temporary());
}

static void
test_other_bytes_than_announced(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		static const char *const texts[5] = {"out", "err", OBJECT, "rule", "m/none"};
		struct job_result said = result_of(0, texts);

		said.outputs[i].digest.bytes[7] ^= 1;
		assert_int_equal(say(&said), 0);
		assert_int_equal(results_open(&r, false), 0);
		for (int k = 0; k < 5; k++)
			assert_int_equal(results_put(&r, texts[k], strlen(texts[k])), 0);
		assert_int_equal(results_check(&r), IM_ERR_DIGEST);
		results_abort(&r);
	}
	assert_false(has_temporary());
	assert_file("a.o", NULL);
}

static void
test_skips(void **state)
{
	struct job_result said = result_of(0, TEXTS("out", "", "no object", NULL, ""));

	(void)state;
	assert_int_equal(say(&said), 0);
	assert_int_equal(results_open(&r, true), 0);
	assert_int_equal(results_put(&r, "out", 3), 0);
	assert_int_equal(results_put(&r, "no object", 9), 0);
	assert_true(results_full(&r));
	assert_int_equal(r.console[0].len, 0);
	assert_false(has_temporary());
	/* not worth the channel */
	said.outputs[0].size = RESULTS_SKIP_MAX;
	said.outputs[2].size = 0;
	assert_int_equal(say(&said), 0);
	assert_int_equal(results_open(&r, true), 0);
	said.outputs[2].size = 1;
	assert_int_equal(say(&said), 0);
	assert_int_equal(results_open(&r, true), IM_ERR_LIMIT);
}

/* The next attempt begins anew. */
static void
test_again(void **state)
{
	struct job_result said = result_of(0, TEXTS("out", "", OBJECT, NULL, ""));

	(void)state;
	assert_int_equal(say(&said), 0);
	assert_int_equal(results_open(&r, false), 0);
	assert_int_equal(results_put(&r, "out", 3), 0);
	assert_int_equal(results_put(&r, OBJECT, 4), 0);
	results_abort(&r);
	assert_false(has_temporary());
	assert_int_equal(take(0, TEXTS("", "other", OBJECT, NULL, "")), 0);
	assert_int_equal(r.console[0].len, 0);
	assert_int_equal(results_commit(&r), 0);
	assert_file("a.o", OBJECT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

/* Sets fd 2 to what is given, asks, and puts it back. */
static bool
heard_by(int fd, bool closed_at_exec)
{
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
	bool heard;

	dup3(fd, STDERR_FILENO, closed_at_exec ? O_CLOEXEC : 0);
	heard = results_heard(&r);
	dup2(saved, STDERR_FILENO);
	close(saved);
	return heard;
}

static void
test_damaged(void **state)
{
	(void)state;
	stand(1, "a.o: old.c\n");
	products[1].linked = true;
	assert_int_equal(take(0, TEXTS("", "", OBJECT, "a.o: a.c\n", "")), 0);
	assert_false(results_damaged(&r));
	assert_int_equal(take(1, TEXTS("", "bad\n", NULL, RESULTS_MARKER, "")), 0);
	assert_false(results_damaged(&r));
	assert_int_equal(take(1, TEXTS("", "bad\n", NULL, NULL, "")), 0);
	assert_true(results_damaged(&r));
	products[1].linked = false;
	assert_false(results_damaged(&r));
}

static void
test_heard(void **state)
{
	int null = open("/dev/null", O_WRONLY), full = open("/dev/full", O_WRONLY), ends[2];

	(void)state;
	assert_true(null >= 0 && full >= 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(take(0, TEXTS("", "", OBJECT, NULL, "")), 0);
	assert_true(heard_by(full, true));
	assert_int_equal(take(0, TEXTS("", "warned\n", OBJECT, NULL, "")), 0);
	assert_true(heard_by(null, false));
	assert_true(heard_by(ends[1], false));
	assert_false(heard_by(null, true));
	assert_false(heard_by(full, false));
	close(ends[0]);
	assert_false(heard_by(ends[1], false));
	close(ends[1]);
	close(null);
	close(full);
}

/* A pipe that somebody made not to block loses nothing. */
static void
test_prints_all(void **state)
{
	static char text[200000], block[4096];
	int ends[2], status;
	size_t sum = 0;
	ssize_t n;
	pid_t pid;

	(void)state;
	memset(text, 'x', sizeof text);
	buf_reset(&r.console[1]);
	buf_put(&r.console[1], text, sizeof text);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDERR_FILENO);
		results_print(&r);
		_exit(0);
	}
	close(ends[1]);
	while ((n = read(ends[0], block, sizeof block)) > 0)
		sum += (size_t)n;
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(sum, sizeof text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_success), TEST(test_empty_outputs),
	        TEST(test_failed_compile), TEST(test_failed_compile_writes), TEST(test_markers),
	        TEST(test_required), TEST(test_not_this_jobs), TEST(test_announces_too_much),
	        TEST(test_bytes_that_do_not_fit), TEST(test_other_bytes_than_announced),
	        TEST(test_skips), TEST(test_again), TEST(test_damaged), TEST(test_heard),
	        TEST(test_prints_all)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* client/submit in source mode: a bundle of a real compile against a made-up daemon and made-up peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "client/submit.h"
#include "tests/unit/bundle_rig.h"
#include "tests/unit/fake_peer.h"

#define LOST "report:0:1:peer-lost "

struct source {
	struct bundle_rig rig;
	struct fake fake;
	struct daemon daemon;
	struct submit s;
	char slots[PATH_MAX + 8];
};

static void
source_open(struct source *b, const char *script)
{
	memset(b, 0, sizeof *b);
	assert_int_equal(bundle_rig_enter(&b->rig), 0);
	assert_int_equal(bundle_rig_make(&b->rig, BUNDLE_ARGV("-c", "a.c")), 0);
	assert_int_equal(scratch_text("later.h", ""), 0);
	snprintf(b->slots, sizeof b->slots, "%s/slots", b->rig.cwd);
	fake_start(&b->fake, script);
	assert_int_equal(fcntl(b->fake.fd, F_SETFL, O_NONBLOCK), 0);
	daemon_init(&b->daemon, b->fake.fd);
	b->s = (struct submit){.daemon = &b->daemon,
	        .bundle = &b->rig.bundle,
	        .env = environ,
	        .output_max = 64 << 20,
	        .job_ms = 20000,
	        .slot_folder = b->slots,
	        .slots = 1,
	        .slot_fd = -1};
}

/* What the compile would have printed goes into the file "printed". */
static void
source_run(struct source *b)
{
	int saved, printed = open("printed", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(printed >= 0);
	fflush(NULL);
	saved = dup(STDERR_FILENO);
	dup2(printed, STDERR_FILENO);
	submit_run(&b->s);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(printed);
	daemon_fini(&b->daemon);
	assert_int_equal(fake_end(&b->fake), 0);
	assert_int_not_equal(system("ls -A | grep -q '^.icemesh-'"), 0);
}

static void
source_close(struct source *b)
{
	submit_fini(&b->s);
	fake_free(&b->fake);
	assert_int_equal(bundle_rig_leave(&b->rig), 0);
}

static void
assert_text(const char *path, const char *text)
{
	size_t len;
	char *got = scratch_read(path, &len);

	assert_non_null(got);
	assert_string_equal(got, text);
	free(got);
}

#define SOURCE_TEXT "#include <stdio.h>\n#include \"h.h\"\n#include \"inc/i.h\"\nint a = H + I;\n"

static void
test_source_success(void **state)
{
	struct source b;

	(void)state;
	source_open(&b, "s");
	source_run(&b);
	assert_string_equal(b.fake.log, "want:0 a.c blobs return ");
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_int_equal(b.s.exit_code, 0);
	assert_text("a.o", "\177ELF" SOURCE_TEXT);
	assert_text("printed", "");
	source_close(&b);
}

static void
test_source_messages(void **state)
{
	struct source b;

	(void)state;
	source_open(&b, "a");
	source_run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_int_equal(b.s.exit_code, 0);
	assert_text("a.o", "\177ELF" SOURCE_TEXT);
	assert_text("printed", "oh!");
	source_close(&b);
	source_open(&b, "c");
	source_run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_int_equal(b.s.exit_code, 1);
	assert_int_equal(access("a.o", F_OK), -1);
	assert_text("printed", "oh!");
	source_close(&b);
	/* exact only here: nothing of it is shown */
	source_open(&b, "a");
	b.rig.bundle.translated = true;
	source_run(&b);
	assert_int_equal(b.s.state, SUBMIT_LOCAL);
	assert_string_equal(b.s.reason, "diagnostics");
	assert_text("printed", "");
	assert_int_equal(access("a.o", F_OK), -1);
	source_close(&b);
}

static void
expect_missed(const char *script, const char *text, bool learned)
{
	struct source b;

	source_open(&b, script);
	source_run(&b);
	assert_string_equal(b.fake.log, "want:0 a.c blobs return ");
	assert_int_equal(b.s.state, SUBMIT_LOCAL);
	assert_string_equal(b.s.reason, "include-missed");
	assert_int_equal(b.s.learned, learned);
	assert_non_null(strstr(b.s.text, text));
	assert_int_equal(access("a.o", F_OK), -1);
	source_close(&b);
}

static void
test_source_findings(void **state)
{
	(void)state;
	expect_missed("i", "/later.h", false);
	expect_missed("k", "/made", false);
	expect_missed("z", "cannot be read", false);
	expect_missed("j", "looks for more", true);
}

/* What a peer learned about is in the next bundle, and then counts. */
static void
test_source_learns(void **state)
{
	struct source b;
	bool there = false;

	(void)state;
	source_open(&b, "j");
	source_run(&b);
	assert_true(b.s.learned);
	assert_int_equal(bundle_rig_make(&b.rig, BUNDLE_ARGV("-c", "a.c")), 0);
	for (uint32_t i = 0; i < b.rig.bundle.inputs.nfiles; i++)
		there |= strcmp(b.rig.bundle.inputs.files[i].path, "/etc/passwd") == 0;
	assert_true(there);
	source_close(&b);
}

static void
test_source_another_peer(void **state)
{
	struct source b;

	(void)state;
	source_open(&b, "As");
	source_run(&b);
	assert_string_equal(b.fake.log, "want:0 a.c closed " LOST "want:1 a.c blobs return ");
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_int_equal(b.s.retries, 1);
	assert_text("a.o", "\177ELF" SOURCE_TEXT);
	source_close(&b);
}

/* Two copies: what is printed and written is one result's, and so are the findings that count. */
static void
expect_copies(const char *script, const char *log, const char *printed)
{
	struct source b;

	source_open(&b, script);
	source_run(&b);
	assert_string_equal(b.fake.log, log);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_true(b.s.hedged);
	assert_int_equal(b.s.retries, 0);
	assert_true(b.rig.bundle.checked);
	assert_text("a.o", "\177ELF" SOURCE_TEXT);
	assert_text("printed", printed);
	source_close(&b);
}

static void
test_source_copies(void **state)
{
	struct source b;

	(void)state;
	expect_copies("(1+1S2+2s1X)", "want:0 a.c blobs a.c blobs closed return ", "");
	expect_copies("(1+1S2+2a1X)", "want:0 a.c blobs a.c blobs closed return ", "oh!");
	expect_copies("(1+2+1a2X)", "want:0 a.c blobs closed return ", "oh!");
	/* what a peer lacked, the other one lacks, too */
	source_open(&b, "(1+1S2+2j1X)");
	source_run(&b);
	assert_string_equal(b.fake.log, "want:0 a.c blobs a.c blobs closed return ");
	assert_int_equal(b.s.state, SUBMIT_LOCAL);
	assert_true(b.s.learned);
	assert_int_equal(access("a.o", F_OK), -1);
	source_close(&b);
}

static void
test_source_changes(void **state)
{
	struct source b;

	(void)state;
	source_open(&b, "s");
	assert_int_equal(scratch_text("a.c", "int other;\n"), 0);
	source_run(&b);
	assert_int_equal(b.s.state, SUBMIT_LOCAL);
	assert_string_equal(b.s.reason, "input-changed");
	assert_int_equal(access("a.o", F_OK), -1);
	source_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_source_success),
	        cmocka_unit_test(test_source_messages),
	        cmocka_unit_test(test_source_findings),
	        cmocka_unit_test(test_source_learns),
	        cmocka_unit_test(test_source_another_peer),
	        cmocka_unit_test(test_source_copies),
	        cmocka_unit_test(test_source_changes),
	};

	alarm(100);
	if (access(BUNDLE_RIG_GCC, X_OK) != 0) {
		print_message("1..0 # SKIP no gcc\n");
		return 0;
	}
	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

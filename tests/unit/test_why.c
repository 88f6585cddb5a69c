/* client/why: what is told of compiles as a table, in full and as JSON, whatever bytes names hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "client/printable.h"
#include "client/why.h"
#include "tests/unit/fake_history.h"

static struct buf answer, out;
static struct packet *packet;
static struct why w;
static const struct why_view piped = {.now_ms = 1010000, .cwd = "/src/b"};

static void
open_answer(void)
{
	assert_int_equal(buf_err(&answer), 0);
	assert_int_equal(packet_open(&packet, answer.data, answer.len), 0);
	assert_int_equal(why_decode(&w, packet_root(packet)), 0);
}

static int
setup(void **state)
{
	(void)state;
	buf_init(&answer, 4 << 20);
	buf_init(&out, 1 << 20);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	why_fini(&w);
	packet_free(packet);
	packet = NULL;
	buf_fini(&answer);
	buf_fini(&out);
	return 0;
}

static void
test_table(void **state)
{
	const char *text;

	(void)state;
	fake_history(&answer);
	open_answer();
	assert_int_equal(why_table(&w, &piped, &out), 0);
	text = buf_text(&out);
	assert_non_null(strstr(text, " AGO  WHERE  REASON                       FILE           MS\n"
	                             " 10s  box    -                            /src/a/main.c  66\n"
	                             "9.0s  here   option -fplugin=             main.c          -\n"
	                             "8.0s  here   peer-lost                    ?[31mred.c      -\n"
	                             "7.0s  here   option -specs=               /src/c.c        -\n"
	                             "6.0s  here   new-word of a later version  -               -\n"
	                             "\n5 compiles known: 1 ran elsewhere, 4 here\n"
	                             "option (2): The named option "));
	assert_non_null(strstr(text, "\npeer-lost (1): The peer went away "));
	assert_non_null(
	        strstr(text, "\nnew-word (1): This version of icemesh does not know the word.\n"));
}

/* On a terminal lines fit, names lose their beginning, and there are fewer rows. */
static void
test_terminal(void **state)
{
	struct why_view v = piped;
	char file[600], line[600];
	struct history *h = history_new();
	const char *text;
	unsigned rows = 0;

	(void)state;
	assert_non_null(h);
	for (unsigned i = 0; i < 40; i++) {
		snprintf(file, sizeof file, "/%0500u/\303\274ber-%u.c", 0u, i);
		history_add(h, 1, 1000,
		        &(struct account){.verdict = VERDICT_LOCAL,
		                .reason = "linking",
		                .file = file,
		                .exit = -1});
	}
	history_encode(h, 1, &answer);
	history_free(h);
	open_answer();
	v.width = 60;
	v.height = 20;
	assert_int_equal(why_table(&w, &v, &out), 0);
	text = buf_text(&out);
	for (; sscanf(text, "%599[^\n]", line) == 1 && line[0] != 0;
	        text = strchr(text, '\n') + 1) {
		assert_true(text_width(line) <= 60);
		if (rows++ > 0)
			assert_non_null(strstr(line, "..."));
		if (text[strcspn(text, "\n") + 1] == '\n')
			break;
	}
	/* below: a blank line, one of counts, three of a reason, the shell's */
	assert_int_equal(rows, 1 + 13);
	assert_non_null(strstr(line, "/\303\274ber-39.c"));
	v.height = 3;
	buf_reset(&out);
	assert_int_equal(why_table(&w, &v, &out), 0);
	assert_null(strstr(buf_text(&out), "ber-34.c"));
	assert_non_null(strstr(buf_text(&out), "ber-35.c"));
}

static void
pick(const char *path, const char *name, uint32_t expected)
{
	struct why part = {.list = calloc(w.n, sizeof *w.list), .n = w.n};

	assert_non_null(part.list);
	memcpy(part.list, w.list, w.n * sizeof *w.list);
	why_pick(&part, path, name);
	assert_int_equal(part.n, expected);
	buf_reset(&out);
	why_details(&part, &piped, &out);
	why_fini(&part);
}

static void
test_pick(void **state)
{
	(void)state;
	fake_history(&answer);
	open_answer();
	pick("/src/b/main.c", "main.c", 1);
	assert_non_null(strstr(buf_text(&out), "/src/b/main.c\n"));
	pick("/elsewhere/main.c", "main.c", 2);
	pick("/elsewhere/a/main.o", "a/main.o", 1);
	assert_non_null(strstr(buf_text(&out), "/src/a/main.c\n"));
	pick("/elsewhere/ain.c", "ain.c", 0);
	pick("", "", 0);
	pick("/src/a/main.c/", "/src/a/main.c", 1);
}

static void
test_details(void **state)
{
	(void)state;
	fake_history(&answer);
	open_answer();
	why_details(&w, &piped, &out);
	assert_non_null(strstr(buf_text(&out),
	        "/src/a/main.c\n"
	        "  when     10s ago, by user 1000\n"
	        "  output   /src/a/main.o\n"
	        "  where    box (abcd0000), source mode\n"
	        "  before   gone: the connection broke\n"
	        "  times    plan 1, lease 2, send 3, queue 4, compile 50, receive 6; 66 ms in all\n"
	        "  bytes    2.0 KiB sent, 12 B received\n"
	        "  retries  1\n"
	        "  exit     1\n"
	        "\n"
	        "/src/b/main.c\n"
	        "  when     9.0s ago, by user 1000\n"
	        "  output   /src/b/main.o\n"
	        "  where    here\n"
	        "  reason   option -fplugin=\n"
	        "           The named option "));
	assert_non_null(strstr(buf_text(&out),
	        "/src/b/?[31mred.c\n"
	        "  when     8.0s ago, by user 1000\n"
	        "  output   /src/b/red.o\n"
	        "  where    here, after a try at box (abcd0000), preprocessed mode\n"
	        "  reason   peer-lost\n"
	        "           The peer went away "));
	assert_non_null(
	        strstr(buf_text(&out), "  cause    box: no answer\n"
	                               "  times    plan 0, lease 0; given up after 900 ms\n"));
}

static void
test_json(void **state)
{
	(void)state;
	fake_history(&answer);
	open_answer();
	why_json(&w, &out);
	assert_ptr_equal(
	        strstr(buf_text(&out), "[{\"time\":999.934,\"file\":\"/src/a/main.c\","
	                               "\"output\":\"/src/a/main.o\",\"verdict\":\"remote\","),
	        buf_text(&out));
	assert_non_null(strstr(buf_text(&out), "\"file\":\"/src/b/\\u001b[31mred.c\""));
	assert_non_null(strstr(buf_text(&out), "\"retries\":2,\"hedged\":false,\"uid\":1000},"));
	assert_memory_equal(buf_text(&out) + out.len - 2, "]\n", 2);
}

/* An answer that is none is refused whole. */
static void
test_strange(void **state)
{
	struct packet *p;
	struct buf b;

	(void)state;
	for (unsigned kind = 0; kind < 3; kind++) {
		buf_init(&b, 256);
		pack_map(&b, 1);
		pack_uint(&b, kind == 0 ? 2 : 1);
		pack_array(&b, 1);
		pack_map(&b, kind == 1 ? 2 : 3);
		pack_kuint(&b, 1, 5);
		pack_kuint(&b, 2, 5);
		if (kind != 1)
			pack_kbytes(&b, 3, "junk", 4);
		assert_int_equal(packet_open(&p, b.data, b.len), 0);
		assert_int_not_equal(why_decode(&w, packet_root(p)), 0);
		packet_free(p);
		buf_fini(&b);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_table), TEST(test_terminal), TEST(test_pick),
	        TEST(test_details), TEST(test_json), TEST(test_strange)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* client/trace: one line of JSON a compile, whatever bytes the names hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client/trace.h"

static struct trace
sample(void)
{
	return (struct trace){.file = "/src/a \"b\"\n.c",
	        .output = "/src/a.o",
	        .verdict = VERDICT_FALLBACK,
	        .reason = "peer-lost",
	        .text = "",
	        .mode = "preprocessed",
	        .peer = "box",
	        .job = 0x1f,
	        .exit = 1,
	        .bytes_out = 12,
	        .bytes_in = 34,
	        .ms = {1, 2, 3, 4, 5, 6, 21},
	        .retries = 2};
}

static void
test_line(void **state)
{
	struct trace t = sample();
	struct node_id node = {{0xab}};
	struct buf b;

	(void)state;
	t.node = &node;
	buf_init(&b, 65536);
	trace_encode(&b, &t, 1700000000123);
	assert_string_equal(buf_text(&b),
	        "{\"time\":1700000000.123,\"file\":\"/src/a \\\"b\\\"\\n.c\","
	        "\"output\":\"/src/"
	        "a.o\",\"verdict\":\"fallback\",\"reason\":\"peer-lost\",\"text\":\"\",\"mode\":"
	        "\"preprocessed\","
	        "\"peer\":\"ab000000000000000000000000000000\",\"peer_name\":\"box\",\"toolchain\":"
	        "\"\",\"job\":\"000000000000001f\","
	        "\"exit\":1,\"bytes_out\":12,\"bytes_in\":34,\"ms\":{\"plan\":1,\"lease\":2,"
	        "\"send\":3,\"queue\":4,\"compile\":5,"
	        "\"receive\":6,\"total\":21},\"retries\":2,\"hedged\":false}\n");
	buf_fini(&b);
}

static void
test_appends(void **state)
{
	char path[] = "/tmp/icemesh-trace-XXXXXX", text[4096];
	int fd = mkstemp(path);
	struct trace t = sample();
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	trace_write(path, &t, 1);
	trace_write(path, &t, 2);
	n = read(fd, text, sizeof text - 1);
	assert_true(n > 0);
	text[n] = 0;
	assert_ptr_equal(strchr(strchr(text, '\n') + 1, '\n'), text + n - 1);
	trace_write("/nonexistent/trace", &t, 3);
	close(fd);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_line), cmocka_unit_test(test_appends)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

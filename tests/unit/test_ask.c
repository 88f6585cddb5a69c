#include "client/ask.h"

#include "tests/unit/fake_daemon.h"

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)root;
	(void)fd;
	switch (type) {
	case CONTROL_LEAVE:
		break;
	case CONTROL_INIT:
		fake_error(out, "no: \302\233"
		                "31m");
		break;
	case CONTROL_PEERS:
		out->with_file = true;
		pack_map(&out->file, 1);
		pack_kuint(&out->file, 1, 42);
		break;
	case CONTROL_STATUS: /* a body beyond the limit: sparse, so it costs nothing */
		out->with_file = true;
		buf_put(&out->file, "x", 1);
		break;
	case CONTROL_TOOLCHAINS:
		out->with_file = true; /* cut off */
		buf_put(&out->file, "\201\001", 2);
		break;
	case CONTROL_IMPORT: /* with the answer comes an include graph, which is none of ours */
		out->type = CONTROL_TOOLCHAIN;
		out->with_file = true;
		buf_put(&out->file, "x", 1);
		pack_map(&out->body, 1);
		pack_kuint(&out->body, 1, 7);
		break;
	case CONTROL_ROOT:
		out->type = CONTROL_GRANT;
		break;
	case CONTROL_INVITE:
		out->silent = true;
		break;
	default:
		_exit(0);
	}
}

static int
ask(const struct fake *f, uint8_t type, struct ask *a, struct reply *r)
{
	struct ask_command q = {
	        .type = type, .pass_fd = -1, .timeout_ms = type == CONTROL_INVITE ? 50 : 5000};
	struct config c;

	(void)f;
	config_defaults(&c, CONFIG_USER);
	snprintf(c.socket, sizeof c.socket, "%s", f->socket);
	assert_int_equal(ask_open(a, &c), 0);
	return ask_daemon(a, &q, r);
}

static void
test_answers(void **state)
{
	struct fake f;
	struct reply r;
	struct ask a;
	uint64_t v = 0;

	(void)state;
	fake_start(&f, handler);
	assert_int_equal(ask(&f, CONTROL_LEAVE, &a, &r), 0);
	assert_int_equal(r.type, CONTROL_OK);
	reply_fini(&r);
	ask_close(&a);
	assert_int_equal(ask(&f, CONTROL_PEERS, &a, &r), 0);
	assert_int_equal(item_uint(packet_root(r.packet), 1, 100, &v), 0);
	assert_int_equal(v, 42);
	reply_fini(&r);
	ask_close(&a);
	assert_int_equal(ask(&f, CONTROL_IMPORT, &a, &r), 0);
	assert_int_equal(r.type, CONTROL_TOOLCHAIN);
	assert_int_equal(item_uint(packet_root(r.packet), 1, 100, &v), 0);
	assert_int_equal(v, 7);
	reply_fini(&r);
	ask_close(&a);
	fake_stop(&f);
}

static void
test_refusals(void **state)
{
	struct fake f;
	struct reply r;
	struct ask a;

	(void)state;
	fake_start(&f, handler);
	assert_int_equal(ask(&f, CONTROL_INIT, &a, &r), IM_ERR_REFUSED);
	assert_string_equal(a.error, "no: ?31m");
	ask_close(&a);
	assert_int_equal(ask(&f, CONTROL_STATUS, &a, &r), IM_ERR_FORMAT);
	ask_close(&a);
	assert_int_equal(ask(&f, CONTROL_TOOLCHAINS, &a, &r), IM_ERR_TRUNCATED);
	ask_close(&a);
	assert_int_equal(ask(&f, CONTROL_ROOT, &a, &r), IM_ERR_FORMAT);
	ask_close(&a);
	assert_int_equal(ask(&f, CONTROL_INVITE, &a, &r), IM_ERR_TIMEOUT);
	ask_close(&a);
	fake_stop(&f);
}

static void
test_closed(void **state)
{
	struct fake f;
	struct reply r;
	struct ask a;

	(void)state;
	fake_start(&f, handler);
	assert_int_equal(ask(&f, CONTROL_JOIN, &a, &r), IM_ERR_CLOSED);
	ask_close(&a);
	fake_stop(&f);
}

/* Whatever comes with a message must be a regular file of a bounded size. */
static void
passes(int file, int want)
{
	struct ask_command q = {.type = CONTROL_PEERS, .pass_fd = -1, .timeout_ms = 5000};
	struct reply r;
	struct buf empty;
	struct ask a;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	buf_init(&empty, 8);
	pack_map(&empty, 0);
	assert_int_equal(control_send(pair[1], CONTROL_OK, &empty, file), 0);
	ask_use(&a, pair[0]);
	assert_int_equal(ask_daemon(&a, &q, &r), want);
	ask_close(&a);
	close(pair[1]);
	buf_fini(&empty);
}

static void
test_bodies(void **state)
{
	int large = memfd_create("large", MFD_CLOEXEC), pipe_fds[2];

	(void)state;
	assert_int_equal(ftruncate(large, (off_t)CONTROL_BODY_MAX + 1), 0);
	passes(large, IM_ERR_LIMIT);
	close(large);
	assert_int_equal(pipe(pipe_fds), 0);
	passes(pipe_fds[0], IM_ERR_FORMAT);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

static void
test_absent(void **state)
{
	struct config c;
	struct fake f;
	struct ask a;

	(void)state;
	fake_start(&f, NULL);
	config_defaults(&c, CONFIG_USER);
	snprintf(c.socket, sizeof c.socket, "%s", f.socket);
	assert_int_equal(ask_open(&a, &c), IM_ERR_ABSENT);
	assert_string_equal(a.where, f.socket);
	fake_stop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_answers),
	        cmocka_unit_test(test_refusals), cmocka_unit_test(test_closed),
	        cmocka_unit_test(test_bodies), cmocka_unit_test(test_absent)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

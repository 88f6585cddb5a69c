/* The control socket's messages: whole, bounded, with at most one descriptor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "mesh/control.h"
#include "tests/unit/scratch.h"

struct rig {
	int s[2];
	struct buf body;
	char dir[PATH_MAX];
};

static int
set_up(void **state)
{
	struct rig *r = calloc(1, sizeof *r);

	if (!r || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, r->s) < 0 ||
	        scratch_enter(r->dir) < 0)
		return -1;
	buf_init(&r->body, CONTROL_LEN_MAX);
	alarm(60);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	struct rig *r = *state;

	close(r->s[0]);
	close(r->s[1]);
	buf_fini(&r->body);
	int status = scratch_leave(r->dir);
	free(r);
	return status;
}

/* How many descriptors are open. */
static unsigned
descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
test_messages(void **state)
{
	struct rig *r = *state;
	struct buf b;
	uint8_t type;
	int fd = 77;

	buf_init(&b, 100);
	buf_put(&b, "body", 4);
	assert_int_equal(control_send(r->s[0], CONTROL_COMPILER, &b, -1), 0);
	assert_int_equal(control_send(r->s[0], CONTROL_PEERS, NULL, -1), 0);
	buf_reset(&b);
	assert_int_equal(control_send(r->s[0], CONTROL_STATUS, &b, -1), 0);
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), 0);
	assert_int_equal(type, CONTROL_COMPILER);
	assert_int_equal(r->body.len, 4);
	assert_memory_equal(r->body.data, "body", 4);
	assert_int_equal(fd, -1);
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), 0);
	assert_int_equal(type, CONTROL_PEERS);
	assert_int_equal(r->body.len, 0);
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), 0);
	assert_int_equal(type, CONTROL_STATUS);
	errno = 0;
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), IM_ERR_SYSTEM);
	assert_int_equal(errno, EAGAIN);
	buf_fini(&b);
}

static void
test_descriptor(void **state)
{
	struct rig *r = *state;
	unsigned before = descriptors();
	int pair[2], fd = -1;
	uint8_t type;
	char c;

	assert_int_equal(pipe(pair), 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(control_send(r->s[0], CONTROL_GRANT, NULL, pair[0]), 0);
	close(pair[0]);
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), 0);
	assert_int_equal(type, CONTROL_GRANT);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(read(fd, &c, 1), 1);
	close(fd);
	close(pair[1]);
	assert_int_equal(descriptors(), before);
}

/* A packet of len bytes with n descriptors, as control_send() never makes them. */
static void
send_odd(int s, size_t len, unsigned n)
{
	static uint8_t bytes[CONTROL_LEN_MAX + 2];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = {0};
	struct iovec iov = {bytes, len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	int size = 1 << 20;

	if (n > 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		for (unsigned i = 0; i < n; i++)
			memcpy(CMSG_DATA(c) + i * sizeof(int), &(int){0}, sizeof(int));
	}
	setsockopt(s, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	assert_int_equal(sendmsg(s, &m, MSG_NOSIGNAL), len);
}

static void
test_hostile_packets(void **state)
{
	struct rig *r = *state;
	unsigned before = descriptors();
	uint8_t type = 99;
	int fd = 77;

	send_odd(r->s[0], 3, 3); /* the first one counts */
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), 0);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(descriptors(), before);
	fd = 77;
	type = 99;
	send_odd(r->s[0], 3, 16); /* more than there is room for */
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), IM_ERR_LIMIT);
	assert_int_equal(descriptors(), before);
	send_odd(r->s[0], 0, 1); /* nothing but a descriptor */
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), IM_ERR_CLOSED);
	assert_int_equal(descriptors(), before);
	send_odd(r->s[0], CONTROL_LEN_MAX + 2, 1);
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), IM_ERR_LIMIT);
	assert_int_equal(descriptors(), before);
	assert_int_equal(fd, 77);
	assert_int_equal(type, 99);
	send_odd(r->s[0], CONTROL_LEN_MAX, 0);
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), 0);
	assert_int_equal(r->body.len, CONTROL_LEN_MAX - 1);
}

static void
test_limits_and_end(void **state)
{
	struct rig *r = *state;
	static uint8_t bytes[CONTROL_LEN_MAX];
	struct buf b;
	uint8_t type;
	int fd, size = 1 << 20;

	setsockopt(r->s[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	buf_init(&b, CONTROL_LEN_MAX);
	buf_put(&b, bytes, CONTROL_LEN_MAX);
	assert_int_equal(control_send(r->s[0], 1, &b, -1), IM_ERR_LIMIT);
	b.len--;
	assert_int_equal(control_send(r->s[0], 1, &b, -1), 0);
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), 0);
	assert_int_equal(r->body.len, CONTROL_LEN_MAX - 1);
	close(r->s[0]);
	r->s[0] = dup(0);
	assert_int_equal(control_recv(r->s[1], &type, &r->body, &fd), IM_ERR_CLOSED);
	assert_int_equal(control_send(r->s[1], 1, &b, -1), IM_ERR_CLOSED);
	buf_fini(&b);
}

static int
listener(const char *path, int backlog)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void
test_connect(void **state)
{
	struct rig *r = *state;
	char longer[200];
	int fd = -1, l = listener("sock", 4), other, saw;
	uint8_t type;

	assert_int_equal(control_connect("sock", &fd), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(control_send(fd, CONTROL_ROOT, NULL, -1), 0);
	other = accept(l, NULL, NULL);
	assert_int_equal(control_recv(other, &type, &r->body, &saw), 0);
	assert_int_equal(type, CONTROL_ROOT);
	close(other);
	close(fd);
	close(l);
	fd = 77;
	assert_int_equal(control_connect("sock", &fd), IM_ERR_ABSENT);
	assert_int_equal(control_connect("missing", &fd), IM_ERR_ABSENT);
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = 0;
	assert_int_equal(control_connect(longer, &fd), IM_ERR_LIMIT);
	assert_int_equal(scratch_text("file", ""), 0);
	assert_int_not_equal(control_connect("file", &fd), 0);
	assert_int_equal(fd, 77);
}

/* A daemon that hangs: its queue is full, and nobody waits for ever. */
static void
test_full_queue(void **state)
{
	int l = listener("full", 0), fds[8], n = 0, err = 0;

	(void)state;
	while (n < 8 && (err = control_connect("full", &fds[n])) == 0)
		n++;
	assert_int_equal(err, IM_ERR_SYSTEM);
	assert_int_equal(errno, EAGAIN);
	assert_true(n >= 1);
	while (n > 0)
		close(fds[--n]);
	close(l);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(test_messages),
	        T(test_descriptor),
	        T(test_hostile_packets),
	        T(test_limits_and_end),
	        T(test_connect),
	        T(test_full_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * A daemon for the tests of the icemesh command: a child process that answers each message on a socket of its own with what a
 * handler says.  The environment points commands at it and at an empty configuration.
 */
#ifndef TESTS_FAKE_DAEMON_H
#define TESTS_FAKE_DAEMON_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "client/call.h"
#include "crypto/key.h"
#include "crypto/packet.h"
#include "mesh/control.h"

/* What the handler fills in: the answer's type, its body and, when file is set, a memfd's content. */
struct fake_answer {
	uint8_t type;
	struct buf body, file;
	bool with_file, silent;
};

/* Runs in the child. */
typedef void fake_handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out);

struct fake {
	char dir[64], socket[96], config[96];
	pid_t pid;
};

static inline void
fake_error(struct fake_answer *out, const char *text)
{
	out->type = CONTROL_ERROR;
	buf_reset(&out->body);
	pack_map(&out->body, 1);
	pack_ktext(&out->body, 1, text);
}

static inline void
fake_answer_one(int fd, fake_handler *handler, struct buf *body)
{
	struct fake_answer out = {.type = CONTROL_OK};
	struct packet *p = NULL;
	uint8_t type;
	int passed = -1, memory = -1;

	buf_init(&out.body, CONTROL_LEN_MAX);
	buf_init(&out.file, CONTROL_BODY_MAX + 64);
	if (control_recv(fd, &type, body, &passed) != 0)
		_exit(0);
	if (packet_open(&p, body->data, body->len) != 0)
		_exit(3);
	handler(type, packet_root(p), passed, &out);
	if (out.silent)
		pause();
	if (out.with_file) {
		memory = memfd_create("fake", MFD_CLOEXEC);
		if (memory < 0 ||
		        write(memory, out.file.data, out.file.len) != (ssize_t)out.file.len)
			_exit(4);
	}
	if (out.body.len == 0)
		pack_map(&out.body, 0);
	if (control_send(fd, out.type, &out.body, memory) != 0)
		_exit(5);
	if (memory >= 0)
		close(memory);
	if (passed >= 0)
		close(passed);
	packet_free(p);
	buf_fini(&out.body);
	buf_fini(&out.file);
}

static inline void
fake_serve(int listening, fake_handler *handler)
{
	struct buf body;

	for (;;) {
		int fd = accept(listening, NULL, NULL);
		char peek;

		if (fd < 0)
			_exit(6);
		while (recv(fd, &peek, 1, MSG_PEEK) > 0) {
			buf_init(&body, CONTROL_LEN_MAX);
			fake_answer_one(fd, handler, &body);
			buf_fini(&body);
		}
		close(fd);
	}
}

/* handler NULL: nothing listens at the socket. */
static inline void
fake_start(struct fake *f, fake_handler *handler)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	FILE *config;
	int s;

	snprintf(f->dir, sizeof f->dir, "/tmp/icemesh-test.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->socket, sizeof f->socket, "%s/s", f->dir);
	snprintf(f->config, sizeof f->config, "%s/c", f->dir);
	config = fopen(f->config, "w");
	assert_non_null(config);
	fprintf(config, "name = here\nstate_dir = %s/state\n", f->dir);
	fclose(config);
	setenv("ICEMESH_SOCKET", f->socket, 1);
	setenv("ICEMESH_CONFIG", f->config, 1);
	f->pid = -1;
	if (handler == NULL)
		return;
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", f->socket);
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(s >= 0);
	assert_int_equal(bind(s, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(s, 8), 0);
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test does not come to fake_stop() */
		fake_serve(s, handler);
	}
	close(s);
}

static inline void
fake_stop(struct fake *f)
{
	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	unlink(f->socket);
	unlink(f->config);
	rmdir(f->dir);
}

/* Runs a command with words that end in NULL; argv[0] is its name. */
static inline int
fake_call(struct call *c, int (*run)(struct call *, int, char **), const char *const *words)
{
	static const struct command command = {"test", "icemesh test", "", "", NULL};
	char *argv[16];
	int argc = 0;

	for (; words[argc] != NULL; argc++)
		argv[argc] = (char *)words[argc];
	argv[argc] = NULL;
	call_init(c, &command);
	return run(c, argc, argv);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline const char *
out_of(struct call *c)
{
	return c->out.len > 0 ? buf_text(&c->out) : "";
}

static inline const char *
err_of(struct call *c)
{
	return c->err.len > 0 ? buf_text(&c->err) : "";
}

/* A peer as the daemon packs it (mesh/control.h). */
static inline void
fake_peer(struct buf *b, const char *id, const char *name, bool self)
{
	pack_map(b, self ? 16 : 17);
	pack_ktext(b, 1, id);
	pack_ktext(b, 2, name);
	pack_kuint(b, 3, self);
	pack_ktext(b, 4, self ? "self" : "member");
	pack_ktext(b, 5, "up");
	pack_ktext(b, 6, "10.0.0.1:9777");
	pack_ktext(b, 7, "x86_64");
	pack_kuint(b, 8, 4);
	pack_kuint(b, 9, 1);
	pack_kuint(b, 10, 2);
	pack_kuint(b, 11, 100);
	pack_kuint(b, 12, 125);
	pack_uint(b, 13);
	pack_array(b, 2);
	pack_uint(b, 0xdeadbeef);
	pack_uint(b, 0x1f);
	pack_kuint(b, 14, 3);
	pack_kuint(b, 15, 1234);
	if (!self)
		pack_kuint(b, 16, 456);
	pack_ktext(b, 17, "0.1.0");
}

#endif

/*
 * A private store with a running icemesh-exec, for unit tests: start, unpack a toolchain, run jobs, look at the answers.
 *
 * The helper is the one beside the tests (../icemesh-exec from the test program).
 */
#ifndef TESTS_UNIT_HELPER_RIG_H
#define TESTS_UNIT_HELPER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exec/job.h"
#include "exec/pipe.h"

#define RIG_ANSWER_MS 60000
#define RIG_TEXT_SIZE 65536

struct rig {
	char dir[64];
	int socket;
	pid_t helper;
	uint64_t next_id;
	struct digest toolchain;
	/* The last answer. */
	struct pipe_msg msg;
	int fds[PIPE_FDS_MAX];
	unsigned nfds;
};

static inline void
rig_program(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 32);

	assert_true(n > 0);
	path[n] = '\0';
	*strrchr(path, '/') = '\0';
	*strrchr(path, '/') = '\0';
	strncat(path, "/icemesh-exec", 31);
}

static inline void
rig_close_fds(struct rig *r)
{
	while (r->nfds > 0)
		close(r->fds[--r->nfds]);
}

static inline void
rig_answer(struct rig *r)
{
	struct pollfd p = {.fd = r->socket, .events = POLLIN};

	rig_close_fds(r);
	assert_int_equal(poll(&p, 1, RIG_ANSWER_MS), 1);
	assert_int_equal(pipe_recv(r->socket, &r->msg, r->fds, &r->nfds), 0);
}

/* limits: NICE MEMORY TIME OUTPUT.  The first answer, PIPE_READY, is in r->msg. */
static inline void
rig_start(struct rig *r, const char *const limits[4])
{
	char program[PATH_MAX];
	int pair[2];

	memset(r, 0, sizeof(*r));
	strcpy(r->dir, "/tmp/icemesh-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	/* A helper that gives up root still has to find its store. */
	assert_int_equal(chmod(r->dir, 0755), 0);
	rig_program(program);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	r->helper = fork();
	assert_true(r->helper >= 0);
	if (r->helper == 0) {
		if (pair[1] != PIPE_HELPER_FD)
			dup2(pair[1], PIPE_HELPER_FD);
		fcntl(PIPE_HELPER_FD, F_SETFD, 0);
		execl(program, program, "helper", r->dir, limits[0], limits[1], limits[2],
		        limits[3], (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	r->socket = pair[0];
	rig_answer(r);
	assert_int_equal(r->msg.type, PIPE_READY);
}

static inline int
rig_remove_dir(const char *dir)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* Ends the helper by closing its socket; it must exit with 0. */
static inline void
rig_stop(struct rig *r)
{
	int status;

	rig_close_fds(r);
	close(r->socket);
	assert_int_equal(waitpid(r->helper, &status, 0), r->helper);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(rig_remove_dir(r->dir), 0);
}

static inline int
rig_memfd(const void *bytes, size_t len)
{
	int fd = memfd_create("rig", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	return fd;
}

/* Runs "icemesh-exec pack COMPILER"; a descriptor with the tarball, or -1 when it failed; err (size RIG_TEXT_SIZE) receives stderr. */
static inline int
rig_pack(const char *compiler, char *err)
{
	char program[PATH_MAX];
	int out = memfd_create("tarball", MFD_CLOEXEC), witness = memfd_create("witness", 0);
	int errors = memfd_create("stderr", MFD_CLOEXEC), status;
	ssize_t n;
	pid_t pid;

	rig_program(program);
	pid = fork();
	if (pid == 0) {
		dup2(out, 1);
		dup2(errors, 2);
		if (witness != 3)
			dup2(witness, 3);
		execl(program, program, "pack", compiler, (char *)NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	n = pread(errors, err, RIG_TEXT_SIZE - 1, 0);
	err[n < 0 ? 0 : n] = '\0';
	close(errors);
	close(witness);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		close(out);
		return -1;
	}
	return out;
}

/* Has the tarball unpacked under the digest (its own when NULL); the answer is in r->msg. */
static inline void
rig_unpack(struct rig *r, int tarball, const struct digest *as)
{
	struct pipe_msg m = {.type = PIPE_UNPACK, .id = ++r->next_id};
	uint64_t size;

	if (as == NULL)
		assert_int_equal(digest_of_fd(&m.digest, &size, tarball), 0);
	else
		m.digest = *as;
	r->toolchain = m.digest;
	assert_int_equal(pipe_send(r->socket, &m, &tarball, 1), 0);
	rig_answer(r);
	assert_int_equal(r->msg.type, PIPE_UNPACKED);
	assert_int_equal(r->msg.id, m.id);
}

/* Has the current toolchain removed; the answer is in r->msg. */
static inline void
rig_drop(struct rig *r)
{
	struct pipe_msg m = {.type = PIPE_DROP, .id = ++r->next_id, .digest = r->toolchain};

	assert_int_equal(pipe_send(r->socket, &m, NULL, 0), 0);
	rig_answer(r);
	assert_int_equal(r->msg.type, PIPE_UNPACKED);
	assert_int_equal(r->msg.id, m.id);
}

/* Packs the compiler and has it unpacked; both must work. */
static inline void
rig_toolchain(struct rig *r, const char *compiler)
{
	static char err[RIG_TEXT_SIZE];
	int tarball = rig_pack(compiler, err);

	if (tarball < 0)
		fail_msg("%s", err);
	rig_unpack(r, tarball, NULL);
	if (r->msg.err != 0)
		fail_msg("%s", r->msg.text);
	close(tarball);
}

/* Sends the job, with one descriptor for each streamed input; returns its id. */
static inline uint64_t
rig_send(struct rig *r, struct job *j, const int *inputs, unsigned ninputs)
{
	struct pipe_msg m = {.type = PIPE_RUN, .id = ++r->next_id};
	int fds[PIPE_FDS_MAX];
	struct buf b;

	j->toolchain = r->toolchain;
	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_encode(j, &b), 0);
	fds[0] = rig_memfd(b.data, b.len);
	buf_fini(&b);
	for (unsigned i = 0; i < ninputs; i++)
		fds[1 + i] = inputs[i];
	assert_int_equal(pipe_send(r->socket, &m, fds, 1 + ninputs), 0);
	close(fds[0]);
	return m.id;
}

/* The same, and waits for its end, which is in r->msg and r->fds. */
static inline void
rig_run(struct rig *r, struct job *j, const int *inputs, unsigned ninputs)
{
	uint64_t id = rig_send(r, j, inputs, ninputs);

	rig_answer(r);
	assert_int_equal(r->msg.type, PIPE_DONE);
	assert_int_equal(r->msg.id, id);
}

/* The text behind descriptor i of the last answer. */
static inline const char *
rig_text(struct rig *r, unsigned i)
{
	static char text[RIG_TEXT_SIZE];
	ssize_t n;

	assert_true(i < r->nfds);
	n = pread(r->fds[i], text, sizeof(text) - 1, 0);
	assert_true(n >= 0);
	text[n] = '\0';
	return text;
}

#endif

/* client/packing: the conversation about a compiler, against a made-up daemon that answers by a
 * script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/packing.h"
#include "crypto/packet.h"
#include "exec/witness.h"

#define LOG_SIZE 1024

static char dir[64], helper[96], compiler[96];
static char *log_text;

static void
note(const char *word)
{
	size_t n = strlen(log_text);

	snprintf(log_text + n, LOG_SIZE - n, "%s ", word);
}

static void
write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/icemesh-packing-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(helper, sizeof helper, "%s/helper", dir);
	snprintf(compiler, sizeof compiler, "%s/gcc", dir);
	write_file(helper, "#!/bin/sh\nprintf tarball; printf witness >&3\n", 0755);
	write_file(compiler, "a compiler", 0755);
	log_text = mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return log_text == MAP_FAILED;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	munmap(log_text, LOG_SIZE);
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return system(command);
}

/* What came, in short: its type, for IMPORT what rode along. */
static void
note_message(uint8_t type, const struct buf *body, int fd)
{
	char text[64] = "";
	struct packet *p;
	bool replace;

	if (type == CONTROL_COMPILER || type == CONTROL_PACKING) {
		note(type == CONTROL_COMPILER ? "compiler" : "packing");
		return;
	}
	note(type == CONTROL_IMPORT ? "import" : "UNEXPECTED");
	if (fd < 0 || packet_open(&p, body->data, body->len) != 0)
		return;
	if (pread(fd, text, sizeof text - 1, 0) > 0)
		note(text);
	if (item_bool(packet_root(p), 3, &replace) == 0 && replace)
		note("replace");
	packet_free(p);
}

static void
answer(int fd, char letter)
{
	struct witness_file file = {compiler, 0};
	struct digest d = {{(uint8_t)letter}};
	struct buf witness, b;
	int graph = letter == 'T' || letter == 'c' ? memfd_create("graph", MFD_CLOEXEC) : -1;
	uint8_t type = letter == 'p'   ? CONTROL_PACK
	               : letter == 'l' ? CONTROL_LOCAL
	               : letter == 'e' ? CONTROL_ERROR
	                               : CONTROL_TOOLCHAIN;

	buf_init(&witness, WITNESS_LEN_MAX);
	buf_init(&b, CONTROL_LEN_MAX);
	if (witness_make(&file, 1, &witness) != 0)
		_exit(4);
	if (letter == 'c') /* as if it had changed since */
		witness.data[witness.len - 4] ^= 1;
	if (letter == 'l' || letter == 'e') {
		pack_map(&b, letter == 'l' ? 2 : 1);
		pack_ktext(&b, 1, letter == 'l' ? "no-mesh" : "bad tarball");
		if (letter == 'l')
			pack_ktext(&b, 2, "none");
	} else if (letter != 'p') {
		pack_map(&b, 2);
		pack_kbytes(&b, 1, d.bytes, DIGEST_LEN);
		pack_kbytes(&b, 2, witness.data, witness.len);
	}
	if (graph >= 0 && write(graph, &letter, 1) != 1)
		_exit(5);
	if (control_send(fd, type, &b, graph) != 0)
		_exit(0); /* the wrapper gave up */
	if (graph >= 0)
		close(graph);
	buf_fini(&b);
	buf_fini(&witness);
}

static void
serve(int control, const char *script)
{
	struct buf body;
	uint8_t type;
	int fd;

	signal(SIGSEGV, SIG_DFL);
	alarm(30);
	buf_init(&body, CONTROL_LEN_MAX);
	while (control_recv(control, &type, &body, &fd) == 0) {
		note_message(type, &body, fd);
		if (fd >= 0)
			close(fd);
		if (*script == 0)
			_exit(0);
		answer(control, *script++);
	}
	_exit(0);
}

/* Runs packing_find() against the script; the log is complete after it. */
static int
find(struct packing *p, const char *script)
{
	struct daemon d;
	int s[2], r, status;
	pid_t pid;

	log_text[0] = 0;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	pid = fork();
	if (pid == 0) {
		close(s[0]);
		serve(s[1], script);
	}
	close(s[1]);
	assert_int_equal(fcntl(s[0], F_SETFL, O_NONBLOCK), 0);
	daemon_init(&d, s[0]);
	p->daemon = &d;
	r = packing_find(p);
	daemon_fini(&d);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return r;
}

static struct packing
request(void)
{
	return (struct packing){.compiler = compiler, .helper = helper};
}

static void
test_known(void **state)
{
	struct packing p = request();

	(void)state;
	assert_int_equal(find(&p, "t"), 0);
	assert_int_equal(p.toolchain.bytes[0], 't');
	assert_string_equal(log_text, "compiler ");
}

static void
test_unknown_is_packed(void **state)
{
	struct packing p = request();

	(void)state;
	assert_int_equal(find(&p, "pt"), 0);
	assert_string_equal(log_text, "compiler import tarball ");
}

static void
test_changed_is_packed_anew(void **state)
{
	struct packing p = request();

	(void)state;
	assert_int_equal(find(&p, "cpt"), 0);
	assert_string_equal(log_text, "compiler packing import tarball replace ");
	assert_int_equal(p.toolchain.bytes[0], 't');
	/* another wrapper packed it meanwhile */
	assert_int_equal(find(&p, "ct"), 0);
	assert_string_equal(log_text, "compiler packing ");
}

/* The letter of the answer that the graph came with, closing it; 0 without. */
static char
graph_from(struct packing *p)
{
	char letter = 0;

	if (p->graph_fd < 0)
		return 0;
	assert_int_equal(pread(p->graph_fd, &letter, 1, 0), 1);
	close(p->graph_fd);
	return letter;
}

static int
count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* The user's include graph: from whichever answer brought it, and only together with a result. */
static void
test_graph(void **state)
{
	struct packing p = request();
	int fds = count_fds();

	(void)state;
	assert_int_equal(find(&p, "t"), 0);
	assert_int_equal(graph_from(&p), 0);
	assert_int_equal(find(&p, "T"), 0);
	assert_int_equal(graph_from(&p), 'T');
	assert_int_equal(find(&p, "ct"), 0);
	assert_int_equal(graph_from(&p), 'c');
	assert_int_equal(find(&p, "cpT"), 0);
	assert_int_equal(graph_from(&p), 'T');
	assert_int_not_equal(find(&p, "cpe"), 0);
	assert_int_equal(p.graph_fd, -1);
	assert_int_not_equal(find(&p, "cl"), 0);
	assert_int_equal(p.graph_fd, -1);
	p.tarball = "other-arch:/nothing";
	p.graph_fd = 0;
	assert_int_not_equal(find(&p, "p"), 0);
	assert_int_equal(p.graph_fd, -1);
	assert_int_equal(count_fds(), fds);
}

static void
test_refusals(void **state)
{
	struct packing p = request();

	(void)state;
	assert_int_equal(find(&p, "l"), IM_ERR_REFUSED);
	assert_string_equal(p.reason, "no-mesh");
	assert_int_equal(find(&p, "pe"), IM_ERR_REFUSED);
	assert_string_equal(p.reason, "toolchain");
	assert_string_equal(p.text, "bad tarball");
	assert_int_not_equal(find(&p, ""), 0);
	assert_string_equal(p.reason, "no-daemon");
	assert_int_not_equal(find(&p, "cccccccccc"), 0);
	assert_string_equal(p.reason, "toolchain");
}

static void
test_helper_fails(void **state)
{
	struct packing p = request();

	(void)state;
	write_file(helper, "#!/bin/sh\necho 'icemesh-exec: no assembler' >&2; exit 1\n", 0755);
	assert_int_not_equal(find(&p, "p"), 0);
	assert_string_equal(p.reason, "toolchain");
	assert_string_equal(p.text, "no assembler");
	assert_string_equal(log_text, "compiler ");
}

static void
test_own_tarball(void **state)
{
	char setting[128];
	struct packing p = request();

	(void)state;
	snprintf(setting, sizeof setting, "other-arch:/nothing,%s", compiler);
	p.tarball = setting;
	assert_int_equal(find(&p, "pt"), 0);
	assert_string_equal(log_text, "compiler import a compiler ");
	p.tarball = "/nonexistent/tarball";
	assert_int_not_equal(find(&p, "p"), 0);
	assert_string_equal(p.reason, "toolchain");
	p.tarball = "other-arch:/nothing";
	assert_int_not_equal(find(&p, "p"), 0);
	assert_string_equal(p.reason, "toolchain");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_known), TEST(test_unknown_is_packed),
	        TEST(test_changed_is_packed_anew), TEST(test_graph), TEST(test_refusals),
	        TEST(test_helper_fails), TEST(test_own_tarball)};

	alarm(60);
	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

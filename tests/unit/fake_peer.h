/*
 * A daemon and its peers, made up for tests of the wrapper: a forked process that speaks
 * mesh/control.h on one socket and, on the channels it grants, mesh/wire.h.  What it does at each
 * WANT is one letter of a script; what it saw goes into a log.
 */
#ifndef TESTS_FAKE_PEER_H
#define TESTS_FAKE_PEER_H

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/daemon.h"
#include "crypto/packet.h"
#include "exec/job.h"
#include "mesh/wire.h"

#define FAKE_LOG_SIZE 4096
#define FAKE_TEXT_MAX (8U << 20)

/* Letters of a script. */
enum fake_act {
	FAKE_GOOD = 'g',        /* runs it: the output is "\177ELF" and the text it got */
	FAKE_GONE = 'd',        /* closes at once */
	FAKE_GONE_END = 'e',    /* closes after END */
	FAKE_GONE_RESULT = 'r', /* closes after RESULT */
	FAKE_TORN = 't',        /* half a frame, then closes */
	FAKE_NOISE = 'q',       /* a whole frame that does not open */
	FAKE_ALTERED = 'b',     /* output bytes that differ from the digest */
	FAKE_NO_OBJECT = 'f',
	FAKE_MORE = 'p',        /* more output than announced */
	FAKE_HUGE = 'h',        /* announces an output over every limit */
	FAKE_ODD = 'o',         /* a message out of place */
	FAKE_LEASE = 'n',       /* ERROR: lease over */
	FAKE_REFUSES = 'u',     /* ERROR: refused */
	FAKE_MEMORY = 'm',      /* RESULT: killed for memory */
	FAKE_WARNS = 'w',       /* RESULT: messages */
	FAKE_ERRORS = 'x',      /* RESULT: exit 1 */
	FAKE_LOCAL = 'l',       /* the daemon says LOCAL */
	FAKE_BUSY = 'y',        /* BUSY, for ever */
	FAKE_BUSY_GOOD = 'Y',   /* BUSY, then as FAKE_GOOD */
	FAKE_VANISH = 'v',      /* the daemon closes */
	FAKE_GOOD_VANISH = 'V', /* the daemon closes, the peer does the job */
	FAKE_HALF = 'P',        /* RESULT and the beginning of the output */
	FAKE_COPIES = '(',      /* two copies, see fake_copies.h */
	/* source mode; the first asks for everything that the job's own tree names, too */
	FAKE_SOURCE = 's',         /* an object: "\177ELF" and the file's text */
	FAKE_SOURCE_WARNS = 'a',   /* the same, with a message */
	FAKE_SOURCE_FAILS = 'c',   /* exit 1, a message, no object */
	FAKE_SOURCE_LACKS = 'i',   /* looked for later.h in vain */
	FAKE_SOURCE_LOOKS = 'j',   /* looked for /etc/passwd in vain */
	FAKE_SOURCE_MAKES = 'k',   /* made a file that nobody declared */
	FAKE_SOURCE_MUMBLES = 'z', /* findings that cannot be read */
	FAKE_SOURCE_ASKS = 'A'     /* asks for what is no part of the job */
};

#define FAKE_SOURCE_ACTS "sacijkzA"
#define MAGIC_LEN 4

struct fake {
	pid_t pid;
	int fd;    /* the wrapper's end of the control socket */
	char *log; /* shared with the child */
};

struct fake_channel {
	int fd;
	struct channel c;
};

static inline void
fake_say(char *log, const char *word)
{
	size_t n = strlen(log);

	snprintf(log + n, FAKE_LOG_SIZE - n, "%s ", word);
}

static inline bool
fake_read(int fd, void *p, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t r = read(fd, (char *)p + n, len - n);
		if (r <= 0)
			return false;
		n += (size_t)r;
	}
	return true;
}

static inline void
fake_write(int fd, const void *p, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t r = send(fd, (const char *)p + n, len - n, MSG_NOSIGNAL);
		if (r <= 0)
			return;
		n += (size_t)r;
	}
}

static inline void
fake_send(struct fake_channel *f, uint8_t type, const void *body, size_t len)
{
	struct buf b;

	buf_init(&b, CHANNEL_FRAME_MAX + 4);
	if (channel_seal(&f->c, type, body, len, &b) != 0)
		abort();
	fake_write(f->fd, b.data, b.len);
	buf_fini(&b);
}

/* The next message, into plain (CHANNEL_MESSAGE_MAX bytes); its type, 0 at the end. */
static inline uint8_t
fake_next(struct fake_channel *f, uint8_t *plain, size_t *len)
{
	static uint8_t cipher[CHANNEL_FRAME_MAX];
	uint8_t head[4];

	if (!fake_read(f->fd, head, 4) || get_u32(head) > sizeof cipher ||
	        !fake_read(f->fd, cipher, get_u32(head)))
		return 0;
	if (channel_open(&f->c, cipher, get_u32(head), plain, len) != 0)
		abort();
	*len -= 1;
	return plain[0];
}

/* Two ends of a channel: ours in *mine, the other's descriptor and exported state for a GRANT. */
static inline int
fake_pair(struct fake_channel *mine, uint8_t state[CHANNEL_STATE_LEN])
{
	uint8_t k1[32] = {1}, k2[32] = {2}, h1[CHANNEL_HEADER_LEN], h2[CHANNEL_HEADER_LEN];
	struct channel theirs;
	int s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) != 0)
		abort();
	channel_start_send(&theirs, k1, h1);
	channel_start_send(&mine->c, k2, h2);
	if (channel_start_recv(&theirs, k2, h2) != 0 || channel_start_recv(&mine->c, k1, h1) != 0)
		abort();
	channel_export(&theirs, state);
	mine->fd = s[0];
	return s[1];
}

static inline void
fake_answer(int control, uint8_t type, struct buf *b, int fd)
{
	if (control_send(control, type, b, fd) != 0)
		_exit(0); /* the wrapper has gone already */
	if (b != NULL)
		buf_fini(b);
}

static inline void
fake_grant(int control, struct fake_channel *f, unsigned number, bool hedge)
{
	uint8_t state[CHANNEL_STATE_LEN], node[NODE_ID_LEN] = {(uint8_t)number};
	int fd = fake_pair(f, state);
	char name[32];
	struct buf b;

	snprintf(name, sizeof name, "peer%u", number);
	buf_init(&b, CONTROL_LEN_MAX);
	pack_map(&b, hedge ? 5 : 4);
	pack_kbytes(&b, 1, state, sizeof state);
	pack_kbytes(&b, 2, node, sizeof node);
	pack_ktext(&b, 3, name);
	pack_kuint(&b, 4, WIRE_LEASE_MS);
	if (hedge)
		pack_kuint(&b, 5, 1);
	fake_answer(control, CONTROL_GRANT, &b, fd);
	close(fd);
}

/* JOB to END; false when the wrapper closed before. The text is left in *text. */
static inline bool
fake_take_job(struct fake_channel *f, char *log, uint8_t *text, size_t *text_len)
{
	static uint8_t plain[CHANNEL_MESSAGE_MAX];
	struct digest want, got;
	uint64_t size;
	struct job job;
	size_t len, n;
	uint8_t type;

	if (fake_next(f, plain, &len) != WIRE_JOB || job_decode(&job, plain + 1, len) != 0)
		return false;
	fake_say(log, job.argv[job.argc - 1]);
	job_fini(&job);
	*text_len = 0;
	while ((type = fake_next(f, plain, &len)) == WIRE_DATA) {
		if (*text_len + WIRE_BLOCK_MAX > FAKE_TEXT_MAX ||
		        wire_block_decode(plain + 1, len, text + *text_len, &n) != 0)
			abort();
		*text_len += n;
	}
	if (type != WIRE_END || wire_end_decode(plain + 1, len, &want, &size) != 0)
		return false;
	digest_of(&got, text, *text_len);
	fake_say(log, size == *text_len && digest_equal(&got, &want) ? "end" : "WRONG-DIGEST");
	return true;
}

static inline void
fake_out(struct fake_channel *f, const uint8_t *p, size_t len)
{
	for (size_t n; len > 0; p += n, len -= n) {
		struct buf b;

		n = len < WIRE_BLOCK_MAX ? len : WIRE_BLOCK_MAX;
		buf_init(&b, 2 * WIRE_BLOCK_MAX);
		if (wire_block_encode(&b, p, n) != 0)
			abort();
		fake_send(f, WIRE_OUT, b.data, b.len);
		buf_fini(&b);
	}
}

static inline void
fake_result(struct fake_channel *f, enum fake_act act, const uint8_t *out, size_t len)
{
	struct job_result r = {.wall_us = 5000, .noutputs = 3};
	struct buf b;

	r.outputs[0].present = r.outputs[1].present = r.outputs[2].present = 1;
	digest_of(&r.outputs[0].digest, "", 0);
	digest_of(&r.outputs[1].digest, "oh!", 3);
	if (act == FAKE_WARNS || act == FAKE_ERRORS)
		r.outputs[1].size = 3;
	else
		digest_of(&r.outputs[1].digest, "", 0);
	r.outputs[2].present = act != FAKE_ERRORS && act != FAKE_MEMORY;
	r.outputs[2].size = act == FAKE_HUGE ? 1ULL << 50 : act == FAKE_MORE ? len - 1 : len;
	digest_of(&r.outputs[2].digest, out, len - (act == FAKE_ALTERED));
	r.exit_code = act == FAKE_ERRORS;
	r.end = act == FAKE_MEMORY ? JOB_MEMORY : JOB_EXITED;
	buf_init(&b, JOB_LEN_MAX);
	if (job_result_encode(&r, &b) != 0)
		abort();
	fake_send(f, WIRE_RESULT, b.data, b.len);
	buf_fini(&b);
	if (r.outputs[1].size > 0)
		fake_out(f, (const uint8_t *)"oh!", 3);
	if (act == FAKE_HALF)
		fake_out(f, out, MAGIC_LEN);
	if (act == FAKE_GONE_RESULT || act == FAKE_HALF)
		return;
	if (r.outputs[2].present)
		fake_out(f, out, len);
	fake_send(f, WIRE_DONE, NULL, 0);
}

static inline void
fake_error(struct fake_channel *f, enum wire_error code)
{
	struct buf b;

	buf_init(&b, 1024);
	wire_error_encode(&b, code, "no");
	fake_send(f, WIRE_ERROR, b.data, b.len);
	buf_fini(&b);
}

/* --- source mode --- */

/* Asks for one blob and takes it; false when the wrapper closed. */
static inline bool
fake_ask(struct fake_channel *f, const struct digest *d, uint8_t *text, size_t *text_len)
{
	static uint8_t plain[CHANNEL_MESSAGE_MAX];
	struct digest got;
	uint64_t size;
	struct buf b;
	size_t len, n;
	uint8_t type;

	buf_init(&b, 4096);
	wire_need_encode(&b, d, 1);
	fake_send(f, WIRE_NEED, b.data, b.len);
	buf_fini(&b);
	*text_len = 0;
	if (fake_next(f, plain, &len) != WIRE_BLOB ||
	        wire_blob_decode(plain + 1, len, &got, &size) != 0)
		return false;
	while ((type = fake_next(f, plain, &len)) == WIRE_DATA) {
		if (*text_len + WIRE_BLOCK_MAX > FAKE_TEXT_MAX ||
		        wire_block_decode(plain + 1, len, text + *text_len, &n) != 0)
			abort();
		*text_len += n;
	}
	digest_of(&got, text, *text_len);
	return type == WIRE_END && size == *text_len && digest_equal(&got, d);
}

/* JOB, and what it names; the first file of the job's own tree is left in *text. */
static inline bool
fake_take_source(
        struct fake_channel *f, enum fake_act act, char *log, uint8_t *text, size_t *text_len)
{
	static uint8_t plain[CHANNEL_MESSAGE_MAX];
	struct digest other = {{1}};
	struct job job;
	bool good = true, first = false;
	size_t len;

	if (fake_next(f, plain, &len) != WIRE_JOB || job_decode(&job, plain + 1, len) != 0)
		return false;
	fake_say(log, job.argv[job.argc - 1]);
	if (act == FAKE_SOURCE_ASKS)
		good = fake_ask(f, &other, text, text_len);
	for (uint32_t i = 0; good && act == FAKE_SOURCE && i < job.ntrees; i++)
		good = fake_ask(f, &job.trees[i], text, text_len);
	for (uint32_t i = 0; good && !first && i < job.own.n; i++) {
		first = job.own.entries[i].kind == TREE_FILE;
		if (first)
			good = fake_ask(f, &job.own.entries[i].digest, text, text_len);
	}
	job_fini(&job);
	fake_say(log, good ? "blobs" : "closed");
	return good;
}

/* What the peer found out, as the act wants it. */
static inline size_t
fake_findings(enum fake_act act, char text[PATH_MAX + 32])
{
	char cwd[PATH_MAX] = "";

	if (act == FAKE_SOURCE_LACKS && getcwd(cwd, sizeof cwd) != NULL)
		return (size_t)snprintf(text, PATH_MAX + 32, "m%s/later.h", cwd) + 1;
	if (act == FAKE_SOURCE_LOOKS)
		return (size_t)snprintf(text, PATH_MAX + 32, "m/etc/passwd") + 1;
	if (act == FAKE_SOURCE_MAKES)
		return (size_t)snprintf(text, PATH_MAX + 32, "x/made") + 1;
	return act == FAKE_SOURCE_MUMBLES ? (size_t)snprintf(text, PATH_MAX + 32, "m/cut") : 0;
}

static inline void
fake_source(struct fake_channel *f, enum fake_act act, char *log)
{
	static uint8_t out[FAKE_TEXT_MAX + 4] = "\177ELF";
	const bool speaks = act == FAKE_SOURCE_WARNS || act == FAKE_SOURCE_FAILS;
	struct job_result r = {.noutputs = 4, .wall_us = 5000};
	char findings[PATH_MAX + 32] = "";
	const void *texts[4] = {"", speaks ? "oh!" : "", out, findings};
	struct buf b;
	size_t len;

	if (!fake_take_source(f, act, log, out + 4, &len))
		return;
	r.exit_code = act == FAKE_SOURCE_FAILS;
	r.outputs[1].size = speaks ? 3 : 0;
	r.outputs[2].size = len + 4;
	r.outputs[3].size = fake_findings(act, findings);
	for (int i = 0; i < 4; i++) {
		r.outputs[i].present = i != 2 || act != FAKE_SOURCE_FAILS;
		digest_of(&r.outputs[i].digest, texts[i], r.outputs[i].size);
	}
	buf_init(&b, JOB_LEN_MAX);
	if (job_result_encode(&r, &b) != 0)
		abort();
	fake_send(f, WIRE_RESULT, b.data, b.len);
	buf_fini(&b);
	for (int i = 0; i < 4; i++)
		if (r.outputs[i].present)
			fake_out(f, texts[i], r.outputs[i].size);
	fake_send(f, WIRE_DONE, NULL, 0);
}

/* What a peer does that has the job; out has len bytes of text behind the magic. */
static inline void
fake_finish(struct fake_channel *f, enum fake_act act, uint8_t *out, size_t len)
{
	static const uint8_t torn[] = {0, 0, 0, 40, 1, 2, 3};
	uint8_t noise[44] = {0, 0, 0, 40};
	struct buf b;

	memcpy(out, act == FAKE_NO_OBJECT ? "MZ??" : "\177ELF", MAGIC_LEN);
	buf_init(&b, 256);
	wire_started_encode(&b, 7);
	fake_send(f, WIRE_PING, NULL, 0);
	fake_send(f, WIRE_STARTED, b.data, b.len);
	buf_fini(&b);
	if (act == FAKE_GONE_END)
		return;
	if (act == FAKE_TORN)
		fake_write(f->fd, torn, sizeof torn);
	else if (act == FAKE_NOISE)
		fake_write(f->fd, noise, sizeof noise);
	else if (act == FAKE_ODD)
		fake_send(f, WIRE_TOK, NULL, 0);
	else if (act == FAKE_LEASE)
		fake_error(f, WERR_LEASE);
	else if (act == FAKE_REFUSES)
		fake_error(f, WERR_REFUSED);
	else
		fake_result(f, act, out, len + MAGIC_LEN);
}

/* The peer's side of one job. */
static inline void
fake_serve(struct fake_channel *f, enum fake_act act, char *log)
{
	static uint8_t out[FAKE_TEXT_MAX + MAGIC_LEN];
	size_t len;

	if (strchr(FAKE_SOURCE_ACTS, (int)act) != NULL)
		fake_source(f, act, log);
	else if (act == FAKE_GONE || !fake_take_job(f, log, out + MAGIC_LEN, &len))
		fake_say(log, "closed");
	else
		fake_finish(f, act, out, len);
}

/* How many peers a WANT avoids, and what it says of the compile's time. */
static inline void
fake_say_want(const struct buf *body, char *log)
{
	const struct item *array;
	struct packet *p;
	uint64_t ms = 0;
	uint32_t n = 99;
	char text[64];

	if (packet_open(&p, body->data, body->len) != 0 ||
	        item_array(packet_root(p), 4, 16, &array, &n) != 0)
		abort();
	(void)!item_uint(packet_root(p), 5, UINT32_MAX, &ms);
	packet_free(p);
	snprintf(text, sizeof text, ms > 0 ? "want:%u:%ums" : "want:%u", n, (unsigned)ms);
	fake_say(log, text);
}

static inline void
fake_report(const struct buf *body, char *log)
{
	uint64_t verdict, outcome, hedged = 0;
	struct packet *p;
	char reason[96], text[128];

	if (packet_open(&p, body->data, body->len) != 0 ||
	        item_uint(packet_root(p), 1, 2, &verdict) != 0 ||
	        item_uint(packet_root(p), 4, 2, &outcome) != 0 ||
	        item_text(packet_root(p), 2, reason, sizeof reason) != 0)
		abort();
	(void)!item_uint(packet_root(p), 75, 1, &hedged);
	packet_free(p);
	snprintf(text, sizeof text, "%s:%d:%d:%s", hedged != 0 ? "copy" : "report", (int)verdict,
	        (int)outcome, reason);
	fake_say(log, text);
}

/* A message that is no WANT. */
static inline void
fake_told(uint8_t type, const struct buf *body, int fd, char *log)
{
	if (type == CONTROL_RETURN)
		fake_say(log, fd >= 0 ? "return" : "RETURN-WITHOUT-FD");
	else if (type == CONTROL_REPORT)
		fake_report(body, log);
	else
		fake_say(log, "UNEXPECTED");
	if (fd >= 0)
		close(fd);
}

#include "tests/unit/fake_copies.h"

/* One WANT; the control socket is closed by FAKE_VANISH. */
static inline void
fake_want(int *control, const struct buf *body, enum fake_act act, unsigned number, char *log)
{
	struct fake_channel f;
	struct buf b;

	fake_say_want(body, log);
	buf_init(&b, 4096);
	if (act == FAKE_BUSY || act == FAKE_BUSY_GOOD)
		fake_answer(*control, CONTROL_BUSY, NULL, -1);
	if (act == FAKE_LOCAL) {
		pack_map(&b, 2);
		pack_ktext(&b, 1, "no-compatible-peer");
		pack_ktext(&b, 2, "none");
		fake_answer(*control, CONTROL_LOCAL, &b, -1);
	}
	if (act == FAKE_VANISH) {
		close(*control);
		*control = -1;
	}
	if (strchr("lyv", (int)act) != NULL)
		return;
	fake_grant(*control, &f, number, false);
	if (act == FAKE_GOOD_VANISH) {
		close(*control);
		*control = -1;
	}
	fake_serve(&f, act, log);
	/* the wrapper's copy of a channel that is idle again comes back by RETURN */
	close(f.fd);
}

static inline void
fake_run(int control, const char *script, char *log)
{
	struct buf body;
	unsigned wants = 0;
	uint8_t type;
	int fd;

	buf_init(&body, CONTROL_LEN_MAX);
	while (control >= 0 && control_recv(control, &type, &body, &fd) == 0) {
		if (type == CONTROL_WANT && *script == FAKE_COPIES) {
			fake_say_want(&body, log);
			script = fake_copies(control, script + 1, log);
			wants += 2;
		} else if (type == CONTROL_WANT && *script != 0) {
			enum fake_act act = (enum fake_act) * script++;
			fake_want(&control, &body, act, ++wants, log);
		} else {
			fake_told(type, &body, fd, log);
		}
	}
	buf_fini(&body);
}

static inline void
fake_start(struct fake *f, const char *script)
{
	int s[2];

	f->log = mmap(
	        NULL, FAKE_LOG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f->log == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) != 0)
		abort();
	f->pid = fork();
	if (f->pid == 0) {
		signal(SIGSEGV, SIG_DFL); /* cmocka's would go on with the parent's tests */
		alarm(30);
		close(s[0]);
		fake_run(s[1], script, f->log);
		_exit(0);
	}
	close(s[1]);
	f->fd = s[0];
}

/* After the wrapper's end was closed: waits for the child; the log is complete then. */
static inline int
fake_end(struct fake *f)
{
	int status;

	if (waitpid(f->pid, &status, 0) != f->pid)
		return -1;
	return status;
}

static inline void
fake_free(struct fake *f)
{
	munmap(f->log, FAKE_LOG_SIZE);
}

#endif

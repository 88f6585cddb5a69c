/* client/attempt: deadlines by the clock that is handed in, and what a peer may ask for and answer in source mode.  What else peers say
 * is tested in test_submit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "client/attempt.h"
#include "tests/unit/bundle_rig.h"
#include "tests/unit/fake_peer.h"

struct ends {
	struct plan plan;
	struct attempt a;
	struct input in;
	struct channel far;
	char *argv[2];
	int fd;
};

static void
open_ends(struct ends *e)
{
	uint8_t k1[32] = {1}, k2[32] = {2}, h1[CHANNEL_HEADER_LEN], h2[CHANNEL_HEADER_LEN];
	struct answer grant = {.type = CONTROL_GRANT, .peer = "box"};
	struct digest d = {{0}};
	struct channel near;
	int s[2];

	memset(e, 0, sizeof *e);
	e->argv[0] = (char *)"/usr/bin/gcc";
	e->plan.remote[PLAN_PLAIN] = e->argv;
	e->plan.input = (struct job_input){.path = "/a.c", .mode = 0644, .streamed = 1};
	e->plan.outputs[0] = "/a.o";
	e->plan.job = (struct job){.cwd = "/",
	        .env = e->plan.env,
	        .inputs = &e->plan.input,
	        .ninputs = 1,
	        .outputs = e->plan.outputs,
	        .noutputs = 1,
	        .mode = JOB_PREPROCESSED};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	channel_start_send(&near, k1, h1);
	channel_start_send(&e->far, k2, h2);
	assert_int_equal(channel_start_recv(&near, k2, h2), 0);
	channel_export(&near, grant.channel);
	grant.fd = s[0];
	e->fd = s[1];
	input_init(&e->in);
	assert_int_equal(attempt_init(&e->a, &e->plan, NULL, &d, 1000), 0);
	assert_int_equal(attempt_start(&e->a, &grant, PLAN_PLAIN, 1000), 0);
}

static void
close_ends(struct ends *e)
{
	attempt_fini(&e->a);
	input_fini(&e->in);
	close(e->fd);
}

static void
say(struct ends *e, uint8_t type)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(channel_seal(&e->far, type, NULL, 0, &b), 0);
	assert_int_equal(send(e->fd, b.data, b.len, 0), (ssize_t)b.len);
	buf_fini(&b);
}

/* Nobody is to blame for a command line that no peer could be told. */
static void
test_too_large(void **state)
{
	static char word[JOB_LEN_MAX + 1];
	struct ends e;

	(void)state;
	open_ends(&e);
	memset(word, 'x', sizeof word - 1);
	e.argv[0] = word;
	attempt_pump(&e.a, &e.in, 1000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	assert_int_equal(e.a.end, ATTEMPT_TOO_LARGE);
	assert_int_equal(e.a.link.bytes_out, 0);
	close_ends(&e);
}

/* What is left after a piece was taken at once is not left until something else happens. */
static void
test_goes_on_sending(void **state)
{
	static uint8_t block[LINK_OUT_FULL / 2];
	struct input_block blocks[5];
	struct ends e;
	int large = 16 * LINK_OUT_FULL, turns = 0;
	uint8_t drained[4096];
	bool roomy;

	(void)state;
	open_ends(&e);
	/* without the right to do so, the socket may take less than a piece */
	roomy = setsockopt(e.a.link.fd, SOL_SOCKET, SO_SNDBUFFORCE, &large, sizeof large) == 0;
	for (int i = 0; i < 5; i++)
		blocks[i] = (struct input_block){block, sizeof block};
	e.in.blocks = blocks;
	e.in.nblocks = 5;
	e.in.state = INPUT_RUNNING;
	attempt_pump(&e.a, &e.in, 1000);
	while (e.a.blocks_sent < 5) {
		assert_true(turns++ < 50);
		assert_true(!roomy || e.a.link.out.len == 0);
		assert_true(attempt_events(&e.a, &e.in) & POLLOUT);
		while (recv(e.fd, drained, sizeof drained, MSG_DONTWAIT) > 0)
			;
		attempt_pump(&e.a, &e.in, 1000);
	}
	assert_true(turns > 1);
	assert_true(!roomy || !(attempt_events(&e.a, &e.in) & POLLOUT));
	e.in.blocks = NULL;
	e.in.nblocks = 0;
	close_ends(&e);
}

/* While the preprocessor works, the peer may be silent; once it has all, it may not. */
static void
test_silence(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	e.in.state = INPUT_RUNNING;
	attempt_pump(&e.a, &e.in, 1000);
	assert_int_equal(e.a.state, ATTEMPT_SENDING);
	attempt_tick(&e.a, 1000 + 3 * WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_SENDING);
	e.in.state = INPUT_READY;
	attempt_pump(&e.a, &e.in, 20000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	attempt_tick(&e.a, 20000 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	say(&e, WIRE_PING);
	attempt_receive(&e.a, 24000);
	attempt_tick(&e.a, 24000 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	assert_int_equal(attempt_deadline(&e.a, 60000), 24001 + WIRE_SILENCE_MS);
	attempt_tick(&e.a, 24001 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	assert_int_equal(e.a.end, ATTEMPT_LOST);
	assert_false(e.a.idle);
	close_ends(&e);
}

static void
test_longest_time(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	e.in.state = INPUT_READY;
	attempt_pump(&e.a, &e.in, 1000);
	say(&e, WIRE_PING);
	attempt_receive(&e.a, 61000);
	attempt_tick(&e.a, 61000, 60000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	assert_int_equal(attempt_deadline(&e.a, 60000), 61001);
	attempt_tick(&e.a, 61001, 60000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	close_ends(&e);
}

/* A peer that takes no bytes: the kernel's buffers fill, then ours stands still. */
static void
test_takes_nothing(void **state)
{
	static uint8_t bytes[100000];
	struct input_block blocks[20];
	struct ends e;

	(void)state;
	open_ends(&e);
	for (int i = 0; i < 20; i++)
		blocks[i] = (struct input_block){bytes, sizeof bytes};
	e.in.state = INPUT_RUNNING;
	e.in.blocks = blocks;
	e.in.nblocks = 20;
	for (int i = 0; i < 50; i++)
		attempt_pump(&e.a, &e.in, 2000);
	assert_true(e.a.blocks_sent < 20);
	attempt_tick(&e.a, 2000 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_SENDING);
	attempt_tick(&e.a, 2001 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	assert_int_equal(e.a.end, ATTEMPT_LOST);
	e.in.blocks = NULL;
	e.in.nblocks = 0;
	close_ends(&e);
}

/* A slow line: part of a message is a sign of life, the same part is none once more. */
static void
test_slow_message(void **state)
{
	struct ends e;
	struct buf b;

	(void)state;
	open_ends(&e);
	e.in.state = INPUT_READY;
	attempt_pump(&e.a, &e.in, 1000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	buf_init(&b, 4096);
	assert_int_equal(channel_seal(&e.far, WIRE_PING, NULL, 0, &b), 0);
	assert_int_equal(send(e.fd, b.data, b.len - 2, 0), (ssize_t)b.len - 2);
	attempt_tick(&e.a, 1001 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	assert_int_equal(attempt_deadline(&e.a, 60000), 1002 + 2 * WIRE_SILENCE_MS);
	assert_int_equal(send(e.fd, b.data + b.len - 2, 1, 0), 1);
	attempt_tick(&e.a, 1002 + 2 * WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	attempt_tick(&e.a, 1003 + 3 * WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	assert_int_equal(e.a.end, ATTEMPT_LOST);
	buf_fini(&b);
	close_ends(&e);
}

/* A slow line the other way: the peer takes less than makes the socket writable. */
static void
test_takes_little(void **state)
{
	static uint8_t bytes[100000];
	struct input_block blocks[20];
	char drained[1000];
	struct ends e;

	(void)state;
	open_ends(&e);
	for (int i = 0; i < 20; i++)
		blocks[i] = (struct input_block){bytes, sizeof bytes};
	randombytes_buf(bytes, sizeof bytes);
	e.in.state = INPUT_RUNNING;
	e.in.blocks = blocks;
	e.in.nblocks = 20;
	for (int i = 0; i < 50; i++)
		attempt_pump(&e.a, &e.in, 2000);
	assert_true(e.a.blocks_sent < 20);
	while (e.a.taken_bytes == link_taken(&e.a.link, NULL))
		assert_int_equal(recv(e.fd, drained, sizeof drained, 0), sizeof drained);
	attempt_tick(&e.a, 2001 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_SENDING);
	attempt_tick(&e.a, 2002 + 2 * WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	e.in.blocks = NULL;
	e.in.nblocks = 0;
	close_ends(&e);
}

/* RESULT before the job was sent, DONE before RESULT, OUT before RESULT: out of place. */
static void
test_out_of_place(void **state)
{
	static const uint8_t types[] = {
	        WIRE_RESULT, WIRE_OUT, WIRE_DONE, WIRE_GRANT, WIRE_JOB, 0, 255};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct ends e;

		open_ends(&e);
		say(&e, types[i]);
		attempt_receive(&e.a, 1000);
		assert_int_equal(e.a.state, ATTEMPT_OVER);
		assert_int_equal(e.a.end, ATTEMPT_LOST);
		close_ends(&e);
	}
}

/* --- source mode --- */

struct source {
	struct bundle_rig rig;
	struct attempt a;
	struct fake_channel far;
};

static void
open_source(struct source *s)
{
	struct answer grant = {.type = CONTROL_GRANT, .peer = "box"};

	memset(s, 0, sizeof *s);
	assert_int_equal(bundle_rig_enter(&s->rig), 0);
	assert_int_equal(bundle_rig_make(&s->rig, BUNDLE_ARGV("-c", "a.c")), 0);
	grant.fd = fake_pair(&s->far, grant.channel);
	assert_int_equal(attempt_init(&s->a, NULL, &s->rig.bundle, &(struct digest){{9}}, 1000), 0);
	assert_int_equal(attempt_start(&s->a, &grant, PLAN_PLAIN, 1000), 0);
}

static void
close_source(struct source *s)
{
	attempt_fini(&s->a);
	close(s->far.fd);
	assert_int_equal(bundle_rig_leave(&s->rig), 0);
}

/* JOB goes out; what it names is right. */
static void
take_job(struct source *s)
{
	static uint8_t plain[CHANNEL_MESSAGE_MAX];
	struct job job;
	size_t len;

	attempt_pump(&s->a, NULL, 1000);
	assert_int_equal(s->a.state, ATTEMPT_WAITING);
	assert_int_equal(fake_next(&s->far, plain, &len), WIRE_JOB);
	assert_int_equal(job_decode(&job, plain + 1, len), 0);
	assert_int_equal(job.mode, JOB_SOURCE);
	assert_int_equal(job.toolchain.bytes[0], 9);
	assert_int_equal(job.ntrees, s->rig.bundle.job.ntrees);
	job_fini(&job);
}

static void
need(struct source *s, const struct digest *d, uint32_t n)
{
	struct buf b;

	buf_init(&b, CHANNEL_MESSAGE_MAX);
	wire_need_encode(&b, d, n);
	fake_send(&s->far, WIRE_NEED, b.data, b.len);
	buf_fini(&b);
	attempt_receive(&s->a, 2000);
}

/* BLOB, DATA*, END: the blob's length. */
static size_t
take_blob(struct source *s, const struct digest *want)
{
	static uint8_t plain[CHANNEL_MESSAGE_MAX], raw[WIRE_BLOCK_MAX];
	struct digest_stream stream;
	struct digest d, got;
	uint64_t said, size;
	size_t len, n, sum = 0;
	uint8_t type;

	assert_int_equal(fake_next(&s->far, plain, &len), WIRE_BLOB);
	assert_int_equal(wire_blob_decode(plain + 1, len, &d, &said), 0);
	assert_true(digest_equal(&d, want));
	digest_begin(&stream);
	while ((type = fake_next(&s->far, plain, &len)) == WIRE_DATA) {
		assert_int_equal(wire_block_decode(plain + 1, len, raw, &n), 0);
		digest_add(&stream, raw, n);
		sum += n;
	}
	assert_int_equal(type, WIRE_END);
	assert_int_equal(wire_end_decode(plain + 1, len, &d, &size), 0);
	digest_end(&stream, &got);
	assert_true(digest_equal(&got, want));
	assert_true(digest_equal(&d, want));
	assert_int_equal(said, sum);
	assert_int_equal(size, sum);
	return sum;
}

static void
assert_lost(const struct attempt *a, const char *text)
{
	assert_int_equal(a->state, ATTEMPT_OVER);
	assert_int_equal(a->end, ATTEMPT_LOST);
	assert_string_equal(a->text, text);
	assert_false(a->idle);
}

/* RESULT with the texts of stdout, stderr, a.o and the findings (NULL: absent), OUTs and DONE. */
static void
answer(struct source *s, int exit_code, const char *const texts[4], size_t findings_len)
{
	struct job_result r = {.noutputs = 4, .exit_code = exit_code};
	struct buf b;

	for (int i = 0; i < 4; i++)
		if (texts[i] != NULL) {
			r.outputs[i].present = 1;
			r.outputs[i].size = i == 3 ? findings_len : strlen(texts[i]);
			digest_of(&r.outputs[i].digest, texts[i], r.outputs[i].size);
		}
	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_result_encode(&r, &b), 0);
	fake_send(&s->far, WIRE_RESULT, b.data, b.len);
	buf_fini(&b);
	for (int i = 0; i < 4; i++)
		if (texts[i] != NULL)
			fake_out(&s->far, (const uint8_t *)texts[i], r.outputs[i].size);
	fake_send(&s->far, WIRE_DONE, NULL, 0);
	attempt_receive(&s->a, 3000);
}

#define ANSWER(s, exit, findings, ...) \
	answer(s, exit, (const char *const[4]){__VA_ARGS__, findings}, sizeof findings - 1)

static void
expect_answer(int exit_code, const char *message, const char *object, enum attempt_end end)
{
	struct source s;

	open_source(&s);
	take_job(&s);
	ANSWER(&s, exit_code, "m/none/x.h\0", "", message, object);
	assert_int_equal(s.a.state, ATTEMPT_OVER);
	assert_int_equal(s.a.end, end);
	assert_true(s.a.idle);
	close_source(&s);
}

static void
test_source_asks_and_gets(void **state)
{
	const struct job *job;
	struct digest both[2];
	struct source s;

	(void)state;
	open_source(&s);
	take_job(&s);
	job = &s.rig.bundle.job;
	assert_true(job->ntrees > 0);
	need(&s, job->trees, job->ntrees);
	assert_int_equal(s.a.state, ATTEMPT_SENDING);
	attempt_pump(&s.a, NULL, 2000);
	assert_int_equal(s.a.state, ATTEMPT_WAITING);
	assert_int_equal(s.a.sent_ms, 2000);
	for (uint32_t i = 0; i < job->ntrees; i++)
		assert_true(take_blob(&s, &job->trees[i]) > 0);
	digest_of(&both[0], "#define H 1\n", 12);
	digest_of(&both[1], "#define I 2\n", 12);
	need(&s, both, 2);
	attempt_pump(&s.a, NULL, 2500);
	for (int i = 0; i < 2; i++)
		assert_int_equal(take_blob(&s, &both[i]), 12);
	ANSWER(&s, 0, "", "", "", "\177ELF!");
	assert_int_equal(s.a.state, ATTEMPT_OVER);
	assert_int_equal(s.a.end, ATTEMPT_ACCEPTED);
	assert_true(s.a.idle);
	close_source(&s);
}

/* Messages and exit status 1 count as they are; what cannot be exact does not. */
static void
test_source_ends(void **state)
{
	(void)state;
	expect_answer(0, "warning", "\177ELF!", ATTEMPT_ACCEPTED);
	expect_answer(1, "error", NULL, ATTEMPT_ACCEPTED);
	expect_answer(3, "error", NULL, ATTEMPT_ACCEPTED);
	expect_answer(4, "internal error", NULL, ATTEMPT_COMPILE_ERROR);
}

static void
test_source_messages_of_here(void **state)
{
	struct source s;

	(void)state;
	open_source(&s);
	s.rig.bundle.translated = true;
	take_job(&s);
	ANSWER(&s, 0, "", "", "warning", "\177ELF!");
	assert_int_equal(s.a.end, ATTEMPT_DIAGNOSTICS);
	close_source(&s);
	open_source(&s);
	s.rig.bundle.translated = true;
	take_job(&s);
	ANSWER(&s, 0, "", "", "", "\177ELF!");
	assert_int_equal(s.a.end, ATTEMPT_ACCEPTED);
	close_source(&s);
	open_source(&s);
	s.rig.bundle.terminal.width = 10;
	take_job(&s);
	ANSWER(&s, 1, "", "", "    1 | int a;\n", NULL);
	assert_int_equal(s.a.end, ATTEMPT_DIAGNOSTICS);
	assert_true(s.a.idle);
	close_source(&s);
}

static void
test_source_findings(void **state)
{
	struct source s;

	(void)state;
	for (int i = 0; i < 4; i++) {
		open_source(&s);
		take_job(&s);
		if (i == 0)
			ANSWER(&s, 0, "m/etc/passwd\0", "", "", "\177ELF!");
		else if (i == 1)
			ANSWER(&s, 0, "x/made\0", "", "", "\177ELF!");
		else if (i == 2)
			ANSWER(&s, 1, "o\0", "", "error", NULL);
		else
			ANSWER(&s, 0, "m/cut", "", "", "\177ELF!");
		assert_int_equal(s.a.state, ATTEMPT_OVER);
		assert_int_equal(s.a.end, i == 0 ? ATTEMPT_LEARNED : ATTEMPT_LACKED);
		assert_string_not_equal(s.a.text, "");
		assert_true(s.a.idle);
		close_source(&s);
	}
}

static void
test_source_without_findings(void **state)
{
	struct source s;

	(void)state;
	open_source(&s);
	take_job(&s);
	answer(&s, 0, (const char *const[4]){"", "", "\177ELF!", NULL}, 0);
	assert_lost(&s.a, "the peer sent a result that cannot be read");
	close_source(&s);
}

static void
test_source_asks_for_more(void **state)
{
	struct digest other = {{1}};
	struct source s;

	(void)state;
	open_source(&s);
	take_job(&s);
	need(&s, &other, 1);
	attempt_pump(&s.a, NULL, 2000);
	assert_lost(&s.a, "the peer asked for what is no part of the job");
	close_source(&s);
}

/* As often as there are blobs, and not once more; the count is for one peer. */
static void
test_source_asks_too_often(void **state)
{
	struct digest header;
	struct source s;
	uint32_t n;

	(void)state;
	open_source(&s);
	take_job(&s);
	n = bundle_blobs(&s.rig.bundle);
	digest_of(&header, "#define H 1\n", 12);
	for (uint32_t i = 0; i < n; i++) {
		need(&s, &header, 1);
		attempt_pump(&s.a, NULL, 2000);
		assert_int_equal(take_blob(&s, &header), 12);
	}
	assert_int_equal(s.a.state, ATTEMPT_WAITING);
	need(&s, &header, 1);
	assert_lost(&s.a, "the peer asked for what cannot be sent");
	attempt_close(&s.a);
	{
		struct answer grant = {.type = CONTROL_GRANT, .peer = "box"};

		close(s.far.fd);
		grant.fd = fake_pair(&s.far, grant.channel);
		assert_int_equal(attempt_start(&s.a, &grant, PLAN_PLAIN, 1000), 0);
	}
	take_job(&s);
	need(&s, &header, 1);
	assert_int_equal(s.a.state, ATTEMPT_SENDING);
	close_source(&s);
}

static void
test_source_asks_out_of_place(void **state)
{
	struct digest header;
	struct source s;
	struct ends e;

	(void)state;
	digest_of(&header, "#define H 1\n", 12);
	/* before the job was sent; while the last answer is being sent */
	open_source(&s);
	need(&s, &header, 1);
	assert_lost(&s.a, "the peer sent a message that is out of place");
	close_source(&s);
	open_source(&s);
	take_job(&s);
	need(&s, &header, 1);
	need(&s, &header, 1);
	assert_lost(&s.a, "the peer sent a message that is out of place");
	close_source(&s);
	/* nonsense; in preprocessed mode */
	open_source(&s);
	take_job(&s);
	fake_send(&s.far, WIRE_NEED, "?", 1);
	attempt_receive(&s.a, 2000);
	assert_lost(&s.a, "the peer asked for what cannot be sent");
	close_source(&s);
	open_ends(&e);
	e.in.state = INPUT_READY;
	attempt_pump(&e.a, &e.in, 1000);
	say(&e, WIRE_NEED);
	attempt_receive(&e.a, 1000);
	assert_lost(&e.a, "the peer sent a message that is out of place");
	close_ends(&e);
}

static void
test_source_changes(void **state)
{
	struct digest header;
	struct source s;

	(void)state;
	open_source(&s);
	take_job(&s);
	digest_of(&header, "#define H 1\n", 12);
	need(&s, &header, 1);
	assert_int_equal(scratch_text("h.h", "#define H 2\n"), 0);
	attempt_pump(&s.a, NULL, 2000);
	assert_int_equal(s.a.state, ATTEMPT_OVER);
	assert_int_equal(s.a.end, ATTEMPT_CHANGED);
	assert_false(s.a.idle);
	close_source(&s);
}

static void
test_source_announces_too_much(void **state)
{
	struct job_result r = {.noutputs = 4};
	struct source s;
	struct buf b;

	(void)state;
	open_source(&s);
	take_job(&s);
	for (int i = 0; i < 4; i++)
		r.outputs[i].present = 1;
	r.outputs[3].size = FINDINGS_LEN_MAX + 1;
	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_result_encode(&r, &b), 0);
	fake_send(&s.far, WIRE_RESULT, b.data, b.len);
	buf_fini(&b);
	attempt_receive(&s.a, 3000);
	assert_lost(&s.a, "the peer announced outputs over the limit");
	close_source(&s);
}

/* A large file is sent in several blocks, and while it is, the peer may be silent. */
static void
test_source_large_file(void **state)
{
	static char text[3 * WIRE_BLOCK_MAX + 1000];
	struct digest large;
	struct source s;

	(void)state;
	for (size_t i = 0; i < sizeof text - 1; i++)
		text[i] = i % 64 == 63 ? '\n' : "/ab "[i % 64 < 2 ? 0 : i % 3 + 1];
	memset(&s, 0, sizeof s);
	assert_int_equal(bundle_rig_enter(&s.rig), 0);
	assert_int_equal(scratch_text("h.h", text), 0);
	assert_int_equal(bundle_rig_make(&s.rig, BUNDLE_ARGV("-c", "a.c")), 0);
	{
		struct answer grant = {.type = CONTROL_GRANT, .peer = "box"};

		grant.fd = fake_pair(&s.far, grant.channel);
		assert_int_equal(
		        attempt_init(&s.a, NULL, &s.rig.bundle, &(struct digest){{9}}, 1000), 0);
		assert_int_equal(attempt_start(&s.a, &grant, PLAN_PLAIN, 1000), 0);
	}
	take_job(&s);
	digest_of(&large, text, strlen(text));
	need(&s, &large, 1);
	attempt_pump(&s.a, NULL, 2000);
	assert_int_equal(take_blob(&s, &large), strlen(text));
	assert_int_equal(s.a.state, ATTEMPT_WAITING);
	close_source(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_too_large),
	        cmocka_unit_test(test_goes_on_sending), cmocka_unit_test(test_silence),
	        cmocka_unit_test(test_longest_time), cmocka_unit_test(test_takes_nothing),
	        cmocka_unit_test(test_slow_message), cmocka_unit_test(test_takes_little),
	        cmocka_unit_test(test_out_of_place), cmocka_unit_test(test_source_asks_and_gets),
	        cmocka_unit_test(test_source_ends), cmocka_unit_test(test_source_messages_of_here),
	        cmocka_unit_test(test_source_findings),
	        cmocka_unit_test(test_source_without_findings),
	        cmocka_unit_test(test_source_asks_for_more),
	        cmocka_unit_test(test_source_asks_too_often),
	        cmocka_unit_test(test_source_asks_out_of_place),
	        cmocka_unit_test(test_source_changes),
	        cmocka_unit_test(test_source_announces_too_much),
	        cmocka_unit_test(test_source_large_file)};

	alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

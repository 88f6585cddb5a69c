/* client/graph: what goes in comes out, whoever else writes, dies in the middle or damages the file.
 * SEED=N repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/graph.h"

#define SMALL GRAPH_FILE_MIN
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW)
#define USED_AT 8 /* the header's second word: see client/graph.c */
#define HEADS_AT 64
#define HEADS_OF_SMALL 512
#define VALUE_LONGEST 600

/* A value that says for which key it holds, and all of whose bytes follow from its head. */
struct value {
	uint32_t key, version, len;
	uint8_t bytes[VALUE_LONGEST];
};

static uint64_t rng;

static uint64_t
draw(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng * 0x2545f4914f6cdd1dULL;
}

static int
file_of(size_t size, int seals)
{
	int fd = memfd_create("graph", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

/* The descriptor stays open. */
static struct graph *
open_again(int fd)
{
	struct graph *g = NULL;

	assert_int_equal(graph_open(&g, fcntl(fd, F_DUPFD_CLOEXEC, 0)), 0);
	return g;
}

/* Opens a small one where nothing may be touched behind it, if the kernel takes the highest place. */
static struct graph *
open_guarded(int fd)
{
	uint8_t *guard = mmap(NULL, 4 * SMALL, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(guard != MAP_FAILED);
	munmap(guard, SMALL);
	return open_again(fd); /* the guard stays: one for each test */
}

static struct graph *
fresh(size_t size)
{
	struct graph *g = NULL;

	assert_int_equal(graph_open(&g, file_of(size, SEALS)), 0);
	return g;
}

/* --- values that verify themselves --- */

static size_t
key_text(char out[64], uint32_t key)
{
	return (size_t)snprintf(out, 64, "file /usr/include/of/some/depth/header-%u.h", key);
}

static size_t
value_fill(struct value *v, uint32_t key, uint32_t version)
{
	uint32_t x = key * 2654435761u ^ version;

	v->key = key;
	v->version = version;
	v->len = (key * 7 + version * 13) % VALUE_LONGEST;
	for (uint32_t i = 0; i < v->len; i++) {
		x = x * 1664525 + 1013904223;
		v->bytes[i] = (uint8_t)(x >> 24);
	}
	return offsetof(struct value, bytes) + v->len;
}

static int
put(struct graph *g, uint32_t key, uint32_t version)
{
	struct value v;
	char text[64];
	size_t len = value_fill(&v, key, version);

	return graph_add(g, text, key_text(text, key), &v, len);
}

/* The version found, 0 when absent, -1 when the value is none that was ever put. */
static int64_t
look(const struct graph *g, uint32_t key)
{
	struct value want, got = {0};
	char text[64];
	size_t len = 0;
	const void *p = graph_find(g, text, key_text(text, key), &len);

	if (p == NULL)
		return 0;
	if ((uintptr_t)p % 8 != 0 || len < offsetof(struct value, bytes) || len > sizeof got)
		return -1;
	memcpy(&got, p, len);
	if (got.key != key || got.version == 0 || value_fill(&want, key, got.version) != len)
		return -1;
	return memcmp(&want, p, len) == 0 ? (int64_t)got.version : -1;
}

/* --- one process --- */

static void
test_round_trip(void **state)
{
	static uint8_t big[GRAPH_VALUE_MAX + 1];
	static char long_key[GRAPH_KEY_MAX + 1];
	struct graph *g = fresh(16 << 20);
	size_t len = 99;

	(void)state;
	assert_null(graph_find(g, "a", 1, &len));
	assert_int_equal(len, 99);
	for (uint32_t key = 0; key < 3000; key++)
		assert_int_equal(put(g, key, 1), 0);
	for (uint32_t key = 0; key < 3000; key++)
		assert_int_equal(look(g, key), 1);
	assert_int_equal(look(g, 3000), 0);
	assert_int_equal(graph_add(g, "a\0b", 3, NULL, 0), 0);
	assert_int_equal(graph_add(g, "a\0c", 3, "c", 1), 0);
	assert_non_null(graph_find(g, "a\0b", 3, &len));
	assert_int_equal(len, 0);
	assert_null(graph_find(g, "a", 1, &len));
	memset(long_key, 'k', sizeof long_key);
	memset(big, 'v', sizeof big);
	assert_int_equal(graph_add(g, long_key, GRAPH_KEY_MAX, big, GRAPH_VALUE_MAX), 0);
	assert_memory_equal(graph_find(g, long_key, GRAPH_KEY_MAX, &len), big, GRAPH_VALUE_MAX);
	assert_int_equal(len, GRAPH_VALUE_MAX);
	assert_int_equal(graph_add(g, long_key, GRAPH_KEY_MAX + 1, "", 0), IM_ERR_LIMIT);
	assert_null(graph_find(g, long_key, GRAPH_KEY_MAX + 1, &len));
	assert_int_equal(graph_add(g, "b", 1, big, GRAPH_VALUE_MAX + 1), IM_ERR_LIMIT);
	assert_false(graph_full(g));
	graph_free(g);
}

static void
test_no_graph(void **state)
{
	size_t len;

	(void)state;
	assert_null(graph_find(NULL, "a", 1, &len));
	assert_int_equal(graph_add(NULL, "a", 1, "b", 1), IM_ERR_LIMIT);
	assert_false(graph_full(NULL));
	graph_free(NULL);
}

static void
test_newest_wins(void **state)
{
	struct graph *g = fresh(SMALL);
	char text[64];
	size_t len;

	(void)state;
	for (uint32_t version = 1; version <= 1500; version++) {
		assert_int_equal(put(g, 5, version), 0);
		assert_int_equal(look(g, 5), version);
	}
	/* the same again takes no room, however often */
	const void *was = graph_find(g, text, key_text(text, 5), &len);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(put(g, 5, 1500), 0);
	assert_ptr_equal(graph_find(g, text, key_text(text, 5), &len), was);
	assert_int_equal(graph_add(g, "k", 1, "1", 1), 0);
	assert_int_equal(graph_add(g, "k", 1, "2", 1), 0);
	assert_memory_equal(graph_find(g, "k", 1, &len), "2", 1);
	assert_int_equal(put(g, 5, 1), 0); /* back to what it was once: that is news */
	assert_int_equal(look(g, 5), 1);
	graph_free(g);
}

static void
test_full(void **state)
{
	static uint8_t big[SMALL];
	int fd = file_of(SMALL, SEALS);
	struct graph *g = open_guarded(fd);
	uint32_t n = 0, told = 0;

	(void)state;
	assert_int_equal(graph_add(g, "k", 1, big, sizeof big), IM_ERR_LIMIT);
	assert_false(graph_full(g));
	for (; put(g, n, 1) == 0; n++) {
		assert_true(n < SMALL / 32);
		if (!graph_full(g))
			told = n;
	}
	assert_true(graph_full(g));
	assert_in_range(told, n * 8 / 10, n * 95 / 100); /* it says so in time */
	for (uint32_t key = 0; key < n; key++)
		assert_int_equal(look(g, key), 1);
	graph_free(g);
	close(fd);
}

static void
expect_refused(int fd, int err)
{
	struct graph *g = NULL;

	assert_int_equal(graph_open(&g, fd), err);
	assert_null(g);
	if (fd >= 0)
		assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed */
}

static void
test_files_refused(void **state)
{
	char name[] = "/tmp/icemesh-graph-XXXXXX";
	uint64_t foreign = 0x1234;
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(ftruncate(fd, SMALL), 0);
	expect_refused(fd, IM_ERR_FORMAT);
	expect_refused(file_of(SMALL, 0), IM_ERR_FORMAT);
	expect_refused(file_of(SMALL, F_SEAL_GROW), IM_ERR_FORMAT);
	expect_refused(file_of(SMALL - 1, SEALS), IM_ERR_FORMAT);
	expect_refused(file_of(0, SEALS), IM_ERR_FORMAT);
	expect_refused(file_of(SMALL, SEALS | F_SEAL_WRITE), IM_ERR_SYSTEM);
	expect_refused(-1, IM_ERR_FORMAT);
	fd = file_of(SMALL, SEALS);
	assert_int_equal(pwrite(fd, &foreign, sizeof foreign, 0), sizeof foreign);
	expect_refused(fd, IM_ERR_FORMAT);
}

/* --- damage --- */

struct damaged {
	int fd;
	uint8_t *bytes;
	uint64_t used; /* bytes from the file's start that hold something */
	struct graph *g;
};

#define DAMAGED_KEYS 300

static void
damaged_open(struct damaged *d)
{
	d->fd = file_of(SMALL, SEALS);
	d->bytes = mmap(NULL, SMALL, PROT_READ | PROT_WRITE, MAP_SHARED, d->fd, 0);
	assert_true(d->bytes != MAP_FAILED);
	d->g = open_again(d->fd);
	for (uint32_t key = 0; key < DAMAGED_KEYS; key++)
		assert_int_equal(put(d->g, key, 1 + key % 3), 0);
	memcpy(&d->used, d->bytes + USED_AT, sizeof d->used);
	d->used += HEADS_AT + HEADS_OF_SMALL * 4;
}

static void
damaged_close(struct damaged *d)
{
	graph_free(d->g);
	munmap(d->bytes, SMALL);
	close(d->fd);
}

static void
damage(struct damaged *d)
{
	uint32_t *heads = (uint32_t *)(d->bytes + HEADS_AT), word = (uint32_t)draw();
	uint64_t at = 8 + draw() % (d->used - 8), len = 1 + draw() % 64, used;

	switch (draw() % 6) {
	case 0: /* one bit */
		d->bytes[at] ^= (uint8_t)(1 << draw() % 8);
		break;
	case 1: /* noise */
		for (uint64_t i = at; i < at + len; i++)
			d->bytes[i] = (uint8_t)draw();
		break;
	case 2: /* zeros */
		memset(d->bytes + at, 0, len);
		break;
	case 3: /* links and lengths at the edges */
		word = (uint32_t[]){SMALL / 8, SMALL / 8 - 1, UINT32_MAX, 1, 0x80000000}[word % 5];
		memcpy(d->bytes + at / 4 * 4, &word, sizeof word);
		break;
	case 4: /* a circle: the first of a chain follows itself or the first of another chain */
		at = heads[word % HEADS_OF_SMALL];
		word = draw() % 2 ? (uint32_t)at : heads[draw() % HEADS_OF_SMALL];
		if (at > HEADS_AT && at < SMALL / 8)
			memcpy(d->bytes + at * 8, &word, sizeof word);
		break;
	default: /* additions go elsewhere */
		used = draw() % 2 ? draw() : draw() % SMALL;
		memcpy(d->bytes + USED_AT, &used, sizeof used);
	}
}

/* Each value found is one that was put under that key, and what an addition said holds. */
static void
check_damaged(struct damaged *d)
{
	for (uint32_t key = 0; key < DAMAGED_KEYS + 20; key++)
		assert_true(look(d->g, key) >= 0);
	for (uint32_t key = DAMAGED_KEYS - 10; key < DAMAGED_KEYS + 10; key++) {
		int r = put(d->g, key, 9);
		if (r == 0)
			assert_int_equal(look(d->g, key), 9);
		else
			assert_int_equal(r, IM_ERR_LIMIT);
	}
	(void)graph_full(d->g);
}

static void
test_damage(void **state)
{
	struct damaged d;

	(void)state;
	for (int round = 0; round < 60; round++) {
		damaged_open(&d);
		for (int times = 0; times < 12; times++) {
			damage(&d);
			check_damaged(&d);
		}
		damaged_close(&d);
	}
}

/* Every single bit of a small graph. */
static void
test_each_bit(void **state)
{
	struct damaged d;
	uint64_t used = HEADS_AT + HEADS_OF_SMALL * 4;

	(void)state;
	d.fd = file_of(SMALL, SEALS);
	d.bytes = mmap(NULL, SMALL, PROT_READ | PROT_WRITE, MAP_SHARED, d.fd, 0);
	assert_true(d.bytes != MAP_FAILED);
	d.g = open_guarded(d.fd);
	assert_int_equal(put(d.g, 3, 1), 0);
	assert_int_equal(put(d.g, 4, 1), 0);
	memcpy(&d.used, d.bytes + USED_AT, sizeof d.used);
	for (uint64_t bit = used * 8; bit < (used + d.used) * 8; bit++) {
		d.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(look(d.g, 3) >= 0 && look(d.g, 4) >= 0);
		d.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(look(d.g, 3) == 1 && look(d.g, 4) == 1);
	damaged_close(&d);
}

/* Where the newest value is damaged an older one is no substitute. */
static void
test_damaged_newest(void **state)
{
	struct graph *g = fresh(SMALL);
	char text[64];
	size_t len = key_text(text, 1), value_len;

	(void)state;
	assert_int_equal(put(g, 1, 1), 0);
	assert_int_equal(put(g, 1, 2), 0);
	uint8_t *value = (uint8_t *)(uintptr_t)graph_find(g, text, len, &value_len);
	value[value_len - 1] ^= 1;
	assert_int_equal(look(g, 1), 0);
	assert_int_equal(put(g, 1, 2), 0);
	assert_int_equal(look(g, 1), 2);
	graph_free(g);
}

/* The place of the next addition goes back: what somebody holds is not written over. */
static void
test_no_overwriting(void **state)
{
	struct damaged d;
	uint64_t used;

	(void)state;
	damaged_open(&d);
	for (used = 0; used < d.used; used += 8 * (1 + draw() % 40)) {
		memcpy(d.bytes + USED_AT, &used, sizeof used);
		for (uint32_t key = 1000; key < 1010; key++)
			(void)put(d.g, key, (uint32_t)used + 1);
		for (uint32_t key = 0; key < DAMAGED_KEYS; key++)
			assert_int_equal(look(d.g, key), 1 + key % 3);
	}
	assert_true(graph_full(d.g)); /* so that a new one is asked for */
	damaged_close(&d);
}

/* A writer died after it had taken its room, or before it had published it. */
static void
test_lost_room(void **state)
{
	struct damaged d;

	(void)state;
	damaged_open(&d);
	for (uint32_t key = 0; key < 50; key++) {
		uint64_t used;
		memcpy(&used, d.bytes + USED_AT, sizeof used);
		memset(d.bytes + HEADS_AT + HEADS_OF_SMALL * 4 + used, 0xaa, draw() % 65);
		used += 64;
		memcpy(d.bytes + USED_AT, &used, sizeof used);
		assert_int_equal(put(d.g, key, 7), 0);
		assert_int_equal(look(d.g, key), 7);
	}
	assert_false(graph_full(d.g));
	damaged_close(&d);
}

/* --- many processes --- */

#define WRITERS 16
#define SHARED_KEYS 200
#define STEPS 4000
#define FILLERS 4

/* Runs in a child: even ones come to the end, the others are killed on the way. */
static void
write_and_find(int fd, uint32_t who, _Atomic uint32_t *progress)
{
	struct graph *g = open_again(fd);

	atomic_fetch_add(&progress[WRITERS], 1);
	while (atomic_load(&progress[WRITERS]) < WRITERS)
		sched_yield();
	rng += who * 0x9e3779b97f4a7c15ULL;
	for (uint32_t step = 1; step <= STEPS; step++) {
		uint32_t own = 10000 + who * 10 + step % 10;
		int r = put(g, (uint32_t)draw() % SHARED_KEYS, 1 + (uint32_t)draw() % 5);
		if (r != 0 || put(g, own, step) != 0)
			_exit(2);
		if (look(g, own) != step)
			_exit(3);
		if (look(g, (uint32_t)draw() % SHARED_KEYS) < 0)
			_exit(4);
		atomic_store(&progress[who], step);
	}
	graph_free(g);
	_exit(0);
}

static void
test_many_processes(void **state)
{
	int fd = file_of(256 << 20, SEALS), status;
	struct graph *g = open_again(fd);
	_Atomic uint32_t *progress =
	        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[WRITERS];

	(void)state;
	assert_true((void *)progress != MAP_FAILED);
	for (uint32_t who = 0; who < WRITERS; who++) {
		pids[who] = fork();
		assert_true(pids[who] >= 0);
		if (pids[who] == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			signal(SIGSEGV, SIG_DFL);
			write_and_find(fd, who, progress);
		}
	}
	for (uint32_t who = 1; who < WRITERS; who += 2) {
		uint32_t moment = (uint32_t)draw() % STEPS / 2;
		while (atomic_load(&progress[who]) < moment)
			sched_yield();
		for (uint64_t i = draw() % 2000; i > 0; i--)
			assert_true(look(g, (uint32_t)i % SHARED_KEYS) >= 0);
		kill(pids[who], SIGKILL);
	}
	for (uint32_t who = 0; who < WRITERS; who++) {
		assert_int_equal(waitpid(pids[who], &status, 0), pids[who]);
		if (who % 2 == 0)
			assert_int_equal(status, 0);
		else if (status != 0)
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	for (uint32_t key = 0; key < SHARED_KEYS; key++)
		assert_in_range(look(g, key), 1, 5);
	for (uint32_t who = 0; who < WRITERS;
	        who++) /* what a writer had put before it died is there */
		for (uint32_t back = 0; back < 10 && back < progress[who]; back++) {
			uint32_t step = progress[who] - back;
			int64_t found = look(g, 10000 + who * 10 + step % 10);
			assert_true(found == step || (who % 2 == 1 && found == step + 10));
		}
	munmap((void *)progress, 4096);
	graph_free(g);
	close(fd);
}

/* Runs in a child: small entries till nothing fits; how many is left in counts[who]. */
static void
fill_up(int fd, uint32_t who, _Atomic uint32_t *counts)
{
	struct graph *g = open_again(fd);
	uint32_t key[2] = {who, 0};

	atomic_fetch_add(&counts[FILLERS], 1);
	while (atomic_load(&counts[FILLERS]) < FILLERS)
		sched_yield();
	while (graph_add(g, key, sizeof key, key, sizeof key) == 0)
		key[1]++;
	atomic_store(&counts[who], key[1]);
	_exit(graph_full(g) ? 0 : 1);
}

/* Writers that meet at one link, or at the end of the room, lose nothing. */
static void
test_filled_by_many(void **state)
{
	int fd = file_of(SMALL, SEALS), status;
	struct graph *g = open_guarded(fd);
	_Atomic uint32_t *counts =
	        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[FILLERS];
	uint32_t key[2];
	size_t len;

	(void)state;
	assert_true((void *)counts != MAP_FAILED);
	for (uint32_t who = 0; who < FILLERS; who++) {
		pids[who] = fork();
		assert_true(pids[who] >= 0);
		if (pids[who] == 0)
			fill_up(fd, who, counts);
	}
	for (uint32_t who = 0; who < FILLERS; who++) {
		assert_int_equal(waitpid(pids[who], &status, 0), pids[who]);
		assert_int_equal(status, 0);
	}
	for (key[0] = 0; key[0] < FILLERS; key[0]++)
		for (key[1] = 0; key[1] < counts[key[0]]; key[1]++) {
			const void *value = graph_find(g, key, sizeof key, &len);
			assert_non_null(value);
			assert_memory_equal(value, key, sizeof key);
		}
	munmap((void *)counts, 4096);
	graph_free(g);
	close(fd);
}

static void
test_another_process(void **state)
{
	int fd = file_of(SMALL, SEALS), status;
	struct graph *g = open_again(fd);

	(void)state;
	assert_int_equal(put(g, 1, 1), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct graph *h = open_again(fd);
		_exit(look(h, 1) == 1 && put(h, 2, 2) == 0 && put(h, 1, 3) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(look(g, 1), 3);
	assert_int_equal(look(g, 2), 2);
	graph_free(g);
	g = open_again(fd); /* no process had it open in between */
	assert_int_equal(look(g, 2), 2);
	graph_free(g);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_round_trip),
	        cmocka_unit_test(test_no_graph),
	        cmocka_unit_test(test_newest_wins),
	        cmocka_unit_test(test_full),
	        cmocka_unit_test(test_files_refused),
	        cmocka_unit_test(test_damage),
	        cmocka_unit_test(test_each_bit),
	        cmocka_unit_test(test_damaged_newest),
	        cmocka_unit_test(test_no_overwriting),
	        cmocka_unit_test(test_lost_room),
	        cmocka_unit_test(test_many_processes),
	        cmocka_unit_test(test_filled_by_many),
	        cmocka_unit_test(test_another_process),
	};
	const char *seed = getenv("SEED");

	alarm(60);
	if (seed != NULL)
		rng = strtoull(seed, NULL, 10);
	else if (getrandom(&rng, sizeof rng, 0) != sizeof rng)
		return 1;
	rng |= rng == 0;
	printf("SEED=%llu\n", (unsigned long long)rng);
	fflush(stdout);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

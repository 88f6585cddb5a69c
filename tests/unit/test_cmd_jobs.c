/* icemesh jobs: always one number, for make. */
#include "client/call.h"

#include "tests/unit/fake_daemon.h"

/* A node with 8 slots. */
struct node {
	bool self;
	const char *name, *trust, *state, *platform;
	unsigned used;
};

static const struct node nodes[] = {
        {true, "here", "self", "up", "x86_64", 0},
        {false, "free", "member", "up", "x86_64", 0},
        {false, "half", "member", "up", "x86_64", 4},
        {false, "full", "member", "up", "x86_64", 8},
        {false, "over", "member", "up", "x86_64", 9},
        {false, "lost", "member", "suspect", "x86_64", 0},
        {false, "paused", "member", "paused", "x86_64", 0},
        {false, "spare", "spare", "up", "x86_64", 0},
        {false, "arm", "member", "up", "aarch64", 0},
};
#define NODES (sizeof nodes / sizeof nodes[0])

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	char id[33];

	(void)root;
	(void)fd;
	assert_int_equal(type, CONTROL_PEERS);
	out->with_file = true;
	pack_map(&out->file, 1);
	pack_uint(&out->file, 1);
	pack_array(&out->file, NODES);
	for (unsigned i = 0; i < NODES; i++) {
		snprintf(id, sizeof id, "%032x", i);
		pack_map(&out->file, 9);
		pack_ktext(&out->file, 1, id);
		pack_ktext(&out->file, 2, nodes[i].name);
		pack_kuint(&out->file, 3, nodes[i].self);
		pack_ktext(&out->file, 4, nodes[i].trust);
		pack_ktext(&out->file, 5, nodes[i].state);
		pack_ktext(&out->file, 7, nodes[i].platform);
		pack_kuint(&out->file, 8, 8);
		pack_kuint(&out->file, 9, nodes[i].used);
		pack_kuint(&out->file, 14, 3);
	}
}

static void
refusing(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)type;
	(void)root;
	(void)fd;
	fake_error(out, "not today");
}

static void
setting(const struct fake *f, const char *line)
{
	FILE *config = fopen(f->config, "a");

	assert_non_null(config);
	fprintf(config, "%s\n", line);
	fclose(config);
}

static void
expect(int status, const char *number)
{
	struct call c;

	assert_int_equal(fake_call(&c, cmd_jobs, WORDS("jobs")), status);
	assert_string_equal(out_of(&c), number);
	assert_int_equal(status != CALL_DONE, c.err.len > 0);
	call_fini(&c);
}

static void
test_free_slots(void **state)
{
	struct fake f;

	(void)state;
	fake_start(&f, handler);
	setting(&f, "local_slots = 3");
	expect(CALL_DONE, "15\n");
	setting(&f, "peer = half");
	expect(CALL_DONE, "7\n");
	setting(&f, "peer = nobody");
	expect(CALL_DONE, "3\n");
	setting(&f, "peer = free");
	setting(&f, "remote = never");
	expect(CALL_DONE, "3\n");
	fake_stop(&f);
}

/* make takes -j without a number for "any number". */
static void
test_always_a_number(void **state)
{
	struct fake f;

	(void)state;
	fake_start(&f, NULL);
	setting(&f, "local_slots = 3");
	expect(CALL_DONE, "3\n");
	setting(&f, "no such key");
	expect(CALL_FAILED, "3\n");
	fake_stop(&f);
	fake_start(&f, refusing);
	setting(&f, "local_slots = 5");
	expect(CALL_DONE, "5\n");
	fake_stop(&f);
}

static void
test_usage(void **state)
{
	struct call c;

	(void)state;
	assert_int_equal(fake_call(&c, cmd_jobs, WORDS("jobs", "now")), CALL_USAGE);
	call_fini(&c);
	assert_int_equal(fake_call(&c, cmd_jobs, WORDS("jobs", "--json")), CALL_USAGE);
	call_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_free_slots),
	        cmocka_unit_test(test_always_a_number), cmocka_unit_test(test_usage)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

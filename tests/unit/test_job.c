/* The encoding of jobs and results: what goes in comes out, and what no wrapper would send is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/packet.h"
#include "exec/job.h"

static const char *argv[] = {"/usr/bin/gcc", "-c", "a b.c", "", NULL};
static const char *env[] = {"LANG=C", "X=", NULL};
static const char *outputs[] = {"/p/a.o", "/p/a.dwo"};
static struct job_input inputs[] = {{.path = "/p/a.c", .mode = 0644, .streamed = 1},
        {.path = "/p/a.h", .mode = 0755, .digest = {{7}}, .size = 1234567890123}};
static const struct job sample = {.toolchain = {{1, 2, 3}},
        .cwd = "/p",
        .argv = argv,
        .argc = 4,
        .env = env,
        .nenv = 2,
        .inputs = inputs,
        .ninputs = 2,
        .outputs = outputs,
        .noutputs = 2,
        .mode = JOB_PREPROCESSED};

static const struct digest trees[JOB_TREES_MAX + 1] = {{{1}}, {{2}}, {{3}}};
static struct tree_entry own[] = {
        {.path = "/p/a.c", .kind = TREE_FILE, .mode = 0644, .digest = {{5}}, .size = 99},
        {.path = "/p/b.h", .kind = TREE_LINK, .target = "a.c"}};

static struct job
source_job(void)
{
	struct job j = sample;

	j.mode = JOB_SOURCE;
	j.ninputs = 0;
	j.trees = trees;
	j.ntrees = 3;
	j.own = (struct tree){.entries = own, .n = 2};
	return j;
}

static int
decode(const struct job *j, struct job *out)
{
	struct buf b;
	int r;

	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_encode(j, &b), 0);
	r = job_decode(out, b.data, b.len);
	buf_fini(&b);
	return r;
}

static void
job_survives(void **state)
{
	struct job j;

	(void)state;
	assert_int_equal(decode(&sample, &j), 0);
	assert_true(digest_equal(&j.toolchain, &sample.toolchain));
	assert_string_equal(j.cwd, "/p");
	assert_int_equal(j.argc, 4);
	assert_string_equal(j.argv[2], "a b.c");
	assert_string_equal(j.argv[3], "");
	assert_null(j.argv[4]);
	assert_int_equal(j.nenv, 2);
	assert_string_equal(j.env[1], "X=");
	assert_null(j.env[2]);
	assert_int_equal(j.ninputs, 2);
	assert_true(j.inputs[0].streamed);
	assert_false(j.inputs[1].streamed);
	assert_int_equal(j.inputs[1].mode, 0755);
	assert_int_equal(j.inputs[1].size, 1234567890123);
	assert_int_equal(j.inputs[1].digest.bytes[0], 7);
	assert_int_equal(j.noutputs, 2);
	assert_string_equal(j.outputs[1], "/p/a.dwo");
	assert_int_equal(j.mode, JOB_PREPROCESSED);
	job_fini(&j);
}

static void
source_job_survives(void **state)
{
	struct job in = source_job(), j;

	(void)state;
	assert_int_equal(decode(&in, &j), 0);
	assert_int_equal(j.mode, JOB_SOURCE);
	assert_int_equal(j.ninputs, 0);
	assert_int_equal(j.ntrees, 3);
	for (int i = 0; i < 3; i++)
		assert_true(digest_equal(&j.trees[i], &trees[i]));
	assert_int_equal(j.own.n, 2);
	assert_string_equal(j.own.entries[0].path, "/p/a.c");
	assert_int_equal(j.own.entries[0].size, 99);
	assert_string_equal(j.own.entries[1].target, "a.c");
	assert_string_equal(j.argv[2], "a b.c");
	assert_string_equal(j.outputs[1], "/p/a.dwo");
	job_fini(&j);
	assert_null(j.own.entries);
	in.ntrees = 0;
	assert_int_equal(decode(&in, &j), 0);
	assert_int_equal(j.ntrees, 0);
	job_fini(&j);
	in.own.n = 0;
	assert_int_equal(decode(&in, &j), 0);
	assert_int_equal(j.own.n, 0);
	job_fini(&j);
}

/* A hint: optional for those who know no such thing, and never more than three. */
static void
holders_survive(void **state)
{
	const struct node_id ids[JOB_HOLDERS_MAX + 1] = {{{7}}, {{8}}, {{9}}};
	struct job in = source_job(), j;
	struct buf b;

	(void)state;
	assert_int_equal(decode(&in, &j), 0);
	assert_int_equal(j.nholders, 0);
	job_fini(&j);
	in.holders = ids;
	for (in.nholders = 1; in.nholders <= JOB_HOLDERS_MAX; in.nholders++) {
		assert_int_equal(decode(&in, &j), 0);
		assert_int_equal(j.nholders, in.nholders);
		assert_memory_equal(j.holders, ids, in.nholders * sizeof *ids);
		assert_memory_equal(j.trees, trees, 3 * sizeof *trees);
		assert_string_equal(j.cwd, "/p");
		job_fini(&j);
	}
	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_encode(&in, &b), IM_ERR_LIMIT);
	buf_reset(&b);
	in.nholders = 1;
	assert_int_equal(job_encode(&in, &b), 0);
	/* the last key is theirs: {..., 64: 16 bytes}; one byte less is no name */
	assert_int_equal(b.data[b.len - NODE_ID_LEN - 1], NODE_ID_LEN);
	b.data[b.len - NODE_ID_LEN - 1]--;
	assert_int_equal(job_decode(&j, b.data, b.len - 1), IM_ERR_FORMAT);
	buf_fini(&b);
}

static void
trees_and_inputs_do_not_mix(void **state)
{
	struct digest same[] = {{{1}}, {{2}}, {{1}}}, full[JOB_TREES_MAX + 1];
	struct tree_entry odd = {.path = "/p/../a.c", .kind = TREE_FOLDER};
	struct job j = source_job(), out;

	(void)state;
	for (uint8_t i = 0; i <= JOB_TREES_MAX; i++)
		full[i] = (struct digest){{i}};
	j.ninputs = 1;
	assert_int_equal(decode(&j, &out), IM_ERR_FORMAT);
	j = source_job();
	j.mode = JOB_PREPROCESSED;
	assert_int_equal(decode(&j, &out), IM_ERR_FORMAT);
	j.own.n = 0;
	assert_int_equal(decode(&j, &out), IM_ERR_FORMAT);
	j.own.n = 2;
	j.ntrees = 0;
	assert_int_equal(decode(&j, &out), IM_ERR_FORMAT);
	j = source_job();
	j.trees = same;
	assert_int_equal(decode(&j, &out), IM_ERR_FORMAT);
	j.trees = full;
	j.ntrees = JOB_TREES_MAX + 1;
	assert_int_equal(decode(&j, &out), IM_ERR_LIMIT);
	j.ntrees = JOB_TREES_MAX;
	assert_int_equal(decode(&j, &out), 0);
	job_fini(&out);
	j.own = (struct tree){.entries = &odd, .n = 1};
	assert_int_equal(decode(&j, &out), IM_ERR_FORMAT);
}

/* Key 10 or 11 with these bytes behind a job without either. */
static int
with_key(enum job_mode mode, unsigned key, const void *bytes, size_t len)
{
	struct job j = source_job(), out;
	struct buf b;
	int r;

	j.ntrees = j.own.n = 0;
	j.mode = mode;
	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_encode(&j, &b), 0);
	assert_int_equal(b.data[0], 0x88);
	b.data[0]++;
	pack_kbytes(&b, key, bytes, len);
	r = job_decode(&out, b.data, b.len);
	if (r == 0)
		job_fini(&out);
	buf_fini(&b);
	return r;
}

static void
odd_trees_are_refused(void **state)
{
	struct tree none = {0};
	struct buf b;

	(void)state;
	assert_int_equal(with_key(JOB_SOURCE, 10, trees, 2 * DIGEST_LEN), 0);
	assert_int_equal(with_key(JOB_SOURCE, 10, trees, 0), 0);
	assert_int_equal(with_key(JOB_SOURCE, 10, trees, DIGEST_LEN + 1), IM_ERR_FORMAT);
	assert_int_equal(with_key(JOB_SOURCE, 10, trees, DIGEST_LEN - 1), IM_ERR_FORMAT);
	assert_int_equal(with_key(JOB_SOURCE, 11, "", 0), IM_ERR_FORMAT);
	assert_int_equal(with_key(JOB_SOURCE, 11, "\x80", 1), IM_ERR_FORMAT);
	assert_int_equal(with_key(JOB_SOURCE, 12, "", 0), IM_ERR_VERSION);
	buf_init(&b, 100);
	assert_int_equal(tree_encode(&none, &b), 0);
	assert_int_equal(with_key(JOB_SOURCE, 11, b.data, b.len), 0);
	assert_int_equal(with_key(JOB_SOURCE, 11, b.data, b.len - 1), IM_ERR_FORMAT);
	assert_int_equal(with_key(JOB_PREPROCESSED, 11, b.data, b.len), IM_ERR_FORMAT);
	assert_int_equal(with_key(JOB_PREPROCESSED, 10, "", 0), IM_ERR_FORMAT);
	buf_fini(&b);
}

/* As much own tree as a job can hold, and one entry more. */
static void
own_tree_has_its_limit(void **state)
{
	enum { N = 4000 };
	struct tree_entry *many = calloc(N, sizeof(*many));
	char(*paths)[48] = calloc(N, sizeof(*paths));
	struct job j = source_job(), out;
	struct buf b;
	uint32_t n = N;

	(void)state;
	assert_true(many != NULL && paths != NULL);
	for (int i = 0; i < N; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "/folder/with/many/files/%04d.h", i);
		many[i] = own[0];
		many[i].path = paths[i];
	}
	buf_init(&b, 2 * JOB_LEN_MAX);
	while (j.own = (struct tree){.entries = many, .n = n}, job_encode(&j, &b) == IM_ERR_LIMIT) {
		buf_reset(&b);
		n--;
	}
	assert_true(n > 2000 && n < N);
	assert_int_equal(buf_err(&b), 0);
	assert_true(b.len <= JOB_LEN_MAX && b.len > JOB_LEN_MAX - 100);
	assert_int_equal(job_decode(&out, b.data, b.len), 0);
	assert_int_equal(out.own.n, n);
	job_fini(&out);
	buf_fini(&b);
	free(many);
	free(paths);
}

static void
bad_jobs_are_refused(void **state)
{
	const char *odd_env[] = {"NOEQUALS"}, *same[] = {"/p/a.o", "/p/a.o"}, *empty[] = {""};
	struct job_input odd_mode = {.path = "/p/a.c", .mode = 0600, .streamed = 1};
	struct job bad[7], out;

	(void)state;
	for (int i = 0; i < 7; i++)
		bad[i] = sample;
	bad[0].cwd = "p";
	bad[1].argc = 0;
	bad[2].env = odd_env;
	bad[2].nenv = 1;
	bad[3].outputs = same;
	bad[4].inputs = &odd_mode;
	bad[4].ninputs = 1;
	bad[5].argv = empty;
	bad[5].argc = 1;
	bad[6].mode = (enum job_mode)2;
	for (int i = 0; i < 7; i++)
		assert_int_not_equal(decode(&bad[i], &out), 0);
}

static void
every_truncation_is_refused(void **state)
{
	const struct job jobs[] = {sample, source_job()};
	struct buf b;
	struct job j;

	(void)state;
	buf_init(&b, JOB_LEN_MAX);
	for (int i = 0; i < 2; i++) {
		buf_reset(&b);
		assert_int_equal(job_encode(&jobs[i], &b), 0);
		for (size_t len = 0; len < b.len; len++)
			assert_int_not_equal(job_decode(&j, b.data, len), 0);
	}
	buf_fini(&b);
}

static void
unknown_fields_and_versions_are_refused(void **state)
{
	struct buf b;
	struct job j;

	(void)state;
	buf_init(&b, 4096);
	pack_map(&b, 1);
	pack_kuint(&b, 1, 2);
	assert_int_equal(job_decode(&j, b.data, b.len), IM_ERR_VERSION);
	buf_reset(&b);
	pack_map(&b, 2);
	pack_kuint(&b, 1, 1);
	pack_kuint(&b, 63, 1);
	assert_int_equal(job_decode(&j, b.data, b.len), IM_ERR_VERSION);
	buf_fini(&b);
	assert_int_equal(job_decode(&j, "", JOB_LEN_MAX + 1), IM_ERR_LIMIT);
}

static void
paths_are_judged(void **state)
{
	static const char *const good[] = {"/", "/a", "/a/b.c", "/.a", "/..a", "/a/...", "/a b"};
	static const char *const bad[] = {
	        "", "a", "//", "/a/", "/./a", "/a/.", "/a/..", "/../a", "/a//b", "/a\nb", "/\x7f"};
	char *deep = malloc(JOB_PATH_MAX + 2);

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(job_path_ok(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(job_path_ok(bad[i]));
	memset(deep, 'a', JOB_PATH_MAX + 1);
	deep[0] = '/';
	deep[JOB_PATH_MAX + 1] = '\0';
	assert_false(job_path_ok(deep));
	deep[JOB_PATH_MAX] = '\0';
	assert_true(job_path_ok(deep));
	free(deep);
}

static void
result_survives(void **state)
{
	struct job_result r = {.exit_code = 3,
	                          .end = JOB_MEMORY,
	                          .user_us = 5,
	                          .system_us = 6,
	                          .wall_us = 7,
	                          .max_rss_kb = 8,
	                          .noutputs = 4},
	                  out;
	struct buf b;

	(void)state;
	r.outputs[0] = (struct job_output){.present = 1, .size = 99, .digest = {{4}}};
	r.outputs[3] = (struct job_output){.present = 1, .size = 1};
	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_result_encode(&r, &b), 0);
	assert_int_equal(job_result_decode(&out, b.data, b.len), 0);
	assert_memory_equal(&out, &r, sizeof(r));
	for (size_t len = 0; len < b.len; len++)
		assert_int_not_equal(job_result_decode(&out, b.data, len), 0);
	r.noutputs = JOB_RESULTS_MAX; /* with findings */
	r.outputs[JOB_RESULTS_MAX - 1] = (struct job_output){.present = 1, .size = 7};
	buf_reset(&b);
	assert_int_equal(job_result_encode(&r, &b), 0);
	assert_int_equal(job_result_decode(&out, b.data, b.len), 0);
	assert_memory_equal(&out, &r, sizeof(r));
	buf_fini(&b);
	r.noutputs = JOB_RESULTS_MAX + 1;
	assert_int_equal(job_result_encode(&r, &b), IM_ERR_LIMIT);
	r.noutputs = 1;
	assert_int_equal(job_result_encode(&r, &b), IM_ERR_LIMIT);
	assert_string_equal(job_end_name(JOB_TIMEOUT), "timeout");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(job_survives),
	        cmocka_unit_test(source_job_survives), cmocka_unit_test(holders_survive),
	        cmocka_unit_test(trees_and_inputs_do_not_mix),
	        cmocka_unit_test(odd_trees_are_refused), cmocka_unit_test(own_tree_has_its_limit),
	        cmocka_unit_test(bad_jobs_are_refused),
	        cmocka_unit_test(every_truncation_is_refused),
	        cmocka_unit_test(unknown_fields_and_versions_are_refused),
	        cmocka_unit_test(paths_are_judged), cmocka_unit_test(result_survives)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

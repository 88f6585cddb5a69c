/* job_decode() and job_result_decode(): what they take must encode to bytes that decode to the same. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "exec/job.h"

static void
again_job(const uint8_t *data, size_t size)
{
	struct job j, again;
	struct buf b;

	if (job_decode(&j, data, size) != 0)
		return;
	if (j.mode == JOB_SOURCE ? j.ninputs != 0 : j.ntrees + j.own.n != 0)
		abort();
	if (!job_path_ok(j.cwd) || j.argc == 0 || j.argv[j.argc] != NULL || j.env[j.nenv] != NULL)
		abort();
	buf_init(&b, 2 * JOB_LEN_MAX);
	/* A longer spelling of the same job may have been at the limit. */
	if (job_encode(&j, &b) == 0) {
		if (job_decode(&again, b.data, b.len) != 0 || again.ninputs != j.ninputs ||
		        again.ntrees != j.ntrees || again.own.n != j.own.n ||
		        again.nholders != j.nholders || strcmp(again.cwd, j.cwd) != 0)
			abort();
		job_fini(&again);
	}
	buf_fini(&b);
	job_fini(&j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job_result r = {0}, again = {0};
	struct buf b;

	again_job(data, size);
	if (job_result_decode(&r, data, size) != 0)
		return 0;
	buf_init(&b, JOB_LEN_MAX);
	if (job_result_encode(&r, &b) != 0 || job_result_decode(&again, b.data, b.len) != 0 ||
	        again.noutputs != r.noutputs || again.end != r.end)
		abort();
	buf_fini(&b);
	return 0;
}

static size_t
give(struct buf *b, uint8_t *out)
{
	size_t len = b->len;

	if (buf_err(b) != 0 || len > FUZZ_SAMPLE_MAX)
		abort();
	memcpy(out, b->data, len);
	buf_fini(b);
	return len;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	const char *argv[] = {"gcc", "-c", "a.i", NULL}, *env[] = {"LANG=C", NULL},
	           *outputs[] = {"/p/a.o"};
	struct job_input inputs[] = {{.path = "/p/a.i", .mode = 0644, .streamed = 1},
	        {.path = "/p/a.h", .mode = 0644, .size = 4}};
	struct job j = {.cwd = "/p",
	        .argv = argv,
	        .argc = 3,
	        .env = env,
	        .nenv = 1,
	        .inputs = inputs,
	        .ninputs = 2,
	        .outputs = outputs,
	        .noutputs = 1,
	        .mode = JOB_PREPROCESSED};
	struct digest trees[] = {{{1}}, {{2}}};
	struct node_id holders[] = {{{3}}, {{4}}};
	struct tree_entry own[] = {{.path = "/p/a.c", .kind = TREE_FILE, .mode = 0644},
	        {.path = "/p/b.h", .kind = TREE_LINK, .target = "a.c"}};
	struct job_result r = {
	        .exit_code = 1, .noutputs = 3, .outputs = {{.present = 1, .size = 5}}};
	struct buf b;

	if (i > 2)
		return 0;
	if (i == 2) {
		j.mode = JOB_SOURCE;
		j.ninputs = 0;
		j.trees = trees;
		j.ntrees = 2;
		j.holders = holders;
		j.nholders = 2;
		j.own = (struct tree){.entries = own, .n = 2};
	}
	buf_init(&b, JOB_LEN_MAX);
	if ((i != 1 ? job_encode(&j, &b) : job_result_encode(&r, &b)) != 0)
		abort();
	return give(&b, out);
}

#include "exec/job.h"

#include <stdlib.h>
#include <string.h>
#include "crypto/packet.h"
#include "exec/arena.h"

#define JOB_VERSION 1
#define RESULT_KEYS 0x1fe /* keys 1 to 8 */
#define JOB_KEYS 0xffe    /* keys 1 to 11 */
#define INPUT_KEYS 0x1e   /* keys 1 to 4 */
#define OUTPUT_KEYS 0x6   /* keys 1 and 2 */
#define SIGNAL_MAX 127

enum job_key {
	JOB_KEY_VERSION = 1,
	JOB_KEY_TOOLCHAIN,
	JOB_KEY_CWD,
	JOB_KEY_ARGV,
	JOB_KEY_ENV,
	JOB_KEY_INPUTS,
	JOB_KEY_OUTPUTS,
	JOB_KEY_MODE,
	JOB_KEY_NICE,
	JOB_KEY_TREES,
	JOB_KEY_OWN,
	JOB_KEY_HOLDERS = 64 /* optional: older peers skip it */
};
enum input_key { INPUT_KEY_PATH = 1, INPUT_KEY_MODE, INPUT_KEY_DIGEST, INPUT_KEY_SIZE };
enum result_key {
	RESULT_KEY_EXIT = 1,
	RESULT_KEY_SIGNAL,
	RESULT_KEY_END,
	RESULT_KEY_USER,
	RESULT_KEY_SYSTEM,
	RESULT_KEY_WALL,
	RESULT_KEY_OUTPUTS,
	RESULT_KEY_RSS
};
enum output_key { OUTPUT_KEY_SIZE = 1, OUTPUT_KEY_DIGEST };

int
job_path_ok(const char *path)
{
	size_t len = strlen(path);
	size_t i, start = 1;

	if (len < 2 || len > JOB_PATH_MAX || path[0] != '/')
		return len == 1 && path[0] == '/';
	for (i = 1; i <= len; i++) {
		unsigned char c = (unsigned char)path[i];

		if (c != '/' && c != '\0') {
			if (c < 0x20 || c == 0x7f)
				return 0;
			continue;
		}
		if (i == start || (i - start == 1 && path[start] == '.') ||
		        (i - start == 2 && path[start] == '.' && path[start + 1] == '.'))
			return 0;
		start = i + 1;
	}
	return 1;
}

static void
put_words(struct buf *out, unsigned key, const char *const *words, uint32_t n)
{
	pack_uint(out, key);
	pack_array(out, n);
	for (uint32_t i = 0; i < n; i++)
		pack_bytes(out, words[i], strlen(words[i]));
}

static void
put_input(struct buf *out, const struct job_input *in)
{
	pack_map(out, in->streamed ? 2 : 4);
	pack_kbytes(out, INPUT_KEY_PATH, in->path, strlen(in->path));
	pack_kuint(out, INPUT_KEY_MODE, in->mode);
	if (in->streamed)
		return;
	pack_kbytes(out, INPUT_KEY_DIGEST, in->digest.bytes, DIGEST_LEN);
	pack_kuint(out, INPUT_KEY_SIZE, in->size);
}

static int
put_own(struct buf *out, const struct tree *own)
{
	struct buf b;
	int r;

	buf_init(&b, JOB_LEN_MAX);
	r = tree_encode(own, &b);
	if (r == 0)
		pack_kbytes(out, JOB_KEY_OWN, b.data, b.len);
	buf_fini(&b);
	return r;
}

int
job_encode(const struct job *j, struct buf *out)
{
	size_t before = out->len;
	int r = 0;

	if (j->nholders > JOB_HOLDERS_MAX)
		return IM_ERR_LIMIT;
	pack_map(out, 8 + (j->ntrees > 0) + (j->own.n > 0) + (j->nholders > 0));
	pack_kuint(out, JOB_KEY_VERSION, JOB_VERSION);
	pack_kbytes(out, JOB_KEY_TOOLCHAIN, j->toolchain.bytes, DIGEST_LEN);
	pack_kbytes(out, JOB_KEY_CWD, j->cwd, strlen(j->cwd));
	put_words(out, JOB_KEY_ARGV, j->argv, j->argc);
	put_words(out, JOB_KEY_ENV, j->env, j->nenv);
	pack_uint(out, JOB_KEY_INPUTS);
	pack_array(out, j->ninputs);
	for (uint32_t i = 0; i < j->ninputs; i++)
		put_input(out, &j->inputs[i]);
	put_words(out, JOB_KEY_OUTPUTS, j->outputs, j->noutputs);
	pack_kuint(out, JOB_KEY_MODE, j->mode);
	if (j->ntrees > 0)
		pack_kbytes(out, JOB_KEY_TREES, j->trees, j->ntrees * sizeof(*j->trees));
	if (j->own.n > 0)
		r = put_own(out, &j->own);
	if (r != 0)
		return r;
	if (j->nholders > 0)
		pack_kbytes(out, JOB_KEY_HOLDERS, j->holders, j->nholders * sizeof(*j->holders));
	if (buf_err(out) == 0 && out->len - before > JOB_LEN_MAX)
		return IM_ERR_LIMIT;
	return buf_err(out);
}

static int
take_path(const struct item *map, unsigned key, struct arena *a, const char **out)
{
	const uint8_t *bytes;
	size_t len;
	const char *text;
	int r = item_bytes(map, key, JOB_PATH_MAX, &bytes, &len);

	if (r != 0)
		return r == IM_ERR_ABSENT ? IM_ERR_FORMAT : r;
	text = arena_text(a, bytes, len);
	if (text == NULL || !job_path_ok(text))
		return IM_ERR_FORMAT;
	*out = text;
	return 0;
}

static int
take_words(const struct item *array, uint32_t n, struct arena *a, const char **out)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *bytes;
		size_t len;
		int r = value_bytes(item_at(array, i), JOB_LEN_MAX, &bytes, &len);

		if (r != 0)
			return r;
		out[i] = arena_text(a, bytes, len);
		if (out[i] == NULL)
			return IM_ERR_FORMAT;
	}
	return 0;
}

static int
take_input(const struct item *map, struct arena *a, struct job_input *in)
{
	uint64_t mode;
	int r;

	if (!value_is_map(map))
		return IM_ERR_FORMAT;
	r = item_known(map, INPUT_KEYS);
	if (r == 0)
		r = take_path(map, INPUT_KEY_PATH, a, &in->path);
	if (r == 0)
		r = item_uint(map, INPUT_KEY_MODE, 0777, &mode);
	if (r != 0)
		return r == IM_ERR_ABSENT ? IM_ERR_FORMAT : r;
	if (mode != 0644 && mode != 0755)
		return IM_ERR_FORMAT;
	in->mode = (uint32_t)mode;
	r = item_fixed(map, INPUT_KEY_DIGEST, in->digest.bytes, DIGEST_LEN);
	if (r == IM_ERR_ABSENT) {
		in->streamed = 1;
		return 0;
	}
	if (r == 0)
		r = item_uint(map, INPUT_KEY_SIZE, INT64_MAX, &in->size);
	return r == IM_ERR_ABSENT ? IM_ERR_FORMAT : r;
}

static int
env_shape_ok(const struct job *j)
{
	for (uint32_t i = 0; i < j->nenv; i++) {
		if (j->env[i][0] == '=' || strchr(j->env[i], '=') == NULL)
			return 0;
	}
	return 1;
}

static int
outputs_ok(const struct job *j)
{
	for (uint32_t i = 0; i < j->noutputs; i++) {
		if (!job_path_ok(j->outputs[i]) || j->outputs[i][1] == '\0')
			return 0;
		for (uint32_t k = 0; k < i; k++) {
			if (strcmp(j->outputs[i], j->outputs[k]) == 0)
				return 0;
		}
	}
	return 1;
}

struct job_arrays {
	const struct item *argv, *env, *inputs, *outputs;
	const uint8_t *trees, *holders; /* j->ntrees digests, j->nholders ids */
};

/* Names of so many bytes each, one behind the other; they may be absent. */
static int
find_names(const struct item *root, enum job_key key, size_t each, uint32_t *n, const uint8_t **out)
{
	size_t max = key == JOB_KEY_TREES ? JOB_TREES_MAX : JOB_HOLDERS_MAX, len = 0;
	int r = item_bytes(root, key, max * each, out, &len);

	if (r != 0)
		return r == IM_ERR_ABSENT ? 0 : r;
	*n = (uint32_t)(len / each);
	return len % each == 0 ? 0 : IM_ERR_FORMAT;
}

static int
take_arrays(struct job *j, const struct item *root, struct job_arrays *arrays)
{
	int r = item_array(root, JOB_KEY_ARGV, JOB_ARGS_MAX, &arrays->argv, &j->argc);

	if (r == 0)
		r = item_array(root, JOB_KEY_ENV, JOB_ENV_MAX, &arrays->env, &j->nenv);
	if (r == 0)
		r = item_array(root, JOB_KEY_INPUTS, JOB_INPUTS_MAX, &arrays->inputs, &j->ninputs);
	if (r == 0)
		r = item_array(
		        root, JOB_KEY_OUTPUTS, JOB_OUTPUTS_MAX, &arrays->outputs, &j->noutputs);
	if (r == 0)
		r = find_names(root, JOB_KEY_TREES, DIGEST_LEN, &j->ntrees, &arrays->trees);
	if (r == 0)
		r = find_names(root, JOB_KEY_HOLDERS, NODE_ID_LEN, &j->nholders, &arrays->holders);
	if (r == 0 && j->argc == 0)
		r = IM_ERR_FORMAT;
	return r;
}

/* Lays the arrays out in one zeroed block with text_len bytes behind them; trees and holders are filled in. */
static int
allocate_arrays(struct job *j, const struct job_arrays *arrays, struct arena *a, size_t text_len)
{
	size_t pointers = (size_t)j->argc + 1 + j->nenv + 1 + j->noutputs;
	size_t inputs = j->ninputs * sizeof(*j->inputs);
	size_t words = pointers * sizeof(char *);
	size_t trees = j->ntrees * sizeof(*j->trees);
	size_t names = trees + j->nholders * sizeof(*j->holders);
	char *block = calloc(1, inputs + words + names + text_len), *at = block + inputs + words;

	if (block == NULL)
		return IM_ERR_MEMORY;
	j->memory = block;
	j->inputs = (struct job_input *)(void *)block;
	j->argv = (const char **)(void *)(block + inputs);
	j->env = j->argv + j->argc + 1;
	j->outputs = j->env + j->nenv + 1;
	if (trees > 0)
		memcpy(at, arrays->trees, trees);
	if (names > trees)
		memcpy(at + trees, arrays->holders, names - trees);
	j->trees = (const struct digest *)(void *)at;
	j->holders = (const struct node_id *)(void *)(at + trees);
	*a = (struct arena){.next = at + names, .left = text_len};
	return 0;
}

static int
trees_ok(const struct job *j)
{
	for (uint32_t i = 0; i < j->ntrees; i++) {
		for (uint32_t k = 0; k < i; k++) {
			if (digest_equal(&j->trees[i], &j->trees[k]))
				return 0;
		}
	}
	return 1;
}

static int
take_own(struct job *j, const struct item *root)
{
	const uint8_t *bytes;
	size_t len;
	int r = item_bytes(root, JOB_KEY_OWN, JOB_LEN_MAX, &bytes, &len);

	if (r != 0)
		return r == IM_ERR_ABSENT ? 0 : r;
	return tree_decode(&j->own, bytes, len);
}

/* Sources come in trees, preprocessed text in inputs. */
static int
mode_ok(const struct job *j, const struct item *root)
{
	if (j->mode == JOB_SOURCE)
		return j->ninputs == 0;
	return item_get(root, JOB_KEY_TREES) == NULL && item_get(root, JOB_KEY_OWN) == NULL;
}

/* All that needs no memory. */
static int
take_frame(struct job *j, const struct item *root, struct job_arrays *arrays)
{
	uint64_t version = 0, mode = 0;
	int r = item_uint(root, JOB_KEY_VERSION, UINT32_MAX, &version);

	if (r == 0 && version != JOB_VERSION)
		return IM_ERR_VERSION;
	if (r == 0)
		r = item_known(root, JOB_KEYS);
	if (r == 0)
		r = item_fixed(root, JOB_KEY_TOOLCHAIN, j->toolchain.bytes, DIGEST_LEN);
	if (r == 0)
		r = item_uint(root, JOB_KEY_MODE, JOB_PREPROCESSED, &mode);
	j->mode = (enum job_mode)mode;
	return r != 0 ? r : take_arrays(j, root, arrays);
}

static int
take_job(struct job *j, const struct item *root, size_t len)
{
	struct job_arrays arrays = {0};
	struct arena a;
	int r = take_frame(j, root, &arrays);

	if (r == 0 && !mode_ok(j, root))
		r = IM_ERR_FORMAT;
	if (r == 0)
		r = allocate_arrays(j, &arrays, &a, len);
	if (r == 0)
		r = take_path(root, JOB_KEY_CWD, &a, &j->cwd);
	if (r == 0)
		r = take_words(arrays.argv, j->argc, &a, j->argv);
	if (r == 0)
		r = take_words(arrays.env, j->nenv, &a, j->env);
	if (r == 0)
		r = take_words(arrays.outputs, j->noutputs, &a, j->outputs);
	for (uint32_t i = 0; r == 0 && i < j->ninputs; i++)
		r = take_input(item_at(arrays.inputs, i), &a, &j->inputs[i]);
	if (r == 0 && (!env_shape_ok(j) || !outputs_ok(j) || !trees_ok(j) || j->argv[0][0] == '\0'))
		r = IM_ERR_FORMAT;
	return r != 0 ? r : take_own(j, root);
}

int
job_decode(struct job *j, const void *bytes, size_t len)
{
	struct packet *p = NULL;
	struct job job = {0};
	int r;

	if (len > JOB_LEN_MAX)
		return IM_ERR_LIMIT;
	r = packet_open(&p, bytes, len);
	if (r != 0)
		return r;
	r = take_job(&job, packet_root(p), len);
	packet_free(p);
	if (r != 0) {
		job_fini(&job);
		return r == IM_ERR_ABSENT ? IM_ERR_FORMAT : r;
	}
	*j = job;
	return 0;
}

void
job_fini(struct job *j)
{
	tree_fini(&j->own);
	free(j->memory);
	*j = (struct job){0};
}

int
job_result_encode(const struct job_result *r, struct buf *out)
{
	if (r->noutputs < 2 || r->noutputs > JOB_RESULTS_MAX)
		return IM_ERR_LIMIT;
	pack_map(out, 8);
	pack_kuint(out, RESULT_KEY_EXIT, (uint64_t)r->exit_code);
	pack_kuint(out, RESULT_KEY_SIGNAL, (uint64_t)r->signal);
	pack_kuint(out, RESULT_KEY_END, r->end);
	pack_kuint(out, RESULT_KEY_USER, r->user_us);
	pack_kuint(out, RESULT_KEY_SYSTEM, r->system_us);
	pack_kuint(out, RESULT_KEY_WALL, r->wall_us);
	pack_uint(out, RESULT_KEY_OUTPUTS);
	pack_array(out, r->noutputs);
	for (uint32_t i = 0; i < r->noutputs; i++) {
		if (!r->outputs[i].present) {
			pack_nil(out);
			continue;
		}
		pack_map(out, 2);
		pack_kuint(out, OUTPUT_KEY_SIZE, r->outputs[i].size);
		pack_kbytes(out, OUTPUT_KEY_DIGEST, r->outputs[i].digest.bytes, DIGEST_LEN);
	}
	pack_kuint(out, RESULT_KEY_RSS, r->max_rss_kb);
	return buf_err(out);
}

static int
take_output(const struct item *v, struct job_output *o)
{
	int r;

	if (v == NULL)
		return IM_ERR_FORMAT;
	if (!value_is_map(v)) /* nil: not made */
		return 0;
	r = item_known(v, OUTPUT_KEYS);
	if (r == 0)
		r = item_uint(v, OUTPUT_KEY_SIZE, INT64_MAX, &o->size);
	if (r == 0)
		r = item_fixed(v, OUTPUT_KEY_DIGEST, o->digest.bytes, DIGEST_LEN);
	o->present = r == 0;
	return r;
}

static int
take_numbers(struct job_result *out, const struct item *root)
{
	uint64_t code = 0, sig = 0, end = 0;
	int r = item_uint(root, RESULT_KEY_EXIT, 255, &code);

	if (r == 0)
		r = item_uint(root, RESULT_KEY_SIGNAL, SIGNAL_MAX, &sig);
	if (r == 0)
		r = item_uint(root, RESULT_KEY_END, JOB_REFUSED, &end);
	if (r == 0)
		r = item_uint(root, RESULT_KEY_USER, INT64_MAX, &out->user_us);
	if (r == 0)
		r = item_uint(root, RESULT_KEY_SYSTEM, INT64_MAX, &out->system_us);
	if (r == 0)
		r = item_uint(root, RESULT_KEY_WALL, INT64_MAX, &out->wall_us);
	if (r == 0)
		r = item_uint(root, RESULT_KEY_RSS, INT64_MAX, &out->max_rss_kb);
	out->exit_code = (int)code;
	out->signal = (int)sig;
	out->end = (enum job_end)end;
	return r;
}

int
job_result_decode(struct job_result *r, const void *bytes, size_t len)
{
	struct packet *p = NULL;
	struct job_result result = {0};
	const struct item *outputs = NULL;
	int err;

	if (len > JOB_LEN_MAX)
		return IM_ERR_LIMIT;
	err = packet_open(&p, bytes, len);
	if (err != 0)
		return err;
	err = item_known(packet_root(p), RESULT_KEYS);
	if (err == 0)
		err = take_numbers(&result, packet_root(p));
	if (err == 0)
		err = item_array(packet_root(p), RESULT_KEY_OUTPUTS, JOB_RESULTS_MAX, &outputs,
		        &result.noutputs);
	if (err == 0 && result.noutputs < 2)
		err = IM_ERR_FORMAT;
	for (uint32_t i = 0; err == 0 && i < result.noutputs; i++)
		err = take_output(item_at(outputs, i), &result.outputs[i]);
	packet_free(p);
	if (err != 0)
		return err == IM_ERR_ABSENT ? IM_ERR_FORMAT : err;
	*r = result;
	return 0;
}

const char *
job_end_name(enum job_end e)
{
	static const char *const names[] = {
	        "exited", "timeout", "memory", "output", "killed", "sandbox", "refused"};

	return (unsigned)e < sizeof(names) / sizeof(names[0]) ? names[e] : "unknown";
}

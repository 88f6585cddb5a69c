/* tree_decode(): what it takes can be laid out in order, and has one encoding. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "exec/job.h"
#include "exec/tree.h"

static const struct tree_entry *
entry_at(const struct tree *t, const char *path, size_t len)
{
	for (uint32_t i = 0; i < t->n; i++) {
		if (strncmp(t->entries[i].path, path, len) == 0 && t->entries[i].path[len] == '\0')
			return &t->entries[i];
	}
	return NULL;
}

static int
entry_ok(const struct tree *t, const struct tree_entry *e)
{
	const struct tree_entry *other;

	if (!job_path_ok(e->path) || e->kind > TREE_TWIN)
		return 0;
	for (size_t i = 1; e->path[i] != '\0'; i++) {
		if (e->path[i] != '/')
			continue;
		other = entry_at(t, e->path, i);
		if (other != NULL && other->kind != TREE_FOLDER)
			return 0;
	}
	if (e->kind == TREE_FILE)
		return (e->mode == 0644 || e->mode == 0755) && e->size <= TREE_FILE_MAX &&
		       e->mtime_s >= 0 && e->target == NULL;
	if (e->kind == TREE_FOLDER)
		return e->target == NULL;
	if (e->target == NULL || e->target[0] == '\0' || strlen(e->target) > TREE_TARGET_MAX)
		return 0;
	other = e->kind == TREE_TWIN ? entry_at(t, e->target, strlen(e->target)) : NULL;
	return e->kind == TREE_LINK || (other != NULL && other->kind == TREE_FILE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree t, again;
	struct buf one, two;

	if (tree_decode(&t, data, size) != 0)
		return 0;
	for (uint32_t i = 0; i < t.n; i++) {
		if (!entry_ok(&t, &t.entries[i]))
			abort();
	}
	buf_init(&one, 2 * TREE_LEN_MAX);
	buf_init(&two, 2 * TREE_LEN_MAX);
	/* Ours is the shortest spelling, optional keys of others left out, but for three strings of an entry at the most: msgpack spells a
	 * short one in a byte less where it is called text, and that is taken, too. */
	if (tree_encode(&t, &one) != 0 || one.len > size + 3 * (size_t)t.n ||
	        tree_decode(&again, one.data, one.len) != 0 || tree_encode(&again, &two) != 0 ||
	        one.len != two.len || memcmp(one.data, two.data, one.len) != 0)
		abort();
	tree_fini(&again);
	tree_fini(&t);
	buf_fini(&one);
	buf_fini(&two);
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static struct tree_entry entries[] = {{.path = "/a", .kind = TREE_FOLDER},
	        {.path = "/a-b", .kind = TREE_FILE, .mode = 0644, .size = 70000},
	        {.path = "/a/b", .kind = TREE_FILE, .mode = 0755, .mtime_s = 1800000000},
	        {.path = "/a/c", .kind = TREE_LINK, .target = "../x"},
	        {.path = "/t", .kind = TREE_TWIN, .target = "/a/b"}};
	struct tree t = {.entries = entries, .n = i == 0 ? 5 : 0};
	struct buf b;
	size_t len;

	if (i > 1)
		return 0;
	buf_init(&b, FUZZ_SAMPLE_MAX);
	if (tree_encode(&t, &b) != 0)
		abort();
	len = b.len;
	memcpy(out, b.data, len);
	buf_fini(&b);
	return len;
}

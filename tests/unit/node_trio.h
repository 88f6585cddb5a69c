/*
 * A worker, a holder and a client in one mesh, and a job whose headers the holder may have: for the tests of mesh/fetch.h and
 * mesh/lend.h.
 */
#ifndef TESTS_UNIT_NODE_TRIO_H
#define TESTS_UNIT_NODE_TRIO_H

#include "mesh/blob_file.h"
#include "mesh/fetch.h"
#include "mesh/lend.h"
#include "mesh/session.h"
#include "tests/unit/node_talk.h"

#define TRIO_SOURCE "int main(void) { return 0; }"
#define TRIO_HEADERS 40 /* more than FETCH_BLOBS_MIN */

struct trio {
	struct rig worker, holder, client;
	struct digest d; /* the toolchain */
	struct digest tree;
	struct buf encoded; /* the tree */
	char path[TRIO_HEADERS][16], text[TRIO_HEADERS][64];
	struct tree_entry e[TRIO_HEADERS];
	struct talk t; /* client to worker */
};

static inline void
trio_tree(struct trio *p)
{
	struct tree t = {.entries = p->e, .n = TRIO_HEADERS};
	for (int i = 0; i < TRIO_HEADERS; i++) {
		snprintf(p->path[i], sizeof p->path[i], "/i/%02d.h", i);
		snprintf(p->text[i], sizeof p->text[i], "#define H%d %d", i, i);
		p->e[i] = (struct tree_entry){.path = p->path[i],
		        .kind = TREE_FILE,
		        .mode = 0644,
		        .size = strlen(p->text[i])};
		digest_of(&p->e[i].digest, p->text[i], strlen(p->text[i]));
	}
	buf_init(&p->encoded, TREE_LEN_MAX);
	assert_int_equal(tree_encode(&t, &p->encoded), 0);
	digest_of(&p->tree, p->encoded.data, p->encoded.len);
}

static inline struct trio *
trio_open(void)
{
	struct trio *p = calloc(1, sizeof *p);
	assert_non_null(p);
	rig_open(&p->worker, "worker");
	rig_open(&p->holder, "holder");
	rig_open(&p->client, "client");
	rig_init(&p->worker);
	rig_enrol(&p->worker, &p->holder);
	rig_enrol(&p->worker, &p->client);
	digest_of(&p->d, "toolchain", 9);
	rig_unpacked(&p->worker, &p->d);
	trio_tree(p);
	talk_open(&p->t, &p->client, &p->worker);
	return p;
}

static inline void
trio_close(struct trio *p)
{
	talk_end(&p->t);
	buf_fini(&p->encoded);
	rig_close(&p->client);
	rig_close(&p->holder);
	rig_close(&p->worker);
	free(p);
}

/* Puts the first n headers into the node's store. */
static inline void
trio_put(struct trio *p, struct rig *r, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct blob_file *f = blob_file_new(r->n.blobs, p->e[i].size);
		assert_non_null(f);
		assert_int_equal(blob_file_add(f, p->text[i], p->e[i].size), 0);
		assert_int_equal(blob_file_keep(f, &p->e[i].digest), 0);
	}
}

static inline uint64_t
trio_bytes(const struct trio *p, unsigned n)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < n; i++)
		bytes += p->e[i].size;
	return bytes;
}

/* The job up to the point where its headers are known; holder: whom it names, NULL nobody. */
static inline void
trio_job(struct trio *p, const struct node_id *holder)
{
	static struct digest needed[WIRE_NEED_MAX];
	uint32_t number;
	assert_int_equal(talk_reserve(&p->t, &p->d, &number), WIRE_GRANT);
	talk_source(&p->t, &(struct talk_source){.toolchain = p->d,
	                           .trees = &p->tree,
	                           .ntrees = 1,
	                           .text = TRIO_SOURCE,
	                           .holder = holder});
	assert_int_equal(talk_need(&p->t, needed), 2);
	talk_blob(&p->t, TRIO_SOURCE, strlen(TRIO_SOURCE));
	talk_blob(&p->t, p->encoded.data, p->encoded.len);
}

/* As at the beginning, for the next job; meshes take their time to be made. */
static inline void
trio_again(struct trio *p)
{
	(void)!blobs_shrink(p->worker.n.blobs, 1 << 20);
	assert_int_equal(rig_files(&p->worker, "trees"), 0);
	memset(&p->worker.n.counters, 0, sizeof p->worker.n.counters);
	p->worker.n.helper->runs = 0;
	talk_end(&p->t);
	talk_open(&p->t, &p->client, &p->worker);
}

/* The client is asked for n headers, sends them, and the job runs. */
static inline void
trio_rest(struct trio *p, unsigned n)
{
	static struct digest needed[WIRE_NEED_MAX];
	uint32_t asked = talk_need(&p->t, needed);
	assert_int_equal(asked, n);
	for (uint32_t i = 0; i < asked; i++)
		for (unsigned k = 0; k < TRIO_HEADERS; k++)
			if (digest_equal(&needed[i], &p->e[k].digest))
				talk_blob(&p->t, p->text[k], p->e[k].size);
	talk_wait(&p->t, WIRE_DONE);
	assert_int_equal(rig_files(&p->worker, "tmp"), 0);
	assert_int_equal(blobs_transit(p->worker.n.blobs), 0);
}

#endif

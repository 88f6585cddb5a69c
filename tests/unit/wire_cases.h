/* Every message of mesh/wire.h that has an encoder and a decoder, under one signature, with a sample: for the unit test and the
 * fuzz target. */
#ifndef TESTS_WIRE_CASES_H
#define TESTS_WIRE_CASES_H

#include <string.h>
#include "exec/tree.h"
#include "mesh/wire.h"

#define WIRE_CASE_NEED \
	256 /* digests that a value holds; more are refused here, not by the decoder */

struct wire_value {
	uint64_t number;
	uint32_t small;
	struct wire_load load;
	struct wire_reserve reserve;
	struct digest digest;
	char text[WIRE_TEXT_SIZE], sig[SIGN_TEXT_MAX];
	struct wire_join join;
	struct wire_joined joined;
	struct wire_mesh mesh;
	struct digest need[WIRE_CASE_NEED];
	uint32_t nneed;
	uint64_t blob;
};

struct wire_case {
	const char *name;
	void (*encode)(struct buf *, const struct wire_value *);
	int (*decode)(const void *, size_t, struct wire_value *);
};

#define WIRE_CASE(name, encode, decode)                                               \
	static inline void put_##name(struct buf *b, const struct wire_value *v)      \
	{                                                                             \
		encode;                                                               \
	}                                                                             \
	static inline int get_##name(const void *p, size_t len, struct wire_value *v) \
	{                                                                             \
		return decode;                                                        \
	}

WIRE_CASE(reserve, wire_reserve_encode(b, &v->reserve), wire_reserve_decode(p, len, &v->reserve))
WIRE_CASE(answer, wire_answer_encode(b, v->small, &v->load),
        wire_answer_decode(p, len, &v->small, &v->load))
WIRE_CASE(end, wire_end_encode(b, &v->digest, v->number),
        wire_end_decode(p, len, &v->digest, &v->number))
WIRE_CASE(started, wire_started_encode(b, v->small), wire_started_decode(p, len, &v->small))
WIRE_CASE(error, wire_error_encode(b, v->small, v->text),
        wire_error_decode(p, len, &v->small, v->text))
WIRE_CASE(toolchain, wire_toolchain_encode(b, &v->digest, v->number, v->sig),
        wire_toolchain_decode(p, len, &v->digest, &v->number, v->sig))
WIRE_CASE(join, wire_join_encode(b, &v->join), wire_join_decode(p, len, &v->join))
WIRE_CASE(joined, wire_joined_encode(b, &v->joined), wire_joined_decode(p, len, &v->joined))
WIRE_CASE(mesh, wire_mesh_encode(b, &v->mesh), wire_mesh_decode(p, len, &v->mesh))

WIRE_CASE(blob, wire_blob_encode(b, &v->digest, v->blob),
        wire_blob_decode(p, len, &v->digest, &v->blob))

static inline void
put_need(struct buf *b, const struct wire_value *v)
{
	wire_need_encode(b, v->need, v->nneed);
}

static inline int
get_need(const void *p, size_t len, struct wire_value *v)
{
	static struct digest all[WIRE_NEED_MAX];
	uint32_t n = 0;
	int err = wire_need_decode(p, len, all, &n);

	if (err == 0 && n > WIRE_CASE_NEED)
		err = IM_ERR_LIMIT;
	if (err != 0)
		return err;
	memcpy(v->need, all, n * sizeof *all);
	v->nneed = n;
	return 0;
}

#define WIRE_ROW(name)                        \
	{                                     \
#name, put_##name, get_##name \
	}
static const struct wire_case wire_cases[] = {WIRE_ROW(reserve), WIRE_ROW(answer), WIRE_ROW(end),
        WIRE_ROW(started), WIRE_ROW(error), WIRE_ROW(toolchain), WIRE_ROW(join), WIRE_ROW(joined),
        WIRE_ROW(mesh), WIRE_ROW(need), WIRE_ROW(blob)};
#define WIRE_CASES (sizeof wire_cases / sizeof *wire_cases)

/* Something in every field; the numbers as large as they may be. */
static inline void
wire_sample(struct wire_value *v)
{
	memset(v, 0, sizeof *v);
	v->number = UINT64_MAX;
	v->small = WERR_LEASE;
	v->load = (struct wire_load){4, 3, UINT32_MAX};
	memset(&v->digest, 0x5d, sizeof v->digest);
	v->reserve = (struct wire_reserve){
	        .job = UINT64_MAX, .toolchain = v->digest, .predicted_ms = 1500, .wait = true};
	memcpy(v->text, "no such lease", 14);
	memcpy(v->sig, "untrusted comment: x\nRWQf6\n", 28);
	memset(&v->join, 0x11, sizeof v->join);
	memset(v->join.name, 0, sizeof v->join.name);
	memset(v->join.name, 'n', sizeof v->join.name - 1);
	memset(v->joined.cert, 0xce, 300);
	v->joined.cert_len = 300;
	memcpy(v->joined.mesh, "home", 5);
	memcpy(v->joined.peers[0], "10.0.0.1:9777", 14);
	memcpy(v->joined.peers[1], "[2001:db8::7]:9777", 19);
	v->joined.npeers = 2;
	memset(v->mesh.root_pk, 0x22, sizeof v->mesh.root_pk);
	memcpy(v->mesh.name, "home", 5);
	memset(v->need, 0x33, 3 * sizeof *v->need);
	v->need[2].bytes[31] = 0;
	v->nneed = 3;
	v->blob = TREE_FILE_MAX;
}

#endif

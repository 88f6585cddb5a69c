/* An answer to STATUS as the daemon packs it (mesh/control.h). */
#ifndef TESTS_FAKE_STATUS_H
#define TESTS_FAKE_STATUS_H

#include "tests/unit/fake_daemon.h"

static inline void
fake_numbers(struct buf *b, unsigned first_key, unsigned last_key, uint64_t first)
{
	for (unsigned key = first_key; key <= last_key; key++)
		pack_kuint(b, key, first + key - first_key);
}

static inline void
fake_count(struct buf *b, unsigned key, const char *what, uint64_t n)
{
	pack_uint(b, key);
	pack_array(b, 1);
	pack_map(b, 2);
	pack_ktext(b, 1, what);
	pack_kuint(b, 2, n);
}

static inline void
fake_status(struct buf *b, const char *mesh, const char *problem)
{
	pack_map(b, 7);
	pack_uint(b, 1);
	pack_array(b, 1);
	fake_peer(b, "aaaaaaaa00000000000000000000000a", "here", true);
	pack_uint(b, 2);
	pack_map(b, 5);
	pack_ktext(b, 1, mesh);
	pack_ktext(b, 2, "99999999000000000000000000000009");
	fake_numbers(b, 3, 5, 3);
	pack_uint(b, 3);
	pack_map(b, 7);
	fake_numbers(b, 1, 6, 10);
	fake_count(b, 7, "linking", 4);
	pack_uint(b, 4);
	pack_map(b, 7);
	fake_numbers(b, 1, 4, 20);
	fake_count(b, 5, "beta", 9);
	fake_numbers(b, 6, 7, 2048);
	pack_uint(b, 5);
	pack_map(b, 4);
	fake_numbers(b, 1, 4, 305);
	pack_uint(b, 6);
	pack_map(b, 4);
	pack_kuint(b, 1, 1536);
	pack_kuint(b, 2, UINT64_C(5) << 30);
	fake_numbers(b, 3, 4, 7);
	pack_uint(b, 7);
	pack_array(b, problem != NULL ? 1 : 0);
	if (problem == NULL)
		return;
	pack_map(b, 2);
	pack_ktext(b, 1, problem);
	pack_ktext(b, 2, "do this");
}

#endif

#include "fake_mesh.h"

#include "crypto/packet.h"
#include "gossip/saved.h"

static void
tables_come_back(void **state)
{
	struct saved list[2], *back = NULL;
	struct buf out;
	size_t n = 0;

	(void)state;
	memset(list, 0, sizeof(list));
	list[0].node.bytes[0] = 1;
	list[0].at = (struct endpoint){4, {10, 0, 0, 1}, 9777, 0};
	strcpy(list[0].name, "one");
	list[0].boot = UINT64_MAX;
	list[0].seq = 3;
	list[1].node.bytes[0] = 2;
	list[1].at = (struct endpoint){16, {0xfe, 0x80}, 1, 7};
	list[1].gone = true;
	buf_init(&out, GOSSIP_SAVE_MAX);
	saved_encode(list, 2, &out);
	assert_int_equal(buf_err(&out), 0);
	assert_int_equal(saved_decode(&back, &n, out.data, out.len), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(back, list, sizeof(list));
	free(back);
	back = NULL;
	for (size_t len = 0; len < out.len; len++)
		assert_int_equal(saved_decode(&back, &n, out.data, len), IM_ERR_FORMAT);
	assert_null(back);
	buf_fini(&out);
}

static void
a_full_table_fits(void **state)
{
	struct saved *list = calloc(GOSSIP_MEMBERS_MAX + 1, sizeof(*list)), *back = NULL;
	struct buf out;
	size_t n = 0;

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i <= GOSSIP_MEMBERS_MAX; i++) {
		list[i].at.len = 16;
		list[i].boot = list[i].seq = UINT64_MAX;
		memset(list[i].name, 'x', NAME_SIZE - 1);
	}
	buf_init(&out, GOSSIP_SAVE_MAX);
	saved_encode(list, GOSSIP_MEMBERS_MAX, &out);
	assert_int_equal(buf_err(&out), 0);
	assert_int_equal(saved_decode(&back, &n, out.data, out.len), 0);
	assert_int_equal(n, GOSSIP_MEMBERS_MAX);
	free(back);
	buf_reset(&out);
	saved_encode(list, GOSSIP_MEMBERS_MAX + 1, &out);
	assert_int_equal(saved_decode(&back, &n, out.data, out.len), IM_ERR_LIMIT);
	buf_fini(&out);
	free(list);
}

static void
odd_tables_are_refused(void **state)
{
	struct saved one, *back = NULL;
	struct buf out;
	size_t n;

	(void)state;
	memset(&one, 0, sizeof(one));
	one.at.len = 5; /* no address has five bytes */
	buf_init(&out, 4096);
	saved_encode(&one, 1, &out);
	assert_int_equal(saved_decode(&back, &n, out.data, out.len), IM_ERR_FORMAT);
	buf_reset(&out);
	pack_map(&out, 1);
	pack_kuint(&out, 1, 2);
	assert_int_equal(saved_decode(&back, &n, out.data, out.len), IM_ERR_VERSION);
	buf_reset(&out);
	pack_map(&out, 2);
	pack_kuint(&out, 1, 1);
	pack_uint(&out, 2);
	pack_array(&out, 1);
	pack_nil(&out);
	assert_int_equal(saved_decode(&back, &n, out.data, out.len), IM_ERR_FORMAT);
	assert_null(back);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tables_come_back),
	        cmocka_unit_test(a_full_table_fits),
	        cmocka_unit_test(odd_tables_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "fake_mesh.h"

#include "gossip/table.h"

static struct node_id
id_of(uint32_t number)
{
	struct node_id id = {{0}};

	memcpy(id.bytes, &number, sizeof(number));
	return id;
}

/* Everything in the table can be found, and the list and the hash agree. */
static void
check(const struct table *t)
{
	size_t used = 0;

	for (size_t i = 0; i < t->count; i++) {
		assert_int_equal(t->list[i]->index, i);
		assert_ptr_equal(table_find(t, &t->list[i]->m.node), t->list[i]);
	}
	for (size_t i = 0; i < TABLE_HASH_SIZE; i++)
		used += t->hash[i] != 0;
	assert_int_equal(used, t->count);
}

static void
many_come_and_go(void **state)
{
	struct table t;

	(void)state;
	assert_int_equal(table_init(&t, 42), 0);
	for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++) {
		struct node_id id = id_of(i);

		assert_null(table_find(&t, &id));
		assert_non_null(table_add(&t, &id, TRUST_MEMBER));
	}
	check(&t);
	for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i += 3) {
		struct node_id id = id_of(i);

		table_remove(&t, table_find(&t, &id));
		assert_null(table_find(&t, &id));
	}
	check(&t);
	assert_int_equal(t.count, GOSSIP_MEMBERS_MAX - (GOSSIP_MEMBERS_MAX + 2) / 3);
	table_fini(&t);
}

static void
only_the_gone_make_room(void **state)
{
	struct table t;
	struct node_id late = id_of(UINT32_MAX), victim = id_of(7);
	struct entry *e;

	(void)state;
	assert_int_equal(table_init(&t, 42), 0);
	for (uint32_t i = 0; i < GOSSIP_MEMBERS_MAX; i++) {
		struct node_id id = id_of(i);

		e = table_add(&t, &id, TRUST_MEMBER);
		table_set_state(&t, e, MEMBER_UP);
	}
	assert_int_equal(t.up, GOSSIP_MEMBERS_MAX);
	assert_null(table_add(&t, &late, TRUST_MEMBER));
	table_set_state(&t, table_find(&t, &victim), MEMBER_GONE);
	/* a stranger displaces no member, gone or not */
	assert_null(table_add(&t, &late, TRUST_SPARE));
	assert_non_null(table_add(&t, &late, TRUST_MEMBER));
	assert_null(table_find(&t, &victim));
	check(&t);
	table_fini(&t);
}

static void
strangers_fill_only_their_part(void **state)
{
	struct table t;
	struct node_id id;
	struct entry *e;

	(void)state;
	assert_int_equal(table_init(&t, 1), 0);
	for (uint32_t i = 0; i < TABLE_SPARES_MAX; i++) {
		id = id_of(i);
		e = table_add(&t, &id, TRUST_SPARE);
		assert_non_null(e);
		table_set_state(&t, e, MEMBER_UP);
	}
	id = id_of(TABLE_SPARES_MAX);
	assert_null(table_add(&t, &id, TRUST_SPARE));
	assert_non_null(table_add(&t, &id, TRUST_MEMBER));
	id = id_of(3);
	table_set_trust(&t, table_find(&t, &id), TRUST_MEMBER);
	assert_int_equal(t.spares, TABLE_SPARES_MAX - 1);
	id = id_of(TABLE_SPARES_MAX + 1);
	assert_non_null(table_add(&t, &id, TRUST_SPARE));
	table_fini(&t);
}

static void
counts_follow_states(void **state)
{
	struct table t;
	struct node_id id = id_of(1);
	struct entry *e;

	(void)state;
	assert_int_equal(table_init(&t, 1), 0);
	e = table_add(&t, &id, TRUST_SPARE);
	table_set_state(&t, e, MEMBER_SUSPECT); /* remembered only */
	assert_int_equal(t.live, 0);
	table_set_state(&t, e, MEMBER_UP);
	e->m.heard_ms = 1;
	assert_true(t.live == 1 && t.up == 1);
	table_set_state(&t, e, MEMBER_SUSPECT);
	assert_true(t.live == 1 && t.up == 0);
	table_remove(&t, e);
	assert_true(t.live == 0 && t.up == 0 && t.spares == 0 && t.count == 0);
	table_fini(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(many_come_and_go),
	        cmocka_unit_test(only_the_gone_make_room),
	        cmocka_unit_test(strangers_fill_only_their_part),
	        cmocka_unit_test(counts_follow_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

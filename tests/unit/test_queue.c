#include "fake_mesh.h"

#include "gossip/queue.h"

static void
first_in_first_out(void **state)
{
	struct endpoint to = {4, {1, 2, 3, 4}, 5, 6};
	struct node_id node = {{9}};
	struct gossip_action a;
	struct queue q;

	(void)state;
	queue_init(&q);
	assert_false(queue_take(&q, &a));
	queue_multicast(&q, true, "all", 3);
	queue_send(&q, &to, "one", 3);
	queue_tell(&q, GOSSIP_UP, &node);
	assert_true(queue_take(&q, &a));
	assert_int_equal(a.type, GOSSIP_MULTICAST);
	assert_true(a.ipv4_alone);
	assert_int_equal(a.len, 3);
	assert_memory_equal(a.bytes, "all", 3);
	assert_true(queue_take(&q, &a));
	assert_int_equal(a.type, GOSSIP_UNICAST);
	assert_memory_equal(&a.to, &to, sizeof(to));
	assert_memory_equal(a.bytes, "one", 3);
	assert_true(queue_take(&q, &a));
	assert_int_equal(a.type, GOSSIP_UP);
	assert_memory_equal(&a.node, &node, sizeof(node));
	assert_false(queue_take(&q, &a));
	queue_fini(&q);
}

/* Long use with a rest always left inside stays small. */
static void
space_is_used_again(void **state)
{
	uint8_t bytes[BEACON_LEN_MAX] = {0};
	struct gossip_action a;
	struct queue q;

	(void)state;
	queue_init(&q);
	for (uint32_t i = 0; i < 10000; i++) {
		memcpy(bytes, &i, sizeof(i));
		queue_multicast(&q, false, bytes, sizeof(bytes));
		if (i < 10)
			continue;
		assert_true(queue_take(&q, &a));
		assert_memory_equal(a.bytes, (uint32_t[]){i - 10}, sizeof(i));
	}
	assert_true(q.bytes.cap <= 512 * 1024);
	queue_fini(&q);
}

static void
news_outlasts_datagrams(void **state)
{
	uint8_t bytes[BEACON_LEN_MAX + 1] = {0};
	struct node_id node = {{1}};
	struct gossip_action a;
	struct queue q;
	size_t sent = 0, told = 0;

	(void)state;
	queue_init(&q);
	queue_multicast(&q, false, bytes, sizeof(bytes)); /* too long: never */
	for (int i = 0; i < 2000; i++)
		queue_multicast(&q, false, bytes, BEACON_LEN_MAX);
	for (int i = 0; i < GOSSIP_MEMBERS_MAX; i++)
		queue_tell(&q, GOSSIP_DOWN, &node);
	while (queue_take(&q, &a))
		a.type == GOSSIP_DOWN ? told++ : sent++;
	assert_true(sent < 1000);
	assert_int_equal(told, GOSSIP_MEMBERS_MAX);
	queue_tell(&q, GOSSIP_DOWN, &node); /* and works on after having been full */
	assert_true(queue_take(&q, &a));
	queue_fini(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(first_in_first_out),
	        cmocka_unit_test(space_is_used_again),
	        cmocka_unit_test(news_outlasts_datagrams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

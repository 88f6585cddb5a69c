/* Channels: kept for their user and peer, the last one first, not more than fit, and let go when something comes over them. */
#include "mesh/channels.h"

#include "tests/unit/node_talk.h"

static struct rig client, peer;
static struct channels *all;

static void
open_all(void)
{
	rig_open(&client, "client");
	rig_open(&peer, "peer");
	rig_init(&client);
	rig_enrol(&client, &peer);
	all = channels_new(&client.n);
}

static void
close_all(void)
{
	channels_free(all);
	rig_close(&peer);
	rig_close(&client);
}

/* A channel to the peer, put aside for this user. */
static struct conn *
put_aside(uid_t uid)
{
	struct talk t;
	talk_open(&t, &client, &peer);
	struct conn *c = t.conn;
	channels_keep(all, uid, rig_id(&peer), c);
	t.conn = NULL;
	talk_end(&t);
	return c;
}

static void
test_users(void **state)
{
	(void)state;
	open_all();
	struct conn *first = put_aside(1), *second = put_aside(1), *third = put_aside(2);
	assert_null(channels_take(all, 3, rig_id(&peer)));
	assert_null(channels_take(all, 1, rig_id(&client)));
	assert_ptr_equal(channels_take(all, 1, rig_id(&peer)), second);
	assert_ptr_equal(channels_take(all, 1, rig_id(&peer)), first);
	assert_null(channels_take(all, 1, rig_id(&peer)));
	assert_ptr_equal(channels_take(all, 2, rig_id(&peer)), third);
	conn_free(first);
	conn_free(second);
	conn_free(third);
	close_all();
}

/* One that its peer closes is gone; one that came from a process serves like the others. */
static void
test_closed_and_returned(void **state)
{
	(void)state;
	uint8_t channel[CHANNEL_STATE_LEN];
	int fd;
	open_all();
	struct conn *c = put_aside(1);
	assert_ptr_equal(channels_take(all, 1, rig_id(&peer)), c);
	assert_int_equal(conn_export(c, channel, &fd), 0);
	uint64_t inode = conn_inode(fd);
	channels_return(all, 1, rig_id(&peer), fd, channel);
	c = channels_take(all, 1, rig_id(&peer));
	assert_int_equal(conn_export(c, channel, &fd), 0);
	assert_int_equal(conn_inode(fd), inode);
	channels_return(all, 1, rig_id(&peer), fd, channel);
	unsigned open = rig_open_fds();
	serve_reset(peer.n.serve);
	UNTIL(rig_open_fds() <= open - 2); /* both ends */
	assert_null(channels_take(all, 1, rig_id(&peer)));
	close_all();
}

static void
test_too_many(void **state)
{
	(void)state;
	struct conn *c;
	unsigned n = 0;
	open_all();
	for (unsigned i = 0; i < CHANNELS_MAX + 3; i++)
		put_aside(1);
	while ((c = channels_take(all, 1, rig_id(&peer)))) {
		conn_free(c);
		n++;
	}
	assert_int_equal(n, CHANNELS_MAX);
	put_aside(1);
	channels_reset(all);
	assert_null(channels_take(all, 1, rig_id(&peer)));
	close_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_users, rig_teardown),
	        cmocka_unit_test_teardown(test_closed_and_returned, rig_teardown),
	        cmocka_unit_test_teardown(test_too_many, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

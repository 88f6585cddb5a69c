/* Reservations: each answer is told once, what is withdrawn is not heard of again, and its channel is kept. */
#include "mesh/reservation.h"

#include "mesh/session.h"
#include "tests/unit/node_talk.h"

static struct rig client, peer;
static struct digest d;
static struct channels *channels;
static struct reservations *all;

static struct told {
	uint64_t id;
	uint8_t type;
	unsigned answers, lost, alive;
	char why[128];
} told;

static void
on_answered(void *arg, uint64_t id, const struct node_id *node, const struct wire_reserve *what,
        uint8_t type, uint32_t number, const struct wire_load *load, uint32_t rtt_us)
{
	(void)arg, (void)number, (void)load;
	assert_int_equal(node_id_cmp(node, rig_id(&peer)), 0);
	assert_memory_equal(&what->toolchain, &d, sizeof d);
	assert_true(rtt_us > 0);
	told.id = id;
	told.type = type;
	told.answers++;
}

static void
on_alive(void *arg, uint64_t id)
{
	(void)arg, (void)id;
	told.alive++;
}

static void
on_lost(void *arg, uint64_t id, const char *name, const char *why)
{
	(void)arg;
	assert_string_equal(name, "peer");
	told.id = id;
	told.lost++;
	snprintf(told.why, sizeof told.why, "%s", why);
}

static const struct reservation_ops ops = {on_answered, on_alive, on_lost};

static void
open_all(void)
{
	rig_open(&client, "client");
	rig_open(&peer, "peer");
	rig_init(&client);
	rig_enrol(&client, &peer);
	digest_of(&d, "toolchain", 9);
	rig_unpacked(&peer, &d);
	UNTIL(rig_member(&client, &peer));
	channels = channels_new(&client.n);
	all = reservations_new(&client.n, channels, &ops, NULL);
	memset(&told, 0, sizeof told);
}

static void
close_all(void)
{
	reservations_free(all);
	channels_free(channels);
	rig_close(&peer);
	rig_close(&client);
}

static void
begin(uint64_t id, bool wait)
{
	struct wire_reserve r = {.job = id, .toolchain = d, .wait = wait};
	assert_int_equal(reservation_begin(all, id, 1, rig_member(&client, &peer), &r), 0);
}

static void
answered(uint64_t id, uint8_t type)
{
	unsigned before = told.answers;
	UNTIL(told.answers > before || told.lost);
	assert_int_equal(told.id, id);
	assert_int_equal(told.type, type);
}

static void
test_answers(void **state)
{
	(void)state;
	struct reservation_taken t[2], none;
	open_all();
	for (int i = 0; i < 2; i++) {
		begin((uint64_t)i + 1, i == 1); /* the second gets the place ahead */
		assert_int_equal(
		        reservation_take(all, (uint64_t)i + 1, &none), IM_ERR_ABSENT); /* not yet */
		answered((uint64_t)i + 1, WIRE_GRANT);
		assert_int_equal(reservation_take(all, (uint64_t)i + 1, &t[i]), 0);
		assert_string_equal(t[i].name, "peer");
		assert_int_equal(t[i].lease_ms, WIRE_LEASE_MS);
	}
	assert_int_equal(reservation_take(all, 1, &none), IM_ERR_ABSENT);
	begin(3, false);
	answered(3, WIRE_NACK);
	begin(4, true); /* over the channel that is left */
	answered(4, WIRE_QUEUED);
	assert_null(channels_take(channels, 1, rig_id(&peer)));
	close(t[0].fd);
	answered(4, WIRE_GRANT);
	reservation_withdraw(all, 4);
	struct conn *c = NULL;
	UNTIL((c = channels_take(channels, 1, rig_id(&peer))));
	conn_free(c);
	close(t[1].fd);
	assert_int_equal(told.lost, 0);
	close_all();
}

/* In whatever state it is. */
static void
test_withdrawn(void **state)
{
	(void)state;
	struct wire_load load;
	struct conn *c = NULL;
	open_all();
	peer.n.config.slots = 1;
	begin(1, false);
	reservation_withdraw(all, 1); /* while the channel opens */
	UNTIL((c = channels_take(channels, 1, rig_id(&peer))));
	channels_keep(channels, 1, rig_id(&peer), c);
	begin(2, false);
	reservation_withdraw(all, 2); /* RESERVE is out */
	reservation_withdraw(all, 2);
	UNTIL((c = channels_take(channels, 1, rig_id(&peer))));
	channels_keep(channels, 1, rig_id(&peer), c);
	assert_int_equal(told.answers + told.lost, 0);
	for (uint64_t i = 3; i < 6; i++) {
		begin(i, true);
		answered(i, i < 5 ? WIRE_GRANT : WIRE_QUEUED);
	}
	UNTIL(told.alive); /* it says so while one waits */
	reservation_withdraw(all, 5);
	UNTIL((serve_wire_load(peer.n.serve, &load), load.queued == 0));
	reservations_reset(all);
	UNTIL((serve_wire_load(peer.n.serve, &load), load.used == 0));
	assert_int_equal(told.answers, 3);
	close_all();
}

static void
test_lost(void **state)
{
	(void)state;
	open_all();
	begin(1, false);
	answered(1, WIRE_GRANT);
	serve_reset(peer.n.serve);
	UNTIL(told.lost);
	assert_int_equal(told.id, 1);
	watch_free(peer.accepting);
	peer.accepting = NULL;
	close(peer.listener);
	peer.listener = open("/dev/null", O_RDONLY);
	begin(2, false);
	assert_int_equal(told.lost, 1); /* not before it returns */
	UNTIL(told.lost == 2);
	assert_int_equal(told.id, 2);
	assert_true(*told.why);
	close_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_answers, rig_teardown),
	        cmocka_unit_test_teardown(test_withdrawn, rig_teardown),
	        cmocka_unit_test_teardown(test_lost, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

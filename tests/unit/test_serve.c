#include "mesh/serve.h"

#include "mesh/endpoint.h"
#include "tests/unit/node_talk.h"

static struct rig worker, client;
static struct digest d;

static void
open_pair(void)
{
	rig_open(&worker, "worker");
	rig_open(&client, "client");
	rig_init(&worker);
	rig_enrol(&worker, &client);
	digest_of(&d, "toolchain", 9);
}

static void
close_pair(void)
{
	rig_close(&client);
	rig_close(&worker);
}

static unsigned
nack(const struct rig *as, const struct digest *toolchain)
{
	struct talk t;
	uint32_t number = 0;
	talk_open(&t, as, &worker);
	uint8_t type = talk_reserve(&t, toolchain, &number);
	talk_end(&t);
	return type == WIRE_NACK ? number : 0;
}

/* One job more than slots is let in if its client waits, and a place is free again when its channel closes. */
static void
test_admission(void **state)
{
	(void)state;
	struct talk t[4];
	uint32_t number;
	struct load load;
	open_pair();
	rig_unpacked(&worker, &d);
	worker.n.config.slots = 2;
	for (int i = 0; i < 4; i++)
		talk_open(&t[i], &client, &worker);
	for (int i = 0; i < 2; i++)
		assert_int_equal(talk_reserve(&t[i], &d, &number), WIRE_GRANT);
	assert_int_equal(talk_reserve(&t[2], &d, &number), WIRE_NACK);
	assert_int_equal(number, NACK_BUSY);
	assert_int_equal(talk_queue(&t[2], &d, &number), WIRE_GRANT);
	serve_load(worker.n.serve, &load);
	assert_int_equal(load.slots, 2);
	assert_int_equal(load.used, 3);
	assert_int_equal(load.ntags, 1);
	assert_int_equal(load.tags[0], get_u32(d.bytes));
	talk_end(&t[0]);
	UNTIL((serve_load(worker.n.serve, &load), load.used == 2));
	assert_int_equal(talk_queue(&t[3], &d, &number), WIRE_GRANT);
	for (int i = 1; i < 4; i++)
		talk_end(&t[i]);
	close_pair();
}

/* Who says that it will wait gets its turn, unless it leaves or nothing is lent any more. */
static void
test_queue(void **state)
{
	(void)state;
	struct talk t[5];
	struct wire_reserve r = {.job = 7, .wait = true};
	struct load load;
	uint32_t number;
	open_pair();
	rig_unpacked(&worker, &d);
	r.toolchain = d;
	worker.n.config.slots = 1;
	for (int i = 0; i < 5; i++)
		talk_open(&t[i], &client, &worker);
	for (int i = 0; i < 2; i++)
		assert_int_equal(talk_reserve_as(&t[i], &r, &number), WIRE_GRANT);
	for (uint32_t i = 2; i < 5; i++) {
		assert_int_equal(talk_reserve_as(&t[i], &r, &number), WIRE_QUEUED);
		assert_int_equal(number, i - 2);
	}
	serve_load(worker.n.serve, &load);
	assert_true(load.used == 2 && load.queued == 3);
	talk_send(&t[2], WIRE_CANCEL, NULL);
	assert_int_equal(talk_error(&t[2]), WERR_CANCELLED);
	talk_end(&t[0]);
	talk_wait(&t[3], WIRE_GRANT);
	serve_drain(worker.n.serve, true);
	talk_wait(&t[4], WIRE_NACK);
	assert_int_equal(talk_reserve_as(&t[2], &r, &number), WIRE_NACK);
	assert_int_equal(number, NACK_POLICY);
	for (int i = 1; i < 5; i++)
		talk_end(&t[i]);
	close_pair();
}

static void
test_nacks(void **state)
{
	(void)state;
	open_pair();
	assert_int_equal(nack(&client, &d), NACK_TOOLCHAIN);
	rig_unpacked(&worker, &d);
	assert_int_equal(nack(&client, &d), 0);
	worker.n.helper->level = 0;
	assert_int_equal(nack(&client, &d), NACK_SANDBOX);
	worker.n.helper->level = 3;
	worker.n.config.lend = LEND_NEVER;
	assert_int_equal(nack(&client, &d), NACK_POLICY);
	worker.n.config.lend = LEND_ALWAYS;
	worker.n.config.slots = 0;
	assert_int_equal(nack(&client, &d), NACK_POLICY);
	worker.n.config.slots = 1;
	serve_pause(worker.n.serve, 0);
	assert_int_equal(nack(&client, &d), NACK_POLICY);
	serve_resume(worker.n.serve);
	assert_int_equal(nack(&client, &d), 0);
	serve_pause(worker.n.serve, 1);
	assert_int_equal(nack(&client, &d), NACK_POLICY);
	struct load load;
	UNTIL((serve_load(worker.n.serve, &load), load.state == 0)); /* the second is over */
	serve_drain(worker.n.serve, true);
	assert_int_equal(nack(&client, &d), NACK_POLICY);
	close_pair();
}

/* A node without certificate gets no slot, and a stranger only the mesh's name. */
static void
test_strangers(void **state)
{
	(void)state;
	struct conn_identity id;
	struct talk t;
	struct wire_mesh mesh;
	uint32_t number;
	open_pair();
	rig_unpacked(&worker, &d);
	id = *identity_conn(client.n.identity);
	id.cert_len = 0;
	talk_start(&t, &id, &worker);
	assert_int_equal(talk_reserve(&t, &d, &number), WIRE_NACK);
	assert_int_equal(number, NACK_TRUST);
	talk_end(&t);
	memset(&id.mesh, 0, sizeof id.mesh);
	talk_start(&t, &id, &worker);
	assert_int_equal(talk_reserve(&t, &d, &number), WIRE_ERROR);
	talk_send(&t, WIRE_STRANGER, NULL);
	talk_wait(&t, WIRE_MESH);
	assert_int_equal(wire_mesh_decode(t.body.data, t.body.len, &mesh), 0);
	assert_string_equal(mesh.name, "test");
	talk_end(&t);
	close_pair();
}

/* A toolchain that is here as a tarball is unpacked when it is first asked for. */
static void
test_unpacks_on_demand(void **state)
{
	(void)state;
	open_pair();
	rig_tarball(&worker, "content", 7, &d);
	worker.n.helper->hold = true;
	assert_int_equal(nack(&client, &d), NACK_INSTALLING);
	assert_int_equal(nack(&client, &d), NACK_INSTALLING);
	assert_int_equal(worker.n.helper->unpacks, 1);
	rig_release(worker.n.helper);
	UNTIL(store_find(worker.n.store, &d)->unpacked);
	assert_int_equal(nack(&client, &d), 0);
	close_pair();
}

static void
run(struct talk *t)
{
	uint32_t number;
	talk_open(t, &client, &worker);
	assert_int_equal(talk_queue(t, &d, &number), WIRE_GRANT);
	talk_job(t, &(struct talk_job){.toolchain = d});
	talk_input(t, "int x;", "int x;");
}

/* The job ahead of its slot waits, and starts when the other one ends. */
static void
test_waiting_job_starts(void **state)
{
	(void)state;
	struct talk t[2];
	open_pair();
	rig_unpacked(&worker, &d);
	worker.n.helper->hold = true;
	run(&t[0]);
	UNTIL(t[0].count[WIRE_STARTED]);
	run(&t[1]);
	UNTIL(t[1].count[WIRE_PING]);
	assert_int_equal(t[1].count[WIRE_STARTED], 0);
	assert_int_equal(serve_running(worker.n.serve), 1);
	rig_answer(worker.n.helper, 0, JOB_EXITED);
	talk_wait(&t[0], WIRE_DONE);
	UNTIL(t[1].count[WIRE_STARTED]);
	rig_answer(worker.n.helper, 0, JOB_EXITED);
	talk_wait(&t[1], WIRE_DONE);
	talk_end(&t[0]);
	talk_end(&t[1]);
	close_pair();
}

static void
test_reset_leaves_nothing(void **state)
{
	(void)state;
	struct talk t[2];
	open_pair();
	rig_unpacked(&worker, &d);
	unsigned before = rig_open_fds();
	worker.n.helper->hold = true;
	run(&t[0]);
	run(&t[1]);
	UNTIL(t[0].count[WIRE_STARTED] && t[1].count[WIRE_PING]);
	serve_reset(worker.n.serve);
	rig_release(worker.n.helper);
	UNTIL(t[0].closed && t[1].closed && worker.n.helper->nasks == 0);
	assert_int_equal(rig_open_fds(), before);
	talk_end(&t[0]);
	talk_end(&t[1]);
	close_pair();
}

/* A node in no mesh speaks to nobody. */
static void
test_no_mesh(void **state)
{
	(void)state;
	struct talk t;
	open_pair();
	assert_int_equal(identity_leave(worker.n.identity), 0);
	mesh_changed(&worker.n);
	talk_start(&t, identity_conn(client.n.identity), &worker);
	assert_true(t.closed);
	talk_end(&t);
	close_pair();
}

static bool
ended(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);
	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Connections that say nothing, as many as one likes, leave the members' places alone. */
static void
test_many_strangers(void **state)
{
	(void)state;
	struct talk member, late;
	struct sockaddr_storage sa;
	struct endpoint e;
	uint32_t number;
	int fds[SERVE_UNKNOWN_MAX + 8];
	open_pair();
	rig_unpacked(&worker, &d);
	talk_open(&member, &client, &worker);
	e = rig_endpoint(&worker);
	socklen_t len = endpoint_to_sockaddr(&e, false, &sa);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&sa, len), 0);
		UNTIL(i < SERVE_UNKNOWN_MAX || ended(fds[i - SERVE_UNKNOWN_MAX]));
	}
	assert_false(ended(fds[20]));
	talk_open(&late, &client, &worker);
	assert_int_equal(talk_reserve(&late, &d, &number), WIRE_GRANT);
	assert_int_equal(talk_queue(&member, &d, &number), WIRE_GRANT);
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		close(fds[i]);
	talk_end(&late);
	talk_end(&member);
	close_pair();
}

/* Sends a job whose output is as large as its input: blocks of what does not compress. */
static void
order(struct talk *t, unsigned blocks)
{
	static uint8_t raw[WIRE_BLOCK_MAX];
	struct talk_job j = {.toolchain = d};
	struct digest_stream s;
	struct digest sum;
	struct buf body;
	uint32_t number;
	assert_int_equal(talk_reserve(t, &d, &number), WIRE_GRANT);
	talk_job(t, &j);
	buf_init(&body, 2 * WIRE_BLOCK_MAX);
	digest_begin(&s);
	for (unsigned i = 0; i < blocks; i++) {
		random_bytes(raw, sizeof raw);
		digest_add(&s, raw, sizeof raw);
		buf_reset(&body);
		assert_int_equal(wire_block_encode(&body, raw, sizeof raw), 0);
		UNTIL(conn_waiting(t->conn) == 0);
		talk_send(t, WIRE_DATA, &body);
	}
	digest_end(&s, &sum);
	buf_reset(&body);
	wire_end_encode(&body, &sum, (uint64_t)blocks * sizeof raw);
	talk_send(t, WIRE_END, &body);
	buf_fini(&body);
}

/* Results wait in memory: a peer that does not fetch them gets no further job. */
static void
test_results_not_fetched(void **state)
{
	(void)state;
	struct talk t[2];
	uint32_t number = 0;
	open_pair();
	rig_unpacked(&worker, &d);
	worker.n.config.job_output = 1 << 20;
	worker.n.helper->hold = true;
	talk_open(&t[0], &client, &worker);
	talk_open(&t[1], &client, &worker);
	order(&t[0], 256);
	talk_wait(&t[0], WIRE_STARTED);
	conn_read(t[0].conn, false);
	rig_release(worker.n.helper);
	UNTIL(worker.n.counters.served == 1);
	assert_int_equal(serve_running(worker.n.serve), 0);
	assert_int_equal(talk_reserve(&t[1], &d, &number), WIRE_NACK);
	assert_int_equal(number, NACK_BUSY);
	conn_read(t[0].conn, true);
	talk_wait(&t[0], WIRE_DONE);
	assert_int_equal(talk_reserve(&t[1], &d, &number), WIRE_GRANT);
	talk_end(&t[0]);
	talk_end(&t[1]);
	close_pair();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_admission, rig_teardown),
	        cmocka_unit_test_teardown(test_queue, rig_teardown),
	        cmocka_unit_test_teardown(test_nacks, rig_teardown),
	        cmocka_unit_test_teardown(test_strangers, rig_teardown),
	        cmocka_unit_test_teardown(test_many_strangers, rig_teardown),
	        cmocka_unit_test_teardown(test_results_not_fetched, rig_teardown),
	        cmocka_unit_test_teardown(test_unpacks_on_demand, rig_teardown),
	        cmocka_unit_test_teardown(test_waiting_job_starts, rig_teardown),
	        cmocka_unit_test_teardown(test_reset_leaves_nothing, rig_teardown),
	        cmocka_unit_test_teardown(test_no_mesh, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

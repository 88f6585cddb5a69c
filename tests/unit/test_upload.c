#include "mesh/upload.h"

#include <netinet/in.h>
#include "tests/unit/node_talk.h"

static struct rig a, b;
static struct digest d;
static char content[3 << 20];

/* b has a tarball that a lacks. */
static void
open_pair(void)
{
	rig_open(&a, "a");
	rig_open(&b, "b");
	rig_init(&a);
	rig_enrol(&a, &b);
	for (size_t i = 0; i < sizeof content; i++)
		content[i] = (char)(i * 7919 >> 5);
	rig_tarball(&b, content, sizeof content, &d);
	UNTIL(rig_member(&b, &a));
}

static void
close_pair(void)
{
	rig_close(&b);
	rig_close(&a);
}

static void
begin(void)
{
	upload_begin(b.n.uploads, rig_member(&b, &a), &d);
}

static void
test_once(void **state)
{
	(void)state;
	open_pair();
	unsigned before = rig_open_fds();
	begin();
	begin();
	assert_true(upload_pending(b.n.uploads, &d));
	assert_false(upload_done(b.n.uploads, rig_id(&a), &d));
	UNTIL(upload_done(b.n.uploads, rig_id(&a), &d));
	assert_true(store_find(a.n.store, &d)->unpacked);
	assert_int_equal(store_find(a.n.store, &d)->size, sizeof content);
	assert_int_equal(a.n.helper->unpacks, 1);
	begin();
	assert_false(upload_pending(b.n.uploads, &d));
	UNTIL(rig_open_fds() == before);
	close_pair();
}

/* The peer has it from somebody else. */
static void
test_has_it_already(void **state)
{
	(void)state;
	open_pair();
	rig_unpacked(&a, &d);
	begin();
	UNTIL(upload_done(b.n.uploads, rig_id(&a), &d));
	assert_int_equal(rig_files(&a, "tarballs"), 0);
	assert_int_equal(a.n.helper->unpacks, 0);
	/* it lost it: the next one brings it anew */
	store_find(a.n.store, &d)->unpacked = false;
	upload_forget(b.n.uploads, rig_id(&a), &d);
	assert_false(upload_done(b.n.uploads, rig_id(&a), &d));
	begin();
	UNTIL(upload_done(b.n.uploads, rig_id(&a), &d));
	assert_int_equal(a.n.helper->unpacks, 1);
	close_pair();
}

/* What fails is not tried again at once, but later; nothing is left of it. */
static void
test_after_failure(void **state)
{
	(void)state;
	open_pair();
	unsigned news = b.news;
	watch_set(a.accepting, 0);
	begin();
	rig_spin();
	shutdown(a.listener, SHUT_RDWR);
	close(a.listener);
	UNTIL(!upload_pending(b.n.uploads, &d));
	assert_true(b.news > news);
	begin();
	assert_false(upload_pending(b.n.uploads, &d)); /* too early */
	assert_int_equal(rig_files(&a, "tmp"), 0);
	/* the peer is there again */
	watch_free(a.accepting);
	struct sockaddr_in sa = {.sin_family = AF_INET,
	        .sin_port = htons(a.port),
	        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int one = 1;
	a.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	setsockopt(a.listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	assert_int_equal(bind(a.listener, (struct sockaddr *)&sa, sizeof sa), 0);
	assert_int_equal(listen(a.listener, 8), 0);
	a.accepting = watch_new(rig_loop, a.listener, LOOP_READ, rig_accept, &a);
	UNTIL((rig_member(&b, &a) ? begin() : (void)0, upload_done(b.n.uploads, rig_id(&a), &d)));
	close_pair();
}

static void
test_refused(void **state)
{
	(void)state;
	open_pair();
	a.n.config.slots = 0;
	begin();
	UNTIL(!upload_pending(b.n.uploads, &d));
	assert_false(upload_done(b.n.uploads, rig_id(&a), &d));
	assert_true(rig_logged("lends no slots"));
	assert_int_equal(rig_files(&a, "tmp"), 0);
	/* nothing to bring */
	struct digest none = {{1}};
	upload_begin(b.n.uploads, rig_member(&b, &a), &none);
	assert_false(upload_pending(b.n.uploads, &none));
	close_pair();
}

static void
test_freed_while_active(void **state)
{
	(void)state;
	open_pair();
	unsigned before = rig_open_fds();
	begin();
	rig_spin();
	uploads_free(b.n.uploads);
	b.n.uploads = uploads_new(&b.n, rig_news);
	UNTIL(rig_files(&a, "tmp") == 0 && rig_open_fds() == before);
	close_pair();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_once, rig_teardown),
	        cmocka_unit_test_teardown(test_has_it_already, rig_teardown),
	        cmocka_unit_test_teardown(test_after_failure, rig_teardown),
	        cmocka_unit_test_teardown(test_refused, rig_teardown),
	        cmocka_unit_test_teardown(test_freed_while_active, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "client/call.h"

#include "crypto/cert.h"
#include "crypto/token.h"
#include "tests/unit/fake_daemon.h"

static void
handle_init(const struct item *root, struct fake_answer *out)
{
	char name[NAME_SIZE];

	if (item_known(root, 1u << 1) != 0 || item_text(root, 1, name, sizeof name) != 0)
		_exit(7);
	if (strcmp(name, "taken") == 0) {
		fake_error(out, "this node is in mesh 'home' already; 'icemesh leave' leaves it");
		return;
	}
	pack_map(&out->body, 3);
	pack_ktext(&out->body, 1, name);
	pack_kbytes(&out->body, 2, "0123456789abcdef", 16);
	pack_ktext(&out->body, 3, "here");
}

/* The token says what was asked for. */
static void
handle_invite(const struct item *root, struct fake_answer *out)
{
	uint64_t roles, uses, seconds;
	char text[128];

	if (item_known(root, 0xe) != 0 || item_uint(root, 1, 99, &roles) != 0 ||
	        item_uint(root, 2, 99999, &uses) != 0 ||
	        item_uint(root, 3, UINT32_MAX, &seconds) != 0)
		_exit(8);
	snprintf(text, sizeof text, "imx1-%u-%u-%u", (unsigned)roles, (unsigned)uses,
	        (unsigned)seconds);
	pack_map(&out->body, 1);
	pack_ktext(&out->body, 1, text);
}

static void
handle_join(const struct item *root, struct fake_answer *out)
{
	char seed[300] = "", token[TOKEN_TEXT_MAX] = "";
	bool spare = item_text(root, 1, token, sizeof token) != 0;

	if (item_known(root, 0x6) != 0)
		_exit(9);
	if (item_text(root, 2, seed, sizeof seed) != 0)
		seed[0] = 0;
	pack_map(&out->body, 5);
	pack_ktext(&out->body, 1, "home");
	pack_kbytes(&out->body, 2, "0123456789abcdef", 16);
	pack_ktext(&out->body, 3, seed[0] != 0 ? seed : "here");
	pack_ktext(&out->body, 4, spare ? "spare" : "member");
	pack_kuint(&out->body, 5, spare ? 0 : 3);
}

static void
handler(uint8_t type, const struct item *root, int fd, struct fake_answer *out)
{
	(void)fd;
	if (type == CONTROL_INIT)
		handle_init(root, out);
	else if (type == CONTROL_INVITE)
		handle_invite(root, out);
	else if (type == CONTROL_JOIN)
		handle_join(root, out);
	else if (type != CONTROL_LEAVE)
		_exit(9);
}

static struct fake fake;

static int
set_up(void **state)
{
	(void)state;
	fake_start(&fake, handler);
	return crypto_start();
}

static int
tear_down(void **state)
{
	(void)state;
	fake_stop(&fake);
	return 0;
}

static void
expect(int (*run)(struct call *, int, char **), const char *const *words, int status,
        const char *text)
{
	struct call c;
	int got = fake_call(&c, run, words);

	if (got != status || strstr(status == CALL_DONE ? out_of(&c) : err_of(&c), text) == NULL) {
		print_error("exit %d\n%s%s", got, out_of(&c), err_of(&c));
		fail_msg("expected exit %d and: %s", status, text);
	}
	call_fini(&c);
}

static void
test_init(void **state)
{
	(void)state;
	expect(cmd_init, WORDS("init", "home"), CALL_DONE, "Made mesh 'home'");
	expect(cmd_init, WORDS("init", "home"), CALL_DONE, "'icemesh invite'");
	expect(cmd_init, WORDS("init"), CALL_DONE, "Made mesh 'here'");
	expect(cmd_init, WORDS("init", "taken"), CALL_FAILED,
	        "icemesh: this node is in mesh 'home' already; ");
	expect(cmd_init, WORDS("init", "a", "b"), CALL_USAGE, "unexpected word 'b'");
	expect(cmd_init, WORDS("init", ""), CALL_USAGE, "1 to 63 printable bytes");
	expect(cmd_init, WORDS("init", "a\033b"), CALL_USAGE, "1 to 63 printable bytes");
}

static void
test_invite(void **state)
{
	struct call c;
	const char *line;

	(void)state;
	assert_int_equal(fake_call(&c, cmd_invite, WORDS("invite")), CALL_DONE);
	line = strstr(out_of(&c), "imx1-");
	assert_non_null(line);
	assert_string_equal(line, "imx1-1-1-86400\n"); /* alone on the last line */
	assert_int_equal(line[-1], '\n');
	call_fini(&c);
	expect(cmd_invite, WORDS("invite", "--role", "signer", "--uses=10000", "--expires", "15m"),
	        CALL_DONE, "\nimx1-3-10000-900\n");
	expect(cmd_invite, WORDS("invite", "--role", "member"), CALL_DONE, "\nimx1-1-1-");
	expect(cmd_invite, WORDS("invite", "--role", "root"), CALL_USAGE, "--role");
	expect(cmd_invite, WORDS("invite", "--uses", "0"), CALL_USAGE, "--uses");
	expect(cmd_invite, WORDS("invite", "--uses", "10001"), CALL_USAGE, "--uses");
	expect(cmd_invite, WORDS("invite", "--expires", "soon"), CALL_USAGE, "--expires");
	expect(cmd_invite, WORDS("invite", "now"), CALL_USAGE, "unexpected word 'now'");
}

static void
test_join(void **state)
{
	struct token t = {.hosts = "10.0.0.1:9777"};
	char text[TOKEN_TEXT_MAX];
	struct buf b;

	(void)state;
	buf_init(&b, TOKEN_TEXT_MAX);
	token_print(&t, &b);
	snprintf(text, sizeof text, "%s", buf_text(&b));
	buf_fini(&b);
	expect(cmd_join, WORDS("join", text), CALL_DONE,
	        "Joined mesh 'home' as 'here', a member; 3 peers seen.\n");
	expect(cmd_join, WORDS("join"), CALL_DONE, "a spare; 0 peers seen.\n");
	expect(cmd_join, WORDS("join", "--seed", "host"), CALL_DONE, " as 'host:9777'");
	expect(cmd_join, WORDS("join", "--seed", "host:12"), CALL_DONE, " as 'host:12'");
	expect(cmd_join, WORDS("join", "--seed", "fe80::1"), CALL_DONE, " as '[fe80::1]:9777'");
	expect(cmd_join, WORDS("join", "--seed", "a,b"), CALL_USAGE, "--seed");
	expect(cmd_join, WORDS("join", "--seed", ""), CALL_USAGE, "--seed");
	text[10] = text[10] == 'a' ? 'b' : 'a';
	expect(cmd_join, WORDS("join", text), CALL_FAILED,
	        "icemesh: this is no token, or it was mistyped");
}

static void
test_leave(void **state)
{
	(void)state;
	expect(cmd_leave, WORDS("leave"), CALL_DONE, "Left the mesh");
	expect(cmd_leave, WORDS("leave", "--now"), CALL_USAGE, "unknown option '--now'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_init),
	        cmocka_unit_test(test_invite), cmocka_unit_test(test_join),
	        cmocka_unit_test(test_leave)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

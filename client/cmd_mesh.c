/* init, invite, join, leave: what changes the mesh.  The daemon does it; here are the words around it. */
#include "client/call.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "client/opts.h"
#include "client/printable.h"
#include "client/start.h"
#include "crypto/cert.h"
#include "crypto/token.h"

#define USES_MAX 10000
#define EXPIRES_S (24 * 3600)
#define WORD_SIZE 32
#define SEED_SIZE 280 /* a host name and a port */
#define DEFAULT_PORT "9777"

/* Connects, starting the daemon where none runs. */
static int
open_or_start(struct call *c, struct ask *a)
{
	char why[START_WHY_SIZE];
	int err;

	if (call_config(c) != CALL_DONE)
		return CALL_FAILED;
	err = ask_open(a, &c->config);
	if (err == 0)
		return CALL_DONE;
	if (err != IM_ERR_ABSENT)
		return call_fail(c, "cannot reach the daemon at %s: %s", a->where, strerror(errno));
	if (start_daemon(&c->config, a, why) != 0)
		return call_fail(c, "%s", why);
	call_say(c, "Started icemeshd in the background.");
	return CALL_DONE;
}

/* The text under key; "" when it is absent or no text. */
static void
take_text(const struct reply *r, unsigned key, char *out, size_t size)
{
	out[0] = 0;
	if (item_text(packet_root(r->packet), key, out, size) != 0)
		out[0] = 0;
}

/* Printable and short enough for a certificate. */
static bool
name_is_good(const char *name)
{
	size_t len = strlen(name);
	uint32_t code;
	size_t step;

	if (len == 0 || len >= NAME_SIZE)
		return false;
	for (; *name != 0; name += step) {
		step = utf8_next(name, &code);
		if (step == 0 || !utf8_printable(code))
			return false;
	}
	return true;
}

static void
say_init(struct call *c, const struct reply *r)
{
	char mesh[NAME_SIZE], node[NAME_SIZE];

	take_text(r, 1, mesh, sizeof mesh);
	take_text(r, 3, node, sizeof node);
	call_say(c,
	        "Made mesh '%s': its root key is on this machine, and this node, '%s', has every "
	        "role in it.",
	        mesh, node);
	call_say(c, "Next: 'icemesh invite' prints a token; 'icemesh join TOKEN' on another "
	            "machine adds it.");
}

int
cmd_init(struct call *c, int argc, char **argv)
{
	struct ask_command q = {.type = CONTROL_INIT, .pass_fd = -1, .timeout_ms = ASK_SLOW_MS};
	const char *name = NULL;
	struct reply r;
	struct buf body;
	struct ask a;
	int err = call_operands(c, argc, argv, &name, 1);

	if (err != CALL_DONE)
		return err;
	if (name != NULL && !name_is_good(name))
		return call_usage(c, "a mesh's name has 1 to %d printable bytes", NAME_SIZE - 1);
	if (open_or_start(c, &a) != CALL_DONE)
		return CALL_FAILED;
	buf_init(&body, CONTROL_LEN_MAX);
	pack_map(&body, 1);
	pack_ktext(&body, 1, name != NULL ? name : c->config.name);
	q.body = &body;
	err = ask_daemon(&a, &q, &r);
	if (err != 0) {
		err = call_ask_failed(c, &a, err);
	} else {
		say_init(c, &r);
		reply_fini(&r);
	}
	buf_fini(&body);
	ask_close(&a);
	return err;
}

struct invitation {
	uint32_t roles;
	uint64_t uses;
	unsigned seconds;
};

static int
take_invitation(struct call *c, int argc, char **argv, struct invitation *v)
{
	static const struct opt table[] = {
	        {"role", 0, true}, {"uses", 0, true}, {"expires", 0, true}};
	struct opts o;
	int got;

	*v = (struct invitation){ROLE_WORKER, 1, EXPIRES_S};
	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, table, 3)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (got == OPTS_OPERAND)
			return call_usage(c, "unexpected word '%.80s'", o.value);
		if (got == 0 && strcmp(o.value, "member") == 0)
			v->roles = ROLE_WORKER;
		else if (got == 0 && strcmp(o.value, "signer") == 0)
			v->roles = ROLE_WORKER | ROLE_SIGNER;
		else if (got == 0)
			return call_usage(c, "--role: write member or signer");
		if (got == 1 && (parse_number(&v->uses, o.value, USES_MAX) != 0 || v->uses == 0))
			return call_usage(c, "--uses: write a number from 1 to %d", USES_MAX);
		if (got == 2 && (parse_duration(&v->seconds, o.value) != 0 || v->seconds == 0))
			return call_usage(c,
			        "--expires: write a time above 0, for example 90s, 15m, 24h or 7d");
	}
	return CALL_DONE;
}

static void
lifetime_text(unsigned seconds, char *out, size_t size)
{
	static const struct {
		unsigned seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	size_t i = 0;

	while (seconds % units[i].seconds != 0)
		i++;
	snprintf(out, size, "%u %s%s", seconds / units[i].seconds, units[i].name,
	        seconds == units[i].seconds ? "" : "s");
}

int
cmd_invite(struct call *c, int argc, char **argv)
{
	struct ask_command q = {.type = CONTROL_INVITE, .pass_fd = -1, .timeout_ms = ASK_MS};
	char token[TOKEN_TEXT_MAX], lifetime[WORD_SIZE];
	struct invitation v;
	struct reply r;
	struct buf body;
	struct ask a;
	int err = take_invitation(c, argc, argv, &v);

	if (err != CALL_DONE)
		return err;
	if (call_open(c, &a) != CALL_DONE)
		return CALL_FAILED;
	buf_init(&body, CONTROL_LEN_MAX);
	pack_map(&body, 3);
	pack_kuint(&body, 1, v.roles);
	pack_kuint(&body, 2, v.uses);
	pack_kuint(&body, 3, v.seconds);
	q.body = &body;
	err = ask_daemon(&a, &q, &r);
	if (err == 0) {
		take_text(&r, 1, token, sizeof token);
		reply_fini(&r);
		if (token[0] == 0)
			err = IM_ERR_FORMAT;
	}
	if (err != 0) {
		err = call_ask_failed(c, &a, err);
	} else {
		lifetime_text(v.seconds, lifetime, sizeof lifetime);
		call_say(c,
		        "For %" PRIu64
		        " machine%s, within %s; whoever has it can join, so pass it on privately:",
		        v.uses, v.uses == 1 ? "" : "s", lifetime);
		call_say(c, "%s", token);
	}
	buf_fini(&body);
	ask_close(&a);
	return err;
}

/* HOST, HOST:PORT or [IPv6]:PORT as the text that the daemon resolves, with the usual port where none is written. */
static bool
seed_text(const char *seed, char out[SEED_SIZE])
{
	bool bare_ipv6 = seed[0] != '[' && strchr(seed, ':') != strrchr(seed, ':');
	int n;

	for (const char *p = seed; *p != 0; p++)
		if (*p <= ' ' || *p > '~' || *p == ',')
			return false;
	if (bare_ipv6)
		n = snprintf(out, SEED_SIZE, "[%s]:%s", seed, DEFAULT_PORT);
	else
		n = snprintf(out, SEED_SIZE, is_address(seed) ? "%s" : "%s:" DEFAULT_PORT, seed);
	return n > 0 && n < SEED_SIZE && is_address(out);
}

struct joining {
	const char *token; /* NULL: join as a spare */
	char seed[SEED_SIZE];
};

static int
take_joining(struct call *c, int argc, char **argv, struct joining *j)
{
	static const struct opt table[] = {{"seed", 0, true}};
	struct token t;
	struct opts o;
	int got, err;

	*j = (struct joining){.token = NULL};
	opts_init(&o, argc, argv);
	while ((got = opts_next(&o, table, 1)) != OPTS_END) {
		if (got == OPTS_BAD)
			return call_usage(c, "%s", o.problem);
		if (got == 0 && !seed_text(o.value, j->seed))
			return call_usage(c, "--seed: write HOST or HOST:PORT");
		if (got == OPTS_OPERAND && j->token != NULL)
			return call_usage(c, "unexpected word '%.80s'", o.value);
		if (got == OPTS_OPERAND)
			j->token = o.value;
	}
	if (j->token == NULL)
		return CALL_DONE;
	err = token_parse(&t, j->token);
	explicit_bzero(&t, sizeof t);
	if (err == IM_ERR_VERSION)
		return call_fail(c, "the token was made by a newer icemesh; update this machine's");
	if (err != 0)
		return call_fail(c, "this is no token, or it was mistyped; copy the last line of "
		                    "'icemesh invite' whole");
	return CALL_DONE;
}

static void
say_joined(struct call *c, const struct reply *r)
{
	char mesh[NAME_SIZE], node[NAME_SIZE], trust[WORD_SIZE];
	uint64_t peers = 0;

	take_text(r, 1, mesh, sizeof mesh);
	take_text(r, 3, node, sizeof node);
	take_text(r, 4, trust, sizeof trust);
	if (item_uint(packet_root(r->packet), 5, UINT32_MAX, &peers) != 0)
		peers = 0;
	call_say(c, "Joined mesh '%s' as '%s', a %s; %" PRIu64 " peer%s seen.", mesh, node, trust,
	        peers, peers == 1 ? "" : "s");
	if (strcmp(trust, "spare") == 0)
		call_say(c, "A spare lends its cores; with a token ('icemesh invite' on a member) "
		            "it would be trusted, too.");
	if (peers == 0)
		call_say(c, "None answers yet: 'icemesh doctor' says what could keep them apart.");
	else
		call_say(c, "'icemesh peers' shows them; 'make CC=\"icemesh-cc gcc\"' uses them.");
}

int
cmd_join(struct call *c, int argc, char **argv)
{
	struct ask_command q = {.type = CONTROL_JOIN, .pass_fd = -1, .timeout_ms = ASK_SLOW_MS};
	struct joining j;
	struct reply r;
	struct buf body;
	struct ask a;
	int err = take_joining(c, argc, argv, &j);

	if (err != CALL_DONE)
		return err;
	if (open_or_start(c, &a) != CALL_DONE)
		return CALL_FAILED;
	call_flush(c);
	buf_init(&body, CONTROL_LEN_MAX);
	pack_map(&body, (j.token != NULL) + (j.seed[0] != 0));
	if (j.token != NULL)
		pack_ktext(&body, 1, j.token);
	if (j.seed[0] != 0)
		pack_ktext(&body, 2, j.seed);
	q.body = &body;
	err = ask_daemon(&a, &q, &r);
	if (err != 0) {
		err = call_ask_failed(c, &a, err);
	} else {
		say_joined(c, &r);
		reply_fini(&r);
	}
	if (body.data != NULL)
		explicit_bzero(body.data, body.len);
	buf_fini(&body);
	ask_close(&a);
	return err;
}

int
cmd_leave(struct call *c, int argc, char **argv)
{
	struct ask_command q = {.type = CONTROL_LEAVE, .pass_fd = -1, .timeout_ms = ASK_SLOW_MS};
	struct reply r;
	struct ask a;
	int err = call_operands(c, argc, argv, NULL, 0);

	if (err != CALL_DONE)
		return err;
	if (call_open(c, &a) != CALL_DONE)
		return CALL_FAILED;
	err = ask_daemon(&a, &q, &r);
	if (err != 0) {
		err = call_ask_failed(c, &a, err);
	} else {
		call_say(c, "Left the mesh: the peers know, and this node's certificate is gone.");
		reply_fini(&r);
	}
	ask_close(&a);
	return err;
}

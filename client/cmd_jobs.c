#include "client/call.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "client/opts.h"
#include "client/peer.h"

#define JOBS_ASK_MS 3000
#define ID_SHORTEST 6 /* digits of an id that name a peer, as with ICEMESH_PEER */

static bool
is_wanted(const struct peer *p, const char *name)
{
	return name[0] == 0 || strcmp(p->name, name) == 0 ||
	       (strlen(name) >= ID_SHORTEST && strncmp(p->id, name, strlen(name)) == 0);
}

/* Slots that a compile from here could get now; the daemon asks nobody else (mesh/lease.c). */
static uint64_t
free_slots(const struct peer *peers, uint32_t n, const char *name)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct peer *p = &peers[i];

		if (!p->self && strcmp(p->trust, "member") == 0 && strcmp(p->state, "up") == 0 &&
		        p->sandbox >= 1 && strcmp(p->platform, peers[0].platform) == 0 &&
		        is_wanted(p, name) && p->slots > p->used)
			sum += p->slots - p->used;
	}
	return sum;
}

/* Of the peers; 0 when there is no answer, which is no reason to fail. */
static int
ask_peers(struct call *c, uint64_t *slots)
{
	struct ask_command q = {.type = CONTROL_PEERS, .pass_fd = -1, .timeout_ms = JOBS_ASK_MS};
	struct peer *peers = NULL;
	struct reply r;
	struct ask a;
	uint32_t n;
	int err = ask_open(&a, &c->config);

	if (err != 0)
		return err;
	err = ask_daemon(&a, &q, &r);
	ask_close(&a);
	if (err != 0)
		return err;
	err = peers_decode(&peers, &n, packet_root(r.packet));
	reply_fini(&r);
	if (err != 0)
		return err;
	if (n > 0 && peers[0].self)
		*slots = free_slots(peers, n, c->config.peer);
	free(peers);
	return 0;
}

/* Whatever happens a number is printed: make takes -j without one for "any number". */
int
cmd_jobs(struct call *c, int argc, char **argv)
{
	uint64_t slots = 0;
	struct opts o;
	int status;

	opts_init(&o, argc, argv);
	switch (opts_next(&o, NULL, 0)) {
	case OPTS_BAD:
		return call_usage(c, "%s", o.problem);
	case OPTS_OPERAND:
		return call_usage(c, "unexpected word '%.80s'", o.value);
	default:
		break;
	}
	status = call_config(c);
	if (status == CALL_DONE && c->config.remote != REMOTE_NEVER && ask_peers(c, &slots) != 0 &&
	        c->tty)
		call_fail(c, "icemeshd was not reached: these are this machine's slots alone; see "
		             "'icemesh doctor'");
	call_say(c, "%" PRIu64, c->config.local_slots + slots);
	return status;
}

#include "mesh/report.h"

#include <stdio.h>
#include <string.h>
#include "crypto/packet.h"
#include "mesh/blobs.h"
#include "mesh/endpoint.h"
#include "mesh/helper.h"
#include "mesh/identity.h"
#include "mesh/peers.h"
#include "mesh/serve.h"
#include "mesh/store.h"
#include "mesh/want.h"

#define PROBLEMS_MAX 16

/* One row of `icemesh peers`, from whichever source. */
struct row {
	const struct node_id *node;
	const char *name, *platform, *version, *trust, *state;
	char address[ENDPOINT_TEXT_SIZE];
	bool self;
	struct load load;
	uint32_t sandbox, speed, rtt_us;
	uint64_t age_ms;
};

static void
pack_row(struct buf *out, const struct row *r)
{
	char id[NODE_ID_TEXT_SIZE];
	node_id_text(r->node, id);
	pack_map(out, 17);
	pack_ktext(out, 1, id);
	pack_ktext(out, 2, r->name);
	pack_kuint(out, 3, r->self);
	pack_ktext(out, 4, r->trust);
	pack_ktext(out, 5, r->state);
	pack_ktext(out, 6, r->address);
	pack_ktext(out, 7, r->platform);
	pack_kuint(out, 8, r->load.slots);
	pack_kuint(out, 9, r->load.used);
	pack_kuint(out, 10, r->load.queued);
	pack_kuint(out, 11, r->speed);
	pack_kuint(out, 12, r->load.permille);
	pack_uint(out, 13);
	pack_array(out, r->load.ntags);
	for (uint32_t i = 0; i < r->load.ntags; i++)
		pack_uint(out, r->load.tags[i]);
	pack_kuint(out, 14, r->sandbox);
	pack_kuint(out, 15, r->age_ms);
	pack_kuint(out, 16, r->rtt_us);
	pack_ktext(out, 17, r->version);
}

static void
pack_self(struct node *n, struct buf *out)
{
	struct row r = {.node = identity_node(n->identity),
	        .name = n->config.name,
	        .platform = n->platform,
	        .version = IM_VERSION,
	        .trust = "self",
	        .state = "up",
	        .self = true,
	        .sandbox = helper_level(n->helper),
	        .speed = 100};
	char hosts[TOKEN_HOSTS_SIZE];
	serve_load(n->serve, &r.load);
	if (r.load.state & STATE_DRAINING)
		r.state = "draining";
	else if (r.load.state & STATE_PAUSED)
		r.state = "paused";
	peers_own_hosts(n->peers, hosts, sizeof hosts);
	snprintf(r.address, sizeof r.address, "%.*s", (int)strcspn(hosts, ","), hosts);
	pack_row(out, &r);
}

static const char *
state_word(const struct member *m)
{
	if (m->state == MEMBER_SUSPECT)
		return "suspect";
	if (m->beacon.load.state & STATE_DRAINING)
		return "draining";
	return m->beacon.load.state & STATE_PAUSED ? "paused" : "up";
}

static void
pack_member(struct node *n, struct buf *out, const struct member *m)
{
	const struct view *v = wants_view(n->wants, &m->node);
	struct row r = {.node = &m->node,
	        .name = m->beacon.name,
	        .platform = m->beacon.platform,
	        .version = m->beacon.version,
	        .trust = m->trust == TRUST_MEMBER ? "member" : "spare",
	        .state = state_word(m),
	        .load = m->beacon.load,
	        .sandbox = m->beacon.sandbox,
	        .speed = m->beacon.speed,
	        .rtt_us = v ? v->rtt_us : 0};
	r.age_ms = m->heard_ms ? loop_now_ms() - m->heard_ms : 0;
	endpoint_text(&m->tcp, r.address);
	pack_row(out, &r);
}

/* Members that are there or were until a moment ago; i counts up, NULL at the end. */
static const struct member *
next_member(const struct node *n, size_t *i)
{
	struct gossip *g = peers_gossip(n->peers);
	const struct member *m;
	while (g && (m = gossip_member(g, (*i)++)))
		if (m->state != MEMBER_GONE && m->heard_ms)
			return m;
	return NULL;
}

static unsigned
count_members(const struct node *n, struct load *sum)
{
	const struct member *m;
	unsigned count = 0;
	for (size_t i = 0; (m = next_member(n, &i)); count++) {
		const struct load *l = &m->beacon.load;
		sum->slots += l->slots;
		sum->used += l->used < l->slots ? l->used : l->slots;
	}
	return count;
}

void
report_peers(struct node *n, struct buf *out)
{
	const struct member *m;
	struct load sum = {0};
	pack_map(out, 1);
	pack_uint(out, 1);
	pack_array(out, 1 + count_members(n, &sum));
	pack_self(n, out);
	for (size_t i = 0; (m = next_member(n, &i));)
		pack_member(n, out, m);
}

static void
pack_tallies(struct buf *out, unsigned key, const struct tally *list, unsigned count)
{
	pack_uint(out, key);
	pack_array(out, count);
	for (unsigned i = 0; i < count; i++) {
		pack_map(out, 2);
		pack_ktext(out, 1, list[i].name);
		pack_kuint(out, 2, list[i].count);
	}
}

static void
pack_mesh(struct node *n, struct buf *out)
{
	char id[2 * MESH_ID_LEN + 1] = "";
	struct load own, sum = {0};
	serve_load(n->serve, &own);
	unsigned others = count_members(n, &sum);
	if (identity_in_mesh(n->identity))
		for (unsigned i = 0; i < MESH_ID_LEN; i++)
			snprintf(id + 2 * i, 3, "%02x", identity_conn(n->identity)->mesh.bytes[i]);
	pack_uint(out, 2);
	pack_map(out, 5);
	pack_ktext(out, 1, identity_mesh_name(n->identity));
	pack_ktext(out, 2, id);
	pack_kuint(out, 3, 1 + others);
	pack_kuint(out, 4, own.slots + sum.slots);
	pack_kuint(
	        out, 5, (own.slots > own.used ? own.slots - own.used : 0) + sum.slots - sum.used);
}

static void
pack_counters(struct node *n, struct buf *out)
{
	const struct counters *c = &n->counters;
	pack_uint(out, 3);
	pack_map(out, 7);
	pack_kuint(out, 1, c->remote);
	pack_kuint(out, 2, c->local);
	pack_kuint(out, 3, c->fallback);
	pack_kuint(out, 4, c->retried);
	pack_kuint(out, 5, c->hedged);
	pack_kuint(out, 6, c->failed);
	pack_tallies(out, 7, c->reasons, c->nreasons);
	pack_uint(out, 4);
	pack_map(out, 7);
	pack_kuint(out, 1, c->served);
	pack_kuint(out, 2, serve_running(n->serve));
	pack_kuint(out, 3, c->refused);
	pack_kuint(out, 4, c->killed);
	pack_tallies(out, 5, c->by_peer, c->nby_peer);
	pack_kuint(out, 6, c->fetched);
	pack_kuint(out, 7, c->lent);
}

static void
pack_gossip(struct node *n, struct buf *out)
{
	struct gossip_counts g = {0};
	uint32_t in = 0, sent = 0, bytes = 0;
	if (peers_gossip(n->peers))
		gossip_counts(peers_gossip(n->peers), &g);
	peers_rates(n->peers, &in, &sent, &bytes);
	pack_uint(out, 5);
	pack_map(out, 4);
	pack_kuint(out, 1, in);
	pack_kuint(out, 2, sent);
	pack_kuint(out, 3, g.bad);
	pack_kuint(out, 4, bytes);
}

struct problem {
	const char *what, *remedy;
	char text[320];
};

/* Returns how many it has set: 0 or 1. */
static unsigned
multicast_problem(struct node *n, struct problem *p)
{
	char example[NAME_SIZE] = "";
	unsigned deaf = peers_deaf(n->peers, example, sizeof example);
	if (!deaf)
		return 0;
	snprintf(p->text, sizeof p->text,
	        "multicast is filtered: %u node%s of this network (%s) %s heard by unicast only",
	        deaf, deaf == 1 ? "" : "s", example, deaf == 1 ? "is" : "are");
	p->what = p->text;
	p->remedy = "let the switch pass the multicast groups (an IGMP and MLD querier, or no "
	            "snooping) and the firewall UDP 9777, or set group and group6 to off";
	return 1;
}

/* What keeps this node from working as it could, each with what to do. */
static unsigned
find_problems(struct node *n, struct problem *p)
{
	unsigned k = 0;
	const struct cert *c = identity_cert(n->identity);
	struct load sum = {0};
	if (!identity_in_mesh(n->identity))
		p[k++] = (struct problem){"this node is in no mesh",
		        "'icemesh init' makes one, 'icemesh join TOKEN' joins one", ""};
	else if (!c)
		p[k++] = (struct problem){
		        "this node has no valid certificate: it only lends cores as a spare",
		        "'icemesh join TOKEN' makes it a member", ""};
	else if (c->not_after < wall_seconds() + 3 * 86400)
		p[k++] = (struct problem){"this node's certificate ends within three days",
		        "join again with a new token: 'icemesh leave', 'icemesh join TOKEN'", ""};
	/* whoever has just made a mesh is alone in it, and that is no problem */
	bool expects = !identity_is_issuer(n->identity) ||
	               (peers_gossip(n->peers) && gossip_member(peers_gossip(n->peers), 0));
	if (c && expects && count_members(n, &sum) == 0) {
		p[k].what = "no other node is heard";
		snprintf(p[k].text, sizeof p[k].text,
		        "check that UDP and TCP pass at 'listen' (%.100s) and UDP at 'group', or "
		        "name a node in 'seeds'",
		        n->config.listen);
		p[k].remedy = p[k].text;
		k++;
	}
	k += multicast_problem(n, &p[k]);
	if (n->config.slots && helper_level(n->helper) < n->config.sandbox_min) {
		snprintf(p[k].text, sizeof p[k].text,
		        "no sandbox, so no jobs of others run here: %s",
		        helper_level_text(n->helper));
		p[k].what = p[k].text;
		p[k++].remedy = "'icemesh doctor' says what the kernel must allow";
	}
	if (serve_held(n->serve))
		p[k++] = (struct problem){serve_held(n->serve),
		        "it ends by itself; 'lend' in icemesh.conf(5) says when this machine lends",
		        ""};
	for (unsigned i = 0; store_at(n->store, i); i++) {
		if (!store_at(n->store, i)->failed)
			continue;
		p[k++] = (struct problem){"a toolchain could not be unpacked",
		        "the daemon's log names the entry; restarting icemeshd tries again", ""};
		break;
	}
	return k;
}

void
report_status(struct node *n, struct buf *out)
{
	struct problem problems[PROBLEMS_MAX];
	uint64_t bytes, inputs;
	unsigned toolchains, blobs, trees, count = find_problems(n, problems);
	store_usage(n->store, &bytes, &toolchains);
	blobs_usage(n->blobs, &inputs, &blobs, &trees);
	pack_map(out, 7);
	pack_uint(out, 1);
	pack_array(out, 1);
	pack_self(n, out);
	pack_mesh(n, out);
	pack_counters(n, out);
	pack_gossip(n, out);
	pack_uint(out, 6);
	pack_map(out, 4);
	pack_kuint(out, 1, bytes + inputs);
	pack_kuint(out, 2, n->config.store_size);
	pack_kuint(out, 3, blobs);
	pack_kuint(out, 4, toolchains);
	pack_uint(out, 7);
	pack_array(out, count);
	for (unsigned i = 0; i < count; i++) {
		pack_map(out, 2);
		pack_ktext(out, 1, problems[i].what);
		pack_ktext(out, 2, problems[i].remedy);
	}
}

void
report_toolchains(struct node *n, struct buf *out)
{
	uint64_t bytes, now = loop_now_ms();
	unsigned count;
	char id[NODE_ID_TEXT_SIZE];
	store_usage(n->store, &bytes, &count);
	pack_map(out, 1);
	pack_uint(out, 1);
	pack_array(out, count);
	for (unsigned i = 0; i < count; i++) {
		const struct toolchain *t = store_at(n->store, i);
		const struct compiler *c = store_compiler_of(n->store, &t->digest);
		pack_map(out, 6 + (c ? 2 : 0));
		pack_kbytes(out, 1, t->digest.bytes, DIGEST_LEN);
		pack_kuint(out, 2, t->size);
		pack_ktext(out, 3, t->signer);
		if (c) {
			pack_ktext(out, 4, c->path);
			pack_kuint(out, 5, c->uid);
		}
		pack_kuint(out, 6, t->used_ms ? (now - t->used_ms) / 1000 : 0);
		pack_kuint(out, 7, t->unpacked);
		node_id_text(&t->signer_id, id);
		pack_ktext(out, 8, id);
	}
}

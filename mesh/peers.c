#include "mesh/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mesh/endpoint.h"
#include "mesh/files.h"
#include "mesh/helper.h"
#include "mesh/identity.h"
#include "mesh/machine.h"
#include "mesh/radio.h"
#include "mesh/serve.h"

#define SCAN_MS 5000 /* between two looks at the interfaces */
#define SAVE_MS 30000
#define LOAD_MS 1000 /* between two looks at how busy the machine is */

struct peers {
	struct node *node;
	struct radio *radio;
	struct gossip *gossip; /* NULL while in no mesh */
	uint16_t port;
	void (*changed)(struct node *n, const struct node_id *id);
	struct timer *tick, *scan;
	struct machine machine;
	uint64_t rejoin_ms, save_ms, rate_ms, load_ms;
	bool filtered; /* neighbours' multicast does not arrive, and the log says so */
	struct gossip_counts at_rate;
	uint32_t in_x100, out_x100, bytes_per_s;
};

static void arm_tick(struct peers *p);

static void
member_event(struct peers *p, const struct gossip_action *a)
{
	const struct member *m = gossip_find(p->gossip, &a->node);
	if (!m)
		return;
	if (a->type != GOSSIP_CHANGED)
		log_info(&p->node->log, "%s %s", m->beacon.name,
		        a->type == GOSSIP_UP ? "is there" : "is gone");
	p->changed(p->node, &a->node);
}

/* Carries out what gossip wants done. */
static void
act(struct peers *p)
{
	struct gossip_action a;
	while (gossip_next(p->gossip, &a)) {
		switch (a.type) {
		case GOSSIP_MULTICAST:
			radio_multicast(p->radio, a.ipv4_alone, a.bytes, a.len);
			break;
		case GOSSIP_UNICAST:
			radio_unicast(p->radio, &a.to, a.bytes, a.len);
			break;
		default:
			member_event(p, &a);
		}
	}
	arm_tick(p);
}

static void
arm_tick(struct peers *p)
{
	uint64_t now = loop_now_ms(), at = gossip_deadline(p->gossip);
	timer_set(p->tick, at > now ? at - now : 0);
}

static void
fill_load(struct peers *p, struct load *l)
{
	uint64_t now = loop_now_ms();
	serve_load(p->node->serve, l);
	if (now >= p->load_ms) {
		p->load_ms = now + LOAD_MS;
		machine_load(&p->machine);
	}
	l->permille = p->machine.permille;
}

static void
on_tick(void *arg)
{
	struct peers *p = arg;
	struct load l;
	if (!p->gossip)
		return;
	fill_load(p, &l);
	uint64_t now = loop_now_ms();
	struct gossip_counts before, after;
	gossip_counts(p->gossip, &before);
	gossip_load(p->gossip, &l, now);
	gossip_tick(p->gossip, now);
	gossip_counts(p->gossip, &after);
	if (after.bad_signature != before.bad_signature)
		log_hostile(&p->node->log, now, "beacon that waited to be looked at: %s",
		        im_strerror(IM_ERR_SIGNATURE));
	act(p);
}

static void
on_heard(void *arg, const uint8_t *bytes, size_t len, const struct endpoint *from, bool multicast)
{
	struct peers *p = arg;
	if (!p->gossip)
		return;
	uint64_t now = loop_now_ms();
	int err = gossip_receive(p->gossip, bytes, len, from, multicast, now);
	if (err < 0 && err != IM_ERR_EXISTS && err != IM_ERR_REPLAY && err != IM_ERR_OTHER_MESH) {
		char where[ENDPOINT_TEXT_SIZE];
		endpoint_text(from, where);
		log_hostile(&p->node->log, now, "beacon from %s: %s", where, im_strerror(err));
	}
	if (err ==
	        0) /* what was refused changed nothing, and may be one of ten thousand a second */
		act(p);
}

static void
save(struct peers *p)
{
	struct buf b;
	char path[FILES_PATH_SIZE];
	if (!p->gossip)
		return;
	buf_init(&b, GOSSIP_SAVE_MAX);
	gossip_save(p->gossip, &b);
	if (buf_err(&b) < 0 || files_path(path, p->node->config.state_dir, "peers") < 0 ||
	        files_write(path, b.data, b.len, 0600) < 0)
		log_warn(&p->node->log, "%s/peers cannot be written", p->node->config.state_dir);
	buf_fini(&b);
}

static void
measure_rates(struct peers *p, uint64_t now)
{
	struct gossip_counts c;
	if (!p->gossip || now - p->rate_ms < 1000)
		return;
	gossip_counts(p->gossip, &c);
	uint64_t ms = now - p->rate_ms;
	p->in_x100 = (uint32_t)((c.received - p->at_rate.received) * 100000 / ms);
	p->out_x100 = (uint32_t)((c.sent - p->at_rate.sent) * 100000 / ms);
	p->bytes_per_s =
	        (uint32_t)((c.bytes_in - p->at_rate.bytes_in + c.bytes_out - p->at_rate.bytes_out) *
	                   1000 / ms);
	p->at_rate = c;
	p->rate_ms = now;
}

static void
set_addrs(struct peers *p)
{
	const struct interfaces *all = radio_interfaces(p->radio);
	if (!p->gossip)
		return;
	gossip_set_addrs(p->gossip, all->addrs, all->naddrs);
	gossip_set_subnets(p->gossip, all->subnets, all->nsubnets);
}

unsigned
peers_deaf(const struct peers *p, char *example, size_t size)
{
	const struct member *m = NULL;
	unsigned n = p->gossip ? (unsigned)gossip_count_deaf(p->gossip, loop_now_ms(), &m) : 0;
	if (m)
		snprintf(example, size, "%s", m->beacon.name);
	return n;
}

/* Said when it begins and when it ends. */
static void
watch_multicast(struct peers *p)
{
	char example[NAME_SIZE] = "";
	unsigned n = peers_deaf(p, example, sizeof example);
	if (n && !p->filtered)
		log_warn(&p->node->log,
		        "no multicast arrives from %u node%s of this network (%s): a switch or "
		        "firewall drops it; they are reached by unicast",
		        n, n == 1 ? "" : "s", example);
	else if (!n && p->filtered)
		log_info(&p->node->log, "multicast arrives again");
	p->filtered = n > 0;
}

static void
on_scan(void *arg)
{
	struct peers *p = arg;
	uint64_t now = loop_now_ms();
	bool rejoin = now >= p->rejoin_ms;
	if (rejoin)
		p->rejoin_ms = now + PEERS_REJOIN_MS;
	radio_rescan(p->radio, rejoin);
	set_addrs(p);
	if (p->gossip)
		gossip_set_wall(p->gossip, wall_seconds(), now);
	watch_multicast(p);
	measure_rates(p, now);
	if (now >= p->save_ms) {
		p->save_ms = now + SAVE_MS;
		save(p);
	}
	timer_set(p->scan, SCAN_MS);
}

static void
add_seeds(struct peers *p)
{
	char list[CONFIG_VALUE_SIZE];
	snprintf(list, sizeof list, "%s", p->node->config.seeds);
	char *rest = list, *one;
	while ((one = strsep(&rest, ", "))) {
		struct endpoint e[8];
		unsigned n;
		if (!*one)
			continue;
		if (endpoint_resolve(one, 9777, e, 8, &n) < 0) {
			log_warn(&p->node->log, "seeds: %s: no such host", one);
			continue;
		}
		for (unsigned i = 0; i < n; i++)
			peers_seed(p, &e[i]);
	}
}

static void
load_saved(struct peers *p)
{
	struct buf b;
	char path[FILES_PATH_SIZE];
	buf_init(&b, GOSSIP_SAVE_MAX);
	int err = files_path(path, p->node->config.state_dir, "peers");
	if (err == 0)
		err = files_read(path, &b);
	if (err == 0)
		err = gossip_load_saved(p->gossip, b.data, b.len, loop_now_ms());
	if (err < 0 && err != IM_ERR_ABSENT)
		log_warn(&p->node->log, "%s/peers: %s; peers are found anew",
		        p->node->config.state_dir, im_strerror(err));
	buf_fini(&b);
}

static void
fill_config(struct peers *p, struct gossip_config *c)
{
	const struct node *n = p->node;
	const struct conn_identity *id = identity_conn(n->identity);
	memset(c, 0, sizeof *c);
	c->key = id->key;
	c->mesh = id->mesh;
	memcpy(c->root_pk, id->root_pk, SIGN_PK_LEN);
	c->cert = id->cert_len ? id->cert : NULL;
	c->cert_len = id->cert_len;
	c->boot = n->boot;
	random_bytes(&c->seed, sizeof c->seed);
	snprintf(c->name, sizeof c->name, "%.*s", NAME_SIZE - 1, n->config.name);
	snprintf(c->platform, sizeof c->platform, "%s", n->platform);
	snprintf(c->version, sizeof c->version, "%s", IM_VERSION);
	c->tcp_port = p->port;
	c->sandbox = helper_level(n->helper);
	c->speed = 100;
	c->wall_s = wall_seconds();
	c->wall_at_ms = loop_now_ms();
}

void
peers_goodbye(struct peers *p)
{
	if (!p->gossip)
		return;
	gossip_bye(p->gossip, loop_now_ms());
	act(p);
}

void
peers_mesh_changed(struct peers *p)
{
	struct gossip_config c;
	if (p->gossip) {
		gossip_free(p->gossip);
		p->gossip = NULL;
		timer_stop(p->tick);
	}
	if (!identity_in_mesh(p->node->identity))
		return;
	p->node->boot++; /* the sequence starts over, and the others know the old one */
	fill_config(p, &c);
	p->gossip = gossip_new(&c);
	if (!p->gossip) {
		log_warn(&p->node->log, "no memory for gossip");
		return;
	}
	memset(&p->at_rate, 0, sizeof p->at_rate);
	set_addrs(p);
	add_seeds(p);
	load_saved(p);
	on_tick(p);
}

void
peers_cert_changed(struct peers *p)
{
	struct gossip_config c;
	if (!p->gossip)
		return;
	fill_config(p, &c);
	if (gossip_set_mesh(p->gossip, &c) < 0)
		log_warn(&p->node->log, "the renewed certificate does not fit into a beacon");
}

struct peers *
peers_open(struct node *n, uint16_t port, void (*changed)(struct node *, const struct node_id *),
        char *why)
{
	struct peers *p = calloc(1, sizeof *p);
	if (!p) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	p->node = n;
	p->port = port;
	p->changed = changed;
	p->tick = timer_new(n->loop, on_tick, p);
	p->scan = timer_new(n->loop, on_scan, p);
	p->radio = p->tick && p->scan ? radio_open(n, &port, on_heard, p, why) : NULL;
	if (!p->radio) {
		peers_close(p);
		return NULL;
	}
	p->rejoin_ms = loop_now_ms() + PEERS_REJOIN_MS;
	p->save_ms = loop_now_ms() + SAVE_MS;
	p->rate_ms = loop_now_ms();
	timer_set(p->scan, SCAN_MS);
	return p;
}

void
peers_close(struct peers *p)
{
	if (!p)
		return;
	if (p->gossip) {
		peers_goodbye(p);
		save(p);
		gossip_free(p->gossip);
	}
	timer_free(p->tick);
	timer_free(p->scan);
	radio_close(p->radio);
	free(p);
}

void
peers_load_changed(struct peers *p)
{
	struct load l;
	if (!p->gossip)
		return;
	fill_load(p, &l);
	gossip_load(p->gossip, &l, loop_now_ms());
	act(p);
}

void
peers_seed(struct peers *p, const struct endpoint *e)
{
	if (p->gossip && gossip_add_seed(p->gossip, e) < 0)
		log_warn(&p->node->log, "more seeds than this node can keep");
}

void
peers_own_hosts(struct peers *p, char *out, size_t size)
{
	/* only loopback: the mesh is on this machine */
	static const struct beacon_addr loopback = {4, {127, 0, 0, 1}};
	const struct interfaces *all = radio_interfaces(p->radio);
	const struct beacon_addr *addr = all->naddrs ? all->addrs : &loopback;
	unsigned n = all->naddrs ? all->naddrs : 1;
	size_t at = 0;
	out[0] = 0;
	for (unsigned i = 0; i < n && at < size; i++) {
		struct endpoint e = {.len = addr[i].len, .port = p->port};
		char text[ENDPOINT_TEXT_SIZE];
		memcpy(e.bytes, addr[i].bytes, sizeof e.bytes);
		endpoint_text(&e, text);
		int w = snprintf(out + at, size - at, "%s%s", at ? "," : "", text);
		if (w < 0 || (size_t)w >= size - at) {
			out[at] = 0;
			return;
		}
		at += (size_t)w;
	}
}

struct gossip *
peers_gossip(const struct peers *p)
{
	return p->gossip;
}

static unsigned
members_in(struct peers *p, enum member_state state, const struct member **out, unsigned max)
{
	const struct member *m;
	unsigned n = 0;
	for (size_t i = 0; n < max && (m = gossip_member(p->gossip, i)); i++)
		if (m->state == state && m->heard_ms && m->tcp.len && m->trust == TRUST_MEMBER &&
		        strcmp(m->beacon.platform, p->node->platform) == 0)
			out[n++] = m;
	return n;
}

unsigned
peers_live(struct peers *p, const struct member **out, unsigned max)
{
	unsigned n;
	if (!p->gossip)
		return 0;
	n = members_in(p, MEMBER_UP, out, max);
	return n ? n : members_in(p, MEMBER_SUSPECT, out, max);
}

void
peers_rates(const struct peers *p, uint32_t *in_x100, uint32_t *out_x100, uint32_t *bytes)
{
	*in_x100 = p->in_x100;
	*out_x100 = p->out_x100;
	*bytes = p->bytes_per_s;
}

#include "tests/sim/sim.h"

bool
net_reaches(const struct sim *s, uint32_t from, uint32_t to)
{
	const struct host *a = s->hosts[from], *b = s->hosts[to];
	return a->side == b->side || (b->oneway && !a->oneway);
}

static uint64_t
delay(struct sim *s)
{
	return s->net.latency_us + rng_below(&s->rng, s->net.jitter_us + 1);
}

/* ---- datagrams ---- */

struct datagram {
	struct endpoint from, to;
	uint32_t sender;
	bool multicast;
	size_t len;
	uint8_t bytes[LETTER_LEN_MAX];
};

static void
hand(struct sim *s, const struct datagram *d, uint32_t to)
{
	struct host *h = s->hosts[to];
	if (!h->g || h->paused_us > s->now_us || !net_reaches(s, d->sender, to) ||
	        rng_below(&s->rng, 1000) < s->net.loss_permille)
		return;
	unsigned copies = 1 + (rng_below(&s->rng, 1000) < s->net.dup_permille);
	while (copies--) {
		s->net.delivered++;
		host_datagram(s, h, d->bytes, d->len, &d->from, d->multicast);
	}
}

/* Multicast reaches all of a segment at one time, or none of them. */
static void
on_datagram(struct sim *s, struct event *e)
{
	const struct datagram *d = e->p;
	for (uint32_t i = 0; i < s->nhosts; i++) {
		const struct host *h = s->hosts[i];
		if (i == d->sender)
			continue;
		if (d->multicast ? h->segment == s->hosts[d->sender]->segment
		                 : memcmp(&h->at, &d->to, sizeof d->to) == 0)
			hand(s, d, i);
	}
}

void
net_datagram(struct sim *s, struct host *from, const struct gossip_action *a)
{
	struct datagram *d = malloc(sizeof *d);
	if (!d)
		abort();
	*d = (struct datagram){.from = from->at,
	        .to = a->to,
	        .sender = from->index,
	        .multicast = a->type == GOSSIP_MULTICAST,
	        .len = a->len};
	memcpy(d->bytes, a->bytes, a->len);
	memcpy(s->last_beacon, a->bytes, a->len);
	s->last_len = a->len;
	s->net.sent++;
	uint64_t late = rng_below(&s->rng, 1000) < s->net.late_permille
	                        ? rng_below(&s->rng, 2 * SECOND)
	                        : 0;
	event_add(s, delay(s) + late,
	        (struct event){.run = on_datagram, .host = NOBODY, .a = a->len, .p = d});
}

/* ---- connections ---- */

static void
on_message(struct sim *s, struct event *e)
{
	const struct message *m = e->p;
	struct host *to = s->hosts[m->to];
	if (!net_reaches(s, m->from, m->to) || !net_reaches(s, m->to, m->from))
		return; /* silence: who waits finds out */
	if (to->up && (!m->to_boot || m->to_boot == to->boot)) {
		host_message(s, to, m);
		return;
	}
	/* its system says that nobody is there */
	if (m->type == CLOSED || m->type == CANCEL)
		return;
	net_message(s, &(struct message){.type = CLOSED,
	                       .from = m->to,
	                       .to = m->from,
	                       .from_boot = m->to_boot,
	                       .to_boot = m->from_boot,
	                       .ask = m->ask,
	                       .to_client = !m->to_client});
}

void
net_message(struct sim *s, const struct message *m)
{
	struct message *copy = malloc(sizeof *copy);
	if (!copy)
		abort();
	*copy = *m;
	s->net.messages++;
	/* one after the other, as on a connection */
	uint64_t us = s->net.latency_us + (m->type == JOB || m->type == RESULT ? TRANSFER_US : 0);
	event_add(s, us,
	        (struct event){.run = on_message,
	                .host = m->to,
	                .a = (uint64_t)m->type << 32 | m->from,
	                .b = m->ask,
	                .p = copy});
}

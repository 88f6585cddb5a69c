/*
 * The simulator: the shipped gossip, picking, leases and admission of many nodes in one process, on a virtual clock and network.
 *
 * A run is a function of its seed: one heap of events, one generator of random numbers, no clock, no addresses in decisions. `hash` follows
 * every event, so two runs of a seed can be compared.  Signatures are a keyed checksum (tests/unit/fake_sign.h).
 *
 *   events.c  the heap            host.c    a node: gossip, and serving by mesh/admit
 *   net.c     datagrams, messages build.c   a submitting node: make -jN over mesh/lease
 *   faults.c  what goes wrong     compare.c the same builds under other schedulers
 *   check.c   what must hold      table.c   the README's table          main.c  the command line
 *   shares.c  what each client has of a full mesh
 */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gossip/gossip.h"
#include "gossip/rng.h"
#include "mesh/admit.h"
#include "mesh/lease.h"

#define MS 1000u /* microseconds */
#define SECOND 1000000u
#define SIM_WALL 1800000000u /* seconds since 1970 at the start */
#define TRANSFER_US 3000     /* of a job's inputs, and of its result */
#define PING_US SECOND       /* a peer's sign of life while it has something of a client's */
#define LOST_US (3 * SECOND + 500 * MS)  /* without one, a job's peer is lost */
#define LEASE_US (20 * (uint64_t)SECOND) /* for a granted job to come (WIRE_LEASE_MS) */
#define DEAD_CLIENT_US (15 * (uint64_t)SECOND)
#define NOBODY UINT32_MAX

struct sim;
struct host;

/* ---- events ---- */

struct event {
	uint64_t at_us, seq;
	void (*run)(struct sim *s, struct event *e);
	uint32_t host; /* on which it happens, NOBODY: on none; waits while that is paused */
	uint64_t boot; /* dropped when the host has another by then; 0: whatever it has */
	uint64_t a, b;
	void *p; /* freed with the event */
};

struct events {
	struct event **heap;
	size_t n, room;
	uint64_t seq;
};

void event_add(struct sim *s, uint64_t in_us, struct event e);
/* Runs the next one; false when there is none until end_us (then that is the time). */
bool event_next(struct sim *s, uint64_t end_us);
void events_free(struct sim *s);

/* ---- messages of a connection ---- */

enum message_type { RESERVE, GRANT, QUEUE, NACK, CANCEL, JOB, RESULT, PING, CLOSED };

struct message {
	enum message_type type;
	uint32_t from, to;
	uint64_t from_boot, to_boot; /* a connection ends with either */
	uint64_t ask;                /* names the connection, with the client */
	uint32_t predicted_ms, work_ms;
	bool wait, to_client;
	struct view_load load;
};

/* What the net does to what is sent. */
struct net {
	uint32_t latency_us, jitter_us;
	uint32_t loss_permille, dup_permille, late_permille; /* of datagrams */
	uint64_t sent, delivered, messages;                  /* counts; messages: of connections */
};

bool net_reaches(const struct sim *s, uint32_t from, uint32_t to);
void net_datagram(struct sim *s, struct host *from, const struct gossip_action *a);
void net_message(struct sim *s, const struct message *m);

/* ---- a node ---- */

enum stage { WAITS, GRANTED, READY, RUNS };

/* What it serves to one ask of a client. */
struct served {
	struct served *next;
	uint64_t ticket, ask, client_boot, since_us, heard_us;
	uint32_t client, work_ms;
	enum stage stage;
};

struct host {
	uint32_t index, segment, slots;
	uint32_t speed; /* permille */
	struct key key;
	uint8_t cert[CERT_LEN_MAX];
	struct gossip_config config;
	struct endpoint at;
	struct node_id id;
	bool up;
	struct gossip *g; /* NULL while it is down, and in the table */
	struct admit *admit;
	struct served *served;
	uint64_t boot, ticket, paused_us, tick_us, beacons, window_us;
	uint32_t side, window; /* of a partition; beacons that came in this second */
	bool oneway;           /* what it sends to the other side is lost, not what it receives */
	bool liar;
	struct build *build; /* NULL: it submits nothing */
};

struct host *host_new(struct sim *s);
void host_start(struct sim *s, struct host *h);
void host_crash(struct sim *s, struct host *h);
void host_datagram(struct sim *s, struct host *h, const void *bytes, size_t len,
        const struct endpoint *from, bool multicast);
void host_message(struct sim *s, struct host *h, const struct message *m);
/* Carries out what gossip and admission want. */
void host_settle(struct sim *s, struct host *h);
void host_free(struct host *h);
void host_load(const struct host *h, struct view_load *out);

/* ---- a submitting node ---- */

enum job_state { JOB_NEW, JOB_WANTED, JOB_REMOTE, JOB_LOCAL, JOB_DONE };

struct copy {
	uint64_t ask; /* 0: none */
	uint32_t host;
	uint64_t heard_us, sent_us;
};

struct job {
	uint32_t work_ms, predicted_ms;
	enum job_state state;
	bool waits; /* was told so, and will take a local slot */
	unsigned ended, lost;
	uint64_t want;
	struct copy copies[2];
	struct node_id avoid[LEASE_AVOID_MAX];
	unsigned navoid;
};

struct build {
	struct host *host;
	struct leases *leases;
	struct job *jobs;
	uint32_t njobs, next, active, j, local_slots, local_used;
	uint32_t done, remote, local, retried, hedged;
	uint64_t begin_us, end_us, tick_us, refresh_us, asks;
	bool gone; /* its host crashed: what was left is given up */
	struct {
		uint64_t ask, boot;
		uint32_t host;
	} under_way[LEASE_ASKS_MAX];
	unsigned nunder_way;
};

struct build *build_new(struct sim *s, struct host *h, uint32_t njobs, uint32_t j);
void build_begin(struct sim *s, struct build *b);
void build_message(struct sim *s, struct build *b, const struct message *m);
/* News of a peer from gossip, or (the table) from elsewhere. */
void build_news(struct sim *s, struct build *b, const struct host *peer, const struct view_load *l,
        uint64_t at_us);
void build_peer_gone(struct sim *s, struct build *b, const struct node_id *id);
void build_crash(struct sim *s, struct build *b);
void build_free(struct build *b);

/* ---- all of it ---- */

struct options {
	uint32_t nodes, clients, segments, j, jobs, slots,
	        sigma; /* jobs: of each client; sigma: of the speeds, in permille */
	uint32_t local_slots, loss_permille,
	        noise;     /* noise: of predictions, permille; 1000 and more: there are none */
	uint64_t fault_us; /* how long things go wrong */
	uint32_t faults;   /* how many happen in that time */
	uint32_t
	        age_us; /* the table: news of loads are that old at most, and gossip does not run */
	bool forged;
};

struct sim {
	uint64_t seed, now_us, hash;
	struct rng rng;
	struct events events;
	struct net net;
	struct options o;
	struct key root;
	struct host **hosts;
	uint32_t nhosts;
	struct build **builds;
	uint32_t nbuilds;
	bool healed, failed, verbose;
	char why[256];
	uint8_t last_beacon[LETTER_LEN_MAX]; /* for forgers */
	size_t last_len;
};

static inline uint64_t
now_ms(const struct sim *s)
{
	return s->now_us / MS + 5000; /* not 0, which means "never" to many */
}

/* Gives the run up; the first reason counts. */
void sim_fail(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_trace(struct sim *s, uint64_t what, uint64_t a, uint64_t b);
struct sim *sim_new(uint64_t seed, const struct options *o);
void sim_free(struct sim *s);
/* A log-normal number with this median and sigma (permille), within bounds. */
uint32_t sim_lognormal(
        struct rng *r, uint32_t median, uint32_t sigma, uint32_t least, uint32_t most);
bool sim_done(const struct sim *s); /* every build has ended */

void faults_begin(struct sim *s);
void faults_heal(struct sim *s);

void check_host(struct sim *s, struct host *h); /* after each change */
void check_end(struct sim *s);                  /* all quiet again */
bool check_converged(const struct sim *s);

/* How long the builds of a run took: the mean of them, and the one that ended last (the makespan of all). */
struct times {
	double mean_us, last_us;
};

/* One of nbuilds took build_us. */
void times_add(struct times *t, uint64_t build_us, uint32_t nbuilds);
/* Of the same builds under another scheduler. */
struct times compare_omniscient(const struct sim *s);
struct times compare_icecream(const struct sim *s);

int table_print(unsigned seeds);
/* For a run as the table's: one more client, behind all nodes that lend; then all of it. */
void table_client(struct sim *s, uint32_t j);
void table_run(struct sim *s);
/* What clients with many and with few jobs have of a full mesh; TAP. */
int shares_print(void);

#endif

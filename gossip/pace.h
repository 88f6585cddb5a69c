/*
 * How often: the interval between beacons for a mesh of n nodes, and a token bucket for what is
 * sent out of turn. Integers only (thousandths of a token), so that a run repeats exactly on
 * every machine.
 */
#ifndef GOSSIP_PACE_H
#define GOSSIP_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_MIN_MS 1000
#define PACE_MAX_MS 120000
#define PACE_RECEIVED_PER_S 100 /* beacons that a node receives at any size of the mesh */

struct bucket {
	uint32_t burst;     /* tokens when full */
	uint64_t milli;     /* thousandths of tokens in it */
	uint64_t filled_ms; /* time up to which it has been filled */
};

/* Mean time between a node's beacons in a mesh of n nodes, itself included. */
uint32_t pace_interval_ms(size_t n);
/* Silence after which a member with this interval is suspect, and gone. */
uint64_t pace_suspect_ms(uint32_t interval_ms);
uint64_t pace_gone_ms(uint32_t interval_ms);

/* A full bucket. */
void bucket_init(struct bucket *b, uint32_t burst, uint64_t now_ms);
/* Takes a token after filling it at per_s tokens a second; false when it is empty. */
bool bucket_take(struct bucket *b, uint32_t per_s, uint64_t now_ms);
/* Tokens in it, after filling it. */
uint32_t bucket_level(const struct bucket *b, uint32_t per_s, uint64_t now_ms);
/* When a token will be there; now_ms when there is one. */
uint64_t bucket_ready_ms(const struct bucket *b, uint32_t per_s, uint64_t now_ms);

#endif

#include "client/trip.h"

#include <string.h>

#define KEY_PREFIX "trip 1"

struct trip_key {
	char prefix[sizeof(KEY_PREFIX)];
	uint8_t name[DIGEST_LEN];
};

static struct trip_key
key_of(const struct digest *name)
{
	struct trip_key k = {.prefix = KEY_PREFIX};

	memcpy(k.name, name->bytes, DIGEST_LEN);
	return k;
}

bool
trip_add(struct trip *t, uint32_t compile_us, uint32_t around_us)
{
	bool was = trip_wasted(t), full = t->count == TRIP_COUNT_MIN;

	if (t->count == 0 || compile_us > t->compile_us)
		t->compile_us = compile_us;
	if (t->count == 0 || around_us < t->around_us)
		t->around_us = around_us;
	t->count += !full;
	return !full || trip_wasted(t) != was;
}

bool
trip_wasted(const struct trip *t)
{
	return t->count >= TRIP_COUNT_MIN && t->compile_us < TRIP_TINY_US &&
	       t->around_us / TRIP_TIMES > t->compile_us;
}

void
trip_find(struct trip *t, const struct graph *g, const struct digest *key)
{
	struct trip_key k = key_of(key);
	size_t len = 0;
	const void *at = graph_find(g, &k, sizeof(k), &len);

	*t = (struct trip){.count = 0};
	if (at && len == sizeof(*t))
		memcpy(t, at, sizeof(*t));
}

void
trip_keep(const struct trip *t, struct graph *g, const struct digest *key)
{
	struct trip_key k = key_of(key);

	(void)!graph_add(g, &k, sizeof(k), t, sizeof(*t));
}

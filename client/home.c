#include "client/home.h"

#include <string.h>
#include <unistd.h>

#define KEY_PREFIX "home 1"
#define PERMILLE_MOST 1000000
#define NEAR 4 /* within one in so many of the mean a measurement is no news */

struct home_key {
	char prefix[sizeof(KEY_PREFIX)];
	uint8_t toolchain[DIGEST_LEN];
};

static struct home_key
key_of(const struct digest *toolchain)
{
	struct home_key k = {.prefix = KEY_PREFIX};

	memcpy(k.toolchain, toolchain->bytes, DIGEST_LEN);
	return k;
}

bool
home_add(struct home_times *t, uint64_t took_us, uint32_t predicted_ms)
{
	uint64_t permille;
	int64_t off;

	if (took_us == 0 || predicted_ms < HOME_LEAST_MS)
		return false;
	permille = took_us / predicted_ms;
	permille = permille > PERMILLE_MOST ? PERMILLE_MOST : permille > 0 ? permille : 1;
	off = (int64_t)permille - (int64_t)t->permille;
	if (t->count == HOME_WEIGHT && (off < 0 ? -off : off) <= t->permille / NEAR)
		return false;
	t->count += t->count < HOME_WEIGHT;
	t->permille = (uint32_t)((int64_t)t->permille + off / (int64_t)t->count);
	return true;
}

bool
home_is_faster(const struct home *h)
{
	const struct home_times *here = &h->at[HOME_HERE], *there = &h->at[HOME_THERE];

	return here->count >= HOME_COUNT_MIN && there->count >= HOME_COUNT_MIN &&
	       (uint64_t)here->permille * HOME_TIMES < there->permille;
}

bool
home_keeps(const struct home *h)
{
	return home_is_faster(h) && getpid() % HOME_SENT != 0;
}

void
home_find(struct home *h, const struct graph *g, const struct digest *toolchain)
{
	struct home_key k = key_of(toolchain);
	size_t len = 0;
	const void *at = graph_find(g, &k, sizeof(k), &len);

	*h = (struct home){.at = {{.count = 0}}};
	if (at != NULL && len == sizeof(*h))
		memcpy(h, at, sizeof(*h));
	for (int i = 0; i < HOME_PLACES; i++)
		if (h->at[i].count > HOME_WEIGHT || h->at[i].permille > PERMILLE_MOST)
			h->at[i] = (struct home_times){.count = 0};
}

bool
home_is_timed(const struct graph *g, const struct digest *toolchain, uint32_t predicted_ms)
{
	struct home h;

	if (g == NULL || predicted_ms < HOME_LEAST_MS)
		return false;
	home_find(&h, g, toolchain);
	return h.at[HOME_HERE].count < HOME_WEIGHT || getpid() % HOME_TIMED == 0;
}

void
home_took(struct graph *g, const struct digest *toolchain, enum home_place place, uint64_t took_us,
        uint32_t predicted_ms)
{
	struct home_key k = key_of(toolchain);
	struct home h;

	home_find(&h, g, toolchain);
	if (g != NULL && home_add(&h.at[place], took_us, predicted_ms))
		(void)!graph_add(g, &k, sizeof(k), &h, sizeof(h));
}

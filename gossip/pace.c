#include "gossip/pace.h"

#define TOKEN 1000 /* thousandths */

uint32_t
pace_interval_ms(size_t n)
{
	uint64_t ms = (uint64_t)n * 1000 / PACE_RECEIVED_PER_S;

	return (uint32_t)(ms < PACE_MIN_MS ? PACE_MIN_MS : ms > PACE_MAX_MS ? PACE_MAX_MS : ms);
}

uint64_t
pace_suspect_ms(uint32_t interval_ms)
{
	uint64_t ms = (uint64_t)interval_ms * 7 / 2;

	return ms < 4000 ? 4000 : ms;
}

uint64_t
pace_gone_ms(uint32_t interval_ms)
{
	uint64_t ms = (uint64_t)interval_ms * 10;

	return ms < 10000 ? 10000 : ms;
}

void
bucket_init(struct bucket *b, uint32_t burst, uint64_t now_ms)
{
	b->burst = burst;
	b->milli = (uint64_t)burst * TOKEN;
	b->filled_ms = now_ms;
}

/* What would be in it now; a clock that went back adds nothing. */
static uint64_t
content(const struct bucket *b, uint32_t per_s, uint64_t now_ms)
{
	uint64_t full = (uint64_t)b->burst * TOKEN;
	uint64_t passed = now_ms > b->filled_ms ? now_ms - b->filled_ms : 0;

	if (!per_s)
		return b->milli;
	if (passed > (full - b->milli) / per_s)
		return full;
	return b->milli + passed * per_s;
}

bool
bucket_take(struct bucket *b, uint32_t per_s, uint64_t now_ms)
{
	b->milli = content(b, per_s, now_ms);
	if (now_ms > b->filled_ms)
		b->filled_ms = now_ms;
	if (b->milli < TOKEN)
		return false;
	b->milli -= TOKEN;
	return true;
}

uint32_t
bucket_level(const struct bucket *b, uint32_t per_s, uint64_t now_ms)
{
	return (uint32_t)(content(b, per_s, now_ms) / TOKEN);
}

uint64_t
bucket_ready_ms(const struct bucket *b, uint32_t per_s, uint64_t now_ms)
{
	uint64_t have = content(b, per_s, now_ms);

	if (have >= TOKEN)
		return now_ms;
	return per_s ? now_ms + (TOKEN - have + per_s - 1) / per_s : UINT64_MAX;
}

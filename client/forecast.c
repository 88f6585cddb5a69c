#include "client/forecast.h"

#include <string.h>

#define KEY_PREFIX "time 1"
#define MOST_US 3600000000u

struct forecast_key {
	char prefix[sizeof(KEY_PREFIX)];
	uint8_t name[DIGEST_LEN];
};

static struct forecast_key
key_of(const struct digest *name)
{
	struct forecast_key k = {.prefix = KEY_PREFIX};

	memcpy(k.name, name->bytes, DIGEST_LEN);
	return k;
}

bool
forecast_add(struct forecast *f, uint64_t compile_us)
{
	int64_t off = (int64_t)compile_us - (int64_t)f->mean_us;

	if (compile_us == 0 || compile_us > MOST_US)
		return false;
	if (f->count == FORECAST_WEIGHT && (off < 0 ? -off : off) <= f->mean_us / FORECAST_NEAR)
		return false;
	f->count += f->count < FORECAST_WEIGHT;
	f->mean_us = (uint32_t)((int64_t)f->mean_us + off / (int64_t)f->count);
	return true;
}

uint32_t
forecast_ms(const struct forecast *f)
{
	uint32_t ms = f->mean_us / 1000;

	return f->count > 0 && ms == 0 ? 1 : ms;
}

static void
add_text(struct digest_stream *s, const char *text)
{
	digest_add(s, text, strlen(text) + 1);
}

void
forecast_name(struct digest *name, const struct job *job, char *const *argv)
{
	struct digest_stream s;

	digest_begin(&s);
	add_text(&s, job->cwd);
	for (uint32_t i = 0; i < job->noutputs; i++)
		add_text(&s, job->outputs[i]);
	for (; *argv != NULL; argv++)
		add_text(&s, *argv);
	digest_end(&s, name);
}

void
forecast_find(struct forecast *f, const struct graph *g, const struct digest *name)
{
	struct forecast_key k = key_of(name);
	size_t len = 0;
	const void *at = graph_find(g, &k, sizeof(k), &len);

	*f = (struct forecast){.count = 0};
	if (at != NULL && len == sizeof(*f))
		memcpy(f, at, sizeof(*f));
	if (f->count == 0 || f->count > FORECAST_WEIGHT || f->mean_us > MOST_US)
		*f = (struct forecast){.count = 0};
}

void
forecast_keep(const struct forecast *f, struct graph *g, const struct digest *name)
{
	struct forecast_key k = key_of(name);

	(void)!graph_add(g, &k, sizeof(k), f, sizeof(*f));
}

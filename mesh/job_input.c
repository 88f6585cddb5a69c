#include "mesh/job_input.h"

#include <sys/mman.h>
#include <unistd.h>
#include "mesh/files.h"
#include "mesh/wire.h"

int
job_stream_begin(struct job_stream *s, uint64_t max)
{
	s->fd = memfd_create("icemesh-input", MFD_CLOEXEC);
	if (s->fd < 0)
		return IM_ERR_SYSTEM;
	s->size = 0;
	s->max = max;
	digest_begin(&s->digest);
	return 0;
}

int
job_stream_block(struct job_stream *s, const uint8_t *body, size_t len)
{
	uint8_t raw[WIRE_BLOCK_MAX];
	size_t n;
	int err = wire_block_decode(body, len, raw, &n);
	if (err < 0)
		return err;
	if (n > s->max - s->size)
		return IM_ERR_LIMIT;
	err = files_write_all(s->fd, raw, n);
	if (err < 0)
		return err;
	s->size += n;
	digest_add(&s->digest, raw, n);
	return 0;
}

int
job_stream_end(struct job_stream *s, const struct digest *d, uint64_t size)
{
	struct digest got;
	digest_end(&s->digest, &got);
	if (size != s->size || !digest_equal(&got, d))
		return IM_ERR_DIGEST;
	return lseek(s->fd, 0, SEEK_SET) < 0 ? IM_ERR_SYSTEM : 0;
}

/* findings_next(): the records that it takes, noted again, are the very same bytes. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "exec/findings.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data, *path;
	enum finding what;
	size_t at = 0, before = 0;
	struct buf b;

	while (findings_next(bytes, size, &at, &what, &path) == 1) {
		if (at <= before || at > size || path <= bytes + before || path >= bytes + at)
			abort();
		buf_init(&b, size + 2); /* an overflow always has room */
		findings_add(&b, what, path);
		if (b.len != at - before || memcmp(b.data, data + before, b.len) != 0)
			abort();
		buf_fini(&b);
		before = at;
	}
	if (at != before)
		abort();
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static const char text[] = "m/usr/include/a.h\0x/p/b.o\0o\0m/c";

	if (i > 0)
		return 0;
	memcpy(out, text, sizeof(text));
	return sizeof(text);
}

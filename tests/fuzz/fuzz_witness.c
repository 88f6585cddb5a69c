/* witness_check(): any bytes are judged without harm. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "exec/witness.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char changed[64] = "";
	int r = witness_check(data, size, changed, sizeof(changed));

	if ((r == IM_ERR_ABSENT) != (changed[0] != '\0'))
		abort();
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static const struct witness_file files[] = {{"/proc/self/exe", 1}, {"/", 0}};
	struct buf b;
	size_t len;

	if (i > 0)
		return 0;
	buf_init(&b, FUZZ_SAMPLE_MAX);
	if (witness_make(files, 2, &b) != 0)
		abort();
	len = b.len;
	memcpy(out, b.data, len);
	buf_fini(&b);
	return len;
}

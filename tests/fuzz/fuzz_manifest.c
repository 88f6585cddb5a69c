/* manifest_parse(): what it takes must print as the very same bytes, but for the order of its header lines. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "exec/job.h"
#include "exec/manifest.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest m, again;
	struct buf b;
	char why[256];

	if (manifest_parse(&m, data, size, why) != 0)
		return 0;
	for (uint32_t i = 0; i < m.n; i++) {
		if (!job_path_ok(m.entries[i].path) ||
		        (m.entries[i].kind == MANIFEST_LINK) != (m.entries[i].target != NULL))
			abort();
	}
	buf_init(&b, 4 * MANIFEST_LEN_MAX);
	if (manifest_print(&m, &b) != 0 || b.len != size ||
	        manifest_parse(&again, b.data, b.len, why) != 0 || again.n != m.n ||
	        again.bytes != m.bytes)
		abort();
	manifest_fini(&again);
	manifest_fini(&m);
	buf_fini(&b);
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static const char text[] =
	        "icemesh-toolchain 1\nplatform x86_64\ntarget x86_64-linux-gnu\ndriver "
	        "/usr/bin/gcc\n"
	        "version gcc 12\nlibrary-path /opt/lib\n\nd 0755 0 - /a\nl 0777 0 - /bin usr/bin\n"
	        "f 0755 5 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff "
	        "/usr/bin/gc%20c\n";

	if (i > 0)
		return 0;
	memcpy(out, text, sizeof(text) - 1);
	return sizeof(text) - 1;
}

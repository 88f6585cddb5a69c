/*
 * A configuration file of any content: a refusal always has a cause, and what is taken stays
 * within its fields.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "mesh/config.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config c;
	char why[256] = "";

	if (size > CONFIG_FILE_MAX)
		return 0;
	config_defaults(&c, CONFIG_SYSTEM);
	if (config_parse(&c, (const char *)data, size, why, sizeof(why)) && !why[0])
		abort();
	if (strlen(c.name) >= sizeof(c.name) || strlen(c.socket) >= PLACE_SOCKET_SIZE ||
	        c.sandbox_min < 1 || c.sandbox_min > 3 || c.audit_permille > 1000 || !c.cc[0])
		abort();
	return 0;
}

/* A file with every kind of value. */
size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static const char text[] =
	        "# sample\nname = box\nslots = 4\nlisten = [::]:9777\ngroup = off\n"
	        "state_dir = ~/s\nstore_size = 5G\nsocket = /run/s.sock\nsocket_mode = 0600\n"
	        "lend = ac\njob_time = 15m\nsandbox_min = L2\nspares = quorum\naudit = 0.5 %\ncc = "
	        "gcc\n";

	if (i)
		return 0;
	memcpy(out, text, sizeof(text) - 1);
	return sizeof(text) - 1;
}

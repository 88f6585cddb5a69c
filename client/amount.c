#include "client/amount.h"

#include <inttypes.h>
#include <stdio.h>

void
amount_bytes(uint64_t bytes, char out[AMOUNT_SIZE])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	unsigned unit = 0;
	uint64_t rest = 0;

	if (bytes < 1024) {
		snprintf(out, AMOUNT_SIZE, "%" PRIu64 " B", bytes);
		return;
	}
	while (bytes >= 1024) {
		rest = bytes % 1024;
		bytes /= 1024;
		unit++;
	}
	snprintf(out, AMOUNT_SIZE, "%" PRIu64 ".%" PRIu64 " %s", bytes, rest * 10 / 1024,
	        units[unit]);
}

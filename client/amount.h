/*
 * Numbers for people: sizes in bytes and counts per second, short enough for a table.
 */
#ifndef CLIENT_AMOUNT_H
#define CLIENT_AMOUNT_H

#include <stdint.h>

#define AMOUNT_SIZE 24

/* "512 B", "3.4 KiB", "5.0 GiB". */
void amount_bytes(uint64_t bytes, char out[AMOUNT_SIZE]);

#endif

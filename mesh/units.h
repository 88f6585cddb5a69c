/*
 * Values as people write them in the configuration and in options: numbers, sizes, times, per
 * cent, modes, words. Each takes the whole text or nothing; no sign, no blanks (but before a
 * %), no locale.
 */
#ifndef MESH_UNITS_H
#define MESH_UNITS_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/err.h"

/* A decimal number of at most max. IM_ERR_FORMAT, as for all of these. */
int parse_number(uint64_t *out, const char *text, uint64_t max) IM_MUST;
/* "4G", "512M", "64k", "100": bytes, with powers of 1024. */
int parse_size(uint64_t *bytes, const char *text) IM_MUST;
/* "90s", "15m", "24h", "7d", "30" (seconds). */
int parse_duration(unsigned *seconds, const char *text) IM_MUST;
/* "1 %", "1%", "0.5 %", "1": per cent with at most one decimal, up to 100. */
int parse_percent(unsigned *permille, const char *text) IM_MUST;
/* "0666": at most five octal digits. */
int parse_octal(unsigned *mode, const char *text) IM_MUST;
/* The index of the word among the space-separated choices, or -1. */
int parse_choice(const char *choices, const char *word) IM_MUST;
/* True for host:port or [IPv6]:port with a port up to 65535; what the host is, whoever resolves
 * it decides. */
bool is_address(const char *text);

#endif

/*
 * Text from peers, made fit for a terminal: no control characters of any kind (ASCII, C1), no invalid UTF-8, no invisible or
 * direction-changing code points that would let a name look like another one.
 *
 * The decoders refuse ASCII control characters already; this is the second check, at the place where text goes out.
 */
#ifndef CLIENT_PRINTABLE_H
#define CLIENT_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "crypto/buf.h"

/* Decodes one code point of a NUL-terminated text; returns its length in bytes, or 0 when the bytes there are not UTF-8. */
size_t utf8_next(const char *text, uint32_t *code);
/* True when the code point may go to a terminal as it is. */
bool utf8_printable(uint32_t code);
/* Columns that the text takes once cleaned. */
size_t text_width(const char *text);
/* Appends the text with '?' for everything that may not go out, cut to at most `columns` columns. */
void text_clean(struct buf *out, const char *text, size_t columns);

#endif

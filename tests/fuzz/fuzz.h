/*
 * What a fuzz target offers: the entry point that libFuzzer calls, and valid samples to begin with.
 *
 * With clang, `-fsanitize=fuzzer` brings the main program; without it, standalone.c does, with
 * plain random mutations.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_SAMPLE_MAX 8192

/* Decodes the bytes; always 0. Aborts when an invariant of the decoder does not hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Writes sample number i into out (FUZZ_SAMPLE_MAX bytes); its length, 0 when there are no more. */
size_t fuzz_sample(unsigned i, uint8_t *out);

#endif

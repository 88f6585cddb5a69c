/*
 * Accounts of compiles as a daemon answers WHY with them, for the tests of `icemesh why`.
 */
#ifndef TESTS_FAKE_HISTORY_H
#define TESTS_FAKE_HISTORY_H

#include <stdint.h>
#include "mesh/history.h"

#define FAKE_REMOTE 0 /* places in fake_accounts */
#define FAKE_FALLBACK 2

static const struct node_id fake_node = {{0xab, 0xcd}};

/* Told at 1000 s, 1001 s... */
static const struct account fake_accounts[] = {
        {.verdict = VERDICT_REMOTE,
                .text = "gone: the connection broke",
                .file = "/src/a/main.c",
                .output = "/src/a/main.o",
                .mode = "source",
                .node = &fake_node,
                .peer = "box",
                .job = 31,
                .exit = 1,
                .bytes_out = 2048,
                .bytes_in = 12,
                .ms = {1, 2, 3, 4, 50, 6, 66},
                .retries = 1},
        {.verdict = VERDICT_LOCAL,
                .reason = "option -fplugin=",
                .file = "/src/b/main.c",
                .output = "/src/b/main.o",
                .exit = -1,
                .ms = {.total = 7}},
        {.verdict = VERDICT_FALLBACK,
                .reason = "peer-lost",
                .text = "box: no answer",
                .file = "/src/b/\033[31mred.c",
                .output = "/src/b/red.o",
                .mode = "preprocessed",
                .node = &fake_node,
                .peer = "box",
                .exit = -1,
                .ms = {.total = 900},
                .retries = 2},
        {.verdict = VERDICT_LOCAL, .reason = "option -specs=", .file = "/src/c.c", .exit = -1},
        {.verdict = VERDICT_LOCAL, .reason = "new-word of a later version", .exit = -1},
};
#define FAKE_ACCOUNTS (sizeof fake_accounts / sizeof fake_accounts[0])

static inline void
fake_history(struct buf *out)
{
	struct history *h = history_new();

	for (size_t i = 0; h != NULL && i < FAKE_ACCOUNTS; i++)
		history_add(h, 1000, (1000 + i) * 1000, &fake_accounts[i]);
	history_encode(h, 1000, out);
	history_free(h);
}

#endif

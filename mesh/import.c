#include "mesh/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/sign.h"
#include "exec/toolchain.h"
#include "mesh/files.h"
#include "mesh/identity.h"
#include "mesh/room.h"
#include "mesh/store.h"

#define PIECE (256 * 1024)
#define PIECES_AT_A_TIME 8 /* then other work gets its turn */

struct import {
	struct node *node;
	int fd;
	struct store_file *file;
	struct timer *step;
	import_done done;
	void *arg;
	uint8_t *piece;
};

void
import_cancel(struct import *i)
{
	if (!i)
		return;
	timer_free(i->step);
	store_file_drop(i->file);
	close(i->fd);
	free(i->piece);
	free(i);
}

static void
end(struct import *i, int err, const struct digest *d, const char *sig, const char *why)
{
	import_done done = i->done;
	void *arg = i->arg;
	import_cancel(i);
	done(arg, err, d, sig, why);
}

/* Everything is in the file: name it, sign it, keep it. */
static void
finish(struct import *i)
{
	const struct conn_identity *id = identity_conn(i->node->identity);
	struct digest d;
	uint64_t size;
	uint8_t prehash[PREHASH_LEN];
	struct buf text;
	char sig[SIGN_TEXT_MAX] = "", why[256] = "";
	store_file_sum(i->file, &d, &size, prehash);
	buf_init(&text, SIGN_TEXT_MAX - 1);
	int err = sign_make(id->key, id->cert, id->cert_len, &d, size, prehash, &text);
	const char *s = err == 0 ? buf_text(&text) : NULL;
	if (s)
		snprintf(sig, sizeof sig, "%s", s);
	else if (err == 0)
		err = IM_ERR_MEMORY;
	buf_fini(&text);
	if (err < 0) {
		snprintf(why, sizeof why, "the toolchain cannot be signed: %s", im_strerror(err));
	} else {
		err = store_file_keep(i->file, &d, sig);
		i->file = NULL;
		if (err < 0)
			snprintf(why, sizeof why, "the toolchain cannot be stored: %s",
			        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
	}
	end(i, err, &d, sig, why);
}

static void
on_step(void *arg)
{
	struct import *i = arg;
	for (int k = 0; k < PIECES_AT_A_TIME; k++) {
		ssize_t n = read(i->fd, i->piece, PIECE);
		if (n == 0) {
			finish(i);
			return;
		}
		int err = n < 0 ? IM_ERR_SYSTEM : store_file_add(i->file, i->piece, (size_t)n);
		if (err < 0) {
			char why[256];
			snprintf(why, sizeof why,
			        "the toolchain cannot be copied into the store: %s",
			        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
			end(i, err, NULL, NULL, why);
			return;
		}
	}
	timer_set(i->step, 0);
}

/* A pipe or a user's own file system could hold up the whole daemon. */
static bool
reads_at_once(int fd, uid_t uid)
{
	struct stat st;
	if (files_prompt(fd))
		return true;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (uid == 0 || uid == geteuid());
}

struct import *
import_begin(struct node *n, uid_t uid, int fd, import_done done, void *arg, char *why)
{
	struct import *i = NULL;
	struct stat st = {0};
	if (!identity_cert(n->identity))
		snprintf(why, 256,
		        "this node has no certificate and cannot sign: 'icemesh init' or 'icemesh "
		        "join TOKEN' first");
	else if (!reads_at_once(fd, uid))
		snprintf(why, 256, "the toolchain must be passed as a file in memory");
	else if (fstat(fd, &st) < 0 || (uint64_t)st.st_size > TOOLCHAIN_PACKED_MAX)
		snprintf(why, 256, "the toolchain is larger than any may be");
	else if (room_make(n, (uint64_t)st.st_size, NULL) < 0)
		snprintf(why, 256, "store_size leaves no room for a toolchain of %llu bytes",
		        (unsigned long long)st.st_size);
	else if (!(i = calloc(1, sizeof *i)) || !(i->piece = malloc(PIECE)) ||
	         !(i->step = timer_new(n->loop, on_step, i)))
		snprintf(why, 256, "out of memory");
	else if (!(i->file = store_file_new(n->store, (uint64_t)st.st_size)))
		snprintf(why, 256, "no room in the store: %s", strerror(errno));
	else if (lseek(fd, 0, SEEK_SET) < 0)
		snprintf(why, 256, "the toolchain's file cannot be read: %s", strerror(errno));
	else {
		i->node = n;
		i->fd = fd;
		i->done = done;
		i->arg = arg;
		timer_set(i->step, 0);
		return i;
	}
	if (i) {
		timer_free(i->step);
		store_file_drop(i->file);
		free(i->piece);
		free(i);
	}
	close(fd);
	return NULL;
}

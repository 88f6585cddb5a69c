/*
 * Configuration: `key = value` lines from files, -o options and, for the wrapper, ICEMESH_*
 * variables; the keys are those of icemesh.conf(5).  Later sources win: defaults,
 * /etc/icemesh/icemesh.conf, ~/.config/icemesh/icemesh.conf, environment, options. Used by the
 * daemon and, read-only, by the clients; it opens no sockets and makes no folders.
 */
#ifndef MESH_CONFIG_H
#define MESH_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "crypto/err.h"
#include "mesh/places.h"
#include "mesh/units.h"

#define CONFIG_VALUE_SIZE PLACE_SIZE
#define CONFIG_FILE_MAX (64 * 1024)

enum remote_mode { REMOTE_AUTO, REMOTE_NEVER, REMOTE_ONLY };
enum lend_mode { LEND_ALWAYS, LEND_IDLE, LEND_AC, LEND_NEVER };
enum input_mode { INPUT_AUTO, INPUT_SOURCE, INPUT_PREPROCESSED };

struct config {
	/* daemon */
	char name[CONFIG_VALUE_SIZE];
	unsigned slots, local_slots;
	int nice;
	char listen[CONFIG_VALUE_SIZE], group[CONFIG_VALUE_SIZE], group6[CONFIG_VALUE_SIZE];
	char interfaces[CONFIG_VALUE_SIZE], seeds[CONFIG_VALUE_SIZE];
	char state_dir[CONFIG_VALUE_SIZE], store_dir[CONFIG_VALUE_SIZE];
	uint64_t store_size;            /* bytes */
	char socket[CONFIG_VALUE_SIZE]; /* empty: the user's, then the system's */
	unsigned socket_mode;
	enum lend_mode lend;
	uint64_t job_memory, job_output; /* bytes */
	unsigned job_time_s;
	unsigned sandbox_min; /* 1 to 3 */
	bool spares_quorum;
	unsigned audit_permille;
	/* wrapper */
	enum remote_mode remote;
	enum input_mode mode;
	char cc[CONFIG_VALUE_SIZE], cxx[CONFIG_VALUE_SIZE], toolchain[CONFIG_VALUE_SIZE];
	char peer[CONFIG_VALUE_SIZE], trace[CONFIG_VALUE_SIZE];
};

/* Which defaults for folders and sockets hold: root's system-wide ones, or the user's own. */
enum config_scope { CONFIG_SYSTEM, CONFIG_USER };

/* The scope of this process: system when it is root with the whole range of user ids mapped. */
enum config_scope config_scope(void);
/* Fills in every default (cores from sched_getaffinity; name from gethostname). */
void config_defaults(struct config *c, enum config_scope scope);
/* Sets one key; on error why (at least 256 bytes) receives the cause with what to write instead.
 * IM_ERR_FORMAT, IM_ERR_ABSENT (unknown key). */
int config_set(
        struct config *c, const char *key, const char *value, char *why, size_t why_size) IM_MUST;
/* Takes the text of a file: `key = value`, `#` comments at the start of a line or after white
 * space, last value wins. Stops at the first bad line, whose number goes into why ("3: cause").
 * */
int config_parse(
        struct config *c, const char *text, size_t len, char *why, size_t why_size) IM_MUST;
/* Reads a file; a missing one is IM_ERR_ABSENT.  why receives "FILE:LINE: cause". An unknown key
 * is an error. */
int config_read(struct config *c, const char *path, char *why, size_t why_size) IM_MUST;
/* What every program does at its start: defaults, then ICEMESH_CONFIG (which must exist) or the
 * two standard files (missing ones are fine), then ICEMESH_ and REMOTE, CC, CXX, TOOLCHAIN, PEER,
 * MODE, SPARES, TRACE or SOCKET; empty variables are ignored. In user scope the folders are
 * $XDG_STATE_HOME/icemesh and $XDG_CACHE_HOME/icemesh, the file is
 * $XDG_CONFIG_HOME/icemesh/icemesh.conf, each with its usual place below $HOME; relative XDG_
 * values are ignored. */
int config_load(struct config *c, enum config_scope scope, char *why, size_t why_size) IM_MUST;
/* Control sockets for a client to try, in order, as NUL-terminated texts in
 * out[2][CONFIG_VALUE_SIZE]; returns how many: the one that is set, else the user's and the
 * system's. The user's is $XDG_RUNTIME_DIR/icemesh.sock or, without it, /tmp/icemesh-
 * UID/icemesh.sock, listed only while that folder is ours and closed to others. */
int config_sockets(const struct config *c, char out[2][CONFIG_VALUE_SIZE]);
/* The control socket that a daemon of this scope makes (its folder may be missing). */
void config_own_socket(
        const struct config *c, enum config_scope scope, char out[CONFIG_VALUE_SIZE]);
/* The keys, for documentation tests: name of key i, NULL at the end. */
const char *config_key(unsigned i);

#endif

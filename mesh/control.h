/*
 * The control protocol on the daemon's socket: AF_UNIX, SOCK_SEQPACKET, one message a packet: type byte, then a packet map
 * (crypto/packet.h); at most one descriptor rides along.  Spoken by icemesh-cc (compiles) and icemesh (people).
 * The daemon knows the caller's uid from SO_PEERCRED: what changes the mesh (INIT to LEAVE) or what it lends (PAUSE, RESUME) is for root and the daemon's own user.
 *
 * A compile:
 *   COMPILER {1: path of the compiler as found in PATH}
 *     -> TOOLCHAIN {1: digest, 2: witness} + fd of the user's include graph (mesh/graphs.h), once for each connection; may be absent
 *                                            known for this user: check the witness (exec/witness.h); when it changed, pack anew
 *     -> PACK {}                             unknown: this wrapper packs it (icemesh-exec pack) and sends IMPORT; others wait meanwhile
 *     -> LOCAL {1: reason word, 2: text}     no mesh, no peer...
 *   IMPORT {1: path, 2: witness, 3: replace (bool)} + fd of the tar.lz4   -> TOOLCHAIN {1: digest, 2: witness, 3: signature text} + graph | ERROR
 *   PACKING {1: path}: the witness changed, this wrapper packs anew -> PACK | TOOLCHAIN (another did it meanwhile)
 *   WANT {1: toolchain digest, 2: job id, 3: peer name or id or absent, 4: array of node ids to avoid, 5: predicted ms at ordinary speed, absent when
 *         nothing is known}
 *     -> GRANT {1: channel state, 2: node id, 3: peer's name, 4: lease ms, 5: 1 for a second copy of the compile that the wrapper has at another
 *         peer, else 0 or absent} + fd; the former comes unasked for, at any time: what cannot be used is closed without a word
 *     -> BUSY {1: 1 while no peer has the toolchain yet and it is on its way, else 0}: keep waiting (a GRANT or LOCAL follows) or go local
 *     -> LOCAL {1: reason word, 2: text}
 *   RETURN {1: channel state, 2: node id} + fd                the channel, idle again; no answer
 *   REPORT {1: verdict (0 remote, 1 local, 2 fallback), 2: reason, 3: node id or absent, 4: outcome (0 fine, 1 peer lost, 2 job failed there),
 *           5: retries, 6: total ms, 64: the cause in words, at most CONTROL_CAUSE_SIZE - 1 bytes, 65: source, 66: output (bytes of their names),
 *           67: mode, 68: the peer's name, 69: toolchain digest, 70: job id, 71: exit status, 72: bytes sent, 73: bytes received,
 *           74: array of ms: plan, lease, send, queue, compile, receive, 75: 1 when a second copy ran (with an outcome of 1 or 2: it goes on)}; keys from 64 on may be absent (mesh/account.h)    no answer
 *   GRAPH {}: the include graph is full or of no use                             no answer
 * Closing the connection withdraws everything that is open on it.
 *
 * Commands: each is answered by OK (body as said) or ERROR {1: text}.
 *   INIT {1: mesh name}                                -> {1: mesh name, 2: mesh id bytes, 3: node name}
 *   INVITE {1: roles, 2: uses, 3: seconds}             -> {1: token text}
 *   JOIN {1: token text, absent for a spare, 2: seed "host:port", absent} -> {1: mesh name, 2: mesh id bytes, 3: node name, 4: trust word,
 *          5: peers seen} once the node is a member and has heard its peers
 *   LEAVE {}                                           -> {}
 *   PEERS {}                                           -> {} + memfd with a packet {1: array of peers}
 *        peer {1: id text, 2: name, 3: 1 if this node, 4: trust word, 5: state word, 6: address, 7: platform, 8: slots, 9: used, 10: queued,
 *              11: speed percent, 12: load permille, 13: array of toolchain tags (numbers), 14: sandbox level, 15: age ms, 16: rtt us, 17: version}
 *   STATUS {}                                          -> {} + memfd with a packet:
 *        {1: array of one peer (this node), 2: mesh {1: name, 2: id text, 3: nodes, 4: slots, 5: free}, 3: submitted {1: remote, 2: local, 3: fallback, 4: retried,
 *         5: hedged, 6: failed, 7: array of {1: reason, 2: count}}, 4: served {1: done, 2: running, 3: refused, 4: killed, 5: array of {1: peer name, 2: count},
 *         6: bytes of inputs fetched from members, 7: lent to members}, 5: gossip {1: received/s x100, 2: sent/s x100, 3: bad, 4: bytes/s}, 6: store {1: bytes, 2: limit, 3: blobs, 4: toolchains},
 *         7: array of problems {1: what, 2: remedy}}
 *   TOOLCHAINS {}                                      -> {} + memfd with a packet {1: array of {1: digest, 2: size, 3: signer name, 4: compiler path or absent,
 *         5: uid or absent, 6: seconds since last use, 7: this node can run it (0/1), 8: signer's node id text}}
 *   WHY {}                                             -> {} + memfd with a packet {1: array, oldest first, of {1: told, ms since 1970, 2: uid,
 *        3: bytes of the REPORT's packet}}: the last compiles of the asker, for root of everybody
 *   PAUSE {1: seconds, absent: until RESUME}           -> {} no new jobs of others are taken; those that are here go on
 *   RESUME {}                                          -> {}
 *   ROOT {}                                            -> {1: root public key, 2: mesh name}: what `toolchain verify` checks against
 */
#ifndef MESH_CONTROL_H
#define MESH_CONTROL_H

#include "crypto/buf.h"

#define CONTROL_LEN_MAX (160 * 1024)
#define CONTROL_CAUSE_SIZE 256
#define CONTROL_BODY_MAX (64ULL << 20) /* a memfd answer */

enum control_type {
	CONTROL_COMPILER = 1,
	CONTROL_IMPORT = 2,
	CONTROL_PACKING = 3,
	CONTROL_WANT = 4,
	CONTROL_RETURN = 5,
	CONTROL_REPORT = 6,
	CONTROL_GRAPH = 7,
	CONTROL_INIT = 20,
	CONTROL_INVITE = 21,
	CONTROL_JOIN = 22,
	CONTROL_LEAVE = 23,
	CONTROL_PEERS = 24,
	CONTROL_STATUS = 25,
	CONTROL_TOOLCHAINS = 26,
	CONTROL_ROOT = 27,
	CONTROL_WHY = 28,
	CONTROL_PAUSE = 29,
	CONTROL_RESUME = 30,
	/* from the daemon */
	CONTROL_OK = 64,
	CONTROL_ERROR = 65,
	CONTROL_TOOLCHAIN = 66,
	CONTROL_PACK = 67,
	CONTROL_LOCAL = 68,
	CONTROL_GRANT = 69,
	CONTROL_BUSY = 70
};

/* Connects to a control socket. IM_ERR_ABSENT (nothing listens), IM_ERR_SYSTEM. Never blocks for long. */
int control_connect(const char *path, int *fd) IM_MUST;
/* Sends one message: type, body (may be empty), pass_fd (-1: none). IM_ERR_CLOSED, IM_ERR_SYSTEM, IM_ERR_LIMIT. */
int control_send(int fd, uint8_t type, const struct buf *body, int pass_fd) IM_MUST;
/* Receives one message: *type, body (reset first; initialised with CONTROL_LEN_MAX), *got_fd (-1: none; close-on-exec, now the caller's).
 * On a non-blocking fd IM_ERR_SYSTEM with EAGAIN. IM_ERR_CLOSED at the end. */
int control_recv(int fd, uint8_t *type, struct buf *body, int *got_fd) IM_MUST;

#endif

/*
 * Local slots: at most N preprocessors, local compiles and links at one time, with or without a
 * daemon, whatever -j.
 *
 * A slot is a file in a folder, held by flock(); the kernel gives it back when its holder ends
 * in whatever way.  The descriptor survives exec, so a compiler started by execve holds its slot
 * to its own end.  Files are only ever read, never written, so that build sandboxes which forbid
 * writes do not object.  Waiters queue at one more lock; only the first of them polls the slots, the
 * others look every two seconds, lest a first one that was stopped (Ctrl-Z) holds them all up.
 *
 * Beside another job none starts while less than 15 % of memory is available (client/memory.h): when
 * other programs take it all, builds go on one job at a time.  One job may always run.
 *
 * Who shares: everybody, where /run/lock/icemesh-slots or /tmp/icemesh-slots belongs to root and
 * only root can write into it (flock needs no right to write); root makes the one in /tmp on
 * first use.  Otherwise the processes of one user, in icemesh-slots-UID of /tmp, or of /var/tmp
 * or /dev/shm when that one cannot be had: a folder that
 * another user made or could alter is never used, since he could take all slots away for good.
 *
 * Who shares may differ in n: a taker uses slots 0 to n - 1, fewer when root made fewer of them and
 * he cannot add to them.  So never more run than the largest n allows, and nobody starts one while
 * his own n are taken by whomever.  A job that runs when n is lowered keeps its slot to its end.
 */
#ifndef CLIENT_LOCAL_H
#define CLIENT_LOCAL_H

#include "crypto/err.h"

#define LOCAL_SLOTS_MAX 4096 /* as in icemesh.conf(5) */
/* The slot's descriptor is this one or the next ones, where the limit allows: smaller numbers belong to the compiler and to
 * whoever tells it numbers, as make does in --jobserver-auth=3,4. */
#define LOCAL_SLOT_FD 100

/* Waits for one of n slots (1 to LOCAL_SLOTS_MAX) and gives its descriptor, which is inherited
 * over exec.  folder NULL: the machine's; a given one must belong to root or this user, not be
 * writable by others, and exist or be creatable; it stands for a machine of its own, whose memory is
 * read below it, too.  Blocks without a limit; signals do not end it.
 * IM_ERR_SYSTEM, IM_ERR_REFUSED (no folder can be trusted), IM_ERR_LIMIT (n). */
int local_slot_take(const char *folder, unsigned n, int *fd) IM_MUST;
/* The same without waiting: IM_ERR_ABSENT when none is free, others already wait or memory is short. */
int local_slot_try(const char *folder, unsigned n, int *fd) IM_MUST;
/* Gives the slot back at once, also when a child still holds a copy of the descriptor. */
void local_slot_give(int fd);

#endif

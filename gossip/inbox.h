/*
 * What comes in: the checks that a beacon must pass, and what an accepted one changes.
 *
 * The order of the checks is from cheap to dear: form, mesh, replay, then, as far as the budget goes
 * (gossip/waiting.h), signature and certificate.  A certificate is checked once and remembered by
 * its digest until it ends.
 *
 * Who can do what: a stranger can replay (refused by the sequence), send noise (refused at its
 * first bytes), forge beacons of members from an address that is not theirs (at once in the share of
 * that address, where forgeries make it wait) or, on the same wire, with theirs: then news of these
 * members come late, and their silence is not held against them.  He can make keys and be a spare as
 * often as the budget and the table let him.  A MAC with a key from the mesh's id would not help:
 * the id is in every beacon.  A member can lie about itself only.
 */
#ifndef GOSSIP_INBOX_H
#define GOSSIP_INBOX_H

#include "gossip/state.h"

/* Signatures checked a second: of members' beacons when somebody wants to know, and otherwise; and of newcomers' (of which each may
 * bring a certificate to be checked as well). */
#define INBOX_KNOWN_PER_S 60
#define INBOX_KNOWN_BURST 120
#define INBOX_LOOKED_PER_S 45 /* of these, for who looks at one member after the other */
#define INBOX_UNASKED_PER_S 4
#define INBOX_UNASKED_BURST 40
#define INBOX_FRESH_PER_S 40
#define INBOX_FRESH_BURST 1024

/* As gossip_receive(). */
int inbox_receive(struct gossip *g, const struct arrival *a) IM_MUST;
/* Checks what e's waiter holds if the budget allows it: somebody wants to know. */
void inbox_look(struct gossip *g, struct entry *e, uint64_t now_ms);
/* Checks newcomers that wait. */
void inbox_tick(struct gossip *g, uint64_t now_ms);
/* When inbox_tick() has something to do. */
uint64_t inbox_deadline(const struct gossip *g);

#endif

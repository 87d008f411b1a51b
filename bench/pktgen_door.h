/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_DOOR_H
#define SP_BENCH_PKTGEN_DOOR_H

#include <stdbool.h>

#include "bench/pktgen_ask.h"

/* How requests get to the relay: ng over one UDP socket, or HTTP with a
   connection for each request that may be under way. One door a process. */

#define PKTGEN_DOOR_SLOTS 32u /* requests under way */

/* Open it: "10.0.0.1:2223", from the network namespace at @netns or, if it is
   NULL, from here. Ends the process if that can't be. */
void pktgen_door_open(bool http, const char *address, const char *netns);
void pktgen_door_close(void);

/* Does the door see to it that a request arrives? */
bool pktgen_door_is_sure(void);

/* Put a request on its way. */
void pktgen_door_send(unsigned int slot, const struct pktgen_ask *ask);

/* Wait for a reply, not for long. */
void pktgen_door_wait(void);

/*
 * Take a reply, if one is there: its slot, PKTGEN_DOOR_SLOTS if the reply says
 * itself what it is of, or -1. @text is borrowed until the next call.
 */
int pktgen_door_receive(struct pktgen_said *out, const char **text);

#endif

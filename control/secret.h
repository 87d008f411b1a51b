/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_SECRET_H
#define SP_CONTROL_SECRET_H

/*
 * Requests and replies carry SDP, and SDP carries keys (a=crypto): memory
 * that held one is overwritten before it is somebody else's. Core: control.
 */

/* Overwrite a block of malloc()'s, to the end of its room, and free it. */
void sp_secret_free(void *memory); /* takes NULL */

#endif

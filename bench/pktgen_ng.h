/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_NG_H
#define SP_BENCH_PKTGEN_NG_H

#include <stdbool.h>
#include <stddef.h>

/* The ng protocol over UDP: what both relays speak. One socket a process. */

#define PKTGEN_NG_MAX 16384u /* bytes of a reply, with a NUL */

/* A request that grows; ends the process when it is too long. */
struct pktgen_ng_text {
	char *at;
	size_t size;
	size_t len;
};

/* Append as it is; as a string; or a key and its string. */
__attribute__((format(printf, 2, 3))) void pktgen_ng_printf(
	struct pktgen_ng_text *t, const char *format, ...);
void pktgen_ng_string(struct pktgen_ng_text *t, const char *value);
void pktgen_ng_pair(
	struct pktgen_ng_text *t, const char *key, const char *value);

/* Connect to "10.0.0.1:2223", from the network namespace at @netns or, if it
   is NULL, from here. False: errno says why. */
bool pktgen_ng_open(const char *address, const char *netns);
void pktgen_ng_close(void);

void pktgen_ng_send(const char *text, size_t len);

/* Wait for a reply, not for long. */
void pktgen_ng_wait(void);

/* Take a reply, if one is there: its length, or 0. */
size_t pktgen_ng_receive(char reply[PKTGEN_NG_MAX]);

/* Find the string behind @key, which is written as "3:sdp"; NULL: none. */
const char *pktgen_ng_find(
	const char *reply, size_t len, const char *key, size_t *out_len);

#endif

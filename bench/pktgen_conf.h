/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_CONF_H
#define SP_BENCH_PKTGEN_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "relay/addr.h"

/* What the command line says; sides are A and B. */
struct pktgen_conf {
	const char *device[2]; /* of DPDK; the second may be NULL */
	const char *cpu;       /* where to run; NULL: anywhere */
	const char *ng;        /* ADDRESS:PORT of the relay, or */
	const char *http;      /* that; both NULL: no relay, A to B */
	const char *token;     /* of @http; NULL: none */
	const char *netns;     /* path of where that is; NULL: here */
	const char *realm[2];
	struct sp_addr first[2];   /* addresses count up from it */
	struct sp_addr gateway[2]; /* where to send; none: where the relay
				      says */
	uint8_t hop[2][6];         /* the MAC of that, if it was given */
	uint16_t vlan[2];          /* tag of a side's frames; 0: none */
	uint8_t suite[2];          /* enum sp_srtp_suite */
	uint32_t calls;
	uint32_t calls_an_ip;
	uint32_t payload; /* bytes after the RTP header */
	uint32_t ptime_ms;
	double rate; /* packets a second, both ways; 0: what ptime says */
	double seconds;
	double confirm_s;   /* of a search's last word */
	double least, most; /* rates of a search */
	double ring;        /* packets that rings hold */
	int watch;          /* the relay's process; 0: none is looked at */
	bool search;
	bool silent[2];   /* a side does not send RTP */
	bool fresh_calls; /* for each trial of a search */
	bool srtp_live;   /* protect while sending, not before */
	bool hugepages;
	bool json;
	double rtcp_s;     /* a stream's seconds from RTCP to RTCP; 0: none */
	double junk;       /* packets a second */
	unsigned int dtx;  /* per cent of streams' time that is silent */
	unsigned int dtmf; /* per mille of packets that are events */
	unsigned int memory_mb;
};

/* Read the command line; ends the process if it is wrong. */
void pktgen_conf_read(struct pktgen_conf *conf, int argc, char **argv);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_H
#define SP_BENCH_PKTGEN_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/pktgen_conf.h"
#include "bench/pktgen_hist.h"
#include "bench/pktgen_stream.h"

/*
 * The generator: calls between side A, which offers, and side B, which
 * answers. Both are ours, and the relay is between them. One thread sends,
 * receives and answers ARP.
 */

enum {
	PKTGEN_A,
	PKTGEN_B,
	PKTGEN_SIDES
};

struct pktgen_srtp;

struct pktgen {
	struct pktgen_conf conf;
	uint16_t port[PKTGEN_SIDES]; /* of DPDK; the same one twice if alone */
	uint8_t mac[PKTGEN_SIDES][6];
	struct rte_mempool *tx_pool;    /* zero but for a packet's head */
	struct rte_mempool *other_pool; /* for what is not such a packet */
	uint32_t n;                     /* streams: two a call, A's is even */
	struct pktgen_stream *stream;   /* what is sent */
	struct pktgen_heard *heard;     /* what arrived, by who sent it */
	struct pktgen_target *target;   /* where to */
	uint32_t *order;                /* who sends next: random */
	uint32_t *phase;                /* when, as share of a period; rising */
	uint32_t run;                   /* number of the trial */
	uint64_t event;                 /* of the trial: the next packet */
	struct pktgen_srtp *srtp;       /* NULL in the clear */
	struct pktgen_result *counted;  /* of the trial that is on, or NULL */
	double hz;                      /* of the TSC */
};

/* What one side's streams met with. */
struct pktgen_way {
	uint64_t sent;
	uint64_t refused;    /* by our own device: its ring was full */
	uint64_t received;   /* each once */
	uint64_t reordered;  /* arrived after a later one */
	uint64_t duplicated; /* arrived again */
	uint64_t wrong;      /* arrived at somebody else's */
	uint64_t forged;     /* does not open, or what opened is not ours */
	uint64_t rtcp_sent;
	uint64_t rtcp_received;
	struct pktgen_hist latency; /* ns */
};

/* One trial. */
struct pktgen_result {
	double asked;   /* packets a second, both ways */
	double offered; /* what it came to */
	double seconds;
	bool bound;     /* of a search: we could not send more; none was lost */
	double stalled; /* seconds that somebody else had our core */
	uint64_t strays; /* frames that are none of this trial's */
	uint64_t junk_sent;
	uint64_t junk_received;
	struct pktgen_way way[PKTGEN_SIDES]; /* by who sends */
};

/* Packets of both ways that did not arrive. */
uint64_t pktgen_lost(const struct pktgen_result *r);

/* Print @what and end the process. */
__attribute__((format(printf, 1, 2), noreturn)) void pktgen_die(
	const char *what, ...);

/* pktgen_port.c: start DPDK, open devices. */
void pktgen_ports_open(struct pktgen *g);
void pktgen_ports_close(struct pktgen *g);

/* pktgen_hop.c: answer whoever asks for our addresses. */
void pktgen_hop_take(struct pktgen *g, unsigned int side, const uint8_t *frame,
	uint32_t len);

/* Find the MAC of all targets, and put it into the streams. */
void pktgen_hop_resolve(struct pktgen *g);

/* pktgen_call.c: set calls up, end them. */
void pktgen_calls_open(struct pktgen *g);
void pktgen_calls_close(struct pktgen *g);

/* pktgen_receive.c: take what arrived at both sides. */
void pktgen_receive(struct pktgen *g);

/* pktgen_trial.c: send at @rate for @seconds, wait for the last. */
void pktgen_trial(
	struct pktgen *g, double rate, double seconds, struct pktgen_result *r);

/* pktgen_search.c: the highest rate of which nothing is lost. */
void pktgen_search(struct pktgen *g, struct pktgen_result *best);

/* pktgen_report.c */
void pktgen_report_head(void);
void pktgen_report_row(const struct pktgen_result *r);
void pktgen_report_table(const struct pktgen *g, const struct pktgen_result *r);
void pktgen_report_json(const struct pktgen *g, const char *mode,
	const struct pktgen_result *r);

#endif

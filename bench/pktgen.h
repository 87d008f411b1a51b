/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_BENCH_PKTGEN_H
#define SP_BENCH_PKTGEN_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/pktgen_conf.h"
#include "bench/pktgen_heard.h"
#include "bench/pktgen_hist.h"
#include "bench/pktgen_search.h"
#include "bench/pktgen_slice.h"
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

struct pktgen_six;
struct pktgen_srtp;
struct rte_mbuf;

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
	struct pktgen_six *six;         /* heads by stream; NULL: no IPv6 */
	uint32_t n_order;               /* those that send: all, or a side's */
	uint32_t *order;                /* who sends next: random */
	uint32_t *phase;                /* when, as share of a period; rising */
	uint64_t *sent;                 /* pktgen_stream_sent(), or NULL */
	uint64_t events;                /* of which it was time, ever */
	uint32_t run;                   /* number of the trial */
	struct pktgen_srtp *srtp;       /* NULL in the clear */
	uint64_t warm_received;         /* before trials: it does not count */
	double hz;                      /* of the TSC */

	/* Of the trial that is on. */
	struct pktgen_result *counted; /* NULL: none is */
	uint64_t start;                /* TSC */
	double slices_a_cycle;
	struct pktgen_slices slices;
	struct pktgen_hist now[PKTGEN_SIDES]; /* this slice's latencies, ns */
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
	struct pktgen_hist latency; /* ns, while nothing was taken away */
	struct pktgen_hist all;     /* ns, of all packets */
};

/* One trial. */
struct pktgen_result {
	double asked;   /* packets a second, both ways */
	double offered; /* what it came to */
	double seconds;
	double stalled;  /* seconds that somebody else had our core */
	double longest;  /* of them, in one piece */
	double taken;    /* seconds that the relay did not have its core */
	uint64_t due;    /* packets of which it was time: sent, or silence */
	uint64_t strays; /* frames that are none of this trial's */
	uint64_t junk_sent;
	uint64_t junk_received;
	struct pktgen_judged judged;
	enum pktgen_verdict verdict;
	struct pktgen_way way[PKTGEN_SIDES]; /* by who sends */
};

/* The slice of the trial that a time is in; of another trial's, any. */
static inline uint32_t
pktgen_slice_of(const struct pktgen *g, uint64_t tsc)
{
	return (uint32_t)(int64_t)((double)(int64_t)(tsc - g->start) *
		g->slices_a_cycle);
}

/* Packets of both ways that did not arrive. */
uint64_t pktgen_lost(const struct pktgen_result *r);

/* Print @what and end the process. */
__attribute__((format(printf, 1, 2), noreturn)) void pktgen_die(
	const char *what, ...);

/* Zeroed memory for good, on large pages if the kernel has them. */
void *pktgen_room(uint64_t n, size_t size);
void pktgen_room_end(void *room);

/* pktgen_port.c: start DPDK, open devices. */
void pktgen_ports_open(struct pktgen *g);
void pktgen_ports_close(struct pktgen *g);

/* Send @n frames of @side, tagged if that is to be; frees what is refused, and
   returns how many were not. */
uint16_t pktgen_port_send(
	struct pktgen *g, unsigned int side, struct rte_mbuf **m, uint16_t n);

/* pktgen_hop.c: answer whoever asks for our addresses. */
void pktgen_hop_take(struct pktgen *g, unsigned int side, const uint8_t *frame,
	uint32_t len);

/* Find the MAC of all targets, and put it into the streams. */
void pktgen_hop_resolve(struct pktgen *g);

/* pktgen_call.c: set calls up, end @n of them from @first on, or all. */
void pktgen_calls_open(struct pktgen *g);
void pktgen_calls_end(struct pktgen *g, uint32_t first, uint32_t n);
void pktgen_calls_close(struct pktgen *g);

/* pktgen_receive.c: take what arrived at both sides; returns how many. */
unsigned int pktgen_receive(struct pktgen *g);

/* pktgen_send.c: when who is to send. */
struct pktgen_schedule {
	double begun;  /* cycles: this period's */
	double period; /* cycles, in which each stream sends once */
	uint32_t at;   /* next of g->order and g->phase */
	uint64_t left;
};

/* Send what is due, a burst at the most; returns how many it was time of. */
unsigned int pktgen_send_due(
	struct pktgen *g, struct pktgen_schedule *t, uint64_t now);

/* pktgen_watch.c: the CPU time of process @pid, which polls with one thread.
   What is less than the clock's was taken from it. */
void pktgen_watch_open(int pid);
double pktgen_watch_missed_s(void); /* since the last call */

/* The same of this thread. */
double pktgen_watch_own_s(void);

/*
 * pktgen_trial.c: send at @rate for @seconds, wait for the last. A @strict
 * one is for a search: it goes on until it was quiet for that long, within
 * reason, and ends early when something was lost in quiet.
 */
void pktgen_trial(struct pktgen *g, double rate, double seconds, bool strict,
	struct pktgen_result *r);

/* pktgen_report.c */
void pktgen_report_head(void);
void pktgen_report_row(const struct pktgen_result *r);
void pktgen_report_table(const struct pktgen *g, const struct pktgen_result *r,
	const struct pktgen_search *s);

/* pktgen_json.c; @s and @end are a search's, or NULL. */
void pktgen_json_step(const struct pktgen_result *r);
void pktgen_json(const struct pktgen *g, const struct pktgen_result *r,
	const struct pktgen_search *s, enum pktgen_end end);

#endif

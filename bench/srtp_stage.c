/* SPDX-License-Identifier: BSD-3-Clause */
/* relay/srtp.h as a worker uses it: prefetch a burst, then work on it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench/srtp_contender.h"
#include "bench/srtp_stage.h"

struct stage {
	struct sp_srtp_engine *engine;
	struct srtp_stage_cost cost;
	uint32_t streams;
	struct sp_srtp **sends;            /* of each stream */
	struct sp_srtp **receives;         /* its other end */
	struct sp_srtp *out[RING_PACKETS]; /* of the ring's packets */
	struct sp_srtp *in[RING_PACKETS];
};

enum sp_srtp_kind srtp_stage_kind = SP_SRTP_AUTO;

static void
fail(const char *what, enum sp_status status)
{
	fprintf(stderr, "%s: %s\n", what, sp_status_text(status));
	exit(1);
}

static size_t
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		abort();
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static double
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
open_direction(struct stage *s, enum sp_srtp_suite suite, uint32_t i)
{
	const struct sp_srtp_facts *facts = sp_srtp_facts(suite);
	struct sp_srtp_conf conf = { .suite = (uint8_t)suite, .n_keys = 1 };
	enum sp_status status;

	srtp_ring_key(conf.key[0].key,
		(unsigned int)facts->key_len + facts->salt_len);
	status = sp_srtp_open(s->engine, &conf, true, &s->sends[i]);
	if (status == SP_OK)
		status = sp_srtp_open(s->engine, &conf, false, &s->receives[i]);
	if (status != SP_OK)
		fail("direction", status);
}

static void *
open_stage(enum sp_srtp_suite suite, uint32_t streams)
{
	const size_t pointers = 2 * streams * sizeof(struct sp_srtp *);
	struct stage *s = calloc(1, sizeof *s);
	enum sp_status status;
	size_t before;
	double start;

	if (!s)
		abort();
	s->streams = streams;
	status = sp_srtp_engine_open(srtp_stage_kind, 2 * streams, &s->engine);
	if (status != SP_OK)
		fail("engine", status);
	before = resident();
	s->sends = calloc(streams, sizeof(struct sp_srtp *));
	s->receives = calloc(streams, sizeof(struct sp_srtp *));
	if (!s->sends || !s->receives)
		abort();
	start = cpu_us();
	for (uint32_t i = 0; i < streams; i++)
		open_direction(s, suite, i);
	s->cost.us = (cpu_us() - start) / (2 * streams);
	s->cost.bytes =
		(double)(resident() - before - pointers) / (2 * streams);
	return s;
}

uint32_t
srtp_stage_most(void)
{
	struct sp_srtp_engine *e;
	struct sp_srtp_about about;
	const enum sp_status status =
		sp_srtp_engine_open(srtp_stage_kind, 1, &e);

	if (status != SP_OK)
		fail("engine", status);
	sp_srtp_engine_about(e, &about);
	sp_srtp_engine_close(e);
	return about.slow ? about.most / 2 : UINT32_MAX;
}

struct srtp_stage_cost
srtp_stage_cost(const void *self)
{
	const struct stage *s = self;

	return s->cost;
}

static void
close_stage(void *self)
{
	struct stage *s = self;

	sp_srtp_engine_close(s->engine);
	free(s->sends);
	free(s->receives);
	free(s);
}

static void
find(void *self, const struct srtp_ring *r)
{
	struct stage *s = self;

	for (unsigned int i = 0; i < RING_PACKETS; i++) {
		s->out[i] = s->sends[r->stream[i]];
		s->in[i] = s->receives[r->stream[i]];
	}
}

static void
count_refused(struct srtp_ring *r, unsigned int at, unsigned int n)
{
	for (unsigned int i = at; i < at + n; i++)
		r->refused += r->packet[i].fate != SP_SRTP_OK;
}

static void
protect(void *self, struct srtp_ring *r, unsigned int burst)
{
	struct stage *s = self;

	for (unsigned int i = 0; i < RING_PACKETS; i += burst) {
		for (unsigned int k = i; k < i + burst; k++)
			sp_srtp_prefetch(s->out[k]);
		sp_srtp_protect(s->engine, &s->out[i], &r->packet[i], burst, 1);
		count_refused(r, i, burst);
	}
}

static void
unprotect(void *self, struct srtp_ring *r, unsigned int burst)
{
	struct stage *s = self;

	for (unsigned int i = 0; i < RING_PACKETS; i += burst) {
		for (unsigned int k = i; k < i + burst; k++)
			sp_srtp_prefetch(s->in[k]);
		sp_srtp_unprotect(
			s->engine, &s->in[i], &r->packet[i], burst, 1);
		count_refused(r, i, burst);
	}
}

const struct srtp_contender srtp_stage = {
	.name = "stage",
	.open = open_stage,
	.close = close_stage,
	.find = find,
	.protect = protect,
	.unprotect = unprotect,
};

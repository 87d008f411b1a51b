/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/flow_table.h"

#include <assert.h>
#include <rte_malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define TTL 64
#define PTIME_MS 20
#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

/*
 * Zeroed memory that costs nothing before it is touched. It begins with a huge
 * page, so that none is begun at its end for the sake of a few flows.
 */
static void *
reserve(size_t size)
{
	const size_t kept = (size + PAGE - 1) / PAGE * PAGE;
	uint8_t *p = mmap(NULL, kept + HUGE_PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t ahead;

	if (p == MAP_FAILED)
		return NULL;
	ahead = -(uintptr_t)p % HUGE_PAGE;
	if (ahead > 0)
		munmap(p, ahead);
	munmap(p + ahead + kept, HUGE_PAGE - ahead);
	return p + ahead;
}

enum sp_status
sp_flow_table_open(struct sp_flow_table *t, const struct sp_locals *locals,
	uint32_t capacity, bool huge)
{
	const size_t n = (size_t)capacity + 1;

	*t = (struct sp_flow_table){
		.locals = locals, .capacity = capacity, .huge = huge
	};
	t->flow = huge
		? rte_zmalloc("flows", n * sizeof *t->flow, SP_CACHE_LINE)
		: reserve(n * sizeof *t->flow);
	t->aside = reserve(n * sizeof *t->aside);
	if (!t->flow || !t->aside) {
		sp_flow_table_close(t);
		return SP_NO_MEMORY;
	}
	/* Fewer TLB misses where the kernel can; nothing lost where not. */
	if (!huge)
		madvise(t->flow, n * sizeof *t->flow, MADV_HUGEPAGE);
	return SP_OK;
}

void
sp_flow_table_close(struct sp_flow_table *t)
{
	const size_t n = (size_t)t->capacity + 1;

	if (t->flow && t->huge)
		rte_free(t->flow);
	else if (t->flow)
		munmap(t->flow, n * sizeof *t->flow);
	if (t->aside)
		munmap(t->aside, n * sizeof *t->aside);
	t->flow = NULL;
	t->aside = NULL;
}

static struct sp_flow *
find(const struct sp_flow_table *t, uint32_t id)
{
	if (id == 0 || id > t->capacity || t->flow[id].index == 0)
		return NULL;
	return &t->flow[id];
}

static bool
is_rtcp_only(const struct sp_flow *f)
{
	return f->kind == SP_FLOW_RTCP;
}

/* The RTP latch that an RTCP flow follows; NULL for all others. */
static const struct sp_latch *
leader(const struct sp_flow_table *t, const struct sp_flow *f)
{
	const struct sp_flow *rtp;

	if (!is_rtcp_only(f))
		return NULL;
	rtp = find(t, f->pair);
	return rtp ? &rtp->latch : NULL;
}

static uint16_t
hop_to(const struct sp_flow_table *t, const struct sp_flow *f,
	const struct sp_addr *target)
{
	if (sp_addr_same_ip(target, &f->facts.signalled))
		return f->hop_signalled;
	if (f->facts.sip_family == target->family &&
		memcmp(f->facts.sip_ip, target->ip, sizeof target->ip) == 0)
		return f->hop_sip;
	/* Control is told where RTP goes, and answers with the hop. */
	return is_rtcp_only(f) && f->pair != 0 ? t->flow[f->pair].hop : 0;
}

/* An RTP flow changed, and its RTCP flow goes where it goes. */
static void
aim_pair(struct sp_flow_table *t, const struct sp_flow *f)
{
	if (f->pair != 0 && !is_rtcp_only(f))
		sp_flow_table_aim(t, &t->flow[f->pair]);
}

void
sp_flow_table_aim(struct sp_flow_table *t, struct sp_flow *f)
{
	const struct sp_local *local = &t->locals->local[f->local];
	struct sp_addr from = local->addr, to;

	from.port = f->port;
	f->ready = f->latch.renewing ? SP_FLOW_GRACE : 0;
	if (!sp_latch_target(&f->latch, &f->facts, leader(t, f), &to))
		return;
	if (f->wait && f->latch.state != SP_LATCH_HELD)
		return;
	if (to.family != from.family)
		return;

	sp_header_build(&f->header, &from, &to, f->dscp, TTL);
	f->hop = hop_to(t, f, &to);
	f->ready |= SP_FLOW_READY | (f->send ? SP_FLOW_READY_MEDIA : 0);
}

/* The part of @conf that may change at any time. */
static void
configure(struct sp_flow *f, const struct sp_flow_conf *conf)
{
	f->out_rtp = conf->out_rtp;
	f->out_rtcp = conf->out_rtcp;
	f->clock_hz = conf->clock_hz;
	f->payload_types = conf->payload_types;
	f->kind = conf->kind;
	f->keys = conf->keys;
	f->out_keys = conf->out_keys;
	f->flags = (uint8_t)(conf->flags | (conf->keys ? SP_FLOW_KEYED : 0) |
		(conf->out_keys ? SP_FLOW_KEYED_OUT : 0));
	f->dscp = conf->dscp;
	f->send = conf->send;
	f->wait = conf->wait;
	f->latch.policy = conf->policy;
	/* RFC 7362's probation must last: (3 - 1) packets at half the pace. */
	f->facts.min_spread_ms = conf->ptime_ms ? conf->ptime_ms : PTIME_MS;
}

/* What only a muted flow's packets are held against. */
static void
configure_mute(struct sp_flow_aside *a, const struct sp_flow_conf *conf)
{
	/* Untouched pages stay untouched. */
	if (!(conf->flags & SP_FLOW_MUTED))
		return;
	a->used = 1;
	a->dtmf_types = conf->dtmf_types;
	memcpy(a->quiet, conf->quiet, sizeof a->quiet);
}

/* Tie an RTCP flow and its RTP flow to each other. */
static void
pair(struct sp_flow_table *t, struct sp_flow *f, uint32_t rtp_flow)
{
	struct sp_flow *rtp = find(t, rtp_flow);

	if (f->kind != SP_FLOW_RTCP)
		return;
	f->pair = rtp ? rtp_flow : 0;
	if (rtp)
		rtp->pair = f->index;
}

/* May a flow name keys by @id? They need not be there yet. */
static bool
may_name(const struct sp_flow_table *t, uint32_t id)
{
	return id == 0 || (t->keys && id <= t->keys->capacity);
}

enum sp_status
sp_flow_table_program(struct sp_flow_table *t, uint32_t id,
	const struct sp_flow_conf *conf, uint16_t hop_signalled,
	uint16_t hop_sip, uint32_t now_ms)
{
	uint32_t *slot;
	struct sp_flow *f;

	if (id == 0 || id > t->capacity || conf->local >= t->locals->count ||
		!may_name(t, conf->keys) || !may_name(t, conf->out_keys))
		return SP_CONFLICT;
	slot = &t->locals->local[conf->local].slot[conf->port];
	if (*slot != 0 && *slot != id)
		return SP_CONFLICT;

	f = &t->flow[id];
	if (f->index == 0) {
		memset(f, 0, sizeof *f);
		f->index = id;
		f->local = conf->local;
		f->port = conf->port;
		t->running++;
	} else if (f->local != conf->local || f->port != conf->port) {
		return SP_CONFLICT;
	}
	configure(f, conf);
	configure_mute(&t->aside[id], conf);
	pair(t, f, conf->rtp_flow);
	if (sp_latch_signal(&f->latch, &f->facts, &conf->signalled,
		    &conf->signalling, now_ms)) {
		f->heard = 0;
		f->answered = 0;
		f->unanswered =
			conf->unanswered ? f->sent + conf->unanswered : 0;
	}
	f->hop_signalled = hop_signalled;
	f->hop_sip = hop_sip;
	sp_flow_table_aim(t, f);
	aim_pair(t, f);
	*slot = id;
	return SP_OK;
}

enum sp_status
sp_flow_table_stop(struct sp_flow_table *t, uint32_t id)
{
	struct sp_flow *f = find(t, id);
	struct sp_flow *other;

	if (!f)
		return SP_NOT_FOUND;
	assert(t->aside[id].held == 0);
	t->locals->local[f->local].slot[f->port] = 0;
	other = find(t, f->pair);
	if (other && other->pair == id)
		other->pair = 0;

	/* Untouched pages stay untouched. */
	if (t->aside[id].used)
		memset(&t->aside[id], 0, sizeof t->aside[id]);
	memset(f, 0, sizeof *f);
	t->running--;
	return SP_OK;
}

enum sp_status
sp_flow_table_read(
	const struct sp_flow_table *t, uint32_t id, struct sp_flow_report *out)
{
	const struct sp_flow *f = find(t, id);
	const struct sp_flow_aside *aside = &t->aside[id];

	if (!f)
		return SP_NOT_FOUND;
	*out = (struct sp_flow_report){
		.seen_ms = f->seen_ms,
		.sent = f->sent,
		.packets = (uint64_t)f->packets_high << 32 | f->packets,
		.octets = f->octets,
		.state = f->latch.state,
		.class = f->latch.class,
		.has_quality = f->quality.window != 0,
	};
	if (f->latch.state == SP_LATCH_HELD)
		out->remote = f->latch.remote;
	memcpy(out->dropped, aside->dropped, sizeof out->dropped);
	sp_quality_read(&f->quality, f->clock_hz, &out->quality);
	return SP_OK;
}

void
sp_flow_table_hop(struct sp_flow_table *t, uint32_t id, uint16_t hop_signalled,
	uint16_t hop_sip, const struct sp_addr *learnt, uint16_t hop_learnt)
{
	struct sp_flow *f = find(t, id);
	struct sp_addr to;

	if (!f)
		return;
	f->hop_signalled = hop_signalled;
	f->hop_sip = hop_sip;
	if (!sp_latch_target(&f->latch, &f->facts, leader(t, f), &to))
		return;
	f->hop = sp_addr_same_ip(&to, learnt) ? hop_learnt : hop_to(t, f, &to);
	aim_pair(t, f);
}

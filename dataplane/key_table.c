/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/key_table.h"

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define SRTCP_INDEX 4u /* bytes, with the E bit */
#define HUGE_FROM ((size_t)8 << 20)

static size_t
bytes(uint32_t capacity)
{
	return ((size_t)capacity + 1) * sizeof(struct sp_key);
}

enum sp_status
sp_key_table_open(struct sp_key_table *t, struct sp_srtp_engine *engine,
	uint32_t capacity)
{
	void *keys = mmap(NULL, bytes(capacity), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (keys == MAP_FAILED) {
		sp_srtp_engine_close(engine);
		return SP_NO_MEMORY;
	}
	madvise(keys, bytes(capacity), MADV_DONTDUMP);
	/* Fewer TLB misses where the kernel can; nothing lost where not. A
	   small table is a small part of what it would be rounded up to. */
	if (bytes(capacity) >= HUGE_FROM)
		madvise(keys, bytes(capacity), MADV_HUGEPAGE);
	*t = (struct sp_key_table){
		.key = keys, .engine = engine, .capacity = capacity
	};
	return SP_OK;
}

void
sp_key_table_close(struct sp_key_table *t)
{
	sp_srtp_engine_close(t->engine);
	if (t->key)
		munmap(t->key, bytes(t->capacity));
	memset(t, 0, sizeof *t);
}

/* One direction of an order: what is held, what is asked for. */
struct change {
	struct sp_srtp *held;
	struct sp_srtp *fresh; /* takes its place, if not NULL */
	const struct sp_srtp_conf *conf;
	bool sends;
};

static bool
is_rekey(const struct change *c)
{
	return c->held && !c->fresh && c->conf->suite != SP_SRTP_NONE;
}

/*
 * Open what is not there yet. @anew: nor may the old keys be heard beside the
 * new ones.
 */
static enum sp_status
prepare(struct sp_key_table *t, struct change *c, bool anew)
{
	if (c->conf->suite == SP_SRTP_NONE || (c->held && !anew))
		return SP_OK;
	return sp_srtp_open(t->engine, c->conf, c->sends, &c->fresh);
}

/* Would the engine take these keys for one that is open? */
static enum sp_status
try(struct sp_key_table *t, const struct change *c)
{
	struct sp_srtp *s = NULL;
	const enum sp_status status =
		sp_srtp_open(t->engine, c->conf, c->sends, &s);

	if (status == SP_OK)
		sp_srtp_close(t->engine, s);
	/* It has its place already. */
	return status == SP_FULL ? SP_OK : status;
}

static enum sp_status
rekey(struct sp_key_table *t, const struct change *c, uint32_t now_ms)
{
	return is_rekey(c) ? sp_srtp_rekey(t->engine, c->held, c->conf, now_ms)
			   : SP_OK;
}

/* From here on nothing fails. Returns what is held now. */
static struct sp_srtp *
settle(struct sp_key_table *t, const struct change *c)
{
	if (is_rekey(c))
		return c->held;
	sp_srtp_close(t->engine, c->held);
	return c->fresh;
}

static bool
has_no_auth(const struct sp_srtp_conf *conf)
{
	return conf->flags & SP_SRTP_NO_AUTH;
}

static bool
is_held(const struct sp_key *k)
{
	return k->in || k->out || k->rests;
}

/* What packets need to know of keys besides the directions. */
static void
describe(struct sp_key *k, const struct sp_flow_keys *keys)
{
	const struct sp_srtp_conf *out = &keys->out;
	const struct sp_srtp_facts *facts =
		sp_srtp_facts((enum sp_srtp_suite)out->suite);

	k->no_auth = has_no_auth(&keys->in);
	k->rtp_more =
		(uint8_t)(has_no_auth(out) ? out->mki_len
					   : facts->rtp_tag + out->mki_len);
	k->rtcp_more = (uint8_t)(SRTCP_INDEX + facts->rtcp_tag + out->mki_len);
}

enum sp_status
sp_key_table_set(struct sp_key_table *t, uint32_t id,
	const struct sp_flow_keys *keys, uint32_t now_ms)
{
	static const struct sp_flow_keys none;
	const bool rest = keys && keys->out.suite == SP_SRTP_NONE;
	struct sp_key *k;
	struct change in = { .sends = false }, out = { .sends = true };
	enum sp_status status;

	if (id == 0 || id > t->capacity)
		return SP_CONFLICT;
	keys = keys ? keys : &none;
	k = &t->key[id];
	in.held = k->in;
	in.conf = &keys->in;
	out.held = k->out ? k->out : k->rests;
	out.conf = &keys->out;

	/* Whoever needs no tag under one key must not pass under the other. */
	status = prepare(t, &in, k->no_auth != has_no_auth(in.conf));
	if (status == SP_OK)
		status = prepare(t, &out, false);
	/* Only the second of two may not fail once the first has changed. */
	if (status == SP_OK && is_rekey(&in) && is_rekey(&out))
		status = try(t, &out);
	if (status == SP_OK)
		status = rekey(t, &in, now_ms);
	if (status == SP_OK)
		status = rekey(t, &out, now_ms);
	if (status != SP_OK) {
		sp_srtp_close(t->engine, in.fresh);
		sp_srtp_close(t->engine, out.fresh);
		return status;
	}

	t->held -= is_held(k);
	k->in = settle(t, &in);
	k->rests = rest ? out.held : NULL;
	k->out = rest ? NULL : settle(t, &out);
	describe(k, keys);
	t->held += is_held(k);
	return SP_OK;
}

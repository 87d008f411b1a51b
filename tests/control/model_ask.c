/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the proxies around the model's service know and ask, included by
 * test_model.c. Everything that is asked is held to model_check.c.
 */
#include "tests/control/failing_memory.h"

#include "tests/control/model_check.c"

#define TAGS 4u /* of callees */
#define BRANCHES 3u
#define LINES 3u

static const char *const call_ids[CALLS] = { "c0", "c1", "c2", "c3" };
static const char *const tags[TAGS] = { "b0", "b1", "b2", "b3" };
static const char *const labels[TAGS] = { "l0", "l1", "l2", "l3" };
static const char *const branches[BRANCHES] = { "z0", "z1", "z2" };

/* The last offer to or from a branch. */
struct model_offer {
	bool any;
	bool back;    /* it came from the callee */
	bool certain; /* nothing came between: its answer fits */
	int tag;      /* in whose dialogue; -1: of whoever answers */
	unsigned int lines;
	bool heard; /* an answer came since */
};

/* What the proxies around us know of a call. */
struct model_call {
	bool by_branch; /* they name branches */
	bool six;       /* the caller is in IPv6 */
	bool muddled;   /* nonsense was asked: who has which port? */
	struct model_offer offer[BRANCHES];
	unsigned int offered[BRANCHES][LINES]; /* our ports in offers */
	unsigned int port[TAGS][LINES];        /* as a callee knows them */
	unsigned int caller[2][LINES];         /* IPv4, IPv6 */
	char told[BRANCHES][RIG_SDP];          /* the SDP of each offer */
};

static struct model_call model[CALLS];
static struct before was;      /* the last request was made */
static struct sp_request last; /* to be sent again; LIST: not */
static char last_sdp[RIG_SDP];
static char last_got[RIG_SDP];
static bool unsure; /* the reply may not say what was done */
static uint64_t dice;

static unsigned int
pick(unsigned int below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned int)(dice >> 33) % below;
}

static bool
one_in(unsigned int n)
{
	return pick(n) == 0;
}

/* A body with @lines lines, any of them perhaps off, held, muxed. */
static struct sp_text
random_sdp(bool six, unsigned int lines)
{
	static char text[4][RIG_SDP];
	static unsigned int next;
	static const char *const extra[] = { "", "", "a=rtcp-mux\r\n",
		"a=sendonly\r\n", "a=inactive\r\n", "a=recvonly\r\n" };
	char *out = text[next++ % 4];
	const bool hold = !six && one_in(12);
	int at = snprintf(out, RIG_SDP,
		"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
		"c=IN IP%c %s%u\r\nt=0 0\r\n",
		six ? '6' : '4',
		hold          ? "0.0.0."
			: six ? "2001:db8::"
			      : "192.0.2.",
		hold ? 0 : 1 + pick(3));

	for (unsigned int m = 0; m < lines; m++) {
		const bool keyed = m < 2 && one_in(3);

		at += snprintf(out + at, RIG_SDP - (size_t)at,
			"m=%s %u %s\r\n%s%s", m < 2 ? "audio" : "image",
			one_in(6) ? 0 : 4000 + 2 * pick(4),
			m >= 2                        ? "udptl t38"
				: keyed && !one_in(4) ? "RTP/SAVP 8 18"
				: one_in(4)           ? "RTP/AVPF 8 18"
						      : "RTP/AVP 8 18",
			extra[pick(sizeof extra / sizeof *extra)],
			keyed ? random_keys() : "");
	}
	return rig_text(out);
}

static struct sp_request
request_of(unsigned int c, enum sp_verb verb, const char *from, const char *to,
	const char *branch)
{
	struct sp_request request = rig_request(verb, from, to, branch, NULL);

	request.call_id = rig_text(call_ids[c]);
	return request;
}

static void
media_comes(void)
{
	for (unsigned int w = 0; w < WORKERS; w++)
		for (uint32_t f = 1; f < FLOWS; f++)
			if (r.dp->flow[w][f].running)
				fake_media(r.dp, w, f);
}

/* Let something fail in the next request, at times. */
static void
spoil(void)
{
	unsure = false;
	if (!story.failing)
		return;
	r.dp->no_hop_in = one_in(5) ? 1 + pick(8) : 0;
	r.dp->refuse_in = one_in(5) ? 1 + pick(8) : 0;
	r.dp->room = one_in(5) ? 1 + pick(12) : FAKE_QUEUE;
	r.dp->stuck = one_in(40);
	fail_in = one_in(3) ? 1 + pick(60) : 0;
	unsure = fail_in > 0 || r.dp->stuck;
}

/* All works again; let the workers finish. */
static void
recover(void)
{
	r.dp->no_hop_in = r.dp->refuse_in = 0;
	r.dp->room = FAKE_QUEUE;
	r.dp->stuck = false;
	fail_in = 0;
	rig_serve(&r);
	while (r.s->jobs) {
		media_comes();
		rig_sleep(&r, 1);
	}
}

static void
tell_request(const struct sp_request *q, int http)
{
	static const char *const verbs[] = {
#define X(name, text) text,
		SP_VERB_LIST_ALL(X)
#undef X
	};

	tell("%u: %s %.*s %.*s>%.*s %.*s %.*s%s%s -> %d %s%s", story.step,
		verbs[q->verb], (int)q->call_id.len, q->call_id.at,
		(int)q->from_tag.len, q->from_tag.at, (int)q->to_tag.len,
		q->to_tag.at, (int)q->branch.len, q->branch.at,
		(int)q->label.len, q->label.at, q->all ? " all" : "",
		q->new_ports ? " new ports" : "", http,
		http == 200 ? "" : r.detail, unsure ? " (spoilt)" : "");
}

static bool
is_block(enum sp_verb verb)
{
	return verb >= SP_VERB_BLOCK_MEDIA && verb <= SP_VERB_UNBLOCK_DTMF;
}

/* What holds of any request, whatever came of it. */
static void
check_request(const struct sp_request *q, int http)
{
	/* Time ends branches that nobody answers. */
	if (http != 200 && !(unsure && q->verb == SP_VERB_DELETE) &&
		r.dp->now_ms == was.now_ms)
		check_unchanged(&was);
	check_kept(&was, !q->new_ports, !is_block(q->verb));
	check_survivors(&was, q);
	check_resources();
}

/* Ask with what may fail; the model's own checks follow. */
static int
ask(const struct sp_request *q)
{
	int http;

	forget(&was);
	remember(&was);
	media_comes();
	spoil();
	http = rig_ask(&r, q);
	recover();
	tell_request(q, http);
	HOLDS(http >= 200);
	check_request(q, http);

	last = *q;
	if (http != 200 || q->verb == SP_VERB_DELETE)
		last.verb = SP_VERB_LIST;
	if (q->sdp.len > 0) {
		snprintf(last_sdp, sizeof last_sdp, "%s", q->sdp.at);
		last.sdp = rig_text(last_sdp);
	}
	snprintf(last_got, sizeof last_got, "%s", rig_got(&r));
	return http;
}

/* The caller's ports, in the family that the last answer names. */
static unsigned int *
callers(struct model_call *call)
{
	return call->caller[strstr(rig_got(&r), "c=IN IP6") != NULL];
}

/* The ports of the last answer are those that were told before. */
static void
check_told(const struct model_call *call, unsigned int had[LINES],
	unsigned int lines)
{
	for (unsigned int m = 0; m < lines && !call->muddled; m++) {
		const unsigned int port = rig_port(rig_got(&r), m);

		if (port != 0 && had[m] != 0 && port != had[m])
			tell("m-line %u: port %u was %u", m, port, had[m]);
		HOLDS(port == 0 || had[m] == 0 || port == had[m]);
		if (port != 0)
			had[m] = port;
	}
}

static bool
is_answered(unsigned int c, unsigned int t)
{
	const struct sp_call *call = find(c);
	uint8_t p = SP_NOBODY;

	if (call)
		p = sp_party_by_tag(&call->cast, rig_text(tags[t]));
	return p != SP_NOBODY && call->cast.party[p]->answered;
}

/* Which branch tag @t answers for: a proxy beyond us may fork again. */
static unsigned int
branch_of(unsigned int c, unsigned int t)
{
	return model[c].by_branch ? t % BRANCHES : 0;
}

static const char *
branch_id(unsigned int c, unsigned int t)
{
	return model[c].by_branch ? branches[t % BRANCHES] : NULL;
}

static bool
has_port(const struct sp_cast *cast, unsigned int m, unsigned int port)
{
	for (uint8_t p = 0; p < cast->count; p++)
		for (int x = 0; x < 2 && m < cast->party[p]->legs; x++)
			if (cast->party[p]->leg[m].pair[x].port == port)
				return true;
	return false;
}

/* Forget ports that nobody has any more. */
static void
forget_ports(const struct sp_cast *cast, unsigned int had[LINES])
{
	for (unsigned int m = 0; m < LINES; m++)
		if (!has_port(cast, m, had[m]))
			had[m] = 0;
}

/* Are callees where the proxies think? A late answer may find no branch. */
static bool
is_muddled(unsigned int c, const struct sp_cast *cast)
{
	unsigned int without = 0;

	for (uint8_t p = 0; p < cast->count; p++) {
		const struct sp_party *party = cast->party[p];

		without += party->caller != SP_NOBODY && !party->branch;
		for (unsigned int t = 0; t < TAGS; t++) {
			const char *want = branch_id(c, t);

			if (!sp_party_tag(party, rig_text(tags[t])))
				continue;
			if (!want != !party->branch ||
				(want && strcmp(want, party->branch) != 0))
				return true;
		}
	}
	return without > 1;
}

/* Parties may have gone: what is known of them goes, too. */
static void
look_around(unsigned int c)
{
	struct model_call *call = &model[c];
	const struct sp_call *is = find(c);

	if (!is) {
		*call = (struct model_call){ .by_branch = one_in(2),
			.six = one_in(4) };
		return;
	}
	for (unsigned int b = 0; b < BRANCHES; b++) {
		forget_ports(&is->cast, call->offered[b]);
		call->offer[b].certain = false;
	}
	for (unsigned int t = 0; t < TAGS; t++)
		forget_ports(&is->cast, call->port[t]);
	forget_ports(&is->cast, call->caller[0]);
	forget_ports(&is->cast, call->caller[1]);
	call->muddled |= is_muddled(c, &is->cast);
}

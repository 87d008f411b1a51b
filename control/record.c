/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/record.h"

#include "control/reply.h"

static int64_t
unix_ms(const struct sp_service *s, uint64_t at_ms)
{
	return s->epoch_ms + (int64_t)at_ms;
}

static void
add_addr(struct sp_line *line, const char *key, const struct sp_addr *addr)
{
	char text[SP_ADDR_TEXT];

	sp_line_string(line, key,
		addr->family == SP_FAMILY_NONE ? NULL
					       : sp_addr_print(addr, text));
}

static void
add_dropped(struct sp_line *line, const struct sp_flow_report *report)
{
	sp_line_open(line, "dropped", '{');
	for (unsigned int v = 0; v < SP_FLOW_VERDICTS; v++)
		if (report->dropped[v] > 0)
			sp_line_number(
				line, sp_reply_verdict(v), report->dropped[v]);
	sp_line_close(line, '}');
}

/* What came from a party and what went to it on one port. */
static void
add_flow(struct sp_line *line, const struct sp_slot *slot,
	const struct sp_flow_report *report)
{
	add_addr(line, "latched", &report->remote);
	sp_line_number(line, "moved", slot->moves);
	sp_line_number(line, "contested", slot->rivals);
	sp_line_number(line, "packets", (int64_t)report->packets);
	sp_line_number(line, "octets", (int64_t)report->octets);
	sp_line_number(line, "sent", report->sent);
	add_dropped(line, report);
}

static void
add_quality(struct sp_line *line, const struct sp_quality_report *quality)
{
	sp_line_number(line, "ssrc", quality->ssrc);
	sp_line_number(line, "ssrc_changes", quality->ssrc_changes);
	sp_line_number(line, "expected", (int64_t)quality->expected);
	sp_line_number(line, "lost", (int64_t)quality->lost);
	sp_line_number(line, "reordered", (int64_t)quality->reordered);
	sp_line_number(line, "duplicates", (int64_t)quality->duplicates);
	sp_line_milli(line, "jitter_ms", quality->jitter_us);
	sp_line_milli(line, "mos", quality->mos_x100 * 10u);
}

/* One m= line; takes as many of @report as it has flows. */
static void
add_leg(struct sp_line *line, const struct sp_party *party, unsigned int m,
	const struct sp_flow_report **report)
{
	static const struct sp_flow_report nothing;
	const struct sp_leg *leg = &party->leg[m];
	const struct sp_slot *rtp = &leg->slot[SP_PART_RTP];
	const struct sp_slot *rtcp = &leg->slot[SP_PART_RTCP];
	struct sp_flow_report sum;

	sp_line_open(line, NULL, '{');
	sp_line_number(line, "index", m);
	sp_reply_sum(leg, rtp->flow && *report ? (*report)++ : &nothing, &sum);
	add_flow(line, rtp, &sum);
	if (sum.has_quality)
		add_quality(line, &sum.quality);
	sp_line_bool(line, "silent", leg->silent);
	sp_line_string(line, "keying", sp_reply_keying(party, m));
	if (sp_reply_suite(party, m))
		sp_line_string(line, "crypto_suite", sp_reply_suite(party, m));
	if (rtcp->flow && *report) {
		sp_line_open(line, "rtcp", '{');
		add_flow(line, rtcp, (*report)++);
		sp_line_close(line, '}');
	}
	sp_line_close(line, '}');
}

static void
add_party(struct sp_line *line, const struct sp_service *s,
	const struct sp_party *party, const struct sp_flow_report **report)
{
	const bool caller = party->caller == SP_NOBODY;

	sp_line_open(line, NULL, '{');
	sp_line_string(line, "role", caller ? "caller" : "branch");
	if (party->tags)
		sp_line_text(line, "tag", party->tags->text, party->tags->len);
	else
		sp_line_null(line, "tag");
	if (party->branch)
		sp_line_string(line, "branch", party->branch);
	if (party->label)
		sp_line_string(line, "label", party->label);
	sp_line_string(line, "realm", s->conf->realm[party->realm].name);
	if (!caller)
		sp_line_bool(line, "answered", party->answered);
	sp_line_open(line, "media", '[');
	for (unsigned int m = 0; m < party->legs; m++)
		add_leg(line, party, m, report);
	sp_line_close(line, ']');
	sp_line_close(line, '}');
}

/* What every event says first. */
static struct sp_line *
begin(struct sp_service *s, const struct sp_call *call, const char *event)
{
	struct sp_line *line = &s->records.line;

	sp_line_begin(line);
	sp_line_string(line, "event", event);
	sp_line_time(line, "time", unix_ms(s, s->now_ms));
	sp_line_text(line, "call_id", call->id, call->id_len);
	if (call->cast.metadata)
		sp_line_string(line, "metadata", call->cast.metadata);
	return line;
}

/* A line that is not whole is lost, which the outbox counts and logs. */
static void
put(struct sp_outbox *outbox, struct sp_line *line)
{
	if (outbox)
		sp_outbox_put(
			outbox, line->failed ? NULL : line->text, line->len);
}

static void
record(struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *cast, const char *event, const char *reason,
	const struct sp_flow_report *report)
{
	struct sp_records *to = &s->records;
	struct sp_line *line;

	if (!to->file && !to->webhook)
		return;
	line = begin(s, call, event);
	sp_line_string(line, "reason", reason);
	sp_line_time(line, "created", unix_ms(s, call->created_ms));
	if (call->answered_ms > 0)
		sp_line_time(line, "answered", unix_ms(s, call->answered_ms));
	else
		sp_line_null(line, "answered");
	sp_line_number(
		line, "duration_ms", (int64_t)(s->now_ms - call->created_ms));
	sp_line_open(line, "parties", '[');
	for (uint8_t p = 0; p < cast->count; p++)
		add_party(line, s, cast->party[p], &report);
	sp_line_close(line, ']');
	sp_line_end(line);
	put(to->file, line);
	put(to->webhook, line);
}

void
sp_record_end(struct sp_service *s, const struct sp_call *call, enum sp_end end,
	const struct sp_flow_report *report)
{
	record(s, call, &call->cast, "call_end", sp_metrics_end(end), report);
}

void
sp_record_leave(struct sp_service *s, const struct sp_call *call,
	const struct sp_cast *gone, enum sp_end end,
	const struct sp_flow_report *report)
{
	record(s, call, gone, "branch_end", sp_metrics_end(end), report);
}

void
sp_record_leg(struct sp_service *s, const struct sp_call *call, uint8_t p,
	unsigned int m, bool silent)
{
	const struct sp_party *party = call->cast.party[p];
	struct sp_line *line;

	if (!s->records.webhook)
		return;
	line = begin(s, call, silent ? "leg_silent" : "leg_heard");
	if (party->tags)
		sp_line_text(line, "tag", party->tags->text, party->tags->len);
	else
		sp_line_null(line, "tag");
	if (party->label)
		sp_line_string(line, "label", party->label);
	sp_line_number(line, "index", m);
	sp_line_number(line, "limit_s", s->conf->media_s);
	sp_line_end(line);
	put(s->records.webhook, line);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_EXCHANGE_H
#define SP_CONTROL_EXCHANGE_H

#include "control/job.h"
#include "relay/negotiate_keys.h"

/*
 * What an offer and an answer have in common: one party's SDP comes in, the
 * cast changes, and the SDP leaves for the other party with our addresses.
 * All steps work on a copy of the cast. Core: control.
 */

struct sp_exchange {
	struct sp_service *s;
	struct sp_call *call; /* a new one is in no table yet */
	bool first;           /* it is new */
	bool again;           /* the answer came before: nobody is moved */
	const struct sp_request *request;
	struct sp_asker asker;
	struct sp_problem problem; /* filled by whichever step fails */
	struct sp_cast cast;
	uint8_t from; /* the party whose SDP this is */
	uint8_t to;   /* the party that gets it */
	uint8_t pair; /* the one of both that is the branch */
	json_t *warnings;
	const struct sp_policy *policy; /* the request's, or @changed */
	struct sp_sdp sdp;
	struct sp_plan plan;
	unsigned int planned; /* of @keys; sp_exchange_close() wipes them */
	struct sp_plan_keys keys[SP_SDP_MEDIA_MAX];
	struct sp_policy changed;
};

/* Which side of the dialogue is @party, one of both? */
static inline enum sp_by
sp_exchange_by(const struct sp_exchange *x, uint8_t party)
{
	return party == x->pair ? SP_BY_BRANCH : SP_BY_CALLER;
}

/* Start: @x is filled in, the SDP read. False: @x->problem says why not. */
bool sp_exchange_open(struct sp_exchange *x, struct sp_service *s,
	struct sp_call *call, const struct sp_request *request,
	const struct sp_asker *asker);

/*
 * Answer a request that changes nothing: its SDP has been through this relay
 * before and is to go round untouched, or it is a fragment of ICE, which is
 * the parties' own business. False: it is not such a request.
 */
bool sp_exchange_pass(struct sp_exchange *x);

/*
 * Make the plan; @offer is NULL for an offer. False: @x->problem says why the
 * SDP is refused.
 */
bool sp_exchange_plan(struct sp_exchange *x, const struct sp_offer *offer);

/*
 * Plan protocols and keys, once it is known who offers to whom; what is as
 * both are used to goes on. False: @x->problem says why there are none.
 */
bool sp_exchange_keys_offer(struct sp_exchange *x);
bool sp_exchange_keys_answer(
	struct sp_exchange *x, const struct sp_offer *offer);

/*
 * Note in the legs what @x->to is told of protocols and keys; of an answer,
 * once it is known what was said. False: no memory.
 */
bool sp_exchange_keys_told(struct sp_exchange *x);

/* Warn of what the plan could not do as it was asked. */
void sp_exchange_warn_of_plan(struct sp_exchange *x);

/* Put what was said about the SDP into @x->problem; returns false. */
bool sp_exchange_refused(struct sp_exchange *x, enum sp_status status,
	const struct sp_sdp_error *error);

/* Fill @x->problem for a want of memory; returns false. */
bool sp_exchange_no_memory(struct sp_exchange *x);

/* Say that field @where does not fit the call; returns false. */
bool sp_exchange_conflict(
	struct sp_exchange *x, const char *where, const char *what);

/*
 * Copy what the SDP and the request say. Where a line is on hold by a zero
 * address, @before tells the address it had. NULL without memory.
 */
struct sp_said *sp_exchange_said(
	const struct sp_exchange *x, const struct sp_said *before);

/*
 * May media go to the private addresses of @said, made from this SDP, if it
 * has any? Not where the party's realm refuses them, unless the signaller is
 * public: then the party is behind NAT, and its media show where it is.
 * False: @x->problem names the m= line. Spec: SEC-9.
 */
bool sp_exchange_may_send(struct sp_exchange *x, const struct sp_said *said);

/* Take over the request's label, metadata and TOS, if it has any. */
bool sp_exchange_note(struct sp_exchange *x);

/* Return the family of the SDP's first line that is relayed, or NONE. */
uint8_t sp_exchange_family(const struct sp_exchange *x);

/*
 * Are @count pairs of @worker's ports free in @realm, in IPv6 if @six? False:
 * @x->problem says what is missing.
 */
bool sp_exchange_has_ports(struct sp_exchange *x, unsigned int worker,
	unsigned int realm, bool six, unsigned int count);

/* Add a warning to the reply, printf style. */
void sp_exchange_warn(struct sp_exchange *x, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Reserve what party @p lacks for m= line @m in @family: a leg and a pair of
 * ports. Ask sp_exchange_has_ports first: ports that were taken in vain rest
 * like any others.
 */
bool sp_exchange_reserve(struct sp_exchange *x, uint8_t p, unsigned int m,
	enum sp_family family);

/*
 * Replace the ports of m= lines of @x->to where @x->from has another address
 * than in @before, if the request wants that. The old ones are given back
 * once their flows are stopped.
 */
bool sp_exchange_renew(struct sp_exchange *x, const struct sp_said *before);

/* Write the SDP for the other party, order the flows, and answer. */
bool sp_exchange_commit(struct sp_exchange *x);

/* Give back what was reserved and answer with @x->problem. */
void sp_exchange_refuse(struct sp_exchange *x);

/* Wipe the keys that @x has in it: it was answered. */
void sp_exchange_close(struct sp_exchange *x);

#endif

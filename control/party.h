/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_PARTY_H
#define SP_CONTROL_PARTY_H

#include <stdbool.h>
#include <stdint.h>

#include "control/request.h"
#include "relay/addr.h"
#include "relay/negotiate.h"
#include "relay/order.h"
#include "relay/status.h"

/*
 * Who takes part in a call. A caller faces one or more branches (callees, in
 * a fork); each of them is a party with local ports of its own for each m=
 * line, which stay its own as long as the party is there.
 *
 * A request works on a copy of the cast and swaps it in when all of it is
 * certain: that is how a refused request changes nothing. Parties therefore
 * name each other by index. Core: control.
 */

#define SP_PARTIES_MAX 32u /* of a call */
#define SP_TAGS_MAX 16u    /* of a party: answers from a fork beyond us */
#define SP_NOBODY 0xffu    /* instead of the index of a party */

enum sp_part {
	SP_PART_RTP, /* also muxed, and media that is not RTP */
	SP_PART_RTCP,
	SP_PARTS
};

/* One flow of a leg, as its worker was told. */
struct sp_slot {
	uint64_t told;       /* hash of the orders; 0: none yet */
	uint32_t flow;       /* 0: does not run */
	uint32_t latched_ms; /* data plane's clock; 0: never */
	uint16_t local;      /* where it runs */
	uint16_t port;
	uint8_t moves;  /* the source changed; stops at 255 */
	uint8_t rivals; /* another one was refused; stops at 255 */
};

/* A reserved even/odd pair of ports; @port is the even one, 0: none. */
struct sp_pair {
	uint16_t local;
	uint16_t port;
};

/* Our end of one m= line towards one party. */
struct sp_leg {
	struct sp_slot slot[SP_PARTS];
	struct sp_pair pair[2];      /* IPv4, IPv6 */
	uint8_t six;                 /* which one of them is in use */
	bool mux;                    /* RTCP on the RTP port */
	bool silent;                 /* reported as such */
	struct sp_flow_report *past; /* of flows that ran before, or NULL */
};

/* What an SDP said of one m= line. */
struct sp_media {
	struct sp_addr rtp;     /* NONE: not known */
	struct sp_addr rtcp;    /* same */
	uint64_t payload_types; /* bit (pt & 63) */
	uint32_t clock_hz;
	uint16_t ptime_ms;
	uint8_t kind;      /* enum sp_media_kind */
	uint8_t direction; /* bit 0: the party sends, bit 1: it listens */
	uint8_t family;    /* enum sp_family of its c= */
	bool live;         /* in use, as far as this SDP goes */
	bool secure;
	bool zero; /* held by 0.0.0.0; the addresses are the last ones */
};

/* What a party said: its SDP, and what the proxy told along with it. */
struct sp_said {
	struct sp_addr signalling; /* where the SIP came from, or NONE */
	uint8_t policy;            /* enum sp_latch_policy */
	uint8_t count;             /* of @media */
	struct sp_media media[];
};

/* A SIP tag. One party has several when a proxy beyond us forks. */
struct sp_tag {
	struct sp_tag *next;
	struct sp_said *said;   /* in force; NULL: nothing yet */
	struct sp_said *staged; /* offered, in force once answered; or NULL */
	uint8_t len;
	char text[];
};

struct sp_party {
	struct sp_tag *tags; /* the first one is who gets media */
	struct sp_leg *leg;  /* one an m= line */
	char *branch;        /* of the offer, or NULL */
	char *label;         /* or NULL */
	uint64_t since_ms;   /* when it was added */
	uint32_t on;         /* branch: a bit an m= line in use */
	uint8_t legs;
	uint8_t realm;
	uint8_t family; /* enum sp_family that it is offered */
	uint8_t caller; /* branch: index of its caller; caller: NOBODY */
	uint8_t peer;   /* caller: index of the branch that gets its media */
	bool answered;  /* branch */
	bool by_branch; /* branch: it made the last offer, not its caller */
	uint8_t n_offered;
	uint8_t offered[SP_SDP_MEDIA_MAX]; /* enum sp_offered of that offer */
};

struct sp_cast {
	struct sp_party **party;
	uint8_t count;
};

/* Copy @from into @to. Fails: SP_NO_MEMORY; @to is then empty. */
enum sp_status sp_party_clone(
	const struct sp_cast *from, struct sp_cast *to) SP_MUST_CHECK;

/* Free all of @cast and leave it empty. Ports and flows are not its own. */
void sp_party_free(struct sp_cast *cast);

/*
 * Add a party and return its index; the caller sets the rest.
 *
 * Fails: SP_NOBODY when out of memory or at SP_PARTIES_MAX.
 */
uint8_t sp_party_add(struct sp_cast *cast, struct sp_text branch);

/*
 * Move party @gone from @cast to the end of @to and make the others close
 * ranks. Its caller's media goes to the branch that answered last.
 *
 * Fails: SP_NO_MEMORY; nothing is changed.
 */
enum sp_status sp_party_leave(
	struct sp_cast *cast, uint8_t gone, struct sp_cast *to) SP_MUST_CHECK;

/* Return the party that has @tag, or SP_NOBODY. */
uint8_t sp_party_by_tag(const struct sp_cast *cast, struct sp_text tag);

/*
 * Return the branch of @caller (SP_NOBODY: of any) offered as @branch; an
 * empty one finds the first that was offered without. SP_NOBODY: none.
 */
uint8_t sp_party_by_branch(
	const struct sp_cast *cast, uint8_t caller, struct sp_text branch);

/* Return @party's tag @text, or NULL. */
struct sp_tag *sp_party_tag(const struct sp_party *party, struct sp_text text);

/*
 * Make @text the first tag of @party; add it if it is new.
 *
 * Fails: NULL when out of memory or at SP_TAGS_MAX.
 */
struct sp_tag *sp_party_tag_first(struct sp_party *party, struct sp_text text);

/* Forget @tag. */
void sp_party_tag_del(struct sp_party *party, struct sp_tag *tag);

/* Replace @party's label. Fails: SP_NO_MEMORY. */
enum sp_status sp_party_label(
	struct sp_party *party, struct sp_text label) SP_MUST_CHECK;

/* Add the last report of a flow of m= line @m to those before, if it can be. */
void sp_party_keep(struct sp_party *party, unsigned int m,
	const struct sp_flow_report *report);

/* Make room for @count legs. Fails: SP_NO_MEMORY. */
enum sp_status sp_party_legs(
	struct sp_party *party, unsigned int count) SP_MUST_CHECK;

/* Return what @party said of m= line @m, or NULL. */
const struct sp_media *sp_party_media(
	const struct sp_party *party, unsigned int m);

/* Is m= line @m of party @p in use? */
bool sp_party_on(const struct sp_cast *cast, uint8_t p, unsigned int m);

/* Whom does party @p talk to? SP_NOBODY: nobody. */
uint8_t sp_party_other(const struct sp_cast *cast, uint8_t p);

/* Has any branch of @cast answered? */
bool sp_party_answered(const struct sp_cast *cast);

#endif

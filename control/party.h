/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_PARTY_H
#define SP_CONTROL_PARTY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/leg.h"
#include "control/request.h"
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
#define SP_AWAY 0xfeu      /* same: it was in a cast that this one left */

/* What is kept back of what a party sends; bits. */
enum sp_block {
	SP_BLOCK_MEDIA = 1,   /* all of it, RTCP apart */
	SP_BLOCK_SILENCE = 2, /* the sound of it */
	SP_BLOCK_DTMF = 4,    /* telephone events (RFC 4733) */
};

/* A SIP tag. One party has several when a proxy beyond us forks. */
struct sp_tag {
	struct sp_tag *next;
	struct sp_said *said;   /* in force; NULL: nothing yet */
	struct sp_said *staged; /* offered, in force once answered; or NULL */
	uint64_t answer;        /* hash of the SDP it answered last; 0: none */
	uint64_t answered_ms;
	uint8_t len;
	char text[];
};

/* Bytes of a tag of @len: without the padding that the struct ends in. */
#define SP_TAG_SIZE(len) (offsetof(struct sp_tag, text) + (len))

/* What an answer has to know of the offer; as long as this is there, one
   counts. */
struct sp_offer {
	bool pending;   /* and none has come yet */
	uint8_t count;  /* of @line */
	uint8_t line[]; /* enum sp_offered */
};

/* Which side of a dialogue offered; both do, if requests cross. */
enum sp_by {
	SP_BY_CALLER,
	SP_BY_BRANCH,
	SP_BYS
};

/* What a party was told last, where a proxy wants that to be constant. */
struct sp_told {
	char *username;     /* of o=, or NULL */
	char *session_name; /* s=, or NULL */
	uint64_t version;   /* of o=; 0: not ours to count */
	uint64_t body;      /* hash of the SDP with this version */
};

struct sp_party {
	struct sp_tag *tags;  /* the first one is who gets media */
	struct sp_leg *leg;   /* one an m= line */
	struct sp_told *told; /* or NULL */
	char *branch;         /* of the offer, or NULL */
	char *label;          /* or NULL */
	uint64_t since_ms;    /* when it was added */
	uint64_t offered_ms;  /* branch: when it was last offered something */
	uint32_t on;          /* branch: a bit an m= line in use */
	uint8_t legs;
	uint8_t realm;
	uint8_t family;   /* enum sp_family that it is offered */
	uint8_t caller;   /* branch: index of its caller; caller: NOBODY */
	uint8_t peer;     /* caller: index of the branch that gets its media */
	bool answered;    /* branch */
	uint8_t targets;  /* branch without an id: that it was offered to, and
			     that have not refused; 0: it has one */
	uint8_t blocked;  /* enum sp_block, of what it sends */
	uint8_t block_up; /* branch: the same, of what its caller gets */
	uint8_t block_down; /* branch: of what its caller sends to it */
	struct sp_offer *offer[SP_BYS]; /* branch: of the dialogue, or NULL */
};

struct sp_cast {
	struct sp_party **party;
	char *metadata; /* as the proxy gave it, or NULL */
	uint8_t count;
	uint8_t blocked; /* enum sp_block, of what all of them send */
	uint8_t dscp;    /* of what is sent, if @has_dscp; else the realm's */
	bool has_dscp;
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

/* Replace the string at @to by a copy of @text, NULL if that is empty. */
enum sp_status sp_party_text(char **to, struct sp_text text) SP_MUST_CHECK;

/*
 * Return the bits of party @p and of those that have nobody to talk to
 * without it.
 */
uint32_t sp_party_without(const struct sp_cast *cast, uint8_t p);

/*
 * Move the parties whose bits are in @gone to the empty @to and make the
 * others close ranks. A caller whose branch left feeds the latest one, of
 * those that answered if any did. No branch may stay without its caller.
 *
 * Fails: SP_NO_MEMORY; nothing is changed.
 */
enum sp_status sp_party_leave(
	struct sp_cast *cast, uint32_t gone, struct sp_cast *to) SP_MUST_CHECK;

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

/* Release @tag, which is in no list. */
void sp_party_tag_free(struct sp_tag *tag);

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

/* Does an offer to or of the branch @party wait for its first answer? */
bool sp_party_offered(const struct sp_party *party, enum sp_by by);

/* Has any branch of @cast answered? */
bool sp_party_answered(const struct sp_cast *cast);

#endif

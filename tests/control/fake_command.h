/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_FAKE_COMMAND_H
#define SP_TESTS_FAKE_COMMAND_H

#include "control/command.h"
#include "control/ng_counts.h"

/*
 * A service that only remembers what it was asked. Including the .c file in
 * a test keeps the real one out of the program.
 */

#define FAKE_WAITING_MAX 64

struct fake_service {
	bool later;  /* replies wait for fake_answer_all() */
	bool refuse; /* with @problem, or a capacity problem without one */
	const struct sp_problem *problem;
	json_t *body; /* of good replies, borrowed; NULL: one with an SDP */
	bool full;    /* not ready */
	unsigned int asked;
	enum sp_verb verb;
	char call_id[SP_TAG_MAX + 1];
	size_t call_id_len;
	enum sp_door door;
	uint64_t began_us;
	char after[SP_TAG_MAX + 1];
	uint32_t limit;
	size_t sdp_len;
	unsigned int waiting;
	sp_reply_fn reply[FAKE_WAITING_MAX];
	void *arg[FAKE_WAITING_MAX];
	struct sp_ng_counts counts;
};

extern struct fake_service fake;

/* Answer what waits. */
void fake_answer_all(void);

#endif

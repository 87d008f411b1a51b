/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_FAKE_COMMAND_H
#define SP_TESTS_FAKE_COMMAND_H

#include "control/command.h"

/*
 * A service that only remembers what it was asked. Including the .c file in
 * a test keeps the real one out of the program.
 */

#define FAKE_WAITING_MAX 64

struct fake_service {
	bool later;  /* replies wait for fake_answer_all() */
	bool refuse; /* with a capacity problem */
	bool full;   /* not ready */
	unsigned int asked;
	enum sp_verb verb;
	char call_id[SP_TAG_MAX + 1];
	size_t call_id_len;
	char after[SP_TAG_MAX + 1];
	uint32_t limit;
	size_t sdp_len;
	unsigned int waiting;
	sp_reply_fn reply[FAKE_WAITING_MAX];
	void *arg[FAKE_WAITING_MAX];
};

extern struct fake_service fake;

/* Answer what waits. */
void fake_answer_all(void);

#endif

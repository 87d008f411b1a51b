/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_NG_LAB_H
#define SP_TESTS_NG_LAB_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fake_command.c"

#include "control/log.h"
#include "control/ng.h"
#include "control/ng_cache.h"

/*
 * The ng door with a fake service behind it and nothing but memory before it.
 * For inclusion in one test.
 */

#define LAB_TEXT 4096
#define LAB_SENT 16

#define OFFER_BODY "d7:command5:offer7:call-id1:c8:from-tag1:f3:sdp3:v=0e"
#define OFFER_JSON                                                             \
	"{\"command\":\"offer\",\"call-id\":\"c\",\"from-tag\":\"f\","         \
	"\"sdp\":\"v=0\"}"

static struct sp_ng *ng;
static struct {
	char text[LAB_SENT][LAB_TEXT];
	size_t len[LAB_SENT];
	int to[LAB_SENT]; /* who it was sent to */
	unsigned int count;
} sent;

/* Whom replies are for. */
static int who[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };

static inline void
on_send(const struct sp_ng_path *path, const char *reply, size_t len)
{
	cr_assert(lt(uint, sent.count, LAB_SENT));
	cr_assert(lt(sz, len, LAB_TEXT));
	memcpy(sent.text[sent.count], reply, len);
	sent.text[sent.count][len] = '\0';
	sent.len[sent.count] = len;
	sent.to[sent.count++] = *(const int *)path->arg;
}

/* Asker @i, on a port of its own. */
static inline struct sp_ng_path
path_of(int i, uint64_t came_ms)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };

	return (struct sp_ng_path){
		.send = on_send,
		.arg = &who[i],
		.ends.client = sp_addr_ip4(ip, (uint16_t)(5000 + i)),
		.came_us = came_ms * 1000,
	};
}

static inline void
open_ng(void)
{
	sp_log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	memset(&fake, 0, sizeof fake);
	memset(&sent, 0, sizeof sent);
	cr_assert(eq(int, sp_ng_open(NULL, &ng), SP_OK));
}

static inline void
close_ng(void)
{
	fake_answer_all();
	sp_ng_close(ng);
}

static inline bool
say_at(uint64_t now_ms, const char *message)
{
	const struct sp_ng_path path = path_of(0, now_ms);

	return sp_ng_take(ng, &path, message, strlen(message));
}

/* The reply to @message, "" if there is none. */
static inline char *
say(const char *message)
{
	const unsigned int before = sent.count;
	static char nothing[1];
	const bool taken = say_at(1000, message);

	cr_assert(eq(uint, sent.count, before + taken), "%s", message);
	return taken ? sent.text[before] : nothing;
}

static inline bool
has_text(const char *reply, const char *text)
{
	return strstr(reply, text) != NULL;
}

#endif

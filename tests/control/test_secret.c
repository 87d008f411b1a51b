/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SEC-30: no block of memory is given back with a key in it. The linker sends
 * every free() of ours here (--wrap, see meson.build), which looks into it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>

#include "control/bencode.h"
#include "control/json_memory.h"
#include "control/log.h"
#include "control/ng.h"
#include "control/secret.h"
#include "tests/control/rig.c"

/* "TheKeyOfATest...AndItsSalt..__" in base64, and what gives it away. */
#define KEY64 "VGhlS2V5T2ZBVGVzdC4uLkFuZEl0c1NhbHQuLl9f"
#define SHOWS_KEY "TheKeyOfATest"
#define SHOWS_KEY64 "VGhlS2V5T2ZBVGVzd"

#define SDP(ip, crypto)                                                        \
	"v=0\r\no=- 1 1 IN IP4 " ip "\r\ns=-\r\nc=IN IP4 " ip "\r\nt=0 0\r\n"  \
	"m=audio 4000 RTP/SAVP 8\r\na=crypto:" crypto "\r\n"
#define CRYPTO "1 AES_CM_128_HMAC_SHA1_80 inline:" KEY64

static unsigned int shown; /* blocks with a key in them */

void __real_free(void *p);
void __wrap_free(void *p);

static struct rig r;

/* The workers' memory is not looked at: it is a fake. */
void
__wrap_free(void *p)
{
	const size_t size = p ? malloc_usable_size(p) : 0;

	if (p && p != r.dp &&
		(memmem(p, size, SHOWS_KEY, strlen(SHOWS_KEY)) ||
			memmem(p, size, SHOWS_KEY64, strlen(SHOWS_KEY64))))
		shown++;
	__real_free(p);
}

static struct sp_ng *ng;
static unsigned int replies;
static char result[16];

static void
open_ng(void)
{
	sp_log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	sp_json_memory_use();
	rig_open(&r);
	cr_assert(eq(int, sp_ng_open(r.s, &ng), SP_OK));
}

/* In the test, because what fails in its .fini is not told. */
static void
close_ng(void)
{
	rig_close(&r);
	sp_ng_close(ng);
	sp_json_memory_close();
	cr_expect(eq(uint, shown, 0));
}

static void
on_send(const struct sp_ng_path *path, const char *reply, size_t len)
{
	const char *at = memmem(reply, len, "6:result", 8);

	(void)path;
	replies++;
	cr_assert(ne(ptr, (void *)(uintptr_t)at, NULL));
	snprintf(result, sizeof result, "%.*s", at[8] == '2' ? 2 : 5, at + 10);
}

/* Say @body, of a JSON tree's text, under a cookie of its own. */
static const char *
say(const char *command, const char *more, const char *sdp)
{
	static unsigned int cookie;
	const struct sp_ng_path path = { .send = on_send, .came_us = 1000 };
	const unsigned int before = replies;
	static char message[4096];
	const int len = snprintf(message, sizeof message,
		"%u d7:command%zu:%s7:call-id1:c8:from-tag1:a%s3:sdp%zu:%se",
		++cookie, strlen(command), command, more, strlen(sdp), sdp);

	cr_assert(sp_ng_take(ng, &path, message, (size_t)len));
	for (int i = 0; i < 20 && replies == before; i++)
		rig_sleep(&r, 1);
	cr_assert(eq(uint, replies, before + 1), "one reply");
	return result;
}

Test(secret, block_is_overwritten_to_its_end)
{
	char *block = malloc(100);

	memset(block, 'x', 100);
	memcpy(block + 70, SHOWS_KEY, strlen(SHOWS_KEY));
	sp_secret_free(block);
	sp_secret_free(NULL);
	cr_expect(eq(uint, shown, 0));
}

Test(secret, this_test_sees_what_is_not)
{
	char *block = malloc(100);

	memcpy(block + 50, SHOWS_KEY, strlen(SHOWS_KEY));
	__asm__ volatile("" : : "r"(block) : "memory"); /* write it, indeed */
	free(block);
	cr_expect(eq(uint, shown, 1));
}

#define DIRECTION "9:directionl3:out2:ine"

Test(secret, nothing_is_freed_with_the_keys_of_a_call, .init = open_ng)
{
	cr_expect(eq(str,
		(char *)say("offer", DIRECTION, SDP("192.0.2.5", CRYPTO)),
		"ok"));
	cr_expect(eq(str,
		(char *)say("answer", "6:to-tag1:b", SDP("10.1.1.1", CRYPTO)),
		"ok"));
	cr_expect(eq(str,
		(char *)say("offer", "6:to-tag1:b", SDP("192.0.2.6", CRYPTO)),
		"ok"));
	cr_expect(eq(str,
		(char *)say("answer", "6:to-tag1:b", SDP("10.1.1.1", CRYPTO)),
		"ok"));
	cr_expect(eq(str, (char *)say("query", "", ""), "ok"));
	cr_expect(eq(str, (char *)say("delete", "6:to-tag1:b", ""), "ok"));
	rig_sleep(&r, 10);
	cr_expect(eq(sz, r.s->calls.count, 0));
	close_ng();
}

Test(secret, nothing_is_freed_with_keys_that_were_refused, .init = open_ng)
{
	cr_expect(eq(str,
		(char *)say("offer", DIRECTION,
			SDP("192.0.2.5",
				"1 F8_128_HMAC_SHA1_80 inline:" KEY64)),
		"error"));
	cr_expect(eq(str,
		(char *)say("offer", DIRECTION,
			SDP("192.0.2.5", CRYPTO) "inline:" KEY64 "\r\n"),
		"error"));
	cr_expect(eq(str,
		(char *)say("answer", "6:to-tag1:b", SDP("10.1.1.1", CRYPTO)),
		"error"));
	close_ng();
}

/* A call whose offer is never answered, and one that ends with the relay. */
Test(secret, nothing_is_freed_with_keys_at_the_end, .init = open_ng)
{
	cr_expect(eq(str,
		(char *)say("offer", DIRECTION, SDP("192.0.2.5", CRYPTO)),
		"ok"));
	close_ng();
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Datagrams to replies, with all of control behind the door and a fake data
 * plane behind that. NUL parts the input's datagrams: the later ones meet the
 * calls that the earlier ones made.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "control/bencode.h"
#include "control/log.h"
#include "control/ng.h"

/* Clearing a larger one for each input would take most of the time. */
#define FAKE_FLOWS 512
#define FAKE_QUEUE 256
#include "tests/control/rig.c"

#define MESSAGES 8 /* of one input */

/* The message at hand and what came back. */
static struct {
	const char *at;
	size_t len;
	unsigned int replies;
} message;

static void
check_result(const json_t *reply)
{
	static const char *const results[] = { "ok", "pong", "error",
		"load limit" };
	const char *result =
		json_string_value(json_object_get(reply, "result"));
	const char *reason =
		json_string_value(json_object_get(reply, "error-reason"));
	size_t i = 0;

	if (!result)
		abort();
	while (i < sizeof results / sizeof *results &&
		strcmp(result, results[i]) != 0)
		i++;
	if (i == sizeof results / sizeof *results)
		abort();
	if ((strcmp(result, "error") == 0) != (reason && reason[0]))
		abort();
}

/* The same cookie, the same encoding, nothing behind the dictionary. */
static void
on_send(const struct sp_ng_path *path, const char *reply, size_t len)
{
	const char *space = memchr(message.at, ' ', message.len);
	const size_t cookie = space ? (size_t)(space - message.at) + 1 : 0;
	const bool json = cookie < message.len && message.at[cookie] == '{';
	char again[SP_NG_REPLY_MAX];
	json_t *tree = NULL;
	size_t written = 0;

	(void)path;
	message.replies++;
	if (cookie < 2 || len > SP_NG_REPLY_MAX || len <= cookie ||
		memcmp(reply, message.at, cookie) != 0)
		abort();
	reply += cookie;
	len -= cookie;
	if (json) {
		tree = json_loadb(reply, len, 0, NULL);
	} else if (sp_bencode_parse(reply, len, &tree) == SP_OK) {
		if (sp_bencode_write(tree, again, sizeof again, &written) !=
				SP_OK ||
			written != len || memcmp(again, reply, len) != 0)
			abort();
	}
	if (!json_is_object(tree))
		abort();
	check_result(tree);
	json_decref(tree);
}

static void
say(struct rig *rig, struct sp_ng *ng, const char *at, size_t len)
{
	static const uint8_t ip[4] = { 192, 0, 2, 1 };
	const struct sp_ng_path path = {
		.send = on_send,
		.ends.client = sp_addr_ip4(ip, 5000),
		.came_us = 1000,
	};
	char pong[SP_NG_PONG_MAX];
	size_t pong_len;
	bool taken;

	message.at = at;
	message.len = len;
	message.replies = 0;
	pong_len = sp_ng_pong(ng, at, len, pong);
	if (pong_len > 0)
		on_send(&path, pong, pong_len);
	message.replies = 0;
	taken = sp_ng_take(ng, &path, at, len);
	if (pong_len > 0 && !taken)
		abort();
	for (int i = 0; i < 20 && message.replies < taken; i++)
		rig_sleep(rig, 1);
	if (message.replies != taken)
		abort(); /* one reply, or none at all */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int nowhere = -1;
	const char *at = (const char *)data;
	struct sp_ng *ng = NULL;
	struct rig rig;

	if (nowhere < 0) {
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
		sp_log_to(nowhere);
	}
	rig_open(&rig);
	if (sp_ng_open(rig.s, &ng) != SP_OK)
		abort();
	for (int i = 0; i < MESSAGES && len > 0; i++) {
		const char *end = memchr(at, '\0', len);
		const size_t n = end ? (size_t)(end - at) : len;

		say(&rig, ng, at, n);
		at += n + (end != NULL);
		len -= n + (end != NULL);
	}
	if (rig.dp->errors > 0)
		abort();
	rig_close(&rig);
	sp_ng_close(ng);
	return 0;
}

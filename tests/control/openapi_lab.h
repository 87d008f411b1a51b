/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_TESTS_CONTROL_OPENAPI_LAB_H
#define SP_TESTS_CONTROL_OPENAPI_LAB_H

#include <jansson.h>

#include "control/ng.h"
#include "http_lab.h"

/* The description, as a server of ours serves it, and ways about it. */

static struct sp_ng *ng;

static inline void
start_all(const char *token)
{
	start(token);
	cr_assert(eq(int, sp_ng_open(NULL, &ng), SP_OK));
	sp_http_serve_ng(http, ng, NULL);
}

static inline void
start_plain(void)
{
	start_all("");
}

static inline void
stop_all(void)
{
	fake_answer_all();
	sp_ng_close(ng);
	stop();
}

static inline json_t *
description(void)
{
	static char reply[REPLY_MAX];
	json_error_t error;
	json_t *tree;

	cr_assert(
		eq(int, ask("GET /openapi.json HTTP/1.1\r\n" END, reply), 200));
	tree = json_loads(strstr(reply, "\r\n\r\n") + 4, 0, &error);
	cr_assert(not(eq(ptr, tree, NULL)), "%s", error.text);
	return tree;
}

static inline const char *
text_of(json_t *json)
{
	const char *text = json_string_value(json);

	return text ? text : "";
}

static inline json_t *
schema(json_t *tree, const char *name)
{
	json_t *found = json_object_get(
		json_object_get(json_object_get(tree, "components"), "schemas"),
		name);

	cr_assert(not(eq(ptr, found, NULL)), "%s", name);
	return found;
}

/* The description of the table's field @name, wherever it is. */
static inline json_t *
property(json_t *tree, const char *name)
{
	static const char *const objects[] = { "Offer", "Delete", "Block" };

	for (size_t i = 0; i < 3; i++) {
		json_t *found = json_object_get(
			json_object_get(schema(tree, objects[i]), "properties"),
			name);

		if (found && !json_object_get(found, "$ref"))
			return found;
	}
	cr_assert(false, "%s is not described", name);
	return NULL;
}

#endif

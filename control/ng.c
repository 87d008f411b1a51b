/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/ng.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/bencode.h"
#include "control/flags.h"
#include "control/hash.h"
#include "control/log.h"
#include "control/ng_cache.h"
#include "control/ng_counts.h"
#include "control/ng_reply.h"
#include "control/problem.h"

#define TOLD 256u      /* warnings that are remembered as logged */
#define TOLD_MOST 192u /* then the log has had enough of them */
#define PING_MAX 256u  /* bytes of a dictionary that may be a ping */

struct sp_ng {
	struct sp_service *service;
	struct sp_ng_counts *counts;
	struct sp_ng_cache *cache;
	json_t *warnings; /* of the message at hand */
	uint64_t now_ms;
	uint64_t told[TOLD]; /* hashes; 0 is free */
	unsigned int n_told;
	char out[SP_NG_REPLY_MAX];
};

/* A message, borrowed. */
struct message {
	struct sp_ng *ng;
	const struct sp_ng_path *path;
	struct sp_text cookie; /* empty: there is none */
	struct sp_text body;
	enum sp_ng_encoding encoding;
};

/* A request that the service is at. */
struct asked {
	struct sp_ng *ng;
	struct sp_ng_entry *entry; /* NULL: no cookie, or no memory */
	json_t *tree;              /* holds @call_id */
	struct sp_text call_id;
	struct sp_ng_asked about; /* its warning is ours to release */
	enum sp_ng_encoding encoding;
	unsigned int n_paths;
	struct sp_ng_path path[SP_NG_ASKERS_MAX];
	size_t cookie_len;
	char cookie[];
};

static const char *const verbs[SP_VERB_COUNT] = {
#define X(name, text) [SP_VERB_##name] = text,
	SP_VERB_LIST_ALL(X)
#undef X
};

/* What rtpengine does beyond that. */
static const char *const unsupported[] = { "start recording", "stop recording",
	"pause recording", "start forwarding", "stop forwarding", "play media",
	"stop media", "play DTMF", "publish", "subscribe request",
	"subscribe answer", "unsubscribe", "connect", "create", "create answer",
	"mesh", "transform", "inject start", "inject stop", "cli" };

enum sp_status
sp_ng_open(struct sp_service *service, struct sp_ng **out)
{
	struct sp_ng *ng = calloc(1, sizeof *ng);
	enum sp_status status = SP_NO_MEMORY;

	if (!ng)
		return SP_NO_MEMORY;
	ng->service = service;
	ng->counts = sp_service_ng_counts(service);
	ng->warnings = json_array();
	if (ng->warnings)
		status = sp_ng_cache_open(
			SP_NG_CACHE_BYTES, ng->counts, &ng->cache);
	if (status != SP_OK) {
		sp_ng_close(ng);
		return status;
	}
	*out = ng;
	return SP_OK;
}

void
sp_ng_close(struct sp_ng *ng)
{
	if (!ng)
		return;
	sp_ng_cache_close(ng->cache);
	json_decref(ng->warnings);
	free(ng);
}

/* Write cookie and dictionary into @ng->out. */
static size_t
write_reply(struct sp_ng *ng, enum sp_ng_encoding encoding,
	struct sp_text cookie, const json_t *tree)
{
	size_t used = 0;

	if (cookie.len > 0) {
		memcpy(ng->out, cookie.at, cookie.len);
		ng->out[cookie.len] = ' ';
		used = cookie.len + 1;
	}
	return used +
		sp_ng_reply_write(
			encoding, tree, ng->out + used, sizeof ng->out - used);
}

static void
answer(const struct message *m, json_t *tree)
{
	const size_t len = write_reply(m->ng, m->encoding, m->cookie, tree);

	json_decref(tree);
	m->path->send(m->path, m->ng->out, len);
}

/* Answer what is not even a request. */
static void
refuse(const struct message *m, const char *reason)
{
	struct sp_log l = sp_log_begin(SP_LOG_WARNING, "ng_malformed");
	char client[SP_ADDR_TEXT];

	sp_log_string(
		&l, "client", sp_addr_print(&m->path->ends.client, client));
	sp_log_string(&l, "text", reason);
	sp_log_end(&l);
	m->ng->counts->malformed++;
	answer(m, sp_ng_reply_error(reason, NULL));
}

/* The body as a dictionary, or NULL and why not. */
static json_t *
decode(const struct message *m, const char **reason)
{
	json_t *tree = NULL;
	json_error_t error;
	bool memory = true;

	*reason = "Invalid data (no payload)";
	if (m->body.len == 0)
		return NULL;
	*reason = "Invalid NG data format";
	if (m->body.at[0] == '{') {
		*reason = "Failed to parse JSON document";
		tree = json_loadb(m->body.at, m->body.len, 0, &error);
		memory = tree ||
			json_error_code(&error) != json_error_out_of_memory;
	} else if (m->body.at[0] == 'd') {
		*reason = "Could not decode bencode dictionary";
		memory = sp_bencode_parse(m->body.at, m->body.len, &tree) !=
			SP_NO_MEMORY;
	}
	if (!memory)
		*reason = "Load limit exceeded";
	return tree;
}

static struct sp_text
text_of(const json_t *string)
{
	return (struct sp_text){ json_string_value(string),
		json_string_length(string) };
}

/* SP_VERB_COUNT: none of ours. */
static enum sp_verb
verb_of(struct sp_text command)
{
	enum sp_verb v = 0;

	while (v < SP_VERB_COUNT && !sp_flags_same(verbs[v], command))
		v++;
	return v;
}

static void
refuse_command(const struct message *m, struct sp_text command)
{
	char reason[64];

	for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++) {
		if (!sp_flags_same(unsupported[i], command))
			continue;
		snprintf(reason, sizeof reason, "unsupported command: %s",
			unsupported[i]);
		refuse(m, reason);
		return;
	}
	refuse(m, "Unrecognized command");
}

static bool
knows_load_limit(const json_t *tree)
{
	const json_t *supports = json_object_get(tree, "supports");
	const json_t *item;
	size_t i;

	if (json_is_string(supports))
		return sp_flags_same("load limit", text_of(supports));
	json_array_foreach(supports, i, item) if (json_is_string(item) &&
		sp_flags_same("load limit", text_of(item))) return true;
	return false;
}

/* The same flag of the same script comes with every call: one line will do. */
static void
log_once(struct sp_ng *ng, const struct sp_request *request,
	const json_t *warning)
{
	static const struct sp_hash_key key; /* it need not be a secret */
	const struct sp_text text = text_of(warning);
	const uint64_t hash = sp_hash(&key, text.at, text.len) | 1;
	struct sp_log l;
	size_t i = hash / 2 % TOLD;

	while (ng->told[i] != 0 && ng->told[i] != hash)
		i = (i + 1) % TOLD;
	if (ng->told[i] == hash || ng->n_told == TOLD_MOST)
		return;
	ng->told[i] = hash;
	ng->n_told++;
	l = sp_log_begin(SP_LOG_WARNING, "ng_ignored");
	sp_log_text(&l, "call", request->call_id.at, request->call_id.len);
	sp_log_text(&l, "text", text.at, text.len);
	sp_log_end(&l);
}

static void
log_refused(const struct asked *a, const struct sp_problem *p)
{
	struct sp_log l = sp_log_begin(SP_LOG_WARNING, "refused");

	sp_log_string(&l, "command", verbs[a->about.verb]);
	sp_log_text(&l, "call", a->call_id.at, a->call_id.len);
	sp_log_string(&l, "type", p->type);
	sp_log_string(&l, "where", p->where[0] ? p->where : NULL);
	sp_log_string(&l, "text", p->detail);
	sp_log_end(&l);
}

static void
free_asked(struct asked *a)
{
	json_decref(a->about.warning);
	json_decref(a->tree);
	free(a);
}

/* Answer all who asked, keep the reply, and forget the request. */
static void
on_reply(void *arg, const struct sp_reply *reply)
{
	struct asked *a = arg;
	struct sp_ng *ng = a->ng;
	const struct sp_text cookie = { a->cookie, a->cookie_len };
	json_t *tree = sp_ng_reply(&a->about, reply);
	const size_t len = write_reply(ng, a->encoding, cookie, tree);

	json_decref(tree);
	if (reply->problem)
		log_refused(a, reply->problem);
	if (a->entry)
		sp_ng_cache_finish(
			ng->cache, a->entry, ng->out, len, ng->now_ms);
	for (unsigned int i = 0; i < a->n_paths; i++)
		a->path[i].send(&a->path[i], ng->out, len);
	explicit_bzero(ng->out, len); /* the SDP may have keys in it */
	free_asked(a);
}

static struct asked *
asked_of(const struct message *m, enum sp_verb verb, json_t *tree)
{
	const struct sp_ng_key key = { m->path->ends.client, m->cookie.at,
		m->cookie.len, m->body.at, m->body.len };
	struct asked *a = malloc(sizeof *a + m->cookie.len);

	if (!a)
		return NULL;
	a->ng = m->ng;
	a->tree = json_incref(tree);
	a->call_id = (struct sp_text){ 0 };
	a->about = (struct sp_ng_asked){
		.verb = verb,
		.load_limit = knows_load_limit(tree),
	};
	a->encoding = m->encoding;
	a->n_paths = 1;
	a->path[0] = *m->path;
	a->cookie_len = m->cookie.len;
	a->entry = NULL;
	if (m->cookie.len > 0) {
		memcpy(a->cookie, m->cookie.at, m->cookie.len);
		a->entry = sp_ng_cache_add(m->ng->cache, &key, a);
	}
	return a;
}

/* Let the service do @request, or answer why it need not. */
static void
ask(struct sp_ng *ng, struct asked *a, struct sp_request *request)
{
	const struct sp_reply fine = { .http = 200 };
	const json_t *warning;
	size_t i;

	ng->counts->requests++;
	json_array_foreach(ng->warnings, i, warning)
		log_once(ng, request, warning);
	a->about.warning = sp_ng_reply_join(NULL, ng->warnings);
	a->about.fatal = request->fatal;
	a->call_id = request->call_id;
	request->began_us = a->path[0].came_us;
	/* Candidates are of no use to who does not speak ICE: no error. */
	if (request->fragment)
		on_reply(a, &fine);
	else
		sp_command(ng->service, request, on_reply, a);
}

static void
run(const struct message *m, enum sp_verb verb, json_t *tree)
{
	struct asked *a = asked_of(m, verb, tree);
	struct sp_ng *ng = m->ng;
	struct sp_problem problem;
	const struct sp_reply bad = { .http = 400, .problem = &problem };
	struct sp_request request;

	if (!a) {
		answer(m, NULL);
		return;
	}
	if (sp_request_ng(verb, tree, ng->warnings, &request, &problem) !=
		SP_OK) {
		ng->counts->malformed++;
		on_reply(a, &bad);
	} else {
		ask(ng, a, &request);
		sp_request_close(&request);
	}
	json_array_clear(ng->warnings);
}

static void
take(struct message *m)
{
	const char *reason;
	json_t *tree;
	const json_t *command;
	enum sp_verb verb;

	m->encoding = m->body.len > 0 && m->body.at[0] == '{' ? SP_NG_JSON
							      : SP_NG_BENCODE;
	tree = decode(m, &reason);
	if (!tree) {
		refuse(m, reason);
		return;
	}
	command = json_object_get(tree, "command");
	verb = verb_of(text_of(command));
	if (!json_is_string(command)) {
		refuse(m, "Dictionary contains no key \"command\"");
	} else if (verb == SP_VERB_COUNT) {
		refuse_command(m, text_of(command));
	} else if (verb == SP_VERB_PING) {
		m->ng->counts->pings++;
		answer(m, json_pack("{s:s}", "result", "pong"));
	} else {
		run(m, verb, tree);
	}
	json_decref(tree);
}

/* Part the cookie from the rest; false: there is none. */
static bool
cut_cookie(const char *data, size_t len, struct message *m)
{
	const char *space = memchr(data, ' ', len);

	if (!space || space == data ||
		(size_t)(space - data) > SP_NG_COOKIE_MAX)
		return false;
	m->cookie = (struct sp_text){ data, (size_t)(space - data) };
	m->body = (struct sp_text){ space + 1, len - m->cookie.len - 1 };
	return true;
}

static bool
repeat(const struct message *m, struct sp_ng_entry *entry)
{
	struct asked *a = entry->asked;

	if (!a) {
		m->ng->counts->replayed++;
		m->path->send(m->path, entry->reply, entry->reply_len);
		return true;
	}
	if (a->n_paths == SP_NG_ASKERS_MAX) {
		m->ng->counts->surplus++;
		return false;
	}
	m->ng->counts->duplicates++;
	a->path[a->n_paths++] = *m->path;
	return true;
}

bool
sp_ng_take(struct sp_ng *ng, const struct sp_ng_path *path, const char *data,
	size_t len)
{
	struct message m = { .ng = ng, .path = path };
	struct sp_ng_key key;
	struct sp_ng_entry *entry;

	if (!cut_cookie(data, len, &m)) {
		ng->counts->no_cookie++;
		return false;
	}
	sp_ng_tick(ng, path->came_us / 1000);
	key = (struct sp_ng_key){ path->ends.client, m.cookie.at, m.cookie.len,
		m.body.at, m.body.len };
	entry = sp_ng_cache_find(ng->cache, &key);
	if (entry)
		return repeat(&m, entry);
	take(&m);
	return true;
}

void
sp_ng_take_bare(struct sp_ng *ng, const struct sp_ng_path *path,
	const char *data, size_t len)
{
	struct message m = { .ng = ng, .path = path, .body = { data, len } };

	sp_ng_tick(ng, path->came_us / 1000);
	take(&m);
}

size_t
sp_ng_pong(struct sp_ng *ng, const char *data, size_t len,
	char out[SP_NG_PONG_MAX])
{
	static const char ping[] = "d7:command4:pinge";
	static const char *const pong[] = {
		[SP_NG_BENCODE] = "d6:result4:ponge",
		[SP_NG_JSON] = "{\"result\":\"pong\"}",
	};
	struct message m = { .ng = ng };
	const char *reason;
	json_t *tree;
	bool is_ping = true;

	if (!cut_cookie(data, len, &m) || m.body.len > PING_MAX ||
		!memmem(m.body.at, m.body.len, "ping", 4))
		return 0;
	m.encoding = m.body.at[0] == '{' ? SP_NG_JSON : SP_NG_BENCODE;
	if (m.body.len != sizeof ping - 1 ||
		memcmp(m.body.at, ping, sizeof ping - 1) != 0) {
		tree = decode(&m, &reason);
		is_ping = verb_of(text_of(json_object_get(tree, "command"))) ==
			SP_VERB_PING;
		json_decref(tree);
	}
	if (!is_ping)
		return 0;
	ng->counts->pings++;
	memcpy(out, data, m.cookie.len + 1);
	memcpy(out + m.cookie.len + 1, pong[m.encoding],
		strlen(pong[m.encoding]));
	return m.cookie.len + 1 + strlen(pong[m.encoding]);
}

void
sp_ng_tick(struct sp_ng *ng, uint64_t now_ms)
{
	/* A message that had to wait tells a time that has passed. */
	if (now_ms > ng->now_ms)
		ng->now_ms = now_ms;
	sp_ng_cache_tick(ng->cache, ng->now_ms);
}

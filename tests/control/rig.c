/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A service on the fake data plane and short ways to ask it, included by the
 * tests of control.
 */
#include <jansson.h>

#include "control/service.h"
#include "tests/control/fake_dataplane.c"

#define RIG_SDP 4096

struct rig {
	struct sp_config conf;
	struct sp_dataplane *dp;
	struct sp_service *s;
	/* The last answer. */
	unsigned int replies;
	int http;
	char type[32];
	char where[64];
	char detail[320];
	json_t *body;
};

static void
rig_addr(struct sp_addr *out, const char *text)
{
	if (sp_addr_parse(text, strlen(text), out) != SP_OK)
		abort();
}

/*
 * Two realms: "out" in IPv4 and IPv6 from port 30000 on, "in" in IPv4 from
 * 40000 on; 64 ports an address.
 */
static void
rig_conf(struct sp_config *conf)
{
	static const char *const name[] = { "out", "in" };

	memset(conf, 0, sizeof *conf);
	conf->workers = 1;
	conf->max_calls = 100;
	conf->max_media = 8;
	conf->n_realms = 2;
	for (unsigned int r = 0; r < 2; r++) {
		snprintf(conf->realm[r].name, sizeof conf->realm[r].name, "%s",
			name[r]);
		conf->realm[r].first_port = (uint16_t)(30000 + r * 10000);
		conf->realm[r].last_port = (uint16_t)(30063 + r * 10000);
		conf->more[r].latch = SP_LATCH_RESTRICTED;
	}
	conf->realm[0].n_addrs = 2;
	rig_addr(&conf->realm[0].addr[0], "203.0.113.10");
	rig_addr(&conf->realm[0].addr[1], "2001:db8::10");
	rig_addr(&conf->more[0].advertise[0], "198.51.100.7");
	conf->realm[0].dscp = 46;
	conf->realm[1].n_addrs = 1;
	rig_addr(&conf->realm[1].addr[0], "10.9.0.1");
	conf->more[1].unanswered_packets = 250;
	rig_addr(&conf->http, "10.9.0.99");
	conf->media_s = 60;
	conf->hold_s = 3600;
	conf->offer_s = 300;
	conf->delete_delay_s = 0;
}

static void
rig_start(struct rig *r)
{
	r->dp = fake_open(r->conf.workers);
	if (sp_service_open(&r->conf, r->dp, &r->s) != SP_OK)
		abort();
}

static inline void
rig_open(struct rig *r)
{
	memset(r, 0, sizeof *r);
	rig_conf(&r->conf);
	rig_start(r);
}

static void
rig_close(struct rig *r)
{
	sp_service_close(r->s);
	json_decref(r->body);
	r->body = NULL;
	free(r->dp);
}

static void
rig_reply(void *arg, const struct sp_reply *reply)
{
	struct rig *r = arg;
	const struct sp_problem *p = reply->problem;

	r->replies++;
	r->http = reply->http;
	json_decref(r->body);
	r->body = reply->body ? json_incref(reply->body) : NULL;
	snprintf(r->type, sizeof r->type, "%s", p ? p->type : "");
	snprintf(r->where, sizeof r->where, "%s", p ? p->where : "");
	snprintf(r->detail, sizeof r->detail, "%s", p ? p->detail : "");
}

static struct sp_text
rig_text(const char *text)
{
	return (struct sp_text){ text, text ? strlen(text) : 0 };
}

/* Let workers answer until nothing is left to do. */
static void
rig_serve(struct rig *r)
{
	for (int i = 0; i < 8; i++)
		sp_service_serve(r->s);
}

/* Pass time, a second a tick. */
static void
rig_sleep(struct rig *r, unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds; i++) {
		r->dp->now_ms += 1000;
		sp_service_tick(r->s);
		sp_service_serve(r->s);
	}
}

/* Ask, wait for the answer, return its HTTP status. */
static int
rig_ask(struct rig *r, const struct sp_request *request)
{
	const unsigned int before = r->replies;

	r->http = 0;
	sp_command(r->s, request, rig_reply, r);
	rig_serve(r);
	/* Orders that were refused are repeated after a while. */
	for (int i = 0; i < 20 && r->replies == before; i++)
		rig_sleep(r, 1);
	return r->replies == before + 1 ? r->http : -1;
}

static inline struct sp_request
rig_request(enum sp_verb verb, const char *from, const char *to,
	const char *branch, const char *sdp)
{
	return (struct sp_request){
		.verb = verb,
		.call_id = rig_text("call-1"),
		.from_tag = rig_text(from),
		.to_tag = rig_text(to),
		.branch = rig_text(branch),
		.sdp = rig_text(sdp),
		.policy = { .replace = SP_REPLACE_ORIGIN },
	};
}

static inline int
rig_offer(struct rig *r, const char *from, const char *to, const char *branch,
	const char *sdp)
{
	const struct sp_request request =
		rig_request(SP_VERB_OFFER, from, to, branch, sdp);

	return rig_ask(r, &request);
}

static inline int
rig_answer(struct rig *r, const char *from, const char *to, const char *branch,
	const char *sdp)
{
	const struct sp_request request =
		rig_request(SP_VERB_ANSWER, from, to, branch, sdp);

	return rig_ask(r, &request);
}

static inline int
rig_delete(struct rig *r, const char *from, const char *to, const char *branch)
{
	const struct sp_request request =
		rig_request(SP_VERB_DELETE, from, to, branch, NULL);

	return rig_ask(r, &request);
}

static inline int
rig_query(struct rig *r)
{
	const struct sp_request request =
		rig_request(SP_VERB_QUERY, NULL, NULL, NULL, NULL);

	return rig_ask(r, &request);
}

/* An SDP with one audio line; @more follows it. Static storage. */
static inline const char *
rig_sdp(const char *ip, unsigned int port, const char *more)
{
	static char text[4][RIG_SDP];
	static unsigned int next;
	char *out = text[next++ % 4];
	const char *family = strchr(ip, ':') ? "IP6" : "IP4";

	snprintf(out, RIG_SDP,
		"v=0\r\no=- 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n"
		"m=audio %u RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n%s",
		family, ip, family, ip, port, more ? more : "");
	return out;
}

/* The SDP of the last answer, "" if there was none. */
static inline const char *
rig_got(const struct rig *r)
{
	const char *sdp = json_string_value(json_object_get(r->body, "sdp"));

	return sdp ? sdp : "";
}

/* The port of the @n-th m= line of an SDP; 0 too if there is no such line. */
static inline unsigned int
rig_port(const char *sdp, unsigned int n)
{
	const char *at = sdp;

	for (;; at++) {
		at = strstr(at, "m=");
		if (!at)
			return 0;
		if (at != sdp && at[-1] != '\n')
			continue;
		if (n-- == 0)
			return (unsigned int)strtoul(strchr(at, ' '), NULL, 10);
	}
}

/* What the flow on @port was told last; NULL: none runs there. */
static inline const struct sp_flow_conf *
rig_flow(const struct rig *r, unsigned int port)
{
	const uint32_t f = fake_find(r->dp, 0, (uint16_t)port);

	return f ? &r->dp->flow[0][f].conf : NULL;
}

/* A member of the last answer, by path: "parties", 0, "media", ... */
static inline json_t *
rig_media(const struct rig *r, size_t party, size_t m)
{
	return json_array_get(
		json_object_get(
			json_array_get(
				json_object_get(r->body, "parties"), party),
			"media"),
		m);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* POST /ng: the ng protocol in the bodies of HTTP. */
#include "http_lab.h"

#include "control/ng.h"

#define NG "Content-Type: application/x-rtpengine-ng\r\n"
#define NG_OFFER                                                               \
	"{\"command\":\"offer\",\"call-id\":\"c\",\"from-tag\":\"f\","         \
	"\"sdp\":\"v=0\"}"
#define NG_REPLY "{\"result\":\"ok\",\"sdp\":\"v=0\\r\\n\",\"fake\":true}"

static struct sp_ng *ng;

static void
start_ng(void)
{
	start_open();
	cr_assert(eq(int, sp_ng_open(NULL, &ng), SP_OK));
	sp_http_serve_ng(http, ng, NULL);
}

static void
stop_ng(void)
{
	fake_answer_all();
	sp_ng_close(ng);
	stop();
}

TestSuite(http_ng, .init = start_ng, .fini = stop_ng);

/* Does @reply, headers included, end with @body? */
static bool
ends(const char *reply, const char *body)
{
	const char *at = strstr(reply, "\r\n\r\n");

	return at && strcmp(at + 4, body) == 0;
}

Test(http_ng, a_message_is_answered_in_its_content_type)
{
	char reply[REPLY_MAX];

	cr_expect(eq(int, post("/ng", NG, "c d7:command4:pinge", reply), 200));
	cr_expect(has(reply, NG), "%s", reply);
	cr_expect(ends(reply, "c d6:result4:ponge"), "%s", reply);
	cr_expect(eq(int, post("/ng", NG, "c " NG_OFFER, reply), 200));
	cr_expect(has(reply, NG), "%s", reply);
	cr_expect(ends(reply, "c " NG_REPLY), "%s", reply);
	cr_expect(eq(int, post("/ng", JSON, "c " NG_OFFER, reply), 200));
	cr_expect(has(reply, JSON), "%s", reply);
	cr_expect(ends(reply, "c " NG_REPLY), "%s", reply);
	cr_expect(eq(uint, fake.asked, 1), "the cookie is the same");
	cr_expect(eq(int, fake.door, SP_DOOR_NG));
}

Test(http_ng, json_needs_no_cookie)
{
	char reply[REPLY_MAX];

	cr_expect(eq(int, post("/ng", JSON, NG_OFFER, reply), 200));
	cr_expect(ends(reply, NG_REPLY), "%s", reply);
	cr_expect(eq(int, post("/ng", JSON, " \r\n\t" NG_OFFER, reply), 200));
	cr_expect(ends(reply, NG_REPLY), "%s", reply);
	cr_expect(eq(uint, fake.asked, 2));
	cr_expect(eq(int, post("/ng", JSON, "{}", reply), 200));
	cr_expect(has(reply, "no key \\\"command\\\""), "%s", reply);
}

Test(http_ng, what_has_no_cookie_but_should_is_a_problem)
{
	static const char *const bodies[] = { "", "cookie", " x",
		"d7:command4:pinge" };
	char reply[REPLY_MAX];

	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		cr_expect(eq(int, post("/ng", NG, bodies[i], reply), 400), "%s",
			bodies[i]);
		cr_expect(has(reply, "problem:bad-value"), "%s", reply);
		cr_expect(eq(int, post("/ng", JSON, bodies[i], reply), 400),
			"%s", bodies[i]);
	}
	cr_expect(
		eq(int, post("/ng", NG, "{\"command\":\"ping\"}", reply), 400));
}

Test(http_ng, other_content_types_are_refused)
{
	char reply[REPLY_MAX];

	cr_expect(eq(int, post("/ng", "", "c d7:command4:pinge", reply), 415));
	cr_expect(eq(int,
		post("/ng", "Content-Type: text/plain\r\n",
			"c d7:command4:pinge", reply),
		415));
	cr_expect(has(reply, "application/x-rtpengine-ng"), "%s", reply);
	cr_expect(eq(int, post("/v1/offer", NG, OFFER, reply), 415));
	cr_expect(eq(int, ask("GET /ng HTTP/1.1\r\n" END, reply), 405));
	cr_expect(has(reply, "Allow: POST\r\n"), "%s", reply);
}

/* Send a request and leave it; the descriptor to read its reply from. */
static int
begin(const char *body)
{
	const int fd = dial();
	char head[200];

	snprintf(head, sizeof head,
		"POST /ng HTTP/1.1\r\nContent-Length: %zu\r\n" NG END,
		strlen(body));
	send_text(fd, head);
	send_text(fd, body);
	serve_for(5);
	return fd;
}

Test(http_ng, a_duplicate_on_another_connection_gets_the_same_reply)
{
	char reply[REPLY_MAX];
	int fd[2];

	fake.later = true;
	fd[0] = begin("c " NG_OFFER);
	fd[1] = begin("c " NG_OFFER);
	cr_expect(eq(uint, fake.asked, 1));
	fake_answer_all();
	for (int i = 0; i < 2; i++) {
		cr_assert(gt(long, (long)read_all(fd[i], reply), 0));
		cr_expect(ends(reply, "c " NG_REPLY), "%s", reply);
		close(fd[i]);
	}
	cr_expect(eq(u64, fake.counts.duplicates, 1));
}

Test(http_ng, clients_that_left_do_no_harm)
{
	fake.later = true;
	for (int i = 0; i < 4; i++)
		close(begin("c " NG_OFFER));
	serve_for(3);
	cr_expect(eq(uint, fake.asked, 1));
	fake_answer_all();
	serve_for(3);
}

Test(http_ng, the_token_is_asked_for)
{
	char reply[REPLY_MAX];

	sp_http_close(http);
	start("a-token-of-some-length");
	sp_http_serve_ng(http, ng, NULL);
	cr_expect(eq(int, post("/ng", NG, "c d7:command4:pinge", reply), 401));
	cr_expect(eq(int,
		post("/ng",
			NG "Authorization: Bearer a-token-of-some-length\r\n",
			"c d7:command4:pinge", reply),
		200));
}

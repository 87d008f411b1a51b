/* SPDX-License-Identifier: BSD-3-Clause */
#include <dirent.h>

#include "http_lab.h"

Test(http, an_offer_is_answered_at_once, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];

	cr_expect(eq(int, post("/v1/offer", JSON, OFFER, reply), 200));
	cr_expect(
		has(reply, "Content-Type: application/json\r\n"), "%s", reply);
	cr_expect(has(reply, "{\"sdp\":\"v=0\\r\\n\",\"fake\":true}"), "%s",
		reply);
	cr_expect(eq(int, fake.verb, SP_VERB_OFFER));
	cr_expect(eq(str, fake.call_id, "abc"));
	cr_expect(eq(sz, fake.sdp_len, 5));
}

Test(http, an_offer_is_answered_later, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];
	char request[300];
	const int fd = dial();

	fake.later = true;
	snprintf(request, sizeof request,
		"POST /v1/offer HTTP/1.1\r\nContent-Length: %zu\r\n" JSON END,
		strlen(OFFER));
	send_text(fd, request);
	send_text(fd, OFFER);
	serve_for(10);
	cr_assert(eq(uint, fake.waiting, 1));
	cr_expect(eq(long, recv(fd, reply, 1, MSG_DONTWAIT), -1));
	fake_answer_all();
	cr_assert(gt(long, (long)read_all(fd, reply), 0));
	cr_expect(has(reply, "HTTP/1.1 200"), "%s", reply);
	close(fd);
}

Test(http, a_client_that_left_does_no_harm, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];

	fake.later = true;
	for (int i = 0; i < 8; i++) {
		const int fd = dial();
		const struct linger reset = { 1, i % 2 };

		send_text(fd,
			"GET /v1/calls/abc HTTP/1.1\r\nHost: localhost\r\n"
			"\r\n");
		serve_for(3);
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		close(fd);
		serve_for(2);
	}
	cr_assert(eq(uint, fake.waiting, 8));
	fake_answer_all();
	serve_for(5);
	fake.later = false;
	cr_expect(eq(int, ask("GET /v1/calls HTTP/1.1\r\n" END, reply), 200));
}

Test(http, closing_answers_nobody_twice, .init = start_open)
{
	const int fd = dial();

	fake.later = true;
	send_text(fd, "GET /v1/calls/abc HTTP/1.1\r\n" END);
	serve_for(5);
	cr_assert(eq(uint, fake.waiting, 1));
	stop();
	cr_expect(eq(uint, fake.waiting, 0));
	close(fd);
}

Test(http, what_comes_while_closing_is_not_run, .init = start_open)
{
	char reply[REPLY_MAX];
	const int fd = dial();

	serve_for(2);
	send_text(fd, "GET /v1/calls/abc HTTP/1.1\r\n" END);
	usleep(20000); /* it is with the kernel, nobody has read it */
	stop();
	cr_expect(eq(uint, fake.asked, 0));
	cr_expect(eq(long, (long)recv(fd, reply, 1, 0), 0));
	close(fd);
}

Test(http, a_connection_serves_many_requests, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];
	const int fd = dial();
	const char *at = reply;
	int replies = 0;

	for (int i = 0; i < 20; i++)
		send_text(
			fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	send_text(fd, "GET /healthz HTTP/1.1\r\n" END);
	cr_assert(gt(long, (long)read_all(fd, reply), 0));
	while ((at = strstr(at, "HTTP/1.1 200"))) {
		replies++;
		at++;
	}
	cr_expect(eq(int, replies, 21));
	close(fd);
}

Test(http, a_call_id_in_a_path_is_unescaped, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];

	cr_expect(eq(int,
		ask("DELETE /v1/calls/a%40b%2Fc/d+e HTTP/1.1\r\n" END, reply),
		200));
	cr_expect(eq(str, fake.call_id, "a@b/c/d+e"));
	cr_expect(eq(int, fake.verb, SP_VERB_DELETE));
}

Test(http, a_list_has_its_limits, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];

	cr_expect(eq(int, ask("GET /v1/calls HTTP/1.1\r\n" END, reply), 200));
	cr_expect(eq(u32, fake.limit, SP_LIST_LIMIT));
	cr_expect(eq(str, fake.after, ""));
	cr_expect(eq(int,
		ask("GET /v1/calls?limit=7&after=a%40b HTTP/1.1\r\n" END,
			reply),
		200));
	cr_expect(eq(u32, fake.limit, 7));
	cr_expect(eq(str, fake.after, "a@b"));
}

Test(http, refusals_are_problems, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];

	cr_expect(eq(int, post("/v1/offer", JSON, "{", reply), 400));
	cr_expect(has(reply, "problem:bad-json"), "%s", reply);
	cr_expect(eq(int, post("/v1/offer", JSON, "", reply), 400));
	cr_expect(eq(int, post("/v1/offer", JSON, "{}", reply), 400));
	cr_expect(has(reply, "problem:missing-field"), "%s", reply);
	cr_expect(eq(int, post("/v1/offer", "", OFFER, reply), 415));
	cr_expect(eq(int,
		post("/v1/offer", "Content-Type: text/plain\r\n", OFFER, reply),
		415));
	cr_expect(eq(int,
		post("/v1/offer",
			"Content-Type: application/json;charset=utf-8\r\n",
			OFFER, reply),
		200));
	fake.refuse = true;
	cr_expect(eq(int, post("/v1/offer", JSON, OFFER, reply), 503));
	cr_expect(has(reply, "Retry-After: 5\r\n"), "%s", reply);
	cr_expect(has(reply, "no port is free"), "%s", reply);
	fake.full = true;
	cr_expect(eq(int, ask("GET /readyz HTTP/1.1\r\n" END, reply), 503));
	cr_expect(eq(uint, fake.asked, 2));
}

Test(http, a_large_body_is_refused_before_it_is_read, .init = start_open,
	.fini = stop)
{
	char reply[REPLY_MAX];

	cr_expect(eq(int,
		ask("POST /v1/offer HTTP/1.1\r\n" JSON
		    "Content-Length: 65537\r\n" END,
			reply),
		413));
	cr_expect(has(reply, "problem:too-large"), "%s", reply);
	cr_expect(eq(int,
			  ask("POST /v1/offer HTTP/1.1\r\n" JSON
			      "Content-Length: 99999999999999999999\r\n" END,
				  reply),
			  413),
		"%s", reply);
	cr_expect(eq(uint, fake.asked, 0));
}

/* A chunk of 4000 blanks. */
static void
send_chunk(int fd)
{
	char chunk[4096];

	snprintf(chunk, sizeof chunk, "fa0\r\n%*s\r\n", 0xfa0, "");
	send_text(fd, chunk);
}

Test(http, a_chunked_body_is_cut_at_the_limit, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];
	const int fd = dial();

	send_text(fd,
		"POST /v1/offer HTTP/1.1\r\n" JSON
		"Transfer-Encoding: chunked\r\n" END);
	for (int i = 0; i < 20; i++)
		send_chunk(fd);
	send_text(fd, "0\r\n\r\n");
	cr_assert(gt(long, (long)read_all(fd, reply), 0));
	cr_expect(has(reply, "HTTP/1.1 413"), "%s", reply);
	cr_expect(eq(uint, fake.asked, 0));
	close(fd);
}

Test(http, a_chunked_body_within_the_limit_is_read, .init = start_open,
	.fini = stop)
{
	char reply[REPLY_MAX];
	char last[200];
	const int fd = dial();

	send_text(fd,
		"POST /v1/offer HTTP/1.1\r\n" JSON
		"Transfer-Encoding: chunked\r\n" END);
	for (int i = 0; i < 16; i++)
		send_chunk(fd);
	snprintf(last, sizeof last, "%zx\r\n%s\r\n0\r\n\r\n", strlen(OFFER),
		OFFER);
	send_text(fd, last);
	cr_assert(gt(long, (long)read_all(fd, reply), 0));
	cr_expect(has(reply, "HTTP/1.1 200"), "%s", reply);
	close(fd);
}

Test(http, an_endless_body_is_hung_up_on, .init = start_open, .fini = stop)
{
	const int fd = dial();
	bool open = true;

	send_text(fd,
		"POST /v1/offer HTTP/1.1\r\n" JSON
		"Transfer-Encoding: chunked\r\n" END);
	for (int i = 0; i < 2000 && open; i++) {
		char chunk[4096];

		snprintf(chunk, sizeof chunk, "fa0\r\n%*s\r\n", 0xfa0, "");
		open = send(fd, chunk, strlen(chunk), MSG_NOSIGNAL) > 0;
		serve();
	}
	cr_expect(not(open));
	close(fd);
}

Test(http, a_slow_client_is_cut_off, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];
	const int slow = dial();
	const int idle = dial();

	send_text(slow, "POST /v1/offer HTTP/1.1\r\nHost: loc");
	serve_for(3);
	sp_http_tick(http, 1000 + SP_HTTP_PATIENCE_MS);
	send_text(slow, "alhost\r\n");
	serve_for(3);
	cr_expect(eq(long, recv(slow, reply, 1, MSG_DONTWAIT), -1));
	sp_http_tick(http, 1001 + SP_HTTP_PATIENCE_MS);
	cr_expect(eq(long, (long)read_all(slow, reply), 0));
	cr_expect(eq(long, (long)read_all(idle, reply), 0));
	cr_expect(eq(int, ask("GET /healthz HTTP/1.1\r\n" END, reply), 200));
	close(slow);
	close(idle);
}

Test(http, a_crowd_of_slow_clients_keeps_nobody_out, .init = start_open,
	.fini = stop)
{
	char reply[REPLY_MAX];
	int slow[SP_HTTP_CROWD + 32];
	const size_t n = sizeof slow / sizeof *slow;

	for (size_t i = 0; i < n; i++) {
		slow[i] = dial();
		send_text(slow[i], "POST /v1/offer HTTP/1.1\r\nHost: loc");
		serve_for(1);
		sp_http_tick(http, 2000 + i);
	}
	cr_expect(eq(int, ask("GET /healthz HTTP/1.1\r\n" END, reply), 200));
	cr_expect(eq(long, (long)read_all(slow[0], reply), 0));
	cr_expect(eq(long, recv(slow[n - 1], reply, 1, MSG_DONTWAIT), -1));
	for (size_t i = 0; i < n; i++)
		close(slow[i]);
}

Test(http, our_own_slowness_cuts_nobody_off, .init = start_open, .fini = stop)
{
	char reply[REPLY_MAX];
	const int fd = dial();

	fake.later = true;
	send_text(fd, "GET /v1/calls/abc HTTP/1.1\r\n" END);
	serve_for(3);
	sp_http_tick(http, 1001 + SP_HTTP_PATIENCE_MS);
	serve_for(3);
	fake_answer_all();
	cr_assert(gt(long, (long)read_all(fd, reply), 0));
	cr_expect(has(reply, "HTTP/1.1 200"), "%s", reply);
	close(fd);
}

Test(http, nonsense_gets_an_end_and_no_command, .init = start_open,
	.fini = stop)
{
	static const char *const nonsense[] = {
		"\r\n\r\n\r\n\r\n",
		"GET\r\n\r\n",
		"\x16\x03\x01\x02\x01\x01\xfc\x03\x03 TLS\r\n\r\n",
		"POST /v1/offer HTTP/1.1\r\nHost: localhost\r\n"
		"Transfer-Encoding: chunked\r\n" JSON
		"\r\nffffffffffffffffff\r\n",
	};

	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		char reply[REPLY_MAX];
		const int fd = dial();

		send_text(fd, nonsense[i]);
		shutdown(fd, SHUT_WR);
		serve_for(3);
		sp_http_tick(http, 1001 + (i + 1) * SP_HTTP_PATIENCE_MS);
		cr_expect(ge(long, (long)read_all(fd, reply), 0), "%zu", i);
		cr_expect(not(has(reply, "HTTP/1.1 200")));
		close(fd);
	}
	cr_expect(eq(uint, fake.asked, 0));
}

Test(http, a_taken_port_is_told, .init = start_open, .fini = stop)
{
	char why[SP_HTTP_WHY];
	struct sp_http *second = NULL;
	struct sp_config other = conf;

	other.http.port = sp_http_port(http);
	cr_expect(eq(int, sp_http_open(&other, NULL, &second, why), SP_SYSTEM));
	cr_expect(has(why, "Address already in use"), "%s", why);
	cr_expect(eq(ptr, second, NULL));
}

Test(http, a_missing_certificate_is_told)
{
	char why[SP_HTTP_WHY];
	struct sp_http *h = NULL;

	sp_config_default(&conf);
	conf.http.port = 0;
	snprintf(conf.tls_cert, sizeof conf.tls_cert, "/nonexistent");
	snprintf(conf.tls_key, sizeof conf.tls_key, "/nonexistent");
	cr_expect(eq(int, sp_http_open(&conf, NULL, &h, why), SP_SYSTEM));
	cr_expect(has(why, "/nonexistent of control.tls_cert"), "%s", why);
}

static int
open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	cr_assert(not(eq(ptr, dir, NULL)));
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

Test(http, a_bad_certificate_is_told_and_nothing_stays_open)
{
	char path[] = "pem-XXXXXX";
	char why[SP_HTTP_WHY];
	struct sp_http *h = NULL;
	const int fd = mkstemp(path);
	int before;

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(long, write(fd, "no PEM", 6), 6));
	close(fd);
	sp_log_to(open("/dev/null", O_WRONLY | O_CLOEXEC));
	sp_config_default(&conf);
	conf.http.port = 0;
	snprintf(conf.tls_cert, sizeof conf.tls_cert, "%s", path);
	snprintf(conf.tls_key, sizeof conf.tls_key, "%s", path);

	/* The first time GnuTLS may keep descriptors of its own. */
	cr_expect(eq(int, sp_http_open(&conf, NULL, &h, why), SP_SYSTEM));
	before = open_descriptors();
	cr_expect(eq(int, sp_http_open(&conf, NULL, &h, why), SP_SYSTEM));
	cr_expect(eq(int, open_descriptors(), before));
	cr_expect(has(why, "control.tls_cert"), "%s", why);
	unlink(path);
}

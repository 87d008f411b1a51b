/* SPDX-License-Identifier: BSD-3-Clause */
/* Real sockets on loopback, a fake service, and nobody else's thread. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ng_lab.h"

#include "control/ng_udp.h"

#define PATIENCE_MS 5000
#define LARGE 60000u /* bytes of an SDP */

static struct sp_config conf;
static struct sp_ng_udp *udp;

static struct sp_addr
addr_of(const char *text)
{
	struct sp_addr addr;

	cr_assert(eq(int, sp_addr_parse(text, strlen(text), &addr), SP_OK));
	return addr;
}

/* Listen on @a and, unless it is NULL, on @b. */
static void
start(const char *a, const char *b)
{
	char why[SP_NG_UDP_WHY];

	conf.n_ng = b ? 2 : 1;
	conf.ng[0] = addr_of(a);
	if (b)
		conf.ng[1] = addr_of(b);
	cr_assert(eq(int, sp_ng_udp_open(&conf, ng, &fake.counts, &udp, why),
			  SP_OK),
		"%s", why);
}

static void
open_conf(void)
{
	memset(&conf, 0, sizeof conf);
	open_ng();
}

static void
close_udp(void)
{
	fake_answer_all();
	sp_ng_udp_close(udp);
	sp_ng_close(ng);
}

TestSuite(ng_udp, .init = open_conf, .fini = close_udp);

/* A connected socket, as proxies have: it hears nobody but @to. */
static int
dial(const char *to, unsigned int listener)
{
	const uint16_t port = htons(sp_ng_udp_port(udp, listener));
	struct sockaddr_in ip4 = { .sin_family = AF_INET, .sin_port = port };
	struct sockaddr_in6 ip6 = { .sin6_family = AF_INET6,
		.sin6_port = port };
	const bool is6 = strchr(to, ':') != NULL;
	const int fd = socket(is6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	int result;

	inet_pton(AF_INET, to, &ip4.sin_addr);
	inet_pton(AF_INET6, to, &ip6.sin6_addr);
	result = is6 ? connect(fd, (void *)&ip6, sizeof ip6)
		     : connect(fd, (void *)&ip4, sizeof ip4);
	cr_assert(eq(int, result, 0));
	return fd;
}

static bool
readable(int fd, int wait_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) == 1;
}

/* As the event loop would. */
static void
serve(void)
{
	while (readable(sp_ng_udp_fd(udp), 0))
		sp_ng_udp_serve(udp);
}

static void
put(int fd, const char *message)
{
	const ssize_t len = (ssize_t)strlen(message);

	cr_assert(eq(long, (long)send(fd, message, (size_t)len, 0), len));
}

/* The next reply, "" if there is none. */
static char *
get(int fd)
{
	static char reply[65536];
	ssize_t n = recv(fd, reply, sizeof reply - 1, MSG_DONTWAIT);

	reply[n > 0 ? n : 0] = '\0';
	return reply;
}

static char *
ask(int fd, const char *message)
{
	put(fd, message);
	cr_assert(readable(sp_ng_udp_fd(udp), PATIENCE_MS));
	serve();
	return get(fd);
}

/* Let glances read until @n datagrams have been. */
static void
glance_until(uint64_t n)
{
	while (fake.counts.datagrams < n)
		sp_ng_udp_glance(udp);
}

Test(ng_udp, a_reply_leaves_from_the_address_that_was_asked)
{
	static const char *const ips[] = { "127.0.0.1", "127.0.0.2",
		"127.1.2.3" };

	start("0.0.0.0", NULL);
	for (size_t i = 0; i < sizeof ips / sizeof *ips; i++) {
		const int fd = dial(ips[i], 0);

		cr_expect(eq(str, ask(fd, "1 d7:command4:pinge"),
			"1 d6:result4:ponge"));
		cr_expect(eq(str, ask(fd, "2 " OFFER_BODY),
			"2 d6:result2:ok3:sdp5:v=0\r\n4:fakei1ee"));
		close(fd);
	}
}

Test(ng_udp, listeners_of_both_families_have_the_same_service)
{
	int fd4, fd6;

	start("127.0.0.1", "::1");
	fd4 = dial("127.0.0.1", 0);
	fd6 = dial("::1", 1);
	cr_expect(
		eq(str, ask(fd4, "1 d7:command4:pinge"), "1 d6:result4:ponge"));
	cr_expect(
		eq(str, ask(fd6, "1 d7:command4:pinge"), "1 d6:result4:ponge"));
	cr_expect(has_text(ask(fd6, "2 " OFFER_BODY), "2 d6:result2:ok"));
	cr_expect(has_text(ask(fd4, "2 " OFFER_BODY), "2 d6:result2:ok"));
	cr_expect(eq(uint, fake.asked, 2), "one cookie, two clients");
	cr_expect(has_text(ask(fd6, "2 " OFFER_BODY), "2 d6:result2:ok"));
	cr_expect(eq(u64, fake.counts.replayed, 1));
	close(fd4);
	close(fd6);
}

Test(ng_udp, the_wildcard_of_one_family_leaves_the_other_free)
{
	char why[SP_NG_UDP_WHY];
	struct sp_ng_udp *second = NULL;
	int fd;

	start("0.0.0.0", NULL);
	conf.ng[0] = addr_of("::");
	conf.ng[0].port = sp_ng_udp_port(udp, 0);
	cr_assert(eq(int, sp_ng_udp_open(&conf, ng, &fake.counts, &second, why),
			  SP_OK),
		"%s", why);
	sp_ng_udp_close(udp);
	udp = second;
	fd = dial("::1", 0);
	cr_expect(has_text(ask(fd, "2 " OFFER_BODY), "2 d6:result2:ok"));
	close(fd);
}

Test(ng_udp, strangers_are_not_answered)
{
	int fd;

	start("127.0.0.1", NULL);
	conf.n_ng_clients = 2;
	conf.ng_clients[0] = (struct sp_prefix){ addr_of("192.0.2.0"), 24 };
	conf.ng_clients[1] = (struct sp_prefix){ addr_of("2001:db8::"), 32 };
	fd = dial("127.0.0.1", 0);
	cr_expect(eq(str, ask(fd, "1 d7:command4:pinge"), ""));
	cr_expect(eq(str, ask(fd, "2 " OFFER_BODY), ""));
	cr_expect(eq(u64, fake.counts.refused_clients, 2));
	cr_expect(eq(u64, fake.counts.pings, 0));
	cr_expect(eq(uint, fake.asked, 0));
	conf.ng_clients[1] = (struct sp_prefix){ addr_of("127.0.0.1"), 8 };
	cr_expect(
		eq(str, ask(fd, "1 d7:command4:pinge"), "1 d6:result4:ponge"));
	close(fd);
}

Test(ng_udp, a_ping_overtakes_the_requests_that_wait)
{
	int fd;

	start("127.0.0.1", NULL);
	fd = dial("127.0.0.1", 0);
	for (int i = 0; i < 10; i++) {
		char message[100];

		snprintf(message, sizeof message, "%d " OFFER_BODY, i);
		put(fd, message);
	}
	put(fd, "p d7:command4:pinge");
	glance_until(11);
	cr_expect(eq(str, get(fd), "p d6:result4:ponge"));
	cr_expect(eq(uint, fake.asked, 0));
	cr_expect(eq(u64, fake.counts.queued, 10));
	serve();
	cr_expect(eq(uint, fake.asked, 10));
	cr_expect(eq(u64, fake.counts.queued, 0));
	for (int i = 0; i < 10; i++)
		cr_expect(eq(chr, get(fd)[0], '0' + i), "in order");
	close(fd);
}

Test(ng_udp, a_reply_gives_pings_a_chance)
{
	int fd;

	start("127.0.0.1", NULL);
	fd = dial("127.0.0.1", 0);
	fake.later = true;
	for (int i = 0; i < 2; i++)
		cr_expect(eq(str,
			ask(fd, i ? "1 " OFFER_BODY : "2 " OFFER_BODY), ""));
	put(fd, "p d7:command4:pinge");
	usleep(1000); /* longer ago than a look is */
	fake_answer_all();
	cr_expect(eq(chr, get(fd)[0], '1'));
	cr_expect(eq(str, get(fd), "p d6:result4:ponge"));
	cr_expect(eq(chr, get(fd)[0], '2'));
	close(fd);
}

Test(ng_udp, what_is_left_in_the_queue_keeps_the_descriptor_readable)
{
	const unsigned int n = 3000;
	char message[100];
	int fd;

	start("127.0.0.1", NULL);
	fd = dial("127.0.0.1", 0);
	for (unsigned int i = 0; i < n; i++) {
		snprintf(message, sizeof message, "%u " OFFER_BODY, i);
		put(fd, message);
		glance_until(i + 1);
	}
	cr_expect(eq(u64, fake.counts.queued, n));
	cr_expect(readable(sp_ng_udp_fd(udp), 0));
	serve();
	cr_expect(eq(uint, fake.asked, n));
	cr_expect(eq(u64, fake.counts.queued, 0));
	cr_expect(not(readable(sp_ng_udp_fd(udp), 0)));
	close(fd);
}

/* "@cookie " and an offer with an SDP of LARGE bytes. */
static const char *
large_offer(unsigned int cookie)
{
	static char message[LARGE + 200];
	const int n = snprintf(message, sizeof message,
		"%u d7:command5:offer7:call-id1:c8:from-tag1:f3:sdp%u:", cookie,
		LARGE);

	memset(message + n, 'x', LARGE);
	strcpy(message + n + LARGE, "e");
	return message;
}

Test(ng_udp, a_large_datagram_is_read_whole)
{
	int fd;

	start("127.0.0.1", NULL);
	fd = dial("127.0.0.1", 0);
	cr_expect(has_text(ask(fd, large_offer(1)), "1 d6:result2:ok"));
	cr_expect(eq(sz, fake.sdp_len, LARGE));
	close(fd);
}

Test(ng_udp, a_full_queue_drops_what_comes_but_answers_pings)
{
	const unsigned int fit = SP_NG_QUEUE_BYTES / LARGE;
	unsigned int i;
	int fd;

	start("127.0.0.1", NULL);
	fd = dial("127.0.0.1", 0);
	for (i = 0; i < fit + 10; i++) {
		put(fd, large_offer(i));
		glance_until(i + 1);
	}
	cr_expect(ge(u64, fake.counts.queue_full, 10));
	cr_expect(gt(u64, fake.counts.queued, fit - 10));
	put(fd, "p d7:command4:pinge");
	glance_until(i + 1);
	cr_expect(eq(str, get(fd), "p d6:result4:ponge"));
	cr_expect(eq(uint, fake.asked, 0));
	serve();
	cr_expect(eq(u64, fake.asked + fake.counts.queue_full, fit + 10));
	close(fd);
}

Test(ng_udp, silence_is_all_that_nonsense_gets)
{
	int fd;

	start("127.0.0.1", NULL);
	fd = dial("127.0.0.1", 0);
	cr_expect(eq(str, ask(fd, ""), ""));
	cr_expect(eq(str, ask(fd, "\xff\xfe\xfd"), ""));
	cr_expect(eq(u64, fake.counts.no_cookie, 2));
	close(fd);
}

Test(ng_udp, a_taken_port_is_told)
{
	char why[SP_NG_UDP_WHY];
	struct sp_ng_udp *second = NULL;

	start("127.0.0.1", NULL);
	conf.ng[0].port = sp_ng_udp_port(udp, 0);
	cr_expect(eq(int, sp_ng_udp_open(&conf, ng, &fake.counts, &second, why),
		SP_SYSTEM));
	cr_expect(has_text(why, "cannot listen on control.ng 127.0.0.1:"));
	cr_expect(has_text(why, "Address already in use"));
	cr_expect(eq(ptr, second, NULL));
}

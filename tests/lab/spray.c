/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An attacker who can't spoof: sends RTP to every port of a range from one
 * socket, at a rate, and counts what comes back (nothing must).
 *
 *   spray ADDRESS FIRST LAST PACKETS_A_SECOND SECONDS constant|sequential
 *
 * constant repeats one packet, as the published RTP Bleed scanners do;
 * sequential numbers them as a talker would, one sequence a port. Ends with
 * the line "sent N received N bytes N".
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 64
#define PACKET 172 /* 20 ms of G.711 */
#define FRAME 160
#define SSRC 0xa77ac4e5u
#define SCAN_SEQ 0xee3c
#define LISTEN_S 0.5 /* for late answers */
#define BEHIND_S 0.005

struct spray {
	int fd;
	bool sequential;
	struct sockaddr_storage to;
	socklen_t to_len;
	unsigned int first;
	unsigned int ports;
	uint64_t sent;
	uint64_t received;
	uint64_t bytes;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
set_target(struct spray *s, unsigned int port, struct sockaddr_storage *to)
{
	*to = s->to;
	if (to->ss_family == AF_INET)
		((struct sockaddr_in *)to)->sin_port = htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)to)->sin6_port = htons((uint16_t)port);
}

/* The packet for the @n-th send: every pass over the range is one frame. */
static void
write_packet(const struct spray *s, uint64_t n, uint8_t *out)
{
	const uint32_t frame = s->sequential ? (uint32_t)(n / s->ports) : 0;
	const uint16_t seq = htons((uint16_t)(SCAN_SEQ + frame));
	const uint32_t timestamp = htonl(frame * FRAME);
	const uint32_t ssrc = htonl(SSRC);

	memset(out, 0xff, PACKET);
	out[0] = 0x80;
	out[1] = 0;
	memcpy(out + 2, &seq, sizeof seq);
	memcpy(out + 4, &timestamp, sizeof timestamp);
	memcpy(out + 8, &ssrc, sizeof ssrc);
}

static void
send_burst(struct spray *s)
{
	static uint8_t packet[BURST][PACKET];
	static struct sockaddr_storage to[BURST];
	static struct iovec part[BURST];
	static struct mmsghdr message[BURST];
	int done;

	for (unsigned int i = 0; i < BURST; i++) {
		const uint64_t n = s->sent + i;

		write_packet(s, n, packet[i]);
		set_target(s, s->first + (unsigned int)(n % s->ports), &to[i]);
		part[i] = (struct iovec){ packet[i], PACKET };
		message[i].msg_hdr = (struct msghdr){
			.msg_name = &to[i],
			.msg_namelen = s->to_len,
			.msg_iov = &part[i],
			.msg_iovlen = 1,
		};
	}
	done = sendmmsg(s->fd, message, BURST, 0);
	if (done > 0)
		s->sent += (uint64_t)done;
}

static void
listen_once(struct spray *s)
{
	uint8_t data[2048];
	ssize_t n;

	while ((n = recv(s->fd, data, sizeof data, MSG_DONTWAIT)) >= 0) {
		s->received++;
		s->bytes += (uint64_t)n;
	}
}

static bool
aim(struct spray *s, const char *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&s->to;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&s->to;

	memset(&s->to, 0, sizeof s->to);
	if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		s->to_len = sizeof *v4;
	} else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		s->to_len = sizeof *v6;
	} else {
		return false;
	}
	s->fd = socket(s->to.ss_family, SOCK_DGRAM, 0);
	return s->fd >= 0;
}

static void
spray(struct spray *s, double rate, double seconds)
{
	const double start = now();
	double at = start, due = 0;

	while (at < start + seconds) {
		/* What it could not send in time is not sent in a rush. */
		if ((at - start) * rate > due + BEHIND_S * rate)
			due = (at - start) * rate;
		if (due <= (at - start) * rate) {
			send_burst(s);
			due += BURST;
		} else {
			usleep(200);
		}
		listen_once(s);
		at = now();
	}
	while (now() < start + seconds + LISTEN_S) {
		listen_once(s);
		usleep(10000);
	}
}

int
main(int argc, char **argv)
{
	struct spray s = { 0 };

	if (argc != 7 || !aim(&s, argv[1])) {
		fprintf(stderr,
			"usage: spray ADDRESS FIRST LAST "
			"PACKETS_A_SECOND SECONDS "
			"constant|sequential\n");
		return 2;
	}
	s.first = (unsigned int)atoi(argv[2]);
	s.ports = (unsigned int)atoi(argv[3]) - s.first + 1;
	s.sequential = strcmp(argv[6], "sequential") == 0;
	spray(&s, atof(argv[4]), atof(argv[5]));
	printf("sent %llu received %llu bytes %llu\n",
		(unsigned long long)s.sent, (unsigned long long)s.received,
		(unsigned long long)s.bytes);
	close(s.fd);
	return 0;
}

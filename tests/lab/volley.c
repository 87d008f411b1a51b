/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An attacker who may write anything on the wire: sends the frames of a file
 * in turn, over and over, out of an interface.
 *
 *   volley FILE INTERFACE PACKETS_A_SECOND SECONDS
 *
 * FILE holds frames from the Ethernet header on, each behind its length as
 * two octets, most significant first. Ends with the line "sent N in S".
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BURST 32
#define FRAMES_MAX 65536

struct volley {
	int fd;
	struct iovec frames[FRAMES_MAX];
	unsigned int count;
	uint64_t sent;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
load(struct volley *v, const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t length[2];

	if (!file)
		return -1;
	while (v->count < FRAMES_MAX && fread(length, 2, 1, file) == 1) {
		struct iovec *frame = &v->frames[v->count];

		frame->iov_len = (size_t)(length[0] << 8 | length[1]);
		frame->iov_base = malloc(frame->iov_len + 1);
		if (!frame->iov_base ||
			fread(frame->iov_base, frame->iov_len, 1, file) != 1)
			break;
		v->count++;
	}
	fclose(file);
	return v->count > 0 ? 0 : -1;
}

static int
open_interface(struct volley *v, const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET };

	at.sll_ifindex = (int)if_nametoindex(name);
	v->fd = socket(AF_PACKET, SOCK_RAW, 0); /* it hears nothing */
	if (v->fd < 0 || at.sll_ifindex == 0)
		return -1;
	return bind(v->fd, (struct sockaddr *)&at, sizeof at);
}

static void
send_burst(struct volley *v)
{
	struct mmsghdr message[BURST] = { 0 };
	int done;

	for (unsigned int i = 0; i < BURST; i++) {
		message[i].msg_hdr.msg_iov =
			&v->frames[(v->sent + i) % v->count];
		message[i].msg_hdr.msg_iovlen = 1;
	}
	done = sendmmsg(v->fd, message, BURST, 0);
	if (done > 0)
		v->sent += (uint64_t)done;
}

int
main(int argc, char **argv)
{
	static struct volley v;
	double start, at, rate, seconds;

	if (argc != 5 || load(&v, argv[1]) < 0 ||
		open_interface(&v, argv[2]) < 0) {
		fprintf(stderr,
			"usage: volley FILE INTERFACE "
			"PACKETS_A_SECOND SECONDS\n");
		return 2;
	}
	rate = atof(argv[3]);
	seconds = atof(argv[4]);
	start = at = now();
	while (at < start + seconds) {
		if ((double)v.sent <= (at - start) * rate)
			send_burst(&v);
		else
			usleep(100);
		at = now();
	}
	printf("sent %llu in %.3f\n", (unsigned long long)v.sent, at - start);
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_conf.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pktgen.h"
#include "relay/srtp_conf.h"

static const char usage[] =
	"Usage: pktgen --device DEVICE [--device DEVICE] [--ng ADDRESS:PORT]\n"
	"  --device     of DPDK: net_memif0,..., or a PCI address; the second "
	"is\n"
	"               side B's, else B is on A's\n"
	"  --ng         the relay's; without it A's packets are sent to B\n"
	"  --netns      path of the network namespace where --ng is\n"
	"  --realms     A,B: names for the request's direction\n"
	"  --net-a --net-b  first address of a side (198.18.0.1, 198.19.0.1)\n"
	"  --calls      how many (10); --calls-an-ip, on each address (10000)\n"
	"  --payload    bytes (160); --ptime in ms (20)\n"
	"  --rate       packets/s, both ways; else --ptime says\n"
	"  --seconds    of a trial (5)\n"
	"  --search LEAST,MOST  the highest rate without loss; --confirm S "
	"(10)\n"
	"  --srtp-a --srtp-b    suites\n"
	"  --rtcp S     each stream's RTCP about all S seconds\n"
	"  --junk       packets/s to the calls' ports from elsewhere\n"
	"  --dtx        per cent of the time that is silent\n"
	"  --dtmf       per mille of packets that are events\n"
	"  --cpu N  --hugepages  --memory MB  --json\n";

enum {
	NG = 256,
	NETNS,
	REALMS,
	NET_A,
	NET_B,
	CALLS_AN_IP,
	SEARCH,
	CONFIRM,
	SRTP_A,
	SRTP_B,
	RTCP,
	JUNK,
	DTX,
	DTMF,
	CPU,
	HUGEPAGES,
	MEMORY,
	JSON
};

static const struct option known[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "ng", required_argument, NULL, NG },
	{ "netns", required_argument, NULL, NETNS },
	{ "realms", required_argument, NULL, REALMS },
	{ "net-a", required_argument, NULL, NET_A },
	{ "net-b", required_argument, NULL, NET_B },
	{ "calls", required_argument, NULL, 'c' },
	{ "calls-an-ip", required_argument, NULL, CALLS_AN_IP },
	{ "payload", required_argument, NULL, 'p' },
	{ "ptime", required_argument, NULL, 't' },
	{ "rate", required_argument, NULL, 'r' },
	{ "seconds", required_argument, NULL, 's' },
	{ "search", required_argument, NULL, SEARCH },
	{ "confirm", required_argument, NULL, CONFIRM },
	{ "srtp-a", required_argument, NULL, SRTP_A },
	{ "srtp-b", required_argument, NULL, SRTP_B },
	{ "rtcp", required_argument, NULL, RTCP },
	{ "junk", required_argument, NULL, JUNK },
	{ "dtx", required_argument, NULL, DTX },
	{ "dtmf", required_argument, NULL, DTMF },
	{ "cpu", required_argument, NULL, CPU },
	{ "hugepages", no_argument, NULL, HUGEPAGES },
	{ "memory", required_argument, NULL, MEMORY },
	{ "json", no_argument, NULL, JSON },
	{ NULL, 0, NULL, 0 },
};

static _Noreturn void
refuse(const char *why)
{
	fprintf(stderr, "pktgen: %s\n%s", why, usage);
	exit(2);
}

static uint32_t
read_ip(const char *text)
{
	struct in_addr ip;

	if (inet_pton(AF_INET, text, &ip) != 1)
		refuse("not an IPv4 address");
	return ntohl(ip.s_addr);
}

static uint8_t
read_suite(const char *text)
{
	const enum sp_srtp_suite suite = sp_srtp_suite(text, strlen(text));

	if (suite == SP_SRTP_NONE)
		refuse("not a suite");
	return (uint8_t)suite;
}

/* What says who and where. */
static bool
read_place(struct pktgen_conf *conf, int option, char *value)
{
	switch (option) {
	case 'd':
		if (conf->device[1])
			refuse("there are two sides");
		conf->device[conf->device[0] ? 1 : 0] = value;
		return true;
	case NG:
		conf->ng = value;
		return true;
	case NETNS:
		conf->netns = value;
		return true;
	case REALMS:
		conf->realm[0] = strsep(&value, ",");
		conf->realm[1] = value ? value : conf->realm[0];
		return true;
	case NET_A:
	case NET_B:
		conf->first_ip[option - NET_A] = read_ip(value);
		return true;
	case CPU:
		conf->cpu = value;
		return true;
	case HUGEPAGES:
		conf->hugepages = true;
		return true;
	case MEMORY:
		conf->memory_mb = (unsigned int)atoi(value);
		return true;
	default:
		return false;
	}
}

/* What says how much. */
static bool
read_load(struct pktgen_conf *conf, int option, const char *value)
{
	switch (option) {
	case 'c':
		conf->calls = (uint32_t)atoi(value);
		return true;
	case CALLS_AN_IP:
		conf->calls_an_ip = (uint32_t)atoi(value);
		return true;
	case 'p':
		conf->payload = (uint32_t)atoi(value);
		return true;
	case 't':
		conf->ptime_ms = (uint32_t)atoi(value);
		return true;
	case 'r':
		conf->rate = atof(value);
		return true;
	case 's':
		conf->seconds = atof(value);
		return true;
	case CONFIRM:
		conf->confirm_s = atof(value);
		return true;
	case SEARCH:
		conf->search = true;
		return sscanf(value, "%lf,%lf", &conf->least, &conf->most) == 2;
	default:
		return false;
	}
}

/* What says of what kind. */
static bool
read_mix(struct pktgen_conf *conf, int option, const char *value)
{
	switch (option) {
	case SRTP_A:
	case SRTP_B:
		conf->suite[option - SRTP_A] = read_suite(value);
		return true;
	case RTCP:
		conf->rtcp_s = atof(value);
		return true;
	case JUNK:
		conf->junk = atof(value);
		return true;
	case DTX:
		conf->dtx = (unsigned int)atoi(value);
		return true;
	case DTMF:
		conf->dtmf = (unsigned int)atoi(value);
		return true;
	case JSON:
		conf->json = true;
		return true;
	default:
		return false;
	}
}

void
pktgen_conf_read(struct pktgen_conf *conf, int argc, char **argv)
{
	int c;

	*conf = (struct pktgen_conf){ .calls = 10,
		.calls_an_ip = 10000,
		.payload = 160,
		.ptime_ms = 20,
		.seconds = 5,
		.confirm_s = 10,
		.memory_mb = 512,
		.first_ip = { 0xc6120001, 0xc6130001 } };
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (!read_place(conf, c, optarg) &&
			!read_load(conf, c, optarg) &&
			!read_mix(conf, c, optarg))
			refuse("what is that?");
	if (!conf->device[0] || conf->calls == 0)
		refuse("at least a device, and a call");
	if (conf->calls_an_ip == 0 || conf->calls_an_ip > 25000)
		refuse("1 to 25,000 calls on an address");
	if (conf->ptime_ms == 0 || conf->seconds <= 0 || conf->confirm_s <= 0)
		refuse("times must not be 0");
	if (conf->payload < sizeof(struct pktgen_mark) || conf->payload > 1400)
		refuse("a payload has 24 to 1,400 bytes");
	if (conf->dtx > 90)
		refuse("at most 90 % of silence");
	if ((conf->dtx > 0 || conf->dtmf > 0) &&
		(conf->suite[0] != SP_SRTP_NONE ||
			conf->suite[1] != SP_SRTP_NONE))
		refuse("--dtx and --dtmf go in the clear only");
	if (!conf->ng &&
		(conf->suite[0] != SP_SRTP_NONE ||
			conf->suite[1] != SP_SRTP_NONE))
		refuse("SRTP needs a relay");
	if (conf->search && (conf->least <= 0 || conf->most <= conf->least))
		refuse("rates to search in rise");
	if (conf->rate <= 0)
		conf->rate = 2000.0 * conf->calls / conf->ptime_ms;
}

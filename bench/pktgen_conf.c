/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/pktgen_conf.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pktgen.h"
#include "relay/srtp_conf.h"

#define VLAN_MAX 4094u
#define CALLS_AN_IP_MAX 25000u
#define PAYLOAD_MAX 1400u

static const char usage[] =
	"Usage: pktgen --device DEVICE [--device DEVICE] [--ng ADDRESS:PORT]\n"
	"  --device     of DPDK: net_memif0,..., or a PCI address; the second "
	"is\n"
	"               side B's, else B is on A's\n"
	"  --ng         the relay's; without it A's packets are sent to B\n"
	"  --http       the relay's HTTP API instead; --token, its bearer's\n"
	"  --netns      path of the network namespace where --ng is\n"
	"  --realms     A,B: names for the request's direction\n"
	"  --net-a --net-b  first address of a side (198.18.0.1, 198.19.0.1),\n"
	"               IPv4 or IPv6\n"
	"  --gateway-a --gateway-b  IP or MAC of a side's router\n"
	"  --vlan A,B   tags of the sides' frames; 0: none\n"
	"  --calls      how many (10); --calls-an-ip, on each address (10000)\n"
	"  --payload    bytes (160); --ptime in ms (20)\n"
	"  --rate       packets/s, both ways; else --ptime says\n"
	"  --seconds    of a trial (5)\n"
	"  --search LEAST,MOST  the highest rate without loss; --confirm S "
	"(10)\n"
	"  --fresh-calls  new ones for each trial of a search\n"
	"  --watch PID  the relay's, if it polls: times without its core are\n"
	"               told from its own; --ring, packets that rings hold "
	"(1024)\n"
	"  --srtp-a --srtp-b    suites; --srtp-live: protect while sending\n"
	"  --only a|b   the other side sends no RTP\n"
	"  --rtcp S     each stream's RTCP about all S seconds\n"
	"  --junk       packets/s to the calls' ports from elsewhere\n"
	"  --dtx        per cent of the time that is silent\n"
	"  --dtmf       per mille of packets that are events\n"
	"  --cpu N  --hugepages  --memory MB  --json\n";

enum {
	NG = 256,
	HTTP,
	TOKEN,
	NETNS,
	REALMS,
	NET_A,
	NET_B,
	GATEWAY_A,
	GATEWAY_B,
	VLAN,
	CALLS_AN_IP,
	SEARCH,
	CONFIRM,
	FRESH_CALLS,
	WATCH,
	RINGS,
	SRTP_LIVE,
	SRTP_A,
	SRTP_B,
	ONLY,
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
	{ "http", required_argument, NULL, HTTP },
	{ "token", required_argument, NULL, TOKEN },
	{ "netns", required_argument, NULL, NETNS },
	{ "realms", required_argument, NULL, REALMS },
	{ "net-a", required_argument, NULL, NET_A },
	{ "net-b", required_argument, NULL, NET_B },
	{ "gateway-a", required_argument, NULL, GATEWAY_A },
	{ "gateway-b", required_argument, NULL, GATEWAY_B },
	{ "vlan", required_argument, NULL, VLAN },
	{ "calls", required_argument, NULL, 'c' },
	{ "calls-an-ip", required_argument, NULL, CALLS_AN_IP },
	{ "payload", required_argument, NULL, 'p' },
	{ "ptime", required_argument, NULL, 't' },
	{ "rate", required_argument, NULL, 'r' },
	{ "seconds", required_argument, NULL, 's' },
	{ "search", required_argument, NULL, SEARCH },
	{ "confirm", required_argument, NULL, CONFIRM },
	{ "fresh-calls", no_argument, NULL, FRESH_CALLS },
	{ "watch", required_argument, NULL, WATCH },
	{ "ring", required_argument, NULL, RINGS },
	{ "srtp-live", no_argument, NULL, SRTP_LIVE },
	{ "srtp-a", required_argument, NULL, SRTP_A },
	{ "srtp-b", required_argument, NULL, SRTP_B },
	{ "only", required_argument, NULL, ONLY },
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

static struct sp_addr
read_ip(const char *text)
{
	struct sp_addr ip;

	if (sp_addr_parse(text, strlen(text), &ip) != SP_OK)
		refuse("not an IP address");
	return ip;
}

/* A router: its address, or its MAC. */
static void
read_gateway(struct pktgen_conf *conf, unsigned int side, const char *text)
{
	uint8_t *mac = conf->hop[side];
	int end = 0;

	if (sp_addr_parse(text, strlen(text), &conf->gateway[side]) == SP_OK)
		return;
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", mac, mac + 1,
		    mac + 2, mac + 3, mac + 4, mac + 5, &end) != 6 ||
		text[end])
		refuse("a gateway has an IP address or a MAC");
}

static void
read_vlans(struct pktgen_conf *conf, const char *text)
{
	unsigned int a, b;
	const int n = sscanf(text, "%u,%u", &a, &b);

	if (n == 1)
		b = a;
	if (n < 1 || a > VLAN_MAX || b > VLAN_MAX)
		refuse("VLANs are 1 to 4,094");
	conf->vlan[0] = (uint16_t)a;
	conf->vlan[1] = (uint16_t)b;
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
	case HTTP:
		conf->http = value;
		return true;
	case TOKEN:
		conf->token = value;
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
		conf->first[option - NET_A] = read_ip(value);
		return true;
	case GATEWAY_A:
	case GATEWAY_B:
		read_gateway(conf, (unsigned int)(option - GATEWAY_A), value);
		return true;
	case VLAN:
		read_vlans(conf, value);
		return true;
	default:
		return false;
	}
}

/* What says with which means. */
static bool
read_means(struct pktgen_conf *conf, int option, const char *value)
{
	switch (option) {
	case CPU:
		conf->cpu = value;
		return true;
	case HUGEPAGES:
		conf->hugepages = true;
		return true;
	case MEMORY:
		conf->memory_mb = (unsigned int)atoi(value);
		return true;
	case WATCH:
		conf->watch = atoi(value);
		return true;
	case RINGS:
		conf->ring = atof(value);
		return true;
	case FRESH_CALLS:
		conf->fresh_calls = true;
		return true;
	case SRTP_LIVE:
		conf->srtp_live = true;
		return true;
	case JSON:
		conf->json = true;
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
	case ONLY:
		if (strcmp(value, "a") != 0 && strcmp(value, "b") != 0)
			refuse("--only a, or b");
		conf->silent[*value == 'a'] = true;
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
	default:
		return false;
	}
}

static bool
is_secure(const struct pktgen_conf *conf)
{
	return conf->suite[0] != SP_SRTP_NONE || conf->suite[1] != SP_SRTP_NONE;
}

/* Ends the process if something does not go with something. */
static void
check(const struct pktgen_conf *conf)
{
	if (!conf->device[0] || conf->calls == 0)
		refuse("at least a device, and a call");
	if (conf->ng && conf->http)
		refuse("--ng or --http");
	if (conf->calls_an_ip == 0 || conf->calls_an_ip > CALLS_AN_IP_MAX)
		refuse("1 to 25,000 calls on an address");
	if (conf->ptime_ms == 0 || conf->seconds <= 0 || conf->confirm_s <= 0)
		refuse("times must not be 0");
	if (conf->payload < sizeof(struct pktgen_mark) ||
		conf->payload > PAYLOAD_MAX)
		refuse("a payload has 24 to 1,400 bytes");
	if (conf->dtx > 90)
		refuse("at most 90 % of silence");
	if ((conf->dtx > 0 || conf->dtmf > 0) && is_secure(conf))
		refuse("--dtx and --dtmf go in the clear only");
	if (!conf->ng && !conf->http && is_secure(conf))
		refuse("SRTP needs a relay");
	if (!conf->ng && !conf->http &&
		conf->first[0].family != conf->first[1].family)
		refuse("from IPv4 to IPv6 it takes a relay");
	for (unsigned int side = 0; side < PKTGEN_SIDES; side++)
		if (conf->gateway[side].family != SP_FAMILY_NONE &&
			conf->gateway[side].family != conf->first[side].family)
			refuse("a gateway has its side's family");
	if (conf->search && (conf->least <= 0 || conf->most <= conf->least))
		refuse("rates to search in rise");
	if (conf->ring <= 0 || conf->watch < 0)
		refuse("--ring and --watch are numbers");
}

void
pktgen_conf_read(struct pktgen_conf *conf, int argc, char **argv)
{
	int c;

	optind = 1;
	*conf = (struct pktgen_conf){ .calls = 10,
		.calls_an_ip = 10000,
		.payload = 160,
		.ptime_ms = 20,
		.seconds = 5,
		.confirm_s = 10,
		.memory_mb = 512,
		.ring = 1024,
		.first = { read_ip("198.18.0.1"), read_ip("198.19.0.1") } };
	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1)
		if (!read_place(conf, c, optarg) &&
			!read_load(conf, c, optarg) &&
			!read_means(conf, c, optarg) &&
			!read_mix(conf, c, optarg))
			refuse("what is that?");
	check(conf);
	if (conf->rate <= 0)
		conf->rate = 2000.0 * conf->calls / conf->ptime_ms;
}

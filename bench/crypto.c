/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What SRTP costs: CPU cycles of a packet. Contenders take turns in short
 * rounds over the same buffers; numbers are medians of rounds, ratios medians
 * of each round's ratio.
 *
 * Usage: crypto [OPTION...] [PART...]
 *     bursts    the SRTP stage against ipsec-mb's cipher and hash alone
 *     sessions  against the system's libsrtp2
 *     forged    a bad tag against a good packet
 *     relay     RTP to SRTP and back through all stages of a worker
 *
 * Options:
 *     --quick        a little of everything, judged by nobody
 *     --json         a line of JSON for each row, too
 *     --engine NAME  ipsec-mb or libsrtp
 *     --rounds N
 *     --suite NAME   this one only
 *     --payload N, --burst N  of bursts: these rows only
 *
 * Exits with 1 when an aim is missed, but not with --quick.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/srtp_parts.h"
#include "bench/srtp_stage.h"
#include "bench/stats.h"

#define ROUNDS 21u
#define ROUNDS_QUICK 3u

static const struct {
	const char *name;
	bool (*run)(const struct srtp_options *o);
} parts[] = {
	{ "bursts", srtp_bursts },
	{ "sessions", srtp_sessions },
	{ "forged", srtp_forged },
	{ "relay", srtp_relay },
};

#define PARTS (sizeof parts / sizeof parts[0])

static void
usage(void)
{
	fprintf(stderr,
		"usage: crypto [--quick] [--json] [--engine ipsec-mb|libsrtp] "
		"[--rounds N]\n            [--suite NAME] [--payload N] "
		"[--burst N]\n            [bursts] [sessions] [forged] "
		"[relay]\n");
	exit(2);
}

static unsigned int
number(const char *text)
{
	char *end;
	const unsigned long value = strtoul(text, &end, 10);

	if (*end != '\0' || value == 0 || value > 65535)
		usage();
	return (unsigned int)value;
}

static void
choose_engine(const char *name)
{
	if (strcmp(name, "ipsec-mb") == 0)
		srtp_stage_kind = SP_SRTP_IPSECMB;
	else if (strcmp(name, "libsrtp") == 0)
		srtp_stage_kind = SP_SRTP_LIBSRTP;
	else
		usage();
}

/* Take an option that has a value. */
static bool
choose_value(struct srtp_options *o, const char *name, const char *value)
{
	if (!value)
		return false;
	if (strcmp(name, "--engine") == 0)
		choose_engine(value);
	else if (strcmp(name, "--rounds") == 0)
		o->rounds = number(value);
	else if (strcmp(name, "--suite") == 0)
		o->suite = sp_srtp_suite(value, strlen(value));
	else if (strcmp(name, "--payload") == 0)
		o->payload = number(value);
	else if (strcmp(name, "--burst") == 0)
		o->burst = number(value);
	else
		return false;
	return true;
}

static bool
choose_part(const char *name, bool chosen[PARTS])
{
	for (size_t i = 0; i < PARTS; i++) {
		if (strcmp(name, parts[i].name) != 0)
			continue;
		chosen[i] = true;
		return true;
	}
	return false;
}

static void
print_engine(void)
{
	struct sp_srtp_engine *e;
	struct sp_srtp_about about;

	if (sp_srtp_engine_open(srtp_stage_kind, 1, &e) != SP_OK) {
		fprintf(stderr, "no such engine on this machine\n");
		exit(1);
	}
	sp_srtp_engine_about(e, &about);
	printf("engine %s (%s)\n", about.name, about.library);
	sp_srtp_engine_close(e);
}

int
main(int argc, char **argv)
{
	struct srtp_options o = { .rounds = 0 };
	bool chosen[PARTS] = { false }, any = false, fine = true;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--quick") == 0)
			o.quick = true;
		else if (strcmp(argv[i], "--json") == 0)
			o.json = true;
		else if (choose_part(argv[i], chosen))
			any = true;
		else if (choose_value(&o, argv[i], argv[i + 1]))
			i++;
		else
			usage();
	}
	if (o.rounds == 0 || o.rounds > STATS_ROUNDS)
		o.rounds = o.quick ? ROUNDS_QUICK : ROUNDS;
	print_engine();
	for (size_t i = 0; i < PARTS; i++)
		if (chosen[i] || !any)
			fine = parts[i].run(&o) && fine;
	return fine || o.quick ? 0 : 1;
}

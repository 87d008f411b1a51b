/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench/srtp_summary.h"

#include <stdio.h>

#define NOTES 1024u
#define BURST 32u    /* of the first table */
#define PAYLOAD 160u /* of the second */

static struct srtp_summary notes[NOTES];
static unsigned int n_notes;

static const uint16_t payloads[] = { 20, 160, 1200, 0 };
static const unsigned int bursts[] = { 1, 2, 4, 8, 16, 32, 64 };

void
srtp_summary_note(const struct srtp_summary *s)
{
	if (n_notes < NOTES)
		notes[n_notes++] = *s;
}

static const struct srtp_summary *
find(enum sp_srtp_suite suite, uint16_t payload, unsigned int burst,
	uint32_t streams)
{
	for (unsigned int i = 0; i < n_notes; i++)
		if (notes[i].suite == suite && notes[i].payload == payload &&
			notes[i].burst == burst && notes[i].streams == streams)
			return &notes[i];
	return NULL;
}

static void
print_cell(const struct srtp_summary *s)
{
	for (unsigned int way = 0; s && way < 2; way++)
		printf(" %.0f (%.2f) |", s->cycles[way], s->ratio[way]);
}

static void
print_payloads(
	enum sp_srtp_suite suite, const uint32_t streams[], unsigned int n)
{
	for (unsigned int p = 0; p < sizeof payloads / sizeof payloads[0];
		p++) {
		if (!find(suite, payloads[p], BURST, streams[0]))
			continue;
		printf("| %s, ", sp_srtp_facts(suite)->name);
		if (payloads[p] == 0)
			printf("mixed |");
		else
			printf("%u |", payloads[p]);
		for (unsigned int i = 0; i < n; i++)
			print_cell(find(suite, payloads[p], BURST, streams[i]));
		printf("\n");
	}
}

static void
print_bursts(enum sp_srtp_suite suite, const uint32_t streams[], unsigned int n)
{
	for (unsigned int b = 0; b < sizeof bursts / sizeof bursts[0]; b++) {
		if (!find(suite, PAYLOAD, bursts[b], streams[0]))
			continue;
		printf("| %s, bursts of %u |", sp_srtp_facts(suite)->name,
			bursts[b]);
		for (unsigned int i = 0; i < n; i++)
			print_cell(find(suite, PAYLOAD, bursts[b], streams[i]));
		printf("\n");
	}
}

static void
print_head(const char *what, const uint32_t streams[], unsigned int n)
{
	printf("\n| %s |", what);
	for (unsigned int i = 0; i < n; i++)
		printf(" %u out | in |", streams[i]);
	printf("\n| --- |");
	for (unsigned int i = 0; i < 2 * n; i++)
		printf(" ---: |");
	printf("\n");
}

void
srtp_summary_print(const uint32_t streams[], unsigned int n)
{
	print_head("bursts of 32, payload", streams, n);
	for (unsigned int s = SP_SRTP_NONE + 1; s < SP_SRTP_SUITES; s++)
		print_payloads(s, streams, n);
	print_head("payload 160", streams, n);
	print_bursts(SP_SRTP_AES_CM_128_80, streams, n);
	print_bursts(SP_SRTP_GCM_128, streams, n);
}

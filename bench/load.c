/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The load that bench/setup puts on a relay: calls, each an offer, an answer
 * and a delete, from realm public to core, over ng, ng in HTTP, or the API; as
 * many at a time as --window says, all of them pipelined. With --rate they
 * begin at even distances, whatever the replies take, and a request's time
 * counts from when it should have been sent. With --watch those times are left
 * out in which the relay's CPU, or this one, was nobody's. Prints one line of
 * JSON.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/load_watch.h"
#include "bench/load_wire.h"

#define SLOTS_MAX 4096u
#define QUIET_NS 1000000000ull /* without a reply: lost, sent again */
#define TRIES 5u

/*
 * The generator of media may spin on the same CPU. A reply from another CPU
 * would not stop it before the next tick of the kernel; a timer here does.
 */
#define LOOK_NS 100000u

#define PING_NS 2000000u /* between two */
#define PING_SLOT SLOTS_MAX

enum step {
	STEP_OFFER,
	STEP_ANSWER,
	STEP_DELETE,
	STEP_PING,
	STEPS
};

static const char *const step_name[] = { "offer", "answer", "delete", "ping" };

/* A call under way. */
struct slot {
	uint64_t number; /* of the call */
	uint64_t due_ns; /* when its request should have left */
	uint64_t sent_ns;
	unsigned int tries;
	enum step step;
	bool busy;
};

struct sample {
	uint64_t from_ns;
	uint64_t ns;
};

struct samples {
	struct sample *at;
	size_t count;
	size_t room;
};

static struct options {
	const char *address;
	const char *ping; /* ask there as well whether it is alive */
	enum load_kind kind;
	unsigned int window;
	unsigned int rate; /* calls a second; 0: as fast as they go */
	double seconds;
	uint64_t calls; /* 0: as many as fit */
	uint64_t first; /* number of the first call */
	bool hold;      /* no delete */
	bool end;       /* nothing but deletes */
	int watch;      /* the relay's CPU; -1: none is */
} options = { .kind = LOAD_NG, .window = 64, .seconds = 10, .watch = -1 };

static struct slot slots[SLOTS_MAX];
static struct samples samples[STEPS];
static uint64_t begun, done, refused, resent;
static unsigned int under_way;
static uint64_t pinged_ns; /* 0: the pong has come */
static uint64_t start_ns, last_ns;
static char first_error[200];

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void
add_sample(struct samples *to, uint64_t from_ns, uint64_t now)
{
	if (to->count == to->room) {
		to->room = to->room > 0 ? 2 * to->room : 65536;
		to->at = realloc(to->at, to->room * sizeof to->at[0]);
		if (!to->at)
			die("memory");
	}
	to->at[to->count++] = (struct sample){ from_ns, now - from_ns };
}

static void
send_slot(struct load_wire *wire, unsigned int i, uint64_t now)
{
	static const enum load_request request[] = { LOAD_OFFER, LOAD_ANSWER,
		LOAD_DELETE };
	struct slot *slot = &slots[i];

	slot->sent_ns = now;
	load_wire_send(wire, i, slot->number, request[slot->step]);
}

/* Is one more call to begin now? Says when it was to. */
static bool
may_begin(uint64_t now, uint64_t *due)
{
	if (options.calls > 0 && begun >= options.calls)
		return false;
	*due = now;
	if (options.rate > 0) {
		*due = start_ns + begun * 1000000000u / options.rate;
		if (*due > now)
			return false;
	}
	return options.calls > 0 ||
		(double)(now - start_ns) < options.seconds * 1e9;
}

static void
begin_calls(struct load_wire *wire, uint64_t now)
{
	static unsigned int next;
	uint64_t due;

	while (under_way < options.window && may_begin(now, &due)) {
		struct slot *slot = &slots[next % options.window];

		if (slot->busy) {
			next++;
			continue;
		}
		*slot = (struct slot){
			.number = options.first + begun++,
			.due_ns = due,
			.step = options.end ? STEP_DELETE : STEP_OFFER,
			.busy = true,
		};
		under_way++;
		send_slot(wire, next++ % options.window, now);
	}
}

static void
end_call(struct slot *slot)
{
	slot->busy = false;
	under_way--;
}

/* The reply to slot @i came. */
static void
on_reply(void *arg, unsigned int i, bool fine, const char *text, size_t len)
{
	struct load_wire *wire = arg;
	struct slot *slot = &slots[i];
	const uint64_t now = now_ns();

	if (i >= options.window || !slot->busy)
		return;
	if (!fine) {
		refused++;
		if (!first_error[0])
			snprintf(first_error, sizeof first_error, "%.*s",
				(int)len, text);
		end_call(slot);
		return;
	}
	add_sample(&samples[slot->step], slot->due_ns, now);
	last_ns = now;
	if (slot->step == STEP_DELETE ||
		(slot->step == STEP_ANSWER && options.hold)) {
		end_call(slot);
		done++;
		return;
	}
	slot->step++;
	slot->due_ns = now;
	slot->tries = 0;
	send_slot(wire, i, now);
}

static void
on_pong(void *arg, unsigned int i, bool fine, const char *text, size_t len)
{
	(void)arg, (void)text, (void)len;
	if (!fine || i != PING_SLOT || !pinged_ns)
		return;
	add_sample(&samples[STEP_PING], pinged_ns, now_ns());
	pinged_ns = 0;
}

/* Ask whether it is alive, one question at a time. */
static void
ping(struct load_wire *wire, uint64_t now)
{
	static uint64_t next_ns;

	load_wire_receive(wire, on_pong, NULL);
	if (now < next_ns || (pinged_ns && now - pinged_ns < QUIET_NS))
		return;
	next_ns = now + PING_NS;
	pinged_ns = now;
	load_wire_send(wire, PING_SLOT, 0, LOAD_PING);
}

/* Datagrams may be lost. */
static void
look_after(struct load_wire *wire, uint64_t now)
{
	for (unsigned int i = 0; i < options.window; i++) {
		struct slot *slot = &slots[i];

		if (!slot->busy)
			continue;
		/* It may have been sent since @now. */
		if ((int64_t)(now - slot->sent_ns) < (int64_t)QUIET_NS)
			continue;
		if (!load_wire_is_datagram(wire) || ++slot->tries == TRIES) {
			snprintf(first_error, sizeof first_error,
				"no reply to %s", step_name[slot->step]);
			refused++;
			end_call(slot);
			continue;
		}
		resent++;
		send_slot(wire, i, now);
	}
}

/* Microseconds until the next call is to begin and may, or the next look. */
static unsigned int
until_next(uint64_t now)
{
	const uint64_t most = LOOK_NS;
	uint64_t due;

	if (options.rate == 0 || under_way == options.window)
		return most / 1000;
	due = start_ns + begun * 1000000000u / options.rate;
	if (due <= now)
		return 0;
	return (unsigned int)((due - now > most ? most : due - now) / 1000);
}

static void
run(struct load_wire *wire, struct load_wire *pings)
{
	uint64_t looked = 0;
	bool any = true;

	start_ns = now_ns();
	while (any) {
		const uint64_t now = now_ns();
		uint64_t due;

		begin_calls(wire, now);
		load_wire_flush(wire);
		load_wire_wait(wire, until_next(now_ns()));
		load_wire_receive(wire, on_reply, wire);
		if (pings)
			ping(pings, now_ns());
		if (now - looked > QUIET_NS / 10) {
			looked = now;
			look_after(wire, now);
			any = under_way > 0 || may_begin(now, &due) ||
				(options.rate > 0 &&
					(double)(now - start_ns) <
						options.seconds * 1e9);
		}
	}
}

static int
compare(const void *a, const void *b)
{
	const struct sample *left = a, *right = b;

	return (left->ns > right->ns) - (left->ns < right->ns);
}

static double
quantile_us(const struct samples *of, double q)
{
	return of->count > 0
		? (double)of->at[(size_t)(q * (double)(of->count - 1))].ns / 1e3
		: NAN;
}

/* Leave out what happened while the relay had no CPU; the order stays. Returns
   how many. */
static size_t
leave_out(struct samples *of)
{
	const size_t all = of->count;

	of->count = 0;
	for (size_t i = 0; i < all; i++) {
		const struct sample s = of->at[i];

		if (!load_watch_was_away(s.from_ns, s.from_ns + s.ns))
			of->at[of->count++] = s;
	}
	return all - of->count;
}

static void
report(double seconds)
{
	size_t left_out = 0;

	printf("{\"calls\": %" PRIu64 ", \"seconds\": %.3f, \"rate\": %.1f, "
	       "\"refused\": %" PRIu64 ", \"resent\": %" PRIu64,
		done, seconds, (double)done / seconds, refused, resent);
	for (unsigned int s = 0; s < STEPS; s++) {
		double all_us;

		if (samples[s].count == 0)
			continue;
		qsort(samples[s].at, samples[s].count, sizeof samples[s].at[0],
			compare);
		all_us = quantile_us(&samples[s], 0.99);
		if (options.watch >= 0)
			left_out += leave_out(&samples[s]);
		if (samples[s].count == 0)
			continue;
		printf(", \"%s\": {\"p50_us\": %.1f, \"p99_us\": %.1f, "
		       "\"p999_us\": %.1f, \"most_us\": %.1f, "
		       "\"count\": %zu, \"p99_all_us\": %.1f}",
			step_name[s], quantile_us(&samples[s], 0.5),
			quantile_us(&samples[s], 0.99),
			quantile_us(&samples[s], 0.999),
			quantile_us(&samples[s], 1), samples[s].count, all_us);
	}
	printf(", \"left_out\": %zu, \"away_s\": %.3f}\n", left_out,
		(double)load_watch_away_ns() / 1e9);
	if (first_error[0])
		fprintf(stderr, "load: first refusal: %s\n", first_error);
}

static const char usage[] =
	"Usage: load (--ng | --ng-http | --api) ADDRESS:PORT\n"
	"            [--ping NG-ADDRESS:PORT] [--window N] [--rate CALLS/S]\n"
	"            [--seconds S | --calls N] [--first N] [--hold | --end]\n"
	"            [--watch CPU]\n";

static const struct option known[] = {
	{ "ng", required_argument, NULL, 'n' },
	{ "ng-http", required_argument, NULL, 'h' },
	{ "api", required_argument, NULL, 'a' },
	{ "ping", required_argument, NULL, 'p' },
	{ "window", required_argument, NULL, 'w' },
	{ "rate", required_argument, NULL, 'r' },
	{ "seconds", required_argument, NULL, 's' },
	{ "calls", required_argument, NULL, 'c' },
	{ "first", required_argument, NULL, 'f' },
	{ "hold", no_argument, NULL, 'o' },
	{ "end", no_argument, NULL, 'e' },
	{ "watch", required_argument, NULL, 't' },
	{ NULL, 0, NULL, 0 },
};

static void
read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (c) {
		case 'n':
		case 'h':
		case 'a':
			options.kind = c == 'n' ? LOAD_NG
				: c == 'h'      ? LOAD_NG_HTTP
						: LOAD_API;
			options.address = optarg;
			break;
		case 'p':
			options.ping = optarg;
			break;
		case 'w':
			options.window = (unsigned int)atoi(optarg);
			break;
		case 'r':
			options.rate = (unsigned int)atoi(optarg);
			break;
		case 's':
			options.seconds = atof(optarg);
			break;
		case 'c':
			options.calls = strtoull(optarg, NULL, 10);
			break;
		case 'f':
			options.first = strtoull(optarg, NULL, 10);
			break;
		case 'o':
			options.hold = true;
			break;
		case 'e':
			options.end = true;
			break;
		case 't':
			options.watch = atoi(optarg);
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (!options.address || options.window == 0 ||
		options.window > SLOTS_MAX) {
		fputs(usage, stderr);
		exit(2);
	}
}

/*
 * Go before a generator of media on the same CPU, as soon as there is
 * something to do: a time must not be the generator's. Without the right to,
 * there are two CPUs, it is hoped.
 */
static void
go_first(void)
{
	const struct sched_param first = { .sched_priority = 1 };

	(void)!sched_setscheduler(0, SCHED_FIFO, &first);
}

int
main(int argc, char **argv)
{
	struct load_wire *wire, *pings = NULL;

	read_options(argc, argv);
	wire = load_wire_open(options.kind, options.address);
	if (options.ping)
		pings = load_wire_open(LOAD_NG, options.ping);
	if (!wire || (options.ping && !pings))
		die(options.address);
	go_first();
	if (options.watch >= 0 &&
		!(load_watch_start((unsigned int)options.watch) &&
			load_watch_start((unsigned int)sched_getcpu())))
		die("--watch");
	run(wire, pings);
	if (options.watch >= 0)
		load_watch_stop();
	report((double)((last_ns ? last_ns : now_ns()) - start_ns) / 1e9);
	load_wire_close(wire);
	if (pings)
		load_wire_close(pings);
	return refused > 0 || done == 0;
}

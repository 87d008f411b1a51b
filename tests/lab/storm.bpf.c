/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * A host that takes CPUs away without a word, as hypervisors do. A timer on
 * each CPU spins in its interrupt: nothing else runs there, and the kernel
 * accounts the time to the thread that was interrupted, as if that had worked.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <stdbool.h>

enum {
	CPUS = 256,
	MONOTONIC = 1,    /* CLOCK_MONOTONIC */
	ABSOLUTE = 1,     /* BPF_F_TIMER_ABS; Debian's headers lack both */
	PINNED = 2,       /* BPF_F_TIMER_CPU_PIN, since Linux 6.7 */
	TURNS = 1 << 23,  /* of a loop, at most */
	MS = 1000 * 1000, /* ns */
	SHORTEST_MS = 2,
};

/* Set by storm.c before it loads this. */
const volatile __u64 seed = 1;
const volatile __u64 every_ms = 500;
const volatile __u64 most_ms = 100;

struct cpu {
	struct bpf_timer timer;
	__u64 pauses;
	__u64 paused_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CPUS);
	__type(key, __u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

/* The finalizer of MurmurHash3 (public domain): every bit counts. */
static __u64
mix(__u64 x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

static long
spin(__u64 turn, void *arg)
{
	const __u64 *until = arg;

	(void)turn;
	return bpf_ktime_get_ns() >= *until;
}

/* When slot @k of time has its pause: in its first half, on all CPUs alike. */
static __u64
due(__u64 k)
{
	const __u64 slot = every_ms * MS;

	return k * slot + mix(k + seed) % (slot / 2 + 1);
}

/* Slots are the same on all CPUs: of four, one takes them all, the others
   some. Of four pauses, one is long. */
static __u64
pause_ns(__u64 k, __u32 cpu)
{
	const __u64 h = mix(mix(k) + seed), of = h >> 8;
	const bool mine = (h & 3) == 0 || (mix(h + cpu) & 1) != 0;

	if (!mine)
		return 0;
	if ((h >> 2 & 3) == 0)
		return (most_ms / 2 + of % (most_ms / 2 + 1)) * MS;
	return (SHORTEST_MS + of % (most_ms / 8 + 1)) * MS;
}

static int
fire(void *map, __u32 *key, struct cpu *c)
{
	const __u64 now = bpf_ktime_get_ns(), k = now / (every_ms * MS);
	const __u64 pause = pause_ns(k, *key), next = due(k + 1);

	(void)map;
	if (pause > 0) {
		__u64 until = now + pause;

		bpf_loop(TURNS, spin, &until, 0);
		c->pauses++;
		c->paused_ns += bpf_ktime_get_ns() - now;
	}
	if (bpf_timer_start(&c->timer, next, ABSOLUTE | PINNED) != 0)
		bpf_timer_start(&c->timer, next, ABSOLUTE);
	return 0;
}

/* Begin on the CPU that this runs on; 0 when it has. */
SEC("xdp")
int
arm(struct xdp_md *ctx)
{
	__u32 key = bpf_get_smp_processor_id();
	struct cpu *c = bpf_map_lookup_elem(&cpus, &key);

	(void)ctx;
	if (!c || bpf_timer_init(&c->timer, &cpus, MONOTONIC) != 0 ||
		bpf_timer_set_callback(&c->timer, fire) != 0)
		return 1;
	if (bpf_timer_start(&c->timer, MS, PINNED) != 0)
		return bpf_timer_start(&c->timer, MS, 0) != 0;
	return 0;
}

char terms[] SEC("license") = "Dual BSD/GPL";

/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/dataplane/station.h"

#define ROUNDS 40
#define PACKETS 5
#define WORKERS 2

/*
 * Two workers in threads of their own, control in this one: all that crosses
 * between them are rings, counters and bells, as in the daemon.
 */
struct scene {
	struct station *s;
	pthread_t thread[WORKERS];
	struct rte_mbuf *mbuf[WORKERS * ROUNDS * PACKETS];
	unsigned int n_mbufs; /* not used yet: none is used twice */
	uint64_t ticket;
};

static void *
run(void *worker)
{
	sp_worker_run(worker);
	return NULL;
}

static void
scene_open(struct scene *scene, bool busy)
{
	scene->s = station_open(WORKERS, 0, 0, 0);
	scene->n_mbufs = sizeof scene->mbuf / sizeof *scene->mbuf;
	scene->ticket = 0;
	cr_assert(eq(int,
		rte_pktmbuf_alloc_bulk(
			scene->s->dp.pool, scene->mbuf, scene->n_mbufs),
		0));
	for (unsigned int i = 0; i < WORKERS; i++) {
		struct sp_worker *w = station_worker(scene->s, i);

		w->busy = busy;
		cr_assert(eq(int,
			pthread_create(&scene->thread[i], NULL, run, w), 0));
	}
}

static void
scene_close(struct scene *scene)
{
	for (unsigned int i = 0; i < WORKERS; i++) {
		__atomic_store_n(&station_worker(scene->s, i)->stop, 1,
			__ATOMIC_RELAXED);
		pthread_join(scene->thread[i], NULL);
	}
	rte_pktmbuf_free_bulk(scene->mbuf, scene->n_mbufs);
	station_expect_sum(scene->s);
	station_close(scene->s);
}

/* Order something and wait until it is done. */
static int
order(struct scene *scene, unsigned int w, struct sp_command *cmd)
{
	uint64_t ticket = 0;
	int status;

	cmd->ticket = ++scene->ticket;
	station_command(scene->s, w, cmd);
	sp_mailbox_ring(&station_worker(scene->s, w)->box);
	while ((status = station_answer(scene->s, w, &ticket)) == -1)
		sched_yield();
	cr_assert(eq(u64, ticket, cmd->ticket));
	return status;
}

static int
start(struct scene *scene, unsigned int w, uint16_t port)
{
	struct sp_command cmd = { .kind = SP_COMMAND_PROGRAM,
		.flow = 1,
		.conf = { .signalled = packet_addr("198.51.100.1", 4000),
			.local = BED_IP4,
			.port = port,
			.policy = SP_LATCH_RESTRICTED,
			.clock_hz = 8000,
			.send = 1 } };

	return order(scene, w, &cmd);
}

/* Packets for @w, as if the other worker had received them. */
static void
hand_over(struct scene *scene, unsigned int w, uint16_t port)
{
	const struct packet_shape shape = { .from = packet_addr(
						    "198.51.100.1", 4000),
		.to = packet_addr("203.0.113.10", port) };
	struct rte_ring *ring = station_worker(scene->s, w)->from[!w].owner;
	uint8_t rtp[172];

	for (uint16_t seq = 0; seq < PACKETS; seq++) {
		struct rte_mbuf *m = scene->mbuf[--scene->n_mbufs];
		struct packet p;

		packet_put_rtp(rtp, sizeof rtp, 1, seq);
		packet_write(&p, &shape, rtp, sizeof rtp);
		memcpy(rte_pktmbuf_append(m, p.len), p.frame, p.len);
		m->port = 0; /* the NIC */
		cr_assert(eq(int, rte_ring_enqueue(ring, m), 0));
	}
}

/* One call's life on worker @w. */
static void
live(struct scene *scene, unsigned int w, uint16_t port)
{
	const struct sp_worker *worker = station_worker(scene->s, w);
	const struct sp_flow *flow = &worker->table.flow[1];
	struct sp_flow_report r;
	struct sp_command cmd = {
		.kind = SP_COMMAND_READ, .flow = 1, .report = &r
	};

	cr_assert(eq(int, start(scene, w, port), SP_OK));
	hand_over(scene, w, port);
	do
		cr_assert(eq(int, order(scene, w, &cmd), SP_OK));
	while (r.packets < PACKETS);
	cr_expect(
		gt(u32, __atomic_load_n(&flow->seen_ms, __ATOMIC_RELAXED), 0));
	cr_expect(gt(u64, sp_counter_read(&worker->counters.taken_over), 0));
	cmd.kind = SP_COMMAND_STOP;
	cr_assert(eq(int, order(scene, w, &cmd), SP_OK));
	cr_expect(eq(u64, r.packets, PACKETS));
	cr_expect(eq(u32,
		r.dropped[SP_VERDICT_NO_REMOTE - SP_VERDICT_FORWARD - 1],
		PACKETS)); /* there is no other leg */
}

ParameterizedTestParameters(worker_threads, share_rings_and_counters_only)
{
	static bool busy[] = { false, true };

	return cr_make_param_array(bool, busy, sizeof busy / sizeof *busy);
}

ParameterizedTest(bool *busy, worker_threads, share_rings_and_counters_only,
	.timeout = 60)
{
	struct scene scene;

	scene_open(&scene, *busy);
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int w = 0; w < WORKERS; w++)
			live(&scene, w,
				(uint16_t)((470 + w) * 64 + 2 * (round % 32)));
	scene_close(&scene);
}

/* How many threads of this process run under @policy and are so @nice? */
static unsigned int
count_threads(int policy, int nice)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned int n = 0;
	const struct dirent *task;

	cr_assert(tasks != NULL);
	while ((task = readdir(tasks)) != NULL) {
		const int id = atoi(task->d_name);

		if (id > 0)
			n += sched_getscheduler(id) == policy &&
				getpriority(PRIO_PROCESS, (id_t)id) == nice;
	}
	closedir(tasks);
	return n;
}

/* Tests may run as nice as they like: less so takes the right to. */
static bool
may_be_less_nice(void)
{
	return geteuid() == 0 && setpriority(PRIO_PROCESS, 0, 1) == 0 &&
		setpriority(PRIO_PROCESS, 0, 0) == 0;
}

Test(worker_threads, those_that_sleep_go_before_control, .timeout = 60)
{
	struct scene scene;

	if (!may_be_less_nice())
		cr_skip_test("needs root");
	scene_open(&scene, false);
	while (count_threads(SCHED_OTHER, -5) < WORKERS)
		sched_yield();
	cr_expect(eq(int, getpriority(PRIO_PROCESS, 0), 0));
	scene_close(&scene);
}

Test(worker_threads, those_that_poll_leave_control_its_share, .timeout = 60)
{
	struct scene scene;

	if (!may_be_less_nice())
		cr_skip_test("needs root");
	scene_open(&scene, true);
	for (unsigned int w = 0; w < WORKERS; w++)
		live(&scene, w, (uint16_t)((470 + w) * 64));
	cr_expect(eq(u32, count_threads(SCHED_OTHER, -5), 0));
	scene_close(&scene);
}

/* How the process runs already, and must go on to. */
struct order_case {
	int policy;
	int nice;
};

ParameterizedTestParameters(worker_threads, who_runs_them_otherwise_knows_why)
{
	static struct order_case cases[] = {
		{ SCHED_BATCH, 0 },
		{ SCHED_OTHER, -10 },
	};

	return cr_make_param_array(
		struct order_case, cases, sizeof cases / sizeof *cases);
}

ParameterizedTest(struct order_case *c, worker_threads,
	who_runs_them_otherwise_knows_why, .timeout = 60)
{
	const struct sched_param none = { 0 };
	struct scene scene;

	if (!may_be_less_nice())
		cr_skip_test("needs root");
	cr_assert(eq(int, setpriority(PRIO_PROCESS, 0, c->nice), 0));
	cr_assert(eq(int, sched_setscheduler(0, c->policy, &none), 0));
	scene_open(&scene, false);
	/* Who carries packets has begun, and so decided. */
	for (unsigned int w = 0; w < WORKERS; w++)
		live(&scene, w, (uint16_t)((470 + w) * 64));
	cr_expect(gt(uint, count_threads(c->policy, c->nice), WORKERS));
	cr_expect(eq(uint, count_threads(SCHED_OTHER, -5), 0));
	scene_close(&scene);
}

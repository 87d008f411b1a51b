/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "control/command.h"
#include "control/config.h"
#include "control/flags.h"
#include "control/http.h"
#include "control/json_memory.h"
#include "control/log.h"
#include "control/loop.h"
#include "control/ng_udp.h"
#include "control/ready.h"
#include "control/record.h"
#include "control/webhook.h"
#include "relay/wipe.h"

#ifndef SP_VERSION
#define SP_VERSION "unknown"
#endif

#define TICK_MS 1000u
#define STOP_TICKS 5u            /* patience with the workers at the end */
#define OUTBOX_PATIENCE_MS 5000u /* with who takes records, at the end */
#define EXIT_USAGE 2
/* Two parties with audio and video: RTP, RTCP, and the keys of each leg. */
#define IDS_A_CALL 12u
#define IDS_A_PAIR 3u /* of ports: the same of one leg */
#define PORT_BLOCK 64u
#define STACK_USED 131072u /* at the most, by a request from start to reply */
/* From the program to the XDP filter in a build directory. */
#define XDP_BESIDE "/../dataplane/xdp_filter.bpf.o"

/* The process, opened in this order; close_all has the way back. */
struct process {
	const char *config_path; /* NULL: none */
	struct sp_config config;
	struct sp_loop *loop;
	struct sp_outbox *records; /* NULL: none are kept */
	struct sp_outbox *webhook; /* NULL: nobody is told */
	struct sp_dataplane *dp;
	struct sp_service *service;
	struct sp_http *http;
	struct sp_ng *ng;
	struct sp_ng_udp *ng_udp;
	bool stopping;
	unsigned int stop_ticks;
};

static const char usage[] =
	"Usage: sallyport [--config FILE] [--check]\n"
	"       sallyport --flags | --version | --help\n"
	"\n"
	"Relay RTP and rewrite SDP for SIP proxies, as they ask over the ng\n"
	"protocol or an HTTP API.\n"
	"\n"
	"  -c, --config FILE  read the configuration, see sallyport.yaml(5)\n"
	"  -t, --check        say what is wrong with it, start nothing\n"
	"  -f, --flags        print what requests may say, as Markdown\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"Without --config: one realm on the interface of the default route,\n"
	"ports 30000-39999, ng on 127.0.0.1:2223, HTTP on 127.0.0.1:8080.\n";

static int
fail(const char *what)
{
	fprintf(stderr, "sallyport: %s\n", what);
	return EXIT_FAILURE;
}

static uint64_t
monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static void
on_say(void *arg, bool warning, const char *text)
{
	(void)arg;
	sp_log_say(warning ? SP_LOG_WARNING : SP_LOG_INFO, "dataplane", "%s",
		text);
}

static void
end_when_idle(struct process *p)
{
	if ((p->stopping || sp_service_draining(p->service)) &&
		sp_service_idle(p->service))
		sp_loop_end(p->loop);
}

static void
on_dataplane(void *arg)
{
	struct process *p = arg;

	sp_service_serve(p->service);
	sp_dataplane_ring(p->dp);
	sp_wipe_stack(STACK_USED); /* the SDP that was replied has keys */
	end_when_idle(p);
}

static void
on_http(void *arg)
{
	struct process *p = arg;

	sp_http_serve(p->http);
	sp_dataplane_ring(p->dp);
	sp_wipe_stack(STACK_USED);
}

static void
on_ng(void *arg)
{
	struct process *p = arg;

	sp_ng_udp_serve(p->ng_udp);
	sp_dataplane_ring(p->dp);
	sp_wipe_stack(STACK_USED);
}

/* A ping must not wait for all calls that end in a second. */
static void
on_between(void *arg)
{
	struct process *p = arg;

	sp_ng_udp_glance(p->ng_udp);
}

static void
on_tick(void *arg)
{
	struct process *p = arg;
	const uint64_t now_ms = monotonic_ms();

	sp_service_tick(p->service);
	sp_http_tick(p->http, now_ms);
	sp_ng_tick(p->ng, now_ms);
	sp_dataplane_ring(p->dp);
	end_when_idle(p);
	if (p->stopping && ++p->stop_ticks == STOP_TICKS)
		sp_loop_end(p->loop);
}

/*
 * A worker's ids, of flows and of legs' keys: no more than all calls need, or
 * than go with the ports it owns.
 */
static uint32_t
max_flows(const struct sp_config *conf)
{
	const uint64_t calls = (uint64_t)conf->max_calls * IDS_A_CALL;
	uint64_t ports = 0;
	uint64_t ids;

	for (unsigned int i = 0; i < conf->n_realms; i++) {
		const struct sp_realm_conf *realm = &conf->realm[i];
		const unsigned int n =
			realm->last_port - realm->first_port + 1u;

		/* Ports are dealt in blocks: one worker may get one more. */
		ports += (uint64_t)realm->n_addrs *
			(n / conf->workers + PORT_BLOCK);
	}
	ids = ports / 2 * IDS_A_PAIR;
	return (uint32_t)(calls < ids ? calls : ids);
}

/* Not installed, but run from where it was built? */
static void
find_xdp_program(struct sp_config *conf)
{
	char program[PATH_MAX];
	char beside[PATH_MAX + sizeof XDP_BESIDE];
	const ssize_t len =
		readlink("/proc/self/exe", program, sizeof program - 1);

	if (access(conf->xdp_program, R_OK) == 0 || len < 0)
		return;
	program[len] = '\0';
	snprintf(beside, sizeof beside, "%s%s", dirname(program), XDP_BESIDE);
	if (access(beside, R_OK) == 0 &&
		strlen(beside) < sizeof conf->xdp_program)
		memcpy(conf->xdp_program, beside, strlen(beside) + 1);
}

static struct sp_dataplane_conf
dataplane_conf(const struct sp_config *conf)
{
	return (struct sp_dataplane_conf){
		.realms = conf->realm,
		.n_realms = conf->n_realms,
		.workers = conf->workers,
		.cpus = conf->pinned ? conf->cpus : NULL,
		.max_flows = max_flows(conf),
		.hugepages = conf->hugepages,
		.busy = conf->busy,
		.srtp = conf->srtp,
		.xdp_program = conf->xdp_program,
		.say = on_say,
	};
}

/* The file, or what holds without one; @why gets one line. */
static enum sp_status
read_config(struct process *p, char why[SP_CONFIG_WHY])
{
	enum sp_status status = SP_OK;

	sp_config_default(&p->config);
	if (p->config_path)
		status = sp_config_load(p->config_path, &p->config, why);
	if (status != SP_OK)
		return status;
	find_xdp_program(&p->config);
	if (p->config.n_realms > 0)
		return SP_OK;
	sp_config_add_default_realm(&p->config);
	status = sp_dataplane_default_realm(&p->config.realm[0]);
	if (status != SP_OK)
		snprintf(why, SP_CONFIG_WHY,
			"no realm is configured and no default route says "
			"which interface to use: write a file with realms, "
			"see sallyport.yaml(5)");
	return status;
}

static int
check(struct process *p)
{
	const struct sp_dataplane_conf conf = dataplane_conf(&p->config);
	struct sp_dataplane_error error = { .realm = -1 };
	char why[SP_CONFIG_WHY];

	if (sp_dataplane_check(&conf, &error) == SP_OK)
		return EXIT_SUCCESS;
	sp_config_explain(p->config_path, &error, why);
	return fail(why);
}

/* Where ends of calls are told; before the workers, as the threads ask. */
static enum sp_status
open_outboxes(struct process *p)
{
	enum sp_status status = sp_record_open(p->config.records, &p->records);

	if (status == SP_OK)
		status = sp_webhook_open(p->config.webhook, &p->webhook);
	return status;
}

/* The doors: HTTP, and ng over UDP and in HTTP. */
static int
open_doors(struct process *p)
{
	char http_why[SP_HTTP_WHY];
	char ng_why[SP_NG_UDP_WHY];

	if (sp_http_open(&p->config, p->service, &p->http, http_why) != SP_OK)
		return fail(http_why);
	if (sp_ng_open(p->service, &p->ng) != SP_OK)
		return fail("no memory for the ng protocol");
	if (sp_ng_udp_open(&p->config, p->ng, sp_service_ng_counts(p->service),
		    &p->ng_udp, ng_why) != SP_OK)
		return fail(ng_why);
	sp_http_serve_ng(p->http, p->ng, p->ng_udp);
	sp_service_between(p->service, on_between, p);
	return EXIT_SUCCESS;
}

static enum sp_status
watch_all(struct process *p)
{
	const struct {
		int fd;
		sp_loop_fn fn;
	} watch[] = {
		{ sp_dataplane_fd(p->dp), on_dataplane },
		{ sp_http_fd(p->http), on_http },
		{ sp_ng_udp_fd(p->ng_udp), on_ng },
	};
	enum sp_status status = sp_loop_every(p->loop, TICK_MS, on_tick, p);

	for (size_t i = 0; i < sizeof watch / sizeof *watch; i++)
		if (status == SP_OK)
			status = sp_loop_watch(
				p->loop, watch[i].fd, watch[i].fn, p);
	return status;
}

/* The two shells and the doors between them. */
static int
open_all(struct process *p)
{
	const struct sp_dataplane_conf conf = dataplane_conf(&p->config);
	struct sp_dataplane_error error = { .realm = -1 };
	char why[SP_CONFIG_WHY];

	/* The loop first: the threads inherit that signals are its. */
	if (sp_loop_open(&p->loop) != SP_OK)
		return fail(strerror(errno));
	if (open_outboxes(p) != SP_OK)
		return fail("no memory or thread for records and the webhook");
	if (sp_dataplane_open(&conf, &p->dp, &error) != SP_OK) {
		sp_config_explain(p->config_path, &error, why);
		return fail(why);
	}
	if (sp_service_open(&p->config, p->dp, &p->service) != SP_OK)
		return fail("no memory for the calls; lower max_calls");
	sp_service_tell(p->service, p->records, p->webhook);
	if (open_doors(p) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	if (watch_all(p) != SP_OK)
		return fail(strerror(errno));
	return EXIT_SUCCESS;
}

/*
 * The workers end first: orders may still be out, and a worker writes its
 * reports into memory of the service. The service tells them nothing any
 * more when it closes; its last replies are the doors', which therefore end
 * after it, as do the outboxes, which get its last records.
 */
static void
close_all(struct process *p)
{
	sp_dataplane_close(p->dp);
	sp_service_close(p->service);
	sp_ng_udp_close(p->ng_udp);
	sp_ng_close(p->ng);
	sp_http_close(p->http);
	sp_outbox_close(p->webhook, OUTBOX_PATIENCE_MS);
	sp_outbox_close(p->records, OUTBOX_PATIENCE_MS);
	sp_loop_close(p->loop);
	sp_config_wipe(&p->config);
}

static int
serve(struct process *p)
{
	int signal_no = sp_loop_run(p->loop);

	if (signal_no < 0)
		return fail(strerror(errno));
	if (signal_no > 0)
		sp_log_say(SP_LOG_INFO, "stopping", "%s: calls end now",
			strsignal(signal_no));
	else
		sp_log_say(SP_LOG_INFO, "stopping", "drained");
	p->stopping = true;
	sp_service_stop(p->service);
	sp_dataplane_ring(p->dp);
	/* Workers still write into what calls own: another signal must wait. */
	while (!sp_service_idle(p->service) && p->stop_ticks < STOP_TICKS &&
		sp_loop_run(p->loop) >= 0)
		continue;
	sp_log_say(SP_LOG_INFO, "stopped", "%s",
		sp_service_idle(p->service) ? "every call has ended"
					    : "some calls had no time to end");
	return EXIT_SUCCESS;
}

static int
run(struct process *p, bool check_only)
{
	/* The token is read now; PR_SET_DUMPABLE, below, comes later. */
	const struct rlimit no_core = { 0, 0 };
	char why[SP_CONFIG_WHY];
	int result;

	setrlimit(RLIMIT_CORE, &no_core);
	if (read_config(p, why) != SP_OK)
		return fail(why);
	result = check(p);
	if (result != EXIT_SUCCESS || check_only) {
		if (result == EXIT_SUCCESS)
			printf("sallyport: %s: fine\n",
				p->config_path ? p->config_path
					       : "the defaults");
		sp_config_wipe(&p->config);
		return result;
	}

	signal(SIGPIPE, SIG_IGN);
	sp_json_memory_use();
	result = open_all(p);
	if (result == EXIT_SUCCESS) {
		/*
		 * Keys and the token must not end up in a core file, nor be
		 * read by other processes of this user. Not sooner: it would
		 * close /proc/self, which DPDK reads as it opens, to a user
		 * without root. No key can come before the doors are served.
		 */
		prctl(PR_SET_DUMPABLE, 0);
		sp_ready_say(&p->config, p->dp, SP_VERSION);
		result = serve(p);
	}
	close_all(p);
	sp_json_memory_close();
	return result;
}

static int
print_flags(void)
{
	sp_flags_write(stdout);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 't' },
		{ "flags", no_argument, NULL, 'f' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	static struct process process;
	bool check_only = false;
	int option;

	while ((option = getopt_long(argc, argv, "c:tfVh", options, NULL)) !=
		-1) {
		if (option == 'c')
			process.config_path = optarg;
		else if (option == 't')
			check_only = true;
		else if (option == 'f')
			return print_flags();
		else if (option == 'V')
			return printf("sallyport %s\n", SP_VERSION) < 0;
		else if (option == 'h')
			return printf("%s", usage) < 0;
		else
			return EXIT_USAGE;
	}
	if (optind < argc) {
		fprintf(stderr, "sallyport: what is \"%s\"? See --help.\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return run(&process, check_only);
}

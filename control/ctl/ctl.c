/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl/client.h"
#include "control/ctl/print.h"

#ifndef SP_VERSION
#define SP_VERSION "unknown"
#endif

#define EXIT_USAGE 2
#define URL "http://127.0.0.1:8080"
#define CALL_PATH "/v1/calls/"
#define LIST_PATH "/v1/calls?limit=1000"

/* What was asked for on the command line. */
struct order {
	struct sp_client_conf conf;
	bool json;
	const char *call_id;
	char why[SP_CLIENT_WHY];
};

static const char usage[] =
	"Usage: sallyportctl [OPTION...] COMMAND\n"
	"\n"
	"Look into a running sallyport and end calls by hand.\n"
	"\n"
	"  calls              list the calls\n"
	"  call CALL-ID       show all that is known of one\n"
	"  delete CALL-ID     end it, and show what it has seen\n"
	"\n"
	"  -j, --json         print JSON\n"
	"  -u, --url URL      the relay's API, or $SALLYPORT_URL;\n"
	"                     else " URL "\n"
	"  -t, --token-file FILE  its bearer token, or $SALLYPORT_TOKEN_FILE\n"
	"      --ca FILE      certificates to check its own by (https)\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n";

/* Append the pages' calls to the first page's; false: @o->why. */
static bool
add_pages(struct sp_client *client, json_t *first, struct order *o)
{
	json_t *calls = json_object_get(first, "calls");
	json_t *next = json_incref(json_object_get(first, "next"));

	while (json_is_string(next)) {
		json_t *page = sp_client_ask(client, "GET",
			LIST_PATH "&after=", json_string_value(next), o->why);

		json_decref(next);
		if (!page)
			return false;
		json_array_extend(calls, json_object_get(page, "calls"));
		next = json_incref(json_object_get(page, "next"));
		json_decref(page);
	}
	json_decref(next);
	json_object_del(first, "next");
	return true;
}

static json_t *
run_calls(struct sp_client *client, struct order *o)
{
	json_t *list = sp_client_ask(client, "GET", LIST_PATH, NULL, o->why);

	if (list && !add_pages(client, list, o)) {
		json_decref(list);
		return NULL;
	}
	return list;
}

static json_t *
run_call(struct sp_client *client, struct order *o)
{
	return sp_client_ask(client, "GET", CALL_PATH, o->call_id, o->why);
}

static json_t *
run_delete(struct sp_client *client, struct order *o)
{
	return sp_client_ask(client, "DELETE", CALL_PATH, o->call_id, o->why);
}

static void
print_calls(FILE *to, const json_t *answer)
{
	sp_print_calls(to, json_object_get(answer, "calls"));
}

static const struct command {
	const char *name;
	bool takes_id;
	json_t *(*run)(struct sp_client *client, struct order *o);
	void (*print)(FILE *to, const json_t *answer);
} commands[] = {
	{ "calls", false, run_calls, print_calls },
	{ "call", true, run_call, sp_print_call },
	{ "delete", true, run_delete, sp_print_call },
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int
run(const struct command *command, struct order *o)
{
	struct sp_client *client = sp_client_open(&o->conf, o->why);
	json_t *answer = client ? command->run(client, o) : NULL;
	int status = EXIT_FAILURE;

	if (!answer) {
		fprintf(stderr, "sallyportctl: %s\n", o->why);
	} else if (o->json) {
		status = json_dumpf(answer, stdout, JSON_INDENT(2)) != 0;
		putchar('\n');
	} else {
		command->print(stdout, answer);
		status = EXIT_SUCCESS;
	}
	json_decref(answer);
	sp_client_close(client);
	return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}

/* Returns what is left of the arguments, or exits. */
static int
read_options(int argc, char **argv, struct order *o)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "url", required_argument, NULL, 'u' },
		{ "token-file", required_argument, NULL, 't' },
		{ "ca", required_argument, NULL, 'c' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "ju:t:Vh", options, NULL)) !=
		-1) {
		if (option == 'j')
			o->json = true;
		else if (option == 'u')
			o->conf.url = optarg;
		else if (option == 't')
			o->conf.token_file = optarg;
		else if (option == 'c')
			o->conf.ca = optarg;
		else if (option == 'V')
			exit(printf("sallyportctl %s\n", SP_VERSION) < 0);
		else if (option == 'h')
			exit(printf("%s", usage) < 0);
		else
			exit(EXIT_USAGE);
	}
	return optind;
}

int
main(int argc, char **argv)
{
	struct order o = {
		.conf.url = getenv("SALLYPORT_URL"),
		.conf.token_file = getenv("SALLYPORT_TOKEN_FILE"),
	};
	const int first = read_options(argc, argv, &o);
	const struct command *command =
		first < argc ? find_command(argv[first]) : NULL;

	if (!o.conf.url)
		o.conf.url = URL;
	if (!command || argc - first != 1 + command->takes_id) {
		fprintf(stderr, "%s", usage);
		return EXIT_USAGE;
	}
	o.call_id = argv[first + 1];
	return run(command, &o);
}

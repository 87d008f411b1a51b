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
	const char *tag;   /* of a party, or NULL */
	const char *label; /* of a party, or NULL */
	char why[SP_CLIENT_WHY];
};

static const char usage[] =
	"Usage: sallyportctl [OPTION...] COMMAND\n"
	"\n"
	"Look into a running sallyport and end calls by hand.\n"
	"\n"
	"  calls              list the calls\n"
	"  call CALL-ID       show all that is known of one\n"
	"  query --tag TAG    show the calls with a party of that tag,\n"
	"  query --label TEXT or of that label\n"
	"  delete CALL-ID     end a call, and show what it has seen\n"
	"  drain              refuse new calls; the relay ends with the last\n"
	"  statistics         show what the relay has counted\n"
	"\n"
	"  -j, --json         print JSON\n"
	"  -u, --url URL      the relay's API, or $SALLYPORT_URL;\n"
	"                     else " URL "\n"
	"  -t, --token-file FILE  its bearer token, or $SALLYPORT_TOKEN_FILE\n"
	"      --ca FILE      certificates to check its own by (https)\n"
	"  -V, --version      print the version\n"
	"  -h, --help         print this\n";

/* The list of all calls, page by page. */
static json_t *
run_calls(struct sp_client *client, struct order *o)
{
	json_t *list = sp_client_ask(client, "GET", LIST_PATH, NULL, o->why);
	json_t *calls = json_object_get(list, "calls");
	json_t *next = json_incref(json_object_get(list, "next"));

	while (json_is_string(next)) {
		json_t *page = sp_client_ask(client, "GET",
			LIST_PATH "&after=", json_string_value(next), o->why);

		json_decref(next);
		if (!page) {
			json_decref(list);
			return NULL;
		}
		json_array_extend(calls, json_object_get(page, "calls"));
		next = json_incref(json_object_get(page, "next"));
		json_decref(page);
	}
	json_decref(next);
	json_object_del(list, "next");
	return list;
}

static json_t *
run_call(struct sp_client *client, struct order *o)
{
	return sp_client_ask(client, "GET", CALL_PATH, o->call_id, o->why);
}

/* All that is known of each call of @list; NULL: @o->why. */
static json_t *
ask_each(struct sp_client *client, const json_t *list, struct order *o)
{
	json_t *found = json_array();
	const json_t *call;
	size_t i;

	json_array_foreach(json_object_get(list, "calls"), i, call)
	{
		const char *id =
			json_string_value(json_object_get(call, "call_id"));
		json_t *all = sp_client_ask(
			client, "GET", CALL_PATH, id ? id : "", o->why);

		if (all) {
			json_array_append_new(found, all);
		} else if (!sp_client_not_found(client)) {
			json_decref(found);
			return NULL;
		} /* else it has ended meanwhile */
	}
	return found;
}

/* One page: as many calls at once for one tag are no tag's. */
static json_t *
run_query(struct sp_client *client, struct order *o)
{
	json_t *list = sp_client_ask(client, "GET",
		o->tag ? LIST_PATH "&tag=" : LIST_PATH "&label=",
		o->tag ? o->tag : o->label, o->why);
	json_t *found = list ? ask_each(client, list, o) : NULL;

	json_decref(list);
	if (found && json_array_size(found) == 0) {
		snprintf(o->why, sizeof o->why,
			"no call has a party with the %s \"%.200s\"; "
			"\"sallyportctl calls\" lists what there is",
			o->tag ? "tag" : "label", o->tag ? o->tag : o->label);
		json_decref(found);
		return NULL;
	}
	return found ? json_pack("{s:o}", "calls", found) : NULL;
}

static json_t *
run_delete(struct sp_client *client, struct order *o)
{
	return sp_client_ask(client, "DELETE", CALL_PATH, o->call_id, o->why);
}

static json_t *
run_drain(struct sp_client *client, struct order *o)
{
	return sp_client_ask(client, "POST", "/v1/drain", NULL, o->why);
}

static json_t *
run_statistics(struct sp_client *client, struct order *o)
{
	return sp_client_ask(client, "GET", "/v1/statistics", NULL, o->why);
}

static void
print_calls(FILE *to, const json_t *answer)
{
	sp_print_calls(to, json_object_get(answer, "calls"));
}

static void
print_found(FILE *to, const json_t *answer)
{
	sp_print_found(to, json_object_get(answer, "calls"));
}

static void
print_drain(FILE *to, const json_t *answer)
{
	(void)answer;
	fputs("New calls are refused from now on; the relay ends with its last "
	      "call.\n",
		to);
}

enum needs {
	NOTHING,
	CALL_ID,
	PARTY
};

static const struct command {
	const char *name;
	enum needs needs;
	json_t *(*run)(struct sp_client *client, struct order *o);
	void (*print)(FILE *to, const json_t *answer);
} commands[] = {
	{ "calls", NOTHING, run_calls, print_calls },
	{ "call", CALL_ID, run_call, sp_print_call },
	{ "query", PARTY, run_query, print_found },
	{ "delete", CALL_ID, run_delete, sp_print_call },
	{ "drain", NOTHING, run_drain, print_drain },
	{ "statistics", NOTHING, run_statistics, sp_print_statistics },
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
		{ "tag", required_argument, NULL, 'T' },
		{ "label", required_argument, NULL, 'L' },
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
		else if (option == 'T')
			o->tag = optarg;
		else if (option == 'L')
			o->label = optarg;
		else if (option == 'V')
			exit(printf("sallyportctl %s\n", SP_VERSION) < 0);
		else if (option == 'h')
			exit(printf("%s", usage) < 0);
		else
			exit(EXIT_USAGE);
	}
	return optind;
}

/* What is wrong with the command line, or NULL. */
static const char *
mistake(const struct command *command, int words, const struct order *o)
{
	const bool party = o->tag || o->label;

	if (command->needs == PARTY && (words > 0 || !o->tag == !o->label))
		return "is given as \"query --tag TAG\" or "
		       "\"query --label TEXT\"";
	if (command->needs != PARTY && party)
		return "takes neither --tag nor --label; query does";
	if (command->needs == CALL_ID && words != 1)
		return "needs one call-id; \"sallyportctl calls\" lists them";
	if (command->needs == NOTHING && words > 0)
		return "takes nothing behind it";
	return NULL;
}

int
main(int argc, char **argv)
{
	struct order o = {
		.conf.url = getenv("SALLYPORT_URL"),
		.conf.token_file = getenv("SALLYPORT_TOKEN_FILE"),
	};
	const int first = read_options(argc, argv, &o);
	const struct command *command;
	const char *wrong;

	if (!o.conf.url)
		o.conf.url = URL;
	if (first == argc) {
		fprintf(stderr, "%s", usage);
		return EXIT_USAGE;
	}
	command = find_command(argv[first]);
	wrong = command ? mistake(command, argc - first - 1, &o)
			: "is no command; --help lists them";
	if (wrong) {
		fprintf(stderr, "sallyportctl: \"%s\" %s\n", argv[first],
			wrong);
		return EXIT_USAGE;
	}
	o.call_id = argv[first + 1];
	return run(command, &o);
}

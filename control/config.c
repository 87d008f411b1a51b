/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/config_schema.h"
#include "relay/sdp.h"

#ifndef SP_XDP_PROGRAM
#define SP_XDP_PROGRAM "/usr/lib/sallyport/filter.o"
#endif

#define WEEK_S (7u * 86400u)
#define MAX_CALLS_LIMIT 1000000u

/* Numbers with a default: copied from the raw struct, if in their range. */
static const struct {
	const char *section;
	const char *key;
	size_t raw;
	size_t conf;
	uint32_t otherwise;
	uint32_t least;
	uint32_t most;
} numbers[] = {
#define NUMBER(section, key, otherwise, least, most)                           \
	{                                                                      \
#section, #key, offsetof(struct sp_raw_config, section.key),   \
			offsetof(struct sp_config, key), otherwise, least,     \
			most                                                   \
	}
	NUMBER(dataplane, max_calls, 20000, 1, MAX_CALLS_LIMIT),
	NUMBER(dataplane, max_media, 8, 1, SP_SDP_MEDIA_MAX),
	NUMBER(timeouts, media_s, 60, 1, WEEK_S),
	NUMBER(timeouts, hold_s, 3600, 1, WEEK_S),
	NUMBER(timeouts, offer_s, 300, 1, WEEK_S),
	NUMBER(timeouts, max_s, 0, 0, WEEK_S),
	NUMBER(timeouts, delete_delay_s, 0, 0, 3600),
#undef NUMBER
};

#define NUMBERS (sizeof numbers / sizeof *numbers)

static void
set_number(struct sp_config *conf, size_t offset, uint32_t value)
{
	memcpy((char *)conf + offset, &value, sizeof value);
}

void
sp_config_default(struct sp_config *out)
{
	static const uint8_t loopback[] = { 127, 0, 0, 1 };

	memset(out, 0, sizeof *out);
	out->http = sp_addr_ip4(loopback, SP_CONFIG_HTTP_PORT);
	out->ng[0] = sp_addr_ip4(loopback, SP_CONFIG_NG_PORT);
	out->n_ng = 1;
	snprintf(out->records, sizeof out->records, "-");
	out->workers = 1;
	snprintf(out->xdp_program, sizeof out->xdp_program, "%s",
		SP_XDP_PROGRAM);
	for (size_t i = 0; i < NUMBERS; i++)
		set_number(out, numbers[i].conf, numbers[i].otherwise);
}

static const yaml_node_t *
node_at(const struct sp_config_reader *r, struct sp_config_place place,
	bool nearest)
{
	const yaml_node_t *at = yaml_document_get_root_node(r->doc);
	const yaml_node_t *next;

	next = sp_yaml_find(r->doc, at, place.section);
	if (next && place.entry >= 0)
		next = sp_yaml_item(r->doc, next, (size_t)place.entry);
	if (!next)
		return nearest ? at : NULL;
	at = next;
	if (!place.key)
		return at;
	next = sp_yaml_find(r->doc, at, place.key);
	if (!next)
		return nearest ? at : NULL;
	if (place.item < 0)
		return next;
	at = sp_yaml_item(r->doc, next, (size_t)place.item);
	return at || !nearest ? at : next;
}

bool
sp_config_given(const struct sp_config_reader *r, struct sp_config_place place)
{
	return node_at(r, place, false) != NULL;
}

bool
sp_config_wrong(const struct sp_config_reader *r, struct sp_config_place place,
	const char *format, ...)
{
	char key[SP_COMPLAINT_KEY];
	char text[SP_COMPLAINT_TEXT];
	size_t used = 0;
	va_list args;

	used = (size_t)snprintf(key, sizeof key, "%s", place.section);
	if (place.entry >= 0)
		used += (size_t)snprintf(
			key + used, sizeof key - used, "[%d]", place.entry);
	if (place.key)
		used += (size_t)snprintf(
			key + used, sizeof key - used, ".%s", place.key);
	if (place.item >= 0)
		snprintf(key + used, sizeof key - used, "[%d]", place.item);
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return sp_complain(r->why, node_at(r, place, true), key, "%s", text);
}

bool
sp_config_copy(const struct sp_config_reader *r, struct sp_config_place place,
	const char *text, char *out, size_t size)
{
	if (!text)
		return true;
	if (strlen(text) >= size)
		return sp_config_wrong(r, place,
			"is longer than the %zu characters there is room for",
			size - 1);
	snprintf(out, size, "%s", text);
	return true;
}

bool
sp_config_ip(const struct sp_config_reader *r, struct sp_config_place place,
	const char *text, size_t len, struct sp_addr *out)
{
	if (sp_addr_parse(text, len, out) != SP_OK)
		return sp_config_wrong(r, place,
			"\"%.*s\" is not an IPv4 or IPv6 address",
			len < 48 ? (int)len : 48, text);
	return true;
}

static bool
read_dataplane(const struct sp_config_reader *r)
{
	const struct sp_raw_dataplane *raw = &r->raw->dataplane;
	struct sp_config *conf = r->conf;
	struct sp_config_place at = { "dataplane", -1, "workers", -1 };

	conf->hugepages = raw->hugepages;
	conf->busy = raw->idle != 0;
	conf->srtp = (enum sp_srtp_kind)raw->srtp;
	if (raw->cpus_count > 0) {
		conf->workers = raw->cpus_count;
		conf->pinned = true;
		memcpy(conf->cpus, raw->cpus,
			raw->cpus_count * sizeof *raw->cpus);
		for (at.item = 1; at.item < (int)raw->cpus_count; at.item++)
			for (int i = 0; i < at.item; i++)
				if (raw->cpus[i] == raw->cpus[at.item])
					return sp_config_wrong(r, at,
						"CPU %u twice; a worker wants "
						"one of its own",
						raw->cpus[i]);
	} else if (sp_config_given(r, at)) {
		if (raw->workers < 1 || raw->workers > SP_WORKERS_MAX)
			return sp_config_wrong(r, at,
				"%u is not a number from 1 to %u; to name "
				"CPUs write [2, 3]",
				raw->workers, SP_WORKERS_MAX);
		conf->workers = raw->workers;
	}
	at = (struct sp_config_place){ "dataplane", -1, "xdp_program", -1 };
	return sp_config_copy(r, at, raw->xdp_program, conf->xdp_program,
		sizeof conf->xdp_program);
}

static bool
read_numbers(const struct sp_config_reader *r)
{
	for (size_t i = 0; i < NUMBERS; i++) {
		const struct sp_config_place at = { numbers[i].section, -1,
			numbers[i].key, -1 };
		uint32_t value;

		if (!sp_config_given(r, at))
			continue;
		memcpy(&value, (const char *)r->raw + numbers[i].raw,
			sizeof value);
		if (value < numbers[i].least || value > numbers[i].most)
			return sp_config_wrong(r, at,
				"%u is not a number from %u to %u", value,
				numbers[i].least, numbers[i].most);
		set_number(r->conf, numbers[i].conf, value);
	}
	r->conf->end_silent = r->raw->timeouts.silent_leg != 0;
	return true;
}

/* What libyaml has as a tree, through libcyaml's structs into @conf. */
static bool
read_document(yaml_document_t *doc, const char *text, size_t len,
	struct sp_config *conf, struct sp_complaint *why)
{
	const cyaml_config_t cyaml = { .mem_fn = cyaml_mem };
	const yaml_node_t *root = yaml_document_get_root_node(doc);
	const yaml_node_t *workers = sp_yaml_find(
		doc, sp_yaml_find(doc, root, "dataplane"), "workers");
	struct sp_config_schema schema;
	struct sp_raw_config *raw = NULL;
	struct sp_config_reader r = { doc, NULL, conf, why };
	cyaml_err_t err;
	bool good;

	if (!root)
		return true;
	sp_config_schema_init(
		&schema, workers && workers->type == YAML_SEQUENCE_NODE);
	if (!sp_yaml_check(doc, &schema.top, why))
		return false;
	err = cyaml_load_data((const uint8_t *)text, len, &cyaml, &schema.top,
		(cyaml_data_t **)&raw, NULL);
	if (err != CYAML_OK)
		return sp_complain(why, root, "", "%s", cyaml_strerror(err));
	r.raw = raw;
	good = sp_config_control(&r) && read_dataplane(&r) &&
		read_numbers(&r) && sp_config_realms(&r);
	cyaml_free(&cyaml, &schema.top, raw, 0);
	return good;
}

static void
say(char why[SP_CONFIG_WHY], const char *name, const struct sp_complaint *c)
{
	char line[16] = "";

	if (c->line > 0)
		snprintf(line, sizeof line, ":%u", c->line);
	snprintf(why, SP_CONFIG_WHY, "%.200s%s: %s%s%s", name, line, c->key,
		c->key[0] ? ": " : "", c->text);
}

enum sp_status
sp_config_parse(const char *name, const char *text, size_t len,
	struct sp_config *out, char why[SP_CONFIG_WHY])
{
	struct sp_complaint complaint;
	struct sp_config conf;
	yaml_document_t doc;
	bool good;

	if (!sp_yaml_read(text, len, &doc, &complaint)) {
		say(why, name, &complaint);
		return SP_MALFORMED;
	}
	sp_config_default(&conf);
	good = read_document(&doc, text, len, &conf, &complaint);
	yaml_document_delete(&doc);
	if (good)
		*out = conf;
	else
		say(why, name, &complaint);
	sp_config_wipe(&conf);
	return good ? SP_OK : SP_MALFORMED;
}

/* The whole file, which the caller frees. */
static enum sp_status
read_file(const char *path, char **text, size_t *len, char *why)
{
	FILE *file = fopen(path, "re");
	char *bytes = file ? malloc(SP_CONFIG_BYTES) : NULL;
	enum sp_status status = SP_OK;
	size_t n = 0;

	if (bytes)
		n = fread(bytes, 1, SP_CONFIG_BYTES, file);
	if (!file)
		status = SP_NOT_FOUND;
	else if (!bytes)
		status = SP_NO_MEMORY;
	else if (ferror(file))
		status = SP_SYSTEM;
	else if (n == SP_CONFIG_BYTES)
		status = SP_TOO_LONG;

	if (status == SP_TOO_LONG)
		snprintf(why, SP_CONFIG_WHY,
			"%.200s: larger than %u bytes: not a configuration",
			path, SP_CONFIG_BYTES);
	else if (status != SP_OK)
		snprintf(why, SP_CONFIG_WHY, "%.200s: cannot read it: %s", path,
			strerror(errno));
	if (file)
		fclose(file);
	if (status != SP_OK) {
		free(bytes);
		return status;
	}
	*text = bytes;
	*len = n;
	return SP_OK;
}

enum sp_status
sp_config_load(const char *path, struct sp_config *out, char why[SP_CONFIG_WHY])
{
	char *text;
	size_t len;
	enum sp_status status = read_file(path, &text, &len, why);

	if (status != SP_OK)
		return status;
	status = sp_config_parse(path, text, len, out, why);
	free(text);
	return status;
}

void
sp_config_explain(const char *path, const struct sp_dataplane_error *error,
	char why[SP_CONFIG_WHY])
{
	struct sp_config_place at = { "dataplane", -1,
		error->key[0] ? error->key : NULL, -1 };
	struct sp_complaint complaint;
	struct sp_config_reader r = { NULL, NULL, NULL, &complaint };
	yaml_document_t doc;
	char *text;
	size_t len;

	if (error->realm >= 0) {
		at.section = "realms";
		at.entry = error->realm;
	}
	snprintf(why, SP_CONFIG_WHY, "%s%s%s", error->key,
		error->key[0] ? ": " : "", error->text);
	if (!path || read_file(path, &text, &len, why) != SP_OK)
		return;
	if (sp_yaml_read(text, len, &doc, &complaint)) {
		r.doc = &doc;
		sp_config_wrong(&r, at, "%s", error->text);
		yaml_document_delete(&doc);
	}
	say(why, path, &complaint);
	free(text);
}

void
sp_config_wipe(struct sp_config *conf)
{
	explicit_bzero(conf->token, sizeof conf->token);
}

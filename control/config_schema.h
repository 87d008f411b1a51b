/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_CONFIG_SCHEMA_H
#define SP_CONTROL_CONFIG_SCHEMA_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stdint.h>

#include "control/config.h"
#include "control/config_yaml.h"

#define SP_CONFIG_HTTP_PORT 8080 /* unless the file says otherwise */
#define SP_CONFIG_NG_PORT 2223

/*
 * The inside of config.c, config_control.c and config_realm.c. Core: start-up.
 *
 * The shape of the configuration file, as libcyaml fills it. A key that is
 * not in the file leaves zero; what it then means is config.c's business.
 */

struct sp_raw_realm {
	char *name;
	char *interface;
	char *device;
	char *gateway;
	char *gateway6;
	char *ports;
	char **addresses;
	char **advertise;
	uint32_t addresses_count;
	uint32_t advertise_count;
	int driver;          /* enum sp_driver */
	int latch;           /* enum sp_latch_policy */
	int private_targets; /* 1: refuse */
	bool require_srtp;
	uint32_t vlan;
	uint32_t dscp;
	uint32_t unanswered_packets;
};

struct sp_raw_config {
	struct sp_raw_control {
		char *http;
		char *token_file;
		char *tls_cert;
		char *tls_key;
		char *records;
		char *webhook;
		char **ng;
		char **ng_clients;
		uint32_t ng_count;
		uint32_t ng_clients_count;
	} control;
	struct sp_raw_dataplane {
		char *xdp_program;
		uint16_t *cpus; /* "workers" as a list */
		uint32_t cpus_count;
		uint32_t workers; /* "workers" as a number */
		uint32_t max_calls;
		uint32_t max_media;
		bool hugepages;
		int idle; /* 1: busy */
		int srtp; /* enum sp_srtp_kind */
	} dataplane;
	struct sp_raw_timeouts {
		uint32_t media_s;
		uint32_t hold_s;
		uint32_t offer_s;
		uint32_t delete_delay_s;
		uint32_t max_s;
		int silent_leg; /* 1: end */
	} timeouts;
	struct sp_raw_realm *realms;
	uint32_t realms_count;
};

/* A schema of the whole file; libcyaml keeps pointers into it. */
struct sp_config_schema {
	cyaml_schema_value_t top;
	cyaml_schema_field_t sections[5];
};

/*
 * Fill @out with the schema. "workers" is a number or a list of CPUs, which
 * one type of libcyaml cannot say: @workers_list tells which one it is.
 */
void sp_config_schema_init(struct sp_config_schema *out, bool workers_list);

/* One reading of a file: from @raw, with lines from @doc, into @conf. */
struct sp_config_reader {
	yaml_document_t *doc;
	const struct sp_raw_config *raw;
	struct sp_config *conf;
	struct sp_complaint *why;
};

/* Where a value is: a section, an entry of it, a key, an entry of that. */
struct sp_config_place {
	const char *section;
	int entry; /* -1: the section is no list */
	const char *key;
	int item; /* -1: the value is no list, or all of it is meant */
};

/* Was a value given at @place? */
bool sp_config_given(
	const struct sp_config_reader *r, struct sp_config_place place);

/* Complain about @place, or the nearest thing above it; always false. */
bool sp_config_wrong(const struct sp_config_reader *r,
	struct sp_config_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Read @text, a bare IP that a host may have, into @out. */
bool sp_config_ip(const struct sp_config_reader *r,
	struct sp_config_place place, const char *text, size_t len,
	struct sp_addr *out);

/* Copy @text (NULL: nothing) into @out. */
bool sp_config_copy(const struct sp_config_reader *r,
	struct sp_config_place place, const char *text, char *out, size_t size);

/* Read the section "control". Fails: false; the reader has the complaint. */
bool sp_config_control(const struct sp_config_reader *r);

/* Read all realms. Fails: false; the reader has the complaint. */
bool sp_config_realms(const struct sp_config_reader *r);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_CONFIG_H
#define SP_CONTROL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dataplane.h"
#include "relay/addr.h"
#include "relay/latch.h"
#include "relay/status.h"

/*
 * The configuration file (sallyport.yaml(5)) as plain values. Read once at
 * start, constant afterwards. Core: start-up.
 */

#define SP_CONFIG_NG_MAX 8
#define SP_CONFIG_NG_CLIENTS_MAX 16
#define SP_CONFIG_PATH 256
#define SP_CONFIG_TOKEN 256 /* bytes of a bearer token, NUL included */
#define SP_CONFIG_TOKEN_MIN 16u
#define SP_CONFIG_WHY 640
#define SP_CONFIG_BYTES (1u << 20) /* of a file */

/* Addresses that share their first @bits bits. */
struct sp_prefix {
	struct sp_addr addr;
	uint8_t bits;
};

/* What control wants to know of a realm beyond struct sp_realm_conf. */
struct sp_realm_more {
	struct sp_addr advertise[SP_REALM_ADDRS_MAX]; /* NONE: the local one */
	enum sp_latch_policy latch;
	bool refuse_private;         /* SEC-9: no private addresses in SDP */
	bool require_srtp;           /* SEC-29: nobody is told RTP in clear */
	uint32_t unanswered_packets; /* SEC-10, 0: no limit */
};

struct sp_config {
	struct sp_addr http;
	struct sp_addr ng[SP_CONFIG_NG_MAX];
	unsigned int n_ng;
	char token[SP_CONFIG_TOKEN];   /* secret; "": none asked for */
	char tls_cert[SP_CONFIG_PATH]; /* "": plain HTTP */
	char tls_key[SP_CONFIG_PATH];
	struct sp_prefix ng_clients[SP_CONFIG_NG_CLIENTS_MAX];
	unsigned int n_ng_clients;    /* 0: private and on-link ones */
	char records[SP_CONFIG_PATH]; /* "": none; "-": standard output */
	char webhook[SP_CONFIG_PATH]; /* URL; "": none */

	unsigned int workers;
	uint16_t cpus[SP_WORKERS_MAX]; /* one a worker, when @pinned */
	bool pinned;
	bool hugepages;
	bool busy;
	enum sp_srtp_kind srtp;
	uint32_t max_calls;
	uint32_t max_media; /* m= lines of a call that may take ports */
	char xdp_program[SP_CONFIG_PATH];

	struct sp_realm_conf realm[SP_REALMS_MAX];
	struct sp_realm_more more[SP_REALMS_MAX]; /* same index */
	unsigned int n_realms; /* 0: the default realm is asked for */

	uint32_t media_s;        /* without media: the call ends */
	uint32_t hold_s;         /* the same while it is held */
	uint32_t offer_s;        /* without an answer */
	uint32_t delete_delay_s; /* a deleted call's media go on so long */
	uint32_t max_s;          /* a call lasts no longer; 0: no limit */
	bool end_silent;         /* one silent leg ends a call */
};

/* Fill @out with what holds without a file; no realms yet. */
void sp_config_default(struct sp_config *out);

/*
 * Read a configuration from @text; @name is for messages only.
 *
 * Fails: SP_MALFORMED, SP_TOO_LONG, SP_NO_MEMORY; @why then has one line with
 *        file, line, key, what is wrong and the cure; @out is untouched.
 */
enum sp_status sp_config_parse(const char *name, const char *text, size_t len,
	struct sp_config *out, char why[SP_CONFIG_WHY]) SP_MUST_CHECK;

/* Read the file at @path; fails as sp_config_parse, and SP_NOT_FOUND. */
enum sp_status sp_config_load(const char *path, struct sp_config *out,
	char why[SP_CONFIG_WHY]) SP_MUST_CHECK;

/*
 * Put the data plane's complaint @error about @path into words that name the
 * line. @path may be NULL: there is no file.
 */
void sp_config_explain(const char *path, const struct sp_dataplane_error *error,
	char why[SP_CONFIG_WHY]);

/*
 * Add the realm that is used without any in the file: its name, ports and
 * policy; sp_dataplane_default_realm() then says the interface.
 */
void sp_config_add_default_realm(struct sp_config *conf);

/* Overwrite the secrets. */
void sp_config_wipe(struct sp_config *conf);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config_schema.h"

#include <stddef.h>

#include "control/config.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define WORD (CYAML_FLAG_OPTIONAL | CYAML_FLAG_STRICT)
#define LIST (CYAML_FLAG_OPTIONAL | CYAML_FLAG_POINTER)
#define LENGTH(table) (sizeof(table) / sizeof *(table))

static const cyaml_strval_t drivers[] = {
	{ "auto", SP_DRIVER_AUTO },
	{ "af_xdp", SP_DRIVER_AF_XDP },
	{ "af_packet", SP_DRIVER_AF_PACKET },
};

static const cyaml_strval_t latches[] = {
	{ "signalled", SP_LATCH_SIGNALLED },
	{ "restricted", SP_LATCH_RESTRICTED },
	{ "any", SP_LATCH_ANY },
};

static const cyaml_strval_t targets[] = { { "allow", 0 }, { "refuse", 1 } };

static const cyaml_strval_t silences[] = { { "report", 0 }, { "end", 1 } };

static const cyaml_strval_t idles[] = { { "sleep", 0 }, { "busy", 1 } };

static const cyaml_strval_t engines[] = {
	{ "auto", SP_SRTP_AUTO },
	{ "ipsec-mb", SP_SRTP_IPSECMB },
	{ "libsrtp", SP_SRTP_LIBSRTP },
};

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_value_t cpu = {
	CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint16_t),
};

/* clang-format off */
#define TEXT(key, type, member)                                               \
	CYAML_FIELD_STRING_PTR(                                               \
		key, OPTIONAL, struct type, member, 0, CYAML_UNLIMITED)
#define TEXTS(key, type, member, most)                                        \
	CYAML_FIELD_SEQUENCE(key, LIST, struct type, member, &text, 1, most)
#define NUMBER(key, type, member)                                             \
	CYAML_FIELD_UINT(key, OPTIONAL, struct type, member)

static const cyaml_schema_field_t control[] = {
	TEXT("http", sp_raw_control, http),
	TEXTS("ng", sp_raw_control, ng, SP_CONFIG_NG_MAX),
	TEXTS("ng_clients", sp_raw_control, ng_clients,
		SP_CONFIG_NG_CLIENTS_MAX),
	TEXT("token_file", sp_raw_control, token_file),
	TEXT("tls_cert", sp_raw_control, tls_cert),
	TEXT("tls_key", sp_raw_control, tls_key),
	TEXT("records", sp_raw_control, records),
	TEXT("webhook", sp_raw_control, webhook),
	CYAML_FIELD_END
};

/* The first row of a key wins: the list's, or without row 0 the number's. */
static const cyaml_schema_field_t dataplane[] = {
	CYAML_FIELD_SEQUENCE("workers", LIST, struct sp_raw_dataplane, cpus,
		&cpu, 1, SP_WORKERS_MAX),
	NUMBER("workers", sp_raw_dataplane, workers),
	CYAML_FIELD_BOOL("hugepages", OPTIONAL, struct sp_raw_dataplane,
		hugepages),
	CYAML_FIELD_ENUM("idle", WORD, struct sp_raw_dataplane, idle, idles,
		LENGTH(idles)),
	CYAML_FIELD_ENUM("srtp", WORD, struct sp_raw_dataplane, srtp, engines,
		LENGTH(engines)),
	NUMBER("max_calls", sp_raw_dataplane, max_calls),
	NUMBER("max_media", sp_raw_dataplane, max_media),
	TEXT("xdp_program", sp_raw_dataplane, xdp_program),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t realm[] = {
	TEXT("name", sp_raw_realm, name),
	TEXT("interface", sp_raw_realm, interface),
	TEXT("device", sp_raw_realm, device),
	CYAML_FIELD_ENUM("driver", WORD, struct sp_raw_realm, driver, drivers,
		LENGTH(drivers)),
	NUMBER("vlan", sp_raw_realm, vlan),
	TEXTS("addresses", sp_raw_realm, addresses, SP_REALM_ADDRS_MAX),
	TEXTS("advertise", sp_raw_realm, advertise, SP_REALM_ADDRS_MAX),
	TEXT("gateway", sp_raw_realm, gateway),
	TEXT("gateway6", sp_raw_realm, gateway6),
	TEXT("ports", sp_raw_realm, ports),
	NUMBER("dscp", sp_raw_realm, dscp),
	CYAML_FIELD_ENUM("latch", WORD, struct sp_raw_realm, latch, latches,
		LENGTH(latches)),
	CYAML_FIELD_ENUM("private_targets", WORD, struct sp_raw_realm,
		private_targets, targets, LENGTH(targets)),
	CYAML_FIELD_BOOL("require_srtp", OPTIONAL, struct sp_raw_realm,
		require_srtp),
	NUMBER("unanswered_packets", sp_raw_realm, unanswered_packets),
	CYAML_FIELD_END
};

static const cyaml_schema_field_t timeouts[] = {
	NUMBER("media_s", sp_raw_timeouts, media_s),
	NUMBER("hold_s", sp_raw_timeouts, hold_s),
	NUMBER("offer_s", sp_raw_timeouts, offer_s),
	NUMBER("delete_delay_s", sp_raw_timeouts, delete_delay_s),
	NUMBER("max_s", sp_raw_timeouts, max_s),
	CYAML_FIELD_ENUM("silent_leg", WORD, struct sp_raw_timeouts, silent_leg,
		silences, LENGTH(silences)),
	CYAML_FIELD_END
};
/* clang-format on */

static const cyaml_schema_value_t realm_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct sp_raw_realm, realm),
};

void
sp_config_schema_init(struct sp_config_schema *out, bool workers_list)
{
	const cyaml_schema_field_t *const second =
		workers_list ? dataplane : dataplane + 1;
	const cyaml_schema_field_t sections[] = {
		CYAML_FIELD_MAPPING("control", OPTIONAL, struct sp_raw_config,
			control, control),
		CYAML_FIELD_MAPPING("dataplane", OPTIONAL, struct sp_raw_config,
			dataplane, second),
		CYAML_FIELD_SEQUENCE("realms", LIST, struct sp_raw_config,
			realms, &realm_entry, 1, SP_REALMS_MAX),
		CYAML_FIELD_MAPPING("timeouts", OPTIONAL, struct sp_raw_config,
			timeouts, timeouts),
		CYAML_FIELD_END
	};

	_Static_assert(sizeof sections == sizeof out->sections,
		"a section more or less: change struct sp_config_schema");
	__builtin_memcpy(out->sections, sections, sizeof sections);
	out->top = (cyaml_schema_value_t){ CYAML_VALUE_MAPPING(
		CYAML_FLAG_POINTER, struct sp_raw_config, out->sections) };
}

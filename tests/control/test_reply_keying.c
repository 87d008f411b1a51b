/* SPDX-License-Identifier: BSD-3-Clause */
/* How media are keyed, as queries and records tell it: never with what. */
#include "tests/control/rig_call.h"

#define SDP(ip, protocol, more)                                                \
	"v=0\r\no=- 1 1 IN IP4 " ip "\r\ns=-\r\nc=IN IP4 " ip "\r\nt=0 0\r\n"  \
	"m=audio 4000 " protocol " 8\r\n" more
#define KEY "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw" /* 30 bytes */
#define CRYPTO(suite) "a=crypto:1 " suite " inline:" KEY "\r\n"
#define CM_80 CRYPTO("AES_CM_128_HMAC_SHA1_80")
#define DTLS                                                                   \
	"a=setup:actpass\r\na=fingerprint:sha-256 "                            \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"                     \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"

static char recorded[65536];

static enum sp_outbox_result
deliver(void *arg, struct sp_outbox *outbox, const char *bytes, size_t len,
	int *trouble)
{
	(void)arg;
	(void)outbox;
	*trouble = 0;
	snprintf(recorded, sizeof recorded, "%.*s", (int)len, bytes);
	return SP_OUTBOX_DONE;
}

static void
nothing(void *arg)
{
	(void)arg;
}

static struct sp_outbox *outbox;

static void
open_all(void)
{
	const struct sp_outbox_sink sink = {
		.name = "test",
		.deliver = deliver,
		.close = nothing,
		.most_bytes = 1 << 20,
	};

	open_rig();
	recorded[0] = '\0';
	cr_assert(eq(int, sp_outbox_open(&sink, &outbox), SP_OK));
	sp_service_tell(r.s, outbox, NULL);
}

static void
close_all(void)
{
	close_rig();
	if (outbox)
		sp_outbox_close(outbox, 60000);
	outbox = NULL;
}

TestSuite(reply_keying, .init = open_all, .fini = close_all);

/* A call between the two; the offer goes on in its own protocol. */
static void
connect_by(const char *offer, const char *answer)
{
	cr_assert(eq(int,
		rig_offer(&r, "a", NULL, NULL, (char *)(uintptr_t)offer), 200));
	cr_assert(eq(int,
		rig_answer(&r, "a", "b", NULL, (char *)(uintptr_t)answer),
		200));
}

/* "keying suite" of the first m= line of @party over HTTP. */
static const char *
told(size_t party)
{
	static char text[2][64];
	const json_t *media;

	cr_assert(eq(int, rig_query(&r), 200));
	media = rig_media(&r, party, 0);
	snprintf(text[party], sizeof text[party], "%s %s",
		json_string_value(json_object_get(media, "keying")),
		json_object_get(media, "crypto_suite")
			? json_string_value(
				  json_object_get(media, "crypto_suite"))
			: "-");
	return text[party];
}

/* The first medium of the party with @tag over ng. */
static json_t *
ng_medium(const char *tag)
{
	struct sp_request request =
		rig_request(SP_VERB_QUERY, NULL, NULL, NULL, NULL);

	request.door = SP_DOOR_NG;
	cr_assert(eq(int, rig_ask(&r, &request), 200));
	return json_array_get(
		json_object_get(
			json_object_get(json_object_get(r.body, "tags"), tag),
			"medias"),
		0);
}

static bool
has_flag(const json_t *medium, const char *flag)
{
	const json_t *flags = json_object_get(medium, "flags");
	const json_t *item;
	size_t i;

	json_array_foreach(flags, i, item) if (strcmp(json_string_value(item),
						       flag) == 0) return true;
	return false;
}

static const char *
ng_suite(const json_t *medium)
{
	const json_t *stream =
		json_array_get(json_object_get(medium, "streams"), 0);
	const char *suite =
		json_string_value(json_object_get(stream, "crypto suite"));

	return suite ? suite : "-";
}

Test(reply_keying, plain_media_are_in_the_clear)
{
	connect_by(SDP("192.0.2.5", "RTP/AVP", ""),
		SDP("10.1.1.1", "RTP/AVP", ""));
	cr_expect(eq(str, (char *)told(0), "clear -"));
	cr_expect(eq(str, (char *)told(1), "clear -"));
	cr_expect(eq(str, (char *)ng_suite(ng_medium("a")), "-"));
	cr_expect(not(has_flag(ng_medium("a"), "SDES")));
}

Test(reply_keying, each_side_has_a_suite_of_its_own)
{
	connect_by(SDP("192.0.2.5", "RTP/SAVP",
			   CM_80 "a=crypto:2 "
				 "AES_CM_128_HMAC_SHA1_32 "
				 "inline:" KEY "\r\n"),
		SDP("10.1.1.1", "RTP/SAVP",
			"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" KEY
			"\r\n"));
	cr_expect(eq(str, (char *)told(0), "sdes AES_CM_128_HMAC_SHA1_80"));
	cr_expect(eq(str, (char *)told(1), "sdes AES_CM_128_HMAC_SHA1_32"));
	cr_expect(eq(str, (char *)ng_suite(ng_medium("a")),
		"AES_CM_128_HMAC_SHA1_80"));
	cr_expect(has_flag(ng_medium("a"), "SDES"));
	cr_expect(not(has_flag(ng_medium("a"), "passthrough")));
	cr_expect(eq(str, (char *)ng_suite(ng_medium("b")),
		"AES_CM_128_HMAC_SHA1_32"));
}

Test(reply_keying, keys_that_pass_are_end_to_end)
{
	connect_by(SDP("192.0.2.5", "UDP/TLS/RTP/SAVP", DTLS),
		SDP("10.1.1.1", "UDP/TLS/RTP/SAVP", DTLS));
	cr_expect(eq(str, (char *)told(0), "end-to-end -"));
	cr_expect(has_flag(ng_medium("a"), "passthrough"));
	cr_expect(not(has_flag(ng_medium("a"), "SDES")));
}

Test(reply_keying, a_record_tells_it_and_no_key)
{
	connect_by(SDP("192.0.2.5", "RTP/SAVP", CM_80),
		SDP("10.1.1.1", "RTP/SAVP", CM_80));
	cr_assert(eq(int, rig_query(&r), 200));
	cr_assert(eq(int, rig_delete(&r, "a", NULL, NULL), 200));
	sp_service_tell(r.s, NULL, NULL);
	sp_outbox_close(outbox, 60000); /* it is written then */
	outbox = NULL;
	cr_expect(ne(ptr,
		strstr(recorded,
			"\"keying\":\"sdes\",\"crypto_suite\":"
			"\"AES_CM_128_HMAC_SHA1_80\""),
		NULL));
	cr_expect(eq(ptr, strstr(recorded, "inline"), NULL));
	cr_expect(eq(ptr, strstr(recorded, "MTIzNDU2"), NULL));
	cr_expect(eq(ptr, strstr(recorded, "1234567890123"), NULL));
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/srtp_libsrtp.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <threads.h>

#define AUTH_KEY_LEN 20
#define CM_SALT_LEN 14 /* of the key derivation, too, whatever the suite */
#define LABEL_AT 7

/* RFC 3711 section 4.3.2. */
enum label {
	RTP_KEY,
	RTP_AUTH,
	RTP_SALT,
	RTCP_KEY,
	RTCP_AUTH,
	RTCP_SALT,
};

/* The library's own, in headers that it does not install. */
extern const srtp_cipher_type_t srtp_aes_icm_128;
extern const srtp_cipher_type_t srtp_aes_icm_256;
extern const srtp_cipher_type_t srtp_aes_gcm_128;
extern const srtp_cipher_type_t srtp_aes_gcm_256;
extern const srtp_auth_type_t srtp_hmac;

static once_flag started = ONCE_FLAG_INIT;
static srtp_err_status_t start_status;
static srtp_cipher_t *anchor;
static atomic_uint boxes; /* of all engines */

static void
start(void)
{
	start_status = srtp_init();
	/* It says nothing unless asked to; be sure of that. */
	if (start_status == srtp_err_status_ok)
		start_status = srtp_install_log_handler(NULL, NULL);

	/*
	 * NSS leaves memory with the last of its users, and comes back, with
	 * files to open and tests of itself, for the next: that is no work
	 * for a worker between two calls. So one user stays.
	 */
	if (start_status == srtp_err_status_ok)
		start_status = srtp_cipher_type_alloc(
			&srtp_aes_icm_128, &anchor, 16 + CM_SALT_LEN, 0);
}

static bool
is_slow(void)
{
	return strstr(srtp_aes_icm_128.description, "NSS") != NULL;
}

enum sp_status
sp_libsrtp_start(void)
{
	call_once(&started, start);
	return start_status == srtp_err_status_ok ? SP_OK : SP_UNSUPPORTED;
}

void
sp_libsrtp_about(const void *lib, struct sp_srtp_about *out)
{
	const unsigned int version = srtp_get_version();

	(void)lib;
	*out = (struct sp_srtp_about){
		.name = "libsrtp",
		.kind = SP_SRTP_LIBSRTP,
		.most = is_slow() ? SP_SRTP_LIBSRTP_MAX : UINT32_MAX,
		.slow = is_slow(),
	};
	snprintf(out->library, sizeof out->library, "libsrtp2 %u.%u.%u%s",
		version >> 24, version >> 16 & 0xff, version & 0xffff,
		is_slow() ? ", NSS" : "");
}

static bool
cipher_open(const srtp_cipher_type_t *type, int key_len, int tag_len,
	const uint8_t *key, srtp_cipher_t **out)
{
	if (srtp_cipher_type_alloc(type, out, key_len, tag_len) !=
		srtp_err_status_ok) {
		*out = NULL;
		return false;
	}
	return srtp_cipher_init(*out, key) == srtp_err_status_ok;
}

/* Spec: RFC 3711 section 4.3.3. */
static bool
derive(srtp_cipher_t *master, enum label label, uint8_t *out, uint32_t len)
{
	uint8_t iv[16] = { [LABEL_AT] = (uint8_t)label };

	memset(out, 0, len);
	return srtp_cipher_set_iv(master, iv, srtp_direction_encrypt) ==
		srtp_err_status_ok &&
		srtp_cipher_encrypt(master, out, &len) == srtp_err_status_ok;
}

static bool
auth_open(struct sp_libsrtp_half *half, srtp_cipher_t *master, enum label label)
{
	uint8_t key[AUTH_KEY_LEN];
	bool good;

	if (srtp_auth_type_alloc(&srtp_hmac, &half->auth, AUTH_KEY_LEN,
		    half->tag_len) != srtp_err_status_ok) {
		half->auth = NULL;
		return false;
	}
	good = derive(master, label, key, sizeof key) &&
		srtp_auth_init(half->auth, key) == srtp_err_status_ok;
	explicit_bzero(key, sizeof key);
	return good;
}

/* @label: RTP_KEY or RTCP_KEY; hash and salt are the two behind it. */
static bool
half_open(struct sp_libsrtp_half *half, const struct sp_srtp_facts *facts,
	srtp_cipher_t *master, enum label label)
{
	const bool wide = facts->key_len > 16;
	const srtp_cipher_type_t *type = facts->aead
		? (wide ? &srtp_aes_gcm_256 : &srtp_aes_gcm_128)
		: (wide ? &srtp_aes_icm_256 : &srtp_aes_icm_128);
	uint8_t key[SP_SRTP_KEY_MAX];
	bool good;

	good = derive(master, label, key, facts->key_len) &&
		derive(master, label + 2, key + facts->key_len,
			facts->salt_len) &&
		cipher_open(type, facts->key_len + facts->salt_len,
			facts->aead ? SP_LIBSRTP_TAG_LEN : 0, key,
			&half->cipher);
	if (facts->aead)
		memcpy(half->salt, key + facts->key_len, SP_LIBSRTP_IV_LEN);
	explicit_bzero(key, sizeof key);
	if (good && !facts->aead && half->tag_len > 0)
		good = auth_open(half, master, label + 1);
	return good;
}

static bool
halves_open(struct sp_libsrtp_box *box, const struct sp_srtp_facts *facts)
{
	/* GCM's master salt is shorter: zeros follow, RFC 7714 section 11. */
	uint8_t padded[SP_SRTP_KEY_MAX] = { 0 };
	srtp_cipher_t *master = NULL;
	bool good;

	memcpy(padded, box->master, (size_t)facts->key_len + facts->salt_len);
	good = cipher_open(facts->key_len > 16 ? &srtp_aes_icm_256
					       : &srtp_aes_icm_128,
		       facts->key_len + CM_SALT_LEN, 0, padded, &master) &&
		half_open(&box->rtp, facts, master, RTP_KEY) &&
		half_open(&box->rtcp, facts, master, RTCP_KEY);
	explicit_bzero(padded, sizeof padded);
	if (master)
		srtp_cipher_dealloc(master);
	return good;
}

static void
half_close(struct sp_libsrtp_half *half)
{
	if (half->cipher)
		srtp_cipher_dealloc(half->cipher);
	if (half->auth)
		srtp_auth_dealloc(half->auth);
}

void
sp_libsrtp_box_close(void *lib, void *at)
{
	struct sp_libsrtp_box *box = at;

	(void)lib;
	if (!box)
		return;
	half_close(&box->rtp);
	half_close(&box->rtcp);
	explicit_bzero(box, sizeof *box);
	munmap(box, sizeof *box);
	atomic_fetch_sub_explicit(&boxes, 1, memory_order_relaxed);
}

/* Pages of its own, which no core dump shows. NULL: no memory. */
static struct sp_libsrtp_box *
box_alloc(void)
{
	struct sp_libsrtp_box *box = mmap(NULL, sizeof *box,
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (box == MAP_FAILED)
		return NULL;
	(void)madvise(box, sizeof *box, MADV_DONTDUMP);
	return box;
}

enum sp_status
sp_libsrtp_box_open(void *lib, const struct sp_srtp_conf *conf, unsigned int k,
	bool sends, void **out)
{
	const struct sp_srtp_facts *facts = sp_srtp_facts(conf->suite);
	const bool open = conf->flags & SP_SRTP_NO_AUTH;
	struct sp_libsrtp_box *box;

	(void)sends;
	if (atomic_fetch_add_explicit(&boxes, 1, memory_order_relaxed) >=
			SP_SRTP_LIBSRTP_MAX &&
		is_slow()) {
		atomic_fetch_sub_explicit(&boxes, 1, memory_order_relaxed);
		return SP_FULL;
	}
	box = box_alloc();
	if (!box) {
		atomic_fetch_sub_explicit(&boxes, 1, memory_order_relaxed);
		return SP_NO_MEMORY;
	}
	memcpy(box->master, conf->key[k].key, sizeof box->master);
	box->suite = conf->suite;
	box->flags = conf->flags;
	box->mki_len = conf->mki_len;
	box->aead = facts->aead;
	box->rtp.tag_len = open ? 0 : facts->rtp_tag;
	box->rtcp.tag_len = facts->rtcp_tag;
	if (!halves_open(box, facts)) {
		sp_libsrtp_box_close(lib, box);
		return SP_NO_MEMORY;
	}
	*out = box;
	return SP_OK;
}

bool
sp_libsrtp_box_same(void *lib, const void *at, const struct sp_srtp_conf *conf,
	unsigned int k)
{
	const struct sp_libsrtp_box *box = at;
	const struct sp_srtp_facts *a = sp_srtp_facts(box->suite);
	const struct sp_srtp_facts *b = sp_srtp_facts(conf->suite);

	(void)lib;
	return a->key_len == b->key_len && a->aead == b->aead &&
		memcmp(box->master, conf->key[k].key,
			(size_t)a->key_len + a->salt_len) == 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/srtp_ipsecmb.h"

#include <stdio.h>

static const uint64_t needed =
	IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SSE4_2;

/* Is the library loaded the one whose header we know? */
static bool
version_fits(void)
{
	/* 1.3.0 and 1.3.1, say, lay out their structs alike. */
	return imb_get_version() >> 8 == IMB_VERSION_NUM >> 8 &&
		imb_get_mb_mgr_size() >= sizeof(IMB_MGR);
}

/* A manager in memory that no core dump has, not set up yet. */
static IMB_MGR *
manager(struct sp_ipsecmb *m)
{
	void *memory = sp_srtp_pool_take(&m->managers);

	return memory ? imb_set_pointers_mb_mgr(memory, 0, 1) : NULL;
}

/* Can the CPU what @mgr was set up for, and did that work? */
static bool
able(const IMB_MGR *mgr, uint64_t features)
{
	const uint64_t tested =
		IMB_FEATURE_SELF_TEST | IMB_FEATURE_SELF_TEST_PASS;

	if ((mgr->features & features) != features)
		return false;
	return (mgr->features & tested) != IMB_FEATURE_SELF_TEST;
}

static const char *
arch_name(IMB_ARCH arch)
{
	switch (arch) {
	case IMB_ARCH_SSE:
		return "sse";
	case IMB_ARCH_AVX:
		return "avx";
	case IMB_ARCH_AVX2:
		return "avx2";
	case IMB_ARCH_AVX512:
		return "avx512";
	default:
		return "";
	}
}

static enum sp_status
open_managers(struct sp_ipsecmb *m)
{
	IMB_ARCH arch = IMB_ARCH_NONE;
	bool sha;

	if (!version_fits())
		return SP_UNSUPPORTED;
	if (sp_srtp_pool_open(&m->managers, imb_get_mb_mgr_size(), 2) != SP_OK)
		return SP_NO_MEMORY;
	m->many = manager(m);
	m->few = manager(m);
	if (!m->many || !m->few)
		return SP_NO_MEMORY;

	/* Before init: without AES instructions it would emulate them. */
	if (!able(m->many, needed))
		return SP_UNSUPPORTED;
	init_mb_mgr_auto(m->many, &arch);
	if (imb_get_errno(m->many) != 0 || arch_name(arch)[0] == '\0' ||
		!able(m->many, needed))
		return SP_UNSUPPORTED;

	m->lanes = arch == IMB_ARCH_AVX512 ? 16 : 8;
	sha = able(m->few, needed | IMB_FEATURE_SHANI);
	if (sha)
		init_mb_mgr_sse(m->few);
	else
		m->few = NULL;
	snprintf(m->instructions, sizeof m->instructions, "%s%s",
		arch_name(arch), sha ? ", sha-ni" : "");
	return SP_OK;
}

/* What no packet changes of the library's jobs. */
static void
set_up_jobs(struct sp_ipsecmb *m)
{
	for (unsigned int i = 0; i < SP_SRTP_BURST; i++) {
		m->job[i] = (IMB_JOB){
			.cipher_mode = IMB_CIPHER_CNTR,
			.cipher_direction = IMB_DIR_ENCRYPT,
			.chain_order = IMB_ORDER_CIPHER_HASH,
			.hash_alg = IMB_AUTH_HMAC_SHA_1,
			.iv = m->lane[i].iv,
			.iv_len_in_bytes = SP_IPSECMB_BLOCK,
			.auth_tag_output_len_in_bytes = SP_IPSECMB_TAG,
		};
	}
}

static void
lib_close(void *lib)
{
	struct sp_ipsecmb *m = lib;
	struct sp_srtp_pool self;

	if (!m)
		return;
	sp_srtp_pool_close(&m->managers);
	self = m->self;
	sp_srtp_pool_close(&self);
}

static enum sp_status
lib_open(uint32_t capacity, void **out)
{
	struct sp_srtp_pool self = { 0 };
	enum sp_status status =
		sp_srtp_pool_open(&self, sizeof(struct sp_ipsecmb), 1);
	struct sp_ipsecmb *m;

	(void)capacity;
	if (status != SP_OK)
		return status;
	m = sp_srtp_pool_take(&self);
	m->self = self;
	status = open_managers(m);
	if (status != SP_OK) {
		lib_close(m);
		return status;
	}
	set_up_jobs(m);
	*out = m;
	return SP_OK;
}

static void
about(const void *lib, struct sp_srtp_about *out)
{
	const struct sp_ipsecmb *m = lib;

	out->name = "ipsec-mb";
	out->most = UINT32_MAX;
	snprintf(out->library, sizeof out->library, "libipsec-mb %s (%s)",
		imb_get_version_str(), m->instructions);
}

/* Line 0 and AES's round keys; GCM loads its own when it comes to them. */
#define LINES_128 4u
#define LINES_256 5u
#define LINES_GCM 1u

const struct sp_srtp_ops sp_srtp_ipsecmb_ops = {
	.kind = SP_SRTP_IPSECMB,
	.burst = SP_SRTP_BURST,
	.open = lib_open,
	.close = lib_close,
	.about = about,
	.box_open = sp_ipsecmb_box_open,
	.box_close = sp_ipsecmb_box_close,
	.box_same = sp_ipsecmb_box_same,
	.box_size = { SP_IPSECMB_BOX_128, SP_IPSECMB_BOX_256,
		SP_IPSECMB_BOX_GCM },
	.box_kind = {
		[SP_SRTP_AES_CM_128_80] = SP_IPSECMB_KEY_128,
		[SP_SRTP_AES_CM_128_32] = SP_IPSECMB_KEY_128,
		[SP_SRTP_AES_CM_256_80] = SP_IPSECMB_KEY_256,
		[SP_SRTP_AES_CM_256_32] = SP_IPSECMB_KEY_256,
		[SP_SRTP_GCM_128] = SP_IPSECMB_KEY_GCM,
		[SP_SRTP_GCM_256] = SP_IPSECMB_KEY_GCM,
	},
	.box_lines = {
		[SP_SRTP_AES_CM_128_80] = LINES_128,
		[SP_SRTP_AES_CM_128_32] = LINES_128,
		[SP_SRTP_AES_CM_256_80] = LINES_256,
		[SP_SRTP_AES_CM_256_32] = LINES_256,
		[SP_SRTP_GCM_128] = LINES_GCM,
		[SP_SRTP_GCM_256] = LINES_GCM,
	},
	.protect = sp_ipsecmb_protect,
	.unprotect = sp_ipsecmb_unprotect,
	.finish = sp_ipsecmb_finish,
	.undo = sp_ipsecmb_undo,
	.rtcp_protect = sp_ipsecmb_rtcp_protect,
	.rtcp_unprotect = sp_ipsecmb_rtcp_unprotect,
	.rtcp_undo = sp_ipsecmb_rtcp_undo,
};

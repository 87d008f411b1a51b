/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/demux.h"

const uint8_t sp_demux_table[64] = {
	[0] = SP_DEMUX_STUN,         /* 0..3 */
	[4] = SP_DEMUX_ZRTP,         /* 16..19 */
	[5 ... 15] = SP_DEMUX_DTLS,  /* 20..63 */
	[16 ... 19] = SP_DEMUX_TURN, /* 64..79 */
	[32 ... 47] = SP_DEMUX_RTP,  /* 128..191 */
};

/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/status.h"

static const char *const texts[] = {
#define X(name, text) [SP_##name] = text,
	SP_STATUS_LIST(X)
#undef X
};

const char *
sp_status_text(enum sp_status status)
{
	if ((unsigned int)status >= SP_STATUS_COUNT)
		return "unknown status";
	return texts[status];
}

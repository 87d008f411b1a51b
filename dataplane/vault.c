/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/vault.h"

#include <string.h>
#include <sys/mman.h>

static size_t
bytes(uint32_t size)
{
	return (size_t)size * sizeof(struct sp_flow_keys);
}

enum sp_status
sp_vault_open(struct sp_vault *v, uint32_t size)
{
	void *slots = mmap(NULL, bytes(size), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (slots == MAP_FAILED)
		return SP_NO_MEMORY;
	madvise(slots, bytes(size), MADV_DONTDUMP);
	*v = (struct sp_vault){ .slot = slots, .size = size };
	return SP_OK;
}

void
sp_vault_close(struct sp_vault *v)
{
	if (v->slot && v->put != v->taken)
		explicit_bzero(v->slot, bytes(v->size));
	if (v->slot)
		munmap(v->slot, bytes(v->size));
	memset(v, 0, sizeof *v);
}

enum sp_status
sp_vault_put(
	struct sp_vault *v, const struct sp_flow_keys *keys, uint32_t *slot)
{
	const uint32_t waiting =
		v->put - __atomic_load_n(&v->taken, __ATOMIC_ACQUIRE);

	if (waiting == v->size)
		return SP_FULL;
	/* Empty most of the time: then the same few pages serve again. */
	if (waiting == 0)
		v->next = 0;
	*slot = v->next;
	v->slot[v->next] = *keys;
	v->next = (v->next + 1) % v->size;
	v->put++;
	return SP_OK;
}

void
sp_vault_undo(struct sp_vault *v, uint32_t slot)
{
	explicit_bzero(&v->slot[slot], sizeof v->slot[slot]);
	v->next = slot;
	v->put--;
}

void
sp_vault_wipe(struct sp_vault *v, uint32_t slot)
{
	explicit_bzero(&v->slot[slot], sizeof v->slot[slot]);
	__atomic_store_n(&v->taken, v->taken + 1, __ATOMIC_RELEASE);
}

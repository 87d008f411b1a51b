/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/worker.h"
#include "relay/wipe.h"

/* So few commands a poll that media never waits long for them. */
#define COMMANDS_PER_POLL 8u
#define STACK_USED 32768u /* at the most, by an engine that opens a key */

static enum sp_status
read_flow(struct sp_worker *w, const struct sp_command *cmd)
{
	struct sp_flow_report none;

	return sp_flow_table_read(
		&w->table, cmd->flow, cmd->report ? cmd->report : &none);
}

/* The vault's copy goes whatever comes of it. */
static enum sp_status
hold_keys(struct sp_worker *w, const struct sp_command *cmd, uint32_t now_ms)
{
	struct sp_vault *vault = &w->box.vault;
	enum sp_status status;

	if (cmd->slot == SP_COMMAND_NO_KEYS)
		return sp_key_table_set(&w->keys, cmd->flow, NULL, now_ms);
	status = sp_key_table_set(
		&w->keys, cmd->flow, sp_vault_look(vault, cmd->slot), now_ms);
	sp_vault_wipe(vault, cmd->slot);
	sp_wipe_stack(STACK_USED);
	return status;
}

static enum sp_status
obey(struct sp_worker *w, const struct sp_command *cmd, uint32_t now_ms)
{
	enum sp_status status;

	switch ((enum sp_command_kind)cmd->kind) {
	case SP_COMMAND_PROGRAM:
		status = sp_flow_table_program(&w->table, cmd->flow, &cmd->conf,
			cmd->hop[0], cmd->hop[1], now_ms);
		if (status == SP_OK)
			sp_stage_commit_answered(
				&w->commit, &w->table, cmd->flow);
		return status;
	case SP_COMMAND_STOP:
		sp_stage_commit_drop(&w->commit, &w->table, cmd->flow);
		status = read_flow(w, cmd);
		if (status == SP_OK)
			status = sp_flow_table_stop(&w->table, cmd->flow);
		return status;
	case SP_COMMAND_READ:
		return read_flow(w, cmd);
	case SP_COMMAND_HOPS:
		sp_flow_table_hop(&w->table, cmd->flow, cmd->hop[0],
			cmd->hop[1], &cmd->learnt, cmd->hop[2]);
		return SP_OK;
	case SP_COMMAND_L2:
		w->hops[cmd->hop[0]] = cmd->l2;
		return SP_OK;
	case SP_COMMAND_KEYS:
		return hold_keys(w, cmd, now_ms);
	}
	return SP_UNSUPPORTED;
}

void
sp_worker_obey(struct sp_worker *w, uint32_t now_ms)
{
	struct sp_command cmd[COMMANDS_PER_POLL];
	const unsigned int n = sp_mailbox_take(&w->box, cmd, COMMANDS_PER_POLL);
	bool answered = false;

	for (unsigned int i = 0; i < n; i++) {
		const struct sp_done done = {
			.ticket = cmd[i].ticket,
			.flow = cmd[i].flow,
			.kind = cmd[i].kind,
			.status = (uint16_t)obey(w, &cmd[i], now_ms),
		};

		if (cmd[i].silent)
			continue;
		sp_mailbox_answer(&w->box, &done);
		answered = true;
	}
	if (n > 0) {
		__atomic_store_n(
			&w->counters.flows, w->table.running, __ATOMIC_RELAXED);
		__atomic_store_n(
			&w->counters.keys, w->keys.held, __ATOMIC_RELAXED);
	}
	if (answered)
		sp_mailbox_wake_control(&w->box);
}

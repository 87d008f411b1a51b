/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_RELAY_NEIGH_H
#define SP_RELAY_NEIGH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relay/addr.h"
#include "relay/status.h"

/* Longest frame written here: an answer to the largest ping and its VLAN. */
#define SP_NEIGH_FRAME_MAX 1518

enum sp_neigh_kind {
	SP_NEIGH_ARP_REQUEST, /* who has @target? */
	SP_NEIGH_ARP_REPLY,   /* @sender is at @mac */
	SP_NEIGH_NS,          /* who has @target? */
	SP_NEIGH_NA,          /* @sender is at @mac */
	SP_NEIGH_ECHO,        /* @sender pings @target */
	SP_NEIGH_ECHO6,
};

/* What a frame of the slow path says. Ports in its addresses are 0. */
struct sp_neigh_event {
	uint8_t kind;          /* enum sp_neigh_kind */
	bool learn;            /* @sender may be remembered to be at @mac */
	bool solicited;        /* NA: answers a question of ours, it says */
	bool override;         /* NA: also if another MAC is known */
	uint8_t mac[6];        /* the sender's, as it says; 0 if !@learn */
	struct sp_addr sender; /* 0.0.0.0 or :: in a probe for duplicates */
	struct sp_addr target; /* asked for, pinged, or answered */
	const uint8_t *echo;   /* identifier to end of a ping: borrowed */
	uint16_t echo_len;
};

/* The Ethernet header of a frame to write. */
struct sp_neigh_link {
	uint8_t to[6];   /* ignored by sp_neigh_write_request */
	uint8_t from[6]; /* our own MAC */
	uint16_t vlan;   /* 0: no tag */
};

/*
 * Read an ARP, neighbour discovery or ping packet. @l3 is what follows the
 * Ethernet header and its tags, @ethertype the last one.
 *
 * Core:  control, for punted frames.
 * Owns:  @out borrows @l3 for pings.
 * Fails: SP_SHORT if it is cut off; SP_MALFORMED if lengths, checksums or
 *        options are wrong; SP_UNSUPPORTED if it is none of these kinds;
 *        SP_FORBIDDEN if it is what a forger or a storm sends: an address
 *        that is no host's, a hop limit other than 255, options, fragments,
 *        a ping to a group. @out is then untouched.
 * Spec:  RFC 826, RFC 5227, RFC 4861 section 7.1, RFC 792, RFC 4443.
 */
enum sp_status sp_neigh_parse(uint16_t ethertype, const uint8_t *l3, size_t len,
	struct sp_neigh_event *out) SP_MUST_CHECK;

/*
 * Write a whole frame that asks who has @target: ARP to everybody, or a
 * neighbour solicitation to the target's own group. @from is our address.
 *
 * Core:  control.
 * Owns:  @out is the caller's; @len becomes what was written.
 * Fails: SP_NO_SPACE if @cap is too small; @len is then untouched.
 */
enum sp_status sp_neigh_write_request(const struct sp_neigh_link *link,
	const struct sp_addr *from, const struct sp_addr *target, uint8_t *out,
	size_t cap, size_t *len) SP_MUST_CHECK;

/*
 * Write the answer to @event, an ARP request or NS: that its target, which
 * the caller knows to be ours, is at @link->from. @link->to is the source of
 * the frame that asked; a probe for duplicates is answered to everybody.
 *
 * Core:  control.
 * Fails: SP_NO_SPACE as above; SP_UNSUPPORTED if @event asks for nothing.
 */
enum sp_status sp_neigh_write_answer(const struct sp_neigh_link *link,
	const struct sp_neigh_event *event, uint8_t *out, size_t cap,
	size_t *len) SP_MUST_CHECK;

/*
 * Write the answer to @event, a ping of one of our addresses. @link->to is
 * the source of the frame that pinged.
 *
 * Core:  control.
 * Fails: as sp_neigh_write_answer.
 */
enum sp_status sp_neigh_write_echo(const struct sp_neigh_link *link,
	const struct sp_neigh_event *event, uint8_t *out, size_t cap,
	size_t *len) SP_MUST_CHECK;

#endif

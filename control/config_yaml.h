/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CONTROL_CONFIG_YAML_H
#define SP_CONTROL_CONFIG_YAML_H

#include <cyaml/cyaml.h>
#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

/*
 * The configuration file as a tree that remembers its lines. libcyaml fills
 * the structs; this holds the file against the same schema before that, so
 * that a mistake is told with its line and its cure. Core: start-up.
 */

#define SP_COMPLAINT_KEY 80
#define SP_COMPLAINT_TEXT 256

/* What is wrong with a file, and where. @line 0: the file as a whole. */
struct sp_complaint {
	unsigned int line;
	char key[SP_COMPLAINT_KEY]; /* as in "realms[1].ports", or "" */
	char text[SP_COMPLAINT_TEXT];
};

/* Take a complaint about @node (NULL: the whole file); always false. */
bool sp_complain(struct sp_complaint *why, const yaml_node_t *node,
	const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Read the one document in @text.
 *
 * Owns:  yaml_document_delete(@out) frees it, after true only.
 * Fails: false for a syntax error or without memory; @why says which. An
 *        empty text is fine and has no root node.
 */
bool sp_yaml_read(const char *text, size_t len, yaml_document_t *out,
	struct sp_complaint *why);

/* Find @key's value in a mapping, NULL when it is not there. Borrowed. */
const yaml_node_t *sp_yaml_find(
	yaml_document_t *doc, const yaml_node_t *mapping, const char *key);

/* Find entry @i of a sequence, or NULL. Borrowed. */
const yaml_node_t *sp_yaml_item(
	yaml_document_t *doc, const yaml_node_t *sequence, size_t i);

/*
 * Hold the tree against @schema: unknown and repeated keys, values of the
 * wrong kind, numbers out of their type's range, unknown words.
 *
 * Fails: false; @why has the first one found.
 */
bool sp_yaml_check(yaml_document_t *doc, const cyaml_schema_value_t *schema,
	struct sp_complaint *why);

#endif

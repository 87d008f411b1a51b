/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config_yaml.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/problem.h"

/* What the walk carries down. Recursion ends with the schema's depth. */
struct walk {
	yaml_document_t *doc;
	struct sp_complaint *why;
};

static const char *const booleans[] = { "true", "yes", "false", "no" };

static bool check(struct walk *w, const yaml_node_t *node,
	const cyaml_schema_value_t *schema, const char *key);

bool
sp_complain(struct sp_complaint *why, const yaml_node_t *node, const char *key,
	const char *format, ...)
{
	va_list args;

	why->line = node ? (unsigned int)node->start_mark.line + 1u : 0;
	snprintf(why->key, sizeof why->key, "%s", key);
	va_start(args, format);
	vsnprintf(why->text, sizeof why->text, format, args);
	va_end(args);
	return false;
}

/* A second document would be read by nobody. */
static bool
check_single(yaml_parser_t *parser, struct sp_complaint *why)
{
	yaml_document_t next;
	const yaml_node_t *root;

	if (!yaml_parser_load(parser, &next))
		return true;
	root = yaml_document_get_root_node(&next);
	if (root)
		sp_complain(why, root, "",
			"a second document begins; remove the \"---\" before");
	yaml_document_delete(&next);
	return !root;
}

bool
sp_yaml_read(const char *text, size_t len, yaml_document_t *out,
	struct sp_complaint *why)
{
	yaml_parser_t parser;
	bool good;

	if (!yaml_parser_initialize(&parser))
		return sp_complain(why, NULL, "", "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	good = yaml_parser_load(&parser, out);
	if (!good) {
		sp_complain(why, NULL, "", "not YAML: %s%s%s",
			parser.problem ? parser.problem : "out of memory",
			parser.context ? " " : "",
			parser.context ? parser.context : "");
		why->line = (unsigned int)parser.problem_mark.line + 1u;
	} else if (!check_single(&parser, why)) {
		yaml_document_delete(out);
		good = false;
	}
	yaml_parser_delete(&parser);
	return good;
}

static const char *
word(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

const yaml_node_t *
sp_yaml_find(yaml_document_t *doc, const yaml_node_t *mapping, const char *key)
{
	if (!mapping || mapping->type != YAML_MAPPING_NODE)
		return NULL;
	for (const yaml_node_pair_t *p = mapping->data.mapping.pairs.start;
		p < mapping->data.mapping.pairs.top; p++) {
		const yaml_node_t *k = yaml_document_get_node(doc, p->key);

		if (k->type == YAML_SCALAR_NODE && strcmp(word(k), key) == 0)
			return yaml_document_get_node(doc, p->value);
	}
	return NULL;
}

const yaml_node_t *
sp_yaml_item(yaml_document_t *doc, const yaml_node_t *sequence, size_t i)
{
	if (!sequence || sequence->type != YAML_SEQUENCE_NODE)
		return NULL;
	if (i >= (size_t)(sequence->data.sequence.items.top -
			 sequence->data.sequence.items.start))
		return NULL;
	return yaml_document_get_node(
		doc, sequence->data.sequence.items.start[i]);
}

static const cyaml_schema_field_t *
field_of(const cyaml_schema_value_t *schema, const char *key)
{
	const cyaml_schema_field_t *f = schema->mapping.fields;

	while (f->key && strcmp(f->key, key) != 0)
		f++;
	return f->key ? f : NULL;
}

static bool
unknown_key(struct walk *w, const yaml_node_t *at,
	const cyaml_schema_value_t *schema, const char *key)
{
	const cyaml_schema_field_t *f = schema->mapping.fields;
	size_t count = 0;
	const char *near;

	while (f[count].key)
		count++;
	near = sp_problem_nearest(word(at), f, count, sizeof *f);
	if (near)
		return sp_complain(
			w->why, at, key, "unknown key; did you mean %s?", near);
	return sp_complain(w->why, at, key,
		"unknown key; see sallyport.yaml(5) for those there are");
}

static bool
check_pair(struct walk *w, const yaml_node_t *mapping,
	const yaml_node_pair_t *pair, const cyaml_schema_value_t *schema,
	const char *above)
{
	const yaml_node_t *k = yaml_document_get_node(w->doc, pair->key);
	const yaml_node_t *v = yaml_document_get_node(w->doc, pair->value);
	const cyaml_schema_field_t *f;
	char key[SP_COMPLAINT_KEY];

	if (k->type != YAML_SCALAR_NODE)
		return sp_complain(w->why, k, above, "a key must be a word");
	snprintf(
		key, sizeof key, "%s%s%s", above, above[0] ? "." : "", word(k));
	f = field_of(schema, word(k));
	if (!f)
		return unknown_key(w, k, schema, key);
	if (sp_yaml_find(w->doc, mapping, word(k)) != v)
		return sp_complain(
			w->why, k, key, "given twice; remove one of them");
	return check(w, v, &f->value, key);
}

static bool
check_mapping(struct walk *w, const yaml_node_t *node,
	const cyaml_schema_value_t *schema, const char *key)
{
	if (node->type != YAML_MAPPING_NODE)
		return sp_complain(w->why, node, key,
			"needs \"key: value\" lines, indented below it");
	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
		p < node->data.mapping.pairs.top; p++)
		if (!check_pair(w, node, p, schema, key))
			return false;
	return true;
}

static bool
check_sequence(struct walk *w, const yaml_node_t *node,
	const cyaml_schema_value_t *schema, const char *key)
{
	size_t i = 0;

	if (node->type != YAML_SEQUENCE_NODE)
		return sp_complain(w->why, node, key,
			"needs a list, as in [one, two] or lines with a dash");
	for (const yaml_node_t *item; (item = sp_yaml_item(w->doc, node, i));
		i++) {
		char name[SP_COMPLAINT_KEY];

		snprintf(name, sizeof name, "%s[%zu]", key, i);
		if (!check(w, item, schema->sequence.entry, name))
			return false;
	}
	if (i < schema->sequence.min || i > schema->sequence.max)
		return sp_complain(w->why, node, key,
			"has %zu entries; from %u to %u are possible", i,
			schema->sequence.min, schema->sequence.max);
	return true;
}

/* Decimal only: a leading zero would turn into an octal number. */
static bool
check_number(struct walk *w, const yaml_node_t *node,
	const cyaml_schema_value_t *schema, const char *key)
{
	const uint64_t most = UINT64_MAX >> (64u - 8u * schema->data_size);
	const char *text = word(node);
	bool good = isdigit((unsigned char)text[0]) &&
		(text[0] != '0' || text[1] == '\0');

	for (const char *c = text; *c; c++)
		good = good && isdigit((unsigned char)*c);
	errno = 0;
	if (good && strtoull(text, NULL, 10) <= most && errno == 0)
		return true;
	return sp_complain(w->why, node, key,
		"\"%.40s\" is not a number from 0 to %" PRIu64, text, most);
}

static bool
check_word(struct walk *w, const yaml_node_t *node, const char *key,
	const void *known, size_t count, size_t stride)
{
	char list[SP_COMPLAINT_TEXT / 2] = "";
	const char *near;

	for (size_t i = 0; i < count; i++) {
		const char *row = (const char *)known + i * stride;
		const char *name = *(const char *const *)(const void *)row;
		const size_t used = strlen(list);

		if (strcmp(word(node), name) == 0)
			return true;
		snprintf(list + used, sizeof list - used, "%s%s",
			i > 0 ? ", " : "", name);
	}
	near = sp_problem_nearest(word(node), known, count, stride);
	return sp_complain(w->why, node, key,
		"\"%.40s\" is not one of %s%s%s%s", word(node), list,
		near ? "; did you mean " : "", near ? near : "",
		near ? "?" : "");
}

static bool
check(struct walk *w, const yaml_node_t *node,
	const cyaml_schema_value_t *schema, const char *key)
{
	if (schema->type == CYAML_MAPPING)
		return check_mapping(w, node, schema, key);
	if (schema->type == CYAML_SEQUENCE)
		return check_sequence(w, node, schema, key);

	if (node->type != YAML_SCALAR_NODE)
		return sp_complain(
			w->why, node, key, "needs one value, not several");
	if (strlen(word(node)) != node->data.scalar.length)
		return sp_complain(
			w->why, node, key, "has a NUL byte in it; remove it");
	if (schema->type == CYAML_UINT)
		return check_number(w, node, schema, key);
	if (schema->type == CYAML_BOOL)
		return check_word(w, node, key, booleans,
			sizeof booleans / sizeof *booleans, sizeof *booleans);
	if (schema->type == CYAML_ENUM)
		return check_word(w, node, key, schema->enumeration.strings,
			schema->enumeration.count,
			sizeof *schema->enumeration.strings);
	if (node->data.scalar.length == 0)
		return sp_complain(w->why, node, key,
			"is empty; give it a value or remove the line");
	return true;
}

bool
sp_yaml_check(yaml_document_t *doc, const cyaml_schema_value_t *schema,
	struct sp_complaint *why)
{
	struct walk w = { doc, why };
	const yaml_node_t *root = yaml_document_get_root_node(doc);

	return !root || check(&w, root, schema, "");
}

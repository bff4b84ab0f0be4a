/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/yaml_scan.h"

#include <string.h>
#include <yaml.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

/* Keys longer than this are none that anybody asks for. */
#define KEY_MAX 128

/* What a value is in: a list, or a mapping, whose keys and values come in turn. */
struct collection {
	bool mapping, value_next;
	char key[KEY_MAX];
};

struct scanner {
	const char *text;
	size_t n;
	size_t at, index; /* the same place in bytes and, as libyaml counts, in characters */
	yaml_parser_t parser;
	struct collection in[YAML_DEPTH];
	size_t depth;
	yaml_on_scalar *on_scalar;
	void *ctx;
	struct err *err;
};

bool yaml_is_key(const struct yaml_frame *frame, const char *key)
{
	return frame->key && frame->n == strlen(key) && memcmp(frame->key, key, frame->n) == 0;
}

static int refuse(struct scanner *s, enum err_code code, const yaml_mark_t *at, const char *what)
{
	return err_set(s->err, code, "line %zu: %s", at->line + 1, what);
}

/* --- places in the text ---------------------------------------------------------------------- */

/* Bytes up to the character @index, which is not before the last one asked for. */
static size_t offset(struct scanner *s, size_t index)
{
	for (; s->index < index && s->at < s->n; s->index++)
		for (s->at++; s->at < s->n && (s->text[s->at] & 0xc0) == 0x80; s->at++)
			continue;
	return s->at;
}

/* Where the value stands, without quotes. libyaml's begin is that of a tag or anchor before it. */
static struct yaml_scalar place(struct scanner *s, const yaml_event_t *e)
{
	yaml_scalar_style_t style = e->data.scalar.style;
	bool quoted = style == YAML_SINGLE_QUOTED_SCALAR_STYLE ||
		      style == YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	size_t from = offset(s, e->start_mark.index), n = e->data.scalar.length;
	struct yaml_scalar ret = {
		.start = from,
		.end = offset(s, e->end_mark.index) - quoted,
		.line = e->start_mark.line + 1,
	};

	ret.simple = (quoted || style == YAML_PLAIN_SCALAR_STYLE) && ret.end - from >= n &&
		     memcmp(s->text + ret.end - n, e->data.scalar.value, n) == 0;
	if (ret.simple)
		ret.start = ret.end - n;
	return ret;
}

/* --- paths ------------------------------------------------------------------------------------ */

static struct collection *innermost(struct scanner *s)
{
	return s->depth ? &s->in[s->depth - 1] : NULL;
}

/* Whether a scalar that comes now is a key. */
static bool wants_key(struct scanner *s)
{
	const struct collection *c = innermost(s);

	return c && c->mapping && !c->value_next;
}

/* A whole value has come. */
static void end_value(struct scanner *s)
{
	if (innermost(s))
		innermost(s)->value_next = false;
}

static int begin(struct scanner *s, const yaml_event_t *e, bool mapping)
{
	if (wants_key(s))
		return refuse(s, ERR_INVALID, &e->start_mark, "a key that is a mapping or a list");
	if (s->depth == YAML_DEPTH)
		return refuse(s, ERR_LIMIT, &e->start_mark, "nested too deeply");
	s->in[s->depth++] = (struct collection){ .mapping = mapping };
	return 0;
}

static void end(struct scanner *s)
{
	s->depth--;
	end_value(s);
}

static int tell(struct scanner *s, const yaml_event_t *e)
{
	struct yaml_frame path[YAML_DEPTH];
	struct yaml_scalar scalar = place(s, e);

	for (size_t i = 0; i < s->depth; i++)
		path[i] = s->in[i].mapping
				  ? (struct yaml_frame){ s->in[i].key, strlen(s->in[i].key) }
				  : (struct yaml_frame){ NULL, 0 };
	return s->on_scalar(s->ctx, path, s->depth, &scalar, s->err);
}

static int take_scalar(struct scanner *s, const yaml_event_t *e)
{
	struct collection *c = innermost(s);
	const char *value = (const char *)e->data.scalar.value;

	if (wants_key(s)) {
		if (!str_copy(c->key, sizeof(c->key), value))
			c->key[0] = '\0';
		c->value_next = true;
		return 0;
	}
	if (tell(s, e) < 0)
		return -1;
	end_value(s);
	return 0;
}

/* --- events ----------------------------------------------------------------------------------- */

static int take(struct scanner *s, const yaml_event_t *e)
{
	yaml_event_type_t type = e->type;

	if (type == YAML_MAPPING_START_EVENT || type == YAML_SEQUENCE_START_EVENT)
		return begin(s, e, type == YAML_MAPPING_START_EVENT);
	if (type == YAML_SCALAR_EVENT)
		return take_scalar(s, e);
	if (type == YAML_ALIAS_EVENT)
		return refuse(s, ERR_UNSUPPORTED, &e->start_mark,
			      "an alias: what it stands for would have to be replaced elsewhere");
	if (type == YAML_MAPPING_END_EVENT || type == YAML_SEQUENCE_END_EVENT)
		end(s);
	return 0;
}

/* In libyaml's words, but for what people meet most. */
static int malformed(struct scanner *s)
{
	const yaml_parser_t *p = &s->parser;
	size_t at = offset(s, p->problem_mark.index);
	const char *context = p->context ? p->context : "";

	if (p->error == YAML_MEMORY_ERROR)
		return err_set(s->err, ERR_NOMEM, "no memory to read YAML");
	if (p->error == YAML_READER_ERROR)
		return err_set(s->err, ERR_INVALID, "byte %zu: %s", p->problem_offset, p->problem);
	if (at < s->n && s->text[at] == '\t')
		return refuse(s, ERR_INVALID, &p->problem_mark, "a tab as indentation");
	return err_set(s->err, ERR_INVALID, "line %zu: %s%s%s", p->problem_mark.line + 1, context,
		       *context ? ": " : "", p->problem ? p->problem : "it makes no sense");
}

static int scan(struct scanner *s)
{
	bool more = true;

	while (more) {
		yaml_event_t e;
		int rc;

		if (!yaml_parser_parse(&s->parser, &e))
			return malformed(s);
		more = e.type != YAML_STREAM_END_EVENT;
		rc = take(s, &e);
		yaml_event_delete(&e);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int yaml_scan(const char *text, size_t n, yaml_on_scalar *on_scalar, void *ctx, struct err *err)
{
	struct scanner s = { .text = text, .n = n, .on_scalar = on_scalar, .ctx = ctx, .err = err };
	int rc;

	if (!yaml_parser_initialize(&s.parser))
		return err_set(err, ERR_NOMEM, "no memory to read YAML");
	yaml_parser_set_encoding(&s.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&s.parser, (const unsigned char *)text, n);
	rc = scan(&s);
	yaml_parser_delete(&s.parser);
	return rc;
}

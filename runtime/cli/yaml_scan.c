/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/yaml_scan.h"

#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"

struct scanner {
	const char *text;
	size_t n, at;
	size_t line, line_start; /* of @at */
	struct yaml_frame path[YAML_DEPTH];
	size_t depth;
	yaml_on_scalar *on_scalar;
	void *ctx;
	struct err *err;
};

/* --- characters ------------------------------------------------------------------------------ */

/* The character @offset from here; NUL at the end. */
static char peek(const struct scanner *s, size_t offset)
{
	return s->at + offset < s->n ? s->text[s->at + offset] : '\0';
}

static bool is_break(char c)
{
	return c == '\n' || c == '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || is_break(c);
}

static bool at_end(const struct scanner *s)
{
	return s->at >= s->n;
}

static size_t column(const struct scanner *s)
{
	return s->at - s->line_start;
}

static void advance(struct scanner *s)
{
	if (s->text[s->at++] == '\n') {
		s->line++;
		s->line_start = s->at;
	}
}

static int refuse(struct scanner *s, enum err_code code, const char *what)
{
	return err_set(s->err, code, "line %zu: %s", s->line, what);
}

static int malformed(struct scanner *s, const char *what)
{
	return refuse(s, ERR_INVALID, what);
}

/* Spaces and a comment up to the end of the line, which is not taken. */
static void skip_line_rest(struct scanner *s)
{
	while (peek(s, 0) == ' ' || peek(s, 0) == '\t' || peek(s, 0) == '\r')
		s->at++;
	if (peek(s, 0) == '#' && (column(s) == 0 || is_blank(s->text[s->at - 1])))
		while (!at_end(s) && peek(s, 0) != '\n')
			s->at++;
}

/* To the next thing that means something, over any number of lines. */
static void skip_blank(struct scanner *s)
{
	for (;;) {
		skip_line_rest(s);
		if (at_end(s) || peek(s, 0) != '\n')
			return;
		advance(s);
	}
}

/* Lines are indented with spaces; a tab counts as much as the reader likes. */
static bool indented_by_tab(const struct scanner *s)
{
	return memchr(s->text + s->line_start, '\t', column(s)) != NULL;
}

static bool at_marker(const struct scanner *s)
{
	return column(s) == 0 && s->n - s->at >= 3 &&
	       (memcmp(s->text + s->at, "---", 3) == 0 || memcmp(s->text + s->at, "...", 3) == 0) &&
	       is_blank(peek(s, 3));
}

/* "-", "?" and ":" mean something in front of a blank only. */
static bool at_indicator(const struct scanner *s, char c)
{
	return peek(s, 0) == c && is_blank(peek(s, 1));
}

/* --- paths ----------------------------------------------------------------------------------- */

static int enter(struct scanner *s, const char *key, size_t n)
{
	if (s->depth == YAML_DEPTH)
		return refuse(s, ERR_LIMIT, "nested too deeply");
	s->path[s->depth++] = (struct yaml_frame){ key, n };
	return 0;
}

static void leave(struct scanner *s)
{
	s->depth--;
}

bool yaml_is_key(const struct yaml_frame *frame, const char *key)
{
	return frame->key && frame->n == strlen(key) && memcmp(frame->key, key, frame->n) == 0;
}

static int tell(struct scanner *s, const struct yaml_scalar *scalar)
{
	return s->on_scalar(s->ctx, s->path, s->depth, scalar, s->err);
}

/* --- scalars --------------------------------------------------------------------------------- */

/* Quoted, from one quote to after the other. */
static int take_quoted(struct scanner *s, struct yaml_scalar *ret)
{
	char quote = peek(s, 0);

	*ret = (struct yaml_scalar){ s->at + 1, 0, s->line, true };
	for (s->at++; !at_end(s); advance(s)) {
		char c = peek(s, 0);

		if (c == '\n')
			ret->simple = false;
		if (quote == '"' && c == '\\') {
			ret->simple = false;
			advance(s);
			if (at_end(s))
				break;
		} else if (quote == '\'' && c == quote && peek(s, 1) == quote) {
			ret->simple = false;
			advance(s);
		} else if (c == quote) {
			ret->end = s->at++;
			return 0;
		}
	}
	return malformed(s, "a quote that does not end");
}

static bool ends_plain(const struct scanner *s, bool flow)
{
	char c = peek(s, 0);

	if (is_break(c) || (c == '#' && s->at && is_blank(s->text[s->at - 1])))
		return true;
	if (c == ':' && (is_blank(peek(s, 1)) || (flow && strchr(",[]{}", peek(s, 1)))))
		return true;
	return flow && strchr(",[]{}", c);
}

/* One line of a plain scalar, without blanks at its end. */
static void take_plain_line(struct scanner *s, bool flow, size_t *ret_end)
{
	while (!ends_plain(s, flow)) {
		if (!is_blank(peek(s, 0)))
			*ret_end = s->at + 1;
		s->at++;
	}
}

static int take_plain(struct scanner *s, bool flow, struct yaml_scalar *ret)
{
	*ret = (struct yaml_scalar){ s->at, s->at, s->line, true };
	if (strchr("@`%&!|>", peek(s, 0)))
		return malformed(s,
				 "a value that begins with a character that it cannot begin with");
	take_plain_line(s, flow, &ret->end);
	return ret->end > ret->start ? 0 : malformed(s, "something else was expected");
}

/* Further lines of a plain scalar: indented more than what it belongs to. */
static int take_plain_rest(struct scanner *s, long parent, bool flow, struct yaml_scalar *value)
{
	for (;;) {
		struct scanner before = *s;

		if (!is_break(peek(s, 0)))
			return peek(s, 0) == ':' && !flow
				       ? malformed(s, "a second \": \" in one line")
				       : 0;
		while (!at_end(s) && is_blank(peek(s, 0)))
			advance(s);
		if (at_end(s) || peek(s, 0) == '#' || at_marker(s) || ends_plain(s, flow) ||
		    (!flow && (long)column(s) <= parent)) {
			*s = before;
			return 0;
		}
		value->simple = false;
		take_plain_line(s, flow, &value->end);
	}
}

/* Takes the lines that are indented more than @parent, whatever is in them. */
static void take_block_lines(struct scanner *s, long parent)
{
	while (!at_end(s)) {
		struct scanner before = *s;

		advance(s);
		while (peek(s, 0) == ' ')
			s->at++;
		if (!is_blank(peek(s, 0)) && ((long)column(s) <= parent || at_marker(s))) {
			*s = before;
			return;
		}
		while (!at_end(s) && peek(s, 0) != '\n')
			s->at++;
	}
}

/* "|" and ">". */
static int block_scalar(struct scanner *s, long parent)
{
	struct yaml_scalar value = { s->at, 0, s->line, false };

	for (s->at++; peek(s, 0) && strchr("+-123456789", peek(s, 0)); s->at++)
		continue;
	skip_line_rest(s);
	if (!is_break(peek(s, 0)))
		return malformed(s, "something after a \"|\" or \">\"");
	take_block_lines(s, parent);
	value.end = s->at;
	return tell(s, &value);
}

/* "&anchor" and "!tag" in front of a value. */
static void skip_properties(struct scanner *s)
{
	while (peek(s, 0) == '&' || peek(s, 0) == '!') {
		while (!is_blank(peek(s, 0)) && !strchr(",[]{}", peek(s, 0)))
			s->at++;
		skip_line_rest(s);
	}
}

/* --- flow form ------------------------------------------------------------------------------- */

/* A value in a value is found by recursion, which enter() bounds. NOLINTBEGIN(misc-no-recursion) */

static int flow_node(struct scanner *s);

/* A key of either form, and its colon. Without a colon *ret_end is false. */
static int take_key(struct scanner *s, bool flow, struct yaml_scalar *ret, bool *ret_colon)
{
	bool quoted = peek(s, 0) == '"' || peek(s, 0) == '\'';

	if ((quoted ? take_quoted(s, ret) : take_plain(s, flow, ret)) < 0)
		return -1;
	if (flow)
		skip_blank(s);
	else
		skip_line_rest(s);
	*ret_colon = peek(s, 0) == ':' &&
		     (is_blank(peek(s, 1)) || (flow && (quoted || strchr(",[]{}", peek(s, 1)))));
	if (*ret_colon)
		s->at++;
	return 0;
}

static int flow_pair(struct scanner *s)
{
	struct yaml_scalar key;
	bool colon;

	skip_properties(s);
	if (take_key(s, true, &key, &colon) < 0)
		return -1;
	skip_blank(s);
	if (!colon || peek(s, 0) == ',' || peek(s, 0) == '}')
		return 0;
	if (enter(s, s->text + key.start, key.end - key.start) < 0 || flow_node(s) < 0)
		return -1;
	leave(s);
	return 0;
}

static int flow_entry(struct scanner *s)
{
	if (enter(s, NULL, 0) < 0 || flow_node(s) < 0)
		return -1;
	leave(s);
	skip_blank(s);
	return peek(s, 0) == ':' ? refuse(s, ERR_UNSUPPORTED, "a pair in a list without braces")
				 : 0;
}

/* From the opening bracket to after the closing one. */
static int flow_collection(struct scanner *s)
{
	bool mapping = peek(s, 0) == '{';
	char close = mapping ? '}' : ']';

	for (s->at++;; s->at++) {
		skip_blank(s);
		if (peek(s, 0) == close)
			break;
		if ((mapping ? flow_pair(s) : flow_entry(s)) < 0)
			return -1;
		skip_blank(s);
		if (peek(s, 0) == close)
			break;
		if (peek(s, 0) != ',')
			return malformed(s, "a bracket that does not end");
	}
	s->at++;
	return 0;
}

static int flow_node(struct scanner *s)
{
	struct yaml_scalar value;

	skip_blank(s);
	skip_properties(s);
	skip_blank(s);
	switch (peek(s, 0)) {
	case '{':
	case '[':
		return flow_collection(s);
	case '*':
		return refuse(s, ERR_UNSUPPORTED, "an alias, which is not followed");
	case '"':
	case '\'':
		return take_quoted(s, &value) < 0 ? -1 : tell(s, &value);
	default:
		if (take_plain(s, true, &value) < 0 || take_plain_rest(s, -1, true, &value) < 0)
			return -1;
		return tell(s, &value);
	}
}

/* --- block form ------------------------------------------------------------------------------ */

static int block_node(struct scanner *s, long parent);

/* Nothing but a comment may follow a value that knows its end. */
static int end_of_value(struct scanner *s)
{
	skip_line_rest(s);
	return is_break(peek(s, 0)) ? 0 : malformed(s, "something after the end of a value");
}

/* A value on the line of its key or at the begin of a document: no block collection. */
static int inline_node(struct scanner *s, long parent)
{
	struct yaml_scalar value;

	switch (peek(s, 0)) {
	case '{':
	case '[':
		return flow_collection(s) < 0 ? -1 : end_of_value(s);
	case '|':
	case '>':
		return block_scalar(s, parent);
	case '*':
		return refuse(s, ERR_UNSUPPORTED, "an alias, which is not followed");
	case '"':
	case '\'':
		if (take_quoted(s, &value) < 0 || end_of_value(s) < 0)
			return -1;
		return tell(s, &value);
	default:
		if (take_plain(s, false, &value) < 0 ||
		    take_plain_rest(s, parent, false, &value) < 0)
			return -1;
		return tell(s, &value);
	}
}

/* After "key:" of a mapping at column @col. A list may stand at the column of the key it belongs
 * to. */
static int mapping_value(struct scanner *s, long col)
{
	skip_line_rest(s);
	skip_properties(s);
	if (!is_break(peek(s, 0)))
		return inline_node(s, col);
	skip_blank(s);
	if (at_end(s) || at_marker(s))
		return 0;
	if ((long)column(s) > col)
		return block_node(s, col);
	return (long)column(s) == col && at_indicator(s, '-') ? block_node(s, col - 1) : 0;
}

static int mapping_pair(struct scanner *s, long col)
{
	struct yaml_scalar key;
	bool colon;

	if (at_indicator(s, '?'))
		return refuse(s, ERR_UNSUPPORTED, "a key that begins with \"? \"");
	if (peek(s, 0) == '*')
		return refuse(s, ERR_UNSUPPORTED, "an alias, which is not followed");
	skip_properties(s);
	if (take_key(s, false, &key, &colon) < 0)
		return -1;
	if (!colon)
		return malformed(s, "a key without \":\"");
	if (enter(s, s->text + key.start, key.end - key.start) < 0 || mapping_value(s, col) < 0)
		return -1;
	leave(s);
	return 0;
}

/* Whether the collection at column @col goes on here; *ret_bad: here nothing can be. */
static bool goes_on(struct scanner *s, long col, bool *ret_bad)
{
	skip_blank(s);
	*ret_bad = false;
	if (at_end(s) || at_marker(s) || (long)column(s) < col)
		return false;
	*ret_bad = (long)column(s) > col || indented_by_tab(s);
	return !*ret_bad;
}

static int block_mapping(struct scanner *s)
{
	long col = (long)column(s);
	bool bad = false;

	do {
		if (mapping_pair(s, col) < 0)
			return -1;
	} while (goes_on(s, col, &bad));
	return bad ? malformed(s, "indented otherwise than what it belongs to") : 0;
}

static int list_entry(struct scanner *s, long col)
{
	s->at++;
	if (enter(s, NULL, 0) < 0)
		return -1;
	skip_blank(s);
	if (!at_end(s) && !at_marker(s) && (long)column(s) > col && block_node(s, col) < 0)
		return -1;
	leave(s);
	return 0;
}

static int block_list(struct scanner *s)
{
	long col = (long)column(s);
	bool bad = false;

	do {
		if (!at_indicator(s, '-'))
			return 0;
		if (list_entry(s, col) < 0)
			return -1;
	} while (goes_on(s, col, &bad));
	return bad ? malformed(s, "indented otherwise than what it belongs to") : 0;
}

/* Whether what stands here is the key of a mapping. Nothing is taken. */
static bool at_key(struct scanner *s)
{
	struct scanner ahead = *s;
	struct err ignored = ERR_INIT;
	struct yaml_scalar key;
	bool colon = false;

	ahead.err = &ignored;
	if (at_indicator(s, '?') || peek(s, 0) == '{' || peek(s, 0) == '[')
		return at_indicator(s, '?');
	return take_key(&ahead, false, &key, &colon) == 0 && colon && ahead.line == s->line;
}

/* What stands in front of a value may have lines of its own. False when no value follows. */
static bool skip_property_lines(struct scanner *s, long parent)
{
	while (peek(s, 0) == '&' || peek(s, 0) == '!') {
		skip_properties(s);
		skip_blank(s);
		if (at_end(s) || at_marker(s) || (long)column(s) <= parent)
			return false;
	}
	return true;
}

/* A value on lines of its own, which belongs to something at column @parent. */
static int block_node(struct scanner *s, long parent)
{
	if (indented_by_tab(s))
		return malformed(s, "a tab in the indentation");
	if (!at_key(s) && !skip_property_lines(s, parent))
		return 0;
	if (at_indicator(s, '-'))
		return block_list(s);
	return at_key(s) ? block_mapping(s) : inline_node(s, parent);
}

/* NOLINTEND(misc-no-recursion) */

/* --- documents ------------------------------------------------------------------------------- */

static int document(struct scanner *s)
{
	if (at_marker(s)) {
		s->at += 3;
		return 0;
	}
	if (column(s) == 0 && peek(s, 0) == '%') {
		while (!is_break(peek(s, 0)))
			s->at++;
		return 0;
	}
	if (block_node(s, -1) < 0)
		return -1;
	skip_blank(s);
	return at_end(s) || at_marker(s) ? 0
					 : malformed(s, "something after the end of the document");
}

int yaml_scan(const char *text, size_t n, yaml_on_scalar *on_scalar, void *ctx, struct err *err)
{
	struct scanner s = {
		.text = text, .n = n, .line = 1, .on_scalar = on_scalar, .ctx = ctx, .err = err
	};

	if (memchr(text, '\0', n))
		return err_set(err, ERR_INVALID, "there is a NUL byte in it");
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.at = s.line_start = 3;
	for (skip_blank(&s); !at_end(&s); skip_blank(&s))
		if (document(&s) < 0)
			return -1;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/oci/toml.h"

#include <ctype.h>
#include <string.h>

#include "runtime/base/str.h"

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static const char *skip_empty_lines(const char *p)
{
	for (;;) {
		p += strspn(p, " \t\r\n");
		if (*p != '#')
			return p;
		p += strcspn(p, "\n");
	}
}

static int take_key(const char **at, struct toml_value *v, struct err *err)
{
	const char *p = *at;
	size_t n = 0;

	if (*p == '[')
		return err_set(err, ERR_INVALID, "tables are not supported");
	while (isalnum((unsigned char)p[n]) || p[n] == '_' || p[n] == '-')
		n++;
	if (!n || n >= sizeof(v->key))
		return err_set(err, ERR_INVALID, "no plain key before \"%.20s\"", p);
	memcpy(v->key, p, n);
	v->key[n] = '\0';
	p = skip_blanks(p + n);
	if (*p != '=')
		return err_set(err, ERR_INVALID, "nothing is assigned to \"%s\"", v->key);
	*at = skip_blanks(p + 1);
	return 0;
}

/* The character an escape stands for; 0 for escapes that no path or name needs. */
static char unescape(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case 't':
		return '\t';
	default:
		return '\0';
	}
}

static int take_string(const char **at, struct toml_value *v, struct err *err)
{
	char quote = **at;
	const char *p = *at + 1;
	size_t n = 0;

	if (p[0] == quote && p[1] == quote)
		return err_set(err, ERR_INVALID, "\"%s\" is text of several lines", v->key);
	for (; *p && *p != quote && *p != '\n'; p++) {
		char c = *p;

		if (quote == '"' && c == '\\') {
			c = *++p ? unescape(*p) : '\0';
			if (!c)
				return err_set(err, ERR_INVALID, "\"%s\" has an unknown escape",
					       v->key);
		}
		if (n + 1 >= sizeof(v->text))
			return err_set(err, ERR_INVALID, "\"%s\" is too long", v->key);
		v->text[n++] = c;
	}
	if (*p != quote)
		return err_set(err, ERR_INVALID, "the text of \"%s\" does not end", v->key);
	v->text[n] = '\0';
	v->kind = TOML_TEXT;
	*at = p + 1;
	return 0;
}

static int take_number(struct toml_value *v, struct err *err)
{
	bool minus = v->text[0] == '-';
	uint64_t n;

	if (str_u64(v->text + (minus || v->text[0] == '+'), v->key, INT64_MAX, &n, err) < 0)
		return -1;
	v->number = minus ? -(int64_t)n : (int64_t)n;
	v->kind = TOML_INT;
	return 0;
}

static int take_word(const char **at, struct toml_value *v, struct err *err)
{
	size_t n = strcspn(*at, " \t\r\n#");

	if (**at == '[' || **at == '{')
		return err_set(err, ERR_INVALID, "\"%s\" is a list or a table", v->key);
	if (!n || n >= sizeof(v->text))
		return err_set(err, ERR_INVALID, "\"%s\" has no value", v->key);
	memcpy(v->text, *at, n);
	v->text[n] = '\0';
	*at += n;
	v->number = str_eq(v->text, "true");
	v->kind = TOML_BOOL;
	if (v->number || str_eq(v->text, "false"))
		return 0;
	return take_number(v, err);
}

int toml_next(const char **at, struct toml_value *ret, struct err *err)
{
	const char *p = skip_empty_lines(*at);
	int rc;

	memset(ret, 0, sizeof(*ret));
	*at = p;
	if (!*p)
		return 0;
	if (take_key(&p, ret, err) < 0)
		return -1;
	rc = *p == '"' || *p == '\'' ? take_string(&p, ret, err) : take_word(&p, ret, err);
	if (rc < 0)
		return -1;
	p = skip_blanks(p);
	if (*p && *p != '\n' && *p != '\r' && *p != '#')
		return err_set(err, ERR_INVALID, "unexpected \"%.20s\" after the value of \"%s\"",
			       p, ret->key);
	*at = p;
	return 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/mountinfo.h"

#include <string.h>

#include "runtime/base/str.h"

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Blank, tab, newline and backslash are written as \040 and so on. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\\' && is_octal(s[1]) && is_octal(s[2]) && is_octal(s[3])) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/*
 * 36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 * The fields between the mount options and the dash are any number.
 */
bool mountinfo_parse(char *line, struct mountinfo *ret)
{
	char *head[5], *tail[3], *dash = strstr(line, " - ");

	if (!dash)
		return false;
	*dash = '\0';
	dash += 3;
	for (int i = 0; i < 5; i++)
		head[i] = strsep(&line, " ");
	for (int i = 0; i < 3; i++)
		tail[i] = strsep(&dash, " ");
	if (!head[4] || !tail[2])
		return false;
	unescape(head[3]);
	unescape(head[4]);
	*ret = (struct mountinfo){ .device = head[2],
				   .root = head[3],
				   .point = head[4],
				   .type = tail[0],
				   .options = tail[2] };
	return true;
}

const char *path_below(const char *path, const char *dir)
{
	const char *rest = str_eq(dir, "/") ? path : str_after(path, dir);

	return rest && (*rest == '/' || !*rest) ? rest : NULL;
}

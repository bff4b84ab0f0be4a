/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/image_reference.h"

#include <string.h>

#include "runtime/base/str.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Cuts @text at its last @sign, which has to be after @from; what follows, or NULL. */
static char *cut_at(char *text, const char *from, char sign)
{
	char *at = strrchr(text, sign);

	if (!at || at < from)
		return NULL;
	*at = '\0';
	return at + 1;
}

/* The first component names a registry when it could be no part of a name on docker.io. */
static bool is_host(const char *text, size_t n)
{
	return memchr(text, '.', n) || memchr(text, ':', n) ||
	       (n == strlen("localhost") && memcmp(text, "localhost", n) == 0) ||
	       strcspn(text, UPPER) < n;
}

static bool is_path(const char *path)
{
	return *path && !path[strspn(path, LOWER "._-/")] && !strstr(path, "//") &&
	       strchr(LOWER, path[0]) && strchr(LOWER, path[strlen(path) - 1]);
}

static bool is_tag(const char *tag)
{
	return *tag && *tag != '.' && *tag != '-' && !tag[strspn(tag, LOWER UPPER "._-")];
}

/* The repository in full. @written has neither tag nor digest any more. */
static bool complete(const char *written, char ret[static REPOSITORY_MAX])
{
	const char *slash = strchr(written, '/');
	size_t n = slash ? (size_t)(slash - written) : 0;
	const char *path = written, *host = "docker.io";
	char registry[REPOSITORY_MAX];

	if (slash && is_host(written, n)) {
		path = slash + 1;
		(void)str_fmt(registry, sizeof(registry), "%.*s", (int)n, written);
		host = registry;
	}
	if (str_eq(host, "index.docker.io"))
		host = "docker.io";
	if (!is_path(path) || host[strspn(host, LOWER UPPER ".:-[]")])
		return false;
	return str_fmt(ret, REPOSITORY_MAX, "%s/%s%s", host,
		       str_eq(host, "docker.io") && !strchr(path, '/') ? "library/" : "", path);
}

static bool take_apart(const char *text, struct image_reference *ret)
{
	char copy[REFERENCE_MAX];
	const char *digest, *tag, *slash;

	if (!str_copy(copy, sizeof(copy), text))
		return false;
	digest = cut_at(copy, copy, '@');
	slash = strrchr(copy, '/');
	tag = cut_at(copy, slash ? slash : copy, ':');
	if ((digest && !digest_is_valid(digest)) || (tag && !is_tag(tag)))
		return false;
	return str_copy(ret->digest, sizeof(ret->digest), digest ? digest : "") &&
	       str_copy(ret->tag, sizeof(ret->tag),
			tag	 ? tag
			: digest ? ""
				 : "latest") &&
	       str_copy(ret->written, sizeof(ret->written), copy) &&
	       complete(copy, ret->repository);
}

int image_reference_parse(const char *text, struct image_reference *ret, struct err *err)
{
	if (!take_apart(text, ret))
		return err_set(err, ERR_INVALID, "\"%.200s\" is not the name of an image", text);
	return 0;
}

void image_reference_format(const struct image_reference *r, char text[static REFERENCE_MAX])
{
	(void)str_fmt(text, REFERENCE_MAX, "%s%s%s", r->repository, *r->digest ? "@" : ":",
		      *r->digest ? r->digest : r->tag);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/containerd/credentials.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/oci/json.h"

#define FILE_MAX (1u << 20)
#define KEY_MAX 512

/* Docker's own registry has this name in the files, whatever it is called in images. */
#define DEFAULT_REGISTRY "index.docker.io"

void credentials_deinit(struct credentials *c)
{
	for (size_t i = 0; i < c->n; i++) {
		explicit_bzero(c->list[i].password, strlen(c->list[i].password));
		free(c->list[i].username);
	}
	c->n = 0;
}

/* --- one entry ------------------------------------------------------------------------------- */

static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* With or without padding; @ret has room for as many bytes as @text and gets a NUL. False if it is
 * none. */
static bool base64_decode(const char *text, char *ret)
{
	size_t n = strcspn(text, "="), out = 0;
	unsigned int bits = 0, value = 0;

	if (text[n + strspn(text + n, "=")] || n % 4 == 1)
		return false;
	for (size_t i = 0; i < n; i++) {
		int v = base64_value(text[i]);

		if (v < 0)
			return false;
		value = (value << 6 | (unsigned int)v) & 0xffff;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		ret[out++] = (char)(value >> bits);
	}
	ret[out] = '\0';
	return strlen(ret) == out;
}

static int add(struct credentials *c, const char *username, const char *password, struct err *err)
{
	size_t n = strlen(username) + 1, m = strlen(password) + 1;
	char *both;

	if (c->n == CREDENTIALS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d credentials for one image",
			       CREDENTIALS_MAX);
	both = malloc(n + m);
	if (!both)
		return err_set(err, ERR_NOMEM, "no memory for credentials");
	memcpy(both, username, n);
	memcpy(both + n, password, m);
	c->list[c->n++] = (struct credential){ both, both + n };
	return 0;
}

/* "auth" is USERNAME:PASSWORD in base64 and counts more than the two by themselves. */
static int add_auth(struct credentials *c, const char *auth, struct err *err)
{
	CLEANUP_FREE char *text = malloc(strlen(auth) + 1);
	char *colon;
	int r;

	if (!text)
		return err_set(err, ERR_NOMEM, "no memory for credentials");
	if (!base64_decode(auth, text) || !(colon = strchr(text, ':')))
		return err_set(err, ERR_INVALID, "\"auth\" is not USERNAME:PASSWORD in base64");
	*colon = '\0';
	r = add(c, text, colon + 1, err);
	explicit_bzero(text, strlen(auth));
	return r;
}

static int add_entry(struct credentials *c, json *entry, struct err *err)
{
	const char *auth, *username, *password;

	if (!json_object_is_type(entry, json_type_object))
		return err_set(err, ERR_INVALID, "an entry that is not an object");
	if (json_text(entry, "auth", "", &auth, err) < 0 ||
	    json_text(entry, "username", "", &username, err) < 0 ||
	    json_text(entry, "password", "", &password, err) < 0)
		return -1;
	if (*auth)
		return add_auth(c, auth, err);
	return *username || *password ? add(c, username, password, err) : 0;
}

/* --- which entries --------------------------------------------------------------------------- */

/* The key without scheme and API version: "HOST" or "HOST/PATH". */
static bool bare_key(const char *key, char ret[static KEY_MAX])
{
	const char *rest = str_after(key, "https://"), *path;
	size_t n;

	rest = rest ? rest : str_after(key, "http://");
	rest = rest ? rest : key;
	n = strcspn(rest, "/");
	path = rest + n;
	if (str_after(path, "/v1/") || str_after(path, "/v2/"))
		path += strlen("/v1");
	return str_fmt(ret, KEY_MAX, "%.*s%s", (int)n, rest, str_eq(path, "/") ? "" : path);
}

/* Hosts part by part, since a * stands for a part and never for two. */
static bool host_matches(const char *pattern, const char *host)
{
	char p[KEY_MAX], h[KEY_MAX];

	for (;;) {
		size_t n = strcspn(pattern, ".:"), m = strcspn(host, ".:");

		(void)str_fmt(p, sizeof(p), "%.*s", (int)n, pattern);
		(void)str_fmt(h, sizeof(h), "%.*s", (int)m, host);
		if (fnmatch(p, h, 0) != 0 || pattern[n] != host[m])
			return false;
		if (!pattern[n])
			return true;
		pattern += n + 1;
		host += m + 1;
	}
}

static bool key_matches(const char *key, const char *repository)
{
	size_t n = strcspn(key, "/"), m = strcspn(repository, "/");
	char pattern[KEY_MAX], host[KEY_MAX];

	return str_fmt(pattern, sizeof(pattern), "%.*s", (int)n, key) &&
	       str_fmt(host, sizeof(host), "%.*s", (int)m, repository) &&
	       host_matches(pattern, host) && str_after(repository + m, key + n);
}

/* The greatest key below @last that counts for @repository: longer paths come before shorter ones.
 */
static json *next_entry(json *auths, const char *repository, char last[static KEY_MAX])
{
	char best[KEY_MAX] = "", key[KEY_MAX];
	json *ret = NULL;

	json_object_object_foreach(auths, name, entry)
	{
		if (!bare_key(name, key) || !key_matches(key, repository))
			continue;
		if ((*last && strcmp(key, last) >= 0) || (ret && strcmp(key, best) <= 0))
			continue;
		(void)str_copy(best, sizeof(best), key);
		ret = entry;
	}
	(void)str_copy(last, KEY_MAX, best);
	return ret;
}

static int add_default(struct credentials *c, json *auths, const char *repository, struct err *err)
{
	char key[KEY_MAX];

	if (!str_after(repository, "docker.io/"))
		return 0;
	json_object_object_foreach(auths, name, entry)
	{
		if (bare_key(name, key) && str_eq(key, DEFAULT_REGISTRY))
			return add_entry(c, entry, err);
	}
	return 0;
}

static int add_matching(struct credentials *c, json *auths, const char *repository, struct err *err)
{
	char last[KEY_MAX] = "";
	json *entry;

	while ((entry = next_entry(auths, repository, last)))
		if (add_entry(c, entry, err) < 0)
			return -1;
	return add_default(c, auths, repository, err);
}

int credentials_parse(const void *bytes, size_t n, bool old, const char *repository,
		      struct credentials *ret, struct err *err)
{
	CLEANUP_CREDENTIALS struct credentials c = { .n = 0 };
	CLEANUP_JSON json *file = NULL;
	json *auths;

	if (json_parse(bytes, n, "credentials", &file, err) < 0)
		return -1;
	if (!json_object_is_type(file, json_type_object))
		return err_set(err, ERR_INVALID, "not a JSON object");
	auths = file;
	if (!old && json_typed(file, "auths", json_type_object, &auths, err) < 0)
		return -1;
	if (auths && add_matching(&c, auths, repository, err) < 0)
		return -1;
	*ret = c;
	c.n = 0;
	return 0;
}

/* --- files ----------------------------------------------------------------------------------- */

const char *const *credentials_files(void)
{
	static const char *const files[] = {
		"/var/lib/kubelet/config.json",
		"/root/.docker/config.json",
		"/.docker/config.json",
		"/var/lib/kubelet/.dockercfg",
		"/root/.dockercfg",
		"/.dockercfg",
		NULL,
	};

	return files;
}

static int read_one(const char *path, const char *repository, struct credentials *ret,
		    struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX);
	int r;

	if (file_read(AT_FDCWD, path, &text, err) < 0)
		return -1;
	r = credentials_parse(text.data, text.len, str_ends(path, "/.dockercfg"), repository, ret,
			      err);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return r < 0 ? err_in(err, "%s", path) : 0;
}

/* One that is broken is passed over, as the kubelet does; it is an error when nothing else is
 * there. */
int credentials_read(const char *const *files, const char *repository, struct credentials *ret,
		     struct err *err)
{
	bool broken = false;
	struct err e;

	ret->n = 0;
	for (size_t i = 0; files[i]; i++) {
		if (read_one(files[i], repository, ret, &e) == 0)
			return 0;
		if (e.code == ERR_NOT_FOUND)
			continue;
		if (!broken)
			*err = e;
		broken = true;
	}
	return broken ? -1 : 0;
}

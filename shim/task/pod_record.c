/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/task/pod_record.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "shim/task/engine_record.h"

#define DIRECTORY "crossarch.pod"

/* mkdir -p of the last two, and the link. */
static int keep(const char *home, const char *bundle, const char *id)
{
	char record[PATH_MAX], path[PATH_MAX];

	if (!str_fmt(path, sizeof(path), "%s/" DIRECTORY, home) ||
	    (mkdir(path, 0700) < 0 && errno != EEXIST))
		return -1;
	if (!str_fmt(path, sizeof(path), "%s/" DIRECTORY "/%s", home, id) ||
	    (mkdir(path, 0700) < 0 && errno != EEXIST))
		return -1;
	if (!str_fmt(path, sizeof(path), "%s/" DIRECTORY "/%s/" ENGINE_RECORD_FILE, home, id) ||
	    !str_fmt(record, sizeof(record), "%s/" ENGINE_RECORD_FILE, bundle))
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return -1;
	return link(record, path);
}

void pod_record_keep(const char *home, const char *bundle, struct log_subject about)
{
	if (!*home || str_eq(home, bundle) || keep(home, bundle, about.id) == 0)
		return;
	/* The sandbox ended before: nobody will ask. */
	if (errno != ENOENT)
		log_write(LOG_WARNING, about, LOG_FIELDS(.error = strerror(errno)),
			  "nothing is kept in %s/" DIRECTORY
			  "; if this shim is killed the container stays",
			  home);
}

void pod_record_drop(const char *home, const char *id)
{
	char path[PATH_MAX];

	if (!*home ||
	    !str_fmt(path, sizeof(path), "%s/" DIRECTORY "/%s/" ENGINE_RECORD_FILE, home, id))
		return;
	(void)unlink(path);
	path[strlen(path) - strlen("/" ENGINE_RECORD_FILE)] = '\0';
	(void)rmdir(path);
}

void pod_record_each(const char *home, void (*clean)(char *record, const char *id, void *arg),
		     void *arg)
{
	char path[PATH_MAX], record[PATH_MAX];
	const struct dirent *e;
	DIR *dir;

	dir = str_fmt(path, sizeof(path), "%s/" DIRECTORY, home) ? opendir(path) : NULL;
	while (dir && (e = readdir(dir)))
		if (str_is_identifier(e->d_name) &&
		    str_fmt(record, sizeof(record), "%s/%s", path, e->d_name))
			clean(record, e->d_name, arg);
	if (dir)
		closedir(dir);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cli/emulator_keep.h"

#include <stdio.h>

#include "runtime/base/str.h"
#include "runtime/cli/boot_file.h"
#include "runtime/cli/rearm_count.h"
#include "runtime/cli/register.h"

struct keeping {
	const struct node *n;
	bool failed;
	struct err *err; /* of the first that failed */
};

static bool is_registered(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->n; i++)
		if (str_eq(n->list[i].entry->name, name))
			return true;
	return false;
}

static int arm(const struct node *n, const char *name, const char *line, struct err *err)
{
	const char *arch = str_after(name, EMULATOR_PREFIX);
	unsigned int times;

	if (register_handler(n->dirfd, line, err) < 0 || rearm_count(name, &times, err) < 0)
		return err_in(err, "%s", arch);
	printf("%s: the handler %s was gone and is registered again (%u time%s since the node "
	       "started)\n",
	       arch, name, times, times == 1 ? "" : "s");
	return 0;
}

static int keep_one(void *data, const char *name, const char *line)
{
	struct keeping *k = data;
	struct err err = ERR_INIT;

	if (is_registered(k->n, name) || arm(k->n, name, line, &err) == 0)
		return 0;
	if (!k->failed)
		*k->err = err;
	k->failed = true;
	return 0;
}

static int found(void *data, const char *name, const char *line)
{
	(void)data;
	(void)name;
	(void)line;
	return -1;
}

bool emulators_keep_any(void)
{
	return boot_file_each(found, NULL) < 0;
}

int emulators_keep(const struct node *n, struct err *err)
{
	struct keeping k = { .n = n, .err = err };

	(void)boot_file_each(keep_one, &k);
	return k.failed ? -1 : 0;
}

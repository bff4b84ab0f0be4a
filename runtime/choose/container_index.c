/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/container_index.h"

#include <string.h>

#include "runtime/base/str.h"

#define ANSWER_MAX (64u << 20)

/* The most images of other names that are looked into. */
#define NAMES_MAX 1024

struct search {
	struct image_store *store;
	const struct container_record *record;
	const struct cri_container *container;
	struct container_index *ret;
};

void container_index_deinit(struct container_index *i)
{
	image_members_deinit(&i->members);
}

static const struct image_member *member_of(const struct image_members *m, const char *config)
{
	for (size_t i = 0; m->index && i < m->n; i++)
		if (m->list[i].here && str_eq(m->list[i].ref, config))
			return &m->list[i];
	return NULL;
}

/* --- by name --------------------------------------------------------------------------------- */

/* Whatever is wrong with one name, another one may do. */
static bool try_name(struct search *s, const char *name)
{
	CLEANUP_MEMBERS struct image_members m = { .list = NULL };
	const struct image_member *own;
	struct err ignored;

	if (!*name || image_members_read(s->store, name, &m, &ignored) < 0)
		return false;
	own = member_of(&m, s->container->image_ref);
	if (!own)
		return false;
	s->ret->members = m;
	s->ret->own = own;
	m.list = NULL;
	return true;
}

static bool is_name(const char *text, struct image_reference *ret)
{
	struct err ignored;

	return !str_after(text, "sha256:") && image_reference_parse(text, ret, &ignored) == 0;
}

static void note_repository(struct container_index *i, const struct image_reference *reference)
{
	(void)str_copy(i->repository, sizeof(i->repository), reference->repository);
}

/* A name as a person writes it; an index that it leads to is pulled from there. */
static bool try_written(struct search *s, const char *written)
{
	struct image_reference reference;
	char name[REFERENCE_MAX];

	if (!is_name(written, &reference))
		return false;
	image_reference_format(&reference, name);
	if (!try_name(s, name))
		return false;
	note_repository(s->ret, &reference);
	return true;
}

static int try_all(struct search *s, bool *ret_found, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	struct image_reference reference;
	struct image_named *images;
	size_t n;

	*ret_found = false;
	if (s->store->images(s->store, &arena, &images, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && i < NAMES_MAX && !*ret_found; i++)
		if (manifest_kind_of(images[i].target.media_type) == MANIFEST_INDEX &&
		    try_name(s, images[i].name)) {
			*ret_found = true;
			if (!*s->ret->repository && is_name(images[i].name, &reference))
				note_repository(s->ret, &reference);
		}
	return 0;
}

/*
 * The pod's own word first. What containerd records is the first of all names of the configuration,
 * in the order of the alphabet (CRI's toContainerdImage()), and two indexes may share it: the
 * node's variant was not built anew, the others were.
 */
static int find_members(struct search *s, bool *ret_found, struct err *err)
{
	const char *const names[] = {
		s->container->written_image,
		s->container->image,
		s->record->image,
	};
	struct image_reference reference;

	*ret_found = true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (try_written(s, names[i]))
			return 0;
	/* They have moved on: what they are now still tells the repository. */
	for (size_t i = ARRAY_SIZE(names); i > 0; i--)
		if (is_name(names[i - 1], &reference))
			note_repository(s->ret, &reference);
	if (try_name(s, s->container->image_ref))
		return 0;
	return try_all(s, ret_found, err);
}

int container_index_find(struct image_store *store, const struct container_record *record,
			 const struct cri_container *container, struct container_index *ret,
			 struct err *err)
{
	CLEANUP_INDEX struct container_index index = { .own = NULL };
	struct search s = { store, record, container, &index };
	bool found;

	if (find_members(&s, &found, err) < 0)
		return -1;
	if (!found)
		return err_set(err, ERR_NOT_FOUND,
			       "no index that containerd has a name for holds %.80s",
			       container->image_ref);
	*ret = index;
	index.members.list = NULL;
	return 0;
}

/* --- where from ------------------------------------------------------------------------------ */

/* Whether containerd has the index from @repository; its record has no ports. */
static bool is_source(const char *repository, const char *const *sources)
{
	const char *path = strchr(repository, '/');
	size_t host = strcspn(repository, ":/");

	if (!path)
		return false;
	for (; *sources; sources++)
		if (strncmp(repository, *sources, host) == 0 && str_eq(*sources + host, path))
			return true;
	return false;
}

/* A name for the same index that says where it can be had. */
static int find_source(struct image_store *store, struct container_index *index,
		       const char *const *sources, struct arena *arena, bool *ret_found,
		       struct err *err)
{
	struct image_reference reference;
	struct image_named *images;
	size_t n;

	*ret_found = false;
	if (store->images(store, arena, &images, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && !*ret_found; i++)
		*ret_found = str_eq(images[i].target.digest, index->members.digest) &&
			     is_name(images[i].name, &reference) &&
			     is_source(reference.repository, sources);
	if (*ret_found)
		note_repository(index, &reference);
	return 0;
}

int container_index_locate(struct image_store *store, struct container_index *index,
			   struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	const char *const *sources;
	bool found;

	if (store->sources(store, index->members.digest, &arena, &sources, err) < 0)
		return err_in(err, "the repository of the image");
	if (*index->repository && (!*sources || is_source(index->repository, sources)))
		return 0;
	if (!*sources)
		return err_set(err, ERR_NOT_FOUND, "no registry is recorded for %.80s",
			       index->members.digest);
	if (find_source(store, index, sources, &arena, &found, err) < 0 || found)
		return found ? 0 : -1;
	return str_copy(index->repository, sizeof(index->repository), *sources)
		       ? 0
		       : err_set(err, ERR_LIMIT, "\"%.200s\" is too long a name", *sources);
}

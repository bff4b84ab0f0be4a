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

static int try_all(struct search *s, bool *ret_found, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	struct image_named *images;
	size_t n;

	*ret_found = false;
	if (s->store->images(s->store, &arena, &images, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && i < NAMES_MAX && !*ret_found; i++)
		if (manifest_kind_of(images[i].target.media_type) == MANIFEST_INDEX)
			*ret_found = try_name(s, images[i].name);
	return 0;
}

static bool repository_of(const char *name, char ret[static REPOSITORY_MAX])
{
	struct image_reference reference;
	struct err ignored;

	return !str_after(name, "sha256:") && *name &&
	       image_reference_parse(name, &reference, &ignored) == 0 &&
	       str_copy(ret, REPOSITORY_MAX, reference.repository);
}

/* By the container's name, else by where containerd says that it has the index from. */
static int find_repository(struct search *s, struct err *err)
{
	CLEANUP_ARENA struct arena arena = { .max = ANSWER_MAX };
	const char *source;

	if (repository_of(s->record->image, s->ret->repository) ||
	    repository_of(s->container->written_image, s->ret->repository))
		return 0;
	if (s->store->source(s->store, s->ret->members.digest, &arena, &source, err) < 0)
		return err_in(err, "the repository of the image");
	if (repository_of(source, s->ret->repository))
		return 0;
	return err_set(err, ERR_INVALID, "containerd has the image from \"%.200s\"", source);
}

int container_index_find(struct image_store *store, const struct container_record *record,
			 const struct cri_container *container, struct container_index *ret,
			 struct err *err)
{
	CLEANUP_INDEX struct container_index index = { .own = NULL };
	struct search s = { store, record, container, &index };
	bool found = try_name(&s, record->image) || try_name(&s, container->image_ref);

	if (!found && try_all(&s, &found, err) < 0)
		return -1;
	if (!found)
		return err_set(err, ERR_NOT_FOUND,
			       "no index that containerd has a name for holds %.80s",
			       container->image_ref);
	if (find_repository(&s, err) < 0)
		return -1;
	*ret = index;
	index.members.list = NULL;
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/choose/choose.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/arch/platform_rank.h"
#include "runtime/base/fd.h"
#include "runtime/base/log.h"
#include "runtime/base/str.h"
#include "runtime/choose/can_run.h"
#include "runtime/choose/container_index.h"
#include "runtime/choose/container_snapshot.h"
#include "runtime/choose/process_variant.h"
#include "runtime/choose/pull_wait.h"
#include "runtime/containerd/blob_cache.h"
#include "runtime/containerd/container_update.h"
#include "runtime/containerd/containerd_store.h"
#include "runtime/containerd/image_choice.h"
#include "runtime/prepare/configure.h"

#define NOTES_MAX (16u << 10)
#define CONFIG "config.json"

/*
 * Everything about one choice. It is made in steps, each of which returns -1 for an error, GO_ON
 * when the next one has something to do, and END when there is nothing more to do.
 */
enum { END, GO_ON };

struct choice {
	struct chooser *chooser;
	struct containerd_store containerd;
	struct blob_cache blobs; /* that containerd was asked for */
	struct container_record record;
	struct cri_container container;
	struct settings settings;
	json *document; /* of the record's specification, owned */
	struct spec spec;
	struct container_index index;
	const struct image_member *wanted; /* a member of the index */
	char made[PLATFORM_TEXT];	   /* platform that the container was made of */
	char reference[REFERENCE_MAX];	   /* of the wanted one */
	struct choice_facts facts;
};

static void choice_deinit(struct choice *c)
{
	blob_cache_deinit(&c->blobs);
	container_index_deinit(&c->index);
	cri_container_deinit(&c->container);
	json_object_put(c->document);
}

static struct image_store *store_of(struct choice *c)
{
	return &c->containerd.store;
}

static void refuse(struct choice *c, enum cause cause)
{
	chooser_refuse(c->chooser, cause, &c->facts);
}

/* --- what is wanted --------------------------------------------------------------------------- */

static int read_settings(struct choice *c, struct err *err)
{
	struct prepare_request request = *c->chooser->request;
	CLEANUP_BUF struct buf text = BUF_INIT(CONFIGURE_MAX);
	struct complaint ignored;

	if (json_parse(c->record.spec, strlen(c->record.spec), "the container's specification",
		       &c->document, err) < 0 ||
	    spec_read(c->document, c->chooser->arena, &c->spec, err) < 0)
		return -1;
	if (configure_file(&request, &text, &ignored) != CONFIGURED)
		return END;
	request.settings = buf_str(&text);
	if (configure(&request, &c->spec, &c->settings, &ignored) != CONFIGURED)
		return END;
	log_set_level(c->settings.log_level);
	return platform_known(&c->settings.wanted) ? GO_ON : END;
}

/* A container of CRI whose pod, or runtime handler, wants a platform. */
static int read_wish(struct choice *c, struct err *err)
{
	struct chooser *chooser = c->chooser;

	if (store_of(c)->container(store_of(c), chooser->id, chooser->arena, &c->record, err) < 0)
		return err->code == ERR_NOT_FOUND ? END : -1;
	return c->record.metadata && c->record.spec ? read_settings(c, err) : END;
}

/* --- which one that is
 * ------------------------------------------------------------------------------ */

static int read_blob(struct choice *c, const char *digest, struct buf *ret, struct err *err)
{
	if (store_of(c)->blob(store_of(c), digest, ret, err) < 0)
		return err_in(err, "image configuration %.80s", digest);
	return 0;
}

/* Tells prepare what the image declares. */
static int declare(struct choice *c, const char *platform, struct err *err)
{
	struct chooser *chooser = c->chooser;
	char text[128];

	(void)str_fmt(text, sizeof(text), "platform=%s\n", platform);
	chooser->request->declared = arena_strdup(chooser->arena, text);
	if (!chooser->request->declared)
		return err_set(err, ERR_NOMEM, "no memory for a platform");
	chooser->report->flags |= REPORT_DECLARED;
	return 0;
}

/* What the container was made of: mostly that is not what is wanted. */
static int read_made(struct choice *c, struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);
	struct image_config config;
	struct platform made;

	if (cri_container_parse(c->record.metadata, c->chooser->arena, &c->container, err) < 0)
		return -1;
	if (read_blob(c, c->container.image_ref, &blob, err) < 0)
		return err->code == ERR_NOT_FOUND ? END : -1;
	if (image_config_parse(blob.data, blob.len, &config, err) < 0 ||
	    platform_parse(config.platform, &made, err) < 0)
		return err_in(err, "image configuration %.80s", c->container.image_ref);
	(void)str_copy(c->made, sizeof(c->made), config.platform);
	if (declare(c, config.platform, err) < 0)
		return -1;
	return platform_rank(&c->settings.wanted, &made) < 0 ? GO_ON : END;
}

/* As people know it, not by a digest. */
static const char *image_name(const struct choice *c)
{
	const char *const names[] = { c->container.written_image, c->container.image };
	struct image_reference ignored;
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!str_after(names[i], "sha256:") &&
		    image_reference_parse(names[i], &ignored, &err) == 0)
			return names[i];
	return c->record.image;
}

static void note_facts(struct choice *c)
{
	struct image_reference reference = { .tag = "" };

	(void)str_copy(reference.repository, sizeof(reference.repository), c->index.repository);
	(void)str_copy(reference.digest, sizeof(reference.digest), c->wanted->manifest);
	image_reference_format(&reference, c->reference);
	if (!*reference.repository)
		(void)str_copy(c->reference, sizeof(c->reference), c->wanted->manifest);
	c->facts.reference = c->reference;
}

static int refuse_unavailable(struct choice *c, struct err *err)
{
	char *has = arena_alloc(c->chooser->arena, 1024);

	if (!has)
		return err_set(err, ERR_NOMEM, "no memory for a list of platforms");
	image_choice_text(&c->index.members, has, 1024);
	c->facts.has = has;
	refuse(c, CAUSE_PLATFORM_UNAVAILABLE);
	return END;
}

static int find_wanted(struct choice *c, struct err *err)
{
	const char *config = c->chooser->request->config_path;

	c->facts = (struct choice_facts){
		.wanted = c->settings.wanted,
		.image = image_name(c),
		.made = c->made,
		.settings = config && *config ? config : NULL,
		.credentials = c->settings.credentials,
		.max_mb = c->settings.pull_max_mb,
	};
	if (container_index_find(store_of(c), &c->record, &c->container, &c->index, err) < 0)
		return err->code == ERR_NOT_FOUND ? END : -1; /* of one platform only */
	c->wanted = image_choice(&c->index.members, &c->settings.wanted);
	if (!c->wanted)
		return refuse_unavailable(c, err);
	if (!c->wanted->here && container_index_locate(store_of(c), &c->index, err) < 0)
		return -1;
	note_facts(c);
	return GO_ON;
}

/* --- bringing it
 * ------------------------------------------------------------------------------------- */

/* The pod's runtime handler may have a snapshotter of its own. */
static int find_handler(struct choice *c, const char **ret, struct err *err)
{
	struct arena *arena = c->chooser->arena;
	struct container_record sandbox;

	*ret = "";
	if (!*c->container.sandbox ||
	    store_of(c)->container(store_of(c), c->container.sandbox, arena, &sandbox, err) < 0 ||
	    !sandbox.sandbox)
		return 0; /* a containerd that keeps it elsewhere */
	return cri_sandbox_handler(sandbox.sandbox, arena, ret, err);
}

/* The member as it is now; the index was read before it came. */
static int read_again(struct choice *c, struct err *err)
{
	CLEANUP_MEMBERS struct image_members now = { .list = NULL };
	struct image_member *wanted = (struct image_member *)(uintptr_t)c->wanted;

	if (wanted->here)
		return 0;
	if (image_members_of_digest(store_of(c), wanted->manifest, &now, err) < 0)
		return -1;
	if (!now.n || !now.list[0].here)
		return err_set(err, ERR_NOT_FOUND, "%.200s is not here any more", c->reference);
	(void)str_copy(wanted->ref, sizeof(wanted->ref), now.list[0].ref);
	(void)str_copy(wanted->chain, sizeof(wanted->chain), now.list[0].chain);
	(void)str_copy(wanted->declared, sizeof(wanted->declared), now.list[0].declared);
	return 0;
}

/* Nothing is pulled for what could not run. */
static int check_node(struct choice *c, struct err *err)
{
	struct can_run can = { .settings = &c->settings, .spec = &c->spec };
	struct report *r = c->chooser->report;
	bool yes;

	if (can_run(&can, &yes, err) < 0)
		return -1;
	if (yes)
		return GO_ON;
	r->verdict = VERDICT_REFUSE;
	(void)str_copy(r->code, sizeof(r->code), can.code);
	(void)str_copy(r->line, sizeof(r->line), can.line);
	return END;
}

static int bring(struct choice *c, struct err *err)
{
	struct pull_wait w = {
		.chooser = c->chooser,
		.settings = &c->settings,
		.wanted = c->wanted,
		.repository = c->index.repository,
		.snapshotter = c->record.snapshotter,
		.facts = &c->facts,
	};
	bool here = false;
	int rc;

	if (c->wanted->here && pull_is_unpacked(&w, c->wanted->chain, &here, err) < 0)
		return -1;
	if (here)
		return GO_ON;
	rc = check_node(c, err);
	if (rc != GO_ON)
		return rc;
	if (find_handler(c, &w.handler, err) < 0 || pull_wait(&w, &here, err) < 0)
		return -1;
	if (!here || c->chooser->told)
		return END;
	return read_again(c, err) < 0 ? -1 : GO_ON;
}

/* --- what CRI took from the image's configuration
 * ------------------------------------------------------- */

/* The same bundle is there for a person to look at afterwards. */
static int change_bundle(struct choice *c, const struct process_variant *v, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(JSON_MAX);
	CLEANUP_BUF struct buf out = BUF_INIT(JSON_MAX);
	CLEANUP_JSON json *document = NULL;
	int bundle = c->chooser->bundle;
	struct stat st;
	bool changed;

	if (file_read_regular(bundle, CONFIG, &text, err) < 0 ||
	    json_parse(text.data, text.len, CONFIG, &document, err) < 0 ||
	    process_variant_apply(v, document, &changed, err) < 0)
		return -1;
	if (!changed)
		return 0;
	if (json_print(document, &out, err) < 0)
		return -1;
	if (fstatat(bundle, CONFIG, &st, 0) < 0 ||
	    (linkat(bundle, CONFIG, bundle, CONFIG ".original", 0) < 0 && errno != EEXIST))
		return err_sys(err, ERR_IO, "keep " CONFIG);
	return file_replace(bundle, CONFIG, st.st_mode & 07777, out.data, out.len, err);
}

static int change_record(struct choice *c, struct err *err)
{
	CLEANUP_BUF struct buf out = BUF_INIT(JSON_MAX);

	if (json_print(c->document, &out, err) < 0)
		return -1;
	return container_update_spec(c->chooser->rpc, c->chooser->id, c->record.spec_type,
				     (const char *)out.data, out.len, err);
}

static int change_process(struct choice *c, const struct process_variant *v, struct err *err)
{
	bool changed;

	if (process_variant_apply(v, c->document, &changed, err) < 0) {
		if (err->code != ERR_PRECONDITION)
			return err_in(err, "%.200s", c->reference);
		refuse(c, CAUSE_PLATFORM_NO_PROGRAM);
		return END;
	}
	if (!changed)
		return GO_ON;
	return change_record(c, err) < 0 || change_bundle(c, v, err) < 0 ? -1 : GO_ON;
}

/* Who that is, prepare looks up in the image. */
static int note_user(struct choice *c, const char *user, struct err *err)
{
	struct chooser *chooser = c->chooser;
	CLEANUP_BUF struct buf groups = BUF_INIT(64u << 10);
	json *list = c->container.groups;

	for (size_t i = 0; list && i < json_object_array_length(list); i++)
		if (buf_printf(&groups, err, "%s%s", i ? "," : "",
			       json_object_get_string(json_object_array_get_idx(list, i))) < 0)
			return -1;
	chooser->request->user = arena_strdup(chooser->arena, user);
	chooser->request->image = arena_strdup(chooser->arena, c->facts.image);
	chooser->request->reference = arena_strdup(chooser->arena, c->reference);
	chooser->request->made = arena_strdup(chooser->arena, c->made);
	chooser->request->groups =
		arena_strdup(chooser->arena, c->container.strict_groups ? "*" : buf_str(&groups));
	if (!chooser->request->user || !chooser->request->image || !chooser->request->reference ||
	    !chooser->request->made || !chooser->request->groups)
		return err_set(err, ERR_NOMEM, "no memory for a user");
	return 0;
}

static int note_rest(struct choice *c, const struct process_variant *v, struct err *err)
{
	CLEANUP_BUF struct buf notes = BUF_INIT(NOTES_MAX);
	struct report *r = c->chooser->report;
	const char *rest, *line;
	size_t n;

	if (process_variant_notes(v, &notes, err) < 0)
		return -1;
	rest = buf_str(&notes);
	while (r->n_warnings < REPORT_WARNINGS && str_line(&rest, &line, &n))
		(void)str_fmt(r->warnings[r->n_warnings++], sizeof(r->warnings[0]),
			      "%s of %.200s was chosen: %.*s", c->wanted->platform, c->facts.image,
			      (int)n, line);
	return 0;
}

static int read_process(struct choice *c, const char *digest, struct image_process *ret,
			struct err *err)
{
	CLEANUP_BUF struct buf blob = BUF_INIT(BLOB_MAX);

	if (read_blob(c, digest, &blob, err) < 0)
		return -1;
	if (image_process_parse(blob.data, blob.len, c->chooser->arena, ret, err) < 0)
		return err_in(err, "image configuration %.80s", digest);
	return 0;
}

static int suit_process(struct choice *c, struct err *err)
{
	CLEANUP_IMAGE_PROCESS struct image_process own = { .document = NULL };
	CLEANUP_IMAGE_PROCESS struct image_process wanted = { .document = NULL };
	const struct process_variant v = { &c->container, &own, &wanted };
	char user[PROCESS_USER_MAX];

	if (read_process(c, c->container.image_ref, &own, err) < 0 ||
	    read_process(c, c->wanted->ref, &wanted, err) < 0)
		return -1;
	process_variant_user(&v, user);
	if (note_user(c, user, err) < 0 || note_rest(c, &v, err) < 0)
		return -1;
	return change_process(c, &v, err);
}

/* --- all of it
 * ------------------------------------------------------------------------------------------- */

static int swap_layers(struct choice *c, struct err *err)
{
	struct prepare_request *request = c->chooser->request;
	struct rootfs_mounts mounts = { request->mounts, request->n_mounts };

	if (container_snapshot_swap(c->chooser->rpc, &c->record, c->wanted->chain,
				    c->chooser->arena, &mounts, err) < 0) {
		if (err->code != ERR_UNSUPPORTED)
			return -1;
		c->facts.text = err->text;
		refuse(c, CAUSE_PLATFORM_HELD);
		return END;
	}
	request->mounts = mounts.list;
	request->n_mounts = mounts.n;
	log_write(LOG_INFO, request_subject(request), LOG_FIELDS(.platform = c->wanted->declared),
		  "the container gets %s of %.200s in the place of %s", c->wanted->declared,
		  c->facts.image, c->made);
	return declare(c, c->wanted->declared, err) < 0 ? -1 : END;
}

static int choose(struct choice *c, struct err *err)
{
	static int (*const steps[])(struct choice *, struct err *) = {
		read_wish, read_made, find_wanted, bring, suit_process, swap_layers,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		int rc = steps[i](c, err);

		if (rc != GO_ON)
			return rc;
	}
	return 0;
}

int choose_platform(struct chooser *chooser, struct err *err)
{
	CLEANUP(choice_deinit) struct choice c = { .chooser = chooser };

	containerd_store_init(&c.containerd, chooser->rpc);
	c.containerd.cache = &c.blobs;
	chooser->report->verdict = VERDICT_NATIVE;
	return choose(&c, err);
}

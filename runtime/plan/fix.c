/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/image/text_kind.h"
#include "runtime/plan/elf_load.h"
#include "runtime/plan/sentence.h"

/*
 * What to do. A command is printed only if it can be typed as it stands: with every operand, and
 * none that a shell or JSON would read otherwise or that is too long to be shown whole.
 */
#define OPERAND_MAX 120

static bool is_plain(const char *s)
{
	return text_is_operand(s, OPERAND_MAX);
}

/* The file's path in the container if it is known, else the path as it was written. */
static const char *place_of(const struct program_file *file)
{
	return file->where && *file->where ? file->where : file->path ? file->path : "";
}

/* A name in running text, where it is no operand. */
static void put_name(struct sentence *s, const char *name)
{
	text_name(s->out, *name ? name : "the program", NAME_MAX_BYTES);
}

/* --- emulators ----------------------------------------------------------------------------- */

/* The name to type for the guest: OCI's, or qemu's where OCI has none; NULL if qemu has none. */
static const char *installable(const struct sentence *s)
{
	const struct arch *a = s->p->guest;

	if (!a || !a->qemu)
		return NULL;
	return a->oci ? a->name : a->qemu;
}

static bool is_installable(const struct sentence *s)
{
	return s->p->guest && s->p->guest->qemu;
}

/* Somebody has chosen another emulator, whose handler ours would cover. */
static bool is_foreign(const struct binfmt_entry *h)
{
	return h && emulator_kind_is_foreign(h);
}

static void put_install_bare(struct sentence *s)
{
	const char *name = installable(s);

	if (name)
		text_printf(s->out, "\"crossarch emulators install %s%s\"",
			    is_foreign(s->p->handler) ? "--force " : "", name);
	else
		text_add(s->out, "register a handler for it");
}

/* The handler's own interpreter, where it is no emulator of ours: mono, java, python, a wine. */
static void put_install_other(struct sentence *s)
{
	const struct binfmt_entry *h = s->p->handler;
	bool pinned = h && (h->flags & BINFMT_F);

	text_add(s->out, pinned ? "reinstall " : "put ");
	put_name(s, h ? h->interpreter : "");
	text_add(s->out, pinned ? " on the node and register its handler again"
				: " into the image, or start the file by a command that is there");
}

static void put_install(struct sentence *s)
{
	if (!is_installable(s)) {
		put_install_other(s);
		return;
	}
	text_add(s->out, "run ");
	put_install_bare(s);
	text_add(s->out, " on the node");
}

static void put_reinstall(struct sentence *s)
{
	if (is_installable(s))
		text_add(s->out, "reinstall the emulator: ");
	put_install(s);
}

static void put_reinstall_own(struct sentence *s)
{
	if (is_installable(s))
		text_add(s->out, "install the emulator built for this node: ");
	put_install(s);
}

/* What may pin another emulator, and whether it then works, only who chose it knows. */
static void put_pin(struct sentence *s)
{
	if (is_installable(s))
		text_add(s->out, is_foreign(s->p->handler) ? "use qemu for it: "
							   : "register it with flag F: ");
	put_install(s);
}

static void put_pin_static(struct sentence *s)
{
	if (is_installable(s))
		text_add(s->out, "use a statically linked emulator: ");
	put_install(s);
}

static void put_install_again(struct sentence *s)
{
	if (is_foreign(s->p->handler))
		text_add(s->out, "have the handler registered again by what registered it");
	else
		put_install(s);
}

static void put_use_qemu(struct sentence *s)
{
	const char *name = installable(s);

	if (name)
		text_printf(s->out,
			    "run \"crossarch emulators install %s--emulator qemu %s\" on the node",
			    is_foreign(s->p->handler) ? "--force " : "", name);
	else
		text_add(s->out, "register qemu for it");
}

/* For a program that died for want of an instruction. */
static void put_better_processor(struct sentence *s)
{
	const struct binfmt_entry *h = s->p->handler;

	if (!h || !emulator_kind_is_other(emulator_kind_of(h))) {
		text_add(s->out, "set the annotation io.crossarch.cpu: max, or register a newer "
				 "qemu-user on the node");
		return;
	}
	text_add(s->out, "use an image built for an older processor, or ");
	put_use_qemu(s);
}

/* A file of binfmt_misc to write to, when its name can be typed. */
static void put_write(struct sentence *s, const char *value, const struct binfmt_entry *h)
{
	if (h && is_plain(h->name))
		text_printf(s->out, "on the node run \"echo %s > " BINFMT_DIR "/%s\"", value,
			    h->name);
	else
		text_printf(s->out, "on the node write %s to that handler's file in " BINFMT_DIR,
			    value);
}

static void put_enable(struct sentence *s)
{
	put_write(s, "1", s->p->handler);
}

static void put_unregister(struct sentence *s)
{
	put_write(s, "-1", s->p->handler);
}

/* Of ours and somebody's own choice, ours is the one to take away. */
static void put_unregister_rival(struct sentence *s)
{
	const struct binfmt_entry *h = s->p->handler;
	const char *name = installable(s);

	if (is_foreign(s->f->rival) && h && name && str_after(h->name, EMULATOR_PREFIX))
		text_printf(s->out, "on the node run \"crossarch emulators remove %s\"", name);
	else
		put_write(s, "-1", s->f->rival);
}

static void put_credentials(struct sentence *s)
{
	const char *name = is_foreign(s->p->handler) ? NULL : installable(s);

	if (name)
		text_printf(s->out,
			    "run \"crossarch emulators install --credentials %s\" on the node if "
			    "it must",
			    name);
	else
		text_add(s->out, "register that handler with flag C if it must");
}

static void put_private(struct sentence *s)
{
	const struct arch *a = s->p->guest;

	if (a && a->qemu)
		text_printf(s->out,
			    "put a static qemu-%s on the node (Debian, Ubuntu: package "
			    "qemu-user-static), or ",
			    a->qemu);
}

/* --- another node or image ----------------------------------------------------------------- */

static void put_other_image(struct sentence *s)
{
	text_printf(s->out, "use an image built for linux/%s", s->f->host->arch->name);
}

static void put_schedule(struct sentence *s)
{
	const struct arch *a = s->p->guest;

	if (!a || !a->oci || str_eq(a->name, s->f->host->arch->name)) {
		put_other_image(s);
		return;
	}
	text_printf(s->out, "schedule the pod on %s nodes (nodeSelector kubernetes.io/arch: %s)",
		    a->name, a->name);
}

/* A handler may take a program that this very node could run. */
static void put_or_native_nodes(struct sentence *s)
{
	const struct arch *a = s->p->guest;

	if (!a || !a->oci || str_eq(a->name, s->f->host->arch->name))
		return;
	text_add(s->out, ", or ");
	put_schedule(s);
}

/* The emulator could do more than the model it was given. */
static void put_raise_level(struct sentence *s)
{
	if (load_model_level(s->f) < load_emulated_level(s->f))
		text_add(s->out, "set the annotation io.crossarch.cpu to max, or ");
}

/* No node has smaller pages than these. */
static void put_or_smaller_pages(struct sentence *s)
{
	if (s->f->host->page_size > 4096)
		text_add(s->out, ", or schedule the pod on nodes with smaller pages");
}

/* The two ways out for a program of another architecture. */
static void put_obtain(struct sentence *s)
{
	if (is_installable(s)) {
		put_install(s);
		text_add(s->out, ", or ");
	}
	put_schedule(s);
}

static void put_obtain_32bit(struct sentence *s)
{
	if (str_eq(s->f->host->arch->name, "amd64"))
		text_add(s->out, "boot the node with ia32_emulation=1, or ");
	if (is_installable(s)) {
		put_install(s);
		text_add(s->out, ", or ");
	}
	put_other_image(s);
}

/* --- the file ------------------------------------------------------------------------------ */

/* Where a file lives, for advice about a mount. */
static void put_place_of(struct sentence *s, const struct program_file *file)
{
	text_name(s->out, file->volume ? file->volume : "the root file system", NAME_MAX_BYTES);
}

static void put_place(struct sentence *s)
{
	put_place_of(s, facts_last(s->f));
}

static void put_loader_place(struct sentence *s)
{
	put_place_of(s, &s->f->loader);
}

/* What is on a volume did not come with the image, and a rebuilt image would not change it. */
static void put_renew_of(struct sentence *s, const struct program_file *file)
{
	if (file->volume)
		text_add(s->out, "write the file to that volume again");
	else
		text_add(s->out, "remove the image on this node (crictl rmi) and let it be pulled "
				 "again; if the file stays like this, the image was built so");
}

static void put_renew(struct sentence *s)
{
	put_renew_of(s, facts_last(s->f));
}

static void put_renew_loader(struct sentence *s)
{
	put_renew_of(s, &s->f->loader);
}

static void put_allow_of(struct sentence *s, const struct program_file *file)
{
	const char *path = place_of(file);

	if (file->volume)
		text_add(s->out, "give the file mode 0755 on the volume (of a ConfigMap or Secret: "
				 "defaultMode: 0755)");
	else if (is_plain(path) && path[0] == '/')
		text_printf(s->out, "add RUN chmod +x %s to the image's build", path);
	else
		text_add(s->out,
			 "give the file execute permission in the image's build (chmod +x)");
}

static void put_allow_execution(struct sentence *s)
{
	put_allow_of(s, facts_last(s->f));
}

static void put_repair_loader(struct sentence *s)
{
	const struct program_file *l = &s->f->loader;

	if (l->found == FOUND_FILE) {
		put_allow_of(s, l);
		return;
	}
	text_add(s->out, "have the loader itself there, or link the program statically");
}

/* "start it with command: ["/bin/sh", "FILE"]", FILE being the last link's. */
static void put_start_by(struct sentence *s, const char *command)
{
	const char *path = place_of(facts_last(s->f));

	if (is_plain(path))
		text_printf(s->out, "start it with command: [\"%s\", \"%s\"]", command, path);
	else
		text_printf(s->out, "start it with %s in front of its name in the command",
			    command);
}

const struct language *sentence_language(const struct sentence *s)
{
	const struct program_file *file = facts_last(s->f);

	if (file->image.kind != IMAGE_TEXT && file->image.kind != IMAGE_NAMELESS)
		return NULL;
	return text_language(place_of(file), file->image.head, file->image.head_len);
}

static void put_shebang(struct sentence *s)
{
	const struct language *l = sentence_language(s);

	text_printf(s->out, "make \"#!%s%s\" the first line of ", l ? "/usr/bin/env " : "",
		    l ? l->command : "/bin/sh");
	put_name(s, place_of(facts_last(s->f)));
	text_add(s->out, ", or ");
	put_start_by(s, l ? l->command : "/bin/sh");
}

static void put_start_by_shell(struct sentence *s)
{
	put_start_by(s, "/bin/sh");
}

static void put_start_assembly(struct sentence *s)
{
	put_start_by(s, str_ends(place_of(facts_last(s->f)), ".exe") ? "mono" : "dotnet");
}

static void put_start_java(struct sentence *s)
{
	const char *path = place_of(facts_last(s->f));

	if (facts_last(s->f)->image.kind == IMAGE_ZIP && is_plain(path))
		text_printf(s->out,
			    "if it is a Java archive, command: [\"java\", \"-jar\", \"%s\"]", path);
	else
		text_add(s->out, "name what runs it in the command, for Java: command: [\"java\", "
				 "...]");
}

/* How the right file gets where this one is. */
static void put_fetch(struct sentence *s)
{
	if (facts_last(s->f)->image.kind == IMAGE_LFS)
		text_add(s->out, "run \"git lfs pull\" before the image is built (GitHub Actions: "
				 "checkout with lfs: true)");
	else
		text_add(s->out, "download the program again, in a way that fails when the server "
				 "does (curl -f), and compare its checksum");
}

/* --- what was asked for -------------------------------------------------------------------- */

static void put_ask_not(struct sentence *s)
{
	text_add(s->out, s->f->settings->wanted_by_pod
				 ? "remove the annotation io.crossarch.platform"
				 : "use another runtime class");
}

static const struct placeholder placeholders[] = {
	{ "allow-execution", put_allow_execution },
	{ "ask-not", put_ask_not },
	{ "better-processor", put_better_processor },
	{ "credentials", put_credentials },
	{ "enable", put_enable },
	{ "fetch", put_fetch },
	{ "install", put_install },
	{ "install-again", put_install_again },
	{ "install-bare", put_install_bare },
	{ "loader-place", put_loader_place },
	{ "obtain", put_obtain },
	{ "obtain-32bit", put_obtain_32bit },
	{ "or-native-nodes", put_or_native_nodes },
	{ "or-smaller-pages", put_or_smaller_pages },
	{ "other-image", put_other_image },
	{ "pin", put_pin },
	{ "pin-static", put_pin_static },
	{ "place", put_place },
	{ "private", put_private },
	{ "raise-level", put_raise_level },
	{ "reinstall", put_reinstall },
	{ "reinstall-own", put_reinstall_own },
	{ "renew", put_renew },
	{ "renew-loader", put_renew_loader },
	{ "repair-loader", put_repair_loader },
	{ "schedule", put_schedule },
	{ "shebang", put_shebang },
	{ "start-assembly", put_start_assembly },
	{ "start-by-shell", put_start_by_shell },
	{ "start-java", put_start_java },
	{ "unregister", put_unregister },
	{ "unregister-rival", put_unregister_rival },
	{ "use-qemu", put_use_qemu },
};

const struct placeholder *fix_placeholders(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(placeholders);
	return placeholders;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/plan/choice_line.h"

#include <ctype.h>
#include <string.h>

#include "runtime/base/mem.h"
#include "runtime/base/str.h"
#include "runtime/plan/line_text.h"
#include "runtime/plan/template.h"

#define IMAGE_SHOWN 100	    /* bytes of a name in running text, and in a command */
#define REFERENCE_SHOWN 340 /* a name of 255 characters (OCI distribution) and a digest */
#define HAS_SHOWN 300
#define TEXT_SHOWN 200
#define USER_SHOWN 60
#define MB 1000000u

struct choice_sentence {
	const struct choice_facts *f;
	struct text *out;
};

static void put_name(struct choice_sentence *s, const char *name, size_t max, const char *otherwise)
{
	text_name(s->out, name && *name ? name : otherwise, max);
}

/* What cannot be shown whole is not typed from here, so a word stands for it. */
static void put_operand(struct choice_sentence *s, const char *name, size_t max,
			const char *otherwise)
{
	bool good = name && text_is_operand(name, max);

	text_add(s->out, good ? name : otherwise);
}

static void put_wanted(struct choice_sentence *s)
{
	char text[PLATFORM_TEXT];

	platform_format(&s->f->wanted, text);
	text_add(s->out, text);
}

static void put_image(struct choice_sentence *s)
{
	put_name(s, s->f->image, IMAGE_SHOWN, "the image");
}

static void put_reference(struct choice_sentence *s)
{
	put_operand(s, s->f->reference, REFERENCE_SHOWN, "NAME@DIGEST");
}

static void put_pull(struct choice_sentence *s)
{
	text_add(s->out, "crossarch pull --platform ");
	put_wanted(s);
	text_add(s->out, " ");
	put_operand(s, s->f->image, IMAGE_SHOWN, "IMAGE");
}

static void put_made(struct choice_sentence *s)
{
	put_name(s, s->f->made, PLATFORM_TEXT, "the node's own platform");
}

static void put_has(struct choice_sentence *s)
{
	put_name(s, s->f->has, HAS_SHOWN, "no platform at all");
}

static void put_settings(struct choice_sentence *s)
{
	put_name(s, s->f->settings, IMAGE_SHOWN, SETTINGS_FILE);
}

static void put_credentials(struct choice_sentence *s)
{
	put_name(s, s->f->credentials, IMAGE_SHOWN, "/var/lib/kubelet/config.json");
}

static uint64_t whole_mb(uint64_t bytes)
{
	return bytes / MB + (bytes % MB ? 1 : 0);
}

static void put_total(struct choice_sentence *s)
{
	text_printf(s->out, "%llu", (unsigned long long)whole_mb(s->f->total));
}

static void put_max(struct choice_sentence *s)
{
	text_printf(s->out, "%llu", (unsigned long long)s->f->max_mb);
}

static void put_progress(struct choice_sentence *s)
{
	uint64_t total = whole_mb(s->f->total), arrived = whole_mb(s->f->arrived);
	uint64_t tenths = total ? (arrived < total ? arrived : total) * 10 / total : 0;

	if (total)
		text_printf(s->out, ", %llu of %llu MB", (unsigned long long)(tenths * total / 10),
			    (unsigned long long)total);
}

/* --- containerd's words ---------------------------------------------------------------------- */

/* The end of "ADDRESS:PORT->", which a TCP error of Go has in front of the other end; else @p. */
static const char *skip_own_end(const char *p)
{
	const char *arrow = p + strspn(p, "0123456789abcdef.:[]");

	return arrow > p && arrow[0] == '-' && arrow[1] == '>' ? arrow + 2 : p;
}

/* Copies @from without what is of one try only; cut where @to is full. */
static void copy_lasting(const char *from, char *to, size_t size)
{
	bool address = false; /* in one, after its :// */
	size_t n = 0;

	while (*from && n + 1 < size) {
		if (isspace((unsigned char)*from) || *from == '"')
			address = false;
		if (!strncmp(from, "://", 3))
			address = true;
		if (address && *from == '?') {
			from += strcspn(from, " \t\r\n\"");
			continue;
		}
		if (n && to[n - 1] == ' ')
			from = skip_own_end(from);
		if (!*from)
			break;
		to[n++] = isspace((unsigned char)*from) ? ' ' : *from;
		from++;
	}
	to[n] = '\0';
}

/* Without a full stop at the end: the line has its own. */
static void put_text(struct choice_sentence *s)
{
	char lasting[1024];
	size_t n;

	copy_lasting(s->f->text ? s->f->text : "", lasting, sizeof(lasting));
	n = strlen(lasting);
	while (n && strchr(". ", lasting[n - 1]))
		lasting[--n] = '\0';
	put_name(s, lasting, TEXT_SHOWN, "nothing");
}

/* --- users ----------------------------------------------------------------------------------- */

static void put_user(struct choice_sentence *s)
{
	put_name(s, s->f->user, USER_SHOWN, "root");
}

static void put_ids(struct choice_sentence *s)
{
	text_printf(s->out, "%u:%u", s->f->uid, s->f->gid);
}

static void put_made_ids(struct choice_sentence *s)
{
	text_printf(s->out, "%u:%u", s->f->made_uid, s->f->made_gid);
}

static void put_run_as(struct choice_sentence *s)
{
	text_printf(s->out, "\"runAsUser: %u\" and \"runAsGroup: %u\"", s->f->uid, s->f->gid);
}

/* --- the line -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	void (*put)(struct choice_sentence *s);
} names[] = {
	{ "credentials", put_credentials },
	{ "has", put_has },
	{ "ids", put_ids },
	{ "image", put_image },
	{ "made", put_made },
	{ "made-ids", put_made_ids },
	{ "max", put_max },
	{ "progress", put_progress },
	{ "pull", put_pull },
	{ "reference", put_reference },
	{ "run-as", put_run_as },
	{ "settings", put_settings },
	{ "text", put_text },
	{ "total", put_total },
	{ "user", put_user },
	{ "wanted", put_wanted },
};

static bool put(void *ctx, const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i].name) == n && memcmp(names[i].name, name, n) == 0) {
			names[i].put(ctx);
			return true;
		}
	return false;
}

void choice_line(enum cause c, const struct choice_facts *f, char line[DIAGNOSIS_MAX + 1])
{
	const struct cause_row *row = cause_choice_row(c);
	struct text out;
	struct choice_sentence s = { f, &out };

	text_init(&out, line, DIAGNOSIS_MAX + 1);
	text_printf(&out, "crossarch[%s]: ", row->code);
	template_write(&out, row->what, put, &s);
	text_add(&out, "; ");
	template_write(&out, row->why, put, &s);
	text_add(&out, ". Fix: ");
	template_write(&out, row->fix, put, &s);
	text_add(&out, ".");
}

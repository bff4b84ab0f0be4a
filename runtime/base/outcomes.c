/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/base/outcomes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"

/* The four words of an outcome, each ended by a space: a key, compared as a whole. */
#define KEY_MAX 112

enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_USED };

struct slot {
	_Atomic uint32_t state; /* enum slot_state; the key is whole in SLOT_USED only */
	uint32_t reserved;
	_Atomic uint64_t count;
	char key[KEY_MAX];
};

struct outcomes {
	struct slot slots[OUTCOMES_MAX];
	struct slot other; /* its key stays empty */
};

_Static_assert(sizeof(struct slot) == 128, "the format of the file");

/* --- the file ------------------------------------------------------------------------------- */

/* All of it is there before it is mapped: a write to a page that a full /run cannot give is SIGBUS.
 */
static int check_file(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "stat");
	if (!S_ISREG(st.st_mode) || (st.st_size && st.st_size != sizeof(struct outcomes)))
		return err_set(err, ERR_INVALID, "it is no file of counters");
	if (!st.st_size && fallocate(fd, 0, 0, sizeof(struct outcomes)) < 0)
		return err_sys(err, ERR_IO, "make room for it");
	return 0;
}

static struct outcomes *map(const char *dir, const char *name, struct err *err)
{
	CLEANUP_FD int at = -1, fd = -1;
	void *mapped;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST) {
		err_sys(err, ERR_IO, "mkdir");
		return NULL;
	}
	at = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	fd = at < 0 ? -1 : openat(at, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		err_sys(err, ERR_IO, "open");
		return NULL;
	}
	if (check_file(fd, err) < 0)
		return NULL;
	mapped = mmap(NULL, sizeof(struct outcomes), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED) {
		err_sys(err, ERR_IO, "mmap");
		return NULL;
	}
	return mapped;
}

/* --- counting ------------------------------------------------------------------------------- */

static size_t add_word(char *key, size_t used, const char *word, size_t max)
{
	for (size_t i = 0; word[i] && i < max; i++) {
		unsigned char c = (unsigned char)word[i];

		key[used++] = c > ' ' && c < 0x7f && c != '"' && c != '\\' ? (char)c : '_';
	}
	key[used++] = ' ';
	return used;
}

/* At most 15 + 31 + 31 + 31 and four spaces: KEY_MAX. */
static void make_key(const struct outcome *o, char key[static KEY_MAX])
{
	size_t used;

	memset(key, 0, KEY_MAX);
	used = add_word(key, 0, o->verdict, sizeof(((struct outcome_row *)0)->verdict) - 1);
	used = add_word(key, used, o->code, sizeof(((struct outcome_row *)0)->code) - 1);
	used = add_word(key, used, o->platform, sizeof(((struct outcome_row *)0)->platform) - 1);
	add_word(key, used, o->runtime, sizeof(((struct outcome_row *)0)->runtime) - 1);
}

/*
 * Two that see an outcome for the first time at once take a slot each, which reading adds up. A
 * slot whose taker died before its key was whole stays as it is.
 */
static struct slot *slot_of(struct outcomes *o, const char *key)
{
	for (size_t i = 0; i < OUTCOMES_MAX; i++) {
		struct slot *s = &o->slots[i];
		uint32_t is = SLOT_FREE;

		if (atomic_compare_exchange_strong(&s->state, &is, SLOT_TAKEN)) {
			memcpy(s->key, key, KEY_MAX);
			atomic_store(&s->state, SLOT_USED);
			return s;
		}
		if (is == SLOT_USED && memcmp(s->key, key, KEY_MAX) == 0)
			return s;
	}
	return &o->other;
}

int outcome_count(const char *dir, const char *name, const struct outcome *o, struct err *err)
{
	struct outcomes *all = map(dir, name, err);
	char key[KEY_MAX];

	if (!all)
		return err_in(err, "%s/%s", dir, name);
	make_key(o, key);
	atomic_fetch_add(&slot_of(all, key)->count, 1);
	munmap(all, sizeof(*all));
	return 0;
}

/* --- reading -------------------------------------------------------------------------------- */

static bool take_word(const char **at, const char *end, char *ret, size_t size)
{
	const char *space = memchr(*at, ' ', (size_t)(end - *at));
	size_t n = space ? (size_t)(space - *at) : size;

	if (n >= size)
		return false;
	memcpy(ret, *at, n);
	ret[n] = '\0';
	*at = space + 1;
	return true;
}

static bool take_key(const char *key, struct outcome_row *ret)
{
	const char *end = key + KEY_MAX;

	return take_word(&key, end, ret->verdict, sizeof(ret->verdict)) &&
	       take_word(&key, end, ret->code, sizeof(ret->code)) &&
	       take_word(&key, end, ret->platform, sizeof(ret->platform)) &&
	       take_word(&key, end, ret->runtime, sizeof(ret->runtime));
}

static bool same(const struct outcome_row *a, const struct outcome_row *b)
{
	return str_eq(a->verdict, b->verdict) && str_eq(a->code, b->code) &&
	       str_eq(a->platform, b->platform) && str_eq(a->runtime, b->runtime);
}

static void add_row(struct outcome_row *rows, size_t *n, const struct outcome_row *row)
{
	for (size_t i = 0; i < *n; i++)
		if (same(&rows[i], row)) {
			rows[i].count += row->count;
			return;
		}
	rows[(*n)++] = *row;
}

static void take_rows(const struct outcomes *all, struct outcome_row *ret, size_t *ret_n)
{
	struct outcome_row other = { .verdict = OUTCOMES_OTHER };

	for (size_t i = 0; i < OUTCOMES_MAX; i++) {
		struct outcome_row row;

		if (all->slots[i].state != SLOT_USED || !take_key(all->slots[i].key, &row))
			continue;
		row.count = all->slots[i].count;
		add_row(ret, ret_n, &row);
	}
	other.count = all->other.count;
	if (other.count)
		ret[(*ret_n)++] = other;
}

int outcomes_read(const char *file, struct outcome_row *ret, size_t *ret_n, struct err *err)
{
	struct buf CLEANUP_BUF bytes = BUF_INIT(sizeof(struct outcomes) + 1);

	*ret_n = 0;
	if (file_read_regular(AT_FDCWD, file, &bytes, err) < 0)
		return err->code == ERR_NOT_FOUND ? 0 : -1;
	if (!bytes.len)
		return 0; /* made, and nothing counted yet */
	if (bytes.len != sizeof(struct outcomes))
		return err_set(err, ERR_INVALID, "%s is no file of counters", file);
	take_rows((const struct outcomes *)(const void *)bytes.data, ret, ret_n);
	return 0;
}

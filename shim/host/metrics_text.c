/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/host/metrics_text.h"

#include <string.h>

#include "runtime/base/str.h"

bool text_value(const char *s, uint64_t *ret)
{
	if (str_eq(s, "max")) {
		*ret = UINT64_MAX;
		return true;
	}
	if (*s < '0' || *s > '9')
		return false;
	*ret = strtoull(s, NULL, 10);
	return true;
}

/* The field number of @key, 0 when it is not in the list. */
static unsigned int field_of(const char *key, stat_names names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (*names[i] && str_eq(names[i], key))
			return (unsigned int)i + 1;
	return 0;
}

void text_flat(struct protobuf_writer *w, char *text, stat_names names, size_t n, uint64_t scale)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *key = strsep(&line, " ");
		unsigned int field = field_of(key, names, n);
		uint64_t value;

		if (field && line && text_value(line, &value))
			pb_uint(w, field, value * scale);
	}
}

void text_list(struct protobuf_writer *w, unsigned int field, char *text)
{
	size_t mark = pb_open(w, field);
	char *word;
	uint64_t value;

	while ((word = strsep(&text, " \n")))
		if (text_value(word, &value))
			pb_packed(w, value);
	pb_close(w, mark, true);
}

/* The rest of a line: "key=value key=value". @max is what "max" stands for. */
static void pairs(struct protobuf_writer *w, char *line, stat_names names, size_t n, uint64_t max)
{
	char *value;

	while ((value = strsep(&line, " "))) {
		const char *key = strsep(&value, "=");
		unsigned int field = field_of(key, names, n);
		uint64_t number;

		if (field && value && text_value(value, &number))
			pb_uint(w, field, number < max ? number : max);
	}
}

/* "8:0" */
static bool parse_device(const char *s, uint64_t *ret_major, uint64_t *ret_minor)
{
	const char *colon = strchr(s, ':');

	return colon && text_value(s, ret_major) && text_value(colon + 1, ret_minor);
}

void text_io(struct protobuf_writer *w, unsigned int field, char *text)
{
	static stat_names names = { "", "", "rbytes", "wbytes", "rios", "wios" };
	uint64_t major, minor;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		size_t mark;

		if (!parse_device(strsep(&line, " "), &major, &minor))
			continue;
		mark = pb_open(w, field);
		pb_uint(w, 1, major);
		pb_uint(w, 2, minor);
		pairs(w, line, names, ARRAY_SIZE(names), UINT64_MAX);
		pb_close(w, mark, false);
	}
}

/* The node's name, "/dev/sda", as far as sysfs knows it. */
static void add_device_name(struct protobuf_writer *w, unsigned int field, uint64_t major,
			    uint64_t minor)
{
	char path[64], target[512], *name = target;
	ssize_t n;

	str_fmt(path, sizeof(path), "/sys/dev/block/%llu:%llu", (unsigned long long)major,
		(unsigned long long)minor);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0 || (size_t)n == sizeof(target) - 1)
		return;
	target[n] = '\0';
	if (strrchr(target, '/'))
		name = strrchr(target, '/') + 1;
	str_fmt(path, sizeof(path), "/dev/%.40s", name);
	pb_bytes(w, field, path, strlen(path));
}

void text_blkio(struct protobuf_writer *w, unsigned int field, char *text)
{
	uint64_t major, minor, value;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *device = strsep(&line, " "), *op = strsep(&line, " ");
		size_t mark;

		if (!line || !parse_device(device, &major, &minor) || !text_value(line, &value))
			continue;
		mark = pb_open(w, field);
		pb_bytes(w, 1, op, strlen(op));
		add_device_name(w, 2, major, minor);
		pb_uint(w, 3, major);
		pb_uint(w, 4, minor);
		pb_uint(w, 5, value);
		pb_close(w, mark, false);
	}
}

void text_rdma(struct protobuf_writer *w, unsigned int field, char *text)
{
	static stat_names names = { "", "hca_handle", "hca_object" };
	char *line;

	while ((line = strsep(&text, "\n"))) {
		const char *device = strsep(&line, " ");
		size_t mark;

		if (!line)
			continue;
		mark = pb_open(w, field);
		pb_bytes(w, 1, device, strlen(device));
		pairs(w, line, names, ARRAY_SIZE(names), UINT32_MAX);
		pb_close(w, mark, false);
	}
}

static void add_pressure_line(struct protobuf_writer *w, char *line)
{
	static stat_names names = { "avg10", "avg60", "avg300", "total" };
	char *value;
	uint64_t total;

	while ((value = strsep(&line, " "))) {
		unsigned int field = field_of(strsep(&value, "="), names, ARRAY_SIZE(names));

		if (field && field < 4 && value)
			pb_double(w, field, strtod(value, NULL));
		else if (field == 4 && value && text_value(value, &total))
			pb_uint(w, field, total);
	}
}

void text_pressure(struct protobuf_writer *w, unsigned int field, char *text)
{
	static stat_names names = { "some", "full" };
	size_t mark = pb_open(w, field), inner;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		unsigned int which = field_of(strsep(&line, " "), names, ARRAY_SIZE(names));

		if (!which)
			continue;
		inner = pb_open(w, which);
		add_pressure_line(w, line);
		pb_close(w, inner, false);
	}
	pb_close(w, mark, true);
}

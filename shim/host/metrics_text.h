/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/host/protobuf_writer.h"

/*
 * Parsers for the formats of cgroup files; each writes protobuf fields. They take the text apart in
 * place. What they do not understand they leave out: a kernel may add lines and keys.
 */

/*
 * A list of keys: the field number of a key is its position plus one, "" where a field comes from
 * elsewhere. The names are stored in place so that there is no pointer to relocate.
 */
#define STAT_NAME_MAX 28
typedef const char stat_names[][STAT_NAME_MAX];

/* "max" gives UINT64_MAX. False when @s begins with neither that nor a digit. */
bool text_value(const char *s, uint64_t *ret);

/* A file of "key value" lines; each value is multiplied by @scale. */
void text_flat(struct protobuf_writer *w, char *text, stat_names names, size_t n, uint64_t scale);

/* A file of numbers separated by white space, as one packed field. */
void text_list(struct protobuf_writer *w, unsigned int field, char *text);

/* io.stat: "8:0 rbytes=1 wbytes=2 ..." becomes one message per device. */
void text_io(struct protobuf_writer *w, unsigned int field, char *text);

/* v1 blkio: "8:0 Read 4096" becomes one message per line; the sum at the end is left out. */
void text_blkio(struct protobuf_writer *w, unsigned int field, char *text);

/* rdma: "mlx4_0 hca_handle=2 hca_object=max" becomes one message per device. */
void text_rdma(struct protobuf_writer *w, unsigned int field, char *text);

/* Pressure: "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", then the same for "full". */
void text_pressure(struct protobuf_writer *w, unsigned int field, char *text);

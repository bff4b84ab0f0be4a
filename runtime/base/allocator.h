/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <protobuf-c/protobuf-c.h>

#include "runtime/base/arena.h"

static inline void *allocator_alloc_(void *arena, size_t n)
{
	return arena_alloc(arena, n);
}

static inline void allocator_free_(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

/* Unpacks protobuf messages into @arena: they go with it, and its maximum bounds them. */
static inline ProtobufCAllocator arena_allocator(struct arena *arena)
{
	return (ProtobufCAllocator){ allocator_alloc_, allocator_free_, arena };
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/base/mem.h"

/*
 * A circular doubly linked list with the node embedded in its owner. A node that is in no list
 * points at itself, or is all zero; list_del() accepts both, so every deinit may call it.
 */
struct list {
	struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head || !head->next;
}

/* True when @node is in some list. */
static inline bool list_linked(const struct list *node)
{
	return node->next && node->next != node;
}

/* Appends @node, which must be in no list, before @head (that is, at the end). */
static inline void list_add(struct list *head, struct list *node)
{
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Puts @node, which must be in no list, behind @head (that is, at the beginning). */
static inline void list_add_first(struct list *head, struct list *node)
{
	list_add(head->next, node);
}

/* Takes @node out of its list; harmless when it is in none. */
static inline void list_del(struct list *node)
{
	if (node->next) {
		node->prev->next = node->next;
		node->next->prev = node->prev;
	}
	list_init(node);
}

/* Moves all nodes of @from to the end of the initialised, empty @to. */
static inline void list_take_all(struct list *to, struct list *from)
{
	list_init(to);
	if (list_empty(from))
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)

/* The first entry, or NULL when the list is empty. */
#define list_first(head, type, member) \
	(list_empty(head) ? NULL : list_entry((head)->next, type, member))

#define list_for_each(node, head) \
	for (struct list *node = (head)->next; node && node != (head); node = node->next)

/* The current node may be removed or freed by the body; no other one may. */
#define list_for_each_safe(node, head)                                                  \
	for (struct list *node = (head)->next, *node##_next = node ? node->next : NULL; \
	     node && node != (head); node = node##_next, node##_next = node->next)

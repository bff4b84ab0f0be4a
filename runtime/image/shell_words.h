/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * The words of a shell text that could name a program: runs of letters, digits and . _ / + - that
 * are not part of a variable. The shell's grammar is not parsed; the caller looks each word up and
 * drops those that are no files. Pure: for texts of any size and content.
 */
#define WORD_MAX 255

struct shell_words {
	const char *p, *end;
	char word[WORD_MAX + 1];
	bool command; /* stands where a command's name does: first, or behind ; && then exec ... */
	bool expected, sticky; /* the next one does; so do all up to the end of this command */
	bool user;	       /* but the next one is a user's name: gosu NAME PROGRAM */
};

void shell_words_init(struct shell_words *w, const char *text, size_t n);

/* Moves to the next word, in w->word. False at the end. */
bool shell_words_next(struct shell_words *w);

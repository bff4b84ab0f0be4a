/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "runtime/cli/emulators.h"
#include "runtime/plan/diagnosis.h"

/*
 * The question that prepare leaves open because it executes nothing: does the emulator offer the
 * x86-64 level that an emulated program and its image ask for? Prepare has seen the image, so of
 * its words only names come in here: of one of the node's handlers, and of the program.
 */
struct level_question {
	const char *handler;			 /* of binfmt_misc, or PRIVATE_PREFIX and so on */
	const char *program;			 /* as in the report of prepare */
	const char *model;			 /* "" without */
	unsigned int program_level, image_level; /* 0: does not ask for one */
};

/*
 * True when it does not, with the line for the person. False when it does, and when the emulator
 * cannot be asked or does not say.
 */
bool level_refused(const struct node *n, const struct level_question *q,
		   char line[DIAGNOSIS_MAX + 1]);

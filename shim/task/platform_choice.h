/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "shim/task/prepare_run.h"

/*
 * Before the check of a Create: a pod, or the runtime handler, may ask for another platform of a
 * multi-platform image than containerd's CRI made the container of. `crossarch choose-platform`
 * (runtime/choose) then brings that one, puts the container on it, and writes the request for
 * prepare anew. The shim reads nothing of what it writes there.
 */
struct platform_choice {
	struct prepare_run run;
	bool declared; /* the request now says what the image declares */
	/* It has answered: platform_choice_take() tells what. */
	void (*done)(struct operation *);
};

void platform_choice_init(struct platform_choice *c);
void platform_choice_deinit(struct platform_choice *c);

/* Stops listening: nothing that it could still say matters now. */
void platform_choice_stop(struct platform_choice *c);

/*
 * Whether there may be something to choose: false only when neither the bundle's config.json nor
 * the settings mention a platform. They are searched, not read, so that what nobody asks for costs
 * next to nothing; true for a mention that means something else is all right.
 */
bool platform_choice_mentioned(const struct operation *op, const struct prepare_request *r);

/* Starts it; @request is what request_memfd() made. @done follows on the operation. */
MUST_CHECK int platform_choice_start(struct platform_choice *c, struct operation *op, int request,
				     void (*done)(struct operation *), struct err *err);

/*
 * What came of it: 0, and the check can go on with the request. A refusal is ERR_PRECONDITION, or
 * ERR_UNAVAILABLE while the image is being pulled, with the line for the person as its whole text.
 * The pull then goes on in the background, as long as this shim lives.
 */
MUST_CHECK int platform_choice_take(struct platform_choice *c, struct operation *op,
				    struct err *err);

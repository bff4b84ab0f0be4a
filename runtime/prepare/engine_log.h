/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/* How much of the end of a log is looked at. */
#define ENGINE_LOG_MAX 65536
#define ENGINE_MESSAGE_MAX 800

/*
 * The last error an engine logged: the "msg" of a JSON line of level error or fatal (runc, crun),
 * or the last line of a log that has none. False when there is nothing.
 */
bool engine_log_last_error(const char *text, char message[ENGINE_MESSAGE_MAX]);

/* What to do about a message that does not say it, or NULL. Static storage. */
const char *engine_log_hint(const char *message);

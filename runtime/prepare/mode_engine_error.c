/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/confine.h"
#include "runtime/prepare/engine_log.h"
#include "runtime/prepare/prepare.h"

int mode_engine_error(struct prepare *p, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(ENGINE_LOG_MAX + 4096);
	char message[ENGINE_MESSAGE_MAX];
	const char *hint;
	struct stat st;

	if (confine_calls(-1, -1, err) < 0)
		return -1;
	if (fstat(FD_BUNDLE, &st) < 0)
		return err_sys(err, ERR_IO, "stat the engine's log");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "the engine's log is not a regular file");
	/* The last lines count; the first one of a cut text is cut itself and not used. */
	if (lseek(FD_BUNDLE, st.st_size > ENGINE_LOG_MAX ? st.st_size - ENGINE_LOG_MAX : 0,
		  SEEK_SET) < 0 ||
	    fd_read_all(FD_BUNDLE, "the engine's log", &text, err) < 0)
		return err_in(err, "engine's log");
	p->report.verdict = VERDICT_NONE;
	if (!engine_log_last_error(buf_str(&text), message))
		return err_set(err, ERR_ENGINE, "%s", "");
	hint = engine_log_hint(message);
	if (hint)
		return err_set(err, ERR_ENGINE, "%s (%s)", message, hint);
	return err_set(err, ERR_ENGINE, "%s", message);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/fd.h"
#include "runtime/base/str.h"
#include "runtime/prepare/confine.h"
#include "runtime/prepare/criu_log.h"
#include "runtime/prepare/engine_log.h"
#include "runtime/prepare/prepare.h"

/*
 * The log did not take them, on a full file system for instance: what the engine wrote to the
 * standard error of the process that was to be. The pipe is still open for writing, and does not
 * block.
 */
static bool words_in_pipe(const struct prepare *p, char message[ENGINE_MESSAGE_MAX])
{
	char words[4096];
	ssize_t n = p->has_request ? read(FD_REQUEST, words, sizeof(words) - 1) : -1;

	if (n <= 0)
		return false;
	words[n] = '\0';
	return engine_log_last_error(words, message);
}

/* Nothing when there is no log, or something else in its place. */
static int read_log(int fd, const char *what, struct buf *text, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "stat %s", what);
	if (!S_ISREG(st.st_mode))
		return 0;
	/* The last lines count; the first one of a cut text is cut itself and not used. */
	if (lseek(fd, st.st_size > ENGINE_LOG_MAX ? st.st_size - ENGINE_LOG_MAX : 0, SEEK_SET) <
		    0 ||
	    fd_read_all(fd, what, text, err) < 0)
		return err_in(err, "%s", what);
	return 0;
}

/* The engine's message, with what a person needs to know besides. */
static int tell(const char *message, const char *criu, struct err *err)
{
	const char *hint = engine_log_hint(message);

	if (hint)
		return err_set(err, ERR_ENGINE, "%s (%s)", message, hint);
	if (*criu)
		return err_set(err, ERR_ENGINE, "%s (criu: %s)", message, criu);
	return err_set(err, ERR_ENGINE, "%s", message);
}

int mode_engine_error(struct prepare *p, struct err *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(ENGINE_LOG_MAX + 4096);
	CLEANUP_BUF struct buf criu_text = BUF_INIT(ENGINE_LOG_MAX + 4096);
	char message[ENGINE_MESSAGE_MAX], criu[CRIU_ERRORS_MAX] = "";
	struct err unread;

	if (confine_calls(-1, -1, err) < 0 ||
	    read_log(FD_BUNDLE, "the engine's log", &text, err) < 0)
		return -1;
	if (p->has_platform && read_log(FD_PLATFORM, "criu's log", &criu_text, &unread) == 0)
		(void)criu_log_errors(buf_str(&criu_text), criu);
	p->report.verdict = VERDICT_NONE;
	if (!engine_log_last_error(buf_str(&text), message) && !words_in_pipe(p, message))
		return err_set(err, ERR_ENGINE, "%s", "");
	return tell(message, criu, err);
}

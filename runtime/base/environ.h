/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which variables of our environment are passed on to the programs we start. The rule: what a
 * service manager tells containerd about its own service is for containerd alone; its children are
 * not that service and must not act on it. With NOTIFY_SOCKET, for example, an engine's `start`
 * waits until the container says READY=1, which no container does; with LISTEN_FDS it hands
 * descriptors into the container that mean something else there. Everything else (PATH, proxies,
 * locale, what an administrator set for containerd) is passed on, as the stock shim does. A logging
 * driver gets nothing of it at all (shim/host/logger.h).
 *
 * Sources of the names: systemd.exec(5) "Environment variables set or propagated by the service
 * manager", sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.service(5).
 */

/* Takes those variables out of our own environment, for good. To be called first thing in main().
 */
void environ_leave_service(void);

/* private.h - inside src/service: what the main loop listens to. */
#pragma once

#include <systemd/sd-event.h>

#include <sonoran-pushd/service.h>

/* signals.c: the terminal that the daemon was started on is watched from open_terminal on. */
void open_terminal(void);
bool stop_waits(void);
int watch_signals(sd_event *event, struct service_callbacks *callbacks) MUST_CHECK;

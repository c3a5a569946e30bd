/* service_private.h - inside src/service: what the main loop listens to. */
#pragma once

#include <systemd/sd-event.h>

#include <sonoran-pushd/service.h>

/* signals.c: the terminal that the daemon was started on is watched from service_open_terminal on. */
void service_open_terminal(void);
bool signals_stop_waits(void);
int signals_watch(sd_event *event, struct service_callbacks *callbacks) MUST_CHECK;

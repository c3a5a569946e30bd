/* settings.h - inside src/ctl: the daemon's configuration. Its warnings are the daemon's to tell, and doctor's. */
#pragma once

#include <cjson/cJSON.h>
#include <sonoran-pushd/config.h>

#include "private.h"

/* As config_load, and where keys are missing there, with those that systemd holds for the running service. */
int settings_load(const char *file, struct config **ret, struct config_problems *ret_problems) MUST_CHECK;

/* The same, with its mistakes on stderr, then the sentence otherwise. Returns the exit status. */
int settings_need(const char *file, struct config **ret, const char *otherwise) MUST_CHECK;

/* Where this machine reaches a listener: "http://127.0.0.1:30120/sonorancad/event". told: what the daemon said of
 * itself, or NULL; where it names the listener's address, that one counts. */
int settings_url(const struct config *config, const struct config_listener *listener, const cJSON *told,
                 struct text *ret, struct err *err) MUST_CHECK;

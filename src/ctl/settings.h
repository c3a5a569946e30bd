/* settings.h - inside src/ctl: the daemon's configuration. Its warnings are the daemon's to tell, and doctor's. */
#pragma once

#include <cjson/cJSON.h>
#include <sonoran-pushd/config.h>

#include "ctl_private.h"

/* As config_load, and where keys are missing there, with those that systemd holds for the running service. */
int settings_load(const char *file, bool bear_missing, struct config **ret,
                  struct config_problems *ret_problems) MUST_CHECK;

/* The same, bearing what the daemon bears, with its mistakes on stderr, then the sentence otherwise. Returns the exit
 * status. */
int settings_need(const char *file, struct config **ret, const char *otherwise) MUST_CHECK;

/* Whether it failed, with r, only because somebody else than root may not read something; whether a line says that. */
bool settings_denied(int r, const struct config_problems *problems);
bool settings_line_denied(const char *line);

/* By its name, or the first one of the configuration where that is NULL. NULL: there is none; err says which may have
 * been meant. */
const struct config_community *settings_community(const struct config *config, const char *name, struct err *err);
const struct config_listener *settings_listener(const struct config *config, const char *name, struct err *err);

/* The address of a listener as the daemon told it, or NULL; and its URL here. */
const char *settings_address_told(const cJSON *told, const char *name);
void settings_url_at(const char *address, const char *path, struct text *ret);

/* Where this machine reaches a listener: "http://127.0.0.1:30120/sonorancad/event". told: what the daemon said of
 * itself, or NULL; where it names the listener's address, that one counts. */
int settings_url(const struct config *config, const struct config_listener *listener, const cJSON *told,
                 struct text *ret, struct err *err) MUST_CHECK;

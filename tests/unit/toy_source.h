/* toy_source.h - the toy's inbox, which stands for whatever a source reads from: filled by a test, and told what became
 * of each message. */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/source_type.h>

#define TOY_MESSAGES_MAX 256

struct toy_message {
    const char *type; /* NULL: text is a body with a key */
    const char *text;
};

struct toy_inbox {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct toy_message messages[TOY_MESSAGES_MAX];
    size_t n;

    /* what the toy did */
    uint64_t ids[TOY_MESSAGES_MAX]; /* 0: not stored */
    size_t n_done;                  /* stored, or refused at the gate */
    size_t n_taken, n_settled, n_failed, n_busy, n_pauses, n_resumes, n_ready, n_configured, n_dropped;
    bool stopped;
};

extern struct toy_inbox toy_inbox;
extern const struct source_type source_toy;

/* wait.h - waits that end: on the clock that never jumps.
 *
 * Units:   until_us is uptime_us() and what is to pass from there.
 * Threads: like pthread_cond_wait(3) and pthread_join(3). A condition needs no attribute for this.
 * Source:  pthread_cond_clockwait(3p), pthread_tryjoin_np(3).
 */
#pragma once

#include <pthread.h>
#include <sonoran-pushd/base.h>

/* Under the lock. false: the time has come; true: perhaps woken, so the caller looks again at what it waits for. */
bool wait_signal(pthread_cond_t *condition, pthread_mutex_t *lock, usec_t until_us);

/* false: the time has come, and the thread still runs. */
bool wait_thread(pthread_t thread, usec_t until_us) MUST_CHECK;

/* Whether somebody holds the lock; in a program without mistakes that is the caller. For assert() alone, since
 * otherwise it is locked afterwards. */
bool wait_is_locked(pthread_mutex_t *lock);

void wait_pause(usec_t pause_us);

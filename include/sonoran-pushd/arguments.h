/* arguments.h - a command line that getopt_long(3) does not take: the sentence that says why.
 *
 * Threads: the first one, before any other runs.
 * Errors:  none; what cannot be written is lost.
 */
#pragma once

#include <getopt.h>

/* For getopt_long(): with ARGUMENTS_LETTERS in front of the short options it returns ':' where a value is missing. */
#define ARGUMENTS_LETTERS ":"

/* "PROGRAM: no such option: --chek. Did you mean --check?" on stderr. c: what getopt_long() returned, '?' or ':', with
 * opterr 0. options: those that it was called with. */
void arguments_refuse_option(const char *program, const struct option *options, int c, char *const *argv);

/* "PROGRAM: unexpected argument: WORD" on stderr. */
void arguments_refuse_word(const char *program, const char *word);

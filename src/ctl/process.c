/* process.c - looks through /proc for a daemon. Source: proc(5). */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sonoran-pushd/config.h>

#include "process.h"

#define PATH_ROOM 300
#define FILE_MAX_BYTES 4096

static size_t read_file(const char *pid, const char *name, char *ret, size_t size)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
    FILE *file CLEANUP(cleanup_fclose) = fopen(path, "re");
    size_t n = file ? fread(ret, 1, size - 1, file) : 0;
    ret[n] = '\0';
    return n;
}

/* One in a container has files of its own. */
static bool is_of_this_system(const char *pid)
{
    char path[PATH_ROOM];
    struct stat theirs, ours;
    snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
    return stat(path, &theirs) < 0 || stat("/proc/self/ns/pid", &ours) < 0 || theirs.st_ino == ours.st_ino;
}

/* The value of -c FILE, -cFILE, --config FILE or --config=FILE in words that end in \0 each; NULL: it has none. */
static const char *find_option(const char *words, size_t size)
{
    static const char *const names[] = { "--config=", "--config", "-c" };
    const char *end = words + size;
    for (const char *word = words; word < end; word += strlen(word) + 1)
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            size_t name_size = strlen(names[i]);
            if (strncmp(word, names[i], name_size) != 0)
                continue;
            const char *value = word + name_size;
            return *value ? value : value + 1 < end ? value + 1 : NULL;
        }
    return NULL;
}

static char *find_config(const char *pid)
{
    char words[FILE_MAX_BYTES + 1], path[PATH_ROOM], folder[FILE_MAX_BYTES];
    char *file = NULL;
    size_t size = read_file(pid, "cmdline", words, sizeof(words));
    const char *value = find_option(words, size);
    if (!value || *value == '/')
        return strdup(value ? value : CONFIG_DEFAULT_FILE);
    snprintf(path, sizeof(path), "/proc/%s/cwd", pid);
    ssize_t n = readlink(path, folder, sizeof(folder) - 1);
    if (n < 0)
        return strdup(value);
    folder[n] = '\0';
    return asprintf(&file, "%s/%s", folder, value) < 0 ? NULL : file;
}

bool process_has(const struct process *process, const char *config_file)
{
    char *ours CLEANUP(cleanup_free) = realpath(config_file, NULL);
    char *theirs CLEANUP(cleanup_free) = process->file ? realpath(process->file, NULL) : NULL;
    if (ours && theirs)
        return strcmp(ours, theirs) == 0;
    return process->file && strcmp(process->file, config_file) == 0;
}

static bool is_daemon(const char *pid)
{
    char name[32];
    (void) read_file(pid, "comm", name, sizeof(name));
    return strcmp(name, PROGRAM_NAME "\n") == 0 && is_of_this_system(pid);
}

bool process_find(const char *config_file, struct process *ret)
{
    DIR *processes = opendir("/proc");
    struct process found = { 0 };
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        if (!isdigit((unsigned char) entry->d_name[0]) || !is_daemon(entry->d_name))
            continue;
        struct process one = { atoi(entry->d_name), find_config(entry->d_name) };
        if (found.file && !process_has(&one, config_file)) {
            free(one.file);
            continue;
        }
        free(found.file);
        found = one;
    }
    if (processes)
        closedir(processes);
    *ret = found;
    return found.file != NULL;
}

/* Among the words that it was started with. */
static bool has_word(const char *pid, const char *name)
{
    char words[FILE_MAX_BYTES + 1];
    size_t size = read_file(pid, "cmdline", words, sizeof(words));
    for (const char *word = words; word < words + size; word += strlen(word) + 1) {
        const char *slash = strrchr(word, '/');
        if (strcmp(slash ? slash + 1 : word, name) == 0)
            return true;
    }
    return false;
}

int process_find_program(const char *name)
{
    DIR *processes = opendir("/proc");
    int found = 0;
    for (struct dirent *entry; processes && !found && (entry = readdir(processes));)
        if (isdigit((unsigned char) entry->d_name[0]) && has_word(entry->d_name, name))
            found = atoi(entry->d_name);
    if (processes)
        closedir(processes);
    return found;
}

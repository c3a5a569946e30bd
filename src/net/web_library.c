/* web_library.c - loading libcurl. It stays until the end of the process. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "web_library.h"

#define LIBRARY "libcurl.so.4"

struct web_library web_libcurl;

static struct err problem;
static int result;

/* A function's address is data to dlsym. */
static int find(void *library, const char *name, void *ret, size_t size)
{
    void *address = dlsym(library, name);
    if (!address || size != sizeof(address))
        return err_set(&problem, -ELIBACC, "%s has no %s", LIBRARY, name);
    *(void **) ret = address;
    return 0;
}

static int load(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_NODELETE);
    if (!library)
        return err_set(&problem, -ELIBACC, "what is asked over HTTP needs libcurl (package libcurl4): %s", dlerror());
    int r = 0;
#define FIND(function)                                                                                                 \
    if (r == 0)                                                                                                        \
        r = find(library, #function, &web_libcurl.function, sizeof(web_libcurl.function));
    WEB_LIBRARY_FUNCTIONS(FIND)
    if (r == 0 && web_libcurl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        r = err_set(&problem, -EIO, "cannot prepare libcurl");
    return r;
}

static void load_once(void)
{
    result = load();
}

int web_library_load(struct err *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_once);
    return result < 0 ? err_set(err, result, "%s", problem.msg) : 0;
}

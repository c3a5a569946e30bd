/* source_rules.c - what bodies are read by, out of the configuration. */
#include <stdlib.h>

#include <sonoran-pushd/source_type.h>

#define STORED_PER_BODY 4 /* of limits.body: so much of one request is stored at most */
/* Parsed, a body takes three times its size as a rule, and one that is nothing but "[1,1,…" 32 times: a few of those
 * would fill a small machine, once in the source's thread and again for each action. */
#define PARSED_PER_BODY 8

struct rules {
    struct envelope_rules rules;
    struct event_community communities[];
};

struct envelope_rules *source_rules_new(const struct config *config, const struct event_families *families)
{
    size_t n_keys = 0, n = 0;
    for (size_t i = 0; i < config->n_communities; i++)
        n_keys += config->communities[i].n_api_keys;
    struct rules *rules = calloc(1, sizeof(*rules) + n_keys * sizeof(rules->communities[0]));
    if (!rules)
        return NULL;
    for (size_t i = 0; i < config->n_communities; i++)
        for (size_t k = 0; k < config->communities[i].n_api_keys; k++)
            rules->communities[n++] =
                (struct event_community){ config->communities[i].name, config->communities[i].api_keys[k] };
    rules->rules = (struct envelope_rules){
        .communities = rules->communities,
        .n_communities = n_keys,
        .families = families,
        .accept_unknown_types = config->unknown_types == UNKNOWN_TYPES_ACCEPT,
        .max_stored_bytes = STORED_PER_BODY * config->limits.body_bytes,
        .max_parsed_bytes = PARSED_PER_BODY * config->limits.body_bytes,
    };
    return &rules->rules; /* the first member: free() takes it for all */
}

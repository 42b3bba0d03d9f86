// Phase `filter`: leaves out what ends with one of `suffixes`, and files larger than `max-size` bytes.
#include "config.h"

static config wanted;

static bool start(copal_approach *approach, copal_error *error) {
    copal_ask(approach, COPAL_SIZES);
    return read_config(&wanted, error);
}

static copal_verdict decide(const copal_entry *entry) {
    if (entry->size > wanted.max_size) return COPAL_SKIP;
    const char *end = entry->path + entry->length;
    for (size_t i = 0; i < wanted.suffixes.count; i++) {
        size_t length = wanted.suffixes.lengths[i];
        bool ends = length <= entry->length && !memcmp(end - length, wanted.suffixes.items[i], length);
        if (ends) return COPAL_SKIP;
    }
    return COPAL_KEEP;
}

COPAL_FILTER(start, decide)

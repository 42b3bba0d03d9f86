// Misbehaves as `url` says.
#include "config.h"

#include <assert.h>

static volatile uint64_t sink;

static uint64_t deeper(uint64_t depth) {
    volatile char frame[4096];
    frame[depth % sizeof frame] = 1;
    sink = depth;
    return sink ? deeper(depth + 1) + (uint64_t)frame[0] : 0;
}

static bool run(copal_report report, copal_error *error) {
    (void)report;
    config config;
    if (!read_config(&config, error)) return false;
    if (!strcmp(config.url, "throw")) assert(!"the sky falls as it was told");
    if (!strcmp(config.url, "loop")) {
        for (;;) sink++;
    }
    if (!strcmp(config.url, "memory")) {
        for (;;) {
            char *hoard = malloc(1 << 20);
            assert(hoard);
            memset(hoard, 1, 1 << 20);
            sink += (uint64_t)hoard[sink % 100];
        }
    }
    if (!strcmp(config.url, "recursion")) return copal_failed(error, "%llu", (unsigned long long)deeper(1));
    return copal_invalid(error, "no misdeed");
}

COPAL_POST_BACKUP(run)

// This hook's `config` table in copal.toml.
#include "copal.h"

typedef struct config {
    copal_texts suffixes; // what ends with one of these is left out,
    uint64_t max_size;    // and files that are larger
    char *url;            // who is told
} config;

bool read_config(config *config, copal_error *error);

#include "config.h"

bool read_config(config *config, copal_error *error) {
    const copal_option options[] = {
        {"suffixes", COPAL_TEXTS, &config->suffixes},
        {"max-size", COPAL_NUMBER, &config->max_size},
        {"url", COPAL_TEXT, &config->url},
        {0},
    };
    *config = (struct config){.max_size = UINT64_MAX};
    return copal_config(options, error);
}

// Reads the config, which arrives as JSON that Copal wrote: it is sound, so that only what the options
// need is looked at.
#include "copal.h"

typedef struct {
    const char *at;
    const char *end;
} reader;

static void skip_space(reader *json) {
    while (json->at < json->end && strchr(" \t\r\n", *json->at)) json->at++;
}

// Takes one character if it comes next.
static bool take(reader *json, char wanted) {
    skip_space(json);
    if (json->at == json->end || *json->at != wanted) return false;
    json->at++;
    return true;
}

static unsigned hex(const char *digits) {
    char text[5] = {digits[0], digits[1], digits[2], digits[3], 0};
    return (unsigned)strtoul(text, NULL, 16);
}

// Writes a code point as UTF-8 and answers where it ends.
static char *encode(char *to, unsigned point) {
    if (point < 0x80) {
        *to++ = (char)point;
        return to;
    }
    int more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(first[more] | point >> (6 * more));
    while (more--) *to++ = (char)(0x80 | (point >> (6 * more) & 0x3f));
    return to;
}

static char unescaped(char letter) {
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *found = strchr(letters, letter);
    return found ? meant[found - letters] : letter;
}

// Reads a text that begins here; NULL where none does. It is never longer than its JSON.
static char *read_text(reader *json, size_t *length) {
    if (!take(json, '"')) return NULL;
    char *text = malloc((size_t)(json->end - json->at) + 1), *to = text;
    while (*json->at != '"') {
        if (*json->at != '\\') {
            *to++ = *json->at++;
        } else if (json->at[1] == 'u') {
            unsigned point = hex(json->at + 2);
            json->at += 6;
            if (point >= 0xd800 && point < 0xdc00) { // the second half of a pair follows
                point = 0x10000 + ((point - 0xd800) << 10) + (hex(json->at + 2) - 0xdc00);
                json->at += 6;
            }
            to = encode(to, point);
        } else {
            *to++ = unescaped(json->at[1]);
            json->at += 2;
        }
    }
    json->at++;
    *to = 0;
    if (length) *length = (size_t)(to - text);
    return text;
}

static bool read_texts(reader *json, copal_texts *texts) {
    *texts = (copal_texts){0};
    if (!take(json, '[')) return false;
    if (take(json, ']')) return true;
    do {
        size_t length, count = texts->count + 1;
        char *text = read_text(json, &length);
        if (!text) return false;
        texts->items = realloc(texts->items, count * sizeof *texts->items);
        texts->lengths = realloc(texts->lengths, count * sizeof *texts->lengths);
        texts->items[count - 1] = text;
        texts->lengths[count - 1] = length;
        texts->count = count;
    } while (take(json, ','));
    return take(json, ']');
}

static bool read_number(reader *json, uint64_t *number) {
    skip_space(json);
    char *end;
    if (*json->at < '0' || *json->at > '9') return false;
    *number = strtoull(json->at, &end, 10);
    json->at = end;
    return !strchr(".eE", *end);
}

static bool read_word(reader *json, const char *word) {
    size_t length = strlen(word);
    skip_space(json);
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, word, length)) return false;
    json->at += length;
    return true;
}

static bool read_value(reader *json, const copal_option *option) {
    switch (option->type) {
    case COPAL_TEXT:
        return (*(char **)option->into = read_text(json, NULL)) != NULL;
    case COPAL_NUMBER:
        return read_number(json, option->into);
    case COPAL_BOOL:
        *(bool *)option->into = read_word(json, "true");
        return *(bool *)option->into || read_word(json, "false");
    case COPAL_TEXTS:
        return read_texts(json, option->into);
    }
    return false;
}

static bool unknown(const copal_option *options, const char *name, copal_error *error) {
    copal_text names = {0};
    for (const copal_option *option = options; option->name; option++) {
        copal_append(&names, option == options ? "`%s`" : ", `%s`", option->name);
    }
    return copal_invalid(error, "config: there is no `%s`, but %s", name, names.bytes);
}

bool copal_config(const copal_option *options, copal_error *error) {
    static const char *const wanted[] = {"a text", "a whole number", "true or false", "a list of texts"};
    hook_string_t config;
    copal_hooks_run_info_config(&config);
    char *text = copal_text_of(&config);
    reader json = {text, text + config.len};
    hook_string_free(&config);

    take(&json, '{');
    if (take(&json, '}')) return true;
    do {
        char *name = read_text(&json, NULL);
        const copal_option *option = options;
        while (option->name && strcmp(option->name, name)) option++;
        if (!option->name) return unknown(options, name, error);
        take(&json, ':');
        if (!read_value(&json, option)) {
            return copal_invalid(error, "config: `%s` has to be %s", name, wanted[option->type]);
        }
        free(name);
    } while (take(&json, ','));
    free(text);
    return true;
}

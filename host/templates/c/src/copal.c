#include "copal.h"

#include <stdarg.h>
#include <stdio.h>

static char *formatted(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    char *text = malloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

// --- Errors and log -------------------------------------------------------------------------------

static bool error_of(copal_error *error, uint8_t tag, char *text) {
    error->tag = tag;
    hook_string_set(&error->val.failed, text); // all cases of a text lie in the same place
    return false;
}

bool copal_invalid(copal_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error_of(error, COPAL_HOOKS_TYPES_ERROR_INVALID, formatted(format, arguments));
    va_end(arguments);
    return false;
}

bool copal_failed(copal_error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error_of(error, COPAL_HOOKS_TYPES_ERROR_FAILED, formatted(format, arguments));
    va_end(arguments);
    return false;
}

bool copal_denied(copal_error *error, const char *capability, const char *requested) {
    error->tag = COPAL_HOOKS_TYPES_ERROR_DENIED;
    hook_string_dup(&error->val.denied.capability, capability);
    hook_string_dup(&error->val.denied.requested, requested);
    hook_string_dup(&error->val.denied.remedy, ""); // Copal adds the line that would grant it
    return false;
}

static void write_line(copal_hooks_log_level_t level, const char *format, va_list arguments) {
    char *line = formatted(format, arguments);
    hook_string_t message;
    hook_string_set(&message, line);
    copal_hooks_log_list_field_t no_fields = {0};
    copal_hooks_log_write(level, &message, &no_fields);
    free(line);
}

void copal_info(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_line(COPAL_HOOKS_LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void copal_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_line(COPAL_HOOKS_LOG_LEVEL_WARN, format, arguments);
    va_end(arguments);
}

// --- Text -----------------------------------------------------------------------------------------

void copal_append(copal_text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *more = formatted(format, arguments);
    va_end(arguments);
    size_t length = strlen(more);
    text->bytes = realloc(text->bytes, text->length + length + 1);
    memcpy(text->bytes + text->length, more, length + 1);
    text->length += length;
    free(more);
}

void copal_append_json(copal_text *text, const char *value) {
    if (!value) {
        copal_append(text, "null");
        return;
    }
    copal_append(text, "\"");
    for (; *value; value++) {
        unsigned char byte = (unsigned char)*value;
        if (byte < 0x20) {
            copal_append(text, "\\u%04x", byte);
        } else {
            copal_append(text, byte == '"' || byte == '\\' ? "\\%c" : "%c", byte);
        }
    }
    copal_append(text, "\"");
}

char *copal_text_of(const hook_string_t *text) {
    char *copy = malloc(text->len + 1);
    memcpy(copy, text->ptr, text->len);
    copy[text->len] = 0;
    return copy;
}

// --- Phases ---------------------------------------------------------------------------------------

void copal_ask(copal_approach *approach, uint8_t columns) {
    approach->ask.is_some = true;
    approach->ask.val = columns;
}

void copal_rule(copal_approach *approach, const char *rule) {
    size_t count = approach->rules.len + 1;
    approach->rules.ptr = realloc(approach->rules.ptr, count * sizeof *approach->rules.ptr);
    hook_string_dup(&approach->rules.ptr[count - 1], rule);
    approach->rules.len = count;
}

void copal_free(exports_copal_hooks_filter_batch_t *batch) {
    hook_list_u8_free(&batch->paths);
    hook_list_u8_free(&batch->ends);
    hook_list_u8_free(&batch->kinds);
    hook_list_u8_free(&batch->sizes);
    hook_list_u8_free(&batch->mtimes);
}

const char *copal_outcome(copal_report report) {
    static const char *const names[] = {"succeeded", "warned", "failed", "interrupted", "abandoned"};
    return names[copal_hooks_report_method_report_outcome(report)];
}

char *copal_snapshot(copal_report report) {
    hook_string_t snapshot;
    if (!copal_hooks_report_method_report_snapshot(report, &snapshot)) return NULL;
    char *text = copal_text_of(&snapshot);
    hook_string_free(&snapshot);
    return text;
}

uint64_t copal_counter(copal_report report, const char *name) {
    hook_string_t counter;
    hook_string_set(&counter, name);
    uint64_t value = 0;
    return copal_hooks_report_method_report_counter(report, &counter, &value) ? value : 0;
}

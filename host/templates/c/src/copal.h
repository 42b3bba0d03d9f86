// What every hook needs: its config, the unpacking of batches, errors that Copal understands, log lines
// and requests. There is nothing of your hook in here. What else Copal offers is in bindings/hook.h.
#ifndef COPAL_H
#define COPAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../bindings/hook.h"

// --- Errors ---------------------------------------------------------------------------------------

// A function that can fail answers false and has filled its error.
typedef copal_hooks_types_error_t copal_error;

// For a config, or a name in it, that can't be understood. Answers false.
bool copal_invalid(copal_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

// For what was tried and failed. Answers false.
bool copal_failed(copal_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

// For a request that was not granted. Answers false.
bool copal_denied(copal_error *error, const char *capability, const char *requested);

// --- Log ------------------------------------------------------------------------------------------

// What is printed to standard output and standard error is logged too, and so is what `assert` says.
void copal_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void copal_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

// --- Config ---------------------------------------------------------------------------------------

typedef struct {
    char **items;
    size_t *lengths;
    size_t count;
} copal_texts;

// One key of the hook's `config` table: `into` is a `char *`, a `uint64_t`, a `bool` or a `copal_texts`,
// which is only written where the key is there. The last of a list has no name.
typedef struct {
    const char *name;
    enum { COPAL_TEXT, COPAL_NUMBER, COPAL_BOOL, COPAL_TEXTS } type;
    void *into;
} copal_option;

// Reads the config. An unknown key and a wrong type are errors.
bool copal_config(const copal_option *options, copal_error *error);

// --- Text -----------------------------------------------------------------------------------------

// Text that grows; starts as {0}.
typedef struct {
    char *bytes;
    size_t length;
} copal_text;

void copal_append(copal_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

// Appends a text as JSON, in quotes; NULL becomes `null`.
void copal_append_json(copal_text *text, const char *value);

// A text of the bindings as one of C's, which the caller frees.
char *copal_text_of(const hook_string_t *text);

// --- HTTP -----------------------------------------------------------------------------------------

typedef struct {
    uint16_t status;
    copal_text body;
} copal_response;

// Sends a request and waits for the answer, whatever its status. Copal follows no redirect.
bool copal_http(const char *method, const char *url, const char *content_type, const copal_text *body,
                copal_response *response, copal_error *error);

// Sends JSON. An answer that does not mean success is an error.
bool copal_post(const char *url, const copal_text *json, copal_error *error);

// --- Phase `filter` -------------------------------------------------------------------------------

typedef enum {
    COPAL_SKIP = 0,         // leave it out; what is in a directory is still asked about
    COPAL_KEEP = 1,         // take it
    COPAL_SKIP_SUBTREE = 2, // leave it out with everything in it
    COPAL_KEEP_SUBTREE = 3, // take it with everything in it, without asking about that
} copal_verdict;

typedef enum { COPAL_FILE, COPAL_DIRECTORY, COPAL_SYMLINK, COPAL_OTHER } copal_kind;

// Columns that a filter can ask for, beside the paths.
enum {
    COPAL_KINDS = EXPORTS_COPAL_HOOKS_FILTER_COLUMNS_KINDS,
    COPAL_SIZES = EXPORTS_COPAL_HOOKS_FILTER_COLUMNS_SIZES,
    COPAL_MTIMES = EXPORTS_COPAL_HOOKS_FILTER_COLUMNS_MTIMES,
};

// A path to decide about. What was not asked for is 0.
typedef struct {
    const char *path; // not always UTF-8; a zero byte follows it
    size_t length;
    copal_kind kind;
    uint64_t size;
    int64_t mtime; // in nanoseconds since 1970
} copal_entry;

typedef exports_copal_hooks_filter_approach_t copal_approach;

// Has Copal ask about every path, with these columns.
void copal_ask(copal_approach *approach, uint8_t columns);

// Adds a filter rule of rclone, which comes before the asking: `- /cache/**`.
void copal_rule(copal_approach *approach, const char *rule);

// Gives back what a batch takes.
void copal_free(exports_copal_hooks_filter_batch_t *batch);

// Exports a filter: `bool start(copal_approach *, copal_error *)`, which is called once, and
// `copal_verdict decide(const copal_entry *)`.
#define COPAL_FILTER(start, decide)                                                                    \
    bool exports_copal_hooks_filter_start(copal_approach *approach, copal_error *error) {              \
        memset(approach, 0, sizeof *approach);                                                         \
        return start(approach, error);                                                                 \
    }                                                                                                  \
    bool exports_copal_hooks_filter_decide(exports_copal_hooks_filter_batch_t *batch,                  \
                                           hook_list_u8_t *verdicts, copal_error *error) {             \
        (void)error;                                                                                   \
        verdicts->ptr = malloc(batch->count);                                                          \
        verdicts->len = batch->count;                                                                  \
        const char *path = (const char *)batch->paths.ptr;                                             \
        for (size_t row = 0; row < batch->count; row++) {                                              \
            uint32_t end;                                                                              \
            memcpy(&end, batch->ends.ptr + 4 * row, 4);                                                \
            copal_entry entry = {.path = path};                                                        \
            entry.length = (size_t)((const char *)batch->paths.ptr + end - path);                      \
            if (batch->kinds.len) entry.kind = (copal_kind)batch->kinds.ptr[row];                      \
            if (batch->sizes.len) memcpy(&entry.size, batch->sizes.ptr + 8 * row, 8);                  \
            if (batch->mtimes.len) memcpy(&entry.mtime, batch->mtimes.ptr + 8 * row, 8);               \
            verdicts->ptr[row] = (uint8_t)decide(&entry);                                              \
            path += entry.length + 1;                                                                  \
        }                                                                                              \
        copal_free(batch);                                                                             \
        return true;                                                                                   \
    }

// --- Phases `post-backup` and `post-restore` ------------------------------------------------------

typedef copal_hooks_report_borrow_report_t copal_report;

const char *copal_outcome(copal_report report);

// The identifier of the snapshot, which the caller frees; NULL where none was sealed.
char *copal_snapshot(copal_report report);

// A figure by its name; 0 where it is unknown.
uint64_t copal_counter(copal_report report, const char *name);

// Exports `bool run(copal_report, copal_error *)`.
#define COPAL_POST_BACKUP(run)                                                                         \
    bool exports_copal_hooks_post_backup_run(copal_report report, copal_error *error) {                \
        bool fine = run(report, error);                                                                \
        copal_hooks_report_report_drop_borrow(report);                                                 \
        return fine;                                                                                   \
    }

// The same of the phase after a restore in place, where wit/hook.wit says `export post-restore;`.
#define COPAL_POST_RESTORE(run)                                                                        \
    bool exports_copal_hooks_post_restore_run(copal_report report, copal_error *error) {               \
        bool fine = run(report, error);                                                                \
        copal_hooks_report_report_drop_borrow(report);                                                 \
        return fine;                                                                                   \
    }

#endif

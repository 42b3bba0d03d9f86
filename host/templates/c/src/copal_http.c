// Requests through wasi:http.
#include "copal.h"

#include <ctype.h>

// The most that `blocking-write-and-flush` takes at once.
#define CHUNK 4096

// A URL in the parts that a request is made of.
typedef struct {
    bool secure;
    const char *authority;
    size_t authority_length;
    const char *path;
} parts;

static bool parse(const char *url, parts *parts, copal_error *error) {
    const char *rest = strstr(url, "://");
    size_t scheme = rest ? (size_t)(rest - url) : 0;
    parts->secure = scheme == 5 && !memcmp(url, "https", 5);
    if (parts->secure || (scheme == 4 && !memcmp(url, "http", 4))) {
        parts->authority = rest + 3;
        parts->authority_length = strcspn(parts->authority, "/?#");
        parts->path = parts->authority + parts->authority_length;
        if (parts->authority_length && !memchr(parts->authority, '@', parts->authority_length)) return true;
    }
    return copal_invalid(error, "the URL is none of http or https, without a user in it");
}

// Method and origin, which is what may be shown of a URL, as grants have it: behind it there can be a secret.
static char *describe(const char *method, const parts *parts) {
    copal_text text = {0};
    copal_append(&text, "%s %s://", method, parts->secure ? "https" : "http");
    size_t host = text.length;
    copal_append(&text, "%.*s", (int)parts->authority_length, parts->authority);
    for (char *byte = text.bytes + host; *byte; byte++) *byte = (char)tolower(*byte);
    const char *usual = parts->secure ? ":443" : ":80";
    size_t length = strlen(usual);
    if (parts->authority_length > length && !strcmp(text.bytes + text.length - length, usual)) {
        text.bytes[text.length - length] = 0;
    }
    return text.bytes;
}

// The error of wasi:http as one of Copal's.
static bool explain(copal_error *error, const char *about, const wasi_http_types_error_code_t *code) {
    switch (code->tag) {
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED:
        return copal_denied(error, "http", about);
    case WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR:
        if (!code->val.internal_error.is_some) break;
        // Copal's own words, which begin with the origin.
        return copal_failed(error, "%.*s", (int)code->val.internal_error.val.len,
                            (const char *)code->val.internal_error.val.ptr);
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_REFUSED:
        return copal_failed(error, "%s: the connection was refused", about);
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_NOT_FOUND:
        return copal_failed(error, "%s: no such host", about);
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_TIMEOUT:
        return copal_failed(error, "%s: no answer came in time", about);
    default:
        break;
    }
    return copal_failed(error, "%s: wasi:http error %d", about, code->tag);
}

static wasi_http_types_own_fields_t fields_with(const char *content_type) {
    wasi_http_types_own_fields_t fields = wasi_http_types_constructor_fields();
    if (content_type) {
        hook_string_t name;
        hook_string_set(&name, "content-type");
        wasi_http_types_field_value_t value = {(uint8_t *)content_type, strlen(content_type)};
        wasi_http_types_header_error_t refused;
        wasi_http_types_method_fields_append(wasi_http_types_borrow_fields(fields), &name, &value, &refused);
    }
    return fields;
}

static wasi_http_types_own_outgoing_request_t request_for(const char *method, const parts *parts,
                                                          const char *content_type) {
    static const char *const methods[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                          "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    wasi_http_types_own_outgoing_request_t request =
        wasi_http_types_constructor_outgoing_request(fields_with(content_type));
    wasi_http_types_borrow_outgoing_request_t borrowed = wasi_http_types_borrow_outgoing_request(request);

    wasi_http_types_method_t named = {.tag = 0};
    while (named.tag < WASI_HTTP_TYPES_METHOD_OTHER && strcmp(methods[named.tag], method)) named.tag++;
    if (named.tag == WASI_HTTP_TYPES_METHOD_OTHER) hook_string_set(&named.val.other, method);
    wasi_http_types_method_outgoing_request_set_method(borrowed, &named);

    wasi_http_types_scheme_t scheme = {.tag = parts->secure};
    wasi_http_types_method_outgoing_request_set_scheme(borrowed, &scheme);
    hook_string_t authority = {(uint8_t *)parts->authority, parts->authority_length};
    wasi_http_types_method_outgoing_request_set_authority(borrowed, &authority);

    copal_text path = {0};
    copal_append(&path, "%s%.*s", *parts->path == '/' ? "" : "/", (int)strcspn(parts->path, "#"), parts->path);
    hook_string_t path_with_query = {(uint8_t *)path.bytes, path.length};
    wasi_http_types_method_outgoing_request_set_path_with_query(borrowed, &path_with_query);
    free(path.bytes);
    return request;
}

static void write_body(wasi_http_types_own_outgoing_body_t outgoing, const copal_text *body) {
    wasi_http_types_own_output_stream_t stream;
    wasi_http_types_method_outgoing_body_write(wasi_http_types_borrow_outgoing_body(outgoing), &stream);
    for (size_t start = 0; body && start < body->length; start += CHUNK) {
        size_t left = body->length - start;
        hook_list_u8_t chunk = {(uint8_t *)body->bytes + start, left < CHUNK ? left : CHUNK};
        wasi_io_streams_stream_error_t refused; // whoever does not want it says why in the answer
        if (!wasi_io_streams_method_output_stream_blocking_write_and_flush(
                wasi_io_streams_borrow_output_stream(stream), &chunk, &refused)) {
            wasi_io_streams_stream_error_free(&refused);
            break;
        }
    }
    wasi_io_streams_output_stream_drop_own(stream);
}

static bool read_body(wasi_http_types_own_incoming_response_t response, const char *about, copal_text *body,
                      copal_error *error) {
    wasi_http_types_own_incoming_body_t incoming;
    wasi_http_types_own_input_stream_t stream;
    if (!wasi_http_types_method_incoming_response_consume(wasi_http_types_borrow_incoming_response(response),
                                                          &incoming) ||
        !wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(incoming), &stream)) {
        return copal_failed(error, "%s: the answer could not be read", about);
    }
    *body = (copal_text){0};
    hook_list_u8_t chunk;
    wasi_io_streams_stream_error_t ended;
    while (wasi_io_streams_method_input_stream_blocking_read(wasi_io_streams_borrow_input_stream(stream),
                                                             1 << 16, &chunk, &ended)) {
        body->bytes = realloc(body->bytes, body->length + chunk.len + 1);
        memcpy(body->bytes + body->length, chunk.ptr, chunk.len);
        body->length += chunk.len;
        body->bytes[body->length] = 0;
        hook_list_u8_free(&chunk);
    }
    bool whole = ended.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED;
    wasi_io_streams_stream_error_free(&ended);
    wasi_io_streams_input_stream_drop_own(stream);
    wasi_http_types_incoming_body_drop_own(incoming);
    return whole || copal_failed(error, "%s: the answer was cut short", about);
}

static bool await(wasi_http_types_own_future_incoming_response_t future, const char *about,
                  wasi_http_types_own_incoming_response_t *response, copal_error *error) {
    wasi_http_types_borrow_future_incoming_response_t borrowed =
        wasi_http_types_borrow_future_incoming_response(future);
    wasi_io_poll_own_pollable_t ready =
        wasi_http_types_method_future_incoming_response_subscribe(borrowed);
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
    wasi_io_poll_pollable_drop_own(ready);

    wasi_http_types_result_result_own_incoming_response_error_code_void_t answer;
    if (!wasi_http_types_method_future_incoming_response_get(borrowed, &answer) || answer.is_err) {
        return copal_failed(error, "%s: the answer could not be had", about);
    }
    if (answer.val.ok.is_err) return explain(error, about, &answer.val.ok.val.err);
    *response = answer.val.ok.val.ok;
    return true;
}

bool copal_http(const char *method, const char *url, const char *content_type, const copal_text *body,
                copal_response *response, copal_error *error) {
    parts parts;
    if (!parse(url, &parts, error)) return false;
    char *about = describe(method, &parts);

    wasi_http_types_own_outgoing_request_t request = request_for(method, &parts, content_type);
    wasi_http_types_own_outgoing_body_t outgoing;
    wasi_http_types_method_outgoing_request_body(wasi_http_types_borrow_outgoing_request(request), &outgoing);
    wasi_http_types_own_future_incoming_response_t future;
    wasi_http_types_error_code_t code;
    if (!wasi_http_outgoing_handler_handle(request, NULL, &future, &code)) return explain(error, about, &code);
    write_body(outgoing, body);
    if (!wasi_http_types_static_outgoing_body_finish(outgoing, NULL, &code)) return explain(error, about, &code);

    wasi_http_types_own_incoming_response_t incoming;
    if (!await(future, about, &incoming, error)) return false;
    response->status =
        wasi_http_types_method_incoming_response_status(wasi_http_types_borrow_incoming_response(incoming));
    bool fine = read_body(incoming, about, &response->body, error);
    wasi_http_types_incoming_response_drop_own(incoming);
    wasi_http_types_future_incoming_response_drop_own(future);
    free(about);
    return fine;
}

bool copal_post(const char *url, const copal_text *json, copal_error *error) {
    copal_response response;
    if (!copal_http("POST", url, "application/json", json, &response, error)) return false;
    if (response.status < 200 || response.status >= 300) {
        parts parts;
        parse(url, &parts, error);
        return copal_failed(error, "%s answered %d: %.200s", describe("", &parts) + 1, response.status,
                            response.body.bytes ? response.body.bytes : "");
    }
    free(response.body.bytes);
    return true;
}

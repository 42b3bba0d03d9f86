// The C interface of rclone that Copal links: the four functions of rclone's own librclone, and
// what a program needs beside them. rclone's cmd/mount is left out on purpose (no mounts here), and
// so is lib/plugin, which would load any shared object that an environment variable points at.
package main

/*
#include <stdlib.h>

struct RcloneRPCResult {
	char *Output;
	int Status;
};

// All strings are UTF-8, end with NUL, and live for the length of the call.
typedef void (*RcloneLogCallback)(int level, const char *group, const char *object, const char *message);

static inline void call_log(RcloneLogCallback callback, int level, char *group, char *object, char *message) {
	callback(level, group, object, message);
}
*/
import "C"

import (
	"context"
	"log/slog"
	"unsafe"

	_ "copal/librclone/gate"

	_ "github.com/rclone/rclone/fs/operations"
	_ "github.com/rclone/rclone/fs/sync"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/log"
	"github.com/rclone/rclone/lib/atexit"
	"github.com/rclone/rclone/librclone/librclone"
)

//export RcloneInitialize
func RcloneInitialize() {
	// These come from RCLONE_ variables and would take over file descriptor 2 or the system's log.
	log.Opt.File = ""
	log.Opt.UseSyslog = false
	log.Opt.LogSystemdSupport = false
	librclone.Initialize()
}

//export RcloneFinalize
func RcloneFinalize() {
	librclone.Finalize()
}

//export RcloneRPC
func RcloneRPC(method, input *C.char) (result C.struct_RcloneRPCResult) {
	output, status := librclone.RPC(C.GoString(method), C.GoString(input))
	result.Output = C.CString(output)
	result.Status = C.int(status)
	return result
}

//export RcloneFreeString
func RcloneFreeString(str *C.char) {
	C.free(unsafe.Pointer(str))
}

// RcloneIgnoreSignals keeps rclone from taking over SIGINT and SIGTERM, which it otherwise does at
// its first copy. To be called before that.
//
//export RcloneIgnoreSignals
func RcloneIgnoreSignals() {
	atexit.IgnoreSignals()
}

// RcloneSetLogCallback sends rclone's log lines to callback, which may be called on any thread, in
// place of file descriptor 2. To be called after RcloneInitialize, which sets a logger of its own.
//
//export RcloneSetLogCallback
func RcloneSetLogCallback(callback C.RcloneLogCallback) {
	handler := logHandler{callback}
	fs.SetLogger(handler)
	slog.SetDefault(slog.New(handler))
}

type logHandler struct{ callback C.RcloneLogCallback }

func (h logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return log.Handler.Enabled(ctx, level)
}

func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	var object string
	record.Attrs(func(attr slog.Attr) bool {
		if attr.Key == "object" {
			object = attr.Value.String()
		}
		return object == ""
	})
	noticeClock(record.Message)
	group, _ := fs.StatsGroupFromContext(ctx)
	texts := [3]*C.char{C.CString(group), C.CString(object), C.CString(record.Message)}
	C.call_log(h.callback, C.int(record.Level), texts[0], texts[1], texts[2])
	for _, text := range texts {
		C.free(unsafe.Pointer(text))
	}
	return nil
}

func (h logHandler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h logHandler) WithGroup(string) slog.Handler      { return h }

func main() {}

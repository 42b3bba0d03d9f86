package main

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/rc"
	"github.com/rclone/rclone/lib/rest"
)

// charged counts calls to B2 that were answered without an error, by the class that each is charged as.
var charged struct {
	a, b, c atomic.Int64
	// missed is set where there was a remote whose calls can't be counted.
	missed atomic.Bool
}

func init() {
	rc.Add(rc.Call{
		Path:  "copal/take-charges",
		Fn:    takeCharges,
		Title: "What calls to B2 are charged as, since the last time that it was asked",
		Help: `Returns:

- charges - class_a, class_b, class_c: how many calls of each were answered without
  an error; null where not all could be counted

A listing is charged for each thousand files: rclone asks for as many at a time.`,
	})
	// No backend offers to have its calls counted, so that its clients are looked for.
	if info, err := fs.Find("b2"); err == nil {
		newFs := info.NewFs
		info.NewFs = func(ctx context.Context, name, root string, m configmap.Mapper) (fs.Fs, error) {
			f, err := newFs(ctx, name, root, m)
			if f != nil && (err == nil || errors.Is(err, fs.ErrorIsFile)) {
				charge("b2_authorize_account") // it has signed in already
				if !countCallsOf(f) {
					charged.missed.Store(true)
				}
			}
			return f, err
		}
	}
}

func takeCharges(context.Context, rc.Params) (rc.Params, error) {
	counts := rc.Params{
		"class_a": charged.a.Swap(0),
		"class_b": charged.b.Swap(0),
		"class_c": charged.c.Swap(0),
	}
	if charged.missed.Load() {
		return rc.Params{"charges": nil}, nil
	}
	return rc.Params{"charges": counts}, nil
}

// countCallsOf has the calls of a remote of B2 counted, if its client is where it is looked for.
func countCallsOf(f fs.Fs) bool {
	client, ok := field[rest.Client](f, "srv")
	if !ok {
		return false
	}
	return countCalls(client)
}

// countCalls has the calls of a client counted.
func countCalls(client *rest.Client) bool {
	through, ok := field[http.Client](client, "c")
	if ok {
		through.Transport = counting{through.Transport}
	}
	return ok
}

// field is what a field of a struct that is another package's points at.
func field[T any](of any, name string) (*T, bool) {
	value := reflect.ValueOf(of)
	if value.Kind() != reflect.Pointer || value.Elem().Kind() != reflect.Struct {
		return nil, false
	}
	found := value.Elem().FieldByName(name)
	if !found.IsValid() || found.Type() != reflect.TypeFor[*T]() || found.IsNil() {
		return nil, false
	}
	return (*T)(found.UnsafePointer()), true
}

type counting struct{ http.RoundTripper }

func (c counting) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(req)
	if err == nil && resp.StatusCode < http.StatusBadRequest {
		charge(callOf(req.URL.Path))
	}
	return resp, err
}

// callOf is the name of a call to B2. What is downloaded by its name lies below /file.
func callOf(path string) string {
	if strings.HasPrefix(path, "/file/") {
		return "b2_download_file_by_name"
	}
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "b2_") {
			return part
		}
	}
	return path
}

// charge goes by <https://www.backblaze.com/cloud-storage/transaction-pricing> (as of 2026). What it does
// not know is of the dearest class.
func charge(call string) {
	switch call {
	case "b2_cancel_large_file", "b2_delete_bucket", "b2_delete_file_version", "b2_delete_key",
		"b2_finish_large_file", "b2_get_upload_part_url", "b2_get_upload_url", "b2_hide_file",
		"b2_start_large_file", "b2_upload_file", "b2_upload_part":
		charged.a.Add(1)
	case "b2_download_file_by_id", "b2_download_file_by_name", "b2_get_file_info":
		charged.b.Add(1)
	default:
		charged.c.Add(1)
	}
}

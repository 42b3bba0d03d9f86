package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rclone/rclone/backend/b2/api"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/fserrors"
	"github.com/rclone/rclone/fs/fshttp"
	"github.com/rclone/rclone/lib/bucket"
	"github.com/rclone/rclone/lib/encoder"
	"github.com/rclone/rclone/lib/pacer"
	"github.com/rclone/rclone/lib/rest"
)

// b2 is a session with Backblaze B2, for what rclone's backend does not say or do: what a key may,
// and which large files were begun and never finished.
type b2 struct {
	srv   *rest.Client
	pacer *fs.Pacer
	info  api.AuthorizeAccountResponse
	// ids are those of the buckets that were looked for, by name.
	ids sync.Map
}

var (
	b2Mutex    sync.Mutex
	b2Sessions = map[string]*b2{}
)

// signInToB2 takes the session that there is, if it is fresh: signing in is a call that is charged.
func signInToB2(ctx context.Context, place store, anew bool) (*b2, error) {
	option := func(name string) string { value, _ := place.config.Get(name); return value }
	endpoint := option("endpoint")
	if endpoint == "" {
		endpoint = "https://api.backblazeb2.com"
	}
	key := endpoint + "\n" + option("account") + "\n" + option("key")
	b2Mutex.Lock()
	session := b2Sessions[key]
	b2Mutex.Unlock()
	if session != nil && !anew {
		return session, nil
	}
	session = &b2{
		srv: rest.NewClient(fshttp.NewClient(ctx)).SetErrorHandler(b2Error),
		pacer: fs.NewPacer(ctx, pacer.NewDefault(
			pacer.MinSleep(10*time.Millisecond), pacer.MaxSleep(time.Second), pacer.DecayConstant(1),
		)),
	}
	if !countCalls(session.srv) {
		charged.missed.Store(true)
	}
	err := session.call(ctx, &rest.Opts{
		Method: "GET", Path: "/b2api/v4/b2_authorize_account", RootURL: endpoint,
		UserName: option("account"), Password: option("key"),
	}, nil, &session.info)
	if err != nil {
		return nil, fmt.Errorf("failed to authorize account: %w", err)
	}
	session.srv.SetRoot(session.info.APIs.Storage.APIURL + "/b2api/v1")
	session.srv.SetHeader("Authorization", session.info.AuthorizationToken)
	b2Mutex.Lock()
	b2Sessions[key] = session
	b2Mutex.Unlock()
	return session, nil
}

func (s *b2) post(ctx context.Context, name string, request, response any) error {
	return s.call(ctx, &rest.Opts{Method: "POST", Path: "/" + name}, request, response)
}

func (s *b2) call(ctx context.Context, opts *rest.Opts, request, response any) error {
	var last error
	err := s.pacer.Call(func() (bool, error) {
		resp, err := s.srv.CallJSON(ctx, opts, request, response)
		if ctx.Err() != nil {
			return false, err
		}
		last = err
		again := []int{
			http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		}
		return fserrors.ShouldRetry(err) || fserrors.ShouldRetryHTTP(resp, again), err
	})
	if err != nil && ctx.Err() != nil && last != nil {
		return last // what kept it from an answer says more than that the time is up
	}
	return err
}

func b2Error(resp *http.Response) error {
	failure := new(api.Error)
	body, err := rest.ReadBody(resp)
	if err != nil || json.Unmarshal(body, failure) != nil || failure.Code == "" {
		return &api.Error{Status: resp.StatusCode, Code: "unknown", Message: resp.Status}
	}
	return failure
}

func (s *b2) may(capability string) bool {
	return slices.Contains(s.info.APIs.Storage.Allowed.Capabilities, capability)
}

// bucket looks for a bucket; nil where there is none. A key that may not list buckets is told the ID of
// its own.
func (s *b2) bucket(ctx context.Context, name string) (*api.Bucket, error) {
	request := api.ListBucketsRequest{AccountID: s.info.AccountID, BucketName: name}
	for _, allowed := range s.info.APIs.Storage.Allowed.Buckets {
		if allowed.Name == name {
			request.BucketID, request.BucketName = allowed.ID, ""
		}
	}
	if !s.may("listBuckets") {
		if request.BucketID == "" {
			return nil, errors.New("the key may not list buckets (401 unauthorized)")
		}
		return &api.Bucket{ID: request.BucketID, Name: name}, nil
	}
	var reply api.ListBucketsResponse
	if err := s.post(ctx, "b2_list_buckets", &request, &reply); err != nil {
		return nil, err
	}
	if len(reply.Buckets) == 0 {
		return nil, nil
	}
	s.ids.Store(name, reply.Buckets[0].ID)
	return &reply.Buckets[0], nil
}

// bucketID asks for a bucket's ID once; it is empty where there is no such bucket.
func (s *b2) bucketID(ctx context.Context, name string) (string, error) {
	if id, known := s.ids.Load(name); known {
		return id.(string), nil
	}
	found, err := s.bucket(ctx, name)
	if err != nil || found == nil {
		return "", err
	}
	return found.ID, nil
}

// encodingOf is how a place's names are written in B2.
func encodingOf(place store) (encoding encoder.MultiEncoder, err error) {
	if value, ok := place.config.Get("encoding"); ok {
		err = encoding.Set(value)
	}
	return encoding, err
}

// endUnfinished cancels large files that were begun below the path of a place, which has to be a
// directory in a bucket, and were never finished. Those that are younger than age stay. It returns how
// many it ended.
func (s *b2) endUnfinished(ctx context.Context, place store, age time.Duration) (int, error) {
	bucketName, directory := bucket.Split(strings.Trim(place.path, "/"))
	if bucketName == "" || directory == "" || !place.exact {
		return 0, nil
	}
	bucketID, err := s.bucketID(ctx, bucketName)
	if err != nil || bucketID == "" {
		return 0, err
	}
	encoding, err := encodingOf(place)
	if err != nil {
		return 0, err
	}
	prefix := encoding.FromStandardPath(directory) + "/"
	ended, start := 0, ""
	for {
		request := listUnfinished{BucketID: bucketID, NamePrefix: prefix, StartFileID: start, MaxFileCount: 100}
		var reply unfinishedFiles
		if err := s.post(ctx, "b2_list_unfinished_large_files", &request, &reply); err != nil {
			return ended, err
		}
		for _, file := range reply.Files {
			if !strings.HasPrefix(file.Name, prefix) || time.Since(time.Time(file.UploadTimestamp)) < age {
				continue
			}
			cancel := api.CancelLargeFileRequest{ID: file.ID}
			var done api.CancelLargeFileResponse
			if err := s.post(ctx, "b2_cancel_large_file", &cancel, &done); err != nil {
				return ended, fmt.Errorf("%s: %w", file.Name, err)
			}
			ended++
		}
		if reply.NextFileID == nil {
			return ended, nil
		}
		start = *reply.NextFileID
	}
}

type listUnfinished struct {
	BucketID     string `json:"bucketId"`
	NamePrefix   string `json:"namePrefix"`
	StartFileID  string `json:"startFileId,omitempty"`
	MaxFileCount int    `json:"maxFileCount"`
}

type unfinishedFiles struct {
	Files      []api.File `json:"files"`
	NextFileID *string    `json:"nextFileId"`
}

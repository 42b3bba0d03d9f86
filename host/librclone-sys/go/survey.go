package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rclone/rclone/backend/b2/api"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/object"
	"github.com/rclone/rclone/fs/rc"
	"github.com/rclone/rclone/lib/bucket"
	"github.com/rclone/rclone/lib/random"
)

// The longest that a place may take to answer, in all.
const surveyTime = 12 * time.Second

func init() {
	rc.Add(rc.Call{
		Path:  "copal/survey",
		Fn:    rcSurvey,
		Title: "What stands in the way of a backup to a remote",
		Help: `This takes the following parameters:

- fs - a remote name string e.g. "crypt:path"
- write - whether files are to be written: where nothing else tells that they can
  be, a small one is put down and removed

Returns:

- places - a list of what is behind the remote, each an object with
  - backend, path - as in rclone's configuration
  - exact - whether names below path are stored as they are
  - missing - whether the bucket is not there
  - key - for B2: capabilities, prefix, buckets (null: any), hard_delete
  - hiding - for B2: lifecycle rules that hide files: prefix, days
- clocks - servers whose clock differs from ours by more than five minutes,
  each told once: host, difference

A place that does not answer within 12 seconds is an error. What is local is not
looked at.`,
	})
	rc.Add(rc.Call{
		Path:  "copal/end-unfinished",
		Fn:    rcEndUnfinished,
		Title: "Cancel uploads of large files that were begun and never finished",
		Help: `This takes the following parameters:

- fs - a directory of a remote
- seconds - only those that were begun at least so long ago

Returns:

- ended - how many

It looks below that directory alone. Only B2 and S3 are asked: no other remote is
left with any that rclone does not end itself.`,
	})
}

func rcSurvey(ctx context.Context, in rc.Params) (rc.Params, error) {
	remote, err := in.GetString("fs")
	if err != nil {
		return nil, err
	}
	write, err := in.GetBool("write")
	if err != nil {
		return nil, err
	}
	found, err := stores(remote, true, 0)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, surveyTime)
	defer cancel()
	places := []rc.Params{}
	for _, place := range found {
		told, err := within(ctx, func() (rc.Params, error) { return survey(ctx, place, write) })
		if err != nil {
			return nil, err
		}
		told["backend"], told["path"], told["exact"] = place.info.Name, place.path, place.exact
		places = append(places, told)
	}
	return rc.Params{"places": places, "clocks": takeClocks()}, nil
}

// within waits for no longer than ctx lasts: not every backend looks at it.
func within[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := ask()
		answers <- answer{value, err}
	}()
	select {
	case it := <-answers:
		return it.value, it.err
	case <-ctx.Done():
	}
	// One that does look at it is about to say what kept it.
	select {
	case it := <-answers:
		return it.value, it.err
	case <-time.After(time.Second):
		var none T
		return none, fmt.Errorf("no answer within %v: %w", surveyTime, ctx.Err())
	}
}

func survey(ctx context.Context, place store, write bool) (rc.Params, error) {
	switch place.info.Name {
	case "local":
		return rc.Params{}, nil
	case "b2":
		return surveyB2(ctx, place, write)
	}
	// An instance of its own, which does not try for minutes.
	ctx, config := fs.AddConfig(ctx)
	config.LowLevelRetries = min(config.LowLevelRetries, 3)
	path := place.path
	if path != "" && !strings.HasSuffix(path, "/") {
		path += "/" // a directory: without it S3 asks whether it is a file
	}
	f, err := place.info.NewFs(ctx, place.name, path, place.config)
	if errors.Is(err, fs.ErrorIsFile) {
		err = nil // whoever writes there is told
	}
	if err != nil || f == nil {
		return rc.Params{}, err
	}
	_, err = f.List(ctx, "")
	inBucket := f.Features().BucketBased && strings.Trim(path, "/") != ""
	switch {
	case errors.Is(err, fs.ErrorDirNotFound) && inBucket:
		return rc.Params{"missing": true}, nil
	case errors.Is(err, fs.ErrorDirNotFound):
	case err != nil:
		return nil, err
	}
	if write && strings.Trim(path, "/") != "" {
		err = tryToWrite(ctx, f)
	}
	return rc.Params{}, err
}

// tryToWrite puts a small file down and takes it away.
func tryToWrite(ctx context.Context, f fs.Fs) error {
	if err := f.Mkdir(ctx, ""); err != nil {
		return fmt.Errorf("can't make the directory: %w", err)
	}
	text := []byte("copal")
	name := ".copal-trial-" + random.String(12)
	about := object.NewStaticObjectInfo(name, time.Now(), int64(len(text)), true, nil, f)
	written, err := f.Put(ctx, bytes.NewReader(text), about)
	if err != nil {
		return fmt.Errorf("can't write a file: %w", err)
	}
	if err := written.Remove(ctx); err != nil {
		return fmt.Errorf("can't remove a file (`%s`): %w", name, err)
	}
	return nil
}

func surveyB2(ctx context.Context, place store, write bool) (rc.Params, error) {
	session, err := signInToB2(ctx, place, true)
	if err != nil {
		return nil, err
	}
	allowed := session.info.APIs.Storage.Allowed
	buckets := []string(nil)
	for _, one := range allowed.Buckets {
		buckets = append(buckets, one.Name)
	}
	prefix, _ := allowed.NamePrefix.(string)
	hardDelete, _ := place.config.Get("hard_delete")
	told := rc.Params{"key": rc.Params{
		"capabilities": allowed.Capabilities, "prefix": prefix, "buckets": buckets,
		"hard_delete": hardDelete == "true",
	}}
	name, _ := bucket.Split(strings.Trim(place.path, "/"))
	isOurs := buckets == nil && session.may("listBuckets")
	for _, one := range buckets {
		isOurs = isOurs || one == name
	}
	if name == "" || !isOurs {
		return told, nil
	}
	found, err := session.bucket(ctx, name)
	if err != nil {
		return nil, err
	}
	if found == nil {
		told["missing"] = true
		return told, nil
	}
	told["hiding"] = hiding(found.LifecycleRules)
	if write && session.may("writeFiles") {
		// Where a cap is reached, it is refused; it is free, and leaves nothing.
		var reply api.GetUploadURLResponse
		err = session.post(ctx, "b2_get_upload_url", &api.GetUploadURLRequest{BucketID: found.ID}, &reply)
	}
	return told, err
}

func hiding(rules []api.LifecycleRule) []rc.Params {
	told := []rc.Params{}
	for _, rule := range rules {
		if days := rule.DaysFromUploadingToHiding; days != nil && *days > 0 {
			told = append(told, rc.Params{"prefix": rule.FileNamePrefix, "days": *days})
		}
	}
	return told
}

func rcEndUnfinished(ctx context.Context, in rc.Params) (rc.Params, error) {
	remote, err := in.GetString("fs")
	if err != nil {
		return nil, err
	}
	seconds, err := in.GetInt64("seconds")
	if err != nil {
		return nil, err
	}
	found, err := stores(remote, true, 0)
	if err != nil {
		return nil, err
	}
	ended := 0
	for _, place := range found {
		if place.info.Name != "b2" && place.info.Name != "s3" {
			continue
		}
		if !place.exact && len(found) == 1 {
			if place.path, place.exact, err = storedPath(ctx, remote); err != nil {
				return nil, err
			}
		}
		if place.info.Name == "s3" {
			number, err := endUnfinishedOnS3(ctx, place, time.Duration(seconds)*time.Second)
			ended += number
			if err != nil {
				return nil, err
			}
			continue
		}
		session, err := signInToB2(ctx, place, false)
		if err != nil {
			return nil, err
		}
		number, err := session.endUnfinished(ctx, place, time.Duration(seconds)*time.Second)
		ended += number
		if err != nil {
			return nil, err
		}
	}
	return rc.Params{"ended": ended}, nil
}

var (
	clocksMutex sync.Mutex
	clocks      = map[string]string{}
	clockLine   = regexp.MustCompile(`^Time may be set wrong - time from "([^"]+)" is (-?[0-9hms.]+) different`)
)

// noticeClock keeps what rclone says of a server's clock: it compares each server's once, and tells
// nobody but its log.
func noticeClock(line string) {
	if parts := clockLine.FindStringSubmatch(line); parts != nil {
		clocksMutex.Lock()
		defer clocksMutex.Unlock()
		clocks[parts[1]] = parts[2]
	}
}

func takeClocks() []rc.Params {
	clocksMutex.Lock()
	defer clocksMutex.Unlock()
	told := []rc.Params{}
	for host, difference := range clocks {
		if parsed, err := time.ParseDuration(difference); err == nil {
			told = append(told, rc.Params{"host": host, "seconds": int64(parsed.Seconds())})
		}
	}
	clear(clocks)
	return told
}

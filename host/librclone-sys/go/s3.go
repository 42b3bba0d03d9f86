package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/lib/bucket"
)

// endUnfinishedOnS3 does for S3 what endUnfinished does for B2. rclone cleans up by the beginning of names,
// with nothing after it: below "app" it would take "app-2" as well. So it is told of one directory or file
// below ours at a time, whose name goes on after a slash.
func endUnfinishedOnS3(ctx context.Context, place store, age time.Duration) (int, error) {
	bucketName, directory := bucket.Split(strings.Trim(place.path, "/"))
	if bucketName == "" || directory == "" || !place.exact {
		return 0, nil
	}
	old := map[string]int{}
	listed, err := commandS3(ctx, place, place.path, "list-multipart-uploads", nil)
	if err != nil {
		return 0, err
	}
	// What it answers is of a type of the backend's.
	text, err := json.Marshal(listed)
	if err != nil {
		return 0, err
	}
	var uploads map[string][]struct {
		Key       string
		Initiated time.Time
	}
	if err := json.Unmarshal(text, &uploads); err != nil {
		return 0, fmt.Errorf("can't read the list of unfinished uploads: %w", err)
	}
	for _, upload := range uploads[bucketName] {
		below, isOurs := strings.CutPrefix(upload.Key, directory+"/")
		if first, _, _ := strings.Cut(below, "/"); isOurs && first != "" && time.Since(upload.Initiated) >= age {
			old[first]++
		}
	}
	ended := 0
	for first, number := range old {
		path := strings.TrimSuffix(place.path, "/") + "/" + first
		_, err := commandS3(ctx, place, path, "cleanup", map[string]string{"max-age": age.String()})
		if err != nil {
			return ended, err
		}
		ended += number
	}
	return ended, nil
}

// commandS3 has the backend do one of its own commands at a path.
func commandS3(ctx context.Context, place store, path, name string, options map[string]string) (any, error) {
	f, err := place.info.NewFs(ctx, place.name, strings.TrimSuffix(path, "/")+"/", place.config)
	if err != nil {
		return nil, err
	}
	commander, ok := f.(fs.Commander)
	if !ok {
		return nil, fmt.Errorf("the backend of %s has no commands", place.name)
	}
	return commander.Command(ctx, name, nil, options)
}

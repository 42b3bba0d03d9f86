package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	backend "github.com/rclone/rclone/backend/b2"
	"github.com/rclone/rclone/backend/b2/api"
	"github.com/rclone/rclone/backend/crypt"
	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/operations"
	"github.com/rclone/rclone/fs/rc"
	"github.com/rclone/rclone/fs/walk"
	"github.com/rclone/rclone/lib/bucket"
)

func init() {
	rc.Add(rc.Call{
		Path:  "copal/remove",
		Fn:    rcRemove,
		Title: "Remove files of a directory, with all their versions",
		Help: `This takes the following parameters:

- fs - a remote name string e.g. "b2:bucket"
- remote - a directory in it
- names - a file with the names of files below that, each ended by a NUL
- last - a list of names that go when all others are gone, one after the other

Returns:

- files - how many were removed
- bytes - what they held
- left - the first names of what lies there and was not to go
- left_count - how many these are
- failed - the first names of what could not be removed
- failed_count - how many these are
- error - why not, of the first

What is not there is passed over. Directories that held such files and are empty
then go as well. On B2, and on what is encrypted there, every version of a file goes,
and so does what was hidden before: rclone itself would hide files, which then are
stored and paid for as before.`,
	})
}

const namesTold = 20

func rcRemove(ctx context.Context, in rc.Params) (rc.Params, error) {
	f, err := rc.GetFsNamed(ctx, in, "fs")
	if err != nil {
		return nil, err
	}
	dir, err := in.GetString("remote")
	if err != nil {
		return nil, err
	}
	list, err := in.GetString("names")
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	r := &removal{dir: dir, wanted: map[string]bool{}, left: []string{}, failed: []string{}}
	for name := range bytes.SplitSeq(bytes.TrimSuffix(text, []byte{0}), []byte{0}) {
		if len(name) > 0 {
			r.wanted[string(name)] = true
		}
	}
	if err := in.GetStruct("last", &r.last); err != nil {
		return nil, err
	}
	remote, err := in.GetString("fs")
	if err != nil {
		return nil, err
	}
	place, isB2, err := inB2(remote, f)
	if err != nil {
		return nil, err
	}
	if isB2 {
		err = r.versions(ctx, place, f)
	} else {
		err = r.objects(ctx, f)
	}
	if err != nil {
		return nil, err
	}
	out := rc.Params{
		"files": r.files, "bytes": r.bytes,
		"left": r.left[:min(len(r.left), namesTold)], "left_count": len(r.left),
		"failed": r.failed[:min(len(r.failed), namesTold)], "failed_count": len(r.failed),
	}
	if r.first != nil {
		out["error"] = r.first.Error()
	}
	return out, nil
}

// removal is what is to go, and what became of it.
type removal struct {
	dir    string
	wanted map[string]bool
	last   []string

	mu           sync.Mutex
	files, bytes int64
	left, failed []string
	first        error
}

func (r *removal) isLast(name string) bool { return slices.Contains(r.last, name) }

func (r *removal) leave(name string) { r.left = append(r.left, name) }

func (r *removal) ended(name string, size int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failed = append(r.failed, name)
		if r.first == nil {
			r.first = err
		}
		return
	}
	r.files++
	r.bytes += max(size, 0)
}

// each does something for every name, several at a time, and for the last ones one after the other
// where all before went well.
func (r *removal) each(ctx context.Context, names []string, remove func(name string) (int64, error)) error {
	slices.Sort(names)
	names = slices.Compact(names)
	var wait sync.WaitGroup
	turns := make(chan struct{}, max(fs.GetConfig(ctx).Checkers, 1))
	for _, name := range names {
		if r.isLast(name) {
			continue
		}
		turns <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wait.Go(func() {
			defer func() { <-turns }()
			size, err := remove(name)
			r.ended(name, size, err)
		})
	}
	wait.Wait()
	for _, name := range r.last {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(r.failed) > 0 {
			return nil
		}
		if slices.Contains(names, name) {
			size, err := remove(name)
			r.ended(name, size, err)
		}
	}
	return ctx.Err()
}

// objects removes files by rclone's own means.
func (r *removal) objects(ctx context.Context, f fs.Fs) error {
	var names, dirs []string
	there := map[string]fs.Object{}
	below := func(remote string) string { return strings.TrimPrefix(remote, r.dir+"/") }
	err := walk.ListR(ctx, f, r.dir, true, -1, walk.ListAll, func(entries fs.DirEntries) error {
		for _, entry := range entries {
			name := below(entry.Remote())
			object, ok := entry.(fs.Object)
			switch {
			case !ok:
				dirs = append(dirs, name)
			case r.wanted[name] || r.isLast(name):
				there[name] = object
				names = append(names, name)
			default:
				r.leave(name)
			}
		}
		return nil
	})
	// One below it may have gone while it was listed: then there is more than was told.
	told := len(names) + len(dirs) + len(r.left)
	if errors.Is(err, fs.ErrorDirNotFound) && told == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	err = r.each(ctx, names, func(name string) (int64, error) {
		object := there[name]
		size := object.Size()
		err := operations.DeleteFile(ctx, object)
		if errors.Is(err, fs.ErrorObjectNotFound) {
			err = nil
		}
		return size, err
	})
	if err != nil || len(r.failed) > 0 || !f.Features().CanHaveEmptyDirectories {
		return err
	}
	return r.directories(ctx, f, dirs)
}

// directories removes those that held what was removed and hold nothing else.
func (r *removal) directories(ctx context.Context, f fs.Fs, dirs []string) error {
	ours, kept := map[string]bool{"": true}, map[string]bool{}
	above := func(name string, set map[string]bool) {
		for name != "." && name != "" {
			name = path.Dir(name)
			if name == "." {
				name = ""
			}
			set[name] = true
		}
	}
	for name := range r.wanted {
		above(name, ours)
	}
	for _, name := range r.last {
		above(name, ours)
	}
	for _, name := range r.left {
		above(name, kept)
	}
	for _, dir := range dirs {
		if !ours[dir] {
			kept[dir] = true
			above(dir, kept)
		}
	}
	// The deepest first: what is below a directory is longer than it.
	slices.SortFunc(dirs, func(a, b string) int { return len(b) - len(a) })
	for _, dir := range append(dirs, "") {
		if kept[dir] {
			continue
		}
		err := f.Rmdir(ctx, path.Join(r.dir, dir))
		if err != nil && !errors.Is(err, fs.ErrorDirNotFound) {
			r.ended(dir+"/", 0, err)
		}
	}
	return ctx.Err()
}

// inB2 is the place in B2 that a remote is, or that lies below its encryption.
func inB2(remote string, f fs.Fs) (store, bool, error) {
	found, err := stores(remote, true, 0)
	if err != nil || len(found) != 1 || found[0].info.Name != "b2" {
		return store{}, false, err
	}
	for {
		encrypted, ok := f.(*crypt.Fs)
		if !ok {
			break
		}
		f = encrypted.UnWrap()
	}
	// Another wrapper may store one file as several, or has paths of its own.
	if _, plain := f.(*backend.Fs); !plain {
		return store{}, false, nil
	}
	place := found[0]
	place.path = f.Root()
	return place, true, nil
}

// storedName is the path that a file has below the place in B2.
func storedName(f fs.Fs, name string) string {
	for {
		encrypted, ok := f.(*crypt.Fs)
		if !ok {
			return name
		}
		name = encrypted.EncryptFileName(name)
		f = encrypted.UnWrap()
	}
}

// storedDir is the same of a directory, which is encrypted as those of a file's path are.
func storedDir(f fs.Fs, dir string) string { return path.Dir(storedName(f, dir+"/file")) }

// versions removes every version of the files, and what was hidden before.
func (r *removal) versions(ctx context.Context, place store, f fs.Fs) error {
	session, err := signInToB2(ctx, place, false)
	if err != nil {
		return err
	}
	encoding, err := encodingOf(place)
	if err != nil {
		return err
	}
	bucketName, directory := bucket.Split(path.Join(place.path, storedDir(f, r.dir)))
	if bucketName == "" || directory == "" {
		return errors.New("that is no directory in a bucket")
	}
	id, err := session.bucketID(ctx, bucketName)
	if err != nil {
		return err
	}
	if id == "" {
		return fmt.Errorf("bucket %q not found", bucketName)
	}
	prefix := encoding.FromStandardPath(directory) + "/"
	named := map[string]string{}
	name := func(plain string) {
		_, stored := bucket.Split(path.Join(place.path, storedName(f, r.dir+"/"+plain)))
		named[encoding.FromStandardPath(stored)] = plain
	}
	for plain := range r.wanted {
		name(plain)
	}
	for _, plain := range r.last {
		name(plain)
	}
	found := map[string][]api.File{}
	request := api.ListFileNamesRequest{BucketID: id, Prefix: prefix, MaxFileCount: 1000}
	for {
		var reply api.ListFileNamesResponse
		if err := session.post(ctx, "b2_list_file_versions", &request, &reply); err != nil {
			return err
		}
		for _, file := range reply.Files {
			// Uploads that were begun and not finished are ended elsewhere.
			if strings.HasPrefix(file.Name, prefix) && (file.Action == "upload" || file.Action == "hide") {
				found[file.Name] = append(found[file.Name], file)
			}
		}
		if reply.NextFileName == nil {
			break
		}
		request.StartFileName = *reply.NextFileName
		request.StartFileID = ""
		if reply.NextFileID != nil {
			request.StartFileID = *reply.NextFileID
		}
	}
	stored, names := map[string]string{}, []string{}
	for full, versions := range found {
		plain, wanted := named[full]
		if !wanted {
			// The newest comes first.
			if plain = strings.TrimPrefix(full, prefix); versions[0].Action != "hide" {
				r.leave(plain)
				continue
			}
		}
		stored[plain] = full
		names = append(names, plain)
	}
	return r.each(ctx, names, func(plain string) (int64, error) {
		versions, size := found[stored[plain]], int64(0)
		// The oldest first: without the marker that hides it, a file would be there again.
		for _, version := range slices.Backward(versions) {
			request := api.DeleteFileRequest{ID: version.ID, Name: version.Name}
			var done api.File
			err := session.post(ctx, "b2_delete_file_version", &request, &done)
			var failure *api.Error
			if errors.As(err, &failure) && failure.Code == "file_not_present" {
				err = nil
			}
			if err != nil {
				return size, fmt.Errorf("%s: %w", plain, err)
			}
			size += version.Size
		}
		return size, nil
	})
}

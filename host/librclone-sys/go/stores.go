package main

import (
	"context"
	"errors"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/cache"
	"github.com/rclone/rclone/fs/config/configmap"
	"github.com/rclone/rclone/fs/fspath"
)

// store is a remote that wraps no other: where files really go.
type store struct {
	info   *fs.RegInfo
	name   string
	path   string
	config *configmap.Map
	// exact is false below a backend that stores names its own way: then path is only the beginning
	// of the truth.
	exact bool
}

const tooDeep = 16

var errCircle = errors.New("remotes that wrap each other go round in a circle")

// stores finds what is behind a remote, without contacting anything.
func stores(remote string, exact bool, depth int) ([]store, error) {
	if depth > tooDeep {
		return nil, errCircle
	}
	info, name, path, config, err := fs.ConfigFs(remote)
	if err != nil {
		return nil, err
	}
	wrapped, plain, err := wraps(info, path, config)
	if err != nil {
		return nil, err
	}
	if len(wrapped) == 0 {
		return []store{{info, name, path, config, exact}}, nil
	}
	var found []store
	for _, one := range wrapped {
		below, err := stores(one, exact && plain, depth+1)
		if err != nil {
			return nil, err
		}
		found = append(found, below...)
	}
	return found, nil
}

// wraps returns the remotes that one wraps; none for one that stores files itself. Where they are
// plain, the path is in them and names below it are the same; else they are what path lies below.
func wraps(info *fs.RegInfo, path string, config *configmap.Map) (wrapped []string, plain bool, err error) {
	switch info.Name {
	case "local":
		return nil, true, nil
	case "union", "combine":
		var upstreams fs.SpaceSepList
		value, _ := config.Get("upstreams")
		if err := upstreams.Set(value); err != nil {
			return nil, true, err
		}
		for _, upstream := range upstreams {
			if part, ok := upstreamPart(info.Name, upstream, path); ok {
				wrapped = append(wrapped, part)
			}
		}
		return wrapped, true, nil
	}
	remote, ok := config.Get("remote")
	if !ok || remote == "" {
		return nil, true, nil
	}
	if info.Name == "alias" {
		return []string{fspath.JoinRootPath(remote, path)}, true, nil
	}
	return []string{remote}, false, nil
}

// upstreamPart is what path means in one upstream of a union or combine, if anything.
func upstreamPart(backend, upstream, path string) (string, bool) {
	if backend == "union" {
		for _, mode := range []string{":ro", ":nc", ":writeback"} {
			upstream = strings.TrimSuffix(upstream, mode)
		}
		return fspath.JoinRootPath(upstream, path), true
	}
	dir, remote, ok := strings.Cut(upstream, "=")
	first, rest, _ := strings.Cut(strings.Trim(path, "/"), "/")
	if !ok || (first != "" && first != dir) {
		return "", false
	}
	return fspath.JoinRootPath(remote, rest), true
}

// storedPath is the path under which a remote that wraps one other stores, in that one's words.
func storedPath(ctx context.Context, remote string) (string, bool, error) {
	f, err := cache.Get(ctx, remote)
	if err != nil && !errors.Is(err, fs.ErrorIsFile) {
		return "", false, err
	}
	if errors.Is(err, fs.ErrorIsFile) {
		return "", false, nil
	}
	return fs.UnWrapFs(f).Root(), true, nil
}

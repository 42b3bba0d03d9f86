package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/cache"
	"github.com/rclone/rclone/fs/fspath"
	"github.com/rclone/rclone/fs/rc"
)

func init() {
	rc.Add(rc.Call{
		Path:  "copal/local-roots",
		Fn:    rcLocalRoots,
		Title: "The local directories that a remote really is",
		Help: `This takes the following parameters:

- fs - a remote name string e.g. "crypt:path"

Returns:

- roots - a list of absolute paths, empty for a remote that is not local

It looks through the backends that wrap others (alias, crypt, union, …). No
remote that is not local is contacted.`,
	})
}

func rcLocalRoots(ctx context.Context, in rc.Params) (rc.Params, error) {
	remote, err := in.GetString("fs")
	if err != nil {
		return nil, err
	}
	roots, err := localRoots(ctx, remote, 0)
	return rc.Params{"roots": roots}, err
}

func localRoots(ctx context.Context, remote string, depth int) ([]string, error) {
	if depth > 16 {
		return nil, errors.New("remotes that wrap each other go round in a circle")
	}
	info, _, path, config, err := fs.ConfigFs(remote)
	if err != nil {
		return nil, err
	}
	roots := []string{}
	addAll := func(remotes ...string) error {
		for _, remote := range remotes {
			more, err := localRoots(ctx, remote, depth+1)
			if err != nil {
				return err
			}
			roots = append(roots, more...)
		}
		return nil
	}
	switch info.Name {
	case "local":
		root, err := filepath.Abs(path)
		return append(roots, root), err
	case "union", "combine":
		var upstreams fs.SpaceSepList
		value, _ := config.Get("upstreams")
		if err := upstreams.Set(value); err != nil {
			return nil, err
		}
		for _, upstream := range upstreams {
			if part, ok := upstreamPart(info.Name, upstream, path); ok {
				if err := addAll(part); err != nil {
					return nil, err
				}
			}
		}
		return roots, nil
	case "alias":
		wrapped, _ := config.Get("remote")
		return roots, addAll(fspath.JoinRootPath(wrapped, path))
	}
	wrapped, ok := config.Get("remote")
	if !ok || wrapped == "" {
		return roots, nil
	}
	if err := addAll(wrapped); err != nil || len(roots) == 0 {
		return roots, err
	}
	// Wrapped and local: only the backend itself knows how it names the directories below.
	f, err := cache.Get(ctx, remote)
	if err != nil && !errors.Is(err, fs.ErrorIsFile) {
		return nil, err
	}
	inner := fs.UnWrapFs(f)
	if !inner.Features().IsLocal {
		return roots, nil
	}
	root, err := filepath.Abs(inner.Root())
	return []string{root}, err
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

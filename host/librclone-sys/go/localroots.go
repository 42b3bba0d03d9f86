package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/cache"
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
	if depth > tooDeep {
		return nil, errCircle
	}
	info, _, path, config, err := fs.ConfigFs(remote)
	if err != nil {
		return nil, err
	}
	roots := []string{}
	if info.Name == "local" {
		root, err := filepath.Abs(path)
		return append(roots, root), err
	}
	wrapped, plain, err := wraps(info, path, config)
	if err != nil {
		return nil, err
	}
	for _, one := range wrapped {
		more, err := localRoots(ctx, one, depth+1)
		if err != nil {
			return nil, err
		}
		roots = append(roots, more...)
	}
	if plain || len(roots) == 0 {
		return roots, nil
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

package main

import (
	"context"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/rc"
)

func init() {
	rc.Add(rc.Call{
		Path:  "copal/backend",
		Fn:    rcBackend,
		Title: "The kind of a remote",
		Help: `This takes the following parameters:

- fs - a remote name string e.g. "b2:path"

Returns:

- backend - its backend's name: "b2", "crypt", "local", …

No remote is contacted, and what a remote wraps is not looked at.`,
	})
}

func rcBackend(_ context.Context, in rc.Params) (rc.Params, error) {
	remote, err := in.GetString("fs")
	if err != nil {
		return nil, err
	}
	info, _, _, _, err := fs.ConfigFs(remote)
	if err != nil {
		return nil, err
	}
	return rc.Params{"backend": info.Name}, nil
}

package main

import (
	"context"
	"strings"

	"github.com/rclone/rclone/fs"
	"github.com/rclone/rclone/fs/rc"
)

func init() {
	rc.Add(rc.Call{
		Path:  "copal/set-options",
		Fn:    setOptions,
		Title: "Set options as the flags of rclone's command line would",
		Help: `This takes the following parameters:

- options - an object of option names (as in options/info, or a backend's
  prefix and option name, e.g. "b2_chunk_size") and lists of values

Returns:

- refused - an object of option names and why rclone refuses the values

It has to be called before anything that the options are for. Unlike
options/set it reads values as flags do, knows the options of backends, and
does not ignore an unknown name.`,
	})
}

func setOptions(ctx context.Context, in rc.Params) (rc.Params, error) {
	var options map[string][]string
	if err := in.GetStruct("options", &options); err != nil {
		return nil, err
	}
	refused := map[string]string{}
	for name, values := range options {
		option := findOption(name)
		if option == nil {
			refused[name] = "unknown option"
			continue
		}
		for _, value := range values {
			if err := option.Set(value); err != nil {
				refused[name] = err.Error()
			}
		}
	}
	if len(refused) > 0 {
		return rc.Params{"refused": refused}, nil
	}
	return rc.Params{"refused": refused}, fs.GlobalOptionsInit()
}

func findOption(name string) *fs.Option {
	if option := fs.OptionsRegistry["main"].Options.Get(name); option != nil {
		return option
	}
	for _, backend := range fs.Registry {
		if key, ok := strings.CutPrefix(name, backend.Prefix+"_"); ok {
			if option := backend.Options.Get(key); option != nil {
				return option
			}
		}
	}
	return nil
}
